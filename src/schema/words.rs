//! The wording of faults: values, types and lists as people read them.

use serde_json::Value;

/// How many alternatives a message lists.
const MAX_LISTED: usize = 12;

/// How many characters of a value a message quotes.
const MAX_QUOTED: usize = 60;

/// How many characters of a place in the schema, or of a reference to one, a message shows.
const MAX_PLACE: usize = 200;

/// A value in backticks; only for places that hold no secret.
pub(super) fn quoted(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("`{}`", cut(&line, MAX_QUOTED))
}

/// A place in the schema as people read it: the root has a name, and a place of any depth stays a line.
pub(super) fn place(pointer: &str) -> String {
    reference(&format!("#{pointer}"))
}

/// A reference as a message shows it.
pub(super) fn reference(reference: &str) -> String {
    cut(reference, MAX_PLACE)
}

/// At most so many characters of a text, with a mark where some are left out.
pub(super) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The type of a value, with its article.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// `a, b or c`, cut where it is long.
pub(super) fn listed(items: &[String], last: &str) -> String {
    let (shown, hidden) = items.split_at(items.len().min(MAX_LISTED));
    if !hidden.is_empty() {
        return format!("{} and {} more", shown.join(", "), hidden.len());
    }
    match shown {
        [] => String::new(),
        [only] => only.clone(),
        [init @ .., end] => format!("{} {last} {end}", init.join(", ")),
    }
}

/// The candidate that was probably meant.
pub(super) fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let word = plain(word);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&word, &plain(candidate)), candidate))
        // A third of the letters may be wrong; more is another word.
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(word.chars().count()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Spelling without what people vary: `maxToolSteps` and `max-tool-steps` are `max_tool_steps`.
fn plain(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | '.')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_nearest_word_is_found_across_spellings_and_not_across_meanings() {
        let words = ["max_tool_steps", "message", "text"];
        assert_eq!(nearest("maxToolSteps", words.into_iter()), Some("max_tool_steps"));
        assert_eq!(nearest("mesage", words.into_iter()), Some("message"));
        assert_eq!(nearest("voice", words.into_iter()), None);
        assert_eq!(nearest("d", ["c"].into_iter()), None);
        assert_eq!(nearest("tetx", words.into_iter()), Some("text"));
    }

    #[test]
    fn long_lists_and_long_values_are_cut() {
        let many: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        assert!(listed(&many, "or").ends_with("11 and 8 more"));
        assert_eq!(listed(&many[..3], "or"), "0, 1 or 2");
        assert_eq!(quoted(&json!("x".repeat(100))).chars().count(), MAX_QUOTED + 3);
        assert_eq!(place(&"/é".repeat(MAX_PLACE)).chars().count(), MAX_PLACE + 1);
        assert_eq!((place(""), place("/$defs/a")), ("#".to_owned(), "#/$defs/a".to_owned()));
    }
}
