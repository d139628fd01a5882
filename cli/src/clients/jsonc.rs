//! JSON with comments, read with the places of everything, and changed where it must be and nowhere else.
//!
//! Enters: text. Leaves: a [`Node`] per value with its bytes, or the place of what is wrong; and text in which one member
//! or element has come or gone. Comments, blanks, line ends and the order of everything else stay byte for byte.

use std::ops::Range;

use serde_json::{Map, Value};

use super::lines::line_end;

/// Deeper than any settings are.
const DEEPEST: usize = 128;

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Where, in bytes.
    pub(super) at: usize,
    /// What.
    pub(super) message: String,
}

/// Whether a text may hold more than plain JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// It may not.
    Plain,
    /// Comments, and commas behind the last.
    WithComments,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Its bytes.
    pub(super) span: Range<usize>,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Named members.
    Object(Vec<Member>),
    /// Elements.
    Array(Vec<Element>),
    /// Anything without parts.
    Plain(Value),
}

/// A member of an object.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Its name.
    pub(super) name: String,
    /// Where its name begins.
    pub(super) start: usize,
    /// Its value.
    pub(super) value: Node,
    /// The comma behind it.
    comma: Option<usize>,
}

/// An element of an array.
#[derive(Debug, Clone)]
pub(super) struct Element {
    /// Its value.
    pub(super) value: Node,
    comma: Option<usize>,
}

/// One part of an object or array: where it begins and ends, and its comma.
struct Part {
    span: Range<usize>,
    comma: Option<usize>,
}

impl Node {
    /// The member of that name; of several, the last, as readers of JSON have it.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Object(members) => members
                .iter()
                .rev()
                .find(|member| member.name == name)
                .map(|m| &m.value),
            Kind::Array(_) | Kind::Plain(_) => None,
        }
    }

    /// Whether it has members.
    pub(super) const fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }

    /// The elements, when it is an array.
    pub(super) fn elements(&self) -> Option<&[Element]> {
        match &self.kind {
            Kind::Array(elements) => Some(elements),
            Kind::Object(_) | Kind::Plain(_) => None,
        }
    }

    /// The value, without places and comments.
    pub(super) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|member| (member.name.clone(), member.value.to_value()))
                    .collect::<Map<_, _>>(),
            ),
            Kind::Array(elements) => elements.iter().map(|element| element.value.to_value()).collect(),
            Kind::Plain(value) => value.clone(),
        }
    }

    fn parts(&self) -> Vec<Part> {
        match &self.kind {
            Kind::Object(members) => members
                .iter()
                .map(|member| Part {
                    span: member.start..member.value.span.end,
                    comma: member.comma,
                })
                .collect(),
            Kind::Array(elements) => elements
                .iter()
                .map(|element| Part {
                    span: element.value.span.clone(),
                    comma: element.comma,
                })
                .collect(),
            Kind::Plain(_) => Vec::new(),
        }
    }
}

/// Reads a text that holds one value.
pub(super) fn parse(text: &str, dialect: Dialect) -> Result<Node, Wrong> {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut reader = Reader {
        text,
        at: start,
        dialect,
    };
    reader.skip()?;
    let node = reader.value(0)?;
    reader.skip()?;
    if reader.at < text.len() {
        return Err(reader.wrong("something follows the value"));
    }
    Ok(node)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    dialect: Dialect,
}

