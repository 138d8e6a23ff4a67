//! What becomes of a `verify`, as JSON and back.

use serde::Serialize;
use serde_json::Value;

use crate::model::Verify;
use crate::plan::VerifyChange;

/// The change, with all arguments as they are.
#[derive(Serialize)]
pub(super) struct VerifyJson<'p> {
    change: &'static str,
    /// Null where there was none, or where only its hash is known.
    before: Option<ProgramJson<'p>>,
    after: Option<ProgramJson<'p>>,
    risk: &'static str,
}

#[derive(Serialize)]
struct ProgramJson<'p> {
    command: &'p [String],
    env: &'p [String],
}

impl<'p> From<&'p VerifyChange> for VerifyJson<'p> {
    fn from(change: &'p VerifyChange) -> Self {
        let program = |verify: &'p Verify| ProgramJson { command: &verify.command, env: &verify.env };
        Self {
            change: change.as_str(),
            before: change.before().map(program),
            after: change.after().map(program),
            risk: change.risk(),
        }
    }
}

/// Something that is not as this program writes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads it from a change or a manifest of a document.
pub(super) fn read(parent: &Value) -> Result<Option<VerifyChange>, Malformed> {
    let value = parent.get("verify").filter(|value| !value.is_null());
    value.map(|value| change(value).ok_or(Malformed)).transpose()
}

fn change(value: &Value) -> Option<VerifyChange> {
    let program = |name: &str| value.get(name).filter(|program| !program.is_null());
    let before = match program("before") {
        Some(before) => Some(verify(before)?),
        None => None,
    };
    Some(match value.get("change")?.as_str()? {
        "added" => VerifyChange::Added { after: verify(program("after")?)? },
        "changed" => VerifyChange::Changed { before, after: verify(program("after")?)? },
        "removed" => VerifyChange::Removed { before },
        _ => return None,
    })
}

fn verify(program: &Value) -> Option<Verify> {
    let texts = |name: &str| -> Option<Vec<String>> {
        program.get(name)?.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
    };
    Some(Verify { command: texts("command")?, env: texts("env")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_of_verify_survives_writing_and_reading() {
        let program = |name: &str| Verify { command: vec![name.to_owned(), String::new()], env: vec!["A".to_owned()] };
        for change in [
            VerifyChange::Added { after: program("a") },
            VerifyChange::Changed { before: None, after: program("a") },
            VerifyChange::Changed { before: Some(program("b")), after: program("a") },
            VerifyChange::Removed { before: Some(program("b")) },
            VerifyChange::Removed { before: None },
        ] {
            let written = json!({"verify": VerifyJson::from(&change)});
            assert_eq!(read(&written), Ok(Some(change)));
        }
        assert_eq!(read(&json!({})), Ok(None));
        for broken in
            [json!({"change": "added"}), json!({"change": "other"}), json!({"change": "removed", "before": 1})]
        {
            assert_eq!(read(&json!({"verify": broken})), Err(Malformed));
        }
    }
}
