//! A `verify` in words that all outputs share: whole, and each argument in quotes of its own, for what a list cuts off is
//! where a second program would hide.

use super::view::Theirs;
use super::visible::one_line;
use crate::model::{Key, Verify};
use crate::plan::VerifyChange;

/// What becomes of it, after "`verify`".
pub(super) fn fate(change: &VerifyChange) -> &'static str {
    match change {
        VerifyChange::Added { .. } => "is new",
        VerifyChange::Changed { .. } => "changes",
        VerifyChange::Removed { .. } => "is removed",
    }
}

/// The same change once, with all whose it is.
pub(super) fn groups<'p>(
    changes: impl IntoIterator<Item = (&'p Key, &'p VerifyChange)>,
) -> Vec<(Vec<&'p Key>, &'p VerifyChange)> {
    let mut groups: Vec<(Vec<&Key>, &VerifyChange)> = Vec::new();
    for (key, change) in changes {
        match groups.iter_mut().find(|(_, known)| *known == change) {
            Some((keys, _)) => keys.push(key),
            None => groups.push((vec![key], change)),
        }
    }
    groups
}

/// What runs, and what ran where that is known, as names and quoted texts.
pub(super) fn rows(change: &VerifyChange) -> Vec<(&'static str, Vec<String>)> {
    let rows = |verify: &Verify, name| [(name, quoted(&verify.command)), ("with the variables", quoted(&verify.env))];
    let before = change.before().map(|verify| rows(verify, "ran before"));
    let after = change.after().map(|verify| rows(verify, "runs"));
    before.into_iter().chain(after).flatten().filter(|(_, texts)| !texts.is_empty()).collect()
}

/// The same for an account, each argument as what it is: theirs.
pub(super) fn arguments(change: &VerifyChange) -> Vec<(&'static str, Vec<Theirs>)> {
    rows(change).into_iter().map(|(name, texts)| (name, texts.into_iter().map(Theirs::code).collect())).collect()
}

/// Each text in quotes, on one line and with every hidden character shown.
fn quoted(texts: &[String]) -> Vec<String> {
    let quote = |text: &String| format!("\"{}\"", one_line(&text.replace('\\', "\\\\").replace('"', "\\\"")));
    texts.iter().map(quote).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_borders_of_arguments_and_hidden_characters_show() {
        let list = texts(&["sh", "-c", "a \"b\"\n\\", "", "x\u{202e}y"]);
        assert_eq!(quoted(&list).join(" "), r#""sh" "-c" "a \"b\"⏎\\" "" "x<U+202E>y""#);
    }

    #[test]
    fn however_long_a_list_is_its_last_argument_shows() {
        let command: Vec<String> = (0..10_000).map(|n| format!("--flag-{n}")).collect();
        let change = VerifyChange::Added { after: Verify { command, env: texts(&["A"]) } };
        let rows = rows(&change);
        assert_eq!(rows[0].1.last().unwrap(), "\"--flag-9999\"");
        assert_eq!(rows[1], ("with the variables", vec!["\"A\"".to_owned()]));
    }
}
