//! What is written: exact bytes for what people see often, and laws for everything else.

use orch_shared::manifest::{Limits, parse, to_yaml, to_yaml_stream};
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use super::{arbitrary, fewer, many};

#[track_caller]
fn check(value: &Value, text: &str) {
    assert_eq!(to_yaml(value), text);
    assert_eq!(&read(text), value, "{text}");
}

#[track_caller]
fn read(text: &str) -> Value {
    let mut parsed = parse(text.as_bytes(), &Limits::default());
    assert_eq!(parsed.problems, [], "{text}");
    parsed.documents.pop().map_or(Value::Null, |document| document.value)
}

#[test]
fn manifests_look_as_kubectl_would_print_them() {
    check(
        &json!({
            "apiVersion": "orchctl.dev/v1",
            "kind": "Server",
            "metadata": {"name": "files", "labels": {"team": "core"}, "annotations": {}},
            "spec": {
                "package": {"registry": "npm", "name": "@modelcontextprotocol/server-filesystem", "version": "2026.8.31", "args": []},
                "replicas": 2,
                "env": [
                    {"name": "TOKEN", "valueFrom": {"secretRef": {"name": "gitea", "key": "token"}}},
                    {"name": "ENABLED", "value": "yes"},
                ],
                "command": ["/usr/bin/env", "-i", "--", "sh", "-c", "exec \"$0\"", "", [], {}, [["a"], "b"]],
                "timeout": "30s",
                "ratio": 0.5,
                "gated": false,
                "nothing": null,
            },
        }),
        "\
apiVersion: orchctl.dev/v1
kind: Server
metadata:
  name: files
  labels:
    team: core
  annotations: {}
spec:
  package:
    registry: npm
    name: \"@modelcontextprotocol/server-filesystem\"
    version: 2026.8.31
    args: []
  replicas: 2
  env:
  - name: TOKEN
    valueFrom:
      secretRef:
        name: gitea
        key: token
  - name: ENABLED
    value: \"yes\"
  command:
  - /usr/bin/env
  - -i
  - --
  - sh
  - -c
  - exec \"$0\"
  - \"\"
  - []
  - {}
  - - - a
    - b
  timeout: 30s
  ratio: 0.5
  gated: false
  nothing: null
",
    );
}

#[test]
fn text_of_several_lines_is_a_block() {
    for (text, written) in [
        ("one\ntwo\n", "t: |\n  one\n  two\n"),
        ("one\ntwo", "t: |-\n  one\n  two\n"),
        ("one\n\ntwo\n\n\n", "t: |+\n  one\n\n  two\n\n\n"),
        ("\none\n", "t: |\n\n  one\n"),
        ("  one\ntwo\n", "t: |2\n    one\n  two\n"),
        ("\n one", "t: |2-\n\n   one\n"),
        ("\tone\n", "t: |2\n  \tone\n"),
        ("one: two\n- # three\n", "t: |\n  one: two\n  - # three\n"),
        ("hard  \nbreak\n", "t: |\n  hard  \n  break\n"),
        ("---\n...\n", "t: |\n  ---\n  ...\n"),
        // What a block cannot carry, or would hide.
        ("\n", "t: \"\\n\"\n"),
        ("one\n \ntwo\n", "t: \"one\\n \\ntwo\\n\"\n"),
        ("one\r\ntwo\r\n", "t: \"one\\r\\ntwo\\r\\n\"\n"),
        ("one\n\u{7}", "t: \"one\\n\\x07\"\n"),
        ("one\u{2028}\ntwo", "t: \"one\\u2028\\ntwo\"\n"),
    ] {
        check(&json!({"t": text}), written);
    }
    check(
        &json!([{"a": "x\ny\n"}, ["p\nq"]]),
        "- a: |\n    x\n    y\n- - |-\n    p\n    q\n",
    );
    check(&json!("one\ntwo\n"), "\"one\\ntwo\\n\"\n");
}

