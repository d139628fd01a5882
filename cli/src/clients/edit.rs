//! The text of a client's file with our entry in it, or out of it.
//!
//! Enters: the text as it stands (none when there is no file), a client's form, a name and an [`Addition`]. Leaves: the
//! text as it is to stand, or why the file is not touched. All that is not ours stays byte for byte.

use serde_json::{Value, json};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike};

use super::catalogue::{Client, Format};
use super::entry::{Addition, TOKEN_INPUT};
use super::jsonc::{self, Dialect, Node, Wrong};
use super::lines::{after_mark, line_end, with_ends_of};

/// The member in which VS Code keeps what it asks its user for.
const INPUTS: &str = "inputs";

/// Why a file is not touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    /// It cannot be read as what it should be.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// It holds something else than this client's servers.
    #[error("{0}")]
    Shape(String),
}

impl Unfit {
    fn at(text: &str, wrong: Wrong) -> Self {
        let before = &text[..wrong.at.min(text.len())];
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        Self::Syntax {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            message: wrong.message,
        }
    }
}

/// Everything that a file says, whatever its form.
pub(crate) fn read(text: &str, format: Format) -> Result<Value, Unfit> {
    let (_, text) = after_mark(text);
    if text.trim().is_empty() {
        return Ok(json!({}));
    }
    match format {
        Format::Json | Format::JsonWithComments => Ok(parsed(text, format)?.to_value()),
        Format::Toml => Ok(of_table(document(text)?.as_table())),
    }
}

/// What a client's file says of a server of that name.
pub(crate) fn entry(text: &str, client: Client, name: &str) -> Result<Option<Value>, Unfit> {
    let all = read(text, client.format())?;
    let servers = all.get(client.member());
    Ok(servers.and_then(|servers| servers.get(name)).cloned())
}

/// The text with that server in it, in the place of any other of that name.
pub(crate) fn with(text: Option<&str>, client: Client, name: &str, addition: &Addition) -> Result<String, Unfit> {
    let (mark, text) = after_mark(text.unwrap_or_default());
    let end = line_end(text);
    let text = match client.format() {
        Format::Toml if text.trim().is_empty() => String::new(),
        Format::Json | Format::JsonWithComments if text.trim().is_empty() => format!("{{{end}}}{end}"),
        Format::Json | Format::JsonWithComments | Format::Toml => text.to_owned(),
    };
    let made = match client.format() {
        Format::Toml => with_table(&text, client.member(), name, &addition.entry)?,
        Format::Json | Format::JsonWithComments => {
            let text = with_entry(&text, client, name, &addition.entry)?;
            match &addition.input {
                Some(input) => with_input(&text, client, input)?,
                None => text,
            }
        }
    };
    Ok(format!("{mark}{made}"))
}

/// The text without that server, and without those of the members `made` that are empty now; nothing when it holds neither.
pub(crate) fn without(text: &str, client: Client, name: &str, made: &[String]) -> Result<Option<String>, Unfit> {
    let has_entry = entry(text, client, name)?.is_some();
    let (mark, text) = after_mark(text);
    let mut out = text.to_owned();
    match client.format() {
        // What we make there is implied by what is within.
        Format::Toml if has_entry => {
            let mut document = document(text)?;
            let servers = document.get_mut(client.member()).and_then(Item::as_table_like_mut);
            if let Some(servers) = servers {
                servers.remove(name);
            }
            out = with_ends_of(text, &document.to_string());
        }
        Format::Json | Format::JsonWithComments if !text.trim().is_empty() => {
            if has_entry {
                let root = parsed(text, client.format())?;
                let servers = root.member(client.member());
                let without = servers.and_then(|servers| jsonc::without_member(text, servers, name));
                out = without_input(&without.unwrap_or(out), client)?;
            }
            for member in made {
                out = without_empty(&out, client, member)?;
            }
        }
        Format::Toml | Format::Json | Format::JsonWithComments => {}
    }
    Ok((out != text).then(|| format!("{mark}{out}")))
}

/// Of the members in which entries of ours stand, those that a text has and that somebody must have made.
pub(crate) fn containers(text: &str, client: Client) -> Result<Vec<String>, Unfit> {
    if client.format() == Format::Toml {
        return Ok(Vec::new());
    }
    let all = read(text, client.format())?;
    let is_there = |member: &&str| all.get(*member).is_some();
    let members = [client.member(), INPUTS].into_iter().filter(is_there);
    Ok(members.map(str::to_owned).collect())
}

