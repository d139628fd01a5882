//! What is read from text that is right, and where it is said to stand.

use orch_shared::manifest::{Document, Limits, parse};
use orch_shared::path::FieldPath;
use orch_shared::problem::Part;
use serde_json::{Value, json};

fn documents(text: &str) -> Vec<Document> {
    let parsed = parse(text.as_bytes(), &Limits::default());
    assert_eq!(parsed.problems, [], "{text}");
    parsed.documents
}

#[track_caller]
fn check(text: &str, said: &[Value]) {
    let read: Vec<Value> = documents(text).into_iter().map(|document| document.value).collect();
    assert_eq!(read, said, "{text}");
}

/// The core schema of YAML 1.2: what version 1.1 took for truth values, octals, sexagesimals and dates is text.
#[test]
fn words() {
    for (word, value) in [
        ("no", json!("no")),
        ("on", json!("on")),
        ("y", json!("y")),
        ("1_000", json!("1_000")),
        ("12:30", json!("12:30")),
        ("2024-01-01", json!("2024-01-01")),
        ("0b1", json!("0b1")),
        ("0x", json!("0x")),
        ("=", json!("=")),
        ("1.2.3", json!("1.2.3")),
        ("1e", json!("1e")),
        ("+", json!("+")),
        (".", json!(".")),
        ("- x", json!(["x"])),
        ("true", json!(true)),
        ("False", json!(false)),
        ("NULL", json!(null)),
        ("~", json!(null)),
        ("", json!(null)),
        ("0", json!(0)),
        ("-0", json!(0)),
        ("+12", json!(12)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("18446744073709551615", json!(u64::MAX)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("1e3", json!(1000.0)),
        (".5", json!(0.5)),
        ("5.", json!(5.0)),
        ("0.1", json!(0.1)),
        ("0.30000000000000004", json!(0.300_000_000_000_000_04)),
        ("100000000000000000000.0", json!(1e20)),
        ("!!str 12", json!("12")),
        ("! 12", json!("12")),
        ("!!int \"12\"", json!(12)),
        ("'12'", json!("12")),
    ] {
        check(&format!("- {word}\n"), &[json!([value])]);
    }
}

#[test]
fn streams() {
    for (text, said) in [
        ("", vec![]),
        ("# nothing\n---\n---\n# still nothing\n...\n", vec![]),
        ("a: 1\n---\n# c\n---\nb: 2\n", vec![json!({"a": 1}), json!({"b": 2})]),
        ("%YAML 1.2\n---\na: 1\n", vec![json!({"a": 1})]),
        (
            "{\"a\":1}{\"b\":2} [3]\n",
            vec![json!({"a": 1}), json!({"b": 2}), json!([3])],
        ),
        ("{\"a\": \"\\ud83d\\ude00\\/\"}", vec![json!({"a": "😀/"})]),
        // Flow style that is not JSON, though it starts like it.
        (
            "{a: 1, \"b\": [x, ], # c\n}\n---\nc: 2\n",
            vec![json!({"a": 1, "b": ["x"]}), json!({"c": 2})],
        ),
        ("{\"a\": 1,}\n", vec![json!({"a": 1})]),
    ] {
        check(text, &said);
    }
}

#[test]
fn aliases_and_merge_keys() {
    check(
        "a: &x {p: 1}\nb: *x\nc: [*x, *x]\n",
        &[json!({"a": {"p": 1}, "b": {"p": 1}, "c": [{"p": 1}, {"p": 1}]})],
    );
    check(
        "&k a: 1\nb: *k\nc: {*k : 2}\n",
        &[json!({"a": 1, "b": "a", "c": {"a": 2}})],
    );
    check(
        "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  <<: [*x, *y]\n  a: 0\n",
        &[json!({
            "x": {"a": 1, "b": 2}, "y": {"b": 3, "c": 4}, "z": {"a": 0, "b": 2, "c": 4},
        })],
    );
    check(
        "z:\n  <<: {a: 1}\n  <<: {b: 2}\n  \"<<\": c\n",
        &[json!({"z": {"a": 1, "b": 2, "<<": "c"}})],
    );
    check("!!str <<: {a: 1}\n", &[json!({"<<": {"a": 1}})]);
    // An anchor given twice stands for the later value from there on.
    check(
        "a: &x 1\nb: *x\nc: &x 2\nd: *x\n",
        &[json!({"a": 1, "b": 1, "c": 2, "d": 2})],
    );
}

#[test]
fn positions() {
    let text = "\
# héllo
kind: &k Server
spec:
  env:
  - name: ä
    value: *k
  -   name: B
      value:
  flow: {a: [1, {b: 2}], \"c d\": 3}
  text: |
    x
  merged:
    <<: {m: 1}
  empty: {}
";
    let document = &documents(text)[0];
    for (path, key, value) in [
        ("", "2:1", "2:1"),
        ("kind", "2:1", "2:7"),
        ("spec", "3:1", "4:3"),
        ("spec.env", "4:3", "5:5"),
        ("spec.env[0]", "5:5", "5:5"),
        ("spec.env[0].name", "5:5", "5:11"),
        ("spec.env[0].value", "6:5", "6:12"),
        ("spec.env[1].name", "7:7", "7:13"),
        ("spec.env[1].value", "8:7", "8:12"),
        ("spec.flow.a[1].b", "9:18", "9:21"),
        ("spec.flow[\"c d\"]", "9:26", "9:33"),
        ("spec.text", "10:3", "11:5"),
        ("spec.merged.m", "13:10", "13:13"),
        ("spec.empty", "14:3", "14:10"),
        // What is not there is where it would be.
        ("spec.env[2].name", "5:5", "5:5"),
        ("spec.env[0].valueFrom.secretRef", "5:5", "5:5"),
        ("spec.nothing", "4:3", "4:3"),
        ("nothing.at.all", "2:1", "2:1"),
    ] {
        let path = FieldPath::parse(path);
        assert_eq!(document.position(&path, Part::Key).to_string(), key, "key of {path}");
        assert_eq!(
            document.position(&path, Part::Value).to_string(),
            value,
            "value of {path}"
        );
    }
    // A pointer cannot tell the position in a list from a key made of digits.
    let digits = &documents("\"1\": a\n\"0\":\n  - b\n")[0];
    assert_eq!(
        digits
            .position(&FieldPath::from_pointer("/0/0"), Part::Value)
            .to_string(),
        "3:5"
    );
    let json = &documents("{\"a\": [1,\r\n {\"ä\": \"é\", \"b\": null}]}")[0];
    assert_eq!(
        json.position(&FieldPath::parse("a[1].b"), Part::Key).to_string(),
        "2:13"
    );
    assert_eq!(
        json.position(&FieldPath::parse("a[1].b"), Part::Value).to_string(),
        "2:18"
    );
}
