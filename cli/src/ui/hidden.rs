//! What is typed and must not be seen: a line of a terminal without its echo.
//!
//! Enters: keys. Leaves: the line, or that there is none. The terminal is as it was before, however it ends.

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// How a line ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// With Enter.
    Typed(String),
    /// With Ctrl-D, or with the terminal.
    Ended,
    /// With Ctrl-C.
    Interrupted,
}

/// The terminal without its echo, for as long as this lives.
struct Silence;

impl Silence {
    fn begin() -> std::io::Result<Self> {
        enable_raw_mode()?;
        Ok(Self)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that has gone needs no echo.
        let _ = disable_raw_mode();
    }
}

/// Takes in a line. `ask` says what is wanted: whoever reads it already types unseen.
pub(super) fn line(ask: impl FnOnce()) -> Line {
    let Ok(_silence) = Silence::begin() else {
        return Line::Ended;
    };
    ask();
    let mut typed = String::new();
    loop {
        match event::read() {
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                if let Some(line) = press(&mut typed, key) {
                    return line;
                }
            }
            Ok(_) => {}
            Err(_) => return Line::Ended,
        }
    }
}

/// What a key does; the line, once it is over.
fn press(typed: &mut String, key: KeyEvent) -> Option<Line> {
    match (key.code, key.modifiers.contains(KeyModifiers::CONTROL)) {
        (KeyCode::Char('c'), true) => return Some(Line::Interrupted),
        (KeyCode::Char('d'), true) => return Some(Line::Ended),
        (KeyCode::Char('u'), true) => typed.clear(),
        (KeyCode::Enter, _) | (KeyCode::Char('j' | 'm'), true) => return Some(Line::Typed(std::mem::take(typed))),
        (KeyCode::Backspace, _) | (KeyCode::Char('h'), true) => {
            typed.pop();
        }
        (KeyCode::Char(letter), false) => typed.push(letter),
        _ => {}
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_make_a_line() {
        let key = |code| KeyEvent::new(code, KeyModifiers::NONE);
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        let mut typed = String::new();
        for pressed in [
            key(KeyCode::Char('x')),
            control('u'),
            key(KeyCode::Char('A')),
            key(KeyCode::Char('ä')),
            key(KeyCode::Char('?')),
            key(KeyCode::Backspace),
            key(KeyCode::Left),
            control('x'),
        ] {
            assert_eq!(press(&mut typed, pressed), None);
        }
        assert_eq!(
            press(&mut typed, key(KeyCode::Enter)),
            Some(Line::Typed("Aä".to_owned()))
        );
        assert_eq!(press(&mut typed, control('c')), Some(Line::Interrupted));
        assert_eq!(press(&mut typed, control('d')), Some(Line::Ended));
    }
}
