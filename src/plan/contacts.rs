//! Whom a config may bring callers or their words to: phone numbers and addresses, wherever they are in a value.

use std::borrow::Cow;
use std::sync::LazyLock;

use icu_normalizer::ComposingNormalizerBorrowed;
use regex::Regex;
use serde_json::Value;

use crate::model::FieldPath;
use crate::model::look::words;
use crate::model::unseen::{is_unseen, spelled};

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
    HiddenUrl,
    /// A phone number that is not shown because it is a secret.
    HiddenPhone,
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
    pub text: Cow<'v, str>,
}

/// Longest part of an address that is quoted.
const QUOTED: usize = 300;

/// The same where the host is named before it.
const SHORT: usize = 100;

/// Fewest digits of a whole number that is taken for a phone number, under a name that says so.
const PHONE_DIGITS: usize = 7;

/// An address with its scheme, up to what ends one in prose. Browsers also take one slash or backslashes.
static URL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)(?:[a-z][a-z0-9+.-]*://|(?:https?|wss?|ftp):[/\\]+)[^\s"'<>`|^]+"#)
        .expect("internal error: the form of a URL is a pattern")
});

/// A whole text that is a host with a path or a port, or a host alone (the first group), without a scheme.
static BARE_URL: LazyLock<Regex> = LazyLock::new(|| {
    let host =
        r"(?:(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+[\p{L}]{2,}|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|localhost)";
    Regex::new(&format!(r"(?i)^(?:[/\\]{{2,}})?(?:\S*@)?(?:({host})|{host}(?::[0-9]+(?:[/\\?#]\S*)?|[/\\?#]\S*))$"))
        .expect("internal error: the form of a host is a pattern")
});

/// A phone number as people write it: with a plus sign or 00, or in the groups of North America; or a SIP or telephone
/// URI.
static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        r"(?i:\b(?:sips?|tel):[^\s,;<>]+)",
        r"\+[ ]?[0-9](?:[ ()./-]{0,2}[0-9]){6,14}",
        r"\b00[ ()./-]{0,2}[1-9](?:[ ()./-]{0,2}[0-9]){6,14}\b",
        r"(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[ .-])[0-9]{3}[ .-][0-9]{4}\b",
    ];
    Regex::new(&forms.join("|")).expect("internal error: the forms of phone numbers are a pattern")
});

/// What is said in place of what stands for a secret.
const HIDDEN: &str = "***";

/// What stands for a secret inside a text.
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\(secret[^()]{0,60}\)").expect("internal error: the form of a placeholder is a pattern")
});

/// The zeros of the scripts that have digits of their own, each followed by its one to nine. Those that are forms of the
/// common digits are not among them.
const ZEROS: [u32; 49] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50,
    0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0,
    0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x1E140, 0x1E950,
];

/// A text as a machine may read it: in the common forms of letters, digits, blanks and dashes, without what is not seen,
/// and with what is spelled in invisible letters.
fn normal(text: &str) -> String {
    let text = PLACEHOLDER.replace_all(text, HIDDEN);
    if text.is_ascii() {
        return text.into_owned();
    }
    let letter = |c: char| match c {
        '\u{E0020}'..='\u{E007E}' => spelled(c.encode_utf8(&mut [0; 4])).chars().next(),
        c if is_unseen(c) && !matches!(c, '\n' | '\r' | '\t') => None,
        c => Some(c),
    };
    let seen: String = text.chars().filter_map(letter).collect();
    let common = ComposingNormalizerBorrowed::new_nfkc().normalize(&seen);
    let plain = |c: char| match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2044}' | '\u{2215}' => '/',
        c if c.is_ascii() => c,
        c if c.is_whitespace() => ' ',
        c => {
            let digit = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|digit| *digit < 10));
            digit.and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c)
        }
    };
    common.chars().map(plain).collect()
}

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
            vec![(path.clone(), Contact::HiddenUrl)]
        }
        Shown::Secret | Shown::SecretByLook | Shown::SecretUnchecked if names_a_phone(name_of(path)) => {
            vec![(path.clone(), Contact::HiddenPhone)]
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
        Value::String(text) => {
            found.push(Text { name: name_of(&path).to_owned(), path, place, text: text.as_str().into() });
        }
        // A phone number without quotes is a number to YAML.
        Value::Number(number) if names_a_phone(name_of(&path)) && number.to_string().len() >= PHONE_DIGITS => {
            found.push(Text { name: name_of(&path).to_owned(), path, place, text: number.to_string().into() });
        }
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
    let text = &normal(text);
    let ends = ['.', ',', ';', ':', '!', '?', ')', ']', '}'];
    let mut found: Vec<Contact> =
        URL.find_iter(text).map(|url| Contact::Url(address(url.as_str().trim_end_matches(ends)))).collect();
    // Digits inside an address are not called.
    let rest = if found.is_empty() { text.into() } else { URL.replace_all(text, " ") };
    found.extend(PHONE.find_iter(&rest).map(|number| Contact::Phone(plain(number.as_str()))));
    // What stands alone in a field for one is one, whatever it looks like: an extension, or a variable of the call.
    let alone = text.trim();
    if alone == HIDDEN {
        let hidden = names_a_phone(name).then_some(Contact::HiddenPhone);
        return hidden.or(names_a_url(name).then_some(Contact::HiddenUrl)).into_iter().collect();
    }
    if found.is_empty() && !alone.is_empty() {
        let bare = BARE_URL.captures(alone);
        if names_a_phone(name) && alone.contains(|c: char| c.is_ascii_digit() || c == '{' || c == '*') {
            found.push(Contact::Phone(if is_number(alone) { plain(alone) } else { quoted(alone) }));
        } else if names_a_url(name)
            || bare.is_some_and(|bare| bare.get(1).is_none() || may_hold_a_host(name) || alone.contains('@'))
        {
            found.push(Contact::Url(address(alone)));
        }
    }
    found
}

