//! A state of the repository as files: read from the objects of the `git` program, without touching the working tree.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout};
use std::rc::Rc;

use crate::manifest::files::{Listed, beside, is_hidden, normalize};
use crate::manifest::{FileError, Files};
use crate::model::Key;
use crate::plan::difference::Revision;
use crate::plan::drift::{Elsewhere, Provenance};
use crate::session::Past;

use super::checkout::{GitError, ask, talk};
use super::command;
use super::report::CommandError;

/// How many links may lead to each other.
const MOST_LINKS: usize = 8;

/// What the tree holds at a path.
#[derive(Clone, Debug)]
struct Blob {
    object: String,
    is_link: bool,
}

/// Longest target of a link.
const LONGEST_TARGET: usize = 4096;

/// The files below a folder as they were at a commit.
pub struct GitFiles {
    blobs: BTreeMap<String, Blob>,
    reader: RefCell<ObjectReader>,
    lacking: RefCell<BTreeSet<String>>,
}

/// What came of asking for an object.
enum Object {
    Whole(Vec<u8>),
    TooLarge,
    Missing,
}

/// `git cat-file --batch`: one process for all objects.
struct ObjectReader {
    child: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// Finds the commit that a name stands for.
pub fn find(dir: &Path, name: &str) -> Result<Revision, CommandError> {
    if name.is_empty() || name.starts_with('-') {
        return Err(CommandError::usage(format!("`{name}` is not the name of a commit")));
    }
    let shown = dir.display();
    match ask(dir, &["rev-parse", "--is-inside-work-tree"]) {
        Ok(_) => {}
        Err(error @ (GitError::NoCheckout | GitError::Said(_))) => {
            return Err(CommandError::chain(format!("{shown} is not in a git repository"), &error));
        }
        Err(error) => {
            return Err(CommandError::chain("the commits of this checkout could not be read", &error)
                .hint("`diff --base` reads the older state of the manifests from git"));
        }
    }
    if let Some(commit) = commit(dir, name) {
        return Ok(Revision { name: name.to_owned(), commit });
    }
    let error = CommandError::config(format!("this checkout has no commit `{name}`"));
    let is_shallow = ask(dir, &["rev-parse", "--is-shallow-repository"]).is_ok_and(|said| said.trim() == "true");
    Err(if is_shallow {
        error
            .cause("the checkout is shallow: it holds only the newest commits")
            .hint("in a workflow, give `actions/checkout` the input `fetch-depth: 0`")
            .hint(format!("or fetch it: `{}`", fetching(name)))
    } else {
        error.hint(format!("fetch it: `{}`", fetching(name)))
    })
}

/// The command that brings a commit here under the name by which it is asked for.
fn fetching(name: &str) -> String {
    let is_hash = name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let what = match name.strip_prefix("origin/") {
        Some(branch) => format!("{branch}:refs/remotes/origin/{branch}"),
        None if is_hash => name.to_owned(),
        // What is counted from another commit, as `main~3`, is there once all commits are.
        None if name.contains(['~', '^', '@']) => return "git fetch --unshallow origin".to_owned(),
        None => format!("{name}:{name}"),
    };
    format!("git fetch origin {}", command::quoted(&what))
}

/// The commit that a name stands for, where this checkout has it.
pub fn commit(dir: &Path, name: &str) -> Option<String> {
    let name = format!("{name}^{{commit}}");
    let found = ask(dir, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name]).ok()?;
    Some(found.trim().to_owned())
}

/// What earlier commits of a folder say, for a check that must tell a deleted agent from one that was never made.
pub struct GitPast<'a> {
    /// The project's folder.
    pub dir: &'a Path,
    /// The environment that was asked for.
    pub environment: Option<&'a str>,
    /// What was read already, by commit: one apply stamps many agents with the same one.
    known: RefCell<BTreeMap<String, Option<Rc<Manifests>>>>,
}

/// The manifests of a commit by key, each with the digest of its source.
struct Manifests {
    sources: BTreeMap<Key, String>,
    /// Whether all of them could be made out.
    is_whole: bool,
}

impl<'a> GitPast<'a> {
    /// The history of a folder.
    pub fn new(dir: &'a Path, environment: Option<&'a str>) -> Self {
        Self { dir, environment, known: RefCell::default() }
    }

