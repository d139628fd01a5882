//! The daemon's keys: one that seals, and older ones that still open.
//!
//! The file is JSON, mode 0600, replaced atomically: `{"active": "<id>", "keys": [{"id", "key"}]}` with base64 keys of 32
//! bytes. A key's id is the first 8 hex digits of its SHA-256. Losing the file loses every sealed value, so it belongs
//! into the backup; holding file and database opens them all, so it does not belong beside the database's backup.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// Why the keys cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error("the key file {path} cannot be {verb}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The file is there, but holds no usable keys.
    #[error(
        "the key file {path} is damaged: {detail}; restore it from a backup, for sealed values open with nothing else"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong, without any of its content.
        detail: &'static str,
    },
    /// Others may read the file.
    #[error("the key file {path} can be read by others (mode {mode:o}); make it 0600")]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    active: String,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    id: String,
    key: String,
}

impl Drop for StoredKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// One key.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) bytes: Zeroizing<[u8; 32]>,
}

struct Keys {
    /// The first seals; all open.
    ordered: Vec<Key>,
}

/// A handle on the daemon's keys; clones share them.
#[derive(Clone)]
pub struct Keyring {
    path: Arc<Path>,
    keys: Arc<RwLock<Keys>>,
}

impl Keyring {
    /// Reads the key file, or makes one when there is none, or when it holds just the word `new`.
    ///
    /// # Errors
    /// When the file is damaged, exposed, or cannot be read or made.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let ordered = match fs::read(path) {
            Ok(content) if content.trim_ascii() == ON_PURPOSE => first(path)?,
            Ok(content) => parse(path, &Zeroizing::new(content))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => first(path)?,
            Err(source) => {
                return Err(Error::File {
                    path: path.to_owned(),
                    verb: "read",
                    source,
                });
            }
        };
        Ok(Self {
            path: path.into(),
            keys: Arc::new(RwLock::new(Keys { ordered })),
        })
    }

    /// Makes a new key that seals from now on; the others still open. The file is written before the key is used.
    ///
    /// # Errors
    /// When the file cannot be written; then nothing has changed.
    pub fn rotate(&self) -> Result<String, Error> {
        let mut keys = self.keys.write().expect("no holder of the lock panics");
        let mut ordered = keys.ordered.clone();
        ordered.insert(0, Key::generate());
        write(&self.path, &ordered)?;
        keys.ordered = ordered;
        Ok(keys.ordered[0].id.clone())
    }

    /// Takes in what another process has written into the file; whether another key seals from now on.
    ///
    /// # Errors
    /// When the file cannot be read or trusted; then nothing has changed.
    pub fn reload(&self) -> Result<bool, Error> {
        let content = fs::read(&self.path).map_err(|source| Error::File {
            path: self.path.to_path_buf(),
            verb: "read",
            source,
        })?;
        let ordered = parse(&self.path, &Zeroizing::new(content))?;
        let mut keys = self.keys.write().expect("no holder of the lock panics");
        let is_another = ordered[0].id != keys.ordered[0].id;
        // A file that knows less than is known already is another one's, and would close what is open.
        let knows = |id: &str| ordered.iter().any(|key| key.id == id);
        if keys.ordered.iter().all(|key| knows(&key.id)) {
            keys.ordered = ordered;
            return Ok(is_another);
        }
        Ok(false)
    }

    /// Whether there was ever more than one key.
    #[must_use]
    pub fn was_rotated(&self) -> bool {
        self.keys.read().expect("no holder of the lock panics").ordered.len() > 1
    }

    /// The key that seals.
    pub(super) fn active(&self) -> Key {
        self.keys.read().expect("no holder of the lock panics").ordered[0].clone()
    }

    /// The key that was there first.
    pub(super) fn oldest(&self) -> Key {
        let keys = self.keys.read().expect("no holder of the lock panics");
        keys.ordered.last().expect("there is always a key").clone()
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn active_id(&self) -> String {
        self.active().id
    }

    /// Whether there is a key of that id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    /// The key of that id.
    pub(super) fn find(&self, id: &str) -> Option<Key> {
        self.keys
            .read()
            .expect("no holder of the lock panics")
            .ordered
            .iter()
            .find(|key| key.id == id)
            .cloned()
    }
}

