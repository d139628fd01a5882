//! `explain`: kinds and fields from their doc comments, and error codes from their pages.

use std::fmt::Write as _;

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Kind;
use orch_shared::kinds::API_VERSION;
use orch_shared::manifest::envelope_schema;
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, near_miss};
use serde_json::{Value, json};

use super::api_resources::sentence_and_default;
use crate::args::targets;
use crate::complete;
use crate::render::schema::{Field, Shape};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::{Stream, Tone};

/// How wide explanations are at most.
const WIDTH: usize = 100;
/// How deep `--recursive` goes.
const DEEPEST: usize = 6;

/// Explain kinds, fields and error codes
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl explain server                       what one is made of
  orchctl explain server.spec.healthCheck      a field; `server.healthCheck` means the same
  orchctl explain ORCH2101                     an error code
")]
pub(crate) struct Arguments {
    /// KIND, KIND.FIELD.FIELD, an error code, or `codes` for all of these
    #[arg(value_name = "WHAT", add = ArgValueCompleter::new(complete::explained))]
    what: String,
    /// All fields below, too
    #[arg(long, action = ArgAction::SetTrue)]
    recursive: bool,
}

/// Explains.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let what = arguments.what.trim();
    let text = if what.eq_ignore_ascii_case("codes") {
        Code::ALL
            .iter()
            .map(|code| format!("{code}   {}\n", code.title()))
            .collect()
    } else if what.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("orch")) && !what.contains('.') {
        code(what)?.page().to_owned()
    } else {
        field(settings, what, arguments)?
    };
    settings.ui.write(&text)?;
    Ok(Outcome::Done)
}

fn code(text: &str) -> Result<Code, Failure> {
    text.parse().map_err(|()| {
        let failure = Failure::usage(format!("there is no code `{text}`"));
        match near_miss(text, Code::ALL.iter().map(|code| code.id())) {
            Some(near) => failure.hint(format!("did you mean {near}? see all: orchctl explain codes")),
            None => failure.hint("see all: orchctl explain codes"),
        }
    })
}

/// What every object of a kind has, as a schema.
fn envelope(kind: Kind) -> Value {
    let shared = envelope_schema();
    let mut metadata = shared["properties"]["metadata"].clone();
    metadata["description"] = "What the object is called and how it is marked. Yours.".into();
    json!({
        "type": "object",
        "description": kind.definition().spec_schema().get("description"),
        "required": shared["required"],
        "properties": {
            "apiVersion": {"type": "string", "description": format!("`{API_VERSION}`.")},
            "kind": {"type": "string", "description": format!("`{kind}`.")},
            "metadata": metadata,
            "spec": {"type": "object", "properties": {}, "description": "What is declared. Yours."},
            "status": {"type": "object", "properties": {}, "description": "What the daemon reports. Never yours to write."},
        },
        "$defs": shared["$defs"],
    })
}

fn field(settings: &Settings, what: &str, arguments: &Arguments) -> Result<String, Failure> {
    let (noun, path) = what.split_once('.').unwrap_or((what, ""));
    let kind = targets::kind(noun)?;
    let definition = kind.definition();
    let envelope = envelope(kind);
    let (root, place) = match path.split_once('.').unwrap_or((path, "")) {
        ("spec", below) => (definition.spec_schema(), ("spec", below)),
        ("status", below) => (definition.status_schema(), ("status", below)),
        ("" | "metadata" | "apiVersion" | "kind", _) => (&envelope, ("", path)),
        // The usual field is one of the spec.
        (_, _) => (definition.spec_schema(), ("spec", path)),
    };
    let found = Field::root(root)
        .find(&FieldPath::parse(place.1))
        .map_err(|(name, within)| {
            let names: Vec<&str> = within.fields().into_iter().map(|(name, _)| name).collect();
            let failure = Failure::usage(format!("there is no field `{name}` in {what}"));
            match (near_miss(&name, names.iter().copied()), names.is_empty()) {
                (Some(near), _) => failure.hint(format!("did you mean `{near}`? there are {}", names.join(", "))),
                (None, false) => failure.hint(format!("there are {}", names.join(", "))),
                (None, true) => failure,
            }
        })?;
    let full = [place.0, place.1]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(".");
    let page = Page { settings, arguments };
    Ok(page.text(kind, &full, found))
}

struct Page<'p> {
    settings: &'p Settings,
    arguments: &'p Arguments,
}

impl Page<'_> {
    fn text(&self, kind: Kind, path: &str, field: Field<'_>) -> String {
        let mut out = String::new();
        let strong = |text: &str| self.settings.ui.paint(Stream::Data, Tone::Strong, text);
        let _ = writeln!(out, "{}     {kind} ({API_VERSION})", strong("KIND:"));
        if !path.is_empty() {
            let _ = writeln!(out, "{}    {path} <{}>", strong("FIELD:"), field.type_text());
        }
        let about = field.description();
        if !about.is_empty() {
            let _ = writeln!(out, "\n{}", wrapped(&about, 0));
        }
        let choices = field.choices();
        if !choices.is_empty() {
            let _ = writeln!(out, "\n{}", strong("ONE OF:"));
            for (word, about) in choices {
                let _ = writeln!(out, "  {word:18} {}", wrapped(about, 21));
            }
        }
        let below = field.below();
        if !below.fields().is_empty() {
            let _ = writeln!(out, "\n{}", strong("FIELDS:"));
            self.fields(&mut out, below, 1);
        }
        if path.is_empty() {
            let definition = kind.definition();
            for (title, schema) in [
                ("SPEC:", definition.spec_schema()),
                ("STATUS:", definition.status_schema()),
            ] {
                let _ = writeln!(out, "\n{}", strong(title));
                self.fields(&mut out, Field::root(schema), 1);
            }
        }
        out
    }

    fn fields(&self, out: &mut String, object: Field<'_>, depth: usize) {
        let indent = depth * 2;
        for (name, field) in object.fields() {
            let required = if object.requires(name) { ", required" } else { "" };
            let head = format!("{name} <{}{required}>", field.type_text());
            if self.arguments.recursive {
                let _ = writeln!(out, "{:indent$}{head}", "");
                let below = field.below();
                if depth < DEEPEST && below.shape() == Shape::Object {
                    self.fields(out, below, depth + 1);
                }
            } else {
                let about = sentence_and_default(&field.description());
                let _ = writeln!(
                    out,
                    "{:indent$}{head}\n{:width$}{}",
                    "",
                    "",
                    wrapped(&about, indent + 4),
                    width = indent + 4
                );
            }
        }
    }
}

/// A text in lines that are comfortable to read; all but the first are indented.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    for (index, paragraph) in text.split("\n\n").enumerate() {
        if index > 0 {
            let _ = write!(out, "\n\n{:indent$}", "");
        }
        let mut column = indent;
        for (index, word) in paragraph.split_whitespace().enumerate() {
            let length = word.chars().count();
            if index > 0 && column + 1 + length > WIDTH {
                let _ = write!(out, "\n{:indent$}", "");
                column = indent;
            } else if index > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_wrapped() {
        let text = wrapped(&"word ".repeat(60), 4);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(text.lines().skip(1).all(|line| line.starts_with("    word")));
        assert_eq!(wrapped("one\ntwo\n\nthree", 0), "one two\n\nthree");
    }
}
