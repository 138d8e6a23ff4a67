//! Where a text would become a link by itself: what GitHub's Markdown, GitHub and GitLab make one of.
//!
//! An entity hides a mark from Markdown alone. Mentions, references and commits are looked for after it, in the text that a
//! reader sees, so something has to stand between their parts. These functions say where.

use std::collections::BTreeSet;

/// The shortest commit that a forge takes for one, and the longest.
const COMMIT: std::ops::RangeInclusive<usize> = 7..=40;

/// The most digits of a commit that stand together, so that none is left which is one.
const TOGETHER: usize = 6;

/// Marks that refer to something together with what comes behind them: a person, an issue, a merge request, a snippet, a
/// label, a milestone, an epic, an alert, an iteration, and what is named in brackets.
const MARKS: [char; 9] = ['@', '#', '!', '$', '~', '%', '&', '^', '['];

/// Words that refer to something together with a dash and what comes behind it.
const PREFIXES: [&str; 3] = ["GH", "GHSA", "CVE"];

/// Offsets inside of web and mail addresses.
pub(super) fn of_addresses(text: &str) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    found.extend(text.match_indices("://").map(|(at, _)| at + 1));
    let is_mail = |at: &usize| {
        let (before, after) = text.split_at(*at);
        before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '+' | '-' | '_'))
            && after.chars().nth(1).is_some_and(char::is_alphanumeric)
    };
    found.extend(text.match_indices('@').map(|(at, _)| at).filter(is_mail).map(|at| at + 1));
    // Before the dot: what is behind it would be a good name of a host whatever stood there.
    let dots = text.match_indices('.').map(|(at, _)| at);
    found.extend(dots.filter(|at| ends_with(text, *at, "www")));
    found
}

/// Offsets inside of mentions, references and commits.
pub(super) fn of_references(text: &str) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let Some((next, follows)) = characters.peek().copied() else { break };
        let is_name = follows.is_alphanumeric() || matches!(follows, '_' | '"');
        let is_mark = MARKS.contains(&c) || c == '-' && PREFIXES.iter().any(|prefix| ends_with(text, at, prefix));
        if is_mark && is_name {
            found.insert(next);
        }
    }
    for (start, word) in words(text, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        if is_uuid(word) {
            continue;
        }
        for (inner, digits) in words(word, |c| c.is_ascii_alphanumeric() || c == '_') {
            if is_commit(digits) {
                found.extend((TOGETHER..digits.len()).step_by(TOGETHER).map(|at| start + inner + at));
            }
        }
    }
    found
}

/// Whether the word that ends at an offset is this one, in letters of either case.
fn ends_with(text: &str, at: usize, word: &str) -> bool {
    let start = at.checked_sub(word.len());
    start.and_then(|start| text.get(start..at)).is_some_and(|found| found.eq_ignore_ascii_case(word))
}

/// The longest stretches of such characters, with their offsets.
fn words(text: &str, belongs: fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive(move |c| !belongs(c)).filter_map(move |piece| {
        let start = at;
        at += piece.len();
        let word = piece.strip_suffix(|c| !belongs(c)).unwrap_or(piece);
        (!word.is_empty()).then_some((start, word))
    })
}

/// Whether a forge would look for a commit of that name. Short ones of nothing but digits are left: they are numbers, as
/// those of telephones, and are copied.
fn is_commit(word: &str) -> bool {
    COMMIT.contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && (word.len() == *COMMIT.end() || word.bytes().any(|byte| byte.is_ascii_alphabetic()))
}

/// The id of an agent is copied, so nothing may stand in it. It is no commit, though its first part may look like one.
fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with a mark where it is broken.
    fn broken(text: &str) -> String {
        let mut breaks = of_addresses(text);
        breaks.extend(of_references(text));
        let mut out = String::new();
        for (at, c) in text.char_indices() {
            if breaks.contains(&at) {
                out.push('·');
            }
            out.push(c);
        }
        out
    }

    #[test]
    fn everything_that_a_forge_would_link_is_broken() {
        for (text, expected) in [
            ("see https://evil.example", "see https:·//evil.example"),
            ("HTTP://x ftp://x xmpp://x", "HTTP:·//x ftp:·//x xmpp:·//x"),
            ("www.evil.example WwW.x", "www·.evil.example WwW·.x"),
            ("mailto:ann@host.example", "mailto:ann@·host.example"),
            ("@name, @org/team", "@·name, @·org/team"),
            ("#12 owner/repo#12", "#·12 owner/repo#·12"),
            ("GH-12 gh-12 GHSA-abcd CVE-2026-1", "GH-·12 gh-·12 GHSA-·abcd CVE-·2026-1"),
            ("owner/repo@0123abc user@0123abc", "owner/repo@·0123ab·c user@·0123ab·c"),
            ("in a5c3785 now", "in a5c378·5 now"),
            ("a5c3785ed8d6a35868bc169f07e40e889087fd2e", "a5c378·5ed8d6·a35868·bc169f·07e40e·889087·fd2e"),
            ("x-a5c3785-y (a5c3785)", "x-a5c378·5-y (a5c378·5)"),
            ("!12 g/p!12 $12 &12 ~bug %v1 ^alert ~\"a b\"", "!·12 g/p!·12 $·12 &·12 ~·bug %·v1 ^·alert ~·\"a b\""),
            ("[issue:1] [^1]", "[·issue:1] [^·1]"),
            ("é@é www", "é@·é www"),
        ] {
            assert_eq!(broken(text), expected);
        }
        let digits = "1".repeat(40);
        assert_ne!(broken(&digits), digits);
    }

    #[test]
    fn what_is_copied_and_what_is_prose_is_left_whole() {
        for text in [
            "+15551234567 rings 1000000 times",
            "the plan sha256:9b1c4e02f6a17733415d8c0e5a9bd2e74c60fd8812a3b5c7d9e0f1a2b3c4d5e6",
            "agent 7c9e6679-7425-40de-944b-e07fc1f90ae7",
            "50 % & more! a feedback.",
            "gpt-4 and A-12",
            "http: www",
            "ends with @",
        ] {
            assert_eq!(broken(text), text);
        }
    }
}
