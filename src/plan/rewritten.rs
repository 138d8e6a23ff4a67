//! What is said where the service keeps another value than the one that the manifest declares.

use serde_json::Value;

use crate::model::FieldPath;

use super::change::Shown;

/// The code of a notice that the service keeps another value than the manifest declares.
pub const REWRITTEN: &str = "rewritten-by-the-service";

/// What such a notice says.
pub fn rewritten_message(path: &FieldPath, declared: &Shown, live: &Shown) -> String {
    format!("{path}: the manifest declares {}, and the service keeps {}", declared.in_words(), live.in_words())
}

/// Longest value that is shown within a sentence.
const IN_A_SENTENCE: usize = 80;

impl Shown {
    /// The value within a sentence.
    pub fn in_words(&self) -> String {
        match self {
            Self::Absent => "nothing".to_owned(),
            Self::Value(value) => {
                let text = value.to_string();
                match value {
                    Value::String(prose) if text.chars().count() > IN_A_SENTENCE => {
                        format!("a text of {} characters", prose.chars().count())
                    }
                    Value::Array(list) if text.chars().count() > IN_A_SENTENCE => {
                        format!("a list of {}", list.len())
                    }
                    _ => text,
                }
            }
            Self::Secret | Self::SecretByLook | Self::SecretUnchecked => "(secret)".to_owned(),
            Self::AtApply => "what is known only when it is applied".to_owned(),
        }
    }
}
