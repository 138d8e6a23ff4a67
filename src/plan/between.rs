//! Two versions of one agent against each other, value by value, as a plan would show the change.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::{ConfigShape, Declared, Editor, FieldPath, Key, Seal};

use super::change::{Cause, FieldChange, Target};
use super::compare::changed_leaves;
use super::conceal::mark_alike;
use super::mask::{Labels, Mask};
use super::order::order_fields;

/// By what two versions are compared, and what of them may be shown.
#[derive(Clone, Copy)]
pub struct Comparing<'a> {
    /// The schema.
    pub shape: &'a dyn ConfigShape,
    /// The declaration, where there is a manifest: it knows where secrets stand.
    pub declared: Option<&'a Declared>,
    /// What is recorded of secrets that were sent.
    pub seal: Option<Seal<'a>>,
    /// Names of properties that the project says hold no secrets.
    pub not_secret: &'a BTreeSet<String>,
}

/// The difference of two versions.
#[derive(Clone, Debug)]
pub struct Between {
    /// Where they were read.
    pub target: Target,
    /// The agent's key, where it has one.
    pub key: Option<Key>,
    /// Its id.
    pub agent_id: String,
    /// Its name.
    pub name: String,
    /// The version that the values come from.
    pub from: Editor,
    /// The version that they lead to.
    pub to: Editor,
    /// The values that differ.
    pub fields: Vec<FieldChange>,
    /// The service's own words about the difference, where they were asked for. They decide nothing.
    pub summary: Option<String>,
    /// What a reader should know.
    pub notices: Vec<String>,
}

impl Comparing<'_> {
    /// The values that differ, in the order in which they are shown. `cause` says whose change it is.
    pub fn fields(&self, from: &Value, to: &Value, cause: Cause) -> Vec<FieldChange> {
        let Self { shape, declared, seal, not_secret } = *self;
        let labels = Labels::default();
        let before_mask = Mask { shape, declared, config: from, seal, not_secret, labels: &labels, as_applied: false };
        let after_mask = Mask { config: to, ..before_mask };
        let changed = changed_leaves(Some(from), to, &FieldPath::config());
        let mut fields: Vec<FieldChange> = changed
            .into_iter()
            .map(|(path, was, is)| FieldChange {
                secrets: Vec::new(),
                kind: after_mask.kind(&path, was, is),
                cause,
                before: before_mask.shown(&path, was),
                after: after_mask.shown(&path, is),
                applied: None,
                removal: is.is_none(),
                risk: None,
                origin: None,
                path,
            })
            .collect();
        order_fields(&mut fields, to, shape);
        mark_alike(&mut fields);
        fields
    }
}
