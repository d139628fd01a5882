//! Says in our words what is wrong with YAML that cannot be read.
//!
//! The parser's complaint and its place come in, with the text around it; the mistake a person most likely made goes out:
//! a tab, a missing space or quote, a line that is indented too far. Where none fits, the parser's words have to do.

use super::{LocatedProblem, Position};
use crate::excerpt::{quoted, short};
use crate::problem::Code;

/// Complaints that mean one thing only: how they begin, the problem in our words, and the way out.
const PLAIN: &[(&str, &str, &str)] = &[
    (
        "comment intercepting the multiline text",
        "the text before this comment goes on after it",
        "give the next line the indentation of its neighbours, or quote the text",
    ),
    (
        "block sequence entries are not allowed in this context",
        "a list cannot begin behind its key",
        "write its first `- ` on the next line",
    ),
    (
        "\"-\" is only valid inside a block",
        "`- ` cannot stand within brackets",
        "separate the elements by commas, or quote the text",
    ),
    (
        "':' must be followed by a valid YAML whitespace",
        "a tab stands behind the `:`; YAML wants a space",
        "replace it by a space",
    ),
    (
        "'-' must be followed by a valid YAML whitespace",
        "a tab stands behind the `-`; YAML wants a space",
        "replace it by a space",
    ),
    (
        "misplaced bracket",
        "this bracket closes nothing",
        "remove it, or quote the text it belongs to",
    ),
    (
        "while scanning a block scalar, did not find",
        "something stands behind the sign that starts a block of text",
        "begin the text on the next line, indented; or quote it if it starts with `|` or `>`",
    ),
    (
        "wrongly indented line in block scalar",
        "this line of a block of text is indented less than the block",
        "indent it like the other lines",
    ),
    (
        "the handle wasn't declared",
        "this tag means nothing here",
        "remove it; text that starts with `!` must be quoted",
    ),
    (
        "did not find expected <document start>",
        "something stands behind the end of the document",
        "put a line `---` between documents; is something indented wrongly above?",
    ),
];

/// The problem behind a complaint of the parser at `at`.
pub(super) fn explain(text: &str, complaint: &str, at: Position) -> LocatedProblem {
    if complaint.contains("byte order mark") {
        let message = "a byte order mark stands within the text";
        return LocatedProblem::new(Code::ManifestEncoding, at, message).hint("remove it");
    }
    match (Page { text, at }).telling(complaint) {
        Some(Telling { at, message, hint }) => LocatedProblem::new(Code::ManifestSyntax, at, message).hint(hint),
        None => LocatedProblem::new(Code::ManifestSyntax, at, format!("this is not YAML: {complaint}")),
    }
}

/// What to tell a person, and about which place.
struct Telling {
    at: Position,
    message: String,
    hint: String,
}

impl Telling {
    fn new(at: Position, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            hint: hint.into(),
        }
    }
}

fn tab(at: Position) -> Telling {
    Telling::new(
        at,
        "a tab is used for indentation; YAML wants spaces",
        "replace it by two spaces per level",
    )
}

/// The text, and where the parser gave up.
struct Page<'t> {
    text: &'t str,
    at: Position,
}

impl<'t> Page<'t> {
    /// What to say about a complaint. A tab at the beginning of the line explains them all.
    fn telling(&self, complaint: &str) -> Option<Telling> {
        if let Some(at) = self.tab_nearby(complaint) {
            return Some(tab(at));
        }
        if let Some((_, message, hint)) = PLAIN.iter().find(|(beginning, ..)| complaint.starts_with(beginning)) {
            return Some(Telling::new(self.at, *message, *hint));
        }
        match complaint {
            "mapping values are not allowed in this context" => self.unexpected_colon(),
            "simple key expect ':'" | "simple key expected" => self.missing_colon(),
            "while parsing a block mapping, did not find expected key" => self.no_key(),
            "while parsing a block collection, did not find expected '-' indicator" => Some(Telling::new(
                self.start_of_line(),
                "expected another element of the list above",
                "begin it with `- `, or give the line the indentation of what it belongs to",
            )),
            "while parsing node, found unknown anchor" => Some(self.unknown_anchor()),
            _ if complaint.contains("quoted scalar") || complaint.contains("trailing content") => {
                self.quotes(complaint)
            }
            _ if complaint.contains("anchor or alias") || complaint.contains("unexpected character") => {
                Some(self.quote_it())
            }
            _ => self.brackets(complaint),
        }
    }

