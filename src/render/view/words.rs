//! What plans, checks, differences and reports say alike, as lines.

use super::account::{Alarm, Block, Fact, Mark, Note, Program, RowMark};
use super::piece::{Count, Line, Sign, Theirs, Tone, line};
use crate::model::{Address, Direction, Editor, Key};
use crate::plan;
use crate::plan::{
    Action, Cause, FieldChange, KeptEdit, NamedSecret, Notice, Risk, SlotHolder, SlotTarget, Source, Target,
    VerifyChange,
};
use crate::render::drift::moment;
use crate::render::verify;
use crate::render::words::alarm_lines;

/// How many paths of live edits are named on a line.
const KEPT_SHOWN: usize = 3;
/// Characters of a commit that tell it from others.
const SHORT_COMMIT: usize = 12;

/// `agent.<key>`.
pub(super) fn agent(tone: Tone, key: &Key) -> Line {
    line![tone; Theirs::code(Address(key.clone()).to_string())]
}

/// Where it is.
pub(super) fn target(target: &Target) -> Fact {
    let Target { host, declared_organization, organization, environment, project } = target;
    let mut parts = vec![line![Tone::Plain; Theirs::words(host.as_str())]];
    match (organization, declared_organization) {
        (Some(found), _) => parts.push(line![Tone::Plain; "organization ", Theirs::words(found.as_str())]),
        (None, Some(declared)) => {
            parts.push(line![Tone::Plain; "organization ", Theirs::words(declared.as_str()), " (not checked)"]);
        }
        (None, None) => {}
    }
    parts.push(line![Tone::Plain; "environment ", Theirs::words(environment.as_str())]);
    parts.push(line![Tone::Plain; "project ", Theirs::words(project.as_str())]);
    Fact { name: "Target", what: dotted(parts) }
}

/// Parts with a dot between each two.
pub(super) fn dotted(parts: Vec<Line>) -> Line {
    let mut out = Line::default();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            out = out.and(line![Tone::Plain; " ", Sign::Dot, " "]);
        }
        out = out.and(part);
    }
    out
}

/// A commit, and whether files differ from it.
pub(super) fn source(source: &Source) -> Option<Line> {
    let commit = line![Tone::Plain; short(source.commit.as_ref()?)];
    Some(if source.dirty { commit.with(Tone::Plain, " (with changes that are not committed)") } else { commit })
}

/// The first characters of a commit.
pub(super) fn short(commit: &str) -> Theirs {
    Theirs::code(commit.chars().take(SHORT_COMMIT).collect::<String>())
}

/// Who holds a slot.
pub(super) fn holder(tone: Tone, holder: &SlotHolder) -> Line {
    match holder {
        SlotHolder::Empty => line![tone; "(empty)"],
        SlotHolder::Agent { agent_id: _, name: _, key: Some(key), version } => {
            agent(tone, key).and(line![tone; " v", *version])
        }
        SlotHolder::Agent { agent_id, name, key: None, version } => {
            let name = Theirs::words(format!("\"{name}\""));
            line![tone; name, " (", Theirs::id(agent_id), ", not managed) v", *version]
        }
        SlotHolder::Unknown { version_id } => {
            line![tone; "an unknown agent (version id ", Theirs::id(version_id), ")"]
        }
    }
}

/// Who will hold a slot. A number that reaches nobody is no gain.
pub(super) fn slot_target(target: &SlotTarget) -> Line {
    match target {
        SlotTarget::Empty => line![Tone::Danger; "(empty)"],
        SlotTarget::NewVersion { key } => agent(Tone::Added, key).with(Tone::Added, ", new version"),
        SlotTarget::Version { key, version } => agent(Tone::Added, key).and(line![Tone::Added; " v", *version]),
    }
}

pub(super) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}

/// The mark of a change. The one place that decides what is looked at twice.
pub(super) fn mark(cause: Cause, risk: Option<&Risk>) -> RowMark {
    match (cause, risk) {
        (Cause::Conflict, _) | (_, Some(_)) => RowMark::Look,
        (Cause::Drift, None) => RowMark::Drift,
        (Cause::Pending | Cause::Rollback, None) => RowMark::None,
    }
}

/// Why to look twice.
pub(super) fn look_twice(risk: &Risk) -> Line {
    line![Tone::Danger; "look twice: ", Theirs::sentence(risk.0.as_str())]
}

/// Which secrets a value has from now on, by name: `!secret CRM_KEY → !secret STRIPE_LIVE_KEY`.
pub(super) fn secrets(field: &FieldChange) -> impl Iterator<Item = Line> + '_ {
    let name = |tone, name: &str| line![tone; Theirs::code(name)];
    field.secrets.iter().filter_map(move |NamedSecret { path, before, after }| {
        let what = match (before, after) {
            (Some(before), Some(after)) => {
                name(Tone::Removed, before).and(line![Tone::Plain; " ", Sign::Arrow, " "]).and(name(Tone::Added, after))
            }
            (None, Some(after)) => line![Tone::Plain; "now declared as "].and(name(Tone::Added, after)),
            (Some(before), None) => line![Tone::Plain; "no longer "].and(name(Tone::Removed, before)),
            (None, None) => return None,
        };
        let place = (*path != field.path).then(|| line![Tone::Plain; Theirs::code(path.to_string()), ": "]);
        Some(place.unwrap_or_default().and(what))
    })
}

