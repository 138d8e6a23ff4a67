//! What sounds or looks like a secret: names of properties, and texts in the forms that keys have (design, section 10).

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Names that hold a secret wherever one of these occurs in them, written without `_`, `-` and the like.
const PARTS: [&str; 28] = [
    "secret",
    "passw",
    "passphrase",
    "token",
    "credential",
    "apikey",
    "accesskey",
    "accountkey",
    "privatekey",
    "signingkey",
    "subscriptionkey",
    "authorization",
    "bearer",
    "cookie",
    "session",
    "connectionstring",
    "signature",
    "hmac",
    "webhookurl",
    "encryptionkey",
    "masterkey",
    "licensekey",
    "sshkey",
    "functionskey",
    "passcode",
    "securitycode",
    "totpseed",
    "serviceaccount",
];

/// Names that hold a secret only if one of these is a whole word of them: as parts they occur in too many others
/// (`author`, `shipping`, `designing`).
const WORDS: [&str; 14] =
    ["auth", "xauth", "pwd", "pin", "dsn", "sas", "signing", "pass", "otp", "totp", "jwt", "cvv", "cvc", "pat"];

/// Names that are as often those of prose, such as the signature below an email: a text with blanks is no secret there.
const OFTEN_PROSE: [&str; 2] = ["signature", "session"];

/// Whether a property's name sounds as if it held a secret. The caller looks at the value, too: only text counts, for
/// `max_tokens` and its kin are numbers.
pub fn sounds_secret(name: &str) -> bool {
    let plain = plain(name);
    PARTS.iter().any(|part| plain.contains(part)) || words(name).iter().any(|word| WORDS.contains(&word.as_str()))
}

/// Whether a text under a name that sounds secret is prose all the same.
pub fn is_prose_under(name: &str, text: &str) -> bool {
    if !text.trim().contains(char::is_whitespace) {
        return false;
    }
    let plain = plain(name);
    let rest = OFTEN_PROSE.iter().fold(plain.clone(), |rest, word| rest.replace(word, ""));
    rest != plain && !PARTS.iter().any(|part| rest.contains(part))
}

/// A name in small letters and digits alone.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The words of a name: `X-Auth`, `x_auth` and `xAuth` have two.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (was_lower && c.is_uppercase()) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// The forms of well-known keys. The named groups are what is hidden of a longer match; without one it is all of it.
static KEYS: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        // PEM, to its end or to that of the text.
        r"-----BEGIN[A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END[A-Z ]*PRIVATE KEY-----|\z)",
        // A JSON Web Token.
        r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?",
        // This service's own credentials.
        r"\b(?:ak|pat)_[A-Za-z0-9]+\.[A-Za-z0-9_-]{8,}",
        // OpenAI, Anthropic, Stripe and those who write keys as they do.
        r"\bsk-[A-Za-z0-9_-]{16,}",
        r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{8,}",
        r"\bwhsec_[A-Za-z0-9+/=_-]{16,}",
        // GitHub, GitLab, npm, PyPI, Hugging Face, DigitalOcean, Shopify, Square, Linear.
        r"\bgh[opusr]_[A-Za-z0-9]{16,}",
        r"\bgithub_pat_[A-Za-z0-9_]{16,}",
        r"\bgl(?:pat|ptt|dt|rt)-[A-Za-z0-9_-]{16,}",
        r"\bnpm_[A-Za-z0-9]{20,}",
        r"\bpypi-[A-Za-z0-9_-]{20,}",
        r"\bhf_[A-Za-z0-9]{20,}",
        r"\bdo[opr]_v1_[A-Za-z0-9]{20,}",
        r"\bshp(?:at|ca|pa|ss)_[A-Fa-f0-9]{16,}",
        r"\bsq0(?:atp|csp)-[A-Za-z0-9_-]{16,}",
        r"\blin_api_[A-Za-z0-9]{16,}",
        // Slack, Twilio, SendGrid, Mailgun.
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"\bxapp-[A-Za-z0-9-]{10,}",
        r"\bSK[0-9a-f]{32}\b",
        r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        r"\bkey-[0-9a-f]{32}\b",
        // AWS, Google.
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
        r"\bAIza[A-Za-z0-9_-]{30,}",
        r"\bya29\.[A-Za-z0-9_-]{20,}",
        // Addresses that are keys themselves.
        r"\bhooks\.slack\.com/(?P<slack>(?:services|workflows)/[A-Za-z0-9/_-]{16,})",
        r"\bdiscord(?:app)?\.com/api/(?P<discord>webhooks/[A-Za-z0-9/_-]{16,})",
        // A header's value.
        r"(?i:\b(?:bearer|basic))\s+(?P<header>[A-Za-z0-9._~+/-]{16,}=*)",
        // A URL with a password, or with a user of the length of a key.
        r"\b[A-Za-z][A-Za-z0-9+.-]*://(?P<user>[^\s/?#@{}:]*:[^\s/?#@{}]+|[^\s/?#@{}:]{16,})@",
        // A URL with a secret among its parameters.
        r"(?i:[?&][a-z0-9_.-]*(?:token|key|secret|password|signature|sig|auth)[a-z0-9_.-]*=)(?P<parameter>[^\s&#{}]{6,})",
        // A setting, as connection strings and shells write it.
        r"(?i:\b(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?key|account[_-]?key)=)(?P<assigned>[^\s&;,#{}'\x22]{6,})",
    ];
    // By the letters of ASCII: the word boundaries of Unicode would take the quick engine away from every text with an
    // umlaut in it.
    let pattern = forms.join("|").replace(r"\b", r"(?-u:\b)");
    Regex::new(&pattern).expect("internal error: the forms of keys are a pattern")
});

