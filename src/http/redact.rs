//! Texts from outside, made fit to be shown: known secrets out, secret-sounding members out, control characters out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use secrecy::{ExposeSecret as _, SecretString};

use crate::model::look::sounds_secret;

/// What stands where a secret stood.
const MASK: &str = "(secret)";

/// Shorter values are not looked for: they would take single letters out of every message.
const SHORTEST_SECRET: usize = 4;

/// Shorter values, of which the manifest's author is warned, are masked only where they stand as a whole word: one that
/// equals a common word must not take pieces out of others.
const SURE_SECRET: usize = 12;

/// Fewest characters of base64 that are looked for; fewer stand in words by chance.
const SHORTEST_BASE64: usize = 8;

/// How much of a body is looked at for a snippet, in bytes.
const SNIPPET_SOURCE: usize = 16 * 1024;

/// How much of a body a message shows, in characters.
const SNIPPET_LENGTH: usize = 160;

/// Knows secret values and takes them out of texts that came from outside.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Every form in which a value could be in a text.
    forms: Vec<Form>,
    /// Finds all of them in one pass, in the same order; absent without a secret.
    finder: Option<Arc<AhoCorasick>>,
}

/// One way in which a value may be written.
#[derive(Clone)]
struct Form {
    text: SecretString,
    /// Whether it counts only where no letter or digit is beside it. In base64 one always may be.
    as_word: bool,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({})", self.forms.len())
    }
}

