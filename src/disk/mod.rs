//! SHELL. Files on the disk: opened once, judged by what was opened, read up to a bound, and replaced whole.
//!
//! Nothing else in this program opens a file, which a test holds. A path may come from a stranger's pull request, so a
//! named pipe must not hang a run, a device must not be read, and a link must not lead out of the project.

mod above;
mod new;
mod read;
mod write;

pub use above::nearest_above;
pub use new::{Created, create_below};
pub use read::{ReadError, read, read_below, read_own, read_text};
pub use write::{Prepared, append, in_place, lock_file, own_folder, prepare_below, replace, stray_link};

#[cfg(unix)]
mod open {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use rustix::fs::{CWD, Mode, OFlags, openat};

    use super::read::ReadError;

    /// Whether a link in the last place of a path is followed.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(super) enum Links {
        Followed,
        Refused,
    }

    /// A pipe without a writer is opened at once instead of waited for, and a terminal does not become ours.
    fn flags(links: Links) -> OFlags {
        let flags = OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        if links == Links::Refused { flags | OFlags::NOFOLLOW } else { flags }
    }

    pub(super) fn for_reading(path: &Path, links: Links) -> Result<File, ReadError> {
        openat(CWD, path, OFlags::RDONLY | flags(links), Mode::empty())
            .map(File::from)
            .map_err(|error| told(error, links))
    }

    /// Opens one component after the other, so that no link is followed whatever is exchanged meanwhile.
    pub(super) fn below(folder: &Path, name: &str) -> Result<File, ReadError> {
        let mut at = openat(CWD, folder, OFlags::RDONLY | OFlags::DIRECTORY | flags(Links::Followed), Mode::empty())
            .map_err(|error| told(error, Links::Followed))?;
        for part in name.split('/') {
            if matches!(part, "" | "." | "..") {
                return Err(io::Error::from(io::ErrorKind::InvalidInput).into());
            }
            at = openat(&at, part, OFlags::RDONLY | flags(Links::Refused), Mode::empty())
                .map_err(|error| told(error, Links::Refused))?;
        }
        Ok(File::from(at))
    }

    pub(super) fn for_locking(path: &Path) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | flags(Links::Refused);
        Ok(File::from(openat(CWD, path, flags, Mode::from_raw_mode(0o666))?))
    }

    /// A link where none may be is refused by the system in words that speak of a circle of links.
    fn told(error: rustix::io::Errno, links: Links) -> ReadError {
        if links == Links::Refused && matches!(error, rustix::io::Errno::LOOP | rustix::io::Errno::MLINK) {
            return ReadError::NotAFile("a symbolic link");
        }
        io::Error::from(error).into()
    }
}

#[cfg(not(unix))]
mod open {
    use std::fs::{self, File};
    use std::io;
    use std::path::Path;

    use super::read::ReadError;

    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(super) enum Links {
        Followed,
        Refused,
    }

    /// Without a flag for it, the path is looked at before it is opened and once more after.
    pub(super) fn for_reading(path: &Path, links: Links) -> Result<File, ReadError> {
        let is_link = || Ok::<bool, io::Error>(fs::symlink_metadata(path)?.is_symlink());
        if links == Links::Refused && is_link()? {
            return Err(ReadError::NotAFile("a symbolic link"));
        }
        if !fs::metadata(path)?.is_file() {
            return Err(ReadError::NotAFile("not a regular file"));
        }
        let file = File::open(path)?;
        if links == Links::Refused && is_link()? {
            return Err(ReadError::NotAFile("a symbolic link"));
        }
        Ok(file)
    }

    pub(super) fn below(folder: &Path, name: &str) -> Result<File, ReadError> {
        let path = folder.join(name);
        let real = path.canonicalize()?;
        let file = for_reading(&path, Links::Refused)?;
        if real != folder.canonicalize()?.join(name) || path.canonicalize()? != real {
            return Err(ReadError::NotAFile("reached through a symbolic link"));
        }
        Ok(file)
    }

    pub(super) fn for_locking(path: &Path) -> io::Result<File> {
        File::options().create(true).truncate(false).write(true).open(path)
    }
}