impl Key {
    fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut()).expect("the operating system gives random bytes");
        Self::of(bytes)
    }

    fn of(bytes: Zeroizing<[u8; 32]>) -> Self {
        let digest = Sha256::digest(bytes.as_ref());
        let id = hex::encode(&digest[..4]);
        Self { id, bytes }
    }
}

/// Stands in the file of somebody who gives up what was sealed before. No accident leaves it there.
const ON_PURPOSE: &[u8] = b"new";

/// A file with one fresh key.
fn first(path: &Path) -> Result<Vec<Key>, Error> {
    let keys = vec![Key::generate()];
    write(path, &keys)?;
    Ok(keys)
}

fn parse(path: &Path, content: &[u8]) -> Result<Vec<Key>, Error> {
    let damaged = |detail| Error::Damaged {
        path: path.to_owned(),
        detail,
    };
    let mode = fs::metadata(path).map_or(0o600, |metadata| metadata.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        return Err(Error::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let file: File = serde_json::from_slice(content).map_err(|_| damaged("it is not the JSON it should be"))?;
    let mut ordered = Vec::new();
    for stored in &file.keys {
        let raw = Zeroizing::new(BASE64.decode(&stored.key).map_err(|_| damaged("a key is not base64"))?);
        let bytes: [u8; 32] = raw
            .as_slice()
            .try_into()
            .map_err(|_| damaged("a key is not 32 bytes long"))?;
        let key = Key::of(Zeroizing::new(bytes));
        if key.id != stored.id {
            return Err(damaged("a key does not match its id"));
        }
        ordered.push(key);
    }
    let active = ordered
        .iter()
        .position(|key| key.id == file.active)
        .ok_or_else(|| damaged("the active key is missing"))?;
    ordered.swap(0, active);
    Ok(ordered)
}

fn write(path: &Path, keys: &[Key]) -> Result<(), Error> {
    let stored = keys
        .iter()
        .map(|key| StoredKey {
            id: key.id.clone(),
            key: BASE64.encode(key.bytes.as_ref()),
        })
        .collect();
    let file = File {
        active: keys[0].id.clone(),
        keys: stored,
    };
    let content = Zeroizing::new(serde_json::to_vec_pretty(&file).expect("keys are plain data"));
    let put = || -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut out = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        out.write_all(&content)?;
        out.sync_all()?;
        fs::rename(&beside, path)?;
        // The rename is durable once the directory is.
        fs::File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
    };
    put().map_err(|source| Error::File {
        path: path.to_owned(),
        verb: "written",
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_reopening_and_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let first = Keyring::open(&path).unwrap();
        let old = first.active_id();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let new = first.rotate().unwrap();
        let second = Keyring::open(&path).unwrap();
        assert_eq!(second.active_id(), new);
        assert!(second.find(&old).is_some());
        assert_ne!(old, new);
        // Who has the file open already takes in what another has written.
        let third = second.rotate().unwrap();
        assert!(first.reload().unwrap() && !first.reload().unwrap());
        assert_eq!(first.active_id(), third);
        assert!(first.find(&old).is_some() && first.was_rotated());
        // A file of somebody else's is not taken in.
        fs::remove_file(&path).unwrap();
        Keyring::open(&path).unwrap();
        assert!(!first.reload().unwrap());
        assert_eq!(first.active_id(), third);
    }

    #[test]
    fn refuses_what_it_cannot_trust() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        Keyring::open(&path).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        for damage in ["", "{}", &good.replace("\"active\": \"", "\"active\": \"x")] {
            fs::write(&path, damage).unwrap();
            assert!(matches!(Keyring::open(&path), Err(Error::Damaged { .. })), "{damage}");
        }
        fs::write(&path, &good).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Keyring::open(&path), Err(Error::Exposed { mode: 0o644, .. })));
    }
}
