//! The double answers as the real one did: every recorded exchange, in order, gives the recorded answer.

use serde_json::{Value, json};

use crate::support::vault::{ROOT, Vault};

/// One exchange with a real server.
pub(super) struct Exchange {
    pub(super) step: String,
    pub(super) method: String,
    pub(super) path: String,
    token: String,
    body: Value,
    pub(super) status: u16,
    pub(super) answer: Value,
}

/// Every exchange that was recorded.
pub(super) fn exchanges() -> Vec<Exchange> {
    let text = include_str!("../fixtures/vault-kv2.jsonl");
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let word = |pointer: &str| {
            line.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Exchange {
            step: word("/step"),
            method: word("/request/method"),
            path: word("/request/path"),
            token: word("/request/token"),
            body: line["request"]["body"].clone(),
            status: u16::try_from(line["response"]["status"].as_u64().expect("a status")).expect("a status"),
            answer: line["response"]["body"].clone(),
        }
    };
    text.lines().map(read).collect()
}

/// The same answer, without what is another each time.
fn plain(value: &Value) -> Value {
    const ANOTHER: [&str; 18] = [
        "request_id",
        "accessor",
        "uuid",
        "created_time",
        "deletion_time",
        "updated_time",
        "server_time_utc",
        "cluster_name",
        "cluster_id",
        "creation_time",
        "expire_time",
        "issue_time",
        "ttl",
        "id",
        "client_token",
        "version_time",
        "token_time",
        "lease_time",
    ];
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let is_empty = value.as_str().is_some_and(str::is_empty);
                let value = if ANOTHER.contains(&name.as_str()) && !is_empty {
                    json!("(another)")
                } else {
                    plain(value)
                };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_double_answers_as_the_real_one_did() {
    let vault = Vault::start();
    let exchanges = exchanges();
    assert_eq!(exchanges.len(), 51);
    let mut minted: Vec<(String, String)> = Vec::new();
    for exchange in exchanges {
        let which = match exchange.step.as_str() {
            "self mint successor" | "use revoked token" => 0,
            _ => 1,
        };
        let token = match (exchange.token.as_str(), exchange.step.as_str()) {
            ("<root>", _) => Some(ROOT),
            (_, "garbage token") => Some("garbage"),
            ("<client>", _) => Some(minted[which].0.as_str()),
            _ => None,
        };
        let mut body = exchange.body.clone();
        if body["accessor"] == "<accessor-1>" {
            body["accessor"] = json!(minted[0].1);
        }
        let (status, answer) = vault.ask(&exchange.method, &exchange.path, token, body);
        assert_eq!(status, exchange.status, "{}: {answer}", exchange.step);
        assert_eq!(plain(&answer), plain(&exchange.answer), "{}", exchange.step);
        if let Some(token) = answer.pointer("/auth/client_token").and_then(Value::as_str) {
            let accessor = answer["auth"]["accessor"].as_str().expect("an accessor");
            minted.push((token.to_owned(), accessor.to_owned()));
        }
    }
}
