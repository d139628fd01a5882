//! `tools inspect`: what a tool does, takes and gives, as a person reads it.

use std::fmt::Write as _;

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::Value;

use super::person::Person;
use super::{dialogue, find, list, offered};
use crate::complete;
use crate::mcp::dialogue::Tool;
use crate::mcp::target::Target;
use crate::render::document::{self, Format};
use crate::render::schema::{Field, Shape};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// How deep fields of fields are shown.
const DEEPEST: usize = 6;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The tool
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(complete::tools))]
    name: String,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Shows a tool.
pub(super) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let (target, dialogue) = dialogue(settings)?;
    let tools = offered(settings, &target, &dialogue, &Person::new(settings, "asking for tools"))?;
    let tool = find(tools.read(), &arguments.name, &target)?;
    let is_it = |whole: &Value| whole["name"] == arguments.name.as_str();
    let whole = tools
        .raw
        .iter()
        .filter_map(|tool| serde_json::from_str::<Value>(tool.get()).ok())
        .find(is_it);
    match document::text(arguments.output, &whole) {
        Some(text) => settings.ui.write(&text)?,
        None => settings.ui.write(&page(&tool, &target))?,
    }
    Ok(Outcome::Done)
}

/// A tool as a page.
pub(crate) fn page(tool: &Tool, target: &Target) -> String {
    let mut out = format!("Name:          {}\n", tool.name);
    if let Some(title) = tool.title.as_ref().filter(|title| **title != tool.name) {
        let _ = writeln!(out, "Title:         {title}");
    }
    let effect = list::effect(&tool.annotations).0;
    if effect != "-" {
        let _ = writeln!(out, "Effect:        {effect}, says its server");
    }
    if let Some(description) = &tool.description {
        out.push_str("Description:\n");
        for line in description.trim().lines() {
            let _ = writeln!(out, "{}", format!("  {line}").trim_end());
        }
    }
    let takes = Field::root(&tool.input_schema);
    section(&mut out, "Arguments", takes);
    if let Some(gives) = &tool.output_schema {
        section(&mut out, "Result", Field::root(gives));
    }
    let _ = writeln!(out, "Try:           {}", example(tool, target));
    out
}

fn section(out: &mut String, title: &str, root: Field<'_>) {
    if root.fields().is_empty() {
        let what = match root.shape() {
            Shape::Object | Shape::Map | Shape::Any => "-".to_owned(),
            _ => root.type_text(),
        };
        let _ = writeln!(out, "{:15}{what}", format!("{title}:"));
        return;
    }
    let _ = writeln!(out, "{title}:");
    let mut lines = Vec::new();
    fields(root, 1, &mut lines);
    let width = lines.iter().map(|(name, _, _)| name.chars().count()).max().unwrap_or(0) + 3;
    let room = lines
        .iter()
        .map(|(_, what, _)| what.chars().count())
        .filter(|room| *room <= 40)
        .max();
    for (name, what, about) in lines {
        let line = format!("{name:width$}{what:room$}   {about}", room = room.unwrap_or(0));
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// Name, type, and what it is for, of each field, in their order.
fn fields(owner: Field<'_>, depth: usize, lines: &mut Vec<(String, String, String)>) {
    for (name, field) in owner.fields() {
        let mut what = field.type_text();
        if owner.requires(name) {
            what.push_str(", required");
        }
        if let Some(default) = field.resolved().get("default").filter(|default| !default.is_null()) {
            let _ = write!(what, ", default {default}");
        }
        let about = field.description();
        let about = about.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        lines.push((format!("{}{name}", "  ".repeat(depth)), what, about));
        if depth < DEEPEST {
            fields(field.below(), depth + 1, lines);
        }
    }
}

/// A call that could be typed.
fn example(tool: &Tool, target: &Target) -> String {
    let root = Field::root(&tool.input_schema);
    let needed = root.fields().into_iter().filter(|(name, _)| root.requires(name));
    let arguments = needed.map(|(name, field)| {
        let value = match field.shape() {
            Shape::Choice => field.choices().first().map_or("VALUE", |(word, _)| word).to_owned(),
            Shape::Boolean => "true".to_owned(),
            Shape::Integer | Shape::Number => "1".to_owned(),
            Shape::List => "'[...]'".to_owned(),
            Shape::Object | Shape::Map => "'{...}'".to_owned(),
            Shape::Text | Shape::Any => "TEXT".to_owned(),
        };
        format!(" --arg {name}={value}")
    });
    let arguments: String = arguments.collect();
    format!(
        "orchctl tools call {} {}{arguments}",
        tool.name,
        target.flags().join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tool_is_a_page() {
        let tool: Tool = serde_json::from_value(json!({
            "name": "find", "title": "Find things", "description": "Finds.\n\nSlowly.",
            "annotations": {"readOnlyHint": true},
            "inputSchema": {"type": "object", "required": ["query", "kind"], "definitions": {"Kind": {"enum": ["a", "b"]}}, "properties": {
                "query": {"type": "string", "description": "What to\nlook for"},
                "kind": {"$ref": "#/definitions/Kind"},
                "limit": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
                "where": {"type": "array", "items": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}},
            }},
            "outputSchema": {"type": "object", "properties": {"found": {"type": "array", "items": {"type": "string"}}}},
        }))
        .unwrap();
        let target = Target::Project("web".parse().unwrap());
        let expected = [
            "Name:          find",
            "Title:         Find things",
            "Effect:        reads, says its server",
            "Description:",
            "  Finds.",
            "",
            "  Slowly.",
            "Arguments:",
            "  query    string, required          What to look for",
            "  kind     a | b, required",
            "  limit    integer 1..9, default 3",
            "  where    []object",
            "    path   string, required",
            "Result:",
            "  found   []string",
            "Try:           orchctl tools call find --project web --arg query=TEXT --arg kind=a",
        ];
        assert_eq!(page(&tool, &target).lines().collect::<Vec<_>>(), expected);
    }
}
