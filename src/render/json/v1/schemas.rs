//! The JSON Schemas of the documents, made from their types, are those that are committed for outsiders.
//!
//! `REACHFORM_BLESS=1 cargo test --lib schemas` writes them.

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the committed schemas are files")]
mod tests {
    use std::path::Path;

    use schemars::JsonSchema;
    use schemars::generate::SchemaSettings;
    use serde_json::Value;

    use super::super::commands::{AdoptDoc, CommentDoc, ExplainDoc, FailureDoc, ValidationDoc};
    use super::super::difference::DifferenceDoc;
    use super::super::drift::DriftDoc;
    use super::super::import::{ImportDoc, InitDoc, ListDoc};
    use super::super::plan::PlanDoc;
    use super::super::problems::ProblemsDoc;
    use super::super::report::ReportDoc;
    use super::super::versions::{AgentDoc, ComparisonDoc, LogDoc, ReleasedDoc, VersionsDoc};

    fn schema<T: JsonSchema>(title: &str) -> Value {
        let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
        schema.insert("title".to_owned(), format!("reachform {title}, version 1").into());
        schema.to_value()
    }

    #[test]
    fn the_committed_schemas_are_those_of_the_types() {
        let schemas = [
            ("plan", schema::<PlanDoc>("plan document")),
            ("report", schema::<ReportDoc>("report document")),
            ("drift", schema::<DriftDoc>("drift document")),
            ("import", schema::<ImportDoc>("import document")),
            ("init", schema::<InitDoc>("init document")),
            ("list", schema::<ListDoc>("list document")),
            ("difference", schema::<DifferenceDoc>("difference document")),
            ("agent", schema::<AgentDoc>("agent document")),
            ("versions", schema::<VersionsDoc>("versions document")),
            ("log", schema::<LogDoc>("log document")),
            ("released", schema::<ReleasedDoc>("released document")),
            ("comparison", schema::<ComparisonDoc>("comparison document")),
            ("problems", schema::<ProblemsDoc>("problems of a document")),
            ("validation", schema::<ValidationDoc>("validation document")),
            ("adopt", schema::<AdoptDoc>("adopt document")),
            ("comment", schema::<CommentDoc>("comment document")),
            ("explain", schema::<ExplainDoc>("explain document")),
            ("failure", schema::<FailureDoc>("failure document")),
        ];
        for (name, schema) in schemas {
            let text = format!("{schema:#}\n");
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/render/{name}.schema.json"));
            if std::env::var_os("REACHFORM_BLESS").is_some_and(|value| value == "1") {
                std::fs::write(&path, &text).unwrap();
            }
            assert!(std::fs::read_to_string(&path).unwrap_or_default() == text, "{}: bless it", path.display());
        }
    }
}
