//! The account of a check for drift: what was changed on the service, by whom, and the ways out of it.

use super::account::{Account, Block, Fact, Mark, Move, Note, Row, RowMark, Seen, Total, Warning, Way};
use super::piece::{Count, Line, Sign, Theirs, Tone, line};
use super::seen::{between, is_line, one_line, seen};
use super::words;
use crate::model::Editor;
use crate::plan::drift::{AgentDrift, Drift, DriftGroup, DriftState, FieldDrift, ForeignApply, SlotDrift, SlotLive};
use crate::plan::{KeptEdit, Shown, SlotHolder, alarms_of_drift};
use crate::render::drift as said;

/// The account of a check.
pub fn drift(drift: &Drift) -> Account {
    let mut account = Account::of(&drift.target);
    account
        .facts
        .push(Fact { name: "Checked", what: line![Tone::Plain; Theirs::words(said::moment(drift.checked_at))] });
    account.warnings = warnings(drift);
    account.alarms = words::alarms(std::iter::empty(), alarms_of_drift(drift));
    let groups = drift.groups();
    let (shared, single): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.agents.len() > 1);
    account.blocks = shared.iter().map(shared_block).collect();
    for agent in &drift.agents {
        let own: Vec<&FieldDrift> = single
            .iter()
            .flat_map(|group| &group.agents)
            .filter(|(of, _)| of.key == agent.key)
            .map(|(_, field)| *field)
            .collect();
        if agent.is_absent() || agent.foreign.is_some() || !own.is_empty() || !agent.slots.is_empty() {
            account.blocks.push(agent_block(agent, &own));
        }
    }
    account.nothing = (drift.state() == DriftState::Clean).then_some(if drift.targeted {
        "No drift on the agents that were looked at; others were left out."
    } else {
        "No drift. What is live is what was applied last."
    });
    account.notes = notes(drift);
    account.ways = said::ways_out(drift)
        .into_iter()
        .map(|way| Way { name: way.name, what: way.what, copy: Theirs::prose(way.copy), language: way.language })
        .collect();
    account.totals = vec![
        Total { tone: Tone::Strong, what: line![Tone::Strong; Theirs::words(said::summary_line(drift))] },
        Total { tone: Tone::Plain, what: line![Tone::Plain; "Fingerprint ", Theirs::code(drift.fingerprint.as_str())] },
    ];
    account
}

fn warnings(drift: &Drift) -> Vec<Warning> {
    let targeted = drift.targeted.then(|| {
        let what = "agents were left out by --target or --exclude. This is not the whole project.";
        Warning { lead: "TARGETED", tone: Tone::Changed, what: line![Tone::Changed; what], hints: Vec::new() }
    });
    let unchecked = drift.unchecked.iter().map(|entry| {
        let causes = entry.causes.iter().map(|cause| line![Tone::Plain; Theirs::sentence(cause.as_str())]);
        Warning {
            lead: "NOT CHECKED",
            tone: Tone::Danger,
            what: words::about(entry.address.as_ref(), Line::joined(causes, ": ")),
            hints: entry.hints.iter().map(|hint| line![Tone::Quiet; Theirs::sentence(hint.as_str())]).collect(),
        }
    });
    targeted.into_iter().chain(unchecked).collect()
}

fn mark(conflict: bool) -> RowMark {
    if conflict { RowMark::Look } else { RowMark::Drift }
}

/// A change from the applied to the live value; of one that is known by its hash alone, the live value, whole.
fn row(field: &FieldDrift) -> Row {
    let change = match (&field.applied, &field.live) {
        (Some(applied), live) => seen(applied, live, false),
        (None, Shown::Value(value)) if !is_line(value) => Seen::Instead(
            Box::new(Seen::Note(line![Tone::Quiet; "what was applied is not known; live is"])),
            Box::new(between(None, Some(value), true)),
        ),
        (None, live) => Seen::Turn {
            before: Some(line![Tone::Removed; "(not known)"]),
            after: one_line(live, Tone::Added),
            delta: None,
        },
    };
    let mut row = Row::of(change).at(&field.path);
    row.mark = mark(field.conflict);
    if field.conflict {
        row.notes.push(line![Tone::Danger; "Git has changed it as well, or no longer declares it"]);
    }
    if let Some(ended) = &field.ended {
        row.notes.push(line![Tone::Quiet; Theirs::sentence(said::ended(ended))]);
    }
    row
}

fn shared_block(group: &DriftGroup<'_>) -> Block {
    let reach = group.agents.iter().map(|(agent, field)| {
        let name = words::agent(Tone::Plain, &agent.key);
        match who(field.editor.as_ref()) {
            Some(who) => name.with(Tone::Quiet, "   ").and(who),
            None => name,
        }
    });
    Block {
        title: line![Tone::Strong; words::agents_counted(group.agents.len())],
        state: line![Tone::Changed; "the same change"],
        reach: reach.collect(),
        reach_in_lines: true,
        rows: vec![row(group.field)],
        is_risky: group.field.conflict,
        ..Block::new(Mark { sign: line![Tone::Changed; Sign::Drift], tone: Tone::Changed })
    }
}