impl Reader<'_> {
    fn wrong(&self, message: impl Into<String>) -> Wrong {
        Wrong {
            at: self.at,
            message: message.into(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes over blanks and comments.
    fn skip(&mut self) -> Result<(), Wrong> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') => {
                    let rest = &self.text[self.at..];
                    let length = if rest.starts_with("//") {
                        Some(rest.find('\n').unwrap_or(rest.len()))
                    } else if rest.starts_with("/*") {
                        rest.find("*/").map(|end| end + 2)
                    } else {
                        return Err(self.wrong("a value is expected"));
                    };
                    match (self.dialect, length) {
                        (Dialect::Plain, _) => return Err(self.wrong("a comment, which this client does not take")),
                        (Dialect::WithComments, Some(length)) => self.at += length,
                        (Dialect::WithComments, None) => return Err(self.wrong("a comment without an end")),
                    }
                }
                Some(_) | None => return Ok(()),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Wrong> {
        if depth > DEEPEST {
            return Err(self.wrong("values are nested too deep"));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => Kind::Object(self.object(depth)?),
            Some(b'[') => Kind::Array(self.array(depth)?),
            Some(_) | None => Kind::Plain(self.plain()?),
        };
        Ok(Node {
            span: start..self.at,
            kind,
        })
    }

    fn plain(&mut self) -> Result<Value, Wrong> {
        let mut values = serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                self.at += values.byte_offset();
                Ok(value)
            }
            Some(Err(_)) | None => Err(self.wrong("a value is expected")),
        }
    }

    /// Passes over a comma; says where it stood. `closing` may follow it only where the dialect has that.
    fn comma(&mut self, closing: u8) -> Result<Option<usize>, Wrong> {
        self.skip()?;
        if self.peek() != Some(b',') {
            return Ok(None);
        }
        let at = self.at;
        self.at += 1;
        self.skip()?;
        if self.peek() == Some(closing) && self.dialect == Dialect::Plain {
            self.at = at;
            return Err(self.wrong("a comma behind the last, which this client does not take"));
        }
        Ok(Some(at))
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member>, Wrong> {
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        loop {
            self.skip()?;
            let start = self.at;
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(members);
                }
                Some(_) if members.last().is_some_and(|last| last.comma.is_none()) => {
                    return Err(self.wrong("a comma is missing before this"));
                }
                Some(b'"') => {}
                Some(_) => return Err(self.wrong("a name in double quotes is expected")),
                None => return Err(self.wrong("the end is missing: `}`")),
            }
            let Value::String(name) = self.plain()? else {
                return Err(self.wrong("a name is expected"));
            };
            self.skip()?;
            if self.peek() != Some(b':') {
                return Err(self.wrong("`:` is expected"));
            }
            self.at += 1;
            self.skip()?;
            let value = self.value(depth + 1)?;
            let comma = self.comma(b'}')?;
            members.push(Member {
                name,
                start,
                value,
                comma,
            });
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Element>, Wrong> {
        self.at += 1;
        let mut elements: Vec<Element> = Vec::new();
        loop {
            self.skip()?;
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    return Ok(elements);
                }
                Some(_) if elements.last().is_some_and(|last| last.comma.is_none()) => {
                    return Err(self.wrong("a comma is missing before this"));
                }
                Some(_) => {}
                None => return Err(self.wrong("the end is missing: `]`")),
            }
            let value = self.value(depth + 1)?;
            let comma = self.comma(b']')?;
            elements.push(Element { value, comma });
        }
    }
}

/// How a text is laid out.
struct Layout<'t> {
    line_end: &'static str,
    step: &'t str,
}

fn layout(text: &str) -> Layout<'_> {
    // The first line that is further in than its neighbour says how far in a step is.
    let indented = text.lines().map(indent).find(|indent| !indent.is_empty());
    Layout {
        line_end: line_end(text),
        step: indented.unwrap_or("  "),
    }
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The blanks that the line of a place begins with.
fn indent_at(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    indent(&text[start..])
}

/// The text with a member more in that object.
pub(super) fn with_member(text: &str, object: &Node, name: &str, value: &Value) -> String {
    let name = Value::from(name).to_string();
    with_part(text, object, |layout, indent| {
        format!("{name}: {}", laid_out(value, layout, indent))
    })
}

/// The text with an element more in that array.
pub(super) fn with_element(text: &str, array: &Node, value: &Value) -> String {
    with_part(text, array, |layout, indent| laid_out(value, layout, indent))
}

/// The text with another value in the place of that one.
pub(super) fn with_value(text: &str, node: &Node, value: &Value) -> String {
    let written = laid_out(value, &layout(text), indent_at(text, node.span.start));
    format!("{}{written}{}", &text[..node.span.start], &text[node.span.end..])
}

fn laid_out(value: &Value, layout: &Layout<'_>, indent: &str) -> String {
    let pretty = serde_json::to_string_pretty(value).expect("plain data");
    let lines = pretty.lines().map(|line| {
        let bare = line.trim_start_matches(' ');
        let steps = (line.len() - bare.len()) / 2;
        format!("{}{bare}", layout.step.repeat(steps))
    });
    lines.collect::<Vec<_>>().join(&format!("{}{indent}", layout.line_end))
}