impl Redactor {
    /// Takes the values that must never be shown: the token, and every `!secret` of the run.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        Self::default().with(secrets, SHORTEST_SECRET)
    }

    /// The same for whole documents and for what this program says itself: values so short that they may be its own
    /// words are left alone.
    pub fn sure<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        Self::default().with(secrets, SURE_SECRET)
    }

    /// The same with further values.
    #[must_use]
    pub fn and<'a>(self, secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        self.with(secrets, SHORTEST_SECRET)
    }

    fn with<'a>(self, secrets: impl IntoIterator<Item = &'a SecretString>, shortest: usize) -> Self {
        let known = self.forms.iter().map(|form| (form.text.expose_secret().to_owned(), form.as_word));
        let mut forms: BTreeMap<String, bool> = known.collect();
        for secret in secrets {
            let text = secret.expose_secret();
            // A header or a log shows the lines of a key one by one.
            let lines = text.lines().filter(|line| line.len() >= SURE_SECRET);
            for text in std::iter::once(text).chain(lines) {
                if text.len() >= shortest {
                    for (form, as_word) in forms_of(text) {
                        // A form of two values counts by the stricter of them.
                        *forms.entry(form).or_insert(true) &= as_word;
                    }
                }
            }
        }
        if forms.is_empty() {
            return Self::default();
        }
        // Where two begin at the same place the longer is taken, so that no secret leaves a rest of another.
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(forms.keys());
        Self {
            finder: Some(Arc::new(finder.expect("internal error: the secrets of a run fit into one automaton"))),
            forms: forms.into_iter().map(|(text, as_word)| Form { text: SecretString::from(text), as_word }).collect(),
        }
    }

    /// The text without any known secret; nothing if there is none in it.
    pub fn hide(&self, text: &str) -> Option<String> {
        let finder = self.finder.as_ref()?;
        let mut out = String::new();
        let (mut done, mut from) = (0, 0);
        while let Some(found) = finder.find(Input::new(text).range(from..)) {
            let as_word = self.forms.get(found.pattern().as_usize()).is_some_and(|form| form.as_word);
            if as_word && !is_whole_word(text, found.start(), found.end()) {
                // Another secret may begin inside what is only a part of a word.
                from = (found.start() + 1..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
                continue;
            }
            out.push_str(text.get(done..found.start()).unwrap_or_default());
            out.push_str(MASK);
            (done, from) = (found.end(), found.end());
        }
        if done == 0 {
            return None;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        Some(out)
    }

    /// The text without any known secret, without control and bidi characters, on one line.
    pub fn clean(&self, text: &str) -> String {
        // Twice: a secret with a line break in it is one only before, one that control characters hid only after.
        self.mask(&plain(&self.mask(text)))
    }

    /// The beginning of a body that could not be understood, as much as a message may show.
    pub fn snippet(&self, body: &[u8]) -> String {
        let head = body.get(..SNIPPET_SOURCE).unwrap_or(body);
        let text = self.head(head, head.len() == body.len());
        cut(&self.clean(&mask_members(&text)), SNIPPET_LENGTH)
    }

    /// A text of which there may have been more, without any known secret.
    pub fn head(&self, head: &[u8], is_whole: bool) -> String {
        let mut text = self.mask_spread(&self.mask(&String::from_utf8_lossy(head)));
        if !is_whole {
            // A secret that the end of the head cuts in two is not known as one any more.
            let longest = self.forms.iter().map(|form| form.text.expose_secret().len()).max().unwrap_or_default();
            let mut end = text.len().saturating_sub(longest);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        text
    }

    fn mask(&self, text: &str) -> String {
        self.hide(text).unwrap_or_else(|| text.to_owned())
    }

    /// Masks secrets that line breaks, blanks or control characters were put into, as the 76 columns of base64 do.
    fn mask_spread(&self, text: &str) -> String {
        let is_blank = |c: char| c.is_whitespace() || c.is_control();
        let (mut dense, mut places) = (String::with_capacity(text.len()), Vec::with_capacity(text.len()));
        for (at, c) in text.char_indices().filter(|(_, c)| !is_blank(*c)) {
            dense.push(c);
            // One entry for each byte, so that a place in the dense text leads to one in the text.
            places.extend((0..c.len_utf8()).map(|byte| at + byte));
        }
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for form in &self.forms {
            let form: String = form.text.expose_secret().chars().filter(|c| !is_blank(*c)).collect();
            if form.len() < SURE_SECRET {
                continue;
            }
            let span = |(at, _)| Some((*places.get(at)?, places.get(at + form.len() - 1)? + 1));
            spans.extend(dense.match_indices(&form).filter_map(span));
        }
        spans.sort_unstable();
        let (mut out, mut done) = (String::with_capacity(text.len()), 0);
        for (start, end) in spans {
            if start >= done {
                out.push_str(text.get(done..start).unwrap_or_default());
                out.push_str(MASK);
            }
            done = done.max(end);
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

/// Everything that a value may be written as: as it is, and as JSON, a URL, a form, HTML and base64 write it.
fn forms_of(text: &str) -> Vec<(String, bool)> {
    let json = serde_json::Value::from(text).to_string();
    let json = json.get(1..json.len() - 1).unwrap_or_default().to_owned();
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            let mut units = [0; 2];
            ascii.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    let url = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let parameter: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let component = percent_encoding::utf8_percent_encode(text, COMPONENT).to_string();
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quoted = html.replace('"', "&quot;");
    let (decimal, hexadecimal, named) =
        (quoted.replace('\'', "&#39;"), quoted.replace('\'', "&#x27;"), quoted.replace('\'', "&apos;"));
    let mut forms = vec![text.to_owned(), json, ascii, url.to_ascii_lowercase(), url, parameter, component];
    forms.extend([html, quoted, decimal, hexadecimal, named]);
    let mut forms: Vec<(String, bool)> = forms
        .into_iter()
        .map(|form| {
            let as_word = form == text && text.len() < SURE_SECRET;
            (form, as_word)
        })
        .collect();
    for core in (0..3).flat_map(|shift| base64_core(text.as_bytes(), shift)) {
        if core.len() >= SHORTEST_BASE64 {
            forms.push((core, false));
        }
    }
    forms
}

/// What no component of a URL needs to escape stands as it is in most.
const COMPONENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The characters of base64 that bytes have whatever stands around them, `shift` bytes after the start of a group of
/// three: in both alphabets.
fn base64_core(bytes: &[u8], shift: usize) -> [String; 2] {
    use base64::Engine as _;
    let padded = [vec![0; shift], bytes.to_vec()].concat();
    let (from, to) = ((shift * 8).div_ceil(6), padded.len() * 8 / 6);
    let core = |text: String| text.get(from..to).unwrap_or_default().to_owned();
    [
        core(base64::engine::general_purpose::STANDARD.encode(&padded)),
        core(base64::engine::general_purpose::URL_SAFE.encode(&padded)),
    ]
}

/// Whether what is found has no letter and no digit beside it.
fn is_whole_word(text: &str, start: usize, end: usize) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (before, after) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    (!is_word(before.chars().next_back()) || ends_in_escape(before)) && !is_word(after.chars().next())
}

/// Whether a text ends in `%22` or `\n`, whose last sign is no part of a word.
fn ends_in_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes, [.., b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
        || matches!(bytes, [.., b'\\', b'n' | b'r' | b't'])
}

/// The text on one line, without what could steer a terminal or turn its writing direction.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Direction marks and other characters without a width: they make two different texts look alike.
            '\u{200b}'..='\u{200f}'
            | '\u{061c}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' => {}
            c if c.is_control() || c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// The first `length` characters, with a sign that there were more.
pub fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Masks the values of members whose names sound secret, in a text that need not be whole JSON.
fn mask_members(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let end = string_end(from);
        let (string, after) = from.split_at(end);
        out.push_str(string);
        rest = after;
        let value = after.trim_start();
        let Some(value) = value.strip_prefix(':').map(str::trim_start) else { continue };
        if !sounds_secret(string) {
            continue;
        }
        if value.starts_with('"') {
            out.push_str(": \"");
            out.push_str(MASK);
            out.push('"');
            rest = value.get(string_end(value)..).unwrap_or_default();
        } else if value.starts_with(['{', '[']) {
            // A whole structure under such a name: nothing after it is worth the risk of finding its end wrongly.
            out.push_str(": ");
            out.push_str(MASK);
            return out;
        }
    }
    out.push_str(rest);
    out
}

/// Where the JSON string that `text` begins with ends, its closing quote included.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_secret_goes_in_every_form() {
        let secret = SecretString::from("p\"ss/wörd\n1");
        let redactor = Redactor::new([&secret]);
        let json = serde_json::json!({ "x": secret.expose_secret() }).to_string();
        for text in [secret.expose_secret().to_owned(), json, "p%22ss%2Fw%C3%B6rd%0A1".into()] {
            let clean = redactor.clean(&text);
            assert!(clean.contains(MASK), "{clean}");
            assert!(!clean.contains("rd"), "{clean}");
        }
        assert!(!format!("{redactor:?}").contains("ss"));
    }

    #[test]
    fn a_secret_in_base64_goes_at_every_place() {
        use base64::Engine as _;
        let secret = SecretString::from("crm-secret-4417-value");
        let redactor = Redactor::new([&secret]);
        for before in ["", "u", "us", "user:"] {
            let text = format!("{before}{}{before}", secret.expose_secret());
            let text = base64::engine::general_purpose::STANDARD.encode(text);
            let clean = redactor.clean(&format!("Basic {text}"));
            assert!(clean.contains(MASK) && clean.len() < text.len(), "{clean}");
        }
    }

    #[test]
    fn a_secret_that_is_a_common_word_leaves_other_words_alone() {
        let redactor = Redactor::new([&SecretString::from("agent")]);
        assert_eq!(redactor.clean("no agents: `agent` is reagent"), "no agents: `(secret)` is reagent");
    }

    #[test]
    fn a_secret_that_the_end_of_a_snippet_would_cut_goes_whole() {
        let secret = SecretString::from("crm-secret-4417-value");
        let body = format!("{}{}{}", " ".repeat(SNIPPET_SOURCE - 10), secret.expose_secret(), "x".repeat(100));
        let snippet = Redactor::new([&secret]).snippet(body.as_bytes());
        assert!(!snippet.contains("crm"), "{snippet}");
    }

    #[test]
    fn a_secret_in_base64_goes_also_where_lines_are_broken_or_letters_are_set_apart() {
        use base64::Engine as _;
        let secret = SecretString::from("crm-secret-4417-väl");
        let redactor = Redactor::new([&secret]);
        let coded = base64::engine::general_purpose::STANDARD.encode(format!("x{}", secret.expose_secret()));
        for width in [1, 2, 5, 19] {
            for text in [secret.expose_secret(), &coded] {
                let letters: Vec<char> = text.chars().collect();
                let lines: Vec<String> = letters.chunks(width).map(|line| line.iter().collect()).collect();
                let head = redactor.head(format!("a b {} c", lines.join("\n")).as_bytes(), true);
                assert!(head.starts_with("a b ") && head.contains(MASK) && head.len() < 24, "{width}: {head}");
            }
        }
    }

    #[test]
    fn values_that_are_added_later_are_known_like_the_first() {
        let (short, long) = (SecretString::from("abcd-1234-efgh"), SecretString::from("abcd-1234-efgh-5678"));
        for redactor in
            [Redactor::new([&short]).and([&long]), Redactor::new([&long]).and([&short]).and([&long, &short])]
        {
            assert_eq!(redactor.clean("x abcd-1234-efgh-5678 abcd-1234-efgh y"), "x (secret) (secret) y");
        }
    }

    #[test]
    fn a_longer_secret_leaves_no_rest_behind_a_shorter_one() {
        let (short, long) = (SecretString::from("abcd"), SecretString::from("abcdefgh"));
        assert_eq!(Redactor::new([&short, &long]).clean("x abcdefgh abcd y"), "x (secret) (secret) y");
    }

    #[test]
    fn a_secret_that_control_characters_hide_goes_too() {
        let secret = SecretString::from("hunter2");
        assert_eq!(Redactor::new([&secret]).clean("a hun\u{200b}ter2 b"), "a (secret) b");
    }

    #[test]
    fn a_snippet_masks_members_that_sound_secret_even_in_cut_json() {
        let redactor = Redactor::default();
        assert_eq!(
            redactor.snippet(br#"{"name": "A", "api_key" : "k\"1", "max": 1, "password": "cut he"#),
            r#"{"name": "A", "api_key": "(secret)", "max": 1, "password": "(secret)""#
        );
        assert_eq!(redactor.snippet(br#"{"credentials": {"a": "b"}, "c": 1}"#), r#"{"credentials": (secret)"#);
        assert_eq!(redactor.snippet(&[b'a'; 400]).chars().count(), SNIPPET_LENGTH + 1);
    }

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        assert_eq!(plain("a\u{1b}[31mb\r\n\tc\u{202e}d"), "a [31mb cd");
    }
}
