//! Values and texts that look for trouble, for the property tests.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Number, Value};

/// Words that some reader of YAML takes for something else than text, and pieces that mean something to its grammar.
pub(crate) const FRAGMENTS: &[&str] = &[
    "a",
    "b c",
    "é",
    "😀",
    "",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\r",
    "\r\n",
    ":",
    ": ",
    " #",
    "#",
    "-",
    "- ",
    "--- ",
    "---",
    "...",
    "?",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a",
    "*a",
    "!x",
    "!!str",
    "|",
    ">",
    "'",
    "\"",
    "\\",
    "\\n",
    "%",
    "@",
    "`",
    "=",
    "<<",
    "~",
    "y",
    "n",
    "yes",
    "No",
    "on",
    "OFF",
    "true",
    "False",
    "null",
    "NULL",
    "Null",
    ".inf",
    "-.INF",
    "+.inf",
    ".NaN",
    "0",
    "1",
    "-1",
    "+1",
    "007",
    "0123",
    "08",
    "0x1F",
    "0o17",
    "0b101",
    "1_000",
    "1,000",
    "1e3",
    "1E+3",
    "1.0e-3",
    "1.",
    ".5",
    "._",
    "12:30",
    "12:30:45",
    "1:30.5",
    "2024-01-01",
    "2024-01-01T12:00:00Z",
    "2024-1-1 1:2:3",
    "1.2.3",
    "127.0.0.1",
    "127.0.0.1:80",
    "0.1",
    "-",
    "+",
    ".",
    "-e",
    "--flag",
    "-.5",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{fffe}",
    "\u{7}",
    "\u{1b}",
    "\u{7f}",
    "\u{9b}",
    "x y",
    "key: value",
    "$(x)",
    "a,b",
    "http://a.b/c?d=e#f",
    "@scope/name",
    "{{ x }}",
    "text\n",
    " text",
    "text ",
];

/// Text of a few such pieces. NUL is left out: no manifest may hold it.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec(select(FRAGMENTS), 1..5).prop_map(|pieces| pieces.concat()),
        2 => prop::collection::vec(select(FRAGMENTS), 1..4).prop_map(|pieces| pieces.join("\n")),
        1 => "[ -~]{0,12}",
        1 => prop::collection::vec(any::<char>().prop_filter("NUL", |c| *c != '\0'), 0..6)
            .prop_map(|characters| characters.into_iter().collect::<String>()),
    ]
}

/// Any number a manifest can hold.
fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (-20_i64..20).prop_map(Number::from),
        prop::num::f64::NORMAL.prop_filter_map("finite", Number::from_f64),
        prop::num::f64::ANY.prop_filter_map("finite", Number::from_f64),
        (-4000_i32..4000).prop_filter_map("finite", |n| Number::from_f64(f64::from(n) / 8.0)),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        2 => number().prop_map(Value::Number),
        8 => text().prop_map(Value::String),
    ]
}

/// Any value that a manifest can hold.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}
