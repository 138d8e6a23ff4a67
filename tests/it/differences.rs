//! `diff`: two states of a repository, compared as they are declared.

use reachform::model::Verify;
use reachform::plan::difference::{Fate, ManifestDifference, compare};
use reachform::plan::{Shown, VerifyChange};
use serde_json::json;

use crate::scene::Scene;

/// The manifests of a state by key, each below its key and name.
fn state(manifests: &[(&str, &str)]) -> Scene {
    let mut scene = Scene::new();
    scene.secrets.insert("CRM".to_owned(), "a-long-enough-secret".to_owned());
    for (key, more) in manifests {
        scene.write(key, format!("key: {key}\nname: Agent {key}\n{more}\n"));
    }
    scene
}

fn differences(base: &[(&str, &str)], head: &[(&str, &str)]) -> (Vec<ManifestDifference>, usize) {
    let (base, head) = (state(base).resolve(), state(head).resolve());
    let (found, _, same) = compare(&base.desired, &head.desired);
    (found, same)
}

/// Key, fate and old key.
fn fates(base: &[(&str, &str)], head: &[(&str, &str)]) -> Vec<(String, &'static str, Option<String>)> {
    let (found, _) = differences(base, head);
    let told = |entry: &ManifestDifference| {
        (entry.key.to_string(), entry.fate.as_str(), entry.moved_from.as_ref().map(ToString::to_string))
    };
    found.iter().map(told).collect()
}

/// The fields of the one manifest that differs: path, before, after.
fn fields(before: &str, after: &str) -> Vec<(String, Shown, Shown)> {
    let (found, _) = differences(&[("a", before)], &[("a", after)]);
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].fields.iter().map(|field| (field.path.to_string(), field.before.clone(), field.after.clone())).collect()
}

#[test]
fn manifests_are_gone_changed_or_new_and_those_that_say_the_same_are_counted() {
    let base = [("a", "description: One."), ("b", ""), ("c", ""), ("d", ""), ("e", "")];
    let head = [("a", "description: Two."), ("c", ""), ("d", ""), ("e", ""), ("f", "")];
    assert_eq!(
        fates(&base, &head),
        [("b".to_owned(), "removed", None), ("a".to_owned(), "changed", None), ("f".to_owned(), "added", None)]
    );
    assert_eq!(differences(&base, &head).1, 3);
    assert_eq!([Fate::Removed, Fate::Changed, Fate::Added].map(Fate::symbol), ["-", "~", "+"]);
}

#[test]
fn a_manifest_goes_on_under_a_new_key_only_where_the_old_one_is_gone_and_was_there() {
    let moved = ("b", "moved: [a]");
    assert_eq!(fates(&[("a", "")], &[moved]), [("b".to_owned(), "changed", Some("a".to_owned()))]);
    assert_eq!(fates(&[("x", "")], &[("x", ""), moved]), [("b".to_owned(), "added", None)]);
    assert_eq!(fates(&[("a", ""), ("b", "")], &[moved]), [("a".to_owned(), "removed", None)]);
}

#[test]
fn a_text_in_place_of_an_object_is_shown_beside_what_was_below_it_and_the_other_way_round() {
    let (text, object) = ("metadata: {crm: x}", "metadata: {crm: {id: 1}}");
    let below = "/metadata/crm/id".to_owned();
    let (crm, x, one) = ("/metadata/crm".to_owned(), Shown::Value(json!("x")), Shown::Value(json!(1)));
    let expected = [(crm.clone(), x.clone(), Shown::Absent), (below.clone(), Shown::Absent, one.clone())];
    assert_eq!(fields(text, object), expected);
    assert_eq!(fields(object, text), [(crm, Shown::Absent, x), (below, one, Shown::Absent)]);
}

#[test]
fn an_empty_object_that_is_filled_or_emptied_is_shown_by_its_leaves_alone() {
    let (empty, filled) = ("metadata: {crm: {}}", "metadata: {crm: {id: 1}}");
    let (below, one) = ("/metadata/crm/id".to_owned(), Shown::Value(json!(1)));
    assert_eq!(fields(empty, filled), [(below.clone(), Shown::Absent, one.clone())]);
    assert_eq!(fields(filled, empty), [(below, one, Shown::Absent)]);
}

#[test]
fn a_secret_is_shown_on_neither_side_and_a_text_in_its_place_is() {
    let (secret, text) = ("metadata: {note: !secret CRM}", "metadata: {note: in clear}");
    let path = "/metadata/note".to_owned();
    let clear = Shown::Value(json!("in clear"));
    assert_eq!(fields(secret, text), [(path.clone(), Shown::Secret, clear.clone())]);
    assert_eq!(fields(text, secret), [(path, clear, Shown::Secret)]);
}

#[test]
fn what_a_manifest_says_beside_its_values_counts_where_it_says_something() {
    for (line, path) in [
        ("protect: true", "/protect"),
        ("phone_numbers: {inbound: [\"+15550100001\"]}", "/phone_numbers/inbound"),
        ("ignore: [{path: /config/agent, reason: a test}]", "/ignore"),
        ("release: [/config/agent]", "/release"),
    ] {
        let found = fields("", line);
        let added: Vec<&(String, Shown, Shown)> = found.iter().filter(|(at, ..)| at == path).collect();
        assert_eq!(added.len(), 1, "{line}: {found:?}");
        assert_eq!(added[0].1, Shown::Absent, "{line}");
        assert_ne!(added[0].2, Shown::Absent, "{line}");
        assert!(fields(line, "").iter().any(|(at, _, after)| at == path && *after == Shown::Absent), "{line}");
    }
}

#[test]
fn a_verify_is_told_whole_on_both_sides_and_a_manifest_of_which_nothing_else_differs_differs() {
    let (one, other) = ("verify: {command: [check, --fast], env: [A]}", "verify: [check, --slow]");
    let verify = |command: [&str; 2], env: &[&str]| Verify {
        command: command.map(str::to_owned).to_vec(),
        env: env.iter().map(|name| (*name).to_owned()).collect(),
    };
    let (before, after) = (verify(["check", "--fast"], &["A"]), verify(["check", "--slow"], &[]));
    for (base, head, expected) in [
        ("", other, Some(VerifyChange::Added { after: after.clone() })),
        (one, other, Some(VerifyChange::Changed { before: Some(before.clone()), after })),
        (one, "", Some(VerifyChange::Removed { before: Some(before) })),
        (one, one, None),
    ] {
        let (found, same) = differences(&[("a", base)], &[("a", head)]);
        assert_eq!(same, usize::from(expected.is_none()), "{base} {head}");
        assert_eq!(found.first().and_then(|found| found.verify.clone()), expected, "{base} {head}");
        assert!(found.iter().all(|found| found.fields.is_empty()), "{found:#?}");
    }
}
