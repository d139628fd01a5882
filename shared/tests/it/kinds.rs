//! Laws that hold for every kind, tried on specs made up from the kind's own schema.

use orch_shared::kind::ScopeType;
use orch_shared::kinds::{API_VERSION, Kind};
use orch_shared::manifest::{self, Limits, objects, parse, to_yaml};
use orch_shared::path::FieldPath;
use orch_shared::resource::Resource;
use orch_shared::schema::{self, Echo};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::manifest::arbitrary::FRAGMENTS;
use crate::manifest::{fewer, many};

/// A source of choices, the same for the same seed.
struct Dice(u64);

impl Dice {
    /// A number below `sides`, by SplitMix64.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap_or_default() % sides
    }

    fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.roll(choices.len())]
    }
}

/// How much of what is made up is wrong on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mischief {
    None,
    Some,
}

/// Something a schema allows, or almost.
struct Inventor<'s> {
    root: &'s Value,
    dice: Dice,
    mischief: Mischief,
}

impl<'s> Inventor<'s> {
    fn value(&mut self, schema: &'s Value, depth: usize) -> Value {
        if self.mischief == Mischief::Some && self.dice.roll(40) == 0 {
            return self.junk();
        }
        let Value::Object(keywords) = schema else {
            return self.junk();
        };
        if let Some(target) = keywords.get("$ref").and_then(Value::as_str) {
            let target = target
                .strip_prefix("#/$defs/")
                .map_or(self.root, |name| &self.root["$defs"][name]);
            return self.value(target, depth + 1);
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(branches) = keywords.get(keyword).and_then(Value::as_array) {
                let branch = self.dice.pick(branches);
                return self.value(branch, depth + 1);
            }
        }
        if let Some(constant) = keywords.get("const") {
            return constant.clone();
        }
        if let Some(choices) = keywords.get("enum").and_then(Value::as_array) {
            return self.dice.pick(choices).clone();
        }
        let name = match keywords.get("type") {
            Some(Value::Array(names)) => self.dice.pick(names).as_str().unwrap_or_default(),
            Some(Value::String(name)) => name,
            _ => return self.junk(),
        };
        match name {
            "object" => self.object(keywords, depth),
            "array" => {
                let count = if depth > 8 { 0 } else { self.dice.roll(3) };
                let items = keywords.get("items").unwrap_or(&Value::Null);
                (0..count).map(|_| self.value(items, depth + 1)).collect()
            }
            "string" => Value::String(self.text(keywords)),
            "boolean" => json!(self.dice.roll(2) == 0),
            "integer" => {
                let edge = |keyword| keywords.get(keyword).and_then(Value::as_f64);
                let (low, high) = (edge("minimum").unwrap_or(0.0), edge("maximum").unwrap_or(65535.0));
                #[expect(clippy::cast_possible_truncation, reason = "bounds of our own")]
                let (low, high) = (low as i64, high as i64);
                let more = if self.mischief == Mischief::Some { 1 } else { 0 };
                json!(*self.dice.pick(&[low, high, low + 1, low - more, high + more]))
            }
            "number" => json!(*self.dice.pick(&[0.0, 0.5, 1.0, 1e21, 0.1])),
            _ => Value::Null,
        }
    }

    fn object(&mut self, keywords: &'s Map<String, Value>, depth: usize) -> Value {
        let mut members = Map::new();
        let required: Vec<&str> = keywords
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (name, schema) in keywords
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let wanted = required.contains(&name.as_str()) || (depth < 10 && self.dice.roll(5) == 0);
            if wanted && (self.mischief == Mischief::None || self.dice.roll(60) > 0) {
                members.insert(name.clone(), self.value(schema, depth + 1));
            }
        }
        if let Some(rest @ Value::Object(_)) = keywords.get("additionalProperties") {
            for _ in 0..self.dice.roll(3) {
                let key = self.dice.pick(FRAGMENTS).to_owned().to_owned();
                members.insert(key, self.value(rest, depth + 1));
            }
        }
        if self.mischief == Mischief::Some && self.dice.roll(60) == 0 {
            members.insert("replcas".to_owned(), self.junk());
        }
        Value::Object(members)
    }

    fn text(&mut self, keywords: &Map<String, Value>) -> String {
        let choices: &[&str] = match keywords.get("format").and_then(Value::as_str) {
            Some("dns-label") => &["a", "files", "my-llm", "0", "on"],
            Some("duration") => &["30s", "1h30m", "250ms", "0s"],
            Some("date-time") => &["2027-01-31T12:00:00Z", "1999-12-31T23:59:59.999Z"],
            Some("size") => &["512Mi", "1Gi", "7"],
            Some("cpu") => &["1", "0.5", "500m"],
            _ => FRAGMENTS,
        };
        (*self.dice.pick(choices)).to_owned()
    }

    fn junk(&mut self) -> Value {
        let text = *self.dice.pick(FRAGMENTS);
        self.dice
            .pick(&[
                json!(null),
                json!(true),
                json!(-1),
                json!(1.5),
                json!([]),
                json!({}),
                json!(text),
                json!([text]),
            ])
            .clone()
    }
}

