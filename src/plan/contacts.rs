//! Whom a config may bring callers or their words to: phone numbers and addresses, wherever they are in a value.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::model::FieldPath;
use crate::model::look::words;

use super::change::Shown;
use super::mask::name_of;

/// Somebody outside whom a config names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contact {
    /// A phone number, or a SIP address.
    Phone(String),
    /// An address on the web.
    Url(String),
    /// An address that is not shown because it is a secret.
    Hidden,
}

/// One text of a value.
#[derive(Clone, Debug)]
pub struct Text<'v> {
    /// Where it is, items of lists by their position.
    pub path: FieldPath,
    /// Where it is, items of lists by what tells them apart.
    pub place: String,
    /// The name of the property that holds it; an element of a list has that of the list.
    pub name: String,
    /// The text.
    pub text: &'v str,
}

/// Longest part of an address that is quoted.
const QUOTED: usize = 300;

/// An address with its scheme, up to what ends one in prose.
static URL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b[a-z][a-z0-9+.-]*://[^\s"'<>`|\\^]+"#).expect("internal error: the form of a URL is a pattern")
});

/// A phone number as people write it: with a plus sign, or in the groups of North America; or a SIP or telephone URI.
static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        r"(?i:\b(?:sips?|tel):[^\s,;<>]+)",
        r"\+[0-9](?:[ ()./-]{0,2}[0-9]){6,14}",
        r"(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[ .-])[0-9]{3}[ .-][0-9]{4}\b",
    ];
    Regex::new(&forms.join("|")).expect("internal error: the forms of phone numbers are a pattern")
});

/// All phone numbers and addresses of a value, in order.
pub fn find(path: &FieldPath, shown: &Shown) -> Vec<(FieldPath, Contact)> {
    match shown {
        Shown::Value(value) => {
            let texts = texts(path, Some(value));
            texts
                .into_iter()
                .flat_map(|text| in_text(&text).into_iter().map(move |it| (text.path.clone(), it)))
                .collect()
        }
        Shown::Secret | Shown::SecretByLook | Shown::SecretUnchecked if names_a_url(name_of(path)) => {
            vec![(path.clone(), Contact::Hidden)]
        }
        Shown::Absent | Shown::Secret | Shown::SecretByLook | Shown::SecretUnchecked | Shown::AtApply => Vec::new(),
    }
}

/// All texts of a value.
pub fn texts<'v>(path: &FieldPath, value: Option<&'v Value>) -> Vec<Text<'v>> {
    let mut found = Vec::new();
    if let Some(value) = value {
        walk(path.clone(), path.to_string(), value, &mut found);
    }
    found
}

fn walk<'v>(path: FieldPath, place: String, value: &'v Value, found: &mut Vec<Text<'v>>) {
    match value {
        Value::String(text) => found.push(Text { name: name_of(&path).to_owned(), path, place, text }),
        Value::Object(map) => {
            for (key, value) in map {
                walk(path.child(key), format!("{place}/{key}"), value, found);
            }
        }
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                let identity = ["id", "name", "key"].iter().find_map(|name| item.get(name)?.as_str());
                let step = identity.map_or_else(|| index.to_string(), |name| format!("={name}"));
                walk(path.index(index), format!("{place}/{step}"), item, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn in_text(text: &Text<'_>) -> Vec<Contact> {
    let Text { name, text, .. } = text;
    let mut found: Vec<Contact> = URL
        .find_iter(text)
        .map(|url| Contact::Url(quoted(url.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}']))))
        .collect();
    // Digits inside an address are not called.
    let rest = if found.is_empty() { (*text).into() } else { URL.replace_all(text, " ") };
    found.extend(PHONE.find_iter(&rest).map(|number| Contact::Phone(plain(number.as_str()))));
    // What stands alone in a field for one is one, whatever it looks like: an extension, or a variable of the call.
    if found.is_empty() && !text.trim().is_empty() {
        if names_a_phone(name) && text.contains(|c: char| c.is_ascii_digit() || c == '{') {
            found.push(Contact::Phone(quoted(text.trim())));
        } else if names_a_url(name) {
            found.push(Contact::Url(quoted(text.trim())));
        }
    }
    found
}

/// A number without what people put between its digits, so that another way to write it is the same number.
fn plain(number: &str) -> String {
    if number.contains(':') {
        return quoted(number.trim_end_matches(['.', '!', '?', ')']));
    }
    number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}… ({} characters)", text.get(..end).unwrap_or_default(), text.chars().count()),
        None => text.to_owned(),
    }
}

fn names_a_phone(name: &str) -> bool {
    let is_one = |word: &String| {
        ["number", "numbers", "phone", "phones", "telephone", "tel", "sip", "fax", "dial"].contains(&word.as_str())
    };
    words(name).iter().any(is_one)
}

fn names_a_url(name: &str) -> bool {
    let is_one = |word: &String| {
        ["url", "urls", "uri", "webhook", "webhooks", "endpoint", "webhookurl"].contains(&word.as_str())
    };
    words(name).iter().any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(name: &str, text: &str) -> Vec<Contact> {
        let path = FieldPath::of(["config", name]);
        let shown = Shown::Value(json!(text));
        find(&path, &shown).into_iter().map(|(_, contact)| contact).collect()
    }

    fn phone(number: &str) -> Vec<Contact> {
        vec![Contact::Phone(number.to_owned())]
    }

    #[test]
    fn a_phone_number_is_found_in_any_form_and_is_the_same_in_all() {
        assert_eq!(found("x", "+1 (555) 010-0000"), phone("+15550100000"));
        assert_eq!(found("x", "Call +15550100000, please."), phone("+15550100000"));
        assert_eq!(found("x", "Call (555) 210-0000."), phone("5552100000"));
        assert_eq!(found("x", "sip:desk@example.com"), phone("sip:desk@example.com"));
        assert_eq!(found("transfer_number", "4711"), phone("4711"));
        assert_eq!(found("transferNumber", "{{front_desk}}"), phone("{{front_desk}}"));
        assert_eq!(found("displayed_number", "agent_number"), []);
        for none in ["2026-12-31", "10:00-12:30", "version 1.2.3", "1700000000", "order +12"] {
            assert_eq!(found("x", none), [], "{none}");
        }
    }

    #[test]
    fn an_address_is_found_in_prose_and_ends_where_the_sentence_does() {
        let url = |text: &str| vec![Contact::Url(text.to_owned())];
        assert_eq!(found("x", "See https://a.example/b?c=+15550100000."), url("https://a.example/b?c=+15550100000"));
        assert_eq!(found("webhook", "a.example/hook"), url("a.example/hook"));
        let secret = find(&FieldPath::of(["config", "webhook_url"]), &Shown::Secret);
        assert_eq!(secret, [(FieldPath::of(["config", "webhook_url"]), Contact::Hidden)]);
    }
}
