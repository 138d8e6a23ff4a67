//! The names of secrets: one for each value, so that a key that ten agents use is set once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::manifest::sandbox_secret;
use crate::model::value::leaves;
use crate::model::{FieldPath, Key};
use crate::plan::mask::{Mask, Part, Secrecy};
use crate::plan::masked::looks_masked;

/// Shortest value that is recognised wherever else it stands. What is shorter is often a word.
const SHORTEST: usize = 12;

/// Where a secret stands: the agent, the path, and which part of the text.
type At = (Key, FieldPath, usize);

/// The names that were given.
#[derive(Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
    by_place: BTreeMap<At, String>,
    by_value: BTreeMap<String, String>,
    /// The values of secrets, wherever they are recognised by their place or their look.
    known: BTreeSet<String>,
}

impl Names {
    /// Names that manifests use already are theirs.
    pub fn beside(taken: impl IntoIterator<Item = String>) -> Self {
        Self { taken: taken.into_iter().collect(), ..Self::default() }
    }

    /// Learns what is a secret by its place, to recognise it in texts that say nothing of it.
    pub fn learn(&mut self, mask: &Mask<'_>, base: &FieldPath, value: &Value) {
        for (path, leaf) in leaves(value, base) {
            let Some(text) = leaf.as_str() else { continue };
            let is_distinct = text.len() >= SHORTEST && !text.contains(char::is_whitespace) && !looks_masked(text);
            if is_distinct && mask.secrecy(&path, &leaf) == Secrecy::Whole {
                self.known.insert(text.to_owned());
            }
        }
    }

    /// A text with the secrets that are known from elsewhere; nothing if it holds none.
    pub fn split(&self, text: &str) -> Option<Vec<Part>> {
        let first = self.known.iter().filter_map(|known| Some((text.find(known.as_str())?, known))).min_by_key(
            // Of two that begin together, the longer one is meant.
            |(at, known)| (*at, usize::MAX - known.len()),
        );
        let (at, known) = first?;
        let mut parts = Vec::new();
        let (before, rest) = text.split_at(at);
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(Part::Secret);
        let rest = rest.get(known.len()..).unwrap_or_default();
        match self.split(rest) {
            Some(more) => parts.extend(more),
            None if rest.is_empty() => {}
            None => parts.push(Part::Text(rest.to_owned())),
        }
        Some(parts)
    }

    /// The name of a secret, the same whenever it is asked for.
    pub fn of(&mut self, key: &Key, path: &FieldPath, part: usize, value: &str) -> String {
        let at = (key.clone(), path.clone(), part);
        if let Some(name) = self.by_place.get(&at) {
            return name.clone();
        }
        // What the service shows in place of a secret says nothing of which one it is.
        let is_known = !value.is_empty() && !looks_masked(value);
        if let Some(name) = self.by_value.get(value).filter(|_| is_known).cloned() {
            self.by_place.insert(at, name.clone());
            return name;
        }
        // What the embedded service was given for a secret says which one it was.
        let given = value.strip_prefix("sandbox:").filter(|name| sandbox_secret(name).as_deref() == Some(value));
        if let Some(name) = given.filter(|name| is_name(name)) {
            self.taken.insert(name.to_owned());
            self.by_place.insert(at, name.to_owned());
            return name.to_owned();
        }
        let wanted = wanted(key, path);
        let mut name = wanted.clone();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        self.by_place.insert(at, name.clone());
        if is_known {
            self.by_value.insert(value.to_owned(), name.clone());
        }
        name
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// `riverside` and `/config/…/secret_access_key` give `RIVERSIDE_SECRET_ACCESS_KEY`.
fn wanted(key: &Key, path: &FieldPath) -> String {
    let last = path.steps().iter().rev().find(|step| step.parse::<usize>().is_err()).map_or("", String::as_str);
    let mut name = String::new();
    for c in format!("{key}_{last}").chars().take(LONGEST) {
        let c = c.to_ascii_uppercase();
        match c {
            'A'..='Z' | '0'..='9' => name.push(c),
            _ if name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    let name = name.trim_end_matches('_');
    if name.starts_with(|c: char| c.is_ascii_uppercase()) { name.to_owned() } else { format!("AGENT_{name}") }
}

/// Longest name: it stands in the settings of a pipeline, too.
const LONGEST: usize = 100;
