//! The `git` program as a child process: the one place that starts it.
//!
//! The files of a checkout may be a stranger's, and git runs programs that a configuration names. So it gets none of our
//! environment but where programs and a person's own configuration are (no token, no `GIT_DIR`), it never takes files of
//! the working tree for a repository, and what its subcommands could run is turned off. What remains is the
//! configuration of the checkout itself and of its user: whoever could write that has run programs here already.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::disk;

use super::settings;

/// How long git may take. Its answers come from this disk alone.
const PATIENCE: Duration = Duration::from_secs(60);

/// Most bytes of an answer: the names of a million files.
const MOST_OUTPUT: u64 = 256 * 1024 * 1024;

/// Most bytes that are kept of what it says on stderr.
const MOST_SAID: u64 = 16 * 1024;

/// Most bytes of a `.git` file.
const MOST_POINTER: usize = 8 * 1024;

/// Where nothing is: no hook is found in it.
const NOWHERE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// Variables that git gets of our own environment. On Windows no program starts without the first of the others, and
/// git finds a person's configuration by the rest.
const INHERITED: &[&str] = if cfg!(windows) {
    &["HOME", "LANG", "SYSTEMROOT", "USERPROFILE", "HOMEDRIVE", "HOMEPATH"]
} else {
    &["HOME", "LANG"]
};

/// Variables with fixed values. The system's configuration is read, for images of runners say there which folders git
/// may trust.
const FIXED: [(&str, &str); 5] = [
    ("LC_ALL", "C"),
    // Reading writes nothing, so that no hook is due after it.
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    // An object that a partial clone lacks is missing, not fetched: fetching runs what the configuration names for it.
    // Versions that do not know the first of the two are held by the second, an empty list of protocols.
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", ""),
];

/// Why git has not answered.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The folder is in no checkout.
    #[error("it is not in a git repository")]
    NoCheckout,
    /// A repository among the files of a checkout, which whoever wrote the files has put there.
    #[error("`{}` looks like a git repository but was not made by a checkout, so it is not trusted", .0.display())]
    Planted(PathBuf),
    /// The program is not there.
    #[error("the program `git` was not found in any folder of PATH outside of the checkout")]
    NoProgram,
    /// It could not be started, or not be read.
    #[error("the program `git` could not be run: {0}")]
    Io(#[from] io::Error),
    /// It failed, with these words.
    #[error("{0}")]
    Said(String),
    /// It was ended by us.
    #[error("the program `git` did not finish within {} seconds", PATIENCE.as_secs())]
    TooSlow,
    /// Its answer is longer than is read.
    #[error("the program `git` answered with more than {MOST_OUTPUT} bytes")]
    TooMuch,
}

/// Asks git in a folder, and waits for the answer.
pub fn ask(dir: &Path, arguments: &[&str]) -> Result<String, GitError> {
    let mut child = command(dir)?.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (answer, said) = (gather(child.stdout.take(), MOST_OUTPUT), gather(child.stderr.take(), MOST_SAID));
    let answer = answer.recv_timeout(PATIENCE);
    let is_cut = matches!(&answer, Ok(Ok(bytes)) if bytes.len() as u64 > MOST_OUTPUT);
    if answer.is_err() || is_cut {
        // It may have ended by itself just now, which is as good.
        let _ended = child.kill();
    }
    let status = child.wait()?;
    let answer = answer.map_err(|_| GitError::TooSlow)??;
    if is_cut {
        return Err(GitError::TooMuch);
    }
    if status.success() {
        return Ok(String::from_utf8_lossy(&answer).into_owned());
    }
    let said = said.recv_timeout(PATIENCE).map_err(|_| GitError::TooSlow)??;
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    Err(GitError::Said(if said.is_empty() { format!("git ended with {status}") } else { said }))
}

/// Starts git for a conversation over its pipes.
pub fn talk(dir: &Path, arguments: &[&str]) -> Result<Child, GitError> {
    let mut command = command(dir)?;
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    Ok(command.spawn()?)
}

/// Reads a stream beside this thread, a byte more than `most` at the most. Whoever writes more finds the pipe closed.
fn gather(stream: Option<impl Read + Send + 'static>, most: u64) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stream.map_or(Ok(0), |stream| stream.take(most.saturating_add(1)).read_to_end(&mut bytes));
        // Nobody listens any more if git was too slow.
        let _sent = sender.send(read.map(|_| bytes));
    });
    receiver
}

