//! The account of a plan: what is done to each agent, what is left alone, and the totals.

use super::account::{Account, Alarm, Block, Fact, Mark, Move, Note, Place, Row, Seen, Sides, Total, Warning};
use super::piece::{Count, Line, Sign, Theirs, Tone, line};
use super::seen::{is_line, one_line, seen};
use super::shared::{Candidate, Part, Shared, Sharing};
use super::tree::nest;
use super::words;
use crate::diagnostics::Severity;
use crate::model::{Back, FieldPath, Key};
use crate::plan;
use crate::plan::change::DECIDE_A_CONFLICT;
use crate::plan::{
    Action, AgentChange, Cause, FieldChange, Held, KeptEdit, Orphan, Plan, Shown, SlotChange, SlotTarget, Summary,
};
use crate::render::verify;

/// The account of a plan, as it is read at a place.
pub fn plan(plan: &Plan, place: Place) -> Account {
    let mut account = Account::of(&plan.target);
    account.facts.extend(words::source(&plan.source).map(|what| Fact { name: "Source", what }));
    account.warnings = warnings(plan);
    account.alarms = alarms(plan);
    account.signs = signs(plan);
    account.blocks = blocks(plan, place);
    account.nothing = crate::render::words::no_changes(plan);
    account.notes = notes(plan);
    account.totals = totals(plan);
    account
}

fn warnings(plan: &Plan) -> Vec<Warning> {
    let warning = |lead, tone, what: &'static str| Warning { lead, tone, what: line![tone; what], hints: Vec::new() };
    let incomplete = (!plan.complete).then(|| {
        let what = "not everything could be read. The plan shows what is known and cannot be applied.";
        warning("INCOMPLETE", Tone::Danger, what)
    });
    let targeted = plan.targeted.then(|| {
        let what = "agents were left out by --target or --exclude. This is not the whole plan.";
        warning("TARGETED", Tone::Changed, what)
    });
    incomplete.into_iter().chain(targeted).collect()
}

/// Limits that the change itself raises, what planning alarms at, and programs; each once with all agents it is about.
fn alarms(plan: &Plan) -> Vec<Alarm> {
    let raised = plan
        .raised
        .iter()
        .map(|limit| Alarm { agents: Vec::new(), what: line![Tone::Plain; Theirs::sentence(limit.describe())] });
    let programs = plan.changes.iter().filter_map(|change| Some((&change.key, change.verify.as_ref()?)));
    raised.chain(words::alarms(programs, plan::alarms(plan))).collect()
}

/// The signs that this plan uses.
fn signs(plan: &Plan) -> Vec<(Line, &'static str)> {
    let Summary { create, update, delete, adopt, unchanged: _, drift, conflict: _, orphaned: _ } = plan.summary();
    let looks_twice = plan.changes.iter().any(|change| {
        change.has_cause(Cause::Conflict)
            || change.verify.is_some()
            || change.fields.iter().any(|field| field.risk.is_some())
            || change.numbers.iter().any(|slot| slot.risk.is_some())
    });
    let all = [
        (create > 0, line![Tone::Quiet; Action::Create.symbol()], "create"),
        (update > 0, line![Tone::Quiet; Action::Update.symbol()], "update"),
        (delete > 0, line![Tone::Quiet; Action::Delete.symbol()], "delete"),
        (adopt > 0, line![Tone::Quiet; Action::Adopt.symbol()], "adopt"),
        (looks_twice, line![Tone::Quiet; "!"], "look twice"),
        (drift > 0, line![Tone::Quiet; Sign::Drift], "changed on the service"),
    ];
    all.into_iter().filter(|(used, ..)| *used).map(|(_, sign, word)| (sign, word)).collect()
}

/// Shared changes stand where the first of their agents would.
fn blocks(plan: &Plan, place: Place) -> Vec<Block> {
    let candidates: Vec<Candidate<'_>> = plan.changes.iter().map(candidate).collect();
    let sharing = Sharing::of(&candidates);
    let mut shown = Vec::new();
    let programs =
        verify::groups(plan.changes.iter().filter_map(|change| Some((&change.key, change.verify.as_ref()?))));
    let programs: Vec<_> = programs.into_iter().filter(|(keys, _)| keys.len() > 1).collect();
    let reach = |keys: &[&Key]| plan.changes.iter().filter(|change| keys.contains(&&change.key)).map(reached).collect();
    let mut blocks: Vec<Block> =
        programs.iter().map(|(keys, becomes)| words::shared_program(reach(keys), becomes)).collect();
    for (at, change) in plan.changes.iter().enumerate() {
        let Part { own, elsewhere, groups } = sharing.part(at, &change.fields, &mut shown);
        blocks.extend(groups.into_iter().map(|group| shared_block(group, &plan.changes)));
        let shares_program = programs.iter().any(|(keys, _)| keys.contains(&&change.key));
        if (elsewhere == 0 && !shares_program) || !is_bare(change, &own, shares_program) {
            blocks.push(agent(change, &own, (elsewhere, shares_program), place));
        }
    }
    blocks
}