    fn at(&self, name: &str) -> Option<Rc<Manifests>> {
        // It comes from a stamp, so it is looked at before git sees it.
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        if let Some(known) = self.known.borrow().get(name) {
            return known.clone();
        }
        let found = self.read(name).map(Rc::new);
        self.known.borrow_mut().insert(name.to_owned(), found.clone());
        found
    }

    fn read(&self, name: &str) -> Option<Manifests> {
        let revision = Revision { name: name.to_owned(), commit: commit(self.dir, name)? };
        let files = GitFiles::open(self.dir, &revision).ok()?;
        let resolved = crate::manifest::resolve(&files, self.environment, &|_| None);
        Some(Manifests {
            is_whole: !resolved.diagnostics.has_errors(),
            sources: resolved.desired.into_iter().map(|desired| (desired.key, desired.source.to_string())).collect(),
        })
    }
}

impl Past for GitPast<'_> {
    fn keys_at(&self, name: &str) -> Option<BTreeSet<Key>> {
        let found = self.at(name).filter(|found| found.is_whole)?;
        Some(found.sources.keys().cloned().collect())
    }

    fn provenance(&self, name: Option<&str>, key: &Key, source: &str) -> Option<Provenance> {
        ask(self.dir, &["rev-parse", "--verify", "--quiet", "HEAD"]).ok()?;
        let Some(name) = name else { return Some(Provenance::Elsewhere(Elsewhere::NoCheckout)) };
        let Some(found) = self.at(name) else {
            let is_shallow =
                ask(self.dir, &["rev-parse", "--is-shallow-repository"]).is_ok_and(|said| said.trim() == "true");
            return Some(if is_shallow {
                Provenance::Untold(
                    "the checkout is shallow: fetch the whole history (`fetch-depth: 0` of `actions/checkout`)",
                )
            } else {
                Provenance::Elsewhere(Elsewhere::OtherCommit)
            });
        };
        if ask(self.dir, &["merge-base", "--is-ancestor", name, "HEAD"]).is_err() {
            return Some(Provenance::Elsewhere(Elsewhere::OtherCommit));
        }
        Some(match found.sources.get(key) {
            Some(then) if then == source => Provenance::Pending,
            None if !found.is_whole => Provenance::Untold("the manifests of the commit that was applied have mistakes"),
            Some(_) | None => Provenance::Elsewhere(Elsewhere::Uncommitted),
        })
    }
}

impl GitFiles {
    /// The files of a folder at a commit. A folder that was not there holds none.
    pub fn open(dir: &Path, revision: &Revision) -> Result<Self, CommandError> {
        let commit = &revision.commit;
        let unlisted = |error| CommandError::chain(format!("the files of {commit} could not be listed"), &error);
        let listing = ask(dir, &["ls-tree", "-r", "-z", commit]).map_err(unlisted)?;
        let blobs = listing.split('\0').filter_map(entry).collect();
        let reader = ObjectReader::start(dir).map_err(unlisted)?;
        Ok(Self { blobs, reader: RefCell::new(reader), lacking: RefCell::default() })
    }

    /// Fails if a file was asked for whose content a partial clone does not hold: what it says is then unknown, and
    /// not absent. It is never fetched, because fetching runs what the configuration of the checkout names for it.
    pub fn check_nothing_was_lacking(&self) -> Result<(), CommandError> {
        let lacking = self.lacking.borrow();
        let Some(first) = lacking.first() else { return Ok(()) };
        let more = if lacking.len() > 1 { format!(" and {} more", lacking.len() - 1) } else { String::new() };
        Err(CommandError::config("the base could not be read completely")
            .cause(format!("this checkout is a partial clone that does not hold `{first}`{more}"))
            .hint("in a workflow, give `actions/checkout` neither `filter` nor `sparse-checkout`")
            .hint("or fetch what is missing: git fetch --refetch --no-filter origin"))
    }

    fn bytes(&self, path: &str, blob: &Blob, limit: usize) -> Result<Vec<u8>, FileError> {
        match self.reader.borrow_mut().read(&blob.object, limit) {
            Ok(Object::Whole(bytes)) => Ok(bytes),
            Ok(Object::TooLarge) => Err(FileError::TooLarge { limit }),
            Ok(Object::Missing) => {
                self.lacking.borrow_mut().insert(path.to_owned());
                Err(FileError::Refused("this partial clone does not hold it".to_owned()))
            }
            Err(error) => Err(FileError::Refused(error.to_string())),
        }
    }

