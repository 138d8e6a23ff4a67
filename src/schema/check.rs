//! What a manifest declares against the schema, each problem at its place in the manifest (design, section 4).

use serde_json::Value;

use super::codes;
use super::compile::ConfigSchema;
use super::explain::{self, Fault, Spot};
use super::secret;
use super::unknown::{self, Unknown};
use crate::diagnostics::{Diagnostic, Diagnostics, Place, Severity, Span};
use crate::model::{Desired, FieldPath};

/// Where things stand in the texts of a manifest, by their path from its root. A path inside a file that was pulled in
/// leads into that file.
pub trait Places {
    /// The span of the value at `path`.
    fn value(&self, path: &FieldPath) -> Option<Span>;

    /// The span of the name under which the value at `path` stands.
    fn key(&self, path: &FieldPath) -> Option<Span>;
}

/// How a value is judged that the schema does not list. The service may know more than its schema says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leniency {
    /// An error.
    #[default]
    Strict,
    /// A warning.
    Lenient,
}

/// Checks what is declared: every value in its branch, and what is required inside lists. What is required elsewhere
/// may stand in the live config, and is left to planning.
pub fn check_declared(
    desired: &Desired,
    schema: &ConfigSchema,
    places: &impl Places,
    leniency: Leniency,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let Some(declared) = desired.declared.config() else { return diagnostics };
    let (config, unknown_secrets) = with_secrets(desired, declared);
    let is_secret = |path: &FieldPath| {
        let full = FieldPath::config().join(path);
        desired.declared.secrets().contains_key(&full) || secret::at(&schema.graph, &config, path).is_secret()
    };
    if !schema.patterns.pay_for_names(&config) {
        // Whoever checks all manifests says so, once.
        return diagnostics;
    }
    let mut report = |fault: Fault, severity: Severity| {
        diagnostics.push(diagnostic(fault, severity, desired, places));
    };
    if !schema.declared.is_valid(&config) {
        for fault in explain::declared(schema, &config, &is_secret) {
            // A name stands where the secret's value would; only its being text is known.
            if unknown_secrets.contains(&fault.path) && fault.code != codes::TYPE {
                continue;
            }
            let severity = severity(&fault, leniency);
            report(fault, severity);
        }
    }
    for Unknown { fault, closed } in unknown::find(&schema.graph, declared) {
        // The service lets any name through and acts on none but its own, so a name that the schema does not list is as
        // good as a mistake. Only who says that the service knows more than its schema is taken at their word.
        let is_error = closed || leniency == Leniency::Strict;
        report(fault, if is_error { Severity::Error } else { Severity::Warning });
    }
    diagnostics
}

fn severity(fault: &Fault, leniency: Leniency) -> Severity {
    if leniency == Leniency::Lenient && fault.is_merely_unlisted() { Severity::Warning } else { Severity::Error }
}

/// The declared config with its secrets in clear as far as this run has them, and the paths of those that it has not.
/// It never leaves the check: messages quote nothing at these paths.
fn with_secrets(desired: &Desired, declared: &Value) -> (Value, Vec<FieldPath>) {
    let mut config = declared.clone();
    let mut unknown = Vec::new();
    for (path, text) in desired.declared.secrets() {
        let Some(within) = path.within_config() else { continue };
        match text.reveal() {
            Some(text) => within.set(&mut config, Value::String(text)),
            None => unknown.push(within),
        }
    }
    (config, unknown)
}

fn diagnostic(fault: Fault, severity: Severity, desired: &Desired, places: &impl Places) -> Diagnostic {
    let Fault { path, spot, code, message, hints, meant } = fault;
    let path = FieldPath::config().join(&path);
    let exact = match spot {
        Spot::Value => places.value(&path),
        Spot::Key => places.key(&path),
        Spot::Absent => None,
    };
    let place = exact
        .clone()
        .or_else(|| (spot == Spot::Absent).then(|| first_sibling(&path, desired, places)).flatten())
        .or_else(|| nearest_place(&path, places))
        .map_or_else(|| Place::Line(desired.origin.clone()), Place::Span);
    let mut diagnostic = Diagnostic::new(severity, code, message).at(place).label(path.to_string());
    diagnostic.hints = hints;
    if let (Some(span), Some(meant)) = (exact, meant) {
        let title = match spot {
            Spot::Key => format!("rename it to `{meant}`"),
            Spot::Value | Spot::Absent => format!("replace it with `{meant}`"),
        };
        // In quotes, which YAML and JSON both take, whatever the word is.
        diagnostic = diagnostic.fix(span, Value::String(meant).to_string(), title);
    }
    diagnostic
}

/// The first key of a list's element in which something is missing: the element has no name, and all of it would be too
/// much to point at.
fn first_sibling(path: &FieldPath, desired: &Desired, places: &impl Places) -> Option<Span> {
    let parent = path.parent()?;
    if places.key(&parent).is_some() {
        return None;
    }
    let object = parent.get(desired.declared.tree())?.as_object()?;
    places.key(&parent.child(object.keys().next()?))
}

/// The key or the value of the closest place above that stands in a text.
fn nearest_place(path: &FieldPath, places: &impl Places) -> Option<Span> {
    let mut at = Some(path.clone());
    while let Some(path) = at {
        if let Some(span) = places.key(&path).or_else(|| places.value(&path)) {
            return Some(span);
        }
        at = path.parent();
    }
    None
}
