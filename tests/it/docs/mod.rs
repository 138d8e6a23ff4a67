//! `docs/`: the manual, and the two documents that comments cite, held to the program and to each other.

mod citations;
mod commands;
mod links;
mod manifests;
mod reference;
mod starting;

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    let path = root().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder of the repository that end in `.END`, in order.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    walkdir::WalkDir::new(root().join(folder))
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == end))
        .collect()
}

/// A file's name as the repository has it.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The documents that are read by people, by their names in the repository.
pub fn pages() -> Vec<String> {
    let beside = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "AGENTS.md", "tests/README.md"].map(str::to_owned);
    beside.into_iter().chain(files("docs", "md").iter().map(|path| shown(path))).collect()
}

/// The blocks of code in these languages, without the indentation that a list gives them.
pub fn blocks(text: &str, languages: &[&str]) -> Vec<String> {
    let (mut found, mut open): (Vec<String>, Option<usize>) = (Vec::new(), None);
    let mut is_wanted = false;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        match (line.trim_start().strip_prefix("```"), open) {
            (Some(language), None) => {
                is_wanted = languages.contains(&language.trim());
                open = Some(indent);
                if is_wanted {
                    found.push(String::new());
                }
            }
            (Some(_), Some(_)) => open = None,
            (None, Some(margin)) if is_wanted => {
                if let Some(block) = found.last_mut() {
                    block.push_str(line.get(margin..).unwrap_or_default());
                    block.push('\n');
                }
            }
            (None, _) => {}
        }
    }
    found
}
