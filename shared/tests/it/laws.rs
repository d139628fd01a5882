//! Laws over the list of kinds: what everything that derives from it relies on, and what every new kind must bring.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use orch_shared::kind::{Action, Kind, Maker};
use orch_shared::kinds::API_VERSION;
use orch_shared::manifest::{Limits, Objects, objects, parse, to_yaml};
use orch_shared::resource::{Identity, Metadata};
use serde_json::{Map, Value, json};

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the manifests in `examples/kinds` say.
fn examples() -> Objects {
    let mut files: Vec<_> = fs::read_dir(workspace().join("examples/kinds"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |path: &PathBuf| {
        (
            path.file_name().unwrap().to_str().unwrap().to_owned(),
            fs::read(path).unwrap(),
        )
    };
    let parsed: Vec<_> = files
        .iter()
        .map(read)
        .map(|(name, text)| (name, parse(&text, &Limits::default())))
        .collect();
    objects(&parsed)
}

/// The schema of a type, definitions at `$defs`.
fn schema_of<T: schemars::JsonSchema>() -> Value {
    schemars::generate::SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// A word that the command line or a path means must mean one thing.
#[test]
fn nouns_mean_one_thing() {
    let mut owners: BTreeMap<&str, Kind> = BTreeMap::new();
    for kind in Kind::ALL {
        for noun in kind.definition().nouns().collect::<BTreeSet<_>>() {
            assert_eq!(
                owners.insert(noun, *kind),
                None,
                "`{noun}` already means another kind than {kind}"
            );
            assert_eq!(Kind::from_noun(noun), Some(*kind));
        }
        let meta = kind.meta();
        assert!(!meta.scopes.is_empty(), "{kind} lives nowhere");
    }
    let words = [
        "all",
        "apply",
        "dependents",
        "events",
        "history",
        "logs",
        "seal",
        "status",
    ];
    for word in words
        .into_iter()
        .chain(Action::ALL.iter().map(|action| action.as_str()))
    {
        assert!(!owners.contains_key(word), "`{word}` is a word of the API already");
    }
}

#[test]
fn every_kind_comes_after_those_it_refers_to() {
    let order = Kind::in_apply_order();
    assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), Kind::ALL.len());
    let place = |kind: &Kind| order.iter().position(|other| other == kind).unwrap();
    for kind in Kind::ALL {
        for target in kind.meta().refers_to.iter().filter(|target| *target != kind) {
            assert!(
                place(target) < place(kind),
                "{kind} refers to {target}, and something there leads back"
            );
        }
    }
}

#[test]
fn every_kind_has_an_example_that_is_right() {
    let read = examples();
    assert_eq!(read.problems, []);
    let names: BTreeSet<_> = read.objects.iter().map(|object| object.resource.reference()).collect();
    for kind in Kind::ALL.iter().filter(|kind| kind.meta().maker == Maker::User) {
        let file = format!("{}.yaml", kind.meta().singular);
        let text = fs::read_to_string(workspace().join("examples/kinds").join(&file)).unwrap_or_default();
        let here = |line: &str| line == format!("kind: {kind}");
        assert!(text.lines().any(here), "examples/kinds/{file} shows no {kind}");
        assert!(
            text.starts_with("# "),
            "examples/kinds/{file} does not say what it shows"
        );
    }
    for object in &read.objects {
        let resource = &object.resource;
        for reference in resource.spec.references() {
            let known = names.contains(&reference.target);
            assert!(
                known,
                "{} refers to {}, which no example declares",
                resource.reference(),
                reference.target
            );
        }
    }
}

/// Printed, an example says the same, and nothing else.
#[test]
fn examples_survive_being_printed() {
    for object in examples().objects {
        let text = to_yaml(&object.resource.manifest());
        let again = objects(&[("again.yaml".to_owned(), parse(text.as_bytes(), &Limits::default()))]);
        assert_eq!(again.problems, [], "{text}");
        assert_eq!(again.objects[0].resource, object.resource);
        assert_eq!(to_yaml(&again.objects[0].resource.manifest()), text);
    }
}

/// `explain` reads the descriptions; a field without one cannot be explained.
#[test]
fn every_field_is_described() {
    fn look(at: &str, schema: &Value, silent: &mut Vec<String>) {
        for (name, field) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let description = field.get("description").and_then(Value::as_str).unwrap_or_default();
            if !description.ends_with(['.', '`', ')']) {
                silent.push(format!("{at}.{name}: `{description}`"));
            }
            look(&format!("{at}.{name}"), field, silent);
        }
        for (name, definition) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            look(name, definition, silent);
        }
    }
    let mut silent = Vec::new();
    for kind in Kind::ALL {
        let (spec, status) = (kind.definition().spec_schema(), kind.definition().status_schema());
        for (part, schema) in [("spec", spec), ("status", status)] {
            assert!(schema["description"].is_string(), "{kind}.{part}");
            look(&format!("{kind}.{part}"), schema, &mut silent);
        }
    }
    assert!(
        silent.is_empty(),
        "fields without a sentence:\n  {}",
        silent.join("\n  ")
    );
}

