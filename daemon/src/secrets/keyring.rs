//! The daemon's keys: one that seals, and older ones that still open.
//!
//! The file is JSON, mode 0600, replaced atomically: `{"active": "<id>", "keys": [{"id", "key"}]}` with base64 keys of 32
//! bytes. A key's id is the first 8 hex digits of its SHA-256. Losing the file loses every sealed value, so it belongs
//! into the backup; holding file and database opens them all, so it does not belong beside the database's backup.
//!
//! Guarantees: whoever writes the file holds its lock from reading it to replacing it, so that of two who write neither
//! loses the other's key; and a key that a living process knows comes back into the file, whoever took it out.

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
        /// `read`, `locked` or `written`.
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

/// What reading the file again has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reloaded {
    /// The same key seals as before.
    Same,
    /// Another key seals from now on.
    Another,
    /// The file lacked keys that are known here. It holds them again, beside those that it had.
    Restored {
        /// The ids of those that it lacked.
        lacking: Vec<String>,
        /// Whether another key seals from now on.
        is_another: bool,
    },
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
        let ordered = match read(path)? {
            Found::Keys(ordered) => ordered,
            Found::Nothing | Found::GivenUp => first(path)?,
        };
        Ok(Self {
            path: path.into(),
            keys: Arc::new(RwLock::new(Keys { ordered })),
        })
    }

    /// Makes a new key that seals from now on; the others still open, those too that another process has written into the
    /// file meanwhile. The file is written before the key is used. Waits for whoever else writes it.
    ///
    /// # Errors
    /// When the file cannot be read, trusted or written; then nothing has changed.
    pub fn rotate(&self) -> Result<String, Error> {
        let mut keys = self.keys.write().expect("no holder of the lock panics");
        let lock = FileLock::wait(&self.path)?;
        let mut ordered = match read(&self.path)? {
            Found::Keys(found) if lacking(&found, &keys.ordered).is_empty() => found,
            Found::Keys(found) => united(&keys.ordered, &found),
            Found::Nothing | Found::GivenUp => keys.ordered.clone(),
        };
        ordered.insert(0, Key::generate());
        write(&self.path, &ordered, &lock)?;
        keys.ordered = ordered;
        Ok(keys.ordered[0].id.clone())
    }

    /// Takes in what another process has written into the file, and gives the file back what it lacks of the keys that are
    /// known here: what is sealed with those would open nowhere once this process has ended.
    ///
    /// # Errors
    /// When the file cannot be read or trusted, or lacks keys and cannot be written at the moment; then nothing has changed.
    pub fn reload(&self) -> Result<Reloaded, Error> {
        let mut keys = self.keys.write().expect("no holder of the lock panics");
        let found = there(&self.path)?;
        let active = keys.ordered[0].id.clone();
        if lacking(&found, &keys.ordered).is_empty() {
            keys.ordered = found;
            return Ok(match keys.ordered[0].id == active {
                true => Reloaded::Same,
                false => Reloaded::Another,
            });
        }
        // Nobody else is waited for here: the daemon looks again within seconds.
        let lock = FileLock::at_once(&self.path)?;
        let found = there(&self.path)?;
        let lacking = lacking(&found, &keys.ordered);
        let ordered = united(&keys.ordered, &found);
        write(&self.path, &ordered, &lock)?;
        keys.ordered = ordered;
        let is_another = keys.ordered[0].id != active;
        Ok(Reloaded::Restored { lacking, is_another })
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

/// What is in the place of the file.
enum Found {
    Keys(Vec<Key>),
    Nothing,
    GivenUp,
}

fn read(path: &Path) -> Result<Found, Error> {
    match fs::read(path).map(Zeroizing::new) {
        Ok(content) if content.trim_ascii() == ON_PURPOSE => Ok(Found::GivenUp),
        Ok(content) => parse(path, &content).map(Found::Keys),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(source) => Err(Error::File {
            path: path.to_owned(),
            verb: "read",
            source,
        }),
    }
}

/// The keys of a file that must be there. In the place of one that is gone none is made: what it was on may have been taken
/// away, and keys belong nowhere else.
fn there(path: &Path) -> Result<Vec<Key>, Error> {
    match read(path)? {
        Found::Keys(found) => Ok(found),
        Found::Nothing => Err(Error::File {
            path: path.to_owned(),
            verb: "read",
            source: io::ErrorKind::NotFound.into(),
        }),
        Found::GivenUp => Err(Error::Damaged {
            path: path.to_owned(),
            detail: "it gives up the keys that are in use",
        }),
    }
}

/// A file with one fresh key, unless somebody else has made one just now.
fn first(path: &Path) -> Result<Vec<Key>, Error> {
    let lock = FileLock::wait(path)?;
    match read(path)? {
        Found::Keys(ordered) => Ok(ordered),
        Found::Nothing | Found::GivenUp => {
            let keys = vec![Key::generate()];
            write(path, &keys, &lock)?;
            Ok(keys)
        }
    }
}

/// The ids of the known keys that are not among those that were found.
fn lacking(found: &[Key], known: &[Key]) -> Vec<String> {
    let is_found = |key: &&Key| found.iter().any(|other| other.id == key.id);
    known
        .iter()
        .filter(|key| !is_found(key))
        .map(|key| key.id.clone())
        .collect()
}

/// All keys of both. What seals goes on sealing, and what was first stays so, since marks are made with it; one that is both
/// seals no more.
fn united(known: &[Key], found: &[Key]) -> Vec<Key> {
    let Some((oldest, newer)) = known.split_last() else {
        return found.to_vec();
    };
    let mut all: Vec<Key> = Vec::new();
    for key in newer.iter().take(1).chain(found).chain(newer) {
        if key.id != oldest.id && all.iter().all(|other| other.id != key.id) {
            all.push(key.clone());
        }
    }
    all.push(oldest.clone());
    all
}

/// The right to write the key file, held while this value lives; the kernel lets go of it when the process ends, however it
/// ends. It lies beside the file, which is replaced by each who writes it.
struct FileLock {
    _file: fs::File,
}

impl FileLock {
    /// Takes it as soon as whoever holds it lets go.
    fn wait(path: &Path) -> Result<Self, Error> {
        Self::take(path, fs::File::lock)
    }

    /// Takes it when nobody holds it.
    fn at_once(path: &Path) -> Result<Self, Error> {
        Self::take(path, |file| file.try_lock().map_err(io::Error::from))
    }

    fn take(path: &Path, lock: impl FnOnce(&fs::File) -> io::Result<()>) -> Result<Self, Error> {
        let taken = || -> io::Result<Self> {
            let file = fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path.with_extension("lock"))?;
            lock(&file)?;
            Ok(Self { _file: file })
        };
        taken().map_err(|source| Error::File {
            path: path.to_owned(),
            verb: "locked",
            source,
        })
    }
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

/// Replaces the file, which only the holder of its lock does.
fn write(path: &Path, keys: &[Key], _lock: &FileLock) -> Result<(), Error> {
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
        let mut own = [0; 8];
        getrandom::fill(&mut own).expect("the operating system gives random bytes");
        let beside = path.with_extension(format!("{}.new", hex::encode(own)));
        let replaced = replace(path, &beside, &content);
        if replaced.is_err() {
            // No key lies about that nobody knows of.
            let _gone = fs::remove_file(&beside);
        }
        replaced
    };
    put().map_err(|source| Error::File {
        path: path.to_owned(),
        verb: "written",
        source,
    })
}

