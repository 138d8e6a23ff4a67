//! Characters that act without being seen: made visible, so that remote text cannot move a cursor, reverse a line or
//! hide an instruction from a reviewer.

use std::fmt::Write as _;

pub use crate::model::unseen::{is_hidden, is_joiner, is_unseen};

use crate::model::unseen::marked;

/// The text on one line, with every hidden character shown: `⏎`, `⇥`, `␛`, `<U+202E>`.
pub fn one_line(text: &str) -> String {
    show(text, false, false)
}

/// The text on one line with every character shown that is not seen, joiners too: for places that are read in passing and
/// compared by eye, beside code. An emoji may come apart there, and no two names look the same that are not.
pub fn bare(text: &str) -> String {
    show(text, false, true)
}

/// The text with its line feeds as they are and every other hidden character shown.
pub fn lines(text: &str) -> String {
    show(text, true, false)
}

fn show(text: &str, keep_line_feeds: bool, all: bool) -> String {
    if !text.chars().any(is_unseen) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (c, hidden) in marked(text) {
        if c == '\n' && keep_line_feeds {
            out.push(c);
        } else if hidden || (all && is_unseen(c)) {
            push_hidden(&mut out, c);
        } else {
            out.push(c);
        }
    }
    out
}

/// A blank text as glyphs: `␠`, `⇥`, `⏎`, `⍽` for a space that does not break, `<U+2009>` for the rest.
pub fn blanks(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for c in text.chars() {
        match c {
            ' ' => out.push('␠'),
            '\u{A0}' => out.push('⍽'),
            c if c.is_whitespace() || is_unseen(c) => push_hidden(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

fn push_hidden(out: &mut String, c: char) {
    match c {
        '\n' => out.push('⏎'),
        '\t' => out.push('⇥'),
        '\u{7F}' => out.push('␡'),
        // The control pictures stand in the order of the controls.
        '\0'..='\u{1F}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{FFFD}')),
        other => {
            // Writing to a String cannot fail.
            let _written = write!(out, "<U+{:04X}>", u32::from(other));
        }
    }
}

/// JSON whose hidden characters stand as `\u` escapes: the same document, safe to print.
pub fn json(text: &str) -> String {
    let hidden = |c: char| is_hidden(c) && c != '\n';
    if !text.chars().any(hidden) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _written = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_shown_and_emoji_survive() {
        assert_eq!(one_line("a\u{1b}[31mb\n\tc\u{202E}d"), "a␛[31mb⏎⇥c<U+202E>d");
        assert_eq!(lines("a\r\nb"), "a␍\nb");
        assert_eq!(one_line("👩\u{200D}⚕\u{FE0F} ok"), "👩\u{200D}⚕\u{FE0F} ok");
        assert_eq!(one_line("x\u{E0041}"), "x<U+E0041>");
        assert_eq!(bare("a\u{200D}b\u{FE0F}c\u{202E}\n"), "a<U+200D>b<U+FE0F>c<U+202E>⏎");
    }

    #[test]
    fn json_stays_the_same_document() {
        let value = serde_json::json!({"a": "\u{202E}\u{1b}\u{E0041}\u{7f}\n"});
        let text = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.chars().any(|c| is_hidden(c) && c != '\n'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn blanks_have_glyphs() {
        assert_eq!(blanks(" \t\n\u{A0}\u{2009}"), "␠⇥⏎⍽<U+2009>");
    }
}