/// Whether a text says nothing at all, not even in a comment.
pub(crate) fn is_empty(text: &str, format: Format) -> bool {
    let (_, text) = after_mark(text);
    let blank = text.trim();
    match format {
        Format::Toml => blank.is_empty(),
        Format::Json | Format::JsonWithComments => {
            let inner = blank.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            blank.is_empty() || inner.is_some_and(|inner| inner.trim().is_empty())
        }
    }
}

fn parsed(text: &str, format: Format) -> Result<Node, Unfit> {
    let dialect = match format {
        Format::Json => Dialect::Plain,
        Format::JsonWithComments | Format::Toml => Dialect::WithComments,
    };
    let root = jsonc::parse(text, dialect).map_err(|wrong| Unfit::at(text, wrong))?;
    if root.is_object() {
        Ok(root)
    } else {
        Err(Unfit::Shape("it holds no object".to_owned()))
    }
}

fn no_servers(member: &str) -> Unfit {
    Unfit::Shape(format!("its `{member}` holds no servers"))
}

fn with_entry(text: &str, client: Client, name: &str, entry: &Value) -> Result<String, Unfit> {
    let root = parsed(text, client.format())?;
    let member = client.member();
    let Some(servers) = root.member(member) else {
        return Ok(jsonc::with_member(text, &root, member, &json!({name: entry})));
    };
    if !servers.is_object() {
        return Err(no_servers(member));
    }
    Ok(match servers.member(name) {
        Some(known) if known.to_value() == *entry => text.to_owned(),
        Some(known) => jsonc::with_value(text, known, entry),
        None => jsonc::with_member(text, servers, name, entry),
    })
}

fn with_input(text: &str, client: Client, input: &Value) -> Result<String, Unfit> {
    let root = parsed(text, client.format())?;
    let Some(inputs) = root.member(INPUTS) else {
        return Ok(jsonc::with_member(text, &root, INPUTS, &json!([input])));
    };
    let Some(elements) = inputs.elements() else {
        return Err(Unfit::Shape(format!("its `{INPUTS}` is no list")));
    };
    let is_known = elements
        .iter()
        .any(|element| element.value.to_value()["id"] == input["id"]);
    Ok(match is_known {
        true => text.to_owned(),
        false => jsonc::with_element(text, inputs, input),
    })
}

/// Takes out what was asked for our servers, once none of them asks for it.
fn without_input(text: &str, client: Client) -> Result<String, Unfit> {
    let root = parsed(text, client.format())?;
    let still_asked = root.member(client.member()).is_some_and(|servers| {
        servers
            .to_value()
            .to_string()
            .contains(&format!("${{input:{TOKEN_INPUT}}}"))
    });
    let inputs = root.member(INPUTS).filter(|_| client == Client::Vscode && !still_asked);
    let at = inputs.and_then(Node::elements).and_then(|elements| {
        elements
            .iter()
            .position(|element| element.value.to_value()["id"] == TOKEN_INPUT)
    });
    Ok(match (inputs, at) {
        (Some(inputs), Some(at)) => jsonc::without_element(text, inputs, at),
        (Some(_) | None, _) => text.to_owned(),
    })
}

/// Takes out a member that holds nothing, not even a comment.
fn without_empty(text: &str, client: Client, member: &str) -> Result<String, Unfit> {
    let root = parsed(text, client.format())?;
    let is_bare = |node: &&Node| {
        let inner = text.get(node.span.start + 1..node.span.end - 1);
        (node.is_object() || node.elements().is_some()) && inner.is_some_and(|inner| inner.trim().is_empty())
    };
    let without = root
        .member(member)
        .filter(is_bare)
        .and_then(|_| jsonc::without_member(text, &root, member));
    Ok(without.unwrap_or_else(|| text.to_owned()))
}

fn document(text: &str) -> Result<DocumentMut, Unfit> {
    text.parse::<DocumentMut>().map_err(|error| {
        let wrong = Wrong {
            at: error.span().map_or(0, |span| span.start),
            message: error.message().trim().replace('\n', ", "),
        };
        Unfit::at(text, wrong)
    })
}

fn with_table(text: &str, member: &str, name: &str, entry: &Value) -> Result<String, Unfit> {
    let mut document = document(text)?;
    let has_content = !text.trim().is_empty();
    let root = document.as_table_mut();
    if !root.contains_key(member) {
        let mut servers = Table::new();
        servers.set_implicit(true);
        root.insert(member, Item::Table(servers));
    }
    let servers = root.get_mut(member).ok_or_else(|| no_servers(member))?;
    let is_inline = servers.is_inline_table();
    let servers = servers.as_table_like_mut().ok_or_else(|| no_servers(member))?;
    if servers.get(name).is_some_and(|known| of_item(known) == *entry) {
        return Ok(text.to_owned());
    }
    if is_inline {
        servers.insert(name, Item::Value(to_toml(entry)));
    } else {
        let mut table = Table::new();
        for (key, value) in entry.as_object().into_iter().flatten() {
            table.insert(key, Item::Value(to_toml(value)));
        }
        let known = servers.get(name).and_then(Item::as_table);
        match known {
            Some(known) => {
                *table.decor_mut() = known.decor().clone();
                table.set_position(known.position());
            }
            None if has_content => table.decor_mut().set_prefix("\n"),
            None => {}
        }
        servers.insert(name, Item::Table(table));
    }
    Ok(with_ends_of(text, &document.to_string()))
}

