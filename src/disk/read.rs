//! Reading: a regular file, up to a bound.

use std::fs::{File, FileType};
use std::io::{self, Read as _};
use std::path::Path;

use super::open::{self, Links};

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is something else than a regular file, or a link where none may be.
    #[error("it is {0}, and only regular files are read")]
    NotAFile(&'static str),
    /// It is larger than is read.
    #[error("it is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: usize,
    },
    /// It is not text.
    #[error("it is not UTF-8 text")]
    NotText,
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ReadError {
    /// Whether there is nothing at the path.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
    }
}

/// Reads a file that a person or the pipeline named. Links are followed: whoever named the path chose them.
pub fn read(path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
    bounded(open::for_reading(path, Links::Followed)?, limit)
}

/// The same, as text.
pub fn read_text(path: &Path, limit: usize) -> Result<String, ReadError> {
    String::from_utf8(read(path, limit)?).map_err(|_| ReadError::NotText)
}

/// Reads a file that this program keeps for itself, which is never a link.
pub fn read_own(path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
    bounded(open::for_reading(path, Links::Refused)?, limit)
}

/// Reads a file below a folder. `name` has `/` between its components, and none of them may be a link.
pub fn read_below(folder: &Path, name: &str, limit: usize) -> Result<Vec<u8>, ReadError> {
    bounded(open::below(folder, name)?, limit)
}

/// What was opened is judged, not what stands at the path by now. A size that the system states may be wrong, as it is
/// for the files of `/proc`, so the bound is on what is read.
fn bounded(file: File, limit: usize) -> Result<Vec<u8>, ReadError> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ReadError::NotAFile(kind(metadata.file_type())));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0).min(limit));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    if bytes.len() > limit { Err(ReadError::TooLarge { limit }) } else { Ok(bytes) }
}

fn kind(found: FileType) -> &'static str {
    if found.is_dir() {
        return "a folder";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if found.is_fifo() {
            return "a pipe";
        }
        if found.is_char_device() || found.is_block_device() {
            return "a device";
        }
    }
    "something else"
}

#[cfg(test)]
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[expect(clippy::disallowed_methods, reason = "tests look at the files themselves")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::fs::{CWD, Mode};

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        (folder, path)
    }

    #[test]
    fn only_a_regular_file_is_read_and_nothing_is_waited_for() {
        let (_kept, folder) = folder();
        let pipe = folder.join("pipe");
        rustix::fs::mkfifoat(CWD, &pipe, Mode::from_raw_mode(0o600)).unwrap();
        symlink(&pipe, folder.join("link")).unwrap();
        let said = |path: &Path| read(path, 10).unwrap_err().to_string();
        assert_eq!(said(&pipe), "it is a pipe, and only regular files are read");
        assert_eq!(said(&folder.join("link")), "it is a pipe, and only regular files are read");
        assert_eq!(said(Path::new("/dev/zero")), "it is a device, and only regular files are read");
        assert_eq!(said(&folder), "it is a folder, and only regular files are read");
        assert!(read(&folder.join("absent"), 10).unwrap_err().is_not_found());
    }

    #[test]
    fn the_bound_is_on_what_is_read_and_not_on_the_size_that_is_stated() {
        let (_kept, folder) = folder();
        fs::write(folder.join("ten"), "0123456789").unwrap();
        assert_eq!(read(&folder.join("ten"), 10).unwrap(), b"0123456789");
        assert!(matches!(read(&folder.join("ten"), 9), Err(ReadError::TooLarge { limit: 9 })));
        if cfg!(target_os = "linux") {
            assert!(matches!(read(Path::new("/proc/self/status"), 9), Err(ReadError::TooLarge { limit: 9 })));
        }
        fs::write(folder.join("binary"), [0xff, 0xfe]).unwrap();
        assert!(matches!(read_text(&folder.join("binary"), 9), Err(ReadError::NotText)));
    }

    #[test]
    fn below_a_folder_no_component_may_be_a_link() {
        let (_kept, folder) = folder();
        fs::create_dir_all(folder.join("project/prompts")).unwrap();
        fs::write(folder.join("outside.md"), "outside").unwrap();
        fs::write(folder.join("project/prompts/a.md"), "inside").unwrap();
        symlink("../../outside.md", folder.join("project/prompts/b.md")).unwrap();
        symlink("..", folder.join("project/up")).unwrap();
        let project = folder.join("project");
        assert_eq!(read_below(&project, "prompts/a.md", 10).unwrap(), b"inside");
        for name in ["prompts/b.md", "up/outside.md", "../outside.md", "prompts/../../outside.md", "", "prompts//a.md"]
        {
            assert!(read_below(&project, name, 10).is_err(), "{name}");
        }
        assert!(matches!(read_own(&project.join("prompts/b.md"), 10), Err(ReadError::NotAFile("a symbolic link"))));
    }

    /// Exchanges what is at a path for a link out of the folder and back, as fast as it can, until it is dropped.
    fn exchange<'s>(scope: &'s std::thread::Scope<'s, '_>, at: PathBuf, out: PathBuf, stop: &'s AtomicBool) {
        let aside = at.with_extension("aside");
        symlink(out, &aside).unwrap();
        scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(CWD, &aside, CWD, &at, rustix::fs::RenameFlags::EXCHANGE).unwrap();
            }
        });
    }

    #[test]
    fn a_file_or_folder_that_is_exchanged_for_a_link_while_it_is_read_never_leads_out() {
        for exchanged in ["prompts/a.md", "prompts"] {
            let (_kept, folder) = folder();
            fs::create_dir_all(folder.join("project/prompts")).unwrap();
            fs::create_dir_all(folder.join("private")).unwrap();
            fs::write(folder.join("project/prompts/a.md"), "inside").unwrap();
            fs::write(folder.join("private/a.md"), "outside").unwrap();
            let out = if exchanged == "prompts" { folder.join("private") } else { folder.join("private/a.md") };
            let project = folder.join("project");
            let stop = AtomicBool::new(false);
            std::thread::scope(|scope| {
                exchange(scope, project.join(exchanged), out, &stop);
                let (mut inside, mut refused) = (0, 0);
                // On a busy machine it takes a while until the other thread has its turn.
                while inside + refused < 20_000 || (inside + refused < 20_000_000 && (inside == 0 || refused == 0)) {
                    match read_below(&project, "prompts/a.md", 100) {
                        Ok(bytes) => {
                            if bytes != b"inside" {
                                stop.store(true, Ordering::Relaxed);
                                panic!("`{exchanged}` led out");
                            }
                            inside += 1;
                        }
                        Err(_) => refused += 1,
                    }
                }
                stop.store(true, Ordering::Relaxed);
                assert!(inside > 0 && refused > 0, "{exchanged}: {inside} {refused}");
            });
        }
    }
}
