//! Whether what was read back is what was sent: what a service may render in its own way, and what is a loss.

use icu_normalizer::ComposingNormalizerBorrowed;
use serde_json::Value;

use crate::model::value::{a_type, same, type_name};
use crate::model::{ConfigShape, FieldPath};
use crate::plan::compare::is_empty_object;

use super::masked::looks_masked;

/// Longest text that may come back with other blanks inside, or in other capitals; a longer one is a prompt, and may differ
/// only in its line ends, outer blanks and Unicode form (design, section 6).
pub(super) const PROMPT_LENGTH: usize = 200;

/// From how many words on a shorter text is prose, too.
const PROSE: usize = 2;

/// A difference that is no rendering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Where, from the manifest's root.
    pub path: FieldPath,
    /// What, without the values.
    pub what: String,
}

/// What came of comparing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadBack {
    /// Differences that make the version unfit to publish.
    pub losses: Vec<Loss>,
    /// Values that the service rewrote in its own way, and that are accepted.
    pub rewritten: Vec<FieldPath>,
    /// Lists among those that only came back in another order.
    pub reordered: Vec<FieldPath>,
    /// Empty objects among those that were left out.
    pub left_out: Vec<FieldPath>,
    /// Removed paths that are still there.
    pub still_there: Vec<FieldPath>,
}

impl ReadBack {
    /// Whether the version may be published.
    pub fn is_fine(&self) -> bool {
        self.losses.is_empty() && self.still_there.is_empty()
    }
}

/// What stood there before the write, so that one that was not done does not pass for a rendering.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before<'a> {
    /// The config of the version that was built upon.
    pub base: Option<&'a Value>,
    /// What the draft held before it was written.
    pub draft: Option<&'a Value>,
    /// The paths that change.
    pub changed: &'a [FieldPath],
}

impl Before<'_> {
    /// Whether the value that was read back at a path that changes is the one from before.
    fn holds(&self, path: &FieldPath, read: &Value) -> bool {
        let Some(inner) = path.within_config() else { return false };
        let was =
            |config: Option<&Value>| config.and_then(|config| inner.get(config)).is_some_and(|was| same(was, read));
        self.changed.iter().any(|changed| path.starts_with(changed)) && (was(self.base) || was(self.draft))
    }

    /// Whether the value at a path that does not change is the one that was live before, and no other than that.
    fn keeps(&self, path: &FieldPath, read: &Value) -> bool {
        let Some((inner, base)) = path.within_config().zip(self.base) else { return false };
        let is_same = inner.get(base).zip(inner.get(read)).is_some_and(|(was, is)| same(was, is));
        is_same && !self.changed.iter().any(|changed| path.starts_with(changed) || changed.starts_with(path))
    }

    /// Whether an empty object that was to come at `path`, or below it, was not there before either. Its presence alone
    /// says something, such as that a feature is on, so where it did not come the write was not done.
    fn lacks_presence(&self, path: &FieldPath, sent: &Value) -> bool {
        let inner = |changed: &FieldPath| changed.within_config();
        let mut comes = self.changed.iter().filter(|changed| changed.starts_with(path)).filter_map(inner);
        let Some(base) = self.base else { return false };
        comes.any(|inner| inner.get(sent).is_some_and(is_empty_object) && inner.get(base).is_none())
    }
}

/// What is said of a value that a write has not changed.
const STILL: &str = "it is still what it was before";

