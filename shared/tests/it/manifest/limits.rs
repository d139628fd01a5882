//! Inputs that mean harm, or are harmful by mistake: each ends in ORCH1003, soon, and without taking much memory.
//!
//! Nothing here looks at a clock. What would take hours or gigabytes without a limit makes the test run fail by itself.

use orch_shared::manifest::{Limits, Parsed, parse};
use orch_shared::problem::Code;

#[track_caller]
fn check(text: &[u8], limits: &Limits, position: &str, message: &str) -> Parsed {
    let parsed = parse(text, limits);
    let said: Vec<_> = parsed
        .problems
        .iter()
        .map(|problem| (problem.code, problem.position.to_string(), problem.message.as_str()))
        .collect();
    assert_eq!(said, [(Code::ManifestTooLarge, position.to_owned(), message)]);
    parsed
}

#[test]
fn too_many_bytes() {
    check(
        &vec![b' '; 100 << 20],
        &Limits::default(),
        "1:1",
        "the manifest has 104857600 bytes; at most 67108864 are read",
    );
}

#[test]
fn too_many_values() {
    let limits = Limits {
        nodes: 100,
        ..Limits::default()
    };
    let said = "the manifest holds more than 100 values";
    check("- a\n".repeat(200).as_bytes(), &limits, "100:3", said);
    check(format!("[{}1]", "1,".repeat(200)).as_bytes(), &limits, "1:200", said);
    // Documents count together, and those before the limit are there.
    let parsed = check("--- {a: b}\n".repeat(80).as_bytes(), &limits, "51:5", said);
    assert_eq!(parsed.documents.len(), 50);
}

#[test]
fn too_deep() {
    let said = "lists and mappings are nested more than 64 deep";
    let limits = Limits::default();
    for count in [65, 5000] {
        check("[".repeat(count).as_bytes(), &limits, "1:65", said);
        check("{\"a\":".repeat(count).as_bytes(), &limits, "1:321", said);
        check("- ".repeat(count).as_bytes(), &limits, "1:129", said);
        // The scanner itself counts no further than 255.
        let at = if count < 256 { "1:67" } else { "1:259" };
        check(
            format!("a: {}1{}", "[".repeat(count), "]".repeat(count)).as_bytes(),
            &limits,
            at,
            said,
        );
        check("? ".repeat(count).as_bytes(), &limits, "1:129", said);
    }
    let deepest = format!("{}1{}", "[".repeat(64), "]".repeat(64));
    assert_eq!(parse(deepest.as_bytes(), &limits).problems, []);
    // An alias brings the depth of what it stands for.
    let mut chain = String::from("a0: &a0 [x]\n");
    for n in 1..100 {
        chain.push_str(&format!("a{n}: &a{n} [[[[[[[[[*a{}]]]]]]]]]\n", n - 1));
    }
    check(chain.as_bytes(), &limits, "8:18", said);
}

/// The scanner holds back what stands in brackets until they are closed: text of megabytes must not become gigabytes.
#[test]
fn brackets_without_end() {
    let said = "a collection in brackets is longer than can be read";
    let open = "[".repeat(60);
    for text in [
        format!("- [{}", "1,".repeat(2 << 20)),
        format!("[x,{}", "\"]\",".repeat(1 << 20)),
        format!("\"a\"\n[{}", "\"\",".repeat(1 << 20)),
        format!("&a !b {open}{}", "x: ".repeat(1 << 20)),
        format!("? {{{}", "? ".repeat(2 << 20)),
    ] {
        check_last(&text, said);
    }
    check_last(
        &format!("a: {}", "[".repeat(4 << 20)),
        "lists and mappings are nested more than 64 deep",
    );
    // Text may have as many brackets as it likes, and JSON as many elements.
    let brackets = "[{".repeat((1 << 19) + 1);
    for text in [
        format!("a: \"{brackets}\"\nb: '{brackets}'\nc: x{brackets}\nd: |\n  {brackets}\n# {brackets}\n"),
        format!("[{}1]", "1,".repeat(1 << 19)),
    ] {
        let parsed = parse(text.as_bytes(), &Limits::default());
        assert_eq!((parsed.problems.len(), parsed.documents.len()), (0, 1));
    }
}

#[track_caller]
fn check_last(text: &str, said: &str) {
    let parsed = parse(text.as_bytes(), &Limits::default());
    let problem = parsed.problems.last().expect("there is a limit");
    let told = (problem.code, problem.message.as_str());
    assert_eq!(told, (Code::ManifestTooLarge, said), "{}", &text[..20]);
}

#[test]
fn a_billion_laughs() {
    let mut text = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for n in 1..20 {
        let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
        text.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
    }
    check(
        text.as_bytes(),
        &Limits::default(),
        "5:5",
        "anchors and aliases repeat more than 200000 values",
    );
    let merged = text.replace(": &a0 [", ": &a0 {x: [").replacen("]\n", "]}\n", 1);
    assert!(!parse(merged.as_bytes(), &Limits::default()).problems.is_empty());
}

#[test]
fn long_text_repeated() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 1000].join(", "));
    check(
        text.as_bytes(),
        &Limits::default(),
        "2:257",
        "anchors and aliases repeat more than 67108864 bytes",
    );
}

#[test]
fn anchors_within_anchors() {
    let open: String = (0..60).map(|n| format!("&a{n} [")).collect();
    let text = format!("{open}{}{}", "x, ".repeat(60_000), "]".repeat(60));
    let parsed = parse(text.as_bytes(), &Limits::default());
    assert_eq!(
        parsed.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        [Code::ManifestTooLarge]
    );
}

#[test]
fn problems_without_end() {
    let parsed = parse("a: 1\n".repeat(100_000).as_bytes(), &Limits::default());
    assert_eq!(parsed.problems.len(), 1000);
    let parsed = parse("--- \"\n".repeat(100_000).as_bytes(), &Limits::default());
    assert_eq!(parsed.problems.len(), 1000);
}
