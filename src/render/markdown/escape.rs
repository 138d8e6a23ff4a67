//! The only ways in which a text from outside gets into Markdown: as code, as escaped HTML, as a link that was checked.

use super::autolinks;
use crate::render::put::put;
use crate::render::visible;

/// Inline code that holds any text, on one line. In a table, a pipe or a backslash would need an escape that differs
/// between renderers, so such a text goes as HTML with every mark as an entity.
pub(super) fn code(text: &str) -> String {
    let text = visible::one_line(text);
    if text.trim().is_empty() {
        return if text.is_empty() { "(empty)".to_owned() } else { format!("`{}`", visible::blanks(&text)) };
    }
    if text.contains(['|', '`', '\\']) {
        return format!("<code>{}</code>", entities(&text));
    }
    // A code span loses one blank on each side where both are there, so it is given one to lose.
    let padding = if text.starts_with(' ') && text.ends_with(' ') { " " } else { "" };
    format!("`{padding}{text}{padding}`")
}

/// Every character that Markdown or HTML could read as theirs, as a numeric entity. Markdown looks for addresses inside
/// of HTML too, so a break that is never taken stands in them; unlike a joiner it is not copied with the text.
fn entities(text: &str) -> String {
    let breaks = autolinks::of_addresses(text);
    let mut out = String::with_capacity(text.len() * 2);
    for (at, c) in text.char_indices() {
        if breaks.contains(&at) {
            out.push_str("<wbr>");
        }
        if c.is_ascii_punctuation() {
            put(&mut out, format_args!("&#{};", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

pub(super) use crate::render::html::escape::text as html;

/// Code inside an HTML element, where Markdown is not read.
pub(super) fn html_code(text: &str) -> String {
    format!("<code>{}</code>", html(&visible::one_line(text)))
}

/// Words that are nothing but words.
pub(super) fn words(text: &str) -> String {
    let text = visible::one_line(text.trim());
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    guarded(&text, |text| text.split('`').map(quiet).collect::<Vec<_>>().join("&#96;"))
}

/// A sentence inside an HTML element, where Markdown is not read and a forge still looks for mentions.
pub(super) fn html_sentence(text: &str) -> String {
    phrase(&visible::one_line(text.trim()), html_code)
}

/// A sentence of ours that may quote others. What stands between backticks was meant as code by who wrote it, where the
/// backticks come in pairs; all else is text that links and mentions nobody.
pub(super) fn sentence(text: &str) -> String {
    let text = visible::one_line(text.trim());
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    guarded(&text, |text| phrase(text, code))
}

/// A text that may stand at the start of a line, where some characters make a list, a heading or a rule.
fn guarded(text: &str, inside: impl Fn(&str) -> String) -> String {
    let after_digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_item = after_digits.len() < text.len() && after_digits.starts_with(['.', ')']);
    match text.chars().next() {
        Some(first) if is_item || matches!(first, '-' | '+' | '=') => {
            format!("&#{};{}", u32::from(first), inside(text.get(1..).unwrap_or("")))
        }
        _ => inside(text),
    }
}

/// The inside of a sentence.
fn phrase(text: &str, code: fn(&str) -> String) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    // Pairs of backticks make an odd number of pieces, and a pair around nothing makes no code.
    let in_pairs = pieces.len() % 2 == 1 && pieces.iter().skip(1).step_by(2).all(|piece| !piece.is_empty());
    if !in_pairs {
        return pieces.iter().map(|piece| quiet(piece)).collect::<Vec<_>>().join("&#96;");
    }
    pieces.iter().enumerate().map(|(index, piece)| if index % 2 == 1 { code(piece) } else { quiet(piece) }).collect()
}

/// Plain words with the marks of Markdown as entities. A joiner of no width stands inside of every mention, reference and
/// address, so that no forge links them.
fn quiet(text: &str) -> String {
    let mut breaks = autolinks::of_addresses(text);
    breaks.extend(autolinks::of_references(text));
    let mut out = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        if breaks.contains(&at) {
            out.push_str("&#8288;");
        }
        match c {
            '\\' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '(' | ')' | '!' | '|' | '~' | '&' | '$' | '@'
            | '#' => {
                put(&mut out, format_args!("&#{};", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

/// Longest address that is made a link. That of a CI run has some 100 characters.
const LONGEST_ADDRESS: usize = 512;

/// A link of ours; nothing where the address is not plain `http` or `https`, or longer than any that we know.
pub(super) fn link(title: &str, url: &str) -> Option<String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$&*+,;=%".contains(c);
    let known = url.starts_with("https://") || url.starts_with("http://");
    (known && url.len() <= LONGEST_ADDRESS && url.chars().all(good)).then(|| format!("[{title}]({url})"))
}

/// Longest value of a marker: a hash has 71 characters.
const LONGEST_MARKER_VALUE: usize = 128;

/// A value of a hidden marker. `-->` in one would end the comment, so little is allowed.
pub(super) fn marker_value(text: &str) -> String {
    let kept: String =
        text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '/' | '-')).collect();
    kept.replace("--", "-").chars().take(LONGEST_MARKER_VALUE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_holds_anything_on_one_line() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a|b"), "<code>a&#124;b</code>");
        assert_eq!(code("```x"), "<code>&#96;&#96;&#96;x</code>");
        assert_eq!(code("a\nb"), "`a⏎b`");
        assert_eq!(code("  "), "`␠␠`");
        assert_eq!(code(" a "), "`  a  `");
        assert_eq!(code(""), "(empty)");
        assert_eq!(code("|a@b.example"), "<code>&#124;a&#64;<wbr>b&#46;example</code>");
    }

    #[test]
    fn a_sentence_links_and_mentions_nobody() {
        assert_eq!(sentence("use `--prune`"), "use `--prune`");
        assert_eq!(sentence("ask @org/team about #1"), "ask &#64;&#8288;org/team about &#35;&#8288;1");
        assert_eq!(sentence("see https://evil.example"), "see https:&#8288;//evil.example");
        assert_eq!(sentence("a ` b <!-- c"), "a &#96; b &#60;&#33;-- c");
        assert_eq!(sentence(" - x"), "&#45; x");
        assert_eq!(sentence("1. x"), "&#49;. x");
        assert_eq!(sentence("1 agent"), "1 agent");
        assert_eq!(sentence(" \n"), "(empty)");
    }

    #[test]
    fn only_plain_addresses_become_links() {
        assert_eq!(link("run", "https://x.test/a?b=c").unwrap(), "[run](https://x.test/a?b=c)");
        assert_eq!(link("run", "javascript:alert(1)"), None);
        assert_eq!(link("run", "https://x.test/) @all"), None);
        assert_eq!(link("run", &format!("https://x.test/{}", "a".repeat(600))), None);
    }

    #[test]
    fn a_marker_value_cannot_end_the_marker() {
        assert_eq!(marker_value("a-->b \n<c=d"), "a-bcd");
    }
}