#[test]
fn what_someone_could_misread_is_quoted() {
    for text in [
        "no",
        "on",
        "Y",
        "~",
        "null",
        "0x1F",
        "0o17",
        "0b1",
        "1e3",
        "1_000",
        "1,000",
        "0123",
        "012",
        "1:30",
        "12:30:45",
        "2024-01-01",
        "2024-01-01T10:00:00Z",
        "=",
        "<<",
        ".inf",
        "-.INF",
        ".nan",
        " a",
        "a ",
        "a: b",
        "a:",
        "a #b",
        "-",
        "- a",
        "? a",
        "@a",
        "`a",
        "*a",
        "&a",
        "!a",
        "|",
        ">",
        "%a",
        "#a",
        ",a",
        "[a",
        "{a",
        "'a",
        "1",
        "-1",
        "+1.5",
        ".5",
        "5.",
        "---",
        "...",
        "true",
        "",
        "\u{2028}",
        "\u{feff}a",
        ":a",
        "127.0.0.1:80",
        "é: x",
    ] {
        let written = to_yaml(&json!([text]));
        assert!(written.starts_with("- \"") || written.starts_with("- '"), "{written}");
        assert_eq!(read(&written), json!([text]));
    }
    for text in [
        "a",
        "no way",
        "1.2.3",
        "127.0.0.1",
        "2d",
        "30s",
        "512Mi",
        "500m",
        "-y",
        "--stdio",
        "~/x",
        "./x",
        "/srv",
        "a,b",
        "a#b",
        "a:b",
        "$(x)",
        "é",
        "日本語",
        "http://a.b:80/c?d=e#f",
        "x@y",
        "1a",
        "0_day",
        "deadbeef",
        "key=value",
        "it's",
        "a\"b",
        "+x",
    ] {
        check(&json!([text]), &format!("- {text}\n"));
    }
}

#[test]
fn numbers_are_exact_and_numbers_to_everybody() {
    for (number, written) in [
        (json!(0), "0"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!(i64::MIN), "-9223372036854775808"),
        (json!(0.1), "0.1"),
        (json!(1000.0), "1000.0"),
        (json!(1e21), "1.0e+21"),
        (json!(1.5e-9), "1.5e-9"),
        (json!(f64::MAX), "1.7976931348623157e+308"),
        (json!(5e-324), "5.0e-324"),
        (json!(-0.0), "-0.0"),
    ] {
        check(&json!({"x": number}), &format!("x: {written}\n"));
    }
}

#[test]
fn long_keys_are_still_keys() {
    let key = "k".repeat(2000);
    for value in [json!(1), json!({"a": 1}), json!(["a"]), json!("x\ny\n"), json!({})] {
        let value = json!({"a": {&key: value, "z": 1}});
        assert_eq!(read(&to_yaml(&value)), value);
        assert_eq!(serde_yaml::from_str::<Value>(&to_yaml(&value)).unwrap(), value);
    }
}

#[test]
fn streams_are_separated() {
    let values = [json!({"a": "x\n\n"}), json!({"b": 1}), json!([])];
    assert_eq!(to_yaml_stream(&values), "a: |+\n  x\n\n---\nb: 1\n---\n[]\n");
    let parsed = parse(to_yaml_stream(&values).as_bytes(), &Limits::default());
    assert_eq!(
        parsed.documents.iter().map(|d| d.value.clone()).collect::<Vec<_>>(),
        values
    );
}

proptest! {
    #![proptest_config(many())]

    /// What is written is read again: by us, and the same by another reader.
    #[test]
    fn reading_what_was_written_gives_the_same(value in arbitrary::value()) {
        let text = to_yaml(&value);
        prop_assert_eq!(&read(&text), &value, "{}", &text);
        let elsewhere: Value = serde_yaml::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&elsewhere, &value, "{}", &text);
        prop_assert_eq!(to_yaml(&read(&text)), text);
    }

}

proptest! {
    #![proptest_config(fewer())]

    /// A stream is its documents; those that say nothing are left out.
    #[test]
    fn a_stream_is_its_documents(values in prop::collection::vec(arbitrary::value(), 0..3)) {
        let text = to_yaml_stream(&values);
        let parsed = parse(text.as_bytes(), &Limits::default());
        let read: Vec<Value> = parsed.documents.into_iter().map(|document| document.value).collect();
        let said: Vec<Value> = values.into_iter().filter(|value| !value.is_null()).collect();
        prop_assert_eq!(read, said, "{}", text);
    }

    /// JSON is read as JSON is meant, on one line or indented by tabs.
    #[test]
    fn json_is_read_as_json(value in arbitrary::value()) {
        let value = json!([value]);
        let text = format!("{value}\n{}", with_tabs(&value));
        let parsed = parse(text.as_bytes(), &Limits::default());
        prop_assert_eq!(parsed.problems, []);
        // What JSON itself keeps of a double is what must be kept.
        let said: Value = serde_json::from_str(&value.to_string()).unwrap();
        for document in parsed.documents {
            prop_assert_eq!(&document.value, &said, "{}", &text);
        }
    }
}

fn with_tabs(value: &Value) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    value
        .serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter))
        .unwrap();
    String::from_utf8(out).unwrap()
}
