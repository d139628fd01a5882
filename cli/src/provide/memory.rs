//! The session of a publisher, kept so that the same command, started again, goes on with what it has published. The file
//! is for this user alone, since the session is a secret; and it is locked, since a session has one publisher.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use orch_shared::name::ObjectRef;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::report::Failure;
use crate::settings::file;

/// So many characters of a hash tell files apart.
const TOLD_APART: usize = 32;

/// What is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    server: String,
    session: Option<String>,
}

/// The file, held as long as this lives.
pub(crate) struct Memory {
    path: PathBuf,
    file: File,
    kept: Kept,
}

impl Memory {
    /// The memory of whoever offers these objects to that daemon.
    pub(crate) fn open(server: &str, objects: &[ObjectRef]) -> Result<Self, Failure> {
        let config = file::path()?;
        let folder = config.parent().unwrap_or(Path::new(".")).join("publishers");
        std::fs::create_dir_all(&folder).map_err(|error| Failure::file("create", &folder, &error))?;
        let mut names: Vec<String> = objects.iter().map(ToString::to_string).collect();
        names.sort();
        let digest = Sha256::digest(format!("{server}\n{}", names.join("\n")));
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::at(&folder.join(format!("{}.json", &digest[..TOLD_APART])), server, &names)
    }

    fn at(path: &Path, server: &str, names: &[String]) -> Result<Self, Failure> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let failed = |error| Failure::file("open", path, &error);
        let mut file = options.open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let detail = format!("{} is published from this machine already", names.join(", "));
                return Err(Failure::local(detail).hint("end the other `orchctl provide` first"));
            }
            Err(TryLockError::Error(error)) => return Err(Failure::file("lock", path, &error)),
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        // What cannot be read is forgotten: a new session is begun.
        let kept: Kept = serde_json::from_str(&text).unwrap_or_default();
        let kept = match kept.server == server {
            true => kept,
            false => Kept {
                server: server.to_owned(),
                session: None,
            },
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            kept,
        })
    }

    /// The session of the last time.
    pub(crate) fn session(&self) -> Option<&str> {
        self.kept.session.as_deref()
    }

    /// Keeps a session for the next time.
    pub(crate) fn keep(&mut self, session: &str) -> Result<(), Failure> {
        if self.session() == Some(session) {
            return Ok(());
        }
        self.kept.session = Some(session.to_owned());
        let text = serde_json::to_vec(&self.kept).expect("a session is plain data");
        // In its place, since the lock is on this very file.
        let written = self
            .file
            .rewind()
            .and_then(|()| self.file.set_len(0))
            .and_then(|()| self.file.write_all(&text))
            .and_then(|()| self.file.sync_all());
        written.map_err(|error| Failure::file("write", &self.path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_kept_for_one_publisher_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        let names = ["llm/x".to_owned()];
        let mut memory = Memory::at(&path, "http://a", &names).unwrap();
        assert_eq!(memory.session(), None);
        memory.keep("pub_1").unwrap();
        memory.keep("pub_22").unwrap();
        let Err(refused) = Memory::at(&path, "http://a", &names) else {
            panic!("it is held");
        };
        assert!(refused.to_string().contains("llm/x is published"), "{refused}");
        drop(memory);
        assert_eq!(Memory::at(&path, "http://a", &names).unwrap().session(), Some("pub_22"));
        // Another daemon is not shown it.
        assert_eq!(Memory::at(&path, "http://b", &names).unwrap().session(), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
