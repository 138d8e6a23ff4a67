//! The steps of a change: what `apply` will do to one agent, in order.

use std::collections::BTreeMap;

use crate::model::{Direction, PhoneNumber};

/// One thing that `apply` will do, in order (design, section 6). For people, and the order in which it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `POST /core/agents`, the stamp with its intent inside.
    CreateAgent,
    /// `PUT /core/agents/{id}`: intent and lease.
    WriteIntent,
    /// `POST …/versions` with `base_version`.
    CreateVersion {
        /// The version that it starts from.
        base: u64,
    },
    /// `POST …/versions` with the whole config: the agent's first version.
    CreateFirstVersion,
    /// `PUT …/versions/{n}` with the new config.
    PutConfig,
    /// Read back, and the fence beside it.
    ReadBack,
    /// Run the `verify` command.
    Verify,
    /// `POST …/publish`.
    Publish {
        /// Numbers by direction.
        assign: Vec<(Direction, Vec<PhoneNumber>)>,
    },
    /// `PUT /core/agents/{id}`: agent fields and the final stamp.
    WriteAgent,
    /// `POST …/publish` on the live version, emptying slots. Last, and only if no assignment failed.
    EmptySlots {
        /// Numbers by direction.
        unassign: Vec<(Direction, Vec<PhoneNumber>)>,
    },
    /// `DELETE /core/agents/{id}`. Last of all, and only if nothing failed.
    DeleteAgent,
}

impl Step {
    /// Publishing with these numbers.
    pub fn publish(assign: &BTreeMap<Direction, Vec<PhoneNumber>>) -> Self {
        Self::Publish { assign: assign.iter().map(|(direction, numbers)| (*direction, numbers.clone())).collect() }
    }

    /// Emptying the slots of these numbers.
    pub fn empty_slots(unassign: &BTreeMap<Direction, Vec<PhoneNumber>>) -> Self {
        let unassign = unassign.iter().map(|(direction, numbers)| (*direction, numbers.clone())).collect();
        Self::EmptySlots { unassign }
    }

    /// The step as a line for people and JSON.
    pub fn describe(&self) -> String {
        let list = |pairs: &[(Direction, Vec<PhoneNumber>)]| {
            pairs
                .iter()
                .map(|(direction, numbers)| {
                    let numbers: Vec<&str> = numbers.iter().map(PhoneNumber::as_str).collect();
                    format!("{direction} {}", numbers.join(", "))
                })
                .collect::<Vec<_>>()
                .join("; ")
        };
        match self {
            Self::CreateAgent => "create the agent".to_owned(),
            Self::WriteIntent => "record what is about to be done".to_owned(),
            Self::CreateVersion { base } => format!("create a version from version {base}"),
            Self::CreateFirstVersion => "create the first version".to_owned(),
            Self::PutConfig => "write its config".to_owned(),
            Self::ReadBack => "read it back".to_owned(),
            Self::Verify => "run verify".to_owned(),
            Self::Publish { assign } if assign.is_empty() => "publish".to_owned(),
            Self::Publish { assign } => format!("publish with {}", list(assign)),
            Self::WriteAgent => "write agent fields, and record what was applied".to_owned(),
            Self::EmptySlots { unassign } => format!("empty {}", list(unassign)),
            Self::DeleteAgent => "delete the agent".to_owned(),
        }
    }
}
