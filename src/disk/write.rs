//! Writing: a file is replaced whole, never through a link that somebody put in its place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use super::open;

/// Puts a file at a path, whole or not at all. A link that is there is replaced, not followed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A file that is ready to be put into its place. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Prepared {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Prepared {
    /// Puts it there.
    pub fn put(self) -> io::Result<()> {
        self.file.persist(&self.path).map(|_| ()).map_err(|error| error.error)
    }
}

/// Gets new content ready for a file that is there, with the rights that it has. `folder` is a path without links, and
/// so must be what `name` adds to it.
pub fn prepare_below(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<Prepared> {
    let path = folder.join(name);
    let found = fs::symlink_metadata(&path)?;
    if !found.is_file() || path.canonicalize()? != path {
        return Err(io::Error::other("it is a symbolic link, or is reached through one"));
    }
    let mut file = tempfile::NamedTempFile::new_in(folder_of(&path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.as_file().set_permissions(found.permissions())?;
    Ok(Prepared { file, path })
}

/// Writes to a path that is written to as it is: a pipe or a device that a person made there, or what the system keeps
/// below `/dev` and `/proc`, as `/dev/stdout`. `None` for every other path, which is to be replaced.
pub fn in_place(path: &Path, bytes: &[u8]) -> Option<io::Result<()>> {
    let found = fs::symlink_metadata(path).ok()?;
    let is_link_of_the_system = found.is_symlink() && (path.starts_with("/dev") || path.starts_with("/proc"));
    let is_special = !found.is_file() && !found.is_symlink() && !found.is_dir();
    // A regular file behind `/dev/stdout` is added to: what was printed before stays.
    let written = || OpenOptions::new().append(true).open(path)?.write_all(bytes);
    (is_link_of_the_system || is_special).then(written)
}

/// Adds to a file that the runner named, and makes it if need be.
pub fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
}

/// Makes a folder that this program keeps for itself, if it is not there yet. It is never a link.
pub fn own_folder(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        #[expect(clippy::disallowed_methods, reason = "this module is part of the shell")]
        fs::create_dir_all(path)?;
    }
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Err(io::Error::other("it is a symbolic link, which could lead anywhere"));
    }
    if found.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Opens a file that is there only to be locked, and makes it if need be. Its content stays, and a link is refused.
pub fn lock_file(path: &Path) -> io::Result<File> {
    open::for_locking(path)
}

/// The link among the folders of a path that leads out of the current folder. A path that a person wrote as lying
/// outside leads where they meant it to, and so does a link that stays inside.
pub fn stray_link(path: &Path) -> Option<PathBuf> {
    let here = std::path::absolute(".").ok()?;
    let (real, whole) = (here.canonicalize().ok()?, std::path::absolute(path).ok()?);
    let mut at = here.clone();
    for part in whole.strip_prefix(&here).ok()?.parent()?.components() {
        if !matches!(part, Component::Normal(_)) {
            return None;
        }
        at.push(part);
        if !at.canonicalize().ok()?.starts_with(&real) {
            return Some(at);
        }
    }
    None
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_replaced_and_what_it_led_to_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, link) = (folder.path().join("victim"), folder.path().join("plan.md"));
        replace(&victim, b"kept").unwrap();
        symlink(&victim, &link).unwrap();
        assert!(in_place(&link, b"x").is_none());
        replace(&link, b"new").unwrap();
        let read = |path: &Path| super::super::read_own(path, 10).unwrap();
        assert_eq!((read(&victim), read(&link)), (b"kept".to_vec(), b"new".to_vec()));
    }

    #[test]
    fn a_device_behind_a_link_is_not_written_and_one_that_is_named_is() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("plan.md");
        symlink("/dev/null", &link).unwrap();
        assert!(in_place(&link, b"x").is_none());
        assert!(in_place(Path::new("/dev/null"), b"x").unwrap().is_ok());
        assert!(in_place(&folder.path().join("absent"), b"x").is_none());
    }

    #[test]
    fn a_file_below_a_folder_keeps_its_rights_and_is_not_looked_for_behind_a_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().canonicalize().unwrap();
        own_folder(&folder.join("agents")).unwrap();
        let file = folder.join("agents/a.yaml");
        replace(&file, b"old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        drop(prepare_below(&folder, "agents/a.yaml", b"dropped").unwrap());
        prepare_below(&folder, "agents/a.yaml", b"new").unwrap().put().unwrap();
        assert_eq!(super::super::read_own(&file, 10).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.join("agents")).unwrap().count(), 1, "no temporary file stays");
        symlink("agents", folder.join("link")).unwrap();
        prepare_below(&folder, "link/a.yaml", b"x").unwrap_err();
        prepare_below(&folder, "absent.yaml", b"x").unwrap_err();
    }

    #[test]
    fn a_folder_and_a_lock_of_our_own_are_never_links() {
        let folder = tempfile::tempdir().unwrap();
        let (outside, own) = (folder.path().join("outside"), folder.path().join("deep/own"));
        own_folder(&own).unwrap();
        own_folder(&own).unwrap();
        own_folder(&outside).unwrap();
        let link = folder.path().join("link");
        symlink(&outside, &link).unwrap();
        assert!(own_folder(&link).unwrap_err().to_string().contains("a symbolic link"));
        let lock = own.join("lock");
        symlink(outside.join("made"), &lock).unwrap();
        lock_file(&lock).unwrap_err();
        assert!(!outside.join("made").exists());
        lock_file(&own.join("other")).unwrap();
    }
}