/// Writes a file of one's own, and puts it in the place of another.
fn replace(path: &Path, beside: &Path, content: &[u8]) -> io::Result<()> {
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(beside)?;
    out.write_all(content)?;
    out.sync_all()?;
    fs::rename(beside, path)?;
    // The rename is durable once the directory is.
    fs::File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
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
        assert_eq!(first.reload().unwrap(), Reloaded::Another);
        assert_eq!(first.reload().unwrap(), Reloaded::Same);
        assert_eq!(first.active_id(), third);
        assert!(first.find(&old).is_some() && first.was_rotated());
    }

    /// Ids in the order in which they are kept.
    fn ids(keyring: &Keyring) -> Vec<String> {
        let keys = keyring.keys.read().unwrap();
        keys.ordered.iter().map(|key| key.id.clone()).collect()
    }

    #[test]
    fn who_rotates_loses_nobody_elses_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let (one, other) = (Keyring::open(&path).unwrap(), Keyring::open(&path).unwrap());
        let oldest = one.active_id();
        let (second, third) = (one.rotate().unwrap(), other.rotate().unwrap());
        assert_eq!(ids(&Keyring::open(&path).unwrap()), [third, second, oldest]);
        // Many at once, each of which has read the file before.
        let all: Vec<Keyring> = (0..8).map(|_| Keyring::open(&path).unwrap()).collect();
        let made: Vec<String> = std::thread::scope(|scope| {
            let running: Vec<_> = all.iter().map(|one| scope.spawn(|| one.rotate().unwrap())).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let kept = ids(&Keyring::open(&path).unwrap());
        assert!(made.iter().all(|id| kept.contains(id)), "{made:?} {kept:?}");
        assert_eq!(kept.len(), 3 + made.len());
        let left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 2, "the file and its lock: {left:?}");
    }

    #[test]
    fn a_file_that_knows_less_gets_back_what_it_lacks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let known = Keyring::open(&path).unwrap();
        let oldest = known.active_id();
        let backup = fs::read(&path).unwrap();
        let newest = known.rotate().unwrap();
        let restored = |lacking: &[&String], is_another| Reloaded::Restored {
            lacking: lacking.iter().map(ToString::to_string).collect(),
            is_another,
        };
        // A backup that is older.
        fs::write(&path, &backup).unwrap();
        assert_eq!(known.reload().unwrap(), restored(&[&newest], false));
        assert_eq!(ids(&Keyring::open(&path).unwrap()), [newest.clone(), oldest.clone()]);
        assert_eq!(known.reload().unwrap(), Reloaded::Same);
        // A file in which somebody has made another key, without this one.
        fs::write(&path, &backup).unwrap();
        let theirs = Keyring::open(&path).unwrap().rotate().unwrap();
        assert_eq!(known.reload().unwrap(), restored(&[&newest], false));
        let all = [newest.clone(), theirs.clone(), oldest.clone()];
        assert_eq!(
            (ids(&known), ids(&Keyring::open(&path).unwrap())),
            (all.to_vec(), all.to_vec())
        );
        // A file of somebody else's; and what has the lock at the moment is tried again.
        fs::remove_file(&path).unwrap();
        let foreign = Keyring::open(&path).unwrap().active_id();
        let held = FileLock::wait(&path).unwrap();
        assert!(matches!(known.reload(), Err(Error::File { verb: "locked", .. })));
        drop(held);
        assert_eq!(known.reload().unwrap(), restored(&[&newest, &theirs, &oldest], false));
        assert_eq!(
            ids(&Keyring::open(&path).unwrap()),
            [newest, foreign, theirs, oldest.clone()]
        );
        // One key alone stays the oldest.
        fs::write(&path, &backup).unwrap();
        let alone = Keyring::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let foreign = Keyring::open(&path).unwrap().active_id();
        assert_eq!(alone.reload().unwrap(), restored(&[&oldest], true));
        assert_eq!(ids(&alone), [foreign, oldest]);
        // One that is gone is not made anew.
        fs::remove_file(&path).unwrap();
        assert!(alone.reload().is_err() && !path.exists());
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
