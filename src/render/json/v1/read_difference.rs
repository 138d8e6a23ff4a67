//! The document of a difference back to a difference, for showing. It may come from a stranger's run, so nothing in it
//! is taken for more than text.

use serde_json::Value;

use super::read::{entries, field, flag, key, text};
use crate::model::{Direction, Origin, PhoneNumber};
use crate::plan::Source;
use crate::plan::difference::{ClaimDifference, Difference, Fate, ManifestDifference, Revision};

/// What the document says it is.
pub const DIFFERENCE_KIND: &str = "difference";

/// Reads the document; `None` where it is not one. A manifest or a number that is not as this program writes it makes
/// the whole document none.
pub fn read_difference(document: &Value) -> Option<Difference> {
    if text(document, "kind")? != DIFFERENCE_KIND {
        return None;
    }
    let base = document.get("base")?;
    let source = document.get("source")?;
    let same = document.get("summary")?.get("same")?.as_u64()?;
    Some(Difference {
        project: text(document, "project")?,
        environment: text(document, "environment")?,
        base: Revision { name: text(base, "name")?, commit: text(base, "commit")? },
        head: Source { commit: text(source, "commit"), dirty: flag(source, "dirty") },
        manifests: document.get("manifests")?.as_array()?.iter().map(manifest).collect::<Option<_>>()?,
        numbers: document.get("numbers")?.as_array()?.iter().map(claim).collect::<Option<_>>()?,
        same: usize::try_from(same).ok()?,
        notices: entries(document, "notices").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

fn manifest(value: &Value) -> Option<ManifestDifference> {
    let source = value.get("source")?;
    let word = text(value, "fate")?;
    Some(ManifestDifference {
        key: key(value, "key")?,
        name: text(value, "name")?,
        fate: [Fate::Removed, Fate::Changed, Fate::Added].into_iter().find(|fate| fate.as_str() == word)?,
        moved_from: key(value, "moved_from"),
        origin: Origin { file: text(source, "file")?, line: usize::try_from(source.get("line")?.as_u64()?).ok()? },
        verify: super::verify::read(value).ok()?,
        fields: value.get("fields")?.as_array()?.iter().map(field).collect::<Option<_>>()?,
    })
}

fn claim(value: &Value) -> Option<ClaimDifference> {
    let word = text(value, "direction")?;
    Some(ClaimDifference {
        number: PhoneNumber::parse(&text(value, "number")?)?,
        direction: Direction::ALL.into_iter().find(|direction| direction.as_str() == word)?,
        from: key(value, "from"),
        to: key(value, "to"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_difference_reads_as_none() {
        let other = r#"{"kind": "drift", "project": "p", "environment": "e", "base": {"name": "n", "commit": "c"},
            "source": {}, "summary": {"same": 0}, "manifests": [], "numbers": []}"#;
        let no_number = r#"{"kind": "difference", "project": "p", "environment": "e", "base": {"name": "n", "commit":
            "c"}, "source": {}, "summary": {"same": 0}, "manifests": [], "numbers": [{"number": "x", "direction":
            "inbound"}]}"#;
        for text in ["null", "{}", r#"{"kind": "difference"}"#, other, no_number] {
            assert!(read_difference(&serde_json::from_str(text).unwrap()).is_none(), "{text}");
        }
        let empty = other.replace("drift", DIFFERENCE_KIND);
        assert!(read_difference(&serde_json::from_str(&empty).unwrap()).unwrap().is_empty());
    }
}