    /// The line with that number; empty beyond the end.
    fn line(&self, number: u32) -> &'t str {
        let index = number.saturating_sub(1) as usize;
        self.text.lines().nth(index).unwrap_or_default()
    }

    /// The number and text of the last line before the place that says something.
    fn line_above(&self) -> Option<(u32, &'t str)> {
        let above = self.at.line.saturating_sub(1) as usize;
        let says_something = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        let lines = self.text.lines().take(above).zip(1..);
        lines
            .filter(|(line, _)| says_something(line))
            .last()
            .map(|(line, number)| (number, line))
    }

    /// The text from the place to the end of its line.
    fn here(&self) -> &'t str {
        let line = self.line(self.at.line);
        let before = self.at.column.saturating_sub(1) as usize;
        line.char_indices()
            .nth(before)
            .map_or("", |(offset, _)| &line[offset..])
    }

    fn start_of_line(&self) -> Position {
        place(self.at.line, indentation(self.line(self.at.line)))
    }

    /// A tab among the spaces at the beginning of the line, or of one beside it when the parser complains about tabs.
    fn tab_nearby(&self, complaint: &str) -> Option<Position> {
        let reach = if complaint.contains("tab") { 2 } else { 0 };
        let first = self.at.line;
        (first..=first + reach).find_map(|number| {
            let line = self.line(number);
            let blank = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
            let column = blank.find('\t').filter(|_| blank.len() < line.len())?;
            Some(place(number, column))
        })
    }

    fn quotes(&self, complaint: &str) -> Option<Telling> {
        if complaint.starts_with("invalid trailing content") {
            let single = self.line(self.at.line).contains('\'');
            let hint = if single {
                "within single quotes, a quote is written twice: ''"
            } else {
                "within double quotes, a quote is written \\\""
            };
            return Some(Telling::new(self.at, "something stands behind the closing quote", hint));
        }
        let quote = self.here().chars().next().filter(|c| matches!(c, '"' | '\''))?;
        if complaint.contains("escape") || complaint.contains("hexadecimal") {
            let (offset, escape) = bad_escape(self.here())?;
            let at = Position {
                column: self.at.column.saturating_add(offset),
                ..self.at
            };
            return Some(Telling::new(
                at,
                format!("`{escape}` is no escape"),
                "a backslash is written \\\\ within double quotes, or as it is within single quotes",
            ));
        }
        let name = if quote == '"' { "double" } else { "single" };
        let hint = "close it; further lines of a quoted text must be indented more than its key";
        Some(Telling::new(
            self.at,
            format!("the {name} quote that is opened here is not closed"),
            hint,
        ))
    }

    /// A `: ` where no key can be.
    fn unexpected_colon(&self) -> Option<Telling> {
        let line = self.line(self.at.line);
        let before: String = line.chars().take(self.at.column.saturating_sub(1) as usize).collect();
        if before.contains(": ") {
            let hint = "quote the value if the `:` belongs to it";
            return Some(Telling::new(self.at, "there is a second `: ` on this line", hint));
        }
        let (number, above) = self.line_above()?;
        if let Some(telling) = missing_space(number, above) {
            return Some(telling);
        }
        let above_is_key =
            above.contains(": ") || above.trim_end().ends_with(':') || above.trim_start().starts_with("- ");
        if above_is_key && indentation(line) > indentation(above) {
            return Some(Telling::new(
                self.start_of_line(),
                "this line is indented further than the one above, which already has a value",
                "give both lines the same indentation",
            ));
        }
        Some(no_colon(number, above)).filter(|_| !above_is_key)
    }

    /// A line that should be `key: value` and is not; the parser notices one token too late.
    fn missing_colon(&self) -> Option<Telling> {
        let (number, above) = self.line_above()?;
        Some(missing_space(number, above).unwrap_or_else(|| no_colon(number, above)))
    }

    fn no_key(&self) -> Option<Telling> {
        let line = self.line(self.at.line);
        let start = self.start_of_line();
        if line.contains("{{") {
            let hint = "quote it: \"{{ ... }}\"";
            return Some(Telling::new(start, "`{{` starts a mapping, not a template", hint));
        }
        if line.trim_start().starts_with("- ") {
            return Some(Telling::new(
                start,
                "an element of a list stands among the keys of a mapping",
                "indent it below the key it belongs to, or remove the `- `",
            ));
        }
        let (_, above) = self.line_above()?;
        (indentation(line) != indentation(above)).then(|| {
            Telling::new(
                start,
                "the indentation of this line fits none of the lines above",
                "give it the indentation of the lines it belongs to",
            )
        })
    }

    fn unknown_anchor(&self) -> Telling {
        let word = short(word(self.here()));
        let name = word.trim_start_matches('*');
        Telling::new(
            self.at,
            format!("there is no anchor `&{name}` above for the alias `{word}`"),
            format!("quote it if it is text: \"{word}\""),
        )
    }

    fn quote_it(&self) -> Telling {
        let word = short(word(self.here()));
        let sign = self.here().chars().next().map(String::from).unwrap_or_default();
        Telling::new(
            self.at,
            format!("unquoted text cannot begin with `{sign}`"),
            format!("quote it: \"{word}\""),
        )
    }

    /// Something between brackets that is not allowed there, most often because one is not closed.
    fn brackets(&self, complaint: &str) -> Option<Telling> {
        let about_brackets =
            complaint.contains("flow") || complaint.contains("placement of ':'") || complaint.contains("node content");
        if !about_brackets {
            return None;
        }
        let (opened, bracket) = self.open_bracket()?;
        let closing = if bracket == '[' { ']' } else { '}' };
        Some(Telling::new(
            opened,
            format!("the `{bracket}` that is opened here is not closed properly"),
            format!("add the missing `,` or `{closing}`; quote it if it is text"),
        ))
    }

    /// The last bracket before the place that is not closed before it.
    fn open_bracket(&self) -> Option<(Position, char)> {
        let mut open = Vec::new();
        for (line, number) in self.text.lines().zip(1..=self.at.line) {
            for (c, column) in line.chars().zip(1..) {
                let position = Position { line: number, column };
                if position >= self.at {
                    break;
                }
                match c {
                    '[' | '{' => open.push((position, c)),
                    ']' | '}' => drop(open.pop()),
                    _ => {}
                }
            }
        }
        open.pop()
    }
}

