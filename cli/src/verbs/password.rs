//! Passwords and tokens that somebody types or pipes in. None is ever a flag: a command line is seen by others.

use std::io::Read as _;
use std::path::Path;

use crate::report::Failure;
use crate::settings::Settings;
use crate::ui::hidden::Line;

/// Nothing that is typed or piped in here is longer.
const LONGEST: u64 = 64 * 1024;

/// Asks whoever sits at the terminal, without an echo. `instead` says what to do where nobody sits there.
pub(super) fn ask(settings: &Settings, question: &str, instead: &str) -> Result<String, Failure> {
    if !settings.ui.has_person() {
        return Err(Failure::usage("there is nobody at a terminal who could be asked").hint(instead));
    }
    match settings.ui.ask_hidden(question) {
        Line::Typed(text) => Ok(text),
        Line::Ended | Line::Interrupted => Err(Failure::Cancelled("nothing was typed; nothing was done".to_owned())),
    }
}

/// The lines of standard input, without their ends.
pub(super) fn lines_of_input() -> Result<Vec<String>, Failure> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(LONGEST);
    input
        .read_to_string(&mut text)
        .map_err(|error| Failure::file("read", Path::new("standard input"), &error))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// The one line of standard input; `what` it should hold.
pub(super) fn line_of_input(what: &str) -> Result<String, Failure> {
    let lines = lines_of_input()?;
    match &lines[..] {
        [line] if !line.is_empty() => Ok(line.clone()),
        [] | [_] => Err(Failure::usage(format!("there is no {what} on standard input"))),
        [_, ..] => Err(Failure::usage(format!(
            "standard input has {} lines; one is expected, the {what}",
            lines.len()
        ))),
    }
}