fn agent_block(agent: &AgentDrift, own: &[&FieldDrift]) -> Block {
    let mark = if agent.is_absent() {
        Mark { sign: line![Tone::Danger; "-"], tone: Tone::Danger }
    } else {
        Mark { sign: line![Tone::Changed; Sign::Drift], tone: Tone::Changed }
    };
    let mut block = Block {
        key: Some(agent.key.clone()),
        title: words::agent(Tone::Strong, &agent.key),
        state: versions(agent, mark.tone),
        origin: Some(Theirs::spot(&agent.origin)),
        ..Block::new(mark)
    };
    if agent.is_absent() {
        block.notes.push(line![Tone::Plain; said::ABSENT]);
        return block;
    }
    block.notes.extend(agent.foreign.as_ref().map(|foreign| elsewhere(foreign, agent)));
    block.moves = agent.slots.iter().map(|slot| slot_row(agent, slot)).collect();
    let mut last: Option<Line> = None;
    for field in own {
        let mut row = row(field);
        // Who edited ten values in one version is named once.
        let who = who(field.editor.as_ref());
        if let Some(text) = who.as_ref().filter(|_| who != last) {
            row.lead = Some(line![Tone::Quiet; "changed on the service "].and(text.clone()));
        }
        last = who;
        block.rows.push(row);
    }
    block.remarks.extend(kept(Line::default(), &agent.kept));
    block.is_risky = own.iter().any(|field| field.conflict) || agent.slots.iter().any(|slot| slot.conflict);
    block
}

/// The versions, where somebody else published one.
fn versions(agent: &AgentDrift, tone: Tone) -> Line {
    match (agent.applied_version, agent.live_version) {
        _ if agent.is_absent() => line![tone; "there is no such agent"],
        (Some(applied), Some(live)) if applied == live && agent.foreign.is_none() => {
            line![tone; "v", live, ", as applied"]
        }
        (Some(applied), Some(live)) if applied == live => line![tone; "v", live, " is live"],
        (Some(applied), Some(live)) => line![tone; "v", applied, " was applied, v", live, " is live"],
        (None, Some(live)) => line![tone; "v", live, " is live"],
        (_, None) => line![tone; "no version"],
    }
}

/// Where an apply came from that Git does not know, with its commit and who ran it.
fn elsewhere(foreign: &ForeignApply, agent: &AgentDrift) -> Line {
    let ForeignApply { commit, from } = foreign;
    let from = from.in_words(commit.as_deref());
    let from = line![Tone::Danger; "what is live was applied from ", Theirs::sentence(from)];
    let by = agent.live_editor.as_ref().map(|editor| words::editor(Tone::Danger, editor)).filter(|who| !who.is_empty());
    let by = by.map(|who| line![Tone::Danger; " ("].and(who).with(Tone::Danger, ")"));
    from.and(by.unwrap_or_default())
}

fn slot_row(agent: &AgentDrift, slot: &SlotDrift) -> Move {
    let from = if slot.arrived {
        line![Tone::Quiet; "not on this agent"]
    } else {
        words::agent(Tone::Quiet, &agent.key).with(Tone::Quiet, ", live version")
    };
    let to = match &slot.live {
        SlotLive::Holder(SlotHolder::Empty) => words::holder(Tone::Danger, &SlotHolder::Empty),
        SlotLive::Holder(holder) => words::holder(Tone::Changed, holder),
        SlotLive::NotHere => line![Tone::Changed; "not on this agent (this credential cannot see whose it is)"],
        SlotLive::Gone => line![Tone::Danger; "the organization no longer has the number"],
    };
    Move {
        mark: mark(slot.conflict),
        number: Theirs::code(slot.number.as_str()),
        direction: words::direction(slot.direction),
        from,
        to,
        remark: None,
        notes: left_behind(agent, slot).into_iter().collect(),
    }
}

/// What happened to a number that nobody moved: somebody published a version, and it is not on that one.
fn left_behind(agent: &AgentDrift, slot: &SlotDrift) -> Option<Line> {
    let SlotLive::Holder(SlotHolder::Agent { key: Some(key), version, .. }) = &slot.live else { return None };
    let live = agent.live_version.filter(|live| live > version && agent.live_version > agent.applied_version)?;
    if slot.arrived || *key != agent.key {
        return None;
    }
    let by = agent.live_editor.as_ref().and_then(|editor| editor.by.as_ref());
    let by = by.map(|by| line![Tone::Quiet; " by ", Theirs::words(by.as_str())]).unwrap_or_default();
    let published = line![Tone::Quiet; "v", live, " was published"].and(by);
    Some(published.and(line![Tone::Quiet; ", and the number stayed on v", *version]))
}

fn who(editor: Option<&Editor>) -> Option<Line> {
    editor.map(|editor| words::editor(Tone::Quiet, editor)).filter(|line| !line.is_empty())
}

fn kept(start: Line, kept: &[KeptEdit]) -> Option<Line> {
    if kept.is_empty() {
        return None;
    }
    let count = Count(kept.len(), "edit is", "edits are");
    Some(start.and(line![Tone::Quiet; count, " at values that Git does not declare: "]).and(words::kept_paths(kept)))
}

/// What is no drift and is still worth a line.
fn notes(drift: &Drift) -> Vec<Note> {
    let republished = drift.as_applied.iter().filter_map(|entry| {
        let editor = entry.live_editor.as_ref()?;
        let start = words::agent(Tone::Quiet, &entry.key)
            .with(Tone::Quiet, " was published ")
            .and(words::editor(Tone::Quiet, editor))
            .with(Tone::Quiet, "; nothing that Git declares differs");
        let line = kept(start.clone().with(Tone::Quiet, "; "), &entry.kept);
        Some(words::quiet(line.unwrap_or_else(|| start.with(Tone::Quiet, "."))))
    });
    republished.chain(drift.notices.iter().map(words::notice)).collect()
}