/// `key:value`, which is text to YAML.
fn missing_space(number: u32, line: &str) -> Option<Telling> {
    let content = line.trim_start().trim_start_matches("- ");
    let (key, value) = content.split_once(':')?;
    let is_key = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
    let runs_on = !value.is_empty() && !value.starts_with([' ', '\t', ':', '/']) && !value.contains(": ");
    (is_key && runs_on).then(|| {
        let column = line.chars().count() - content.chars().count() + key.chars().count();
        Telling::new(
            place(number, column),
            "a space is missing after the `:`",
            format!("write `{}: {}`", short(key), short(value.trim_end())),
        )
    })
}

fn no_colon(number: u32, line: &str) -> Telling {
    Telling::new(
        place(number, indentation(line)),
        format!("expected `key: value`, found {}", quoted(line.trim())),
        "add the `:`; text that goes on over several lines must be indented more than its key",
    )
}

/// The first escape that double quotes do not know, and how many characters come before it.
fn bad_escape(quoted: &str) -> Option<(u32, String)> {
    let mut characters = quoted.chars().zip(0..).skip(1);
    while let Some((c, offset)) = characters.next() {
        if c == '\\' {
            let (escaped, _) = characters.next()?;
            let digits = match escaped {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ if "0abt\tnvfre \"/\\N_LP".contains(escaped) => continue,
                _ => return Some((offset, format!("\\{escaped}"))),
            };
            let code: String = characters.clone().map(|(c, _)| c).take(digits).collect();
            let names = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
            if names.is_none() || code.len() < digits {
                return Some((offset, format!("\\{escaped}{code}")));
            }
        }
    }
    None
}

fn word(text: &str) -> &str {
    text.split(char::is_whitespace).next().unwrap_or_default()
}

/// How many characters of space a line starts with.
fn indentation(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

/// The place behind so many characters of a line.
fn place(line: u32, characters: usize) -> Position {
    Position {
        line,
        column: u32::try_from(characters).unwrap_or(u32::MAX).saturating_add(1),
    }
}
