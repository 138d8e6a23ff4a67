//! Hashes in a stamp that give no weak secret away, and the secrets that a stamp knows by their hash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;

use super::declared::Declared;
use super::digest::{LeafHash, Salt, hex};
use super::stamp::Stamp;

/// Secrets of fewer characters get a slow hash: a fast one of a PIN is undone in a second by trying all.
pub const SLOW_BELOW: usize = 20;

/// Most secrets that a stamp remembers. Those that were replaced stay known, so that one that comes back in the
/// dashboard is still not shown; the oldest go first.
pub const MOST_SECRETS: usize = 64;

/// The cost of a slow hash: 2^13 blocks of 1 KiB, some 20 ms and 8 MiB.
const SLOW_LOG_N: u8 = 13;

/// The block size and the parallelism of scrypt, as RFC 7914 recommends them.
const SLOW_R_P: (u32, u32) = (8, 1);

/// What begins the text that stands for a short secret in what is hashed. No JSON text of a config begins with a NUL.
const SEALED: &str = "\u{0}sealed:";

/// A secret that was sent, as a stamp remembers it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretHash {
    /// The number of characters, if the secret is short enough for a slow hash; only texts of that length are tried.
    short: Option<usize>,
    hash: LeafHash,
}

impl SecretHash {
    /// Takes one from a stamp: 32 hex digits, with the length and a colon before them if the hash is a slow one.
    pub fn parse(text: &str) -> Option<Self> {
        let (short, hash) = match text.split_once(':') {
            Some((length, hash)) => (Some(length.parse().ok().filter(|length| *length < SLOW_BELOW)?), hash),
            None => (None, text),
        };
        Some(Self { short, hash: LeafHash::parse(hash)? })
    }

    /// The hash as a stamp holds it.
    pub fn to_text(&self) -> String {
        match self.short {
            Some(length) => format!("{length}:{}", self.hash.as_str()),
            None => self.hash.as_str().to_owned(),
        }
    }
}

/// What hashes the leaves of one agent: the salt of its stamp, and the secrets that the stamp knows.
#[derive(Clone, Copy, Debug)]
pub struct Seal<'a> {
    salt: &'a Salt,
    realm: (&'a str, &'a str),
    secrets: Option<&'a [SecretHash]>,
}

impl<'a> Seal<'a> {
    /// The seal of a stamp.
    pub fn of(stamp: &'a Stamp) -> Self {
        Self {
            salt: &stamp.state.salt,
            realm: (&stamp.project, &stamp.environment),
            secrets: stamp.state.secrets.as_deref(),
        }
    }

    /// Whether the stamp lists secrets at all; one that was written before it could does not, and then any text that was
    /// applied may have been one.
    pub fn knows_its_secrets(&self) -> bool {
        self.secrets.is_some()
    }

    /// The hash of a value. A short secret in it goes in by its slow hash, so that nobody can try it quickly; every
    /// other value has the hash that the salt alone gives.
    pub fn hash(&self, value: &Value) -> LeafHash {
        match self.sealed(value) {
            Some(sealed) => self.salt.hash(&sealed),
            None => self.salt.hash(value),
        }
    }

    /// The hash of a text that may not be shown, as if it were a known secret.
    pub fn hash_secret(&self, text: &str) -> LeafHash {
        self.secret(text).hash
    }

    /// What the stamp remembers of a secret.
    pub fn secret(&self, text: &str) -> SecretHash {
        let length = text.chars().count();
        if length < SLOW_BELOW {
            let slow = Value::String(format!("{SEALED}{}", slow(self.realm, text)));
            return SecretHash { short: Some(length), hash: self.salt.hash(&slow) };
        }
        SecretHash { short: None, hash: self.salt.hash(&Value::String(text.to_owned())) }
    }

    /// Makes the secrets of a declaration known before anything is hashed: however many there are, they are compared, and
    /// only what else is as long as one of them counts towards what a run tries.
    pub fn expect(&self, declared: &Declared) {
        for text in declared.secrets_in_clear() {
            self.secret(&text);
        }
    }

