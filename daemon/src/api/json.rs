//! JSON as requests bring it: a mapping, with no key twice, and no more values than a request can have any use for.

use std::fmt;

use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, Problem};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// At most so many values may stand in one body; as many as in a manifest.
const MOST_VALUES: usize = 2_000_000;

/// Reads a body.
///
/// # Errors
/// When it is not JSON, no mapping, has a key twice, or is out of all measure. Nothing of its values is repeated.
pub(super) fn read(bytes: &[u8]) -> Result<Value, Problem> {
    let mut reading = Reading {
        left: MOST_VALUES,
        refused: None,
    };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let place = Place {
        reading: &mut reading,
        here: &Here::Root,
    };
    let read = place
        .deserialize(&mut json)
        .and_then(|value| json.end().map(|()| value));
    match (read, reading.refused) {
        (_, Some(problem)) => Err(problem),
        (Ok(value @ Value::Object(_)), None) => Ok(value),
        (Ok(_), None) => Err(Problem::new(Code::BadRequest, "the body is no mapping").suggest("send { ... }")),
        (Err(error), None) => Err(Problem::new(Code::BadRequest, format!("the body is not JSON: {error}"))),
    }
}

struct Reading {
    /// So many values may still come.
    left: usize,
    /// Why reading was given up, when the text itself is not the reason.
    refused: Option<Problem>,
}

/// Where a value stands: a chain through the stack.
enum Here<'h> {
    Root,
    Key(&'h Here<'h>, &'h str),
    Index(&'h Here<'h>, usize),
}

impl Here<'_> {
    fn path(&self) -> FieldPath {
        match self {
            Self::Root => FieldPath::root(),
            Self::Key(above, key) => above.path().key(*key),
            Self::Index(above, index) => above.path().index(*index),
        }
    }
}

/// A place where a value is to be read.
struct Place<'r> {
    reading: &'r mut Reading,
    here: &'r Here<'r>,
}

impl Place<'_> {
    fn refuse<E: serde::de::Error>(self, problem: Problem) -> E {
        self.reading.refused = Some(problem);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.reading.left.checked_sub(1) {
            Some(left) => self.reading.left = left,
            None => {
                let detail = format!("the body has more than {MOST_VALUES} values");
                return Err(self.refuse(Problem::new(Code::BodyTooLarge, detail).suggest("split it")));
            }
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("a number is out of range"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let element = Place {
                reading: self.reading,
                here: &Here::Index(self.here, list.len()),
            };
            match elements.next_element_seed(element)? {
                Some(value) => list.push(value),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if map.contains_key(&key) {
                let path = self.here.path().key(key).pointer();
                let problem = Problem::new(Code::DuplicateKey, format!("the body has {path} twice"));
                return Err(self.refuse(problem.suggest("keep one of the two")));
            }
            let member = Place {
                reading: self.reading,
                here: &Here::Key(self.here, &key),
            };
            let value = members.next_value_seed(member)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        for (text, told) in [
            (r#"{"a": [1, -1, 1.5, true, null, "x", {"b": {}}]}"#, ""),
            ("[]", "ORCH4101 the body is no mapping"),
            ("\"hunter2\"", "ORCH4101 the body is no mapping"),
            (
                r#"{"a": 1, "b": {"c": [{"d": 1, "d": 2}]}}"#,
                "ORCH1004 the body has /b/c/0/d twice",
            ),
            (
                "{",
                "ORCH4101 the body is not JSON: EOF while parsing an object at line 1 column 1",
            ),
            (
                "{} x",
                "ORCH4101 the body is not JSON: trailing characters at line 1 column 4",
            ),
        ] {
            match read(text.as_bytes()) {
                Ok(value) => assert_eq!((value, told), (serde_json::from_str(text).unwrap(), ""), "{text}"),
                Err(problem) => assert_eq!(format!("{} {}", problem.code, problem.detail), told, "{text}"),
            }
        }
        let many = format!("{{\"a\":[{}1]}}", "1,".repeat(MOST_VALUES));
        assert_eq!(read(many.as_bytes()).unwrap_err().code, Code::BodyTooLarge);
    }
}