/// Compares a config as sent with the config as read back.
pub fn compare(
    sent: &Value,
    read: &Value,
    removed: &[FieldPath],
    before: Before<'_>,
    shape: &dyn ConfigShape,
) -> ReadBack {
    let mut found = ReadBack::default();
    let walk = Walk { shape, sent, read };
    walk.value(&FieldPath::config(), sent, read, &mut found);
    // What does not change and reads as it did before was judged when it was first sent.
    found.losses.retain(|loss| !before.keeps(&loss.path, read));
    for loss in &mut found.losses {
        let value = loss.path.within_config().and_then(|inner| inner.get(read));
        if value.is_some_and(|value| before.holds(&loss.path, value)) {
            STILL.clone_into(&mut loss.what);
        }
    }
    let reordered = found.reordered.clone();
    found.rewritten.retain(|path| {
        let value = path.within_config().and_then(|inner| inner.get(read));
        // A mask stays the same whatever it hides; a secret in clear is either the one that was sent or another.
        let is_clear = value.and_then(Value::as_str).is_some_and(|text| !looks_masked(text));
        let is_undone = match value {
            // A service that keeps lists in an order of its own shows the one from before whatever order it is sent.
            _ if reordered.contains(path) => false,
            Some(value) => (is_clear || !walk.is_secret(path)) && before.holds(path, value),
            None => !walk.is_secret(path) && before.lacks_presence(path, sent),
        };
        if is_undone {
            found.losses.push(Loss { path: path.clone(), what: STILL.to_owned() });
            return false;
        }
        let is_another = is_clear && walk.is_secret(path);
        if is_another {
            let what = "the service shows another secret than the one that was sent".to_owned();
            found.losses.push(Loss { path: path.clone(), what });
        }
        !is_another
    });
    for path in removed {
        let Some(inner) = path.within_config() else { continue };
        let Some(left) = inner.get(read).filter(|_| inner.get(sent).is_none()) else { continue };
        let is_default = shape.default_at(sent, path).is_some_and(|default| same(&default, left));
        if !is_default {
            found.still_there.push(path.clone());
        }
    }
    found
}

struct Walk<'a> {
    shape: &'a dyn ConfigShape,
    sent: &'a Value,
    read: &'a Value,
}

impl Walk<'_> {
    fn value(&self, path: &FieldPath, sent: &Value, read: &Value, found: &mut ReadBack) {
        match (sent, read) {
            (Value::Object(sent), Value::Object(read)) => {
                for (key, value) in sent {
                    let at = path.child(key);
                    match read.get(key) {
                        Some(read) => self.value(&at, value, read, found),
                        None if self.is_default(&at, value) => {}
                        None if self.is_secret_text(&at, value) => found.rewritten.push(at),
                        // Some services leave out what is empty.
                        None if is_empty(value) && !self.shape.requires(self.sent, &at) => {
                            // An object says something by being there.
                            if value.is_object() {
                                found.rewritten.push(at.clone());
                                found.left_out.push(at);
                            }
                        }
                        None => found.losses.push(Loss { path: at, what: "it was sent and is gone".to_owned() }),
                    }
                }
            }
            (Value::Array(sent), Value::Array(read)) if sent.len() == read.len() => {
                if self.is_in_another_order(path, sent, read) {
                    found.rewritten.push(path.clone());
                    found.reordered.push(path.clone());
                    return;
                }
                for (index, (sent, read)) in sent.iter().zip(read).enumerate() {
                    self.value(&path.index(index), sent, read, found);
                }
            }
            (Value::Array(sent), Value::Array(read)) => found.losses.push(Loss {
                path: path.clone(),
                what: format!("a list of {} was sent, one of {} came back", sent.len(), read.len()),
            }),
            (Value::String(sent), Value::String(read)) => self.text(path, sent, read, found),
            _ if same(sent, read) => {}
            // A service may hide a secret by null as well as by asterisks.
            (sent, Value::Null) if self.is_secret_text(path, sent) => found.rewritten.push(path.clone()),
            // The nearest number that the service can keep is still the one that was sent.
            (Value::Number(a), Value::Number(b)) if is_nearly(a, b) => found.rewritten.push(path.clone()),
            _ if type_name(sent) == type_name(read) => {
                let what = "another value came back than the one that was sent".to_owned();
                found.losses.push(Loss { path: path.clone(), what });
            }
            _ => found.losses.push(Loss {
                path: path.clone(),
                what: format!("{} was sent, and {} was read back", a_type(sent), a_type(read)),
            }),
        }
    }

    fn text(&self, path: &FieldPath, sent: &str, read: &str, found: &mut ReadBack) {
        if sent == read {
            return;
        }
        if self.is_secret(path) {
            found.rewritten.push(path.clone());
            return;
        }
        if !may_render_text(sent, read) || self.is_another_choice(path, sent, read) {
            let (before, after) = (sent.chars().count(), read.chars().count());
            let what = if after < before {
                format!("a text of {before} characters was sent, one of {after} came back")
            } else {
                "a text came back with other words".to_owned()
            };
            found.losses.push(Loss { path: path.clone(), what });
            return;
        }
        found.rewritten.push(path.clone());
    }

    /// Whether a text that may be a rendering by itself is another of the values that the schema lists, or another
    /// identifier than the one that was sent. One that the same object offers as well is the service's choice among them.
    fn is_another_choice(&self, path: &FieldPath, sent: &str, read: &str) -> bool {
        let is_choice = self.shape.lists_values(self.sent, path) && !sent.trim().eq_ignore_ascii_case(read.trim());
        let around = path.parent().and_then(|parent| parent.within_config()?.get(self.sent));
        is_choice || (is_identifier(sent) && !around.is_some_and(|around| offers(around, read)))
    }

    fn is_secret_text(&self, path: &FieldPath, sent: &Value) -> bool {
        sent.is_string() && self.is_secret(path)
    }

    fn is_secret(&self, path: &FieldPath) -> bool {
        self.shape.is_secret(self.sent, path) || self.shape.is_secret(self.read, path)
    }

    /// Whether a list holds what was sent and only in another order.
    fn is_in_another_order(&self, path: &FieldPath, sent: &[Value], read: &[Value]) -> bool {
        let is_whole = |index: usize, read: &Value| {
            let mut found = ReadBack::default();
            sent.get(index).is_some_and(|sent| {
                self.value(&path.index(index), sent, read, &mut found);
                let says_the_same = |path: &FieldPath| found.reordered.contains(path) || found.left_out.contains(path);
                found.losses.is_empty()
                    && found.rewritten.iter().all(|path| self.is_secret(path) || says_the_same(path))
            })
        };
        if read.iter().enumerate().all(|(index, read)| is_whole(index, read)) {
            return false;
        }
        let mut left: Vec<usize> = (0..sent.len()).collect();
        read.iter().all(|read| {
            let found = left.iter().position(|index| is_whole(*index, read));
            found.map(|position| left.swap_remove(position)).is_some()
        })
    }

    fn is_default(&self, path: &FieldPath, value: &Value) -> bool {
        self.shape.default_at(self.sent, path).is_some_and(|default| same(&default, value))
    }
}

