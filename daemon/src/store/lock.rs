//! One daemon per data directory: a lock that the kernel lets go of when the process ends, however it ends.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::Error;

/// The lock of a data directory; held while this value lives. `open` of an SQLite store takes it by itself.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock, making the directory (0700) when it is not there.
    ///
    /// # Errors
    /// [`Error::InUse`] with the other's process id when somebody holds it; [`Error::Unavailable`] when the directory
    /// cannot be used.
    pub fn acquire(directory: &Path) -> Result<Self, Error> {
        let unusable = |error: std::io::Error| Error::unavailable(format!("{}: {error}", directory.display()));
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(unusable)?;
        let mut file = open_private(&directory.join("orchd.lock")).map_err(unusable)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid).map_err(unusable)?;
                return Err(Error::InUse {
                    directory: directory.to_owned(),
                    pid: pid.trim().to_owned(),
                });
            }
            Err(error) => return Err(unusable(error.into())),
        }
        // The process id only serves the message above. A full disk must not keep the daemon from reading.
        let noted = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = noted {
            tracing::warn!(%error, "the process id could not be written to the lock file");
        }
        Ok(Self { _file: file })
    }
}

/// Opens a file for reading and writing; when it is new, nobody else may read it.
pub(super) fn open_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_is_first() {
        let directory = tempfile::tempdir().unwrap();
        let first = DirectoryLock::acquire(directory.path()).unwrap();
        let refused = DirectoryLock::acquire(directory.path()).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains(&format!("in use by process {}", std::process::id())),
            "{refused}"
        );
        drop(first);
        DirectoryLock::acquire(directory.path()).unwrap();
    }
}
