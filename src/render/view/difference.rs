//! The account of two states of the manifests. The service was not asked.

use super::account::{Account, Block, Fact, Mark, Move, Note, Row, RowMark, Total};
use super::piece::{Line, Sign, Theirs, Tone, line};
use super::seen::seen;
use super::tree::nest;
use super::words;
use crate::model::{FieldPath, Key};
use crate::plan::difference::{ClaimDifference, Difference, Fate, ManifestDifference};
use crate::plan::{FieldChange, Shown, alarms_of_difference};
use crate::render::{verify, words as said};

/// The account of a difference.
pub fn difference(difference: &Difference) -> Account {
    let Difference { project, environment, base, head, manifests, numbers, same: _, notices } = difference;
    let now = words::source(head).unwrap_or_else(|| line![Tone::Plain; "the files as they are"]);
    let states =
        line![Tone::Plain; Theirs::words(base.name.as_str()), " (", words::short(&base.commit), ") ", Sign::Arrow, " "];
    let target = line![Tone::Plain; "environment ", Theirs::words(environment.as_str()), " ", Sign::Dot, " project ",
        Theirs::words(project.as_str())];
    let notices = notices.iter().map(|notice| Note {
        lead: "Note: ",
        tone: Tone::Changed,
        what: line![Tone::Plain; Theirs::sentence(notice.as_str())],
    });
    let programs =
        verify::groups(manifests.iter().filter_map(|manifest| Some((&manifest.key, manifest.verify.as_ref()?))));
    let programs: Vec<_> = programs.into_iter().filter(|(keys, _)| keys.len() > 1).collect();
    let shared = programs.iter().map(|(keys, becomes)| {
        words::shared_program(keys.iter().map(|key| words::agent(Tone::Plain, key)).collect(), becomes)
    });
    let own = manifests.iter().map(|each| manifest(each, programs.iter().any(|(keys, _)| keys.contains(&&each.key))));
    Account {
        facts: vec![Fact { name: "Between", what: states.and(now) }, Fact { name: "For", what: target }],
        alarms: words::alarms(
            manifests.iter().filter_map(|manifest| Some((&manifest.key, manifest.verify.as_ref()?))),
            alarms_of_difference(difference),
        ),
        blocks: shared.chain(own).collect(),
        numbers: numbers.iter().map(claim).collect(),
        nothing: difference.is_empty().then_some("No difference. Both states of the files want the same."),
        notes: notices.chain([words::quiet(line![Tone::Quiet; said::OFFLINE])]).collect(),
        totals: vec![Total {
            tone: Tone::Strong,
            what: line![Tone::Strong; Theirs::words(said::difference_line(difference))],
        }],
        ..Account::default()
    }
}

fn manifest(manifest: &ManifestDifference, shares_program: bool) -> Block {
    let ManifestDifference { key, name, fate, moved_from, origin, fields, verify } = manifest;
    let (tone, what) = match fate {
        Fate::Added => (Tone::Added, "is new"),
        Fate::Changed => (Tone::Changed, "changes"),
        Fate::Removed => (Tone::Danger, "is REMOVED"),
    };
    let mut notes = Vec::new();
    if *fate != Fate::Changed {
        notes.push(line![Tone::Quiet; Theirs::words(format!("\"{name}\""))]);
    }
    if let Some(old) = moved_from {
        notes.push(line![Tone::Quiet; "was "].and(words::agent(Tone::Quiet, old)).with(Tone::Quiet, " until now"));
    }
    let is_new = *fate == Fate::Added;
    let rows: Vec<(FieldPath, Row)> = fields.iter().map(|field| (field.path.clone(), row(field, is_new))).collect();
    Block {
        key: Some(key.clone()),
        title: words::agent(Tone::Strong, key),
        state: line![tone; what],
        origin: Some(Theirs::spot(origin)),
        notes,
        program: verify.as_ref().filter(|_| !shares_program).map(words::program),
        remarks: verify.as_ref().filter(|_| shares_program).map(words::program_elsewhere).into_iter().collect(),
        rows: if is_new { nest(rows) } else { rows.into_iter().map(|(_, row)| row).collect() },
        is_risky: verify.is_some() || *fate == Fate::Removed,
        ..Block::new(Mark { sign: line![tone; fate.symbol()], tone })
    }
}

fn row(field: &FieldChange, is_new: bool) -> Row {
    Row::of(seen(&field.before, &field.after, is_new && field.before == Shown::Absent)).at(&field.path)
}

fn claim(claim: &ClaimDifference) -> Move {
    let ClaimDifference { number, direction, from, to } = claim;
    let name = |tone, key: &Option<Key>| -> Line {
        key.as_ref().map_or_else(|| line![tone; "(no manifest)"], |key| words::agent(tone, key))
    };
    Move {
        mark: RowMark::None,
        number: Theirs::code(number.as_str()),
        direction: words::direction(*direction),
        from: name(Tone::Quiet, from),
        to: name(if to.is_some() { Tone::Added } else { Tone::Danger }, to),
        remark: None,
        notes: Vec::new(),
    }
}