/// Whether all that there is to say of an agent is said by the changes that it shares.
fn is_bare(change: &AgentChange, own: &[&FieldChange], shares_program: bool) -> bool {
    own.is_empty()
        && change.action == Action::Update
        && (change.verify.is_none() || shares_program)
        && change.moved_from.is_none()
        && change.back.is_none()
        && !change.adopts
        && change.kept.is_empty()
        && change.numbers.iter().all(|slot| slot.follows)
}

/// An agent that a shared change reaches, with what becomes of its version.
fn reached(change: &AgentChange) -> Line {
    let state = versions(Tone::Quiet, change);
    words::agent(Tone::Plain, &change.key).with(Tone::Quiet, " (").and(state).with(Tone::Quiet, ")")
}

fn candidate(change: &AgentChange) -> Candidate<'_> {
    let stands_alone = !matches!(change.action, Action::Update | Action::Create) || change.held.is_some();
    Candidate { fields: &change.fields, is_new: change.action == Action::Create, stands_alone }
}

fn shared_block(group: &Shared<'_>, changes: &[AgentChange]) -> Block {
    let rows = group.fields.iter().map(|field| (field.path.clone(), row(field, group.is_new)));
    let (tone, action) = if group.is_new { (Tone::Added, Action::Create) } else { (Tone::Changed, Action::Update) };
    Block {
        origin: group.origin.map(Theirs::spot),
        reach: group.agents.iter().filter_map(|at| changes.get(*at)).map(reached).collect(),
        rows: if group.is_new { nest(rows.collect()) } else { rows.map(|(_, row)| row).collect() },
        is_risky: group.fields.iter().any(|field| field.risk.is_some()),
        ..words::shared(group.agents.len(), group.is_new, Mark { sign: line![tone; action.symbol()], tone })
    }
}

fn agent(
    change: &AgentChange,
    own: &[&FieldChange],
    (elsewhere, shares_program): (usize, bool),
    place: Place,
) -> Block {
    let tone = match change.action {
        Action::Create => Tone::Added,
        Action::Delete => Tone::Danger,
        Action::Update | Action::Adopt => Tone::Changed,
    };
    let is_new = change.action == Action::Create;
    let rows: Vec<(FieldPath, Row)> = own.iter().map(|field| (field.path.clone(), row(field, is_new))).collect();
    let rows = if is_new { nest(rows) } else { rows.into_iter().map(|(_, row)| row).collect() };
    let moves: Vec<&SlotChange> = change.numbers.iter().filter(|slot| !slot.follows).collect();
    let mut remarks = Vec::new();
    if elsewhere > 0 {
        remarks.push(words::elsewhere(elsewhere));
    }
    remarks.extend(change.verify.as_ref().filter(|_| shares_program).map(words::program_elsewhere));
    remarks.extend(kept(Line::default(), &change.kept));
    Block {
        key: Some(change.key.clone()),
        title: words::agent(Tone::Strong, &change.key),
        state: versions(tone, change),
        origin: change.origin.as_ref().map(Theirs::spot),
        notes: agent_notes(change, place),
        program: change.verify.as_ref().filter(|_| !shares_program).map(words::program),
        following: change.numbers.len() - moves.len(),
        moves: moves.into_iter().map(slot).collect(),
        rows,
        remarks,
        steps: change.steps.iter().map(|step| Theirs::sentence(step.as_str())).collect(),
        is_risky: crate::render::words::needs_second_look(change),
        ..Block::new(Mark { sign: line![tone; change.action.symbol()], tone })
    }
}

/// The versions before and after. The number of a new one is the service's to give: drafts count too.
fn versions(tone: Tone, change: &AgentChange) -> Line {
    match (change.action, change.base_version, change.new_version) {
        (Action::Create, _, _) => line![tone; "will be created"],
        (Action::Delete, Some(base), _) => line![tone; "v", base, " will be DELETED"],
        (Action::Delete, None, _) => line![tone; "will be DELETED"],
        (Action::Adopt, Some(base), _) => line![tone; "v", base, " will be adopted as it is"],
        (Action::Adopt, None, _) => line![tone; "will be adopted as it is"],
        (Action::Update, Some(base), true) => line![tone; "v", base, " ", Sign::Arrow, " new version"],
        (Action::Update, None, true) => line![tone; "first version"],
        (Action::Update, Some(base), false) => line![tone; "v", base, ", no new version"],
        (Action::Update, None, false) => line![tone; "no version"],
    }
}

