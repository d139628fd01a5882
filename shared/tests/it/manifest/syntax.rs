//! What is said about text that cannot be read, with its place, its message and its hint.

use orch_shared::manifest::{Limits, parse};

/// Compares all problems of a text with lines of `code line:column path: message | hint`, and how many documents were
/// read all the same.
#[track_caller]
fn check(text: impl AsRef<[u8]>, documents: usize, said: &[&str]) {
    let text = text.as_ref();
    let parsed = parse(text, &Limits::default());
    let lines: Vec<String> = parsed
        .problems
        .iter()
        .map(|p| {
            let path = p.path.to_string();
            let path = if path.is_empty() { path } else { format!("{path}: ") };
            let hint = p.hint.iter().map(|hint| format!(" | {hint}")).collect::<String>();
            format!("{} {} {path}{}{hint}", p.code, p.position, p.message)
        })
        .collect();
    assert_eq!(lines, said, "{}", String::from_utf8_lossy(text));
    assert_eq!(parsed.documents.len(), documents, "{}", String::from_utf8_lossy(text));
}

#[test]
fn tabs() {
    let said = "a tab is used for indentation; YAML wants spaces | replace it by two spaces per level";
    for (text, at) in [
        ("a:\n\tb: 1\n", "2:1"),
        ("a: 1\n\tb: 1\n", "2:1"),
        ("a:\n  - x\n\t- y\n", "3:1"),
        ("a:\n  b: 1\n  \tc: 2\n", "3:3"),
        ("a:\n  b:\n\t\tc: 2\n", "3:1"),
    ] {
        check(text, 0, &[&format!("ORCH1001 {at} {said}")]);
    }
    // Where a tab is no indentation, it does no harm.
    check(
        "a:\t1\n",
        0,
        &["ORCH1001 1:4 a tab stands behind the `:`; YAML wants a space | replace it by a space"],
    );
    check("a: \t1\nb: x\ty\nc: [\n \t1]\n\t\nd: |\n  \tx\n", 1, &[]);
    check("{\n\t\"a\": [\n\t\t1\n\t]\n}\n", 1, &[]);
}

#[test]
fn colons() {
    let space = "a space is missing after the `:`";
    let colon = "add the `:`; text that goes on over several lines must be indented more than its key";
    let second = "there is a second `: ` on this line | quote the value if the `:` belongs to it";
    for (text, said) in [
        ("a:b\nc: d\n", format!("1:2 {space} | write `a: b`")),
        ("c: d\na:b\n", format!("2:2 {space} | write `a: b`")),
        ("c:\n  d: e\n  a:b c\n  f: g\n", format!("3:4 {space} | write `a: b c`")),
        ("- x: y\n  a:1\n", format!("2:4 {space} | write `a: 1`")),
        ("a: b: c\n", format!("1:5 {second}")),
        ("a: 1\nb\n", format!("2:1 expected `key: value`, found `b` | {colon}")),
        (
            "a: 1\nsome words\nb: 2\n",
            format!("2:1 expected `key: value`, found `some words` | {colon}"),
        ),
        (
            "key\nother: x\n",
            format!("1:1 expected `key: value`, found `key` | {colon}"),
        ),
        (
            "a: >\nfoo\n",
            format!("2:1 expected `key: value`, found `foo` | {colon}"),
        ),
    ] {
        check(text, 0, &[&format!("ORCH1001 {said}")]);
    }
}

