//! JSONPath templates as kubectl has them: text, `{.a.b}`, `{range .items[*]}...{end}`, `{"\n"}`, filters.
//!
//! Enters: a template and a value. Leaves: text. Each expression is rewritten into RFC 9535 and evaluated by a library;
//! only kubectl's own liberties (a path without `$`, keys with hyphens or escaped dots) are undone here. A path that
//! finds nothing prints nothing.

use std::fmt::Write as _;
use std::str::FromStr;

use orch_shared::query::plain_text;
use serde_json::Value;
use serde_json_path::JsonPath;

/// A template, read.
#[derive(Debug, Clone)]
pub(crate) struct Template(Vec<Node>);

#[derive(Debug, Clone)]
enum Node {
    Text(String),
    Path(Box<JsonPath>),
    Range(Box<JsonPath>, Vec<Node>),
}

impl Template {
    /// The template's text for that value.
    pub(crate) fn render(&self, value: &Value) -> String {
        let mut out = String::new();
        render(&self.0, value, &mut out);
        out
    }
}

fn render(nodes: &[Node], value: &Value, out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Path(path) => {
                for (index, found) in path.query(value).all().into_iter().enumerate() {
                    let _ = write!(out, "{}{}", if index == 0 { "" } else { " " }, plain_text(found));
                }
            }
            Node::Range(path, body) => path
                .query(value)
                .all()
                .into_iter()
                .for_each(|item| render(body, item, out)),
        }
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A bare path is a template, too: `-o jsonpath=.metadata.name`.
        let bare = !text.contains('{') && text.starts_with(['.', '$', '[']);
        if bare {
            return Ok(Self(vec![Node::Path(Box::new(path(text)?))]));
        }
        let mut open: Vec<(Box<JsonPath>, Vec<Node>)> = Vec::new();
        let mut nodes = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let Some(start) = rest.find('{') else {
                nodes.push(Node::Text(rest.to_owned()));
                break;
            };
            if start > 0 {
                nodes.push(Node::Text(rest[..start].to_owned()));
            }
            let inner = &rest[start + 1..];
            let end = closing(inner, '}').ok_or_else(|| format!("`{{{inner}` is not closed by `}}`"))?;
            let expression = inner[..end].trim();
            rest = &inner[end + 1..];
            if let Some(list) = expression.strip_prefix("range ") {
                open.push((Box::new(path(list.trim())?), std::mem::take(&mut nodes)));
            } else if expression == "end" {
                let (list, before) = open.pop().ok_or("there is `{end}` without `{range ...}`")?;
                let body = std::mem::replace(&mut nodes, before);
                nodes.push(Node::Range(list, body));
            } else if expression.starts_with('"') {
                nodes.push(Node::Text(literal(expression)?));
            } else if !expression.is_empty() {
                nodes.push(Node::Path(Box::new(path(expression)?)));
            }
        }
        if open.is_empty() {
            Ok(Self(nodes))
        } else {
            Err("a `{range ...}` has no `{end}`".to_owned())
        }
    }
}

/// `"\n"` with its escapes.
fn literal(expression: &str) -> Result<String, String> {
    serde_json::from_str(expression).map_err(|_| format!("`{expression}` is not a text in double quotes"))
}

/// Where the bracket that encloses `text` is closed, quotes and inner brackets skipped.
fn closing(text: &str, bracket: char) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '(' | '{') => depth += 1,
            (None, c) if c == bracket && depth == 0 => return Some(at),
            (None, ']' | ')' | '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    None
}

/// Reads one expression.
fn path(expression: &str) -> Result<JsonPath, String> {
    let standard = standard(expression).ok_or_else(|| format!("`{expression}` is not closed by `]`"))?;
    JsonPath::parse(&standard).map_err(|error| format!("`{expression}` is not a JSONPath: {}", error.message()))
}

/// kubectl's expression as RFC 9535 has it: a `$` in front, and every plain key in brackets and quotes.
fn standard(expression: &str) -> Option<String> {
    let mut out = String::from("$");
    let mut rest = expression.trim_start_matches(['$', '@']);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end = closing(inner, ']')?;
            let _ = write!(out, "[{}]", &inner[..end]);
            rest = &inner[end + 1..];
            continue;
        }
        if let Some(after) = rest.strip_prefix("..") {
            out.push_str("..");
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
        }
        let (key, after) = key(rest);
        rest = after;
        match key.as_str() {
            "" => {}
            "*" => out.push_str("[*]"),
            key => {
                let _ = write!(out, "['{}']", key.replace('\\', "\\\\").replace('\'', "\\'"));
            }
        }
    }
    Some(out)
}

/// The key at the beginning, its escapes undone, and what comes after it.
fn key(text: &str) -> (String, &str) {
    let mut key = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => key.extend(chars.next().map(|(_, escaped)| escaped)),
            '.' | '[' => return (key, &text[at..]),
            c => key.push(c),
        }
    }
    (key, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn templates_print_what_kubectl_would() {
        let value = json!({
            "items": [
                {"metadata": {"name": "a", "labels": {"example.com/team": "core", "app-tier": "x"}}, "status": {"restarts": 2, "phase": "Ready"}},
                {"metadata": {"name": "b"}, "status": {"restarts": 0, "phase": "Failed"}},
            ],
        });
        for (template, expected) in [
            ("{.items[*].metadata.name}", "a b"),
            (".items[0].metadata.name", "a"),
            ("{$.items[1].status.restarts}", "0"),
            (
                r#"{range .items[*]}{.metadata.name}={.status.phase}{"\n"}{end}"#,
                "a=Ready\nb=Failed\n",
            ),
            (r#"{.items[?(@.status.phase=="Failed")].metadata.name}"#, "b"),
            (r#"{.items[?(@.status.restarts > 1)].metadata.name}"#, "a"),
            (r"{.items[0].metadata.labels.example\.com/team}", "core"),
            ("{.items[0].metadata.labels['example.com/team']}", "core"),
            ("{.items[0].metadata.labels.app-tier}", "x"),
            ("{..phase}", "Ready Failed"),
            ("{.items[0].status}", r#"{"restarts":2,"phase":"Ready"}"#),
            ("{.items[-1:].metadata.name}", "b"),
            ("{.nothing.here}", ""),
            ("plain {.items[0].metadata.name} text", "plain a text"),
            ("{range .items[*]}[{range .metadata}{.name}{end}]{end}", "[a][b]"),
            ("{@}", &value.to_string()),
        ] {
            let template_read: Template = template.parse().unwrap_or_else(|error| panic!("{template}: {error}"));
            assert_eq!(template_read.render(&value), expected, "{template}");
        }
    }

    #[test]
    fn broken_templates_say_what_is_wrong() {
        for (template, said) in [
            ("{.a", "not closed"),
            ("{.a[0}", "not closed"),
            ("{range .a}x", "no `{end}`"),
            ("{end}", "without `{range"),
            (r#"{"x}"#, "not closed"),
            ("{.a[?(]}", "not"),
        ] {
            let error = template.parse::<Template>().unwrap_err();
            assert!(error.contains(said), "{template}: {error}");
        }
    }
}