/// Whether a service that keeps `live` in place of `declared` says something else with it: not so where it is only the
/// blanks of a prompt, or an empty value that is left out.
pub fn says_otherwise(declared: &Value, live: Option<&Value>) -> bool {
    match (declared, live) {
        (Value::String(declared), Some(Value::String(live))) => plain(declared) != plain(live),
        (declared, None) => !is_empty(declared) || declared.is_object(),
        (declared, Some(live)) => !same(declared, live),
    }
}

/// Whether a live value may be how the service keeps what was sent, by the two alone.
pub fn may_render(sent: &Value, live: Option<&Value>) -> bool {
    match (sent, live) {
        (Value::String(sent), Some(Value::String(live))) => may_render_text(sent, live),
        (Value::Number(sent), Some(Value::Number(live))) => is_nearly(sent, live),
        (Value::Array(_) | Value::Object(_), Some(live)) => type_name(sent) == type_name(live),
        (sent, Some(live)) => same(sent, live),
        (sent, None) => is_empty(sent),
    }
}

/// Whether two numbers are one but for how exactly the service keeps it.
fn is_nearly(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    let both = a.as_f64().zip(b.as_f64());
    let is_whole = |number: &serde_json::Number| number.is_i64() || number.is_u64();
    both.is_some_and(|(a, b)| (a - b).abs() <= a.abs().max(b.abs()) * NEARLY) && !(is_whole(a) && is_whole(b))
}

/// By what share two numbers may differ that are one: a service may keep them in 32 bits.
const NEARLY: f64 = 1e-6;

/// Whether an object holds a text, also in one of its lists.
fn offers(around: &Value, text: &str) -> bool {
    let is_it = |value: &Value| value.as_str() == Some(text);
    around.as_object().is_some_and(|map| {
        map.values().any(|value| is_it(value) || value.as_array().is_some_and(|list| list.iter().any(is_it)))
    })
}

/// Whether a text is an identifier that a machine made: in another one's place, it names something else.
fn is_identifier(text: &str) -> bool {
    let is_hex = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 5 && parts.iter().zip([8, 4, 4, 4, 12]).all(|(part, length)| is_hex(part, length))
}

