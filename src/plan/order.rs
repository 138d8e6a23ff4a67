//! In which order fields are shown: as the schema has them, with long texts last.

use std::cmp::Ordering;

use serde_json::Value;

use crate::model::{ConfigShape, FieldPath};

use super::change::{FieldChange, Shown};

/// Longest text that is a word or a name rather than prose.
const PROSE_LENGTH: usize = 80;

/// Whether a value is more than a word or a name.
pub(super) fn is_prose(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() > PROSE_LENGTH || text.contains('\n'))
}

/// Schema order, with long texts last: a prompt must not hide the short, risky fields behind it.
pub(super) fn order_fields(fields: &mut [FieldChange], config: &Value, shape: &dyn ConfigShape) {
    order_by_schema(fields, |field| (&field.path, [Some(&field.before), Some(&field.after)]), config, shape);
}

/// The same order for anything that has a path and shows values.
pub(super) fn order_by_schema<T>(
    fields: &mut [T],
    of: impl Fn(&T) -> (&FieldPath, [Option<&Shown>; 2]),
    config: &Value,
    shape: &dyn ConfigShape,
) {
    let is_long = |shown: [Option<&Shown>; 2]| {
        shown.into_iter().flatten().any(|shown| matches!(shown, Shown::Value(value) if is_prose(value)))
    };
    fields.sort_by(|a, b| {
        let ((a, a_shown), (b, b_shown)) = (of(a), of(b));
        (a.in_config(), is_long(a_shown))
            .cmp(&(b.in_config(), is_long(b_shown)))
            .then_with(|| by_schema(a, b, config, shape))
    });
}

fn by_schema(a: &FieldPath, b: &FieldPath, config: &Value, shape: &dyn ConfigShape) -> Ordering {
    let shared = a.steps().iter().zip(b.steps()).take_while(|(a, b)| a == b).count();
    let parent = FieldPath::of(a.steps().iter().take(shared).cloned());
    let order = if parent.in_config() { shape.property_order(config, &parent) } else { Vec::new() };
    let rank = |path: &FieldPath| {
        let step = path.steps().get(shared)?;
        Some((order.iter().position(|name| name == step).unwrap_or(usize::MAX), step.clone()))
    };
    rank(a).cmp(&rank(b))
}