/// Whether a dotted path names a field of the schema.
fn has_field(root: &Value, path: &str) -> bool {
    let mut here = root;
    for part in path.split('.') {
        while let Some(target) = here["$ref"].as_str().or_else(|| here["anyOf"][0]["$ref"].as_str()) {
            here = &root["$defs"][target.rsplit('/').next().unwrap()];
        }
        here = &here["properties"][part];
        if here.is_null() {
            return false;
        }
    }
    true
}

#[test]
fn columns_show_fields_that_exist() {
    let (metadata, identity) = (schema_of::<Metadata>(), schema_of::<Identity>());
    for kind in Kind::ALL {
        let definition = kind.definition();
        for path in kind.meta().columns.iter().flat_map(|column| column.cell.paths()) {
            let (part, rest) = path.split_once('.').unwrap_or((path, ""));
            let known = match part {
                "spec" => has_field(definition.spec_schema(), rest),
                "status" => has_field(definition.status_schema(), rest) || has_field(&identity, rest),
                "metadata" => has_field(&metadata, rest),
                other => panic!("{kind}: a column reads `{other}`"),
            };
            assert!(known, "{kind}: a column reads `{path}`, and there is no such field");
        }
        assert!(
            !has_field(definition.spec_schema(), "no.such"),
            "the search for fields finds anything"
        );
    }
}

/// What a kind calls secret is everything secret there is: without it, nothing of a value is left.
#[test]
fn what_is_secret_is_known() {
    let mut seen = 0;
    for object in examples().objects {
        let mut spec = object.resource.spec.clone();
        let values: Vec<String> = spec
            .secret_values()
            .into_iter()
            .map(|value| std::mem::take(value.value))
            .collect();
        seen += values.len();
        let left = spec.to_json();
        for value in values {
            assert!(
                !value.is_empty() && !left.contains(&value),
                "{}: {left}",
                object.resource.reference()
            );
        }
    }
    assert!(seen >= 2, "the examples hold {seen} secret values");
}

/// The schema of a whole manifest, for editors.
fn manifest_schema(kind: Kind) -> Value {
    let definition = kind.definition();
    let mut definitions = Map::new();
    let mut part = |mut schema: Value| {
        let members = schema.as_object_mut().unwrap();
        members.shift_remove("$schema");
        members.shift_remove("title");
        if let Some(Value::Object(found)) = members.shift_remove("$defs") {
            definitions.extend(found);
        }
        schema
    };
    let (metadata, spec) = (part(schema_of::<Metadata>()), part(definition.spec_schema().clone()));
    definitions.sort_keys();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind,
        "description": spec["description"],
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": false,
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": kind},
            "metadata": metadata,
            "spec": spec,
            "status": {"description": "The daemon's; ignored where a manifest is read.", "type": "object"},
        },
        "$defs": definitions,
    })
}

/// Writes `docs/schema`; with `CI` set it is compared instead.
#[test]
fn checked_in_schemas_are_fresh() {
    let folder = workspace().join("docs/schema");
    let mut expected = BTreeMap::new();
    for kind in Kind::ALL.iter().filter(|kind| kind.meta().maker == Maker::User) {
        expected.insert(
            format!("{}.json", kind.meta().singular),
            format!("{:#}\n", manifest_schema(*kind)),
        );
    }
    let entries = fs::read_dir(&folder).into_iter().flatten().map(Result::unwrap);
    let found: BTreeMap<_, _> = entries
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read_to_string(entry.path()).unwrap(),
            )
        })
        .collect();
    if found == expected {
        return;
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "docs/schema is stale; write it anew: cargo test -p orch-shared --test it laws"
    );
    fs::create_dir_all(&folder).unwrap();
    found
        .keys()
        .for_each(|name| fs::remove_file(folder.join(name)).unwrap());
    expected
        .iter()
        .for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
}
