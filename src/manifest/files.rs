//! What the pure part asks of whoever holds the files: a folder on disk, a revision of a repository, a map in a test.

use std::collections::BTreeMap;

/// Files of one project. Every path is relative to the project, with `/` between its components.
pub trait Files {
    /// Follows a path, which may hold `..`, to the name of the file that it leads to, links resolved. Two paths to one
    /// file give one name, and a name never lies outside the project.
    fn follow(&self, path: &str) -> Result<String, FileError>;

    /// The bytes of a file, refused where they are more than `limit`.
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError>;

    /// Everything below a folder by path, what begins with a dot left out and links not followed. The path of a file
    /// gives that file alone.
    fn list(&self, path: &str) -> Result<Vec<Listed>, FileError>;
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its path.
    pub path: String,
    /// Whether it is a link, which is not followed.
    pub is_link: bool,
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is no such file.
    #[error("it does not exist")]
    NotFound,
    /// It is a folder, a socket or the like.
    #[error("it is not a file")]
    NotAFile,
    /// It lies outside the project, perhaps through a link.
    #[error("it is outside the project")]
    Outside,
    /// A component of its path begins with a dot, perhaps after a link.
    #[error("it is hidden")]
    Hidden,
    /// It is larger than is read.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: usize,
    },
    /// In a pipeline, it is not one of the files that git tracks.
    #[error("git does not track `{name}`")]
    Untracked {
        /// Its name, links resolved.
        name: String,
    },
    /// The system refused.
    #[error("{0}")]
    Refused(String),
}

/// Takes `.` and `..` out of a path; `None` where it leaves the project or is not relative.
pub fn normalize(path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut out: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                out.pop()?;
            }
            part => out.push(part),
        }
    }
    Some(out.join("/"))
}

/// Whether a path ends in one of some extensions, written in lower case; how they are written in the path is one.
pub fn has_extension(path: &str, extensions: &[&str]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    extensions.iter().any(|wanted| extension.eq_ignore_ascii_case(wanted))
}

/// Whether a component of a path begins with a dot, `.` and `..` apart.
pub fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.') && part != "." && part != "..")
}

/// Puts a path behind the folder of the file in which it was written.
pub fn beside(file: &str, path: &str) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{path}"),
        None => path.to_owned(),
    }
}

/// Files held in memory: a revision read from a repository, or a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryFiles(BTreeMap<String, Vec<u8>>);

impl MemoryFiles {
    /// Adds a file.
    pub fn add(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), bytes.into());
    }

    fn holds_folder(&self, folder: &str) -> bool {
        folder.is_empty() || self.0.keys().any(|path| is_below(path, folder))
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

impl Files for MemoryFiles {
    fn follow(&self, path: &str) -> Result<String, FileError> {
        let path = normalize(path).ok_or(FileError::Outside)?;
        if is_hidden(&path) {
            return Err(FileError::Hidden);
        }
        if self.0.contains_key(&path) {
            return Ok(path);
        }
        Err(if self.holds_folder(&path) { FileError::NotAFile } else { FileError::NotFound })
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        let bytes = self.0.get(path).ok_or(FileError::NotFound)?;
        if bytes.len() > limit { Err(FileError::TooLarge { limit }) } else { Ok(bytes.clone()) }
    }

    fn list(&self, path: &str) -> Result<Vec<Listed>, FileError> {
        let path = normalize(path).ok_or(FileError::Outside)?;
        let listed = |path: &String| Listed { path: path.clone(), is_link: false };
        if let Some((path, _)) = self.0.get_key_value(&path) {
            return Ok(vec![listed(path)]);
        }
        if !self.holds_folder(&path) {
            return Err(FileError::NotFound);
        }
        let below = |found: &&String| {
            let rest = found.get(path.len()..).unwrap_or_default();
            is_below(found, &path) && !is_hidden(rest)
        };
        Ok(self.0.keys().filter(below).map(listed).collect())
    }
}

/// Files with changes that are made in memory alone.
#[derive(Clone)]
pub struct EditedFiles<'f> {
    files: &'f dyn Files,
    changed: BTreeMap<String, Vec<u8>>,
}

impl<'f> EditedFiles<'f> {
    /// The files as they are.
    pub fn new(files: &'f dyn Files) -> Self {
        Self { files, changed: BTreeMap::new() }
    }

    /// Changes a file that is there, or adds one.
    pub fn change(&mut self, name: String, bytes: Vec<u8>) {
        self.changed.insert(name, bytes);
    }

    /// The changed files, by name.
    pub fn into_changed(self) -> BTreeMap<String, Vec<u8>> {
        self.changed
    }
}

impl Files for EditedFiles<'_> {
    fn follow(&self, path: &str) -> Result<String, FileError> {
        match normalize(path) {
            Some(name) if self.changed.contains_key(&name) => Ok(name),
            _ => self.files.follow(path),
        }
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        match self.changed.get(path) {
            Some(bytes) if bytes.len() > limit => Err(FileError::TooLarge { limit }),
            Some(bytes) => Ok(bytes.clone()),
            None => self.files.read(path, limit),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Listed>, FileError> {
        let folder = normalize(path).ok_or(FileError::Outside)?;
        let is_here = |name: &&String| **name == folder || is_below(name, &folder);
        let mut added: BTreeMap<&String, Listed> = self
            .changed
            .keys()
            .filter(is_here)
            .map(|name| (name, Listed { path: name.clone(), is_link: false }))
            .collect();
        match self.files.list(path) {
            Ok(listed) => {
                for entry in &listed {
                    added.remove(&entry.path);
                }
                let mut all: Vec<Listed> = listed.into_iter().chain(added.into_values()).collect();
                all.sort_by(|a, b| a.path.cmp(&b.path));
                Ok(all)
            }
            Err(FileError::NotFound) if !added.is_empty() => Ok(added.into_values().collect()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_one_however_it_is_written() {
        assert!(has_extension("a/b.YAML", &["yaml", "yml"]) && has_extension("b.yml", &["yaml", "yml"]));
        assert!(!has_extension("a.yaml/b", &["yaml"]) && !has_extension("yaml", &["yaml"]));
    }

    #[test]
    fn a_path_cannot_leave_the_project() {
        assert_eq!(normalize("agents/../prompts/./a.md").as_deref(), Some("prompts/a.md"));
        assert_eq!(normalize("../a.md"), None);
        assert_eq!(normalize("/etc/passwd"), None);
        assert_eq!(normalize("a/../../b"), None);
    }

    #[test]
    fn hidden_files_are_neither_listed_nor_followed() {
        let mut files = MemoryFiles::default();
        files.add("agents/a.yaml", "");
        files.add("agents/.b.yaml", "");
        files.add("agentsx/c.yaml", "");
        assert_eq!(files.list("agents/").map(|found| found.len()), Ok(1));
        assert_eq!(files.follow("agents/.b.yaml"), Err(FileError::Hidden));
        assert_eq!(files.follow("agents"), Err(FileError::NotAFile));
        assert_eq!(files.list("absent"), Err(FileError::NotFound));
    }
}