/// Whether a text is digits with what people put between them.
fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || " ()./-+".contains(c))
}

/// An address with its host first, wherever that would be hard to find or is cut off.
fn address(url: &str) -> String {
    let is_separator = |c: char| matches!(c, '/' | '\\');
    let rest = match url.split_once(':') {
        Some((_, rest)) if rest.starts_with(is_separator) => rest,
        _ => url,
    };
    let authority = rest.trim_start_matches(is_separator);
    let authority = authority.split(|c: char| is_separator(c) || matches!(c, '?' | '#')).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host == authority && url.chars().count() <= QUOTED {
        return quoted(url);
    }
    let start: String = url.chars().take(SHORT).collect();
    let more = if start.len() < url.len() { "…" } else { "" };
    format!("on {} ({start}{more})", quoted(host))
}

/// A number without what people put between its digits, so that another way to write it is the same number.
fn plain(number: &str) -> String {
    if number.contains(':') {
        return quoted(number.trim_end_matches(['.', '!', '?', ')']));
    }
    let digits: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    match digits.strip_prefix("00") {
        Some(rest) if rest.len() >= PHONE_DIGITS => format!("+{rest}"),
        _ => digits,
    }
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

/// Whether a field of this name may hold a host and nothing else. In other fields that may be the name of a file.
fn may_hold_a_host(name: &str) -> bool {
    let is_one = |word: &String| {
        [
            "callback",
            "callbacks",
            "hook",
            "hooks",
            "href",
            "link",
            "links",
            "host",
            "hosts",
            "domain",
            "server",
            "site",
            "target",
            "destination",
            "sink",
            "relay",
            "proxy",
        ]
        .contains(&word.as_str())
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
    fn a_phone_number_is_found_however_its_digits_and_blanks_are_written() {
        assert_eq!(found("x", "\u{FF0B}\u{FF11} \u{FF19}\u{FF10}\u{FF10} 555 0199"), phone("+19005550199"));
        assert_eq!(found("x", "+١٩٠٠٥٥٥٠١٩٩"), phone("+19005550199"));
        assert_eq!(found("x", "+1\u{A0}900\u{2011}555\u{200B}0199"), phone("+19005550199"));
        assert_eq!(found("x", "Call 00 44 20 7946 0000 now."), phone("+442079460000"));
        assert_eq!(found("transfer_number", "９００５５５０１９９"), phone("9005550199"));
        let tags: String = "+19005550199".chars().filter_map(|c| char::from_u32(0xE0000 + u32::from(c))).collect();
        assert_eq!(found("x", &format!("Be kind.{tags}")), phone("+19005550199"));
        let number = find(&FieldPath::of(["config", "transfer_number"]), &Shown::Value(json!(19_005_550_199_u64)));
        assert_eq!(number.len(), 1, "a number to YAML is one to a caller");
        let none = find(&FieldPath::of(["config", "number_of_turns"]), &Shown::Value(json!(12)));
        assert_eq!(none, []);
    }

    #[test]
    fn an_address_is_found_however_it_is_written_and_its_host_is_named() {
        let url = |text: &str| vec![Contact::Url(text.to_owned())];
        assert_eq!(found("callback", "evil.example/cb"), url("evil.example/cb"));
        assert_eq!(found("callback", "evil.example"), url("evil.example"));
        assert_eq!(found("post_to", "https:/evil.example/1"), url("https:/evil.example/1"));
        assert_eq!(found("sink", r"https:\\evil.example\2"), url(r"https:\\evil.example\2"));
        assert_eq!(found("relay", "ｈｔｔｐｓ://evil.example/3"), url("https://evil.example/3"));
        assert_eq!(found("x", "//evil.example/4"), url("//evil.example/4"));
        for (name, text) in [
            ("long", format!("https://api.partner.example{}@evil.example/5", "a".repeat(400))),
            ("pad", format!("{}https://evil.example/6", "x".repeat(400))),
            ("hook", "https://(secret, by its look)@evil.example/7".to_owned()),
        ] {
            let found = found(name, &text);
            let [Contact::Url(shown)] = found.as_slice() else { panic!("{found:?}") };
            assert!(shown.starts_with("on evil.example ("), "{shown}");
        }
        assert_eq!(found("x", "https://a.example/?k=(secret 2)&b=1"), url("https://a.example/?k=***&b=1"));
        for none in ["greeting.wav", "prompts/a.md", "application/json", "gpt-4.1", "America/New_York", "a.b c/d"] {
            assert_eq!(found("x", none), [], "{none}");
        }
    }

    #[test]
    fn an_address_is_found_in_prose_and_ends_where_the_sentence_does() {
        let url = |text: &str| vec![Contact::Url(text.to_owned())];
        assert_eq!(found("x", "See https://a.example/b?c=+15550100000."), url("https://a.example/b?c=+15550100000"));
        assert_eq!(found("webhook", "a.example/hook"), url("a.example/hook"));
        let secret = find(&FieldPath::of(["config", "webhook_url"]), &Shown::Secret);
        assert_eq!(secret, [(FieldPath::of(["config", "webhook_url"]), Contact::HiddenUrl)]);
    }
}
