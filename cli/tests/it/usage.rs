//! `usage`: what was asked of models, as people and as programs read it.

use crate::support::daemon::{Answer, Daemon};
use crate::support::home::{Home, story};
use serde_json::{Value, json};

fn sums(requests: i64, more: Value) -> Value {
    let mut sums = json!({
        "requests": requests, "failed": 1, "inputTokens": requests * 1500, "cachedTokens": requests * 500,
        "outputTokens": requests * 90, "cost": [{"nanos": requests * 4_500_000, "currency": "USD"}],
        "latency": {"p50Us": 820_000, "p95Us": 4_100_000, "maxUs": 61_000_000},
    });
    let members = sums.as_object_mut().expect("a mapping");
    members.extend(more.as_object().expect("a mapping").clone());
    sums
}

fn answer() -> Value {
    json!({
        "by": ["user", "llm"],
        "items": [
            sums(1200, json!({"user": "anna", "llm": "heavy"})),
            sums(34, json!({"user": "serviceaccount/ci", "llm": "fast", "cost": [
                {"nanos": 20_000, "currency": "EUR"}, {"nanos": 1_000_000_000, "currency": "USD"},
            ]})),
            {"user": "bert", "requests": 1, "failed": 1, "inputTokens": 0, "cachedTokens": 0, "outputTokens": 0},
        ],
        "total": sums(1235, json!({})),
        "leftOut": 0,
    })
}

fn asked(arguments: &[&str], answer: &Value) -> (crate::support::home::Transcript, Vec<String>) {
    let daemon = Daemon::playing([Answer::json(200, answer)]);
    let run = Home::with_daemon(&daemon.address).run(&[&["usage"], arguments].concat());
    (run, daemon.lines())
}

#[test]
fn use_is_shown_with_a_line_for_all() {
    let nothing = json!({"by": ["user", "llm"], "items": [], "leftOut": 0,
        "total": {"requests": 0, "failed": 0, "inputTokens": 0, "cachedTokens": 0, "outputTokens": 0}});
    let mut own = answer();
    own["user"] = "anna".into();
    own["leftOut"] = 7.into();
    insta::assert_snapshot!(story([
        asked(&[], &answer()).0,
        asked(&["-o", "wide", "--no-headers"], &answer()).0,
        asked(&["--limit", "3"], &own).0,
        asked(&["-o", "yaml"], &own).0,
        asked(&["--llm", "none"], &nothing).0,
    ]));
    let (run, _) = asked(&["-o", "json"], &answer());
    assert_eq!(
        serde_json::from_str::<Value>(&run.stdout).expect("JSON"),
        answer(),
        "{run}"
    );
}

#[test]
fn what_is_asked_for_reaches_the_daemon() {
    for (arguments, expected) in [
        (&[][..], "by=user%2Cllm&from=30d&limit=1000"),
        (
            &[
                "--by",
                "day",
                "--by",
                "token,agent",
                "--from",
                "2026-11-01",
                "--to",
                "1h",
            ],
            "by=day%2Ctoken%2Cagent&from=2026-11-01T00%3A00%3A00.000Z&to=1h&limit=1000",
        ),
        (
            &[
                "--user",
                "serviceaccount/ci",
                "--token",
                "web/ci",
                "-p",
                "web",
                "--llm",
                "fast",
                "--agent",
                "x",
                "--limit",
                "5",
            ],
            "by=user%2Cllm&user=serviceaccount%2Fci&token=web%2Fci&project=web&llm=fast&agent=x&from=30d&limit=5",
        ),
    ] {
        let (run, lines) = asked(arguments, &answer());
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(lines, [format!("GET /api/v1/usage?{expected}")]);
    }
    for wrong in [&["--by", "modle"][..], &["--from", "soon"], &["--limit", "0"]] {
        let run = Home::with_daemon("http://127.0.0.1:1").run(&[&["usage"], wrong].concat());
        assert_eq!(run.code, 2, "{run}");
    }
}