/// What else a reader should know of an agent before its values.
fn agent_notes(change: &AgentChange, place: Place) -> Vec<Line> {
    let mut notes = Vec::new();
    if change.action != Action::Update {
        let name = line![Tone::Quiet; Theirs::words(format!("\"{}\"", change.name))];
        notes.push(match &change.agent_id {
            Some(id) => name.and(line![Tone::Quiet; " (", Theirs::id(id), ")"]),
            None => name,
        });
    }
    if change.action == Action::Delete {
        notes.push(line![Tone::Quiet; "because no manifest declares it any more"]);
    }
    if let Some(old) = &change.moved_from {
        notes.push(line![Tone::Quiet; "was "].and(words::agent(Tone::Quiet, old)).with(Tone::Quiet, " until now"));
    }
    if change.adopts && change.action == Action::Update {
        notes.push(line![Tone::Quiet; "not managed until now; adopted by this plan"]);
    }
    let is_edited = change.has_cause(Cause::Drift) || change.has_cause(Cause::Conflict);
    let who = change.live_editor.as_ref().filter(|_| is_edited).map(|editor| words::editor(Tone::Quiet, editor));
    if let Some(who) = who.filter(|who| !who.is_empty()) {
        notes.push(line![Tone::Quiet; "changed on the service "].and(who));
    }
    if let Some(Back { from: _, to, source: _, reason }) = &change.back {
        let reason = reason.as_ref().map(|reason| line![Tone::Changed; ": ", Theirs::words(reason.as_str())]);
        notes.push(line![Tone::Changed; "goes back to version ", *to].and(reason.unwrap_or_default()));
    }
    notes.extend(held(change, place));
    notes
}

/// What an approval does to an agent with a conflict, in the words of the place; or why nothing is done to it.
fn held(change: &AgentChange, place: Place) -> Option<Line> {
    if let Some(rollback @ Held::Rollback { .. }) = &change.held {
        return Some(
            line![Tone::Danger; "nothing is written here: ", Theirs::sentence(rollback.describe(&change.key))],
        );
    }
    if !change.has_cause(Cause::Conflict) {
        return None;
    }
    let edits = Count(change.overwritten(), "edit made in the dashboard", "edits made in the dashboard");
    Some(match (place, &change.held) {
        (Place::AutoApprove, Some(_)) => {
            line![Tone::Danger; "nothing is written here, because it would overwrite ", edits, "; ", Theirs::sentence(DECIDE_A_CONFLICT)]
        }
        (Place::Prompt, _) => line![Tone::Danger; Theirs::sentence("`yes`"), " overwrites ", edits],
        (Place::Merge, _) => line![Tone::Danger; "merging overwrites ", edits],
        (Place::Shown | Place::AutoApprove, _) => line![Tone::Danger; "approving this plan overwrites ", edits],
    })
}

/// One changed value.
fn row(field: &FieldChange, is_new: bool) -> Row {
    let FieldChange { path, kind: _, cause, before, after, applied, removal: _, risk, .. } = field;
    let mut row = Row::of(seen(before, after, is_new && *before == Shown::Absent)).at(path);
    row.mark = words::mark(*cause, risk.as_ref());
    match cause {
        Cause::Conflict => row.sides = Some(sides(applied.as_ref(), before, after)),
        Cause::Drift => {
            row.remark = risk.as_ref().map(|_| line![Tone::Changed; "changed on the service"].glued());
            let last = applied.as_ref().filter(|applied| *applied != after);
            row.notes.extend(last.map(|last| line![Tone::Quiet; "applied last: "].and(brief(last))));
        }
        Cause::Rollback => row.remark = Some(line![Tone::Changed; "rolled back"].glued()),
        Cause::Pending => {}
    }
    row.notes.extend(words::secrets(field));
    row.notes.extend(risk.as_ref().map(words::look_twice));
    row
}

/// A value that is shown beside others: whole where it is short, and else named by its size.
fn brief(value: &Shown) -> Line {
    match value {
        Shown::Value(value) if !is_line(value) => line![Tone::Quiet; "something else"],
        value => one_line(value, Tone::Quiet),
    }
}

/// The three sides of a conflict: as they are where they are short, else what each side did to what was applied last.
fn sides(applied: Option<&Shown>, live: &Shown, declared: &Shown) -> Sides {
    // Git is one side of it only if it says something else than was applied.
    let git_changed = applied != Some(declared);
    let words = if git_changed { CHANGED_ON_BOTH } else { CHANGED_DURING_AN_APPLY };
    let is_short = |shown: &Shown| !matches!(shown, Shown::Value(value) if !is_line(value));
    let all_short = is_short(live) && is_short(declared) && applied.is_none_or(is_short);
    if all_short {
        let known = applied.map_or_else(|| line![Tone::Quiet; "(not known)"], |value| one_line(value, Tone::Plain));
        return Sides::Values(
            words,
            [("applied", known), ("live", one_line(live, Tone::Plain)), ("declared", one_line(declared, Tone::Plain))],
        );
    }
    match applied {
        Some(applied) => {
            let mut changes = vec![("changed on the service since it was applied", seen(applied, live, false))];
            if git_changed {
                changes.push(("changed in Git since it was applied", seen(applied, declared, false)));
            }
            Sides::Changes(words, changes)
        }
        None => Sides::Changes(
            words,
            vec![(
                "what was applied last is not known",
                Seen::Note(line![Tone::Quiet; "both sides have changed since"]),
            )],
        ),
    }
}

