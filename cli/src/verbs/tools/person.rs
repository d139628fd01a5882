//! The person who called a tool: told how it goes, and asked what its server wants to know.

use clap::ValueEnum as _;
use orch_shared::excerpt::printable;
use serde_json::{Map, Value, json};

use crate::client::mcp::Interrupt;
use crate::mcp::dialogue::Host;
use crate::render::schema::{Field, Shape};
use crate::settings::Settings;
use crate::ui::{Progress, Ui};

/// The person at the terminal, or nobody when there is none.
pub(super) struct Person<'s> {
    ui: &'s Ui,
    progress: std::cell::RefCell<Option<Progress>>,
    doing: String,
}

impl<'s> Person<'s> {
    pub(super) fn new(settings: &'s Settings, doing: &str) -> Self {
        Self {
            ui: &settings.ui,
            progress: std::cell::RefCell::new(Some(settings.ui.progress(doing))),
            doing: doing.to_owned(),
        }
    }
}

/// What somebody who is asked may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Action {
    Accept,
    Decline,
    Cancel,
}

impl Action {
    fn result(self) -> Value {
        let name = self.to_possible_value().map(|value| value.get_name().to_owned());
        json!({"action": name})
    }
}

impl Host for Person<'_> {
    fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>) {
        let amount = match total {
            Some(total) => format!("{done}/{total}"),
            None => done.to_string(),
        };
        let text = match message {
            Some(message) => format!("{} ({amount})", printable(message)),
            None => format!("{} ({amount})", self.doing),
        };
        match self.progress.borrow().as_ref().filter(|progress| progress.is_seen()) {
            Some(progress) => progress.set(text),
            None => self.ui.say(&text),
        }
    }

    fn log(&self, level: &str, text: &str) {
        let line = format!("{level}: {}", printable(text));
        match self.progress.borrow().as_ref() {
            Some(progress) => progress.above(|| self.ui.say(&line)),
            None => self.ui.say(&line),
        }
    }

    fn elicit(&self, params: &Value) -> Value {
        // A live line and a question cannot share the terminal.
        self.progress.borrow_mut().take();
        let message = params["message"].as_str().unwrap_or("more is needed");
        if !self.ui.has_person() {
            self.ui.say(&format!(
                "asked, and declined since nobody can answer: {}",
                printable(message)
            ));
            return Action::Decline.result();
        }
        self.ui.tell(&format!("the server asks: {message}"));
        match params["mode"].as_str() {
            Some("url") => self.visit(params["url"].as_str().unwrap_or_default()),
            Some(_) | None => self.fill_in(&params["requestedSchema"]),
        }
    }

    fn started(&self, _interrupt: Interrupt) {}
}

impl Person<'_> {
    fn visit(&self, url: &str) -> Value {
        self.ui.tell(&format!("open this, if you know where it leads: {url}"));
        match self.ui.ask("done? [y/N]").as_deref() {
            Some("y" | "yes") => Action::Accept.result(),
            Some(_) => Action::Decline.result(),
            None => Action::Cancel.result(),
        }
    }

    fn fill_in(&self, schema: &Value) -> Value {
        let root = Field::root(schema);
        let mut content = Map::new();
        for (name, field) in root.fields() {
            match self.one(name, field, root.requires(name)) {
                Some(Some(value)) => {
                    content.insert(name.to_owned(), value);
                }
                Some(None) => {}
                None => return Action::Cancel.result(),
            }
        }
        match self.ui.ask("send this? [Y/n]").as_deref().map(str::trim) {
            Some("" | "y" | "Y" | "yes") => {
                let mut result = Action::Accept.result();
                result["content"] = content.into();
                result
            }
            Some(_) => Action::Decline.result(),
            None => Action::Cancel.result(),
        }
    }

    /// One value; inside, nothing when it is left out; outside, nothing when the person has gone.
    fn one(&self, name: &str, field: Field<'_>, is_needed: bool) -> Option<Option<Value>> {
        let schema = field.resolved();
        let title = schema["title"].as_str().unwrap_or(name);
        let about = field.description();
        let default = schema.get("default").filter(|default| !default.is_null());
        let mut what = field.type_text();
        if let Some(default) = default {
            what = format!("{what}; {default} if empty");
        } else if !is_needed {
            what.push_str("; may be empty");
        }
        if !about.is_empty() {
            self.ui.tell(&about);
        }
        loop {
            let line = self.ui.ask(&format!("{title} ({what}):"))?;
            if line.trim().is_empty() {
                match default {
                    Some(default) => return Some(Some(default.clone())),
                    None if !is_needed => return Some(None),
                    None => continue,
                }
            }
            match read(field, line.trim()) {
                Ok(value) => return Some(Some(value)),
                Err(why) => self.ui.tell(&why),
            }
        }
    }
}

/// The value that a line means.
fn read(field: Field<'_>, line: &str) -> Result<Value, String> {
    let wrong = || format!("that is no {}", field.type_text());
    match field.shape() {
        Shape::Boolean => match line.to_lowercase().as_str() {
            "y" | "yes" | "true" => Ok(true.into()),
            "n" | "no" | "false" => Ok(false.into()),
            _ => Err("yes or no?".to_owned()),
        },
        Shape::Integer => line.parse::<i64>().map(Value::from).map_err(|_| wrong()),
        Shape::Number => line.parse::<f64>().map(Value::from).map_err(|_| wrong()),
        Shape::Choice => {
            let is_one = field.choices().iter().any(|(word, _)| *word == line);
            if is_one { Ok(line.into()) } else { Err(wrong()) }
        }
        Shape::List => {
            let items = line.split(',').map(str::trim).filter(|item| !item.is_empty());
            let read = |item: &str| {
                field
                    .element()
                    .map_or_else(|| Ok(item.into()), |element| read(element, item))
            };
            items.map(read).collect::<Result<Vec<Value>, String>>().map(Value::from)
        }
        Shape::Text | Shape::Object | Shape::Map | Shape::Any => Ok(line.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_for_their_fields() {
        for (schema, line, expected) in [
            (json!({"type": "boolean"}), "y", Ok(json!(true))),
            (json!({"type": "boolean"}), "perhaps", Err("yes or no?")),
            (json!({"type": "integer"}), "7", Ok(json!(7))),
            (json!({"type": "integer"}), "7.5", Err("that is no integer")),
            (json!({"type": "number"}), "7.5", Ok(json!(7.5))),
            (json!({"enum": ["a", "b"]}), "b", Ok(json!("b"))),
            (json!({"enum": ["a", "b"]}), "c", Err("that is no a | b")),
            (
                json!({"type": "array", "items": {"type": "integer"}}),
                "1, 2",
                Ok(json!([1, 2])),
            ),
            (json!({"type": "string"}), "1", Ok(json!("1"))),
        ] {
            let told = read(Field::root(&schema), line);
            assert_eq!(told, expected.map_err(str::to_owned), "{line}");
        }
        assert_eq!(Action::Decline.result(), json!({"action": "decline"}));
    }
}