fn with_part(text: &str, owner: &Node, write: impl Fn(&Layout<'_>, &str) -> String) -> String {
    let layout = layout(text);
    let parts = owner.parts();
    let close = owner.span.end - 1;
    let Some(last) = parts.last() else {
        let outer = indent_at(text, owner.span.start).to_owned();
        let indent = format!("{outer}{}", layout.step);
        let inner = &text[owner.span.start + 1..close];
        // What is between the brackets stays: it may be a comment.
        let kept = inner.trim_end();
        let begin = owner.span.start + 1 + kept.len();
        let line_end = layout.line_end;
        let part = write(&layout, &indent);
        return format!(
            "{}{line_end}{indent}{part}{line_end}{outer}{}",
            &text[..begin],
            &text[close..]
        );
    };
    // On one line when the others are, and on a line of its own when they are.
    let is_flat = !text[owner.span.start..last.span.start].contains('\n');
    if is_flat {
        let end = last.comma.map_or(last.span.end, |comma| comma + 1);
        let comma = if last.comma.is_some() { "" } else { "," };
        let part = write(&layout, indent_at(text, owner.span.start));
        return format!("{}{comma} {part}{}", &text[..end], &text[end..]);
    }
    let indent = indent_at(text, last.span.start).to_owned();
    let end = last.comma.map_or(last.span.end, |comma| comma + 1);
    let line = end_of_line(text, end, close);
    let part = write(&layout, &indent);
    let line_end = layout.line_end;
    match last.comma {
        Some(_) => format!("{}{line_end}{indent}{part},{}", &text[..line], &text[line..]),
        None => format!(
            "{},{}{line_end}{indent}{part}{}",
            &text[..end],
            &text[end..line],
            &text[line..]
        ),
    }
}

/// Where the line of a place ends, comments included: what is said behind a value belongs to it.
fn end_of_line(text: &str, from: usize, limit: usize) -> usize {
    let rest = &text[from..limit];
    let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
    let comment = line.trim_start();
    if comment.starts_with("//") || (comment.starts_with("/*") && comment.contains("*/")) {
        from + line.trim_end().len()
    } else {
        from
    }
}

/// The text without that member.
pub(super) fn without_member(text: &str, object: &Node, name: &str) -> Option<String> {
    let Kind::Object(members) = &object.kind else {
        return None;
    };
    let index = members.iter().rposition(|member| member.name == name)?;
    Some(without_part(text, object, index))
}

/// The text without that element.
pub(super) fn without_element(text: &str, array: &Node, index: usize) -> String {
    without_part(text, array, index)
}

fn without_part(text: &str, owner: &Node, index: usize) -> String {
    let parts = owner.parts();
    let part = &parts[index];
    let start = text[..part.span.start]
        .trim_end_matches([' ', '\t', '\n', '\r'])
        .len()
        .max(owner.span.start + 1);
    // A comma behind it goes along; without one, it was the last, and the comma before it goes.
    let (end, earlier) = match (part.comma, index.checked_sub(1).and_then(|before| parts[before].comma)) {
        (Some(comma), _) => (comma + 1, None),
        (None, earlier) => (part.span.end, earlier),
    };
    let rest = &text[end..];
    let line = rest[..rest.find('\n').unwrap_or(rest.len())].trim_start();
    let has_neighbour = !line.is_empty() && !line.starts_with("//") && !line.starts_with("/*");
    if has_neighbour && text[start..part.span.start].contains('\n') {
        // What follows on its line takes its place there: the line above may end in a comment.
        return format!("{}{}", &text[..part.span.start], rest.trim_start_matches([' ', '\t']));
    }
    let mut out = String::with_capacity(text.len());
    match earlier {
        Some(comma) => {
            out.push_str(&text[..comma]);
            out.push_str(&text[comma + 1..start.max(comma + 1)]);
        }
        None => out.push_str(&text[..start]),
    }
    // Of an object that is empty now, only the brackets stay.
    let rest = if parts.len() == 1 && text[owner.span.start + 1..start].trim().is_empty() {
        rest.trim_start_matches([' ', '\t', '\n', '\r'])
    } else {
        rest
    };
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Node {
        parse(text, Dialect::WithComments).unwrap()
    }

    fn servers(text: &str) -> Node {
        read(text).member("servers").unwrap().clone()
    }

    #[test]
    fn a_member_comes_and_goes_without_a_trace() {
        for (before, after) in [
            (
                "{\n  \"servers\": {\n    \"a\": {}\n  }\n}\n",
                "{\n  \"servers\": {\n    \"a\": {},\n    \"x\": {\n      \"k\": [\n        1\n      ]\n    }\n  }\n}\n",
            ),
            (
                "{\n\t// why\n\t\"servers\": {\n\t\t\"a\": {}, // the first\n\t\t/* the second */ \"b\": 1 // and last\n\t\t// end\n\t},\n}",
                "{\n\t// why\n\t\"servers\": {\n\t\t\"a\": {}, // the first\n\t\t/* the second */ \"b\": 1, // and last\n\t\t\"x\": {\n\t\t\t\"k\": [\n\t\t\t\t1\n\t\t\t]\n\t\t}\n\t\t// end\n\t},\n}",
            ),
            (
                "{\r\n    \"servers\": {\r\n        \"a\": 1,\r\n    }\r\n}",
                "{\r\n    \"servers\": {\r\n        \"a\": 1,\r\n        \"x\": {\r\n            \"k\": [\r\n                1\r\n            ]\r\n        },\r\n    }\r\n}",
            ),
            (
                "{\"servers\": {\"a\": 1}}",
                "{\"servers\": {\"a\": 1, \"x\": {\n  \"k\": [\n    1\n  ]\n}}}",
            ),
            (
                "{\n  \"servers\": {}\n}",
                "{\n  \"servers\": {\n    \"x\": {\n      \"k\": [\n        1\n      ]\n    }\n  }\n}",
            ),
            (
                "{\n  \"servers\": {\n    // none yet\n  }\n}",
                "{\n  \"servers\": {\n    // none yet\n    \"x\": {\n      \"k\": [\n        1\n      ]\n    }\n  }\n}",
            ),
        ] {
            let made = with_member(before, &servers(before), "x", &json!({"k": [1]}));
            assert_eq!(made, after);
            assert_eq!(servers(&made).member("x").unwrap().to_value(), json!({"k": [1]}));
            assert_eq!(without_member(&made, &servers(&made), "x").unwrap(), before);
        }
    }

    #[test]
    fn the_first_and_the_middle_go_alone() {
        let text = "{\n  \"a\": 1, // one\n  // about b\n  \"b\": 2,\n  \"c\": 3\n}";
        let gone = |name: &str| without_member(text, &read(text), name).unwrap();
        assert_eq!(gone("a"), "{ // one\n  // about b\n  \"b\": 2,\n  \"c\": 3\n}");
        assert_eq!(gone("b"), "{\n  \"a\": 1, // one\n  // about b\n  \"c\": 3\n}");
        assert_eq!(gone("c"), "{\n  \"a\": 1, // one\n  // about b\n  \"b\": 2\n}");
        for name in ["a", "b", "c"] {
            assert!(read(&gone(name)).member(name).is_none());
        }
        let shared = "{ // first\n  \"a\": 1, \"b\": 2\n}";
        let without = without_member(shared, &read(shared), "a").unwrap();
        assert_eq!(without, "{ // first\n  \"b\": 2\n}");
    }

    #[test]
    fn elements_come_and_go_and_values_are_replaced() {
        let text = "{\n  \"inputs\": [\n    {\"id\": \"a\"}\n  ]\n}";
        let inputs = read(text).member("inputs").unwrap().clone();
        let made = with_element(text, &inputs, &json!({"id": "b"}));
        let inputs = read(&made).member("inputs").unwrap().clone();
        assert_eq!(inputs.to_value(), json!([{"id": "a"}, {"id": "b"}]));
        assert_eq!(without_element(&made, &inputs, 1), text);
        let other = with_value(text, read(text).member("inputs").unwrap(), &json!([1]));
        assert_eq!(other, "{\n  \"inputs\": [\n    1\n  ]\n}");
    }

    #[test]
    fn what_is_wrong_is_placed() {
        for (text, dialect, at, said) in [
            ("{\"a\": }", Dialect::WithComments, 6, "a value"),
            ("{\"a\": 1 \"b\": 2}", Dialect::WithComments, 8, "a comma is missing"),
            ("{a: 1}", Dialect::WithComments, 1, "double quotes"),
            ("{\"a\": 1", Dialect::WithComments, 7, "the end is missing"),
            ("[1, 2", Dialect::WithComments, 5, "the end is missing"),
            ("{} x", Dialect::WithComments, 3, "something follows"),
            ("{} /* x", Dialect::WithComments, 3, "without an end"),
            ("{} // x", Dialect::Plain, 3, "a comment"),
            ("{\"a\": 1,}", Dialect::Plain, 7, "a comma behind the last"),
            ("", Dialect::Plain, 0, "a value"),
        ] {
            let wrong = parse(text, dialect).unwrap_err();
            assert_eq!(wrong.at, at, "{text}: {wrong:?}");
            assert!(wrong.message.contains(said), "{text}: {wrong:?}");
        }
        let deep = "[".repeat(100_000);
        assert!(parse(&deep, Dialect::Plain).unwrap_err().message.contains("deep"));
    }

    #[test]
    fn values_are_those_of_json() {
        let text =
            "\u{feff}{\"a\": [1, 2.5, true, null, \"\\u00e9\\\"\"], \"b\": {\"c\": \"// no comment\"}, \"a\": 7}";
        assert_eq!(read(text).to_value(), json!({"a": 7, "b": {"c": "// no comment"}}));
        assert_eq!(read(text).member("a").unwrap().to_value(), json!(7));
    }
}
