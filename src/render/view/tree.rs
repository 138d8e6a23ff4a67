//! Values by the objects that they stand in: what sixty rows have in common is said once.

use super::account::{Row, Seen};
use crate::model::FieldPath;

/// Objects inside objects that have a row of their own; deeper ones stand by their whole path. A plan file may be nested
/// as deep as it is long.
const DEEPEST: usize = 12;

/// Rows below the objects that hold two of them or more, in the order in which each object is met first.
pub(super) fn nest(rows: Vec<(FieldPath, Row)>) -> Vec<Row> {
    level(rows, DEEPEST)
}

fn level(rows: Vec<(FieldPath, Row)>, depth: usize) -> Vec<Row> {
    let mut groups: Vec<Vec<(FieldPath, Row)>> = Vec::new();
    for (path, row) in rows {
        let first = path.steps().first();
        let is_alike = |group: &&mut Vec<(FieldPath, Row)>| {
            first.is_some() && group.first().is_some_and(|(known, _)| known.steps().first() == first)
        };
        match groups.iter_mut().rev().find(is_alike) {
            Some(group) => group.push((path, row)),
            None => groups.push(vec![(path, row)]),
        }
    }
    groups.into_iter().flat_map(|group| gather(group, depth)).collect()
}

/// One row for all of a group, or each by itself where they share no object.
fn gather(group: Vec<(FieldPath, Row)>, depth: usize) -> Vec<Row> {
    let shared = shared_steps(&group);
    if group.len() < 2 || shared == 0 || depth == 0 {
        return group.into_iter().map(|(path, row)| row.at(&path)).collect();
    }
    let Some(prefix) = group.first().map(|(path, _)| FieldPath::of(path.steps().iter().take(shared).cloned())) else {
        return Vec::new();
    };
    let inner =
        group.into_iter().map(|(path, row)| (FieldPath::of(path.steps().iter().skip(shared).cloned()), row)).collect();
    vec![Row::of(Seen::Tree(level(inner, depth - 1))).at(&prefix)]
}

/// How many steps all paths have in common, at least one of each left over.
fn shared_steps(group: &[(FieldPath, Row)]) -> usize {
    let Some((first, _)) = group.first() else { return 0 };
    let common = |path: &FieldPath| path.steps().iter().zip(first.steps()).take_while(|(a, b)| a == b).count();
    group.iter().map(|(path, _)| common(path).min(path.steps().len().saturating_sub(1))).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::view::piece::{Look, Medium, Tone, line};

    struct Bare;

    impl Medium for Bare {
        fn theirs(&self, text: &str, _: Look) -> String {
            text.to_owned()
        }
    }

    fn told(rows: &[Row]) -> String {
        let one = |row: &Row| match &row.seen {
            Seen::Tree(rows) => format!("{}({})", row.path.through(&Bare), told(rows)),
            _ => row.path.through(&Bare),
        };
        rows.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_paths_have_in_common_is_said_once() {
        let paths = ["/name", "/config/agent/type", "/config/agent/stack/llm/model", "/config/agent/stack/tts", "/x/y"];
        let row = |path: &&str| (FieldPath::parse(path).unwrap(), Row::of(Seen::Note(line![Tone::Plain; "x"])));
        let rows = nest(paths.iter().map(row).collect());
        assert_eq!(told(&rows), "/name /config/agent(/type /stack(/llm/model /tts)) /x/y");
    }
}
