//! Whether the new config is valid as a whole, and whose fault it is where it is not (design, section 4).

use serde_json::Value;

use crate::diagnostics::{Diagnostic, Place};
use crate::model::shape::ShapeFault;
use crate::model::value::same;

use super::agent::AgentInputs;
use super::mask::Mask;

/// Judges the faults of a new config.
///
/// At a declared path a fault is an error, or a warning where the declared value is what is live already. At an
/// undeclared path it is a notice where live has it too, and an error where this plan would bring it about.
pub fn judge(inputs: &AgentInputs<'_>, live: Option<&Value>, new: &Value) -> Vec<Diagnostic> {
    let faults = inputs.shape.faults(new);
    if faults.is_empty() {
        return Vec::new();
    }
    let live_faults = live.map(|live| inputs.shape.faults(live)).unwrap_or_default();
    let declared = inputs.desired.declared.leaves();
    let mask = Mask { declared: Some(&inputs.desired.declared), config: new, ..inputs.mask() };
    faults.iter().map(|fault| classify(inputs, fault, &live_faults, &declared, live, &mask)).collect()
}

fn classify(
    inputs: &AgentInputs<'_>,
    fault: &ShapeFault,
    live_faults: &[ShapeFault],
    declared: &[(crate::model::FieldPath, Value)],
    live: Option<&Value>,
    mask: &Mask<'_>,
) -> Diagnostic {
    // The schema knows its own secret places, but not where a `!secret` stands: what it says there may quote the value.
    let hidden = || {
        let value = fault.path.within_config().and_then(|inner| inner.get(mask.config));
        value.is_some_and(|value| mask.is_secret(&fault.path, value))
    };
    let message = match inputs.desired.declared.secrets().get(&fault.path) {
        Some(secret) => format!("{}: `{}` is not what the schema asks for", fault.path, secret.named()),
        None if hidden() => format!("{}: (secret) is not what the schema asks for", fault.path),
        None => format!("{}: {}", fault.path, fault.message),
    };
    let place = Place::Field { address: inputs.desired.address(), path: fault.path.clone() };
    let is_declared = declared.iter().any(|(path, _)| fault.path.starts_with(path));
    let stands_in_live = live_faults.contains(fault);
    if is_declared {
        let inner = fault.path.within_config();
        let unchanged = live.zip(inner).is_some_and(|(live, inner)| {
            match (inner.get(live), fault.path.get(inputs.desired.declared.tree())) {
                (Some(live), Some(declared)) => same(live, declared),
                (None, None) => true,
                _ => false,
            }
        });
        return if stands_in_live && unchanged {
            Diagnostic::warning("invalid-as-live", message)
                .at(place)
                .hint("the live version has this value too, so the service accepted it")
        } else {
            Diagnostic::error("invalid-config", message).at(place)
        };
    }
    if stands_in_live {
        Diagnostic::notice(
            "live-config-invalid",
            format!("{message} (so it is live already, at a path that is not declared)"),
        )
        .at(place)
    } else {
        Diagnostic::error("invalid-config", message)
            .at(place)
            .hint("the new config would be refused: declare what is missing, or take out what does not fit")
    }
}
