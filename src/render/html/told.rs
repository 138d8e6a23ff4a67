//! The change of an agent with each of its values compared, and sorted by who changed it.

use crate::plan::{Action, AgentChange, Cause, FieldChange, Shown};
use crate::render::values::Change;

/// One value with what became of it.
pub(super) struct ToldField<'p> {
    pub(super) field: &'p FieldChange,
    pub(super) change: Change,
    /// A value of an agent that is made anew, where "none before" goes without saying.
    pub(super) is_new: bool,
}

/// The change of an agent.
pub(super) struct Told<'p> {
    pub(super) change: &'p AgentChange,
    pub(super) fields: Vec<ToldField<'p>>,
}

impl<'p> Told<'p> {
    pub(super) fn of(change: &'p AgentChange) -> Self {
        let told = |field: &'p FieldChange| ToldField {
            field,
            change: Change::of(&field.before, &field.after),
            is_new: change.action == Action::Create && field.before == Shown::Absent,
        };
        Self { change, fields: change.fields.iter().map(told).collect() }
    }

    /// The fields of some causes.
    pub(super) fn caused(&self, causes: &[Cause]) -> Vec<&ToldField<'p>> {
        self.fields.iter().filter(|told| causes.contains(&told.field.cause)).collect()
    }
}