/// A value that we write ourselves: text, lists and maps of text, flags.
fn to_toml(value: &Value) -> toml_edit::Value {
    match value {
        Value::Null => "".into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().unwrap_or_default().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(to_toml).collect::<Array>().into(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.as_str(), to_toml(value)))
            .collect::<InlineTable>()
            .into(),
    }
}

fn of_table(table: &dyn TableLike) -> Value {
    table
        .iter()
        .map(|(name, item)| (name.to_owned(), of_item(item)))
        .collect()
}

fn of_item(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => of_value(value),
        Item::Table(table) => of_table(table),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| of_table(table)).collect(),
    }
}

fn of_value(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => text.value().as_str().into(),
        toml_edit::Value::Integer(number) => (*number.value()).into(),
        toml_edit::Value::Float(number) => (*number.value()).into(),
        toml_edit::Value::Boolean(flag) => (*flag.value()).into(),
        toml_edit::Value::Datetime(time) => time.value().to_string().into(),
        toml_edit::Value::Array(items) => items.iter().map(of_value).collect(),
        toml_edit::Value::InlineTable(table) => of_table(table),
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::TokenSource;
    use super::*;

    fn addition(entry: Value) -> Addition {
        let input = entry
            .to_string()
            .contains("${input:")
            .then(|| json!({"type": "promptString", "id": TOKEN_INPUT, "password": true}));
        Addition {
            entry,
            input,
            token: TokenSource::None,
        }
    }

    #[test]
    fn what_comes_goes_without_a_trace() {
        let asking = json!({"type": "http", "url": "u", "headers": {"Authorization": "Bearer ${input:orchctl-token}"}});
        let plain = json!({"url": "u", "args": ["a b", "c"]});
        for (client, entry, text) in [
            (
                Client::Cursor,
                &plain,
                "{\n  \"mcpServers\": {\n    \"a\": {\"url\": \"x\"}\n  }\n}\n",
            ),
            (
                Client::Vscode,
                &asking,
                "{\n\t// ours\n\t\"inputs\": [\n\t\t{\"id\": \"other\"},\n\t],\n\t\"servers\": {\n\t\t\"a\": {} // keep\n\t}\n}",
            ),
            (
                Client::Zed,
                &plain,
                "// Zed\n{\n  \"theme\": \"One\",\n  \"context_servers\": {\n    // none\n  },\n}\n",
            ),
            (
                Client::Codex,
                &plain,
                "# mine\nmodel = 'o'   # chosen\n\n[mcp_servers.a]\ncommand = \"npx\"\nargs = [ \"-y\" ]\n\n[tui]\nx = 1 # end\n",
            ),
            (Client::Codex, &plain, "[mcp_servers]\na = { command = \"x\" }\n"),
            (
                Client::Codex,
                &plain,
                "model = \"o\"\nmcp_servers = { a = { url = \"x\" } }\n",
            ),
        ] {
            let made = with(Some(text), client, "ours", &addition(entry.clone())).unwrap();
            assert_eq!(
                super::entry(&made, client, "ours").unwrap().as_ref(),
                Some(entry),
                "{made}"
            );
            let before = read(text, client.format()).unwrap();
            assert_eq!(
                without(&made, client, "ours", &[]).unwrap().as_deref(),
                Some(text),
                "{made}"
            );
            // As an editor on Windows may have written it.
            let theirs = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
            let made_there = with(Some(&theirs(text)), client, "ours", &addition(entry.clone())).unwrap();
            assert_eq!(made_there, theirs(&made));
            let without_it = without(&made_there, client, "ours", &[]).unwrap();
            assert_eq!(without_it, Some(theirs(text)), "{made_there}");
            let again = with(Some(&made), client, "ours", &addition(entry.clone())).unwrap();
            assert_eq!(again, made, "a second time changes nothing");
            let other = with(Some(&made), client, "ours", &addition(json!({"url": "v"}))).unwrap();
            assert_eq!(super::entry(&other, client, "ours").unwrap(), Some(json!({"url": "v"})));
            assert_eq!(before["theme"], read(&other, client.format()).unwrap()["theme"]);
            for comment in ["// ours", "// keep", "// Zed", "// none", "# mine", "# chosen", "# end"] {
                assert_eq!(text.contains(comment), made.contains(comment), "{made}");
            }
        }
    }

    #[test]
    fn where_nothing_is_a_file_begins() {
        for (client, text) in [
            (
                Client::Cursor,
                "{\n  \"mcpServers\": {\n    \"ours\": {\n      \"url\": \"u\"\n    }\n  }\n}\n",
            ),
            (Client::Codex, "[mcp_servers.ours]\nurl = \"u\"\n"),
        ] {
            for before in [None, Some(""), Some(" \n")] {
                let made = with(before, client, "ours", &addition(json!({"url": "u"}))).unwrap();
                assert_eq!(made, text);
            }
            let made = with(Some("\u{feff}\r\n"), client, "ours", &addition(json!({"url": "u"}))).unwrap();
            assert!(made.starts_with('\u{feff}') && made.ends_with('\n'), "{made:?}");
        }
    }

    #[test]
    fn what_was_made_goes_when_it_is_empty_again() {
        let both = ["servers".to_owned(), "inputs".to_owned()];
        for (text, made, expected) in [
            (
                "{\n  \"servers\": {\n    \"ours\": {}\n  }\n}\n",
                &both[..],
                Some("{}\n"),
            ),
            (
                "{\n  \"a\": 1,\n  \"servers\": {\n    \"ours\": {}\n  },\n  \"inputs\": []\n}\n",
                &both[..],
                Some("{\n  \"a\": 1\n}\n"),
            ),
            (
                "{\n  \"servers\": {\n    \"ours\": {}\n  },\n  \"inputs\": []\n}\n",
                &both[..1],
                Some("{\n  \"inputs\": []\n}\n"),
            ),
            (
                "{\"servers\": {\"ours\": 1, \"b\": 2}}",
                &both[..],
                Some("{\"servers\": { \"b\": 2}}"),
            ),
            (
                "{\"servers\": {\"ours\": 1 /* why */}}",
                &both[..],
                Some("{\"servers\": {/* why */}}"),
            ),
            // Somebody else took ours out.
            ("{\"servers\": {}, \"a\": 1}", &both[..], Some("{ \"a\": 1}")),
            ("{\"servers\": {}, \"a\": 1}", &[], None),
            ("{\"servers\": \"\", \"a\": 1}", &both[..], None),
            ("", &both[..], None),
        ] {
            let left = without(text, Client::Vscode, "ours", made).unwrap();
            assert_eq!(left.as_deref(), expected, "{text}");
        }
        let some = "{\"inputs\": [], \"servers\": {}, \"a\": 1}";
        assert_eq!(containers(some, Client::Vscode).unwrap(), both);
        assert!(containers("", Client::Vscode).unwrap().is_empty());
        for (text, format, expected) in [
            ("\u{feff}{\n}\n", Format::Json, true),
            ("{ // x\n}", Format::JsonWithComments, false),
            ("\n", Format::Toml, true),
            ("# x\n", Format::Toml, false),
        ] {
            assert_eq!(is_empty(text, format), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_touched() {
        for (client, text, said) in [
            (
                Client::Cursor,
                "{\n  \"mcpServers\": {,}\n}",
                "line 2, column 18: a name in double quotes is expected",
            ),
            (
                Client::Cursor,
                "{} // x",
                "line 1, column 4: a comment, which this client does not take",
            ),
            (Client::Cursor, "[]", "it holds no object"),
            (
                Client::Cursor,
                "{\"mcpServers\": []}",
                "its `mcpServers` holds no servers",
            ),
            (
                Client::Vscode,
                "{\"inputs\": 1, \"servers\": {}}",
                "its `inputs` is no list",
            ),
            (Client::Codex, "mcp_servers = 3\n", "its `mcp_servers` holds no servers"),
        ] {
            let asking = addition(json!({"x": "${input:a}"}));
            assert_eq!(with(Some(text), client, "ours", &asking).unwrap_err().to_string(), said);
        }
        let broken = with(Some("a = 1\nb = \n"), Client::Codex, "o", &addition(json!({}))).unwrap_err();
        assert!(broken.to_string().starts_with("line 2, column "), "{broken}");
    }

    #[test]
    fn a_server_that_is_not_there_cannot_go() {
        assert_eq!(
            without("{\"mcpServers\": {\"a\": 1}}", Client::Cursor, "b", &[]),
            Ok(None)
        );
        assert_eq!(without("", Client::Codex, "b", &[]), Ok(None));
    }
}