/// A moment to the minute; one that does not read as a moment as it is.
fn minute(at: &str) -> String {
    at.parse().map_or_else(|_| at.to_owned(), moment)
}

/// Who made the live version, as far as the service tells: `by jo@example.com in version 12 at …`; empty where it does
/// not.
pub(super) fn editor(tone: Tone, editor: &Editor) -> Line {
    let Editor { by, at, version } = editor;
    let parts = [
        by.as_ref().map(|by| line![tone; "by ", Theirs::words(by.as_str())]),
        version.map(|version| line![tone; "in version ", version]),
        at.as_ref().map(|at| line![tone; "at ", Theirs::words(minute(at))]),
    ];
    Line::joined(parts.into_iter().flatten(), " ")
}

/// The first paths of live edits that no manifest names.
pub(super) fn kept_paths(kept: &[KeptEdit]) -> Line {
    let paths = kept.iter().take(KEPT_SHOWN).map(|edit| line![Tone::Quiet; Theirs::code(edit.path.to_string())]);
    let more = kept.len().saturating_sub(KEPT_SHOWN);
    let more = (more > 0).then(|| line![Tone::Quiet; more, " more"]);
    Line::joined(paths.chain(more), ", ")
}

/// A sentence about an agent or about all.
pub(super) fn about(address: Option<&Address>, what: Line) -> Line {
    match address {
        Some(address) => line![Tone::Plain; Theirs::code(address.to_string()), ": "].and(what),
        None => what,
    }
}

pub(super) fn notice(notice: &Notice) -> Note {
    let message = line![Tone::Plain; Theirs::sentence(notice.message.as_str())];
    Note { lead: "Note: ", tone: Tone::Changed, what: about(notice.address.as_ref(), message) }
}

/// A quiet line without a lead.
pub(super) fn quiet(what: Line) -> Note {
    Note { lead: "", tone: Tone::Quiet, what }
}

/// Programs that `apply` runs, each once with all agents it is about, and what else must not be overlooked.
pub(super) fn alarms<'p>(
    programs: impl IntoIterator<Item = (&'p Key, &'p VerifyChange)>,
    found: Vec<plan::Alarm>,
) -> Vec<Alarm> {
    let programs = verify::groups(programs).into_iter().map(|(keys, becomes)| Alarm {
        what: line![Tone::Plain; Theirs::sentence("`verify`"), " ", verify::fate(becomes), ": ",
            Theirs::sentence(becomes.risk())],
        agents: keys.into_iter().map(|key| Theirs::code(Address(key.clone()).to_string())).collect(),
    });
    let found = alarm_lines(found).into_iter().map(|(agents, path, message)| {
        let place = path.map(|path| line![Tone::Plain; " (", Theirs::code(path), ")"]);
        let agents = agents.into_iter().map(Theirs::code).collect();
        Alarm { agents, what: line![Tone::Plain; Theirs::sentence(message)].and(place.unwrap_or_default()) }
    });
    programs.chain(found).collect()
}

/// The head of a block of what several agents have in common.
pub(super) fn shared(agents: usize, is_new: bool, mark: Mark) -> Block {
    let what = if is_new { "have the same values" } else { "the same change" };
    Block { title: line![Tone::Strong; agents_counted(agents)], state: line![mark.tone; what], ..Block::new(mark) }
}

/// What stands in the block of an agent of which some values are in a block that it shares with others.
pub(super) fn elsewhere(count: usize) -> Line {
    let count = Count(count, "more value is", "more values are");
    line![Tone::Quiet; count, " the same on other agents: shown once, with the names of all"]
}

/// A program that several agents get, as one block with their names: it is read once.
pub(super) fn shared_program(reach: Vec<Line>, change: &VerifyChange) -> Block {
    Block {
        title: line![Tone::Strong; agents_counted(reach.len())],
        state: line![Tone::Changed; "the same ", Theirs::sentence("`verify`")],
        reach,
        program: Some(program(change)),
        is_risky: true,
        ..Block::new(Mark { sign: line![Tone::Changed; Action::Update.symbol()], tone: Tone::Changed })
    }
}

/// What stands in the block of an agent whose program is in a block that it shares with others.
pub(super) fn program_elsewhere(change: &VerifyChange) -> Line {
    line![Tone::Quiet; Theirs::sentence("`verify`"), " ", verify::fate(change), ": shown once, with the names of all agents"]
}

/// What runs before a version is published.
pub(super) fn program(change: &VerifyChange) -> Program {
    Program { fate: verify::fate(change), rows: verify::arguments(change), risk: change.risk() }
}

/// `1 agent`, `10 agents`.
pub(super) fn agents_counted(count: usize) -> Count {
    Count(count, "agent", "agents")
}
