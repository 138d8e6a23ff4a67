//! The recipes in `examples/workflows` and the repository's own workflow, held to what the action and the program really
//! take.

pub mod command_lines;
mod expression;
mod hosted;
mod recipes;
mod running;
mod running_gitlab;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// What stands for the action in a recipe, whose owner and commit only the reader knows.
const OUR_ACTION: &str = "OWNER/reachform@0000000000000000000000000000000000000000";

/// One YAML file.
struct Document {
    name: String,
    text: String,
    value: Value,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document(path: &Path) -> Document {
    let text = std::fs::read_to_string(path).unwrap();
    let value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Document { name: path.file_name().unwrap().to_string_lossy().into_owned(), text, value }
}

fn documents(folder: &str) -> Vec<Document> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "yml")).collect();
    paths.sort();
    paths.iter().map(|path| document(path)).collect()
}

/// The recipes for GitHub.
fn recipes() -> Vec<Document> {
    let recipes: Vec<_> =
        documents("examples/workflows").into_iter().filter(|one| one.name != "gitlab-ci.yml").collect();
    assert!(recipes.len() >= 6, "the recipes are gone");
    recipes
}

/// The recipes and the repository's own workflows.
fn workflows() -> Vec<Document> {
    documents(".github/workflows").into_iter().chain(recipes()).collect()
}

fn action() -> Value {
    document(&root().join("action.yml")).value
}

impl Document {
    /// The jobs, by name.
    fn jobs(&self) -> Vec<(&str, &Value)> {
        let jobs = self.value["jobs"].as_object().unwrap_or_else(|| panic!("{} has no jobs", self.name));
        jobs.iter().map(|(name, job)| (name.as_str(), job)).collect()
    }

    /// All steps.
    fn steps(&self) -> Vec<&Value> {
        self.jobs().into_iter().flat_map(|(_, job)| job["steps"].as_array().unwrap()).collect()
    }

    /// The steps that are our action.
    fn ours(&self) -> Vec<&Value> {
        self.steps().into_iter().filter(|step| is_ours(step)).collect()
    }

    /// The names of the events that start it.
    fn events(&self) -> Vec<&str> {
        match &self.value["on"] {
            Value::String(name) => vec![name],
            Value::Object(events) => events.keys().map(String::as_str).collect(),
            other => panic!("{}: {other}", self.name),
        }
    }
}

fn is_ours(step: &Value) -> bool {
    step["uses"] == OUR_ACTION || step["uses"] == "./"
}

fn words<'v>(value: &'v Value, name: &str) -> Vec<&'v str> {
    value[name].as_object().map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default()
}
