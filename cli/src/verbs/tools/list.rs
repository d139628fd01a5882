//! `tools list`: a line per tool.

use clap::{ArgAction, Args};
use serde_json::{Value, json};

use super::person::Person;
use super::{dialogue, offered};
use crate::mcp::dialogue::Tool;
use crate::render::document;
use crate::render::schema::Field;
use crate::render::table::{Heading, Piece, Style, draw};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::Tone;
use orch_shared::manifest::to_yaml;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Form: table, wide, name, json or yaml
    #[arg(short, long, default_value = "table", value_parser = ["table", "wide", "name", "json", "yaml"])]
    output: String,
    /// Leave out the heading
    #[arg(long, action = ArgAction::SetTrue)]
    no_headers: bool,
}

/// Lists.
pub(super) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let (target, dialogue) = dialogue(settings)?;
    let tools = offered(settings, &target, &dialogue, &Person::new(settings, "asking for tools"))?;
    for missing in missing(tools.missing.as_ref()) {
        settings.ui.warn(&format!("tools are missing: {missing}"));
    }
    let whole = || {
        let all: Vec<Value> = tools
            .raw
            .iter()
            .filter_map(|tool| serde_json::from_str(tool.get()).ok())
            .collect();
        json!({"tools": all})
    };
    let read = tools.read();
    match arguments.output.as_str() {
        "json" => settings.ui.write(&document::json(&whole()))?,
        "yaml" => settings.ui.write(&to_yaml(&whole()))?,
        "name" => read.iter().try_for_each(|tool| settings.ui.line(&tool.name))?,
        _ if read.is_empty() => settings
            .ui
            .say(&format!("{target} offers no tools; why: orchctl why {target}")),
        form => {
            let rows = read.iter().map(|tool| row(tool, form == "wide"));
            let style = Style::whole(&settings.ui, Heading::unless(arguments.no_headers));
            let titles = ["NAME", "ARGUMENTS", "EFFECT", "DESCRIPTION"];
            settings.ui.write(&draw(&titles, rows.collect(), style))?;
        }
    }
    Ok(Outcome::Done)
}

/// Which servers' tools are missing, in words.
fn missing(told: Option<&Value>) -> Vec<String> {
    match told {
        Some(Value::Object(servers)) => servers
            .iter()
            .map(|(server, why)| match why.as_str() {
                Some(why) => format!("{server}: {why}"),
                None => server.clone(),
            })
            .collect(),
        Some(Value::Array(servers)) => servers
            .iter()
            .map(|server| match (server.as_str(), server["server"].as_str()) {
                (Some(server), _) => server.to_owned(),
                (None, Some(name)) => match server["reason"].as_str().or_else(|| server["message"].as_str()) {
                    Some(why) => format!("{name}: {why}"),
                    None => name.to_owned(),
                },
                (None, None) => server.to_string(),
            })
            .collect(),
        Some(_) | None => Vec::new(),
    }
}

fn row(tool: &Tool, is_wide: bool) -> Vec<Piece> {
    let description = tool
        .description
        .as_deref()
        .or(tool.title.as_deref())
        .unwrap_or_default();
    let mut lines = description.lines().map(str::trim).filter(|line| !line.is_empty());
    let shown = match is_wide {
        true => lines.collect::<Vec<_>>().join(" "),
        false => lines.next().unwrap_or_default().to_owned(),
    };
    let effect = effect(&tool.annotations);
    vec![
        Piece::plain(&tool.name),
        Piece::plain(arguments(tool)),
        Piece {
            text: effect.0.to_owned(),
            tone: effect.1,
        },
        Piece::plain(shown),
    ]
}

/// The arguments, those that must be given first and others with a `?`.
fn arguments(tool: &Tool) -> String {
    let root = Field::root(&tool.input_schema);
    let (needed, optional): (Vec<_>, Vec<_>) = root
        .fields()
        .into_iter()
        .map(|(name, _)| name)
        .partition(|name| root.requires(name));
    let optional = optional.into_iter().map(|name| format!("{name}?"));
    let all: Vec<String> = needed.into_iter().map(str::to_owned).chain(optional).collect();
    if all.is_empty() { "-".to_owned() } else { all.join(" ") }
}

/// What its server says about its effects. Nobody checks that.
pub(super) fn effect(annotations: &Value) -> (&'static str, Tone) {
    let says = |hint: &str| annotations.get(hint).and_then(Value::as_bool);
    match (says("readOnlyHint"), says("destructiveHint")) {
        (Some(true), _) => ("reads", Tone::Good),
        (_, Some(true)) => ("destroys", Tone::Warn),
        (_, Some(false)) => ("adds", Tone::Plain),
        (Some(false), None) => ("writes", Tone::Plain),
        (None, None) => ("-", Tone::Dim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_are_missing_are_named() {
        for (told, expected) in [
            (json!({"a": "it hangs", "b": null}), vec!["a: it hangs", "b"]),
            (json!(["a"]), vec!["a"]),
            (
                json!([{"server": "a", "reason": "it hangs"}, {"server": "b"}]),
                vec!["a: it hangs", "b"],
            ),
            (json!(null), vec![]),
        ] {
            assert_eq!(missing(Some(&told)), expected);
        }
        assert!(missing(None).is_empty());
    }
}
