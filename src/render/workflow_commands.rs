//! The commands that a GitHub runner reads in the output of a step: written where they are meant, inert everywhere else.
//!
//! The runner parses every line of stdout *and* stderr. A line is a command if, blanks at its start aside, it begins with
//! `::name …::`, or if `##[name …]` stands *anywhere* in it. Prompts are user text, so a line of one could mask words,
//! set variables or forge errors. A `::stop-commands::` fence around the output does not help: the runner reads the two
//! streams side by side with one state for both, so the fence that ends on one stream opens the other. Each line is
//! made inert by itself instead, which needs no order: a backslash is put where a command would begin.

use std::borrow::Cow;

use super::visible;

/// The start of a line that is a command.
const LINE_COMMAND: &str = "::";
/// The start of a command anywhere in a line.
const INNER_COMMAND: &str = "##[";
/// The same text to a reader, and no command to a runner.
const INNER_INERT: &str = "##\\[";
/// The same text inside a JSON string.
const INNER_JSON: &str = "##\\u005b";

/// The text with no line that a runner would carry out. Text without such a line is handed back as it is.
pub fn inert(text: &str) -> Cow<'_, str> {
    if !text.contains(LINE_COMMAND) && !text.contains(INNER_COMMAND) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    // The runner's lines end at a carriage return as well.
    for line in text.split_inclusive(['\n', '\r']) {
        let start = command_start(line);
        let (blanks, rest) = line.split_at(start);
        out.push_str(blanks);
        if rest.starts_with(LINE_COMMAND) {
            out.push('\\');
        }
        out.push_str(&rest.replace(INNER_COMMAND, INNER_INERT));
    }
    Cow::Owned(out)
}

/// A JSON document with nothing that a runner would carry out: the same document. Its lines begin with JSON's own marks,
/// so only what stands inside its texts can be a command.
pub fn inert_json(document: &str) -> Cow<'_, str> {
    if document.contains(INNER_COMMAND) {
        Cow::Owned(document.replace(INNER_COMMAND, INNER_JSON))
    } else {
        Cow::Borrowed(document)
    }
}

/// Where a command would begin: behind blanks, and behind what a comparison of texts by a culture's rules skips.
fn command_start(line: &str) -> usize {
    let is_skipped = |c: char| c.is_whitespace() || visible::is_unseen(c);
    line.find(|c| !is_skipped(c)).unwrap_or(line.len())
}

/// Text as the data of a command, line feeds and all.
pub fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as a property of a command.
pub fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the runner would take this line for a command, by its own two rules.
    fn is_command(line: &str) -> bool {
        let opens = line.trim_start().starts_with("::") && line.trim_start()[2..].contains("::");
        let inner = line.find("##[").is_some_and(|at| line[at..].contains(']'));
        opens || inner
    }

    #[test]
    fn no_line_of_an_inert_text_is_a_command() {
        let text = "a\n::add-mask::x\n  \t::error::y\r\u{A0}\u{3000}::set-output name=a::b\nx ##[add-path]/tmp\n\
                    ##[##[group]\n\u{200D}::debug::z\na ::error::b\n::\n";
        let found = inert(text);
        for line in found.split(['\n', '\r']) {
            assert!(!is_command(line), "{line:?}");
            assert!(
                !line.trim_start_matches(|c: char| c.is_whitespace() || visible::is_joiner(c)).starts_with("::"),
                "{line:?}"
            );
        }
        assert!(found.contains("\\::add-mask::x") && found.contains("a ::error::b"), "{found}");
    }

    #[test]
    fn ordinary_text_is_handed_back_as_it_is() {
        assert!(matches!(inert("+ agent.a\n  path  1 → 2\n"), Cow::Borrowed(_)));
        assert_eq!(inert("use std::fmt\n## [x]"), "use std::fmt\n## [x]");
    }

    #[test]
    fn json_stays_the_same_document() {
        let value = serde_json::json!({"##[a": ["::x::", "##[add-mask]y", "\\##[z"]});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let found = inert_json(&text);
        assert!(!found.contains("##["));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&found).unwrap(), value);
    }

    #[test]
    fn data_and_properties_are_escaped() {
        assert_eq!(data("50% of\r\na: b, c"), "50%25 of%0D%0Aa: b, c");
        assert_eq!(property("a%:b,\nc"), "a%25%3Ab%2C%0Ac");
    }
}