const CHANGED_ON_BOTH: &str = "conflict: changed in Git and on the service";
const CHANGED_DURING_AN_APPLY: &str = "conflict: changed on the service before an apply was finished";

/// One slot that changes hands.
fn slot(slot: &SlotChange) -> Move {
    let SlotChange { number, direction, from, to, cause, follows: _, risk } = slot;
    Move {
        mark: words::mark(*cause, risk.as_ref()),
        number: Theirs::code(number.as_str()),
        direction: words::direction(*direction),
        from: words::holder(Tone::Quiet, from),
        to: words::slot_target(to),
        remark: match cause {
            Cause::Conflict => Some(line![Tone::Danger; "conflict"]),
            Cause::Drift if risk.is_some() || *to == SlotTarget::Empty => {
                Some(line![Tone::Changed; "changed on the service"])
            }
            Cause::Pending | Cause::Rollback | Cause::Drift => None,
        },
        notes: risk.as_ref().map(words::look_twice).into_iter().collect(),
    }
}

/// What stays as it is on the service.
fn kept(start: Line, kept: &[KeptEdit]) -> Option<Line> {
    if kept.is_empty() {
        return None;
    }
    let count =
        Count(kept.len(), "live edit that Git does not declare stays", "live edits that Git does not declare stay");
    Some(start.and(line![Tone::Quiet; count, ": "]).and(words::kept_paths(kept)))
}

fn notes(plan: &Plan) -> Vec<Note> {
    let left_alone = plan.unchanged.iter().filter_map(|entry| {
        kept(words::agent(Tone::Quiet, &entry.key).with(Tone::Quiet, " is unchanged; "), &entry.kept).map(words::quiet)
    });
    let orphans = plan.orphans.iter().map(orphan);
    let unmanaged = (!plan.unmanaged.is_empty()).then(|| {
        let count = Count(plan.unmanaged.len(), "agent is", "agents are");
        words::quiet(line![Tone::Quiet; count, " not managed by this project."])
    });
    let notices = plan.notices.iter().map(words::notice);
    let breaches = plan.breaches.iter().map(|breach| Note {
        lead: "Limit: ",
        tone: Tone::Danger,
        what: line![Tone::Plain; Theirs::sentence(breach.message.as_str()), ". To allow it for one run: ",
            Theirs::code(breach.flag.as_str())],
    });
    left_alone.chain(orphans).chain(unmanaged).chain(notices).chain(breaches).collect()
}

fn orphan(orphan: &Orphan) -> Note {
    let Orphan { key, agent_id, name, protect, kept_because } = orphan;
    let name = Theirs::words(format!("\"{name}\""));
    let start = words::agent(Tone::Plain, key)
        .and(line![Tone::Plain; " ", name, " (", Theirs::id(agent_id), ") has no manifest; "]);
    let fate = match (kept_because, protect) {
        (Some(why), _) => line![Tone::Plain; "--prune would keep it: ", Theirs::sentence(why.as_str())],
        (None, true) => line![Tone::Plain; "protected"],
        (None, false) => line![Tone::Plain; "--prune deletes it"],
    };
    Note { lead: "Orphan: ", tone: Tone::Changed, what: start.and(fate).with(Tone::Plain, ".") }
}

/// The last lines of every plan: the totals, drift and conflicts where there are any, and the hash.
pub(in crate::render) fn totals(plan: &Plan) -> Vec<Total> {
    use crate::render::words::{conflict_line, drift_line, plan_line};
    let summary = plan.summary();
    let total = |tone, what: String| Total { tone, what: line![tone; Theirs::words(what)] };
    let mut lines = vec![total(Tone::Strong, plan_line(&summary))];
    lines.extend(drift_line(&summary).map(|what| total(Tone::Changed, what)));
    lines.extend(conflict_line(&summary).map(|what| total(Tone::Danger, what)));
    let errors = plan.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    if errors > 0 {
        let count = Count(errors, "problem", "problems");
        let what = line![Tone::Danger; "Errors: ", count, "; the plan cannot be applied."];
        lines.push(Total { tone: Tone::Danger, what });
    }
    let hash = line![Tone::Quiet; "Plan hash ", Theirs::code(plan.plan_hash.as_str())];
    lines.push(Total { tone: Tone::Quiet, what: hash });
    lines
}
