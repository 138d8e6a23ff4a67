//! PURE. What is declared, against what is live and what was applied: a plan that leaves `apply` nothing to decide.
//!
//! `build` is the entry. `identity` ties manifests to agents, `threeway` compares what is declared, applied and live, for
//! plans and for drift alike, `agent`, `config` and `slots` say what is written, `merge` makes the new config, `guard` holds
//! the limits, `hash` says what a change means.

pub mod agent;
pub mod alarms;
pub mod approve;
pub mod back;
pub mod between;
pub mod build;
pub mod change;
pub mod codes;
pub mod compare;
pub mod conceal;
mod config;
pub mod contacts;
pub mod difference;
mod draft;
pub mod drift;
pub mod faults;
pub mod guard;
pub mod hash;
pub mod history;
pub mod identity;
pub mod imported;
pub mod listed;
pub mod mask;
pub mod masked;
pub mod merge;
pub mod needs;
mod one;
pub mod options;
mod order;
pub mod outcome;
pub mod portrait;
pub mod readback;
pub mod recheck;
pub mod removal;
pub mod rewritten;
pub mod saved;
pub mod scope;
pub mod slots;
pub mod stamping;
mod step;
pub mod threeway;
pub mod verify;
pub mod whose;
pub mod work;

pub use alarms::{Alarm, AlarmCode, alarms, alarms_of_difference, alarms_of_drift};
pub use approve::{Approval, ApprovedPlan, Record, Refusal, approve};
pub use back::BackTo;
pub use build::build;
pub use change::{
    Action, AgentChange, Cause, FieldChange, Held, KeptEdit, Kind, LimitBreach, NamedSecret, Notice, Orphan, Plan,
    Risk, Shown, SlotChange, SlotHolder, SlotTarget, Source, Summary, Target, Twin, Unchanged, Unmanaged,
};
pub use guard::{LimitKind, RaisedLimit};
pub use imported::{Import, ImportedAgent, ImportedSecret, LeftOut, NotImported, SecretUse};
pub use listed::{List, ListedAgent, ListedHolder, ListedNumber, ListedState, list};
pub use needs::configs_needed;
pub use options::{Inputs, Limits, LimitsBefore, Options};
pub use outcome::{AgentOutcome, Event, Outcome, Report, Traffic};
pub use recheck::{Rechecked, recheck};
pub use rewritten::{REWRITTEN, Rewrite};
pub use saved::{SavedPlan, SavedPlanError};
pub use step::Step;
pub use verify::VerifyChange;
pub use work::{Course, Refresh, Work};