    fn holds_folder(&self, folder: &str) -> bool {
        folder.is_empty() || self.blobs.keys().any(|path| is_below(path, folder))
    }
}

/// `<mode> <type> <object>\t<path>`
fn entry(line: &str) -> Option<(String, Blob)> {
    let (facts, path) = line.split_once('\t')?;
    let mut facts = facts.split_ascii_whitespace();
    let (mode, kind, object) = (facts.next()?, facts.next()?, facts.next()?);
    let blob = Blob { object: object.to_owned(), is_link: mode == "120000" };
    (kind == "blob").then(|| (path.to_owned(), blob))
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

impl Files for GitFiles {
    fn follow(&self, path: &str) -> Result<String, FileError> {
        let mut path = normalize(path).ok_or(FileError::Outside)?;
        for _ in 0..MOST_LINKS {
            if is_hidden(&path) {
                return Err(FileError::Hidden);
            }
            let Some(blob) = self.blobs.get(&path) else {
                return Err(if self.holds_folder(&path) { FileError::NotAFile } else { FileError::NotFound });
            };
            if !blob.is_link {
                return Ok(path);
            }
            let target = String::from_utf8(self.bytes(&path, blob, LONGEST_TARGET)?).map_err(|_| FileError::Outside)?;
            path = normalize(&beside(&path, &target)).filter(|_| !target.starts_with('/')).ok_or(FileError::Outside)?;
        }
        Err(FileError::Refused("its links form a cycle".to_owned()))
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        let path = self.follow(path)?;
        let blob = self.blobs.get(&path).ok_or(FileError::NotFound)?;
        self.bytes(&path, blob, limit)
    }

    fn list(&self, path: &str) -> Result<Vec<Listed>, FileError> {
        let path = normalize(path).ok_or(FileError::Outside)?;
        let listed = |(path, blob): (&String, &Blob)| Listed { path: path.clone(), is_link: blob.is_link };
        if let Some(found) = self.blobs.get_key_value(&path) {
            return Ok(vec![listed(found)]);
        }
        if !self.holds_folder(&path) {
            return Err(FileError::NotFound);
        }
        let below = |(found, _): &(&String, &Blob)| {
            is_below(found, &path) && !is_hidden(found.get(path.len()..).unwrap_or_default())
        };
        Ok(self.blobs.iter().filter(below).map(listed).collect())
    }
}

impl ObjectReader {
    fn start(dir: &Path) -> Result<Self, GitError> {
        let mut child = talk(dir, &["cat-file", "--batch"])?;
        let gone = || std::io::Error::other("git closed its pipes");
        let ask = child.stdin.take().ok_or_else(gone)?;
        let answers = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        Ok(Self { child, ask: Some(ask), answers })
    }

    fn read(&mut self, object: &str, limit: usize) -> std::io::Result<Object> {
        let ask = self.ask.as_mut().ok_or_else(|| std::io::Error::other("git has ended"))?;
        writeln!(ask, "{object}")?;
        ask.flush()?;
        let mut header = String::new();
        self.answers.read_line(&mut header)?;
        let header = header.trim_end();
        // Some versions end instead of saying so.
        if header.is_empty() || header.ends_with(" missing") {
            return Ok(Object::Missing);
        }
        let size = header.rsplit(' ').next().and_then(|size| size.parse::<usize>().ok());
        let size = size.ok_or_else(|| std::io::Error::other(format!("git said `{header}`")))?;
        if size > limit {
            let rest = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
            std::io::copy(&mut self.answers.by_ref().take(rest), &mut std::io::sink())?;
            return Ok(Object::TooLarge);
        }
        let mut bytes = vec![0; size];
        self.answers.read_exact(&mut bytes)?;
        // A line feed ends every object.
        self.answers.read_exact(&mut [0])?;
        Ok(Object::Whole(bytes))
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        // Without anyone who asks, git ends by itself.
        drop(self.ask.take());
        if let Err(error) = self.child.wait() {
            tracing::debug!(%error, "git did not end");
        }
    }
}