fn command(dir: &Path) -> Result<Command, GitError> {
    let root = root_of(dir)?;
    let folders = trusted_folders(&settings::inherited("PATH").unwrap_or_default(), &root);
    let program = program(&folders, &root).ok_or(GitError::NoProgram)?;
    let mut command = Command::new(program);
    command
        .args(["--no-pager", "-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false"])
        .args(["-c", &format!("core.hooksPath={NOWHERE}")])
        .arg("-C")
        .arg(dir)
        .env_clear()
        .env("PATH", std::env::join_paths(&folders).unwrap_or_default())
        .envs(INHERITED.iter().filter_map(|name| Some((name, settings::inherited(name)?))))
        .envs(FIXED)
        .stdin(Stdio::null());
    Ok(command)
}

/// The folders of `PATH` that nobody else's files are in: not those that depend on the current folder, and none below
/// the checkout.
fn trusted_folders(path: &OsStr, root: &Path) -> Vec<PathBuf> {
    // A checkout that is the whole machine holds every program, and that one is its user's.
    let is_inside = |folder: &Path| root.parent().is_some() && folder.starts_with(root);
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute() && folder.canonicalize().is_ok_and(|real| !is_inside(&real)))
        .collect()
}

/// The program in the first folder that has it. The system is not left to look for it: on Windows it would begin with
/// the current folder.
fn program(folders: &[PathBuf], root: &Path) -> Option<PathBuf> {
    let mut name = OsString::from("git");
    name.push(std::env::consts::EXE_SUFFIX);
    let is_one = |path: &PathBuf| {
        let is_inside = |real: PathBuf| root.parent().is_some() && real.starts_with(root);
        is_executable(path) && path.canonicalize().is_ok_and(|real| !is_inside(real))
    };
    folders.iter().map(|folder| folder.join(&name)).find(is_one)
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// The root of the checkout that a folder is in, as git would find it. Git takes a folder with the files of a repository
/// for one, and such files can be committed; `.git` itself cannot.
fn root_of(dir: &Path) -> Result<PathBuf, GitError> {
    let dir = dir.canonicalize()?;
    for folder in dir.ancestors() {
        let dot_git = folder.join(".git");
        match fs::symlink_metadata(&dot_git) {
            Ok(found) if found.is_dir() && !has_head(&dot_git) => {}
            Ok(found) if found.is_dir() => return Ok(folder.to_owned()),
            Ok(_) => {
                let repository = pointed_to(folder, &dot_git)?;
                return if is_among_files(&repository) {
                    Err(GitError::Planted(repository))
                } else {
                    Ok(folder.into())
                };
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        if has_head(folder) && (folder.join("objects").exists() || folder.join("commondir").exists()) {
            return Err(GitError::Planted(folder.to_owned()));
        }
    }
    Err(GitError::NoCheckout)
}

fn has_head(repository: &Path) -> bool {
    fs::symlink_metadata(repository.join("HEAD")).is_ok()
}

/// Where a `.git` that is a link or a file (of a worktree or a submodule) says that the repository is.
fn pointed_to(folder: &Path, dot_git: &Path) -> Result<PathBuf, GitError> {
    if fs::symlink_metadata(dot_git)?.is_symlink() {
        return Ok(dot_git.canonicalize()?);
    }
    let unreadable = |error: &dyn std::fmt::Display| GitError::Said(format!("{}: {error}", dot_git.display()));
    let text = disk::read_text(dot_git, MOST_POINTER).map_err(|error| unreadable(&error))?;
    let target = text.strip_prefix("gitdir:").ok_or_else(|| unreadable(&"it has no `gitdir:`"))?;
    Ok(folder.join(target.trim()).canonicalize()?)
}

/// Whether a repository lies among the files of a checkout, and not in its `.git`.
fn is_among_files(repository: &Path) -> bool {
    repository.ancestors().skip(1).any(|above| {
        let below = repository.strip_prefix(above).ok().and_then(|below| below.components().next());
        let is_in_git = below.is_some_and(|part| part.as_os_str().eq_ignore_ascii_case(".git"));
        !is_in_git && fs::symlink_metadata(above.join(".git")).is_ok()
    })
}
