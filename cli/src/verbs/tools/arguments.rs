//! Arguments of a tool, from flags, JSON and files, typed by what the tool says it takes.

use orch_shared::path::FieldPath;
use orch_shared::problem::near_miss;
use serde_json::{Map, Value, json};

use crate::render::schema::{Field, Shape};
use crate::verbs::create::values::{append, of_field, pair, plain, put, unreadable};

/// The arguments that a base and assignments make together. A list grows by every assignment to it that is no list.
pub(crate) fn assemble(schema: &Value, base: Option<Value>, assignments: &[String]) -> Result<Value, String> {
    let mut arguments = base.unwrap_or_else(|| json!({}));
    if !arguments.is_object() {
        return Err("arguments are an object: {\"name\": value}".to_owned());
    }
    for assignment in assignments {
        let (path, text) = pair(assignment).map_err(|error| format!("--arg: {error}"))?;
        assign(schema, &mut arguments, path, text)?;
    }
    Ok(arguments)
}

fn assign(schema: &Value, arguments: &mut Value, name: &str, text: &str) -> Result<(), String> {
    let root = Field::root(schema);
    let is_known = root.fields().iter().any(|(known, _)| *known == name);
    // A name may have dots of its own.
    let path = match is_known {
        true => FieldPath::root().key(name),
        false => FieldPath::parse(name),
    };
    let Ok(field) = root.find(&path) else {
        if is_closed(schema) {
            let names: Vec<&str> = root.fields().iter().map(|(known, _)| *known).collect();
            return Err(match near_miss(name, names.iter().copied()) {
                Some(near) => format!("there is no argument `{name}`; did you mean `{near}`?"),
                None => format!("there is no argument `{name}`; there are {}", names.join(", ")),
            });
        }
        return put(arguments, &path, plain(text));
    };
    if field.shape() == Shape::List && !text.trim_start().starts_with('[') {
        let element = field
            .element()
            .map_or(Ok(plain(text)), |element| given(element, name, text))?;
        return append(arguments, &path, element);
    }
    put(arguments, &path, given(field, name, text)?)
}

/// The value that a text stands for, when it can be meant.
fn given(field: Field<'_>, name: &str, text: &str) -> Result<Value, String> {
    let value = of_field(field, text).map_err(|error| format!("--arg {name}: {error}"))?;
    fits(field, &value).map_err(|why| format!("--arg {name}: {}", unreadable(text).unwrap_or(why)))?;
    Ok(value)
}

/// Whether the tool takes no other arguments than those it names.
fn is_closed(schema: &Value) -> bool {
    schema.get("additionalProperties") == Some(&Value::Bool(false))
}

/// Tells a value that cannot be meant before anybody is asked.
fn fits(field: Field<'_>, value: &Value) -> Result<(), String> {
    let fits = match field.shape() {
        Shape::Boolean => value.is_boolean(),
        Shape::Integer => value.is_i64() || value.is_u64(),
        Shape::Number => value.is_number(),
        Shape::Choice => {
            let words = field.choices();
            let text = value.as_str().unwrap_or_default();
            words.iter().any(|(word, _)| *word == text)
        }
        Shape::Text | Shape::List | Shape::Object | Shape::Map | Shape::Any => true,
    };
    match fits {
        true => Ok(()),
        false => Err(format!("it takes {}, and {value} is none", field.type_text())),
    }
}

/// The arguments that must be given and are not.
pub(crate) fn missing(schema: &Value, arguments: &Value) -> Vec<String> {
    let root = Field::root(schema);
    let given: Option<&Map<String, Value>> = arguments.as_object();
    root.fields()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| root.requires(name) && given.is_none_or(|given| !given.contains_key(*name)))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({"type": "object", "required": ["text"], "additionalProperties": false, "properties": {
            "text": {"type": "string"}, "count": {"type": "integer"}, "share": {"type": "number"}, "loud": {"type": "boolean"},
            "mood": {"enum": ["calm", "merry"]}, "tags": {"type": "array", "items": {"type": "string"}},
            "ids": {"type": "array", "items": {"type": "integer"}},
            "deep": {"type": "object", "properties": {"a": {"type": "string"}}}, "dotted.name": {"type": "string"},
        }})
    }

    #[test]
    fn flags_are_typed_by_the_schema() {
        for (flags, expected) in [
            (vec!["text=8080", "count=8080"], json!({"text": "8080", "count": 8080})),
            (
                vec!["text=a=b", "loud=true", "share=1.5"],
                json!({"text": "a=b", "loud": true, "share": 1.5}),
            ),
            (
                vec!["tags=a", "tags=1", "ids=1", "ids=2"],
                json!({"tags": ["a", "1"], "ids": [1, 2]}),
            ),
            (vec!["tags=[a, b]"], json!({"tags": ["a", "b"]})),
            (
                vec!["deep.a=1", "mood=calm"],
                json!({"deep": {"a": "1"}, "mood": "calm"}),
            ),
            (vec!["deep={a: x}"], json!({"deep": {"a": "x"}})),
            (vec!["dotted.name=x"], json!({"dotted.name": "x"})),
        ] {
            let flags: Vec<String> = flags.into_iter().map(str::to_owned).collect();
            assert_eq!(assemble(&schema(), None, &flags), Ok(expected));
        }
        let base = Some(json!({"text": "a", "count": 1}));
        let both = assemble(&schema(), base, &["count=2".to_owned()]);
        assert_eq!(both, Ok(json!({"text": "a", "count": 2})));
        let open = assemble(&json!({}), None, &["any=1".to_owned(), "x.y=z".to_owned()]);
        assert_eq!(open, Ok(json!({"any": 1, "x": {"y": "z"}})));
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for (flag, said) in [
            ("count=many", "it takes integer, and \"many\" is none"),
            ("ids=many", "--arg ids: it takes integer, and \"many\" is none"),
            ("share=1e400", "--arg share: `1e400`: the number is out of range"),
            (
                "ids=99999999999999999999",
                "`99999999999999999999`: the number is out of range",
            ),
            ("ids=[1, 1e400]", "`[1]`: the number is out of range"),
            (r#"deep={"a": "\ud800"}"#, r"`\ud800` is half of a character"),
            (r#"deep={a: "x\udc00"}"#, r"`\udc00` is half of a character"),
            ("mood=sad", "it takes calm | merry, and \"sad\" is none"),
            ("loud=1", "it takes boolean, and 1 is none"),
            ("txet=x", "did you mean `text`?"),
            ("zzz=x", "there are text, count"),
            ("text", "is not KEY=VALUE"),
        ] {
            let told = assemble(&schema(), None, &[flag.to_owned()]).unwrap_err();
            assert!(told.contains(said), "{flag}: {told}");
        }
        assert_eq!(missing(&schema(), &json!({"count": 1})), ["text"]);
        assert!(assemble(&schema(), Some(json!([])), &[]).is_err());
    }
}