/// The parts of a text that look like keys, in order.
pub fn keys_in(text: &str) -> Vec<Range<usize>> {
    // Asking first is quicker than looking for groups, and nearly every text has none.
    if !KEYS.is_match(text) {
        return Vec::new();
    }
    let groups = ["slack", "discord", "header", "user", "parameter", "assigned"];
    let part =
        |found: Captures<'_>| groups.iter().find_map(|name| found.name(name)).or(found.get(0)).map(|it| it.range());
    KEYS.captures_iter(text).filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIDDEN: &str = "(hidden)";

    fn hidden(text: &str) -> String {
        let mut out = text.to_owned();
        for range in keys_in(text).into_iter().rev() {
            out.replace_range(range, HIDDEN);
        }
        out
    }

    #[test]
    fn names_of_secrets_are_known_however_they_are_written() {
        for name in [
            "api_key",
            "X-Api-Key",
            "apiKey",
            "apikey",
            "accessKey",
            "privateKey",
            "Ocp-Apim-Subscription-Key",
            "Cookie",
            "signing_key",
            "signing",
            "pwd",
            "DB_PWD",
            "passphrase",
            "bearer",
            "connection_string",
            "ConnectionString",
            "webhook_url",
            "auth",
            "X-Auth",
            "auth_header",
            "dsn",
            "SENTRY_DSN",
            "sas",
            "pin",
            "pinCode",
            "hmac",
            "session_id",
            "encryption_key",
            "passcode",
            "jwt",
        ] {
            assert!(sounds_secret(name), "{name}");
        }
    }

    #[test]
    fn names_that_only_hold_such_letters_are_left_alone() {
        for name in [
            "author",
            "shipping",
            "designing",
            "opinion",
            "key",
            "keywords",
            "monkey",
            "url",
            "dsnames",
            "passage",
            "patient",
            "bypass",
        ] {
            assert!(!sounds_secret(name), "{name}");
        }
    }

    #[test]
    fn an_email_signature_is_prose_and_a_webhook_signature_is_not() {
        assert!(is_prose_under("signature", "Kind regards,\nRiverside Dental"));
        assert!(!is_prose_under("signature", "v1=5257a869e7"));
        assert!(!is_prose_under("session_token", "a b"));
        assert!(!is_prose_under("authorization", "Bearer a b"));
    }

    #[test]
    fn texts_that_look_like_keys_are_hidden_and_what_surrounds_them_is_not() {
        let cases = [
            ("sk-proj-0123456789abcdef", HIDDEN.to_owned()),
            ("Server=db;Password=hunter22;Port=1", format!("Server=db;Password={HIDDEN};Port=1")),
            ("Für später: sk_live_0123456789.", format!("Für später: {HIDDEN}.")),
            ("call sk_live_0123456789 now", format!("call {HIDDEN} now")),
            ("https://crm:LEAK@crm.example.test/a", format!("https://{HIDDEN}@crm.example.test/a")),
            ("https://0123456789abcdef0123@o1.ingest.example/5", format!("https://{HIDDEN}@o1.ingest.example/5")),
            ("Bearer abcdefghijklmnop.qrs", format!("Bearer {HIDDEN}")),
            ("https://x.example/a?api_key=abcdef123&b=1", format!("https://x.example/a?api_key={HIDDEN}&b=1")),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF", HIDDEN.to_owned()),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n", format!("{HIDDEN}\n")),
            ("-----BEGIN PRIVATE KEY-----\nMIIE", HIDDEN.to_owned()),
            ("AKIAIOSFODNN7EXAMPLE", HIDDEN.to_owned()),
        ];
        for (text, expected) in cases {
            assert_eq!(hidden(text), expected, "{text}");
        }
    }

    #[test]
    fn templates_numbers_and_plain_addresses_are_shown() {
        for text in [
            "Bearer {{token}}",
            "https://{{user}}:{{pass}}@crm.example.test/",
            "https://crm.example.test/a?page=2",
            "sip:desk@example.test",
            "ssh://git@example.test/x",
            "+15551234567",
            "sk-short",
            "the key-word is task-oriented",
            "Ask for the basic information first.",
        ] {
            assert_eq!(hidden(text), text);
        }
    }
}