/// What of a text names somebody or something exactly, where it is a phone number or an address: in another form it still
/// is the same, and with another content never.
fn exactly(text: &str) -> Option<String> {
    let text = text.trim();
    let is_number = |text: &str| {
        text.bytes().filter(u8::is_ascii_digit).count() >= 3
            && text.chars().all(|letter| letter.is_ascii_digit() || "+-.() /:,".contains(letter))
    };
    let number = text.strip_prefix("tel:").unwrap_or(text);
    if is_number(number) {
        return Some(number.chars().filter(char::is_ascii_digit).collect());
    }
    let is_address = text.contains("://") || (text.contains('@') && !text.contains(char::is_whitespace));
    is_address.then(|| text.trim_end_matches('/').to_lowercase())
}

/// Words that people wrote come back as they are, but for blanks, line ends and the form of letters: anything else is
/// somebody's edit or a loss. A name or an identifier, such as `voice_id`, a service may well replace by its own.
///
/// A phone number, a moment, a URL or an address says the same in another form only.
fn may_render_text(sent: &str, live: &str) -> bool {
    if let Some(sent) = exactly(sent) {
        return exactly(live).is_some_and(|live| live == sent);
    }
    let is_long = |text: &str| text.chars().nth(PROMPT_LENGTH).is_some();
    let words = |text: &str| text.split_whitespace().count();
    let is_prose = is_long(sent) || words(sent) >= PROSE || words(live) > PROSE;
    !is_prose || plain(sent) == plain(live) || (!is_long(sent) && is_close(sent, live))
}

/// Whether two short texts differ in their blanks and in small and capital letters at most.
fn is_close(a: &str, b: &str) -> bool {
    let words = |text: &str| plain(text).split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    words(a) == words(b)
}

