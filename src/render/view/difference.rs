//! The account of two states of the manifests. The service was not asked.

use super::account::{Account, Block, Fact, Mark, Move, Note, Row, RowMark, Total};
use super::piece::{Line, Sign, Theirs, Tone, line};
use super::seen::seen;
use super::shared::{Candidate, Part, Shared, Sharing};
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
    let candidates: Vec<Candidate<'_>> = manifests.iter().map(candidate).collect();
    let sharing = Sharing::of(&candidates);
    let mut shown = Vec::new();
    let mut blocks: Vec<Block> = shared.collect();
    for (at, each) in manifests.iter().enumerate() {
        let Part { own, elsewhere, groups } = sharing.part(at, &each.fields, &mut shown);
        blocks.extend(groups.into_iter().map(|group| shared_block(group, manifests)));
        let shares_program = programs.iter().any(|(keys, _)| keys.contains(&&each.key));
        let says_more = !own.is_empty()
            || each.fate != Fate::Changed
            || each.moved_from.is_some()
            || (each.verify.is_some() && !shares_program);
        if says_more || (elsewhere == 0 && !shares_program) {
            blocks.push(manifest(each, &own, elsewhere, shares_program));
        }
    }
    Account {
        facts: vec![Fact { name: "Between", what: states.and(now) }, Fact { name: "For", what: target }],
        alarms: words::alarms(
            manifests.iter().filter_map(|manifest| Some((&manifest.key, manifest.verify.as_ref()?))),
            alarms_of_difference(difference),
        ),
        blocks,
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

fn candidate(manifest: &ManifestDifference) -> Candidate<'_> {
    Candidate { fields: &manifest.fields, is_new: manifest.fate == Fate::Added, stands_alone: false }
}

fn shared_block(group: &Shared<'_>, manifests: &[ManifestDifference]) -> Block {
    let rows = group.fields.iter().map(|field| (field.path.clone(), row(field, group.is_new)));
    let (tone, fate) = if group.is_new { (Tone::Added, Fate::Added) } else { (Tone::Changed, Fate::Changed) };
    let keys = group.agents.iter().filter_map(|at| manifests.get(*at)).map(|manifest| &manifest.key);
    Block {
        origin: group.origin.map(Theirs::spot),
        reach: keys.map(|key| words::agent(Tone::Plain, key)).collect(),
        rows: if group.is_new { nest(rows.collect()) } else { rows.map(|(_, row)| row).collect() },
        ..words::shared(group.agents.len(), group.is_new, Mark { sign: line![tone; fate.symbol()], tone })
    }
}

fn manifest(manifest: &ManifestDifference, own: &[&FieldChange], elsewhere: usize, shares_program: bool) -> Block {
    let ManifestDifference { key, name, fate, moved_from, origin, fields: _, verify } = manifest;
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
    let rows: Vec<(FieldPath, Row)> = own.iter().map(|field| (field.path.clone(), row(field, is_new))).collect();
    let mut remarks: Vec<Line> = (elsewhere > 0).then(|| words::elsewhere(elsewhere)).into_iter().collect();
    remarks.extend(verify.as_ref().filter(|_| shares_program).map(words::program_elsewhere));
    Block {
        key: Some(key.clone()),
        title: words::agent(Tone::Strong, key),
        state: line![tone; what],
        origin: Some(Theirs::spot(origin)),
        notes,
        program: verify.as_ref().filter(|_| !shares_program).map(words::program),
        remarks,
        rows: if is_new { nest(rows) } else { rows.into_iter().map(|(_, row)| row).collect() },
        is_risky: verify.is_some() || *fate == Fate::Removed,
        ..Block::new(Mark { sign: line![tone; fate.symbol()], tone })
    }
}

fn row(field: &FieldChange, is_new: bool) -> Row {
    let mut row = Row::of(seen(&field.before, &field.after, is_new && field.before == Shown::Absent)).at(&field.path);
    row.notes.extend(words::secrets(field));
    row
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