#[test]
fn indentation() {
    let fits = "the indentation of this line fits none of the lines above | give it the indentation of the lines it belongs to";
    let deeper = "this line is indented further than the one above, which already has a value | give both lines the same indentation";
    let element = "an element of a list stands among the keys of a mapping | indent it below the key it belongs to, or remove the `- `";
    let expected = "expected another element of the list above | begin it with `- `, or give the line the indentation of what it belongs to";
    for (text, said) in [
        ("a: 1\n b: 2\n", format!("2:2 {deeper}")),
        ("# x\nspec:\n  a: 1\n\n    b: 2\n", format!("5:5 {deeper}")),
        ("a:\n  b: 1\n c: 2\n", format!("3:2 {fits}")),
        ("a: |\n  x\n y\n", format!("3:2 {fits}")),
        ("a: b\n- c\n", format!("2:1 {element}")),
        ("a:\n- b\nc: d\n- e\n", format!("4:1 {element}")),
        ("- a\nb: c\n", format!("2:1 {expected}")),
        ("e:\n  - name: A\n   value: x\n", format!("3:4 {expected}")),
        ("a: - b\n", "1:4 a list cannot begin behind its key | write its first `- ` on the next line".to_owned()),
        (
            "a: b #c\n  e: f\n",
            "1:6 the text before this comment goes on after it | give the next line the indentation of its neighbours, or quote the text"
                .to_owned(),
        ),
    ] {
        check(text, 0, &[&format!("ORCH1001 {said}")]);
    }
}

#[test]
fn quotes_and_escapes() {
    let close = "close it; further lines of a quoted text must be indented more than its key";
    let backslash = "a backslash is written \\\\ within double quotes, or as it is within single quotes";
    for (text, said) in [
        ("a: \"x\nb: 2\n", format!("1:4 the double quote that is opened here is not closed | {close}")),
        ("a: 'x\nb: 2\n", format!("1:4 the single quote that is opened here is not closed | {close}")),
        ("a: \"x\n", format!("1:4 the double quote that is opened here is not closed | {close}")),
        (
            "a: 'it's'\n",
            "1:8 something stands behind the closing quote | within single quotes, a quote is written twice: ''".to_owned(),
        ),
        (
            "a: \"x\" y\n",
            "1:8 something stands behind the closing quote | within double quotes, a quote is written \\\"".to_owned(),
        ),
        ("a: \"x\\d\"\n", format!("1:6 `\\d` is no escape | {backslash}")),
        ("a: \"\\n\\xZZ\"\n", format!("1:7 `\\xZZ` is no escape | {backslash}")),
        ("a: \"\\ud83d\"\n", format!("1:5 `\\ud83d` is no escape | {backslash}")),
        ("a: @foo bar\n", "1:4 unquoted text cannot begin with `@` | quote it: \"@foo\"".to_owned()),
        ("a: %foo\n", "1:4 unquoted text cannot begin with `%` | quote it: \"%foo\"".to_owned()),
        ("a: *\n", "1:4 unquoted text cannot begin with `*` | quote it: \"*\"".to_owned()),
        (
            "a: |x\n  foo\n",
            "1:4 something stands behind the sign that starts a block of text | begin the text on the next line, indented; or quote \
             it if it starts with `|` or `>`"
                .to_owned(),
        ),
    ] {
        check(text, 0, &[&format!("ORCH1001 {said}")]);
    }
}

#[test]
fn brackets() {
    for (text, said) in [
        (
            "a: [1, 2\nb: 3\n",
            "1:4 the `[` that is opened here is not closed properly | add the missing `,` or `]`; quote it if it is text",
        ),
        (
            "a: {x: 1\nb: 3\n",
            "1:4 the `{` that is opened here is not closed properly | add the missing `,` or `}`; quote it if it is text",
        ),
        (
            "a: [\n",
            "1:4 the `[` that is opened here is not closed properly | add the missing `,` or `]`; quote it if it is text",
        ),
        (
            "a: ]\n",
            "1:4 this bracket closes nothing | remove it, or quote the text it belongs to",
        ),
        (
            "a: [x, - y]\n",
            "1:8 `- ` cannot stand within brackets | separate the elements by commas, or quote the text",
        ),
        // JSON says what it wants.
        ("{\"a\": 1 \"b\": 2}", "1:9 expected `,` or `}`, found `\"`"),
        ("{\"a\": 1\n", "1:1 the `{` that is opened here is not closed"),
        ("[\"a\" 1]", "1:6 expected `,` or `]`, found `1`"),
        ("{\"a\" 1}", "1:6 expected `:` after the key `a`, found `1`"),
        (
            "{\"a\": \"x\n\ny\" z}",
            "1:7 the double quote that is opened here is not closed on its line | a line break within a JSON string is written \\n",
        ),
        (
            "{\"ä\": \"\\ud83d\"}",
            "1:8 the escape does not name a character | four hexadecimal digits follow \\u; characters beyond U+FFFF take two such escapes",
        ),
    ] {
        check(text, 0, &[&format!("ORCH1001 {said}")]);
    }
}

