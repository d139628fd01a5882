//! `api-resources`: the kinds there are, as this program knows them.

use clap::Args;
use orch_shared::kind::{Kind, Maker, ScopeType};
use serde_json::{Value, json};

use crate::render::document::{self, Format};
use crate::render::table::{Heading, Piece, Style, draw};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Show the kinds there are
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl api-resources
  orchctl api-resources -o json
  orchctl explain server              what one is made of
")]
pub(crate) struct Arguments {
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Shows the kinds.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let document: Vec<Value> = Kind::ALL.iter().map(|kind| entry(*kind)).collect();
    if let Some(text) = document::text(arguments.output, &document) {
        settings.ui.write(&text)?;
        return Ok(Outcome::Done);
    }
    let list = |value: &Value| {
        let words: Vec<&str> = value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        Piece::plain(if words.is_empty() {
            "-".to_owned()
        } else {
            words.join(",")
        })
    };
    let text = |value: &Value| Piece::plain(value.as_str().unwrap_or_default());
    let rows = document.iter().map(|entry| {
        vec![
            text(&entry["name"]),
            list(&entry["shortNames"]),
            text(&entry["kind"]),
            list(&entry["scopes"]),
            text(&entry["madeBy"]),
            list(&entry["actions"]),
            text(&entry["description"]),
        ]
    });
    let titles = ["NAME", "SHORT", "KIND", "LIVES IN", "MADE BY", "ACTIONS", "WHAT IT IS"];
    let style = Style::whole(&settings.ui, Heading::Shown);
    settings.ui.write(&draw(&titles, rows.collect(), style))?;
    Ok(Outcome::Done)
}

fn entry(kind: Kind) -> Value {
    let meta = kind.meta();
    let scope = |scope: &ScopeType| match scope {
        ScopeType::Cluster => "cluster",
        ScopeType::Project => "project",
        ScopeType::Agent => "agent",
    };
    let maker = match meta.maker {
        Maker::User => "user",
        Maker::Daemon => "daemon",
    };
    let about = kind
        .definition()
        .spec_schema()
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    json!({
        "name": meta.plural,
        "singular": meta.singular,
        "shortNames": meta.short,
        "kind": kind,
        "scopes": meta.scopes.iter().map(scope).collect::<Vec<_>>(),
        "madeBy": maker,
        "actions": meta.actions.iter().map(|action| action.as_str()).collect::<Vec<_>>(),
        "description": first_sentence(about),
    })
}

/// The first sentence of a doc comment, whose lines are wrapped.
pub(super) fn first_sentence(text: &str) -> String {
    let flowing = flowing(text);
    let end = flowing.find(". ").map_or(flowing.len(), |end| end + 1);
    flowing[..end].to_owned()
}

/// The first sentence, and the one that names the default.
pub(super) fn sentence_and_default(text: &str) -> String {
    let first = first_sentence(text);
    match flowing(text).find("Default: ") {
        Some(start) if start > 0 => {
            let rest = flowing(text)[start..].to_owned();
            let end = rest.find(". ").map_or(rest.len(), |end| end + 1);
            format!("{first} {}", &rest[..end])
        }
        Some(_) | None => first,
    }
}

fn flowing(text: &str) -> String {
    text.split("\n\n").next().unwrap_or_default().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_kept() {
        for (text, kept) in [
            ("How many.\nAnd more. Default: 1.", "How many. Default: 1."),
            (
                "One. Default: a directory of\nits own. More.",
                "One. Default: a directory of its own.",
            ),
            ("One thing.", "One thing."),
            ("Default: none.", "Default: none."),
        ] {
            assert_eq!(sentence_and_default(text), kept);
        }
    }
}
