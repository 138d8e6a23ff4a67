//! The account of two versions of one agent, and what is said of one agent and of a log on lines of their own.

use super::account::{Account, Block, Fact, Mark, Note, Row, Total};
use super::piece::{Count, Line, Sign, Theirs, Tone, line};
use super::seen::seen;
use super::words;
use crate::model::{Direction, Editor};
use crate::plan::FieldChange;
use crate::plan::between::Between;
use crate::plan::portrait::{Portrait, Standing, VersionRow, VersionState};

/// The account of a difference of versions.
pub fn between(between: &Between) -> Account {
    let Between { target, key, agent_id, name, from, to, fields, summary, notices } = between;
    let title = match key {
        Some(key) => words::agent(Tone::Strong, key),
        None => line![Tone::Strong; Theirs::id(agent_id)],
    };
    let number = |editor: &Editor| editor.version.unwrap_or_default();
    let side = |editor: &Editor| {
        let who = words::editor(Tone::Quiet, &Editor { version: None, ..editor.clone() });
        line![Tone::Quiet; "version ", number(editor), " was made "].and(who)
    };
    let is_told = |editor: &&Editor| editor.by.is_some() || editor.at.is_some();
    let mut remarks: Vec<Line> = [from, to].into_iter().filter(is_told).map(side).collect();
    remarks.insert(0, line![Tone::Quiet; Theirs::words(format!("\"{name}\""))]);
    let block = Block {
        key: key.clone(),
        title,
        state: line![Tone::Changed; "v", number(from), " ", Sign::Arrow, " v", number(to)],
        notes: remarks,
        rows: fields.iter().map(row).collect(),
        ..Block::new(Mark { sign: line![Tone::Changed; "~"], tone: Tone::Changed })
    };
    let said = summary.iter().map(|summary| Note {
        lead: "The service says: ",
        tone: Tone::Quiet,
        what: line![Tone::Plain; Theirs::words(summary.as_str())],
    });
    let notices = notices.iter().map(|notice| Note {
        lead: "Note: ",
        tone: Tone::Changed,
        what: line![Tone::Plain; Theirs::sentence(notice.as_str())],
    });
    let count = Count(fields.len(), "value differs", "values differ");
    Account {
        blocks: if fields.is_empty() { Vec::new() } else { vec![block] },
        nothing: fields.is_empty().then_some("No difference. Both versions hold the same config."),
        notes: said.chain(notices).collect(),
        totals: vec![Total {
            tone: Tone::Strong,
            what: line![Tone::Strong; "Compare: ", count, " between version ", number(from), " and version ",
                number(to), "."],
        }],
        ..Account::of(target)
    }
}

fn row(field: &FieldChange) -> Row {
    Row::of(seen(&field.before, &field.after, false)).at(&field.path)
}