#[test]
fn keys() {
    check(
        "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n",
        1,
        &[
            "ORCH1004 4:3 b.c: the key `c` is already given on line 3 | keep one of the two; the first stands at 3:3",
            "ORCH1004 5:1 a: the key `a` is already given on line 1 | keep one of the two; the first stands at 1:1",
        ],
    );
    check(
        "{\"a\": {\"x\": 1}, \"b\": 2,\n \"a\": 3}",
        1,
        &["ORCH1004 2:2 a: the key `a` is already given on line 1 | keep one of the two; the first stands at 1:2"],
    );
    check(
        "1: x\ntrue: y\n~: z\n: w\n",
        1,
        &[
            "ORCH1001 1:1 the key 1 is not text, and keys must be | quote it: \"1\"",
            "ORCH1001 2:1 the key true is not text, and keys must be | quote it: \"true\"",
            "ORCH1001 3:1 a key is missing here | a mapping is written `key: value`",
            "ORCH1001 4:1 a key is missing here | a mapping is written `key: value`",
        ],
    );
    let complex = "a key must be text, not a list or mapping | quote it if it is text; `{{ }}` of a template language must be quoted, too";
    check("a: {{ x }}\nb: 1\n", 1, &[&format!("ORCH1001 1:5 a: {complex}")]);
    check("? [a, b]\n: c\nd: e\n", 1, &[&format!("ORCH1001 1:3 {complex}")]);
}

#[test]
fn anchors_aliases_and_tags() {
    for (text, documents, said) in [
        (
            "a: *x\n",
            0,
            "1:4 there is no anchor `&x` above for the alias `*x` | quote it if it is text: \"*x\"",
        ),
        (
            "a: &a [*a]\n",
            1,
            "1:8 a[0]: the alias stands within the value it stands for | write the value out",
        ),
        (
            "a: &x 1\n---\nb: *x\n",
            2,
            "3:4 b: the alias refers to an anchor of another document | anchors end with their document; write the value out",
        ),
        (
            "a: 1\n<<: x\n",
            1,
            "2:5 only mappings can be merged with `<<` | write `<<: *name` for a mapping that has the anchor `&name`",
        ),
        (
            "a: !foo b\n",
            1,
            "1:4 a: the tag `!foo` means nothing here | remove it; text that starts with `!` must be quoted",
        ),
        (
            "a: !!binary b\n",
            1,
            "1:4 a: the tag `!!binary` means nothing here | remove it; text that starts with `!` must be quoted",
        ),
        (
            "a: !x!y b\n",
            0,
            "1:4 this tag means nothing here | remove it; text that starts with `!` must be quoted",
        ),
    ] {
        check(text, documents, &[&format!("ORCH1001 {said}")]);
    }
}

