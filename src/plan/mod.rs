//! PURE. What is declared, against what is live and what was applied: a plan that leaves `apply` nothing to decide.

pub mod change;
pub mod outcome;
pub mod work;

pub use change::{
    Action, AgentChange, Cause, FieldChange, Held, KeptEdit, Kind, LimitBreach, Notice, Orphan, Plan, Risk, Shown,
    SlotChange, SlotHolder, SlotTarget, Source, Step, Summary, Target, Unchanged, Unmanaged,
};
pub use outcome::{AgentOutcome, Event, Outcome, Report, Traffic};
