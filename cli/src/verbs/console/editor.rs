//! A few lines of text that a person edits.
//!
//! Enters: keys. Leaves: the text and where the cursor is. It knows nothing of what the text means.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The text and the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Editor {
    lines: Vec<String>,
    /// The line of the cursor.
    row: usize,
    /// The character of the line that the cursor is before.
    column: usize,
}

impl Editor {
    /// That text, the cursor at its end.
    pub(super) fn of(text: &str) -> Self {
        let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let row = lines.len() - 1;
        let column = lines[row].chars().count();
        Self { lines, row, column }
    }

    /// That text, the cursor in the first empty pair of quotes, if there is one.
    pub(super) fn of_template(text: &str) -> Self {
        let mut editor = Self::of(text);
        let place = editor
            .lines
            .iter()
            .enumerate()
            .find_map(|(row, line)| Some((row, line.find("\"\"")?)));
        if let Some((row, at)) = place {
            editor.column = editor.lines[row][..at].chars().count() + 1;
            editor.row = row;
        }
        editor
    }

    /// The text.
    pub(super) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Its lines.
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Row and column of the cursor.
    pub(super) const fn cursor(&self) -> (usize, usize) {
        (self.row, self.column)
    }

    /// Puts a text in at the cursor.
    pub(super) fn insert(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\n' => self.split(),
                c if c.is_control() => {}
                c => {
                    let at = self.offset();
                    self.line().insert(at, c);
                    self.column += 1;
                }
            }
        }
    }

    /// Takes a key; says whether it meant something here.
    pub(super) fn key(&mut self, key: KeyEvent) -> bool {
        match (key.code, key.modifiers.contains(KeyModifiers::CONTROL)) {
            (KeyCode::Char('a'), true) | (KeyCode::Home, _) => self.column = 0,
            (KeyCode::Char('e'), true) | (KeyCode::End, _) => self.column = self.length(),
            (KeyCode::Char('u'), true) => {
                let at = self.offset();
                self.line().drain(..at);
                self.column = 0;
            }
            (KeyCode::Char('k'), true) => {
                let at = self.offset();
                self.line().truncate(at);
            }
            (KeyCode::Char(_), true) => return false,
            (KeyCode::Char(c), false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (KeyCode::Enter, _) => self.split(),
            (KeyCode::Backspace, _) => self.backspace(),
            (KeyCode::Delete, _) => {
                if self.column < self.length() || self.row + 1 < self.lines.len() {
                    self.right();
                    self.backspace();
                }
            }
            (KeyCode::Left, _) => self.left(),
            (KeyCode::Right, _) => self.right(),
            (KeyCode::Up, _) => self.go_to(self.row.saturating_sub(1)),
            (KeyCode::Down, _) => self.go_to(self.row + 1),
            _ => return false,
        }
        true
    }

    fn line(&mut self) -> &mut String {
        if self.lines.is_empty() {
            self.lines.push(String::new());
        }
        &mut self.lines[self.row]
    }

    fn length(&self) -> usize {
        self.lines.get(self.row).map_or(0, |line| line.chars().count())
    }

    /// The cursor's place in its line, in bytes.
    fn offset(&self) -> usize {
        let line = self.lines.get(self.row).map_or("", String::as_str);
        line.char_indices().nth(self.column).map_or(line.len(), |(at, _)| at)
    }

    fn split(&mut self) {
        let at = self.offset();
        let rest = self.line().split_off(at);
        let blanks = self.lines[self.row].len() - self.lines[self.row].trim_start().len();
        self.row += 1;
        self.column = blanks;
        self.lines.insert(self.row, " ".repeat(blanks) + &rest);
    }

    fn backspace(&mut self) {
        if self.column > 0 {
            self.column -= 1;
            let at = self.offset();
            self.line().remove(at);
        } else if self.row > 0 {
            let rest = self.lines.remove(self.row);
            self.row -= 1;
            self.column = self.length();
            self.line().push_str(&rest);
        }
    }

    fn left(&mut self) {
        if self.column > 0 {
            self.column -= 1;
        } else if self.row > 0 {
            self.row -= 1;
            self.column = self.length();
        }
    }

    fn right(&mut self) {
        if self.column < self.length() {
            self.column += 1;
        } else if self.row + 1 < self.lines.len() {
            self.row += 1;
            self.column = 0;
        }
    }

    fn go_to(&mut self, row: usize) {
        self.row = row.min(self.lines.len().saturating_sub(1));
        self.column = self.column.min(self.length());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(mut editor: Editor, keys: &[KeyCode]) -> (String, (usize, usize)) {
        for key in keys {
            editor.key(KeyEvent::new(*key, KeyModifiers::NONE));
        }
        (editor.text(), editor.cursor())
    }

    #[test]
    fn keys_edit_the_text() {
        use KeyCode::{Backspace, Char, Delete, Down, End, Enter, Home, Left, Right, Up};
        for (text, keys, expected, cursor) in [
            ("", vec![Char('é'), Char('x'), Left, Char('y')], "éyx", (0, 2)),
            ("ab", vec![Left, Enter], "a\nb", (1, 0)),
            ("  ab", vec![Enter, Char('c')], "  ab\n  c", (1, 3)),
            ("a\nb", vec![Home, Backspace], "ab", (0, 1)),
            ("a\nb", vec![Up, End, Delete], "ab", (0, 1)),
            ("abc\nd", vec![Up, Up, Down, Down, Right], "abc\nd", (1, 1)),
            ("", vec![Backspace, Delete, Left, Right, Up, Down], "", (0, 0)),
            ("é", vec![Backspace], "", (0, 0)),
        ] {
            assert_eq!(
                typed(Editor::of(text), &keys),
                (expected.to_owned(), cursor),
                "{text:?} {keys:?}"
            );
        }
        let mut empty = Editor::default();
        empty.insert("a\tb\nc");
        assert_eq!((empty.text().as_str(), empty.cursor()), ("ab\nc", (1, 1)));
    }

    #[test]
    fn control_keys_move_and_cut() {
        let mut editor = Editor::of("one two");
        for (key, text, column) in [('a', "one two", 0), ('e', "one two", 7), ('u', "", 0)] {
            assert!(editor.key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL)));
            assert_eq!((editor.text().as_str(), editor.cursor()), (text, (0, column)));
        }
        assert!(
            !editor.key(KeyEvent::new(KeyCode::Char('r'), KeyModifiers::CONTROL)),
            "that is for others"
        );
    }

    #[test]
    fn a_template_is_begun_where_something_is_missing() {
        let editor = Editor::of_template("{\n  \"a\": \"\",\n  \"b\": \"\"\n}");
        assert_eq!(editor.cursor(), (1, 8));
        assert_eq!(Editor::of_template("{}").cursor(), (0, 2));
    }
}
