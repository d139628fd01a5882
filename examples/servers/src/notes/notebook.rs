//! Where the notes are: in memory, or one file each in a directory.
//!
//! A note has a title and a text. Titles are short names, so that they can be file names without any translation.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

/// The end of the name of a note's file.
const EXTENSION: &str = "md";

/// All notes.
#[derive(Debug)]
pub(crate) struct Notebook {
    notes: BTreeMap<String, String>,
    directory: Option<PathBuf>,
}

/// Why a note cannot be kept or found.
#[derive(Debug)]
pub(crate) enum NoteError {
    /// No title of a note looks like that.
    BadTitle,
    /// There is no such note.
    NotFound,
    /// The file of the note cannot be written or removed.
    File(io::Error),
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadTitle => f.write_str("a title is 1 to 80 letters, digits, spaces, `-` and `_`"),
            Self::NotFound => f.write_str("there is no note of that title"),
            Self::File(error) => write!(f, "the note's file: {error}"),
        }
    }
}

impl Notebook {
    /// An empty notebook that nobody will see again.
    pub(crate) fn in_memory() -> Self {
        Self {
            notes: BTreeMap::new(),
            directory: None,
        }
    }

    /// The notebook that is kept in a directory.
    pub(crate) fn in_directory(directory: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        let mut notes = BTreeMap::new();
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            let title = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .filter(|title| is_title(title));
            if let Some(title) = title.filter(|_| path.extension().is_some_and(|end| end == EXTENSION)) {
                notes.insert(title.to_owned(), fs::read_to_string(&path)?);
            }
        }
        Ok(Self {
            notes,
            directory: Some(directory),
        })
    }

    /// Keeps a note; says whether it took the place of another.
    pub(crate) fn add(&mut self, title: &str, text: &str) -> Result<bool, NoteError> {
        if !is_title(title) {
            return Err(NoteError::BadTitle);
        }
        if let Some(path) = self.path(title) {
            fs::write(path, text).map_err(NoteError::File)?;
        }
        Ok(self.notes.insert(title.to_owned(), text.to_owned()).is_some())
    }

    /// The text of a note.
    pub(crate) fn read(&self, title: &str) -> Result<&str, NoteError> {
        self.notes.get(title).map(String::as_str).ok_or(NoteError::NotFound)
    }

    /// All titles, in order.
    pub(crate) fn titles(&self) -> Vec<&str> {
        self.notes.keys().map(String::as_str).collect()
    }

    /// Titles of notes that hold the words of `query`, in title or text, whatever their case.
    pub(crate) fn search(&self, query: &str) -> Vec<&str> {
        let words: Vec<_> = query.split_whitespace().map(str::to_lowercase).collect();
        let matches = |title: &str, text: &str| {
            let whole = format!("{title}\n{text}").to_lowercase();
            words.iter().all(|word| whole.contains(word))
        };
        self.notes
            .iter()
            .filter(|(title, text)| matches(title, text))
            .map(|(title, _)| title.as_str())
            .collect()
    }

    /// Throws a note away.
    pub(crate) fn remove(&mut self, title: &str) -> Result<(), NoteError> {
        if !self.notes.contains_key(title) {
            return Err(NoteError::NotFound);
        }
        if let Some(path) = self.path(title) {
            fs::remove_file(path).map_err(NoteError::File)?;
        }
        self.notes.remove(title);
        Ok(())
    }

    fn path(&self, title: &str) -> Option<PathBuf> {
        Some(self.directory.as_ref()?.join(format!("{title}.{EXTENSION}")))
    }
}

fn is_title(title: &str) -> bool {
    let fits = (1..=80).contains(&title.chars().count()) && title.trim() == title;
    fits && title
        .chars()
        .all(|letter| letter.is_alphanumeric() || " -_".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_kept_found_and_thrown_away() {
        let mut notebook = Notebook::in_memory();
        assert!(!notebook.add("shopping", "milk and bread").expect("kept"));
        assert!(!notebook.add("ideas", "a Bread machine").expect("kept"));
        assert!(notebook.add("shopping", "milk, bread, tea").expect("kept"));
        assert_eq!(notebook.titles(), ["ideas", "shopping"]);
        assert_eq!(notebook.search("bread"), ["ideas", "shopping"]);
        assert_eq!(notebook.search("BREAD tea"), ["shopping"]);
        assert_eq!(notebook.read("shopping").expect("there"), "milk, bread, tea");
        notebook.remove("shopping").expect("removed");
        assert!(matches!(notebook.read("shopping"), Err(NoteError::NotFound)));
    }

    #[test]
    fn titles_are_safe_file_names() {
        for (title, fits) in [
            ("a", true),
            ("Ölwechsel 2026", true),
            ("a-b_c", true),
            ("", false),
            (" a", false),
            ("../a", false),
            (".a", false),
            ("a\n", false),
        ] {
            assert_eq!(is_title(title), fits, "{title:?}");
        }
    }
}