/// Whether a value holds nothing: an empty list or object, null, or an object of nothing else.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A text without what a service may normalise: line ends, outer blanks, and the Unicode form of its letters.
fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(lines.join("\n").trim()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::compare::tests::OnByDefault;
    use super::*;
    use serde_json::json;

    fn check(sent: &Value, read: &Value) -> ReadBack {
        compare(sent, read, &[], Before::default(), &OnByDefault)
    }

    #[test]
    fn filled_defaults_rewritten_words_and_masked_secrets_are_renderings() {
        let sent = json!({"voice": "a", "api_key": "sk-1234", "n": 1, "on": true});
        let found = check(&sent, &json!({"voice": "b", "api_key": "****", "n": 1.0, "more": null}));
        assert!(found.is_fine(), "{found:?}");
        assert_eq!(found.rewritten.len(), 2);
    }

    #[test]
    fn a_value_that_is_gone_of_another_type_or_of_another_length_is_a_loss() {
        for (sent, read) in [
            (json!({"a": 1}), json!({})),
            (json!({"a": 1}), json!({"a": "1"})),
            (json!({"a": [1, 2]}), json!({"a": [1]})),
            (json!({"a": {"b": 1}}), json!({"a": null})),
        ] {
            assert!(!check(&sent, &read).is_fine(), "{sent} {read}");
        }
        let found = check(&json!({"a": [1, 2]}), &json!({"a": [1]}));
        assert_eq!(found.losses[0].what, "a list of 2 was sent, one of 1 came back");
    }

    #[test]
    fn another_number_switch_telephone_address_identifier_or_choice_is_a_failed_write() {
        let uuid = |last: &str| format!("f786b574-daa5-4673-aa0c-cbe3e853400{last}");
        for (sent, read) in [
            (json!(1), json!(2)),
            (json!(0.3), json!(0.7)),
            (json!(true), json!(false)),
            (json!("+15550100199"), json!("+19005550199")),
            (json!("+15550100199"), json!("the front desk")),
            (json!("https://a.example/hook"), json!("https://b.example/hook")),
            (json!("desk@a.example"), json!("desk@b.example")),
            (json!("09:30"), json!("10:30")),
            (json!(uuid("1")), json!(uuid("2"))),
        ] {
            let found = check(&json!({"x": sent}), &json!({"x": read}));
            assert_eq!((found.losses.len(), found.rewritten.len()), (1, 0), "{sent} {read}: {found:?}");
            assert!(!may_render(&sent, Some(&read)) || sent == json!(uuid("1")), "{sent} {read}");
        }
        assert!(!check(&json!({"choice": "fast"}), &json!({"choice": "slow"})).is_fine());
        for (sent, read) in [
            (json!({"x": 1}), json!({"x": 1.0})),
            (json!({"x": 0.3}), json!({"x": 0.300_000_011_920_928_96})),
            (json!({"x": "+1 (555) 010-0199"}), json!({"x": "+15550100199"})),
            (json!({"x": "https://A.example/"}), json!({"x": "https://a.example"})),
            (json!({"choice": "fast"}), json!({"choice": "FAST"})),
            (json!({"x": uuid("1"), "all": [uuid("2")]}), json!({"x": uuid("2"), "all": [uuid("2")]})),
        ] {
            assert!(check(&sent, &read).is_fine(), "{sent} {read}");
        }
    }

    #[test]
    fn a_secret_that_only_one_side_knows_is_a_rendering() {
        let long = "s".repeat(300);
        let found = check(&json!({"api_key": long}), &json!({"api_key": "****"}));
        assert!(found.is_fine() && found.rewritten.len() == 1, "{found:?}");
    }

    #[test]
    fn a_secret_that_was_sent_and_reads_back_null_or_not_at_all_is_a_rendering_and_another_value_is_a_loss() {
        let sent = json!({"api_key": "sk-1234", "voice": "a"});
        for read in [json!({"api_key": null, "voice": "a"}), json!({"voice": "a"})] {
            let found = check(&sent, &read);
            assert!(found.is_fine() && found.rewritten.len() == 1, "{found:?}");
        }
        for read in [json!({"api_key": "sk-1234", "voice": null}), json!({"api_key": "sk-1234"})] {
            assert!(!check(&sent, &read).is_fine(), "{read}");
        }
    }

    #[test]
    fn prose_comes_back_with_its_words_and_a_name_may_be_replaced() {
        for (sent, read) in [
            ("Prompt two two.", "Half a sentence of An"),
            ("Prompt two two.", "Prompt two"),
            ("Closed.", "We are closed today."),
        ] {
            let found = check(&json!({"p": sent}), &json!({"p": read}));
            assert!(!found.is_fine(), "{sent} {read}");
        }
        for (sent, read) in [
            ("  Prompt  two two. ", "Prompt two two."),
            ("Riverside Dental", "riverside dental"),
            ("sonic", "f786b574-daa5-4673-aa0c-cbe3e8534c02"),
            ("katie", "Katie (en)"),
        ] {
            let found = check(&json!({"p": sent}), &json!({"p": read}));
            assert!(found.is_fine() && found.rewritten.len() == 1, "{sent} {read}: {found:?}");
        }
    }

    #[test]
    fn an_empty_object_that_was_to_come_and_did_not_was_not_written() {
        let (base, sent) = (json!({"tools": {}}), json!({"tools": {"images": {}}, "empty": []}));
        let changed: Vec<_> = ["/config/tools/images", "/config/empty"].map(|at| FieldPath::parse(at).unwrap()).into();
        let check = |base: Option<&Value>, read: &Value| {
            compare(&sent, read, &[], Before { base, draft: None, changed: &changed }, &OnByDefault)
        };
        for read in [json!({"tools": {}}), json!({})] {
            let found = check(Some(&base), &read);
            assert_eq!(found.losses.len(), 1, "{read}: {found:?}");
        }
        assert!(check(Some(&base), &json!({"tools": {"images": {}}})).is_fine());
        // What was there before and is left out now, or comes with a new agent, is how the service keeps it.
        assert!(check(Some(&json!({"tools": {"images": {}}})), &json!({"tools": {}})).is_fine());
        let found = check(None, &json!({}));
        assert!(found.is_fine() && found.rewritten.len() == 1, "{found:?}");
        assert!(says_otherwise(&json!({}), None) && !says_otherwise(&json!([]), None));
    }

    #[test]
    fn lists_in_lists_may_come_back_in_another_order_and_so_may_the_one_from_before() {
        let sent = json!({"l": [{"id": 2, "x": ["b", "a"]}, {"id": 1, "x": ["d", "c"], "y": [{"z": [2, 1]}]}]});
        let sorted = json!({"l": [{"id": 1, "x": ["c", "d"], "y": [{"z": [1, 2]}]}, {"id": 2, "x": ["a", "b"]}]});
        assert!(check(&sent, &sorted).is_fine());
        let other = json!({"l": [{"id": 1, "x": ["c", "d"], "y": [{"z": [1, 3]}]}, {"id": 2, "x": ["a", "b"]}]});
        assert!(!check(&sent, &other).is_fine());
        let changed = [FieldPath::parse("/config/l").unwrap()];
        let before = Before { base: Some(&sorted), draft: None, changed: &changed };
        let found = compare(&sent, &sorted, &[], before, &OnByDefault);
        assert!(found.is_fine() && found.rewritten == changed, "{found:?}");
    }

    #[test]
    fn a_text_is_a_prompt_beyond_two_hundred_characters_and_its_loss_is_told_in_words() {
        let text = |length: usize| json!({"p": "x".repeat(length)});
        assert!(check(&text(200), &text(10)).is_fine());
        for (length, what) in [
            (200, "a text of 201 characters was sent, one of 200 came back"),
            (202, "a text came back with other words"),
        ] {
            assert_eq!(check(&text(201), &text(length)).losses[0].what, what);
        }
        let other = json!({"p": "y".repeat(201)});
        assert_eq!(check(&text(201), &other).losses[0].what, "a text came back with other words");
    }

    #[test]
    fn a_prompt_may_lose_outer_blanks_and_line_ends_but_no_word() {
        let prompt = "Wörter über Wörter. ".repeat(30);
        let sent = json!({"p": format!("{prompt}\r\nEnde \n")});
        assert!(check(&sent, &json!({"p": format!("{prompt}\nEnde")})).is_fine());
        let shortened: String = prompt.chars().take(250).collect();
        assert!(!check(&sent, &json!({"p": shortened})).is_fine());
    }

    #[test]
    fn a_removed_path_that_is_still_there_is_told_unless_it_is_the_default() {
        let removed = [FieldPath::parse("/config/x").unwrap(), FieldPath::parse("/config/on").unwrap()];
        let found = compare(&json!({}), &json!({"x": 1, "on": true}), &removed, Before::default(), &OnByDefault);
        assert_eq!(found.still_there, [FieldPath::parse("/config/x").unwrap()]);
    }

    #[test]
    fn a_value_that_still_is_what_it_was_before_was_not_written_where_it_changes() {
        let (old, sent) =
            (json!({"n": 3, "voice": "b", "api_key": "****"}), json!({"n": 4, "voice": "a", "api_key": "k"}));
        let changed = |paths: &[&str]| paths.iter().map(|path| FieldPath::parse(path).unwrap()).collect::<Vec<_>>();
        let check = |read: &Value, changed: &[FieldPath]| {
            let before = Before { base: Some(&old), draft: None, changed };
            compare(&sent, read, &[], before, &OnByDefault)
        };
        let found = check(&old, &changed(&["/config/n", "/config/api_key"]));
        assert_eq!(found.losses.len(), 1, "{found:?}");
        assert_eq!(found.losses[0].path, FieldPath::parse("/config/n").unwrap());
        // What does not change, a mask, and another rendering than that of before are renderings.
        assert!(check(&old, &changed(&["/config/api_key"])).is_fine());
        let other = json!({"n": 4, "voice": "c", "api_key": "****"});
        assert!(check(&other, &changed(&["/config/n", "/config/api_key"])).is_fine());
    }

    #[test]
    fn another_order_and_an_empty_value_that_is_left_out_are_renderings_and_another_element_is_none() {
        let sent = json!({"l": [{"id": 1, "x": {}}, {"id": 2}], "empty": [], "none": null, "o": {"p": {}}});
        let found = check(&sent, &json!({"l": [{"id": 2}, {"id": 1}]}));
        assert!(found.is_fine(), "{found:?}");
        assert_eq!(found.rewritten, ["/config/l", "/config/o"].map(|at| FieldPath::parse(at).unwrap()));
        assert!(!check(&sent, &json!({"l": [{"id": 2}, {"other": 1}]})).is_fine());
        assert!(!check(&json!({"needed": []}), &json!({})).is_fine(), "the schema requires it");
    }
}