/// What there is to say of one agent, name by name.
pub fn facts(portrait: &Portrait) -> Vec<Fact> {
    let Portrait {
        target,
        key: _,
        agent_id,
        name,
        active,
        standing,
        origin,
        versions: _,
        sip_deployed,
        last_apply,
        begun,
        at_work,
        rollback,
        notices: _,
        complete: _,
    } = portrait;
    let mut facts = Vec::new();
    let mut fact = |name, what: Line| facts.push(Fact { name, what });
    fact("Name", line![Tone::Plain; Theirs::words(name.as_str())]);
    fact("Id", line![Tone::Plain; Theirs::id(agent_id)]);
    let Fact { name: target_name, what } = words::target(target);
    fact(target_name, what);
    let standing = match standing {
        Standing::Managed => "managed",
        Standing::ToAdopt => "to be adopted by the next apply",
        Standing::Orphaned => "orphaned: no manifest declares it any more",
        Standing::AnotherProject => "managed by another project or environment",
        Standing::Unmanaged => "not managed",
    };
    fact("State", line![Tone::Plain; standing]);
    if let Some(origin) = origin {
        fact("Manifest", line![Tone::Plain; Theirs::spot(origin)]);
    }
    match active {
        Some(true) => {}
        Some(false) => fact("Active", line![Tone::Danger; "no: it is switched off"]),
        None => fact("Active", line![Tone::Quiet; "not known: the service does not say"]),
    }
    match portrait.live() {
        Some(live) => {
            fact("Live", line![Tone::Strong; "version ", live.version].and(made(live)));
            fact("Numbers", numbers(live).unwrap_or_else(|| line![Tone::Quiet; "none"]));
            if !live.widgets.is_empty() {
                fact("Widgets", widgets(live));
            }
        }
        None => fact("Live", line![Tone::Danger; "no published version"]),
    }
    if *sip_deployed {
        fact("SIP", line![Tone::Plain; "exposed over SIP"]);
    }
    match last_apply {
        Some((version, applied)) => {
            let version = version.map(|version| line![Tone::Plain; "version ", version]);
            let commit = applied.commit.as_ref().map(|commit| line![Tone::Plain; "commit ", words::short(commit)]);
            let plan = line![Tone::Plain; "plan ", short_plan(&applied.plan)];
            fact("Applied", words::dotted(version.into_iter().chain(commit).chain([plan]).collect()));
            if let Some(url) = &applied.run_url {
                fact("Run", line![Tone::Plain; Theirs::code(url.as_str())]);
            }
        }
        None => fact("Applied", line![Tone::Quiet; "never, by this project"]),
    }
    if let Some(begun) = begun {
        let what = match begun.back_to {
            Some(to) => line![Tone::Danger; "a rollback to version ", to, " by the run "],
            None => line![Tone::Danger; "an apply by the run "],
        };
        fact("Unfinished", what.and(line![Tone::Danger; Theirs::code(begun.run.as_str())]));
    }
    if let Some(lease) = at_work {
        let since = words::editor(Tone::Changed, &Editor { at: Some(lease.at.clone()), ..Editor::default() });
        fact("At work", line![Tone::Changed; "the run ", Theirs::code(lease.run.as_str()), " "].and(since));
    }
    if let Some(rolled_back) = rollback {
        let back = &rolled_back.back;
        let who = Editor { by: rolled_back.by.clone(), at: Some(rolled_back.at.clone()), version: None };
        let what = line![Tone::Danger; "from version ", back.from, " to version ", back.to, " "];
        fact("Rolled back", what.and(words::editor(Tone::Plain, &who)));
        if let Some(reason) = &back.reason {
            fact("Reason", line![Tone::Plain; Theirs::words(reason.as_str())]);
        }
    }
    facts
}

fn made(row: &VersionRow) -> Line {
    let who = Editor { by: row.by.clone(), at: row.at.clone(), version: None };
    let who = words::editor(Tone::Quiet, &who);
    if who.is_empty() { who } else { line![Tone::Quiet; ", made "].and(who) }
}

/// What is known of a version beside its number, its state, its author and its time.
pub fn details(row: &VersionRow) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(rolled_back) = &row.rollback {
        let back = &rolled_back.back;
        let mut what = line![Tone::Danger; "rolled back from version ", back.from, " to version ", back.to];
        if let Some(reason) = &back.reason {
            what = what.and(line![Tone::Plain; ": ", Theirs::words(reason.as_str())]);
        }
        lines.push(what);
    }
    if let Some(applied) = &row.applied {
        let commit = applied.commit.as_ref().map(|commit| line![Tone::Quiet; "commit ", words::short(commit)]);
        let plan = line![Tone::Quiet; "plan ", short_plan(&applied.plan)];
        lines.push(line![Tone::Quiet; "applied: "].and(words::dotted(commit.into_iter().chain([plan]).collect())));
        lines.extend(applied.run_url.as_ref().map(|url| line![Tone::Quiet; Theirs::code(url.as_str())]));
    }
    lines.extend(numbers(row));
    if !row.widgets.is_empty() {
        lines.push(line![Tone::Plain; "widgets: "].and(widgets(row)));
    }
    lines
}

/// The word for a version's state.
pub fn state(row: &VersionRow) -> Line {
    match row.state {
        VersionState::Live => line![Tone::Added; "live"],
        VersionState::Published => line![Tone::Plain; "published"],
        VersionState::Draft => line![Tone::Quiet; "draft"],
    }
}

fn numbers(row: &VersionRow) -> Option<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (number, direction) in &row.numbers {
        let has = |other| row.numbers.contains(&(number.clone(), other));
        let both = has(Direction::Inbound) && has(Direction::Outbound);
        let word = match direction {
            Direction::Outbound if both => continue,
            Direction::Inbound if both => "both ways",
            direction => words::direction(*direction),
        };
        lines.push(line![Tone::Plain; Theirs::code(number.as_str()), " ", word].glued());
    }
    (!lines.is_empty()).then(|| Line::joined(lines, ", "))
}

fn widgets(row: &VersionRow) -> Line {
    Line::joined(row.widgets.iter().map(|id| line![Tone::Plain; Theirs::id(id)]), ", ")
}

fn short_plan(hash: &str) -> Theirs {
    let digits = hash.strip_prefix("sha256:").unwrap_or(hash);
    Theirs::code(digits.chars().take(12).collect::<String>())
}
