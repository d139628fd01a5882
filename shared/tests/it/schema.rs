//! What the schema walker says about values, table by table, and that what it lets pass deserializes.

use std::collections::BTreeMap;

use orch_shared::name::Name;
use orch_shared::path::FieldPath;
use orch_shared::quantity::{Cpu, Size, Span};
use orch_shared::schema::{self, Echo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One of everything our kinds use.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sample {
    name: Name,
    #[serde(default)]
    description: Option<String>,
    replicas: Option<u32>,
    share: Option<f64>,
    offset: Option<i8>,
    #[serde(default)]
    gated: bool,
    interval: Option<Span>,
    memory: Option<Size>,
    cpu: Option<Cpu>,
    runtime: Option<Runtime>,
    pull: Option<Pull>,
    #[serde(default)]
    env: Vec<Variable>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    anything: Option<Value>,
    script: Option<Vec<Step>>,
    stop: Option<OneOrMany>,
    check: Option<Check>,
    next: Option<Box<Sample>>,
    #[schemars(length(min = 1, max = 4))]
    tag: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Runtime {
    /// A child of the daemon.
    Process,
    /// A container.
    Docker,
    /// A pod.
    Kubernetes,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
enum Pull {
    Always,
    IfNotPresent,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Variable {
    name: String,
    value: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Step {
    /// Says something.
    Text(String),
    /// Waits.
    Delay {
        /// How long.
        time: Span,
    },
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum Check {
    Tool { name: String },
    Http { port: u16 },
}

fn sample_schema() -> Value {
    schemars::generate::SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Sample>()
        .to_value()
}

/// Merges `given` over a value that is right and compares what is said with `path: message | hint`.
#[track_caller]
fn check(given: Value, said: &[&str]) {
    let mut value = json!({"name": "a"});
    for (key, member) in given.as_object().into_iter().flatten() {
        value[key] = member.clone();
    }
    let problems = schema::check(&sample_schema(), &value, &FieldPath::parse("spec"), Echo::Values);
    let lines: Vec<String> = problems
        .iter()
        .map(|p| {
            format!(
                "{} {}: {}{}",
                p.code,
                p.pointer,
                p.message,
                p.hint.iter().map(|h| format!(" | {h}")).collect::<String>()
            )
        })
        .collect();
    assert_eq!(lines, said, "{value}");
    if said.is_empty() {
        serde_json::from_value::<Sample>(value).expect("what passes deserializes");
    }
}

#[test]
fn right_values() {
    for value in [
        json!({}),
        json!({"description": null, "replicas": null, "share": 3, "offset": -128, "gated": true}),
        json!({"interval": "30s", "memory": "1Gi", "cpu": "0.5", "runtime": "docker", "pull": "IfNotPresent"}),
        json!({"env": [{"name": "A", "value": null}, {"name": "B", "value": ""}], "labels": {"a/b": "c"}}),
        json!({"anything": [1, {"x": null}], "script": [{"text": "hi"}, {"delay": {"time": "1s"}}], "stop": "a"}),
        json!({"stop": ["a", "b"], "check": {"type": "http", "port": 65535}, "next": {"name": "b", "next": null}}),
        json!({"replicas": u32::MAX, "tag": "äöü"}),
    ] {
        check(value, &[]);
    }
}

#[test]
fn unknown_and_missing_fields() {
    check(
        json!({"replcas": 1, "next": {}}),
        &[
            "ORCH1101 spec.replcas: unknown field | did you mean `replicas`? allowed here: anything, check, cpu, description, …",
            "ORCH1103 spec.next: missing field `name`",
        ],
    );
    check(
        json!({"env": [{"name": "A", "valu": ""}, {"value": "x", "zzzzz": 1}]}),
        &[
            "ORCH1101 spec.env[0].valu: unknown field | did you mean `value`? allowed here: name, value",
            "ORCH1101 spec.env[1].zzzzz: unknown field | allowed here: name, value",
            "ORCH1103 spec.env[1]: missing field `name`",
        ],
    );
    check(
        json!({"xyzzy.plugh": 1}),
        &[
            "ORCH1101 spec[\"xyzzy.plugh\"]: unknown field | allowed here: anything, check, cpu, description, env, gated, interval, \
           labels, memory, name, next, offset, …",
        ],
    );
}

#[test]
fn wrong_types() {
    for (value, said) in [
        (
            json!({"description": 8080}),
            "description: expected a string, found the number 8080 | quote it: \"8080\"",
        ),
        (
            json!({"description": true}),
            "description: expected a string, found true | quote it: \"true\"",
        ),
        (
            json!({"description": ["a"]}),
            "description: expected a string, found a list",
        ),
        (
            json!({"name": null}),
            "name: expected a string, found nothing | leave the field out, or write \"\" for an empty text",
        ),
        (
            json!({"interval": 5}),
            "interval: expected a string, found the number 5 | say the unit: 5s",
        ),
        (
            json!({"memory": 64}),
            "memory: expected a string, found the number 64 | say the unit: 64Mi",
        ),
        (
            json!({"memory": 2000}),
            "memory: expected a string, found the number 2000 | quote it: \"2000\", which are bytes",
        ),
        (
            json!({"memory": 0}),
            "memory: expected a string, found the number 0 | quote it: \"0\", which are bytes",
        ),
        (
            json!({"replicas": "${n}"}),
            "replicas: expected a whole number, found the text `${n}` | a place such as ${name} stands only where text may stand",
        ),
        (
            json!({"replicas": "2"}),
            "replicas: expected a whole number, found the text `2` | take the quotes away: 2",
        ),
        (
            json!({"replicas": 2.0}),
            "replicas: expected a whole number, found the number 2.0 | write it without a fraction: 2",
        ),
        (
            json!({"replicas": 2.5}),
            "replicas: expected a whole number, found the number 2.5",
        ),
        (json!({"share": "x"}), "share: expected a number, found the text `x`"),
        (
            json!({"gated": "yes"}),
            "gated: expected true or false, found the text `yes` | write `true` without quotes",
        ),
        (
            json!({"gated": null}),
            "gated: expected true or false, found nothing | leave the field out",
        ),
        (
            json!({"env": {"A": "b"}}),
            "env: expected a list, found a mapping | a list begins each element with `- `",
        ),
        (
            json!({"env": "A"}),
            "env: expected a list, found the text `A` | put it into a list: begin the line with `- `, or write it in [ ]",
        ),
        (
            json!({"next": "name:x"}),
            "next: expected a mapping, found the text `name:x` | a space is missing after the `:`",
        ),
        (
            json!({"labels": {"a": 1}}),
            "labels.a: expected a string, found the number 1 | quote it: \"1\"",
        ),
        (
            json!({"stop": 1}),
            "stop: expected a string or a list, found the number 1 | quote it: \"1\"",
        ),
        (
            json!({"stop": [1]}),
            "stop[0]: expected a string, found the number 1 | quote it: \"1\"",
        ),
        (
            json!({"runtime": 1}),
            "runtime: expected a string, found the number 1 | allowed here: docker, kubernetes, process",
        ),
        (json!({"check": 1}), "check: expected a mapping, found the number 1"),
    ] {
        check(value, &[&format!("ORCH1102 spec.{said}")]);
    }
}

#[test]
fn values_not_allowed() {
    for (value, said) in [
        (
            json!({"runtime": "proces"}),
            "runtime: `proces` is not allowed here | did you mean `process`? allowed here: docker, kubernetes, process",
        ),
        (
            json!({"pull": "never"}),
            "pull: `never` is not allowed here | allowed here: Always, IfNotPresent",
        ),
        (
            json!({"replicas": -1}),
            "replicas: -1 is too small; the least allowed is 0",
        ),
        (
            json!({"replicas": 4_294_967_296_u64}),
            "replicas: 4294967296 is too large; the most allowed is 4294967295",
        ),
        (
            json!({"offset": 128}),
            "offset: 128 is too large; the most allowed is 127",
        ),
        (
            json!({"check": {"type": "http", "port": 65536}}),
            "check.port: 65536 is too large; the most allowed is 65535",
        ),
        (
            json!({"interval": "30"}),
            "interval: expected a duration such as 250ms, 30s, 5m or 1h30m, found `30`",
        ),
        (
            json!({"memory": "1GiB"}),
            "memory: expected a size such as 64Mi, 512Mi or 2Gi, found `1GiB`",
        ),
        (
            json!({"cpu": "two"}),
            "cpu: expected a number of cores such as 2, 0.5 or 500m, found `two`",
        ),
        (json!({"tag": ""}), "tag: must not be empty"),
        (json!({"tag": "abcde"}), "tag: has 5 characters; at most 4 are allowed"),
        (
            json!({"check": {"type": "htp", "port": 1}}),
            "check.type: `htp` is not allowed here | did you mean `http`? allowed here: http, tool",
        ),
    ] {
        check(value, &[&format!("ORCH1104 spec.{said}")]);
    }
    check(
        json!({"name": "My_Server"}),
        &[
            "ORCH1107 spec.name: `My_Server` is not a DNS label: lower-case letters, digits and `-`, with a letter or digit at both ends \
           | `my-server` would do",
        ],
    );
    check(
        json!({"check": {}}),
        &["ORCH1103 spec.check: missing field `type` | allowed here: http, tool"],
    );
    check(
        json!({"check": {"type": "tool", "port": 1}}),
        &[
            "ORCH1101 spec.check.port: unknown field | allowed here: name, type",
            "ORCH1103 spec.check: missing field `name`",
        ],
    );
}

/// A value as deep as it likes, and a schema that refers to itself, end in a problem or in nothing.
#[test]
fn never_recurses_without_bound() {
    let mut deep = json!({"name": "a"});
    for _ in 0..400 {
        deep = json!({"name": "a", "next": deep});
    }
    let problems = schema::check(&sample_schema(), &deep, &FieldPath::root(), Echo::Values);
    assert_eq!(problems.iter().map(|p| p.code.id()).collect::<Vec<_>>(), ["ORCH1003"]);

    let circular = json!({"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}]}}});
    let problems = schema::check(&circular, &json!(1), &FieldPath::root(), Echo::Values);
    assert_eq!(problems.iter().map(|p| p.code.id()).collect::<Vec<_>>(), ["ORCH1003"]);
}

/// Of what may be secret, problems tell the type and nothing else.
#[test]
fn values_that_may_be_secret_are_not_repeated() {
    for wrong in [
        json!("48151623"),
        json!(48_151_623),
        json!([{"name": "48151623"}]),
        json!({
            "name": "48151623-", "description": 48_151_623, "replicas": "48151623", "offset": 48_151_623, "gated": "48151623",
            "interval": "48151623", "memory": "48151623x", "cpu": "48151623x", "runtime": "48151623", "pull": "48151623",
            "env": "48151623", "labels": {"a": 48_151_623}, "stop": 48_151_623, "tag": "48151623",
        }),
    ] {
        let problems = schema::check(&sample_schema(), &wrong, &FieldPath::parse("spec"), Echo::Types);
        assert!(!problems.is_empty(), "{wrong}");
        let told = format!("{problems:?}");
        assert!(!told.contains("48151623"), "{told}");
    }
}

#[test]
fn no_more_is_listed_than_is_told() {
    let wrong: Value = (0..1000)
        .map(|n| (format!("f{n}"), json!(1)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let problems = schema::check(&sample_schema(), &wrong, &FieldPath::root(), Echo::Values);
    assert_eq!(problems.len(), schema::MOST_PROBLEMS);
}
