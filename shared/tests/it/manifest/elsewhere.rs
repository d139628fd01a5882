//! What we write, read by PyYAML, which follows YAML 1.1 to the letter.
//!
//! Needs `python3` with PyYAML; says so and passes where there is none, unless `ORCH_REQUIRE_ALL=1`.

use std::io::Write;
use std::process::{Command, Stdio};

use orch_shared::manifest::to_yaml_stream;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::arbitrary::{FRAGMENTS, value};

/// Reads a stream of YAML and prints each document as a line of JSON. Dates become text that no test expects.
const READER: &str = r"
import json, sys, yaml
for document in yaml.load_all(sys.stdin.buffer.read().decode(), yaml.SafeLoader):
    print(json.dumps(document, default=repr))
";

#[test]
fn pyyaml_reads_what_was_meant() {
    let available = Command::new("python3")
        .args(["-c", "import yaml"])
        .stderr(Stdio::null())
        .status();
    if !available.is_ok_and(|status| status.success()) {
        assert!(
            std::env::var_os("ORCH_REQUIRE_ALL").is_none(),
            "python3 with PyYAML is required"
        );
        skip("python3 with PyYAML is not here");
        return;
    }
    let mut runner = TestRunner::deterministic();
    let mut values: Vec<Value> = (0..4000)
        .map(|_| value().new_tree(&mut runner).expect("a value").current())
        .collect();
    for first in FRAGMENTS {
        for second in FRAGMENTS {
            let text = format!("{first}{second}");
            values.push(json!({"text": text, &text: [text]}));
        }
    }
    // An empty stream and a null document look alike in no reader; keep them apart.
    let values: Vec<Value> = values.into_iter().map(|value| json!({"value": value})).collect();
    let text = to_yaml_stream(&values);
    let read = python(&text);
    assert_eq!(read.len(), values.len());
    for (read, value) in read.iter().zip(&values) {
        assert_eq!(read, value, "\n{}", to_yaml_stream(std::slice::from_ref(value)));
    }
}

fn python(text: &str) -> Vec<Value> {
    let mut child = Command::new("python3")
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let mut stdin = child.stdin.take().expect("it has an input");
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("python3 ends");
    assert!(output.status.success(), "PyYAML reads it all");
    writer.join().expect("no panic").expect("all is written");
    let lines = String::from_utf8(output.stdout).expect("JSON is text");
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}
