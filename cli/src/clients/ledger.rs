//! What was written into which client's file, so that it can be undone exactly. It is kept beside the contexts, with a
//! copy of each file as it was before.
//!
//! Enters: records, and the files they are about. Leaves: the same. Both are readable by their owner alone: the files of
//! clients hold keys.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::report::Failure;
use crate::settings::file;

/// What is in a file only because of us.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Made {
    /// Whether there was no file.
    pub(crate) file: bool,
    /// Members that hold our entries, and were not there.
    pub(crate) members: Vec<String>,
}

impl Made {
    /// All that either is.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.file |= other.file;
        for member in other.members {
            if !self.members.contains(&member) {
                self.members.push(member);
            }
        }
        self
    }
}

/// One entry of ours in one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// The client, as the command line names it.
    pub(crate) client: String,
    /// Its file.
    pub(crate) path: PathBuf,
    /// What the entry is called there.
    pub(crate) name: String,
    /// What it leads to: `project/web`.
    pub(crate) serves: String,
    /// The file as it was before; nothing when there was none.
    pub(crate) backup: Option<PathBuf>,
    /// The fingerprint of the file as we left it.
    pub(crate) fingerprint: String,
    /// What we made to put it in.
    #[serde(default)]
    pub(crate) made: Made,
}

/// All of them, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ledger {
    /// The entries.
    pub(crate) records: Vec<Record>,
}

impl Ledger {
    /// Reads it; an empty one when there is none.
    pub(crate) fn read() -> Result<Self, Failure> {
        let path = place()?;
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                let detail = format!("{} cannot be read: {error}", path.display());
                Failure::local(detail).hint("mend it, or move it away; entries in it are then removed by hand")
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::file("read", &path, &error)),
        }
    }

    /// Writes it.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let path = place()?;
        make_folder(&path)?;
        let text = serde_json::to_vec_pretty(self).expect("records are plain data");
        file::write_private(&path, &text)
    }

    /// The record of an entry.
    pub(crate) fn find(&self, path: &Path, name: &str) -> Option<&Record> {
        self.records
            .iter()
            .find(|record| record.path == path && record.name == name)
    }

    /// Puts a record in, in the place of an earlier one of the same entry.
    pub(crate) fn put(&mut self, record: Record) {
        self.records
            .retain(|known| known.path != record.path || known.name != record.name);
        self.records.push(record);
    }

    /// Has the only entry that was put in behind another one lead back to what that one leads back to, as that one goes; says
    /// which copy is not needed any more. That holds as long as nobody else has changed the file: neither between the two, nor
    /// since. `left` is what is left of `text` without the one that goes.
    pub(crate) fn hand_on(&mut self, record: &Record, text: &str, left: &str) -> Option<PathBuf> {
        let mut of_file = self.records.iter_mut().filter(|known| known.path == record.path);
        of_file.find(|known| *known == record)?;
        let heir = of_file.next()?;
        let backup = heir.backup.clone()?;
        let between = std::fs::read_to_string(&backup).ok()?;
        let is_last = of_file.next().is_none();
        if !is_last || fingerprint(text) != heir.fingerprint || fingerprint(&between) != record.fingerprint {
            return None;
        }
        heir.backup.clone_from(&record.backup);
        heir.fingerprint = fingerprint(left);
        Some(backup)
    }

    /// Forgets an entry. What was made for it and is still there is then said to be made for another of that file.
    pub(crate) fn forget(&mut self, record: &Record, still_there: Made) {
        self.records.retain(|known| known != record);
        if let Some(heir) = self.records.iter_mut().find(|known| known.path == record.path) {
            heir.made = std::mem::take(&mut heir.made).and(still_there);
        }
    }
}

/// Keeps a copy of a text, and says where.
pub(crate) fn keep(client: &str, path: &Path, text: &str) -> Result<PathBuf, Failure> {
    let of_path = &fingerprint(&path.to_string_lossy())[..8];
    let of_text = &fingerprint(text)[..12];
    let backup = place()?
        .with_file_name("clients")
        .join(format!("{client}-{of_path}-{of_text}.backup"));
    make_folder(&backup)?;
    file::write_private(&backup, text.as_bytes())?;
    Ok(backup)
}

/// What tells a text from any other.
pub(crate) fn fingerprint(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn place() -> Result<PathBuf, Failure> {
    Ok(file::path()?.with_file_name("clients.json"))
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_one_record() {
        let record = |serves: &str| Record {
            client: "cursor".to_owned(),
            path: "/x".into(),
            name: "orch-web".to_owned(),
            serves: serves.to_owned(),
            backup: None,
            fingerprint: fingerprint(serves),
            made: Made::default(),
        };
        let mut ledger = Ledger::default();
        ledger.put(record("project/a"));
        ledger.put(record("project/b"));
        assert_eq!(ledger.records, [record("project/b")]);
        assert_eq!(ledger.find(Path::new("/x"), "orch-web"), Some(&record("project/b")));
        let other = Record {
            name: "orch-files".to_owned(),
            ..record("server/files")
        };
        ledger.put(other.clone());
        let made = Made {
            file: true,
            members: vec!["mcpServers".to_owned()],
        };
        ledger.forget(&record("project/b"), made.clone());
        assert_eq!(ledger.records, [Record { made, ..other.clone() }]);
        ledger.forget(&ledger.records[0].clone(), Made::default());
        assert_eq!(ledger, Ledger::default());
        // Older versions did not write down what they made.
        let mut older = serde_json::to_value(&other).unwrap();
        older.as_object_mut().unwrap().remove("made");
        assert_eq!(serde_json::from_value::<Record>(older).unwrap(), other);
    }
}
