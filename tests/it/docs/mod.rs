//! `docs/`: the manual, and the two documents that comments cite, held to the program and to each other.

mod citations;
mod reference;

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