    /// Whether a text is one of the secrets that were sent.
    pub fn is_secret(&self, text: &str) -> bool {
        let Some(secrets) = self.secrets.filter(|secrets| !secrets.is_empty()) else { return false };
        let length = text.chars().count();
        let may_be = if length < SLOW_BELOW {
            length > 0 && secrets.iter().any(|known| known.short == Some(length))
        } else {
            secrets.iter().any(|known| known.short.is_none())
        };
        if !may_be {
            return false;
        }
        // What can no longer be tried counts as a secret: it is only ever hidden by that.
        let can_be_tried = length >= SLOW_BELOW || slow_if_cheap(self.realm, text).is_some();
        !can_be_tried || secrets.contains(&self.secret(text))
    }

    /// Whether a text of the length of a long secret is one that was sent. Quick, unlike for a short one.
    pub fn is_long_secret(&self, text: &str) -> bool {
        let secrets = self.secrets.unwrap_or_default();
        secrets.iter().any(|known| known.short.is_none())
            && text.chars().nth(SLOW_BELOW - 1).is_some()
            && secrets.contains(&self.secret(text))
    }

    /// The value with its short secrets replaced; `None` if it has none.
    fn sealed(&self, value: &Value) -> Option<Value> {
        if !self.secrets.is_some_and(|secrets| secrets.iter().any(|known| known.short.is_some())) {
            return None;
        }
        match value {
            Value::String(text) => {
                let is_short = !text.is_empty() && text.chars().nth(SLOW_BELOW - 1).is_none();
                // A text that can no longer be tried stays as it is, as it would if it were none.
                let is_sealed = is_short
                    && self.secrets.unwrap_or_default().iter().any(|known| known.short == Some(text.chars().count()))
                    && slow_if_cheap(self.realm, text).is_some()
                    && self.is_secret(text);
                is_sealed.then(|| Value::String(format!("{SEALED}{}", slow(self.realm, text))))
            }
            Value::Array(list) => {
                let sealed: Vec<Option<Value>> = list.iter().map(|item| self.sealed(item)).collect();
                sealed.iter().any(Option::is_some).then(|| {
                    let pairs = list.iter().zip(sealed);
                    Value::Array(pairs.map(|(item, sealed)| sealed.unwrap_or_else(|| item.clone())).collect())
                })
            }
            Value::Object(map) => {
                let sealed: Vec<Option<Value>> = map.values().map(|item| self.sealed(item)).collect();
                sealed.iter().any(Option::is_some).then(|| {
                    let pairs = map.iter().zip(sealed);
                    pairs.map(|((key, item), sealed)| (key.clone(), sealed.unwrap_or_else(|| item.clone()))).collect()
                })
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
}

impl Stamp {
    /// Adds secrets, in clear, to those that the stamp knows by their hashes.
    pub fn remember_secrets(&mut self, sent: &[String]) {
        let hashes: Vec<SecretHash> = sent.iter().map(|text| Seal::of(self).secret(text)).collect();
        self.state.secrets = Some(remember(self.state.secrets.as_deref(), hashes));
    }
}

/// Adds secrets to those that a stamp knows: the newest last, each once.
fn remember(known: Option<&[SecretHash]>, sent: impl IntoIterator<Item = SecretHash>) -> Vec<SecretHash> {
    let sent: BTreeSet<SecretHash> = sent.into_iter().collect();
    let mut all: Vec<SecretHash> =
        known.unwrap_or_default().iter().filter(|hash| !sent.contains(hash)).cloned().collect();
    // All that are in use are kept, however many they are.
    let room = MOST_SECRETS.saturating_sub(sent.len());
    all.drain(..all.len().saturating_sub(room));
    all.extend(sent);
    all
}

/// Most texts that are hashed slowly in a run to learn whether one is a known secret, some seconds in all. Somebody in the
/// dashboard could otherwise stall every run with a list of words as long as a PIN.
const MOST_TRIED: usize = 200;

/// How many were tried since the run began.
static TRIED: AtomicUsize = AtomicUsize::new(0);

/// Begins to count the texts that are tried anew.
pub fn begin_run() {
    TRIED.store(0, Ordering::Relaxed);
}

/// Whether there were more texts to try than a run tries, so that some are hidden that need not be.
pub fn is_exhausted() -> bool {
    TRIED.load(Ordering::Relaxed) > MOST_TRIED
}

/// The slow hash of a text that may be a secret; nothing if it is not known yet and enough have been tried.
fn slow_if_cheap(realm: (&str, &str), text: &str) -> Option<String> {
    let known = SLOW.lock().unwrap_or_else(PoisonError::into_inner).get(&place_of(realm, text)).cloned();
    known.or_else(|| (TRIED.fetch_add(1, Ordering::Relaxed) < MOST_TRIED).then(|| slow(realm, text)))
}

/// Under which key a slow hash is remembered: a quick digest, so that no secret is kept in clear.
fn place_of(realm: (&str, &str), text: &str) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(format!("{}\u{0}{}\u{0}{text}", realm.0, realm.1)).into()
}

/// What was hashed slowly in this run, by a quick digest of what went in. The hash is a pure function of its input, so
/// remembering it changes nothing but the time: the same PIN stands on a thousand agents.
static SLOW: LazyLock<Mutex<BTreeMap<[u8; 32], String>>> = LazyLock::new(Mutex::default);

/// The slow hash of a text: scrypt, salted with the project and the environment, so that no table fits two of them. The
/// salt of the agent goes over it afterwards.
fn slow(realm: (&str, &str), text: &str) -> String {
    let salt = format!("reachform\u{0}{}\u{0}{}", realm.0, realm.1);
    let place = place_of(realm, text);
    if let Some(known) = SLOW.lock().unwrap_or_else(PoisonError::into_inner).get(&place) {
        return known.clone();
    }
    let (r, p) = SLOW_R_P;
    let parameters = scrypt::Params::new(SLOW_LOG_N, r, p).expect("internal error: the cost is one that scrypt takes");
    let mut out = [0_u8; 32];
    scrypt::scrypt(text.as_bytes(), salt.as_bytes(), &parameters, &mut out)
        .expect("internal error: 32 bytes are a length that scrypt takes");
    let out = hex(&out);
    SLOW.lock().unwrap_or_else(PoisonError::into_inner).insert(place, out.clone());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LONG: &str = "a secret of more than twenty characters";

    fn with<T>(secrets: Option<&[&str]>, ask: impl FnOnce(Seal<'_>) -> T) -> T {
        let salt = Salt::new([7; 16]);
        let bare = Seal { salt: &salt, realm: ("clinic", "prod"), secrets: Some(&[]) };
        let known = secrets.map(|texts| remember(None, texts.iter().map(|text| bare.secret(text))));
        ask(Seal { secrets: known.as_deref(), ..bare })
    }

    #[test]
    fn a_secret_is_known_wherever_it_is_and_nothing_else_is() {
        with(Some(&["12345", LONG]), |seal| {
            assert!(seal.is_secret("12345") && seal.is_secret(LONG));
            assert!(!seal.is_secret("12346") && !seal.is_secret("1234") && !seal.is_secret(""));
        });
        with(None, |seal| assert!(!seal.is_secret("12345") && !seal.knows_its_secrets()));
    }

    #[test]
    fn a_short_secret_is_never_under_a_quick_hash_not_even_inside_a_list() {
        let leaf = json!([{"name": "a", "pin": "12345"}, 5]);
        let quick = Salt::new([7; 16]).hash(&leaf);
        with(Some(&["12345"]), |seal| {
            assert_ne!(seal.hash(&leaf), quick);
            assert_ne!(seal.hash(&json!("12345")), Salt::new([7; 16]).hash(&json!("12345")));
            assert_eq!(seal.hash(&leaf), seal.hash(&leaf.clone()));
            assert_ne!(seal.hash(&leaf), seal.hash(&json!([{"name": "a", "pin": "12346"}, 5])));
        });
        with(Some(&[LONG]), |seal| assert_eq!(seal.hash(&leaf), quick));
    }

    #[test]
    fn what_a_stamp_remembers_reads_back_and_the_oldest_go_first() {
        with(Some(&[]), |seal| {
            for text in ["12345", LONG] {
                let hash = seal.secret(text);
                assert_eq!(SecretHash::parse(&hash.to_text()), Some(hash));
            }
            assert!(seal.secret("12345").to_text().starts_with("5:"));
            let secret = |n: usize| seal.secret(&format!("{LONG}{n}"));
            let old = remember(None, (0..MOST_SECRETS).map(secret));
            let new = remember(Some(&old), [secret(1000)]);
            assert_eq!(new.len(), MOST_SECRETS);
            assert_eq!(new.last(), Some(&secret(1000)));
            assert_eq!(remember(Some(&new), [secret(1000)]), new);
        });
        assert_eq!(SecretHash::parse("99:00000000000000000000000000000000"), None);
    }
}