fn invent(kind: Kind, seed: u64, mischief: Mischief) -> Value {
    let root = kind.definition().spec_schema();
    Inventor {
        root,
        dice: Dice(seed),
        mischief,
    }
    .value(root, 0)
}

fn every_kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL)
}

/// The walker knows every keyword that our types produce.
#[test]
fn schemas_say_nothing_the_walker_does_not_know() {
    fn keywords(schema: &Value, found: &mut Vec<String>) {
        for (keyword, argument) in schema.as_object().into_iter().flatten() {
            found.push(keyword.clone());
            let inner: Vec<&Value> = match (keyword.as_str(), argument) {
                ("properties" | "$defs", Value::Object(named)) => named.values().collect(),
                ("const" | "default" | "enum" | "examples", _) => Vec::new(),
                (_, Value::Array(several)) => several.iter().collect(),
                (_, single) => vec![single],
            };
            for schema in inner {
                keywords(schema, found);
            }
        }
    }
    for kind in Kind::ALL {
        for schema in [kind.definition().spec_schema(), kind.definition().status_schema()] {
            let mut found = Vec::new();
            keywords(schema, &mut found);
            assert!(found.len() > 3, "{kind} has a schema");
            for keyword in found {
                assert!(
                    schema::KEYWORDS.contains(&keyword.as_str()),
                    "{kind}: the walker does not know `{keyword}`"
                );
            }
        }
    }
}

/// What is made up without mischief is good enough to be worth something: for each kind, some of it is right, and of
/// what is made up with mischief some is wrong.
#[test]
fn inventions_are_right_and_wrong() {
    for kind in Kind::ALL {
        let right = |mischief| {
            (0..2000)
                .filter(|seed| kind.definition().parse(&invent(*kind, *seed, mischief)).is_ok())
                .count()
        };
        assert!(right(Mischief::None) > 5, "{kind}: {}", right(Mischief::None));
        assert!(right(Mischief::Some) < 1995, "{kind}");
    }
}

proptest! {
    #![proptest_config(many())]

    /// What the schema lets pass, the type takes.
    #[test]
    fn what_passes_the_schema_deserializes(kind in every_kind(), seed: u64) {
        let spec = invent(kind, seed, Mischief::Some);
        let problems = schema::check(kind.definition().spec_schema(), &spec, &FieldPath::root(), Echo::Values);
        if problems.is_empty() {
            let typed = kind.definition().parse_stored(&spec.to_string());
            prop_assert!(typed.is_ok(), "{kind} {spec}: {}", typed.unwrap_err());
        } else {
            // Every complaint is about something that is there, or about what is missing from something that is.
            for problem in problems {
                prop_assert!(problem.pointer.find(&spec).is_some(), "{kind} {spec}: {problem:?}");
            }
        }
    }

}

proptest! {
    #![proptest_config(fewer())]

    /// Printed and read again an object is the same, and printed again it is the same bytes.
    #[test]
    fn objects_survive_being_printed(kind in every_kind(), seed: u64) {
        if let Ok(spec) = kind.definition().parse(&invent(kind, seed, Mischief::None)) {
            let mut object = json!({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": "x"}, "spec": spec.to_value()});
            let scopes = kind.meta().scopes;
            if !scopes.contains(&ScopeType::Cluster) {
                let home = if scopes.contains(&ScopeType::Project) { "project" } else { "agent" };
                object["metadata"][home] = json!("web");
            }
            let resource = manifest::resource(&object).map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
            let text = to_yaml(&resource.manifest());
            let read = objects(&[("x.yaml".to_owned(), parse(text.as_bytes(), &Limits::default()))]);
            prop_assert_eq!(&read.problems, &[], "{}", &text);
            let again: Vec<&Resource> = read.objects.iter().map(|object| &object.resource).collect();
            prop_assert_eq!(&again, &[&resource]);
            prop_assert_eq!(to_yaml(&again[0].manifest()), text);
            prop_assert_eq!(again[0].spec.to_json(), spec.to_json());
        }
    }
}