#[test]
fn numbers_that_cannot_be_kept() {
    check(
        "a: 0123\nb: 18446744073709551616\nc: 0.12345678901234567890\nd: .inf\ne: -9223372036854775809\nf: 1e999\ng: -007\nh: 1e-999\n",
        1,
        &[
            "ORCH1104 1:4 a: the number begins with a zero; some YAML readers take it for octal | write it without the \
             zero, or put it in quotes if it is text",
            "ORCH1104 2:4 b: the number is out of range | put it in quotes if it is text",
            "ORCH1104 3:4 c: the number has more digits than can be kept | put it in quotes if it is text",
            "ORCH1104 4:4 d: that is not a number that can be kept | put it in quotes if it is text",
            "ORCH1104 5:4 e: the number is out of range | put it in quotes if it is text",
            "ORCH1104 6:4 f: the number is out of range | put it in quotes if it is text",
            "ORCH1104 7:4 g: the number begins with a zero; some YAML readers take it for octal | write it without the \
             zero, or put it in quotes if it is text",
            "ORCH1104 8:4 h: the number is out of range | put it in quotes if it is text",
        ],
    );
    check(
        "[18446744073709551616]",
        1,
        &["ORCH1104 1:2 [0]: the number is out of range | put it in quotes if it is text"],
    );
}

#[test]
fn encodings() {
    let utf8 = "save the file as UTF-8";
    for (text, said) in [
        (
            &b"\xff\xfea\0:\0"[..],
            format!("1:1 the text is UTF-16, not UTF-8 | {utf8}"),
        ),
        (b"\xfe\xff\0a\0:", format!("1:1 the text is UTF-16, not UTF-8 | {utf8}")),
        (b"k\0i\0n\0d\0", format!("1:1 the text is UTF-16, not UTF-8 | {utf8}")),
        (
            b"\xff\xfe\0\0a\0\0\0",
            format!("1:1 the text is UTF-32, not UTF-8 | {utf8}"),
        ),
        (
            b"a: 1\nb: \xc3\xa9\xe9\n",
            format!("2:5 the byte 0xE9 is not UTF-8 | {utf8}"),
        ),
        (
            b"a: x\0y\n",
            "1:5 a NUL character | remove it: no value may hold NUL".to_owned(),
        ),
        (
            b"a: \"\\0\"\n",
            "1:4 a: a NUL character, written as an escape | remove it: no value may hold NUL".to_owned(),
        ),
        (
            b"a: 1\r\nb: \x1b[0m\r\n",
            "2:4 the control character U+001B | remove it, or write it in double quotes as \"\\u001b\"".to_owned(),
        ),
        (
            "a: \u{9b}\n".as_bytes(),
            "1:4 the control character U+009B | remove it, or write it in double quotes as \"\\u009b\"".to_owned(),
        ),
        (
            "a: b\n\u{feff}c: d\n".as_bytes(),
            "2:1 a byte order mark stands within the text | remove it".to_owned(),
        ),
    ] {
        let documents = usize::from(said.contains("escape |"));
        check(text, documents, &[&format!("ORCH1002 {said}")]);
    }
    check("\u{feff}a: 1\r\nb: 2\r\n", 1, &[]);
    check("\u{feff}{\"a\": 1}\r\n", 1, &[]);
}

/// A document that is broken hides neither the ones before it nor the ones after it.
#[test]
fn all_problems_of_all_documents_at_once() {
    check(
        "a: b\n---\nc: \"x\n---\nd: e\nd: f\n--- # g\nf: [\n---\nh:i\nj: k\n---\nl: m\n",
        3,
        &[
            "ORCH1001 3:4 the double quote that is opened here is not closed | close it; further lines of a quoted text must be \
             indented more than its key",
            "ORCH1004 6:1 d: the key `d` is already given on line 5 | keep one of the two; the first stands at 5:1",
            "ORCH1001 8:4 the `[` that is opened here is not closed properly | add the missing `,` or `]`; quote it if it is text",
            "ORCH1001 10:2 a space is missing after the `:` | write `h: i`",
        ],
    );
    check(
        "key\n: x\n",
        1,
        &[
            "ORCH1001 2:1 something stands behind the end of the document | put a line `---` between documents; is something indented \
           wrongly above?",
        ],
    );
}
