//! Nobody spends more than is theirs: by hanging up early, by a model that stands in for another, or for somebody else's project.

use serde_json::{Value, json};

use super::{chat, keys, model, post, provider, rows, scripted, streamed};
use crate::e2e::manifest;
use crate::e2e::rights::{machine, token};
use crate::support::daemon::{Home, eventually};
use crate::support::http::{Answer, Request};

fn ask(home: &Home, token: &str, body: &Value) -> Request {
    let request = Request::new(home.address(), "POST", "/v1/chat/completions");
    request.token(token).json(body)
}

fn grant(roles: &[&str], resources: &[&str]) -> Value {
    json!({"roles": roles, "resources": resources})
}

/// What was asked for and used with a token, once it has been asked so often.
fn used(home: &Home, token: &str, requests: u64) -> Value {
    let mut told = Value::Null;
    eventually("what was used is written down", || {
        let sums = home.get("usage?by=token");
        let items = sums["items"].as_array().expect("items");
        told = items
            .iter()
            .find(|item| item["token"] == format!("token/{token}") || item["token"] == token)
            .cloned()
            .unwrap_or_default();
        told["requests"] == requests
    });
    told
}

#[test]
fn who_hangs_up_early_pays_for_what_came() {
    let (home, far) = (Home::new().started(), provider());
    let pricing = json!({"inputPerMillion": 1_000_000, "outputPerMillion": 1_000_000, "currency": "EUR"});
    home.apply(
        &[
            keys(),
            model("gpt", &far, "openai", "chunks.60.slow.20", &json!({"pricing": pricing})),
        ]
        .concat(),
    );
    let hasty = token(
        &home,
        "hasty",
        &json!({"rbac": "owner", "budget": {"cost": 200, "currency": "EUR", "period": "total"}}),
    );
    let mut body = streamed(chat("gpt"));
    body["max_tokens"] = json!(100);
    let mut stream = ask(&home, &hasty, &body).stream();
    assert_eq!(stream.status, 200);
    for _ in 0..40 {
        stream.event().expect("a piece");
    }
    drop(stream);
    let told = used(&home, "hasty", 1);
    assert!(told["outputTokens"].as_u64() >= Some(40), "{told}");
    assert!(told["inputTokens"].as_u64() > Some(0), "{told}");
    // It has paid for some forty pieces, and is left with less than that: the same does not fit a third time.
    let mut told = Vec::new();
    for _ in 0..4 {
        let mut stream = ask(&home, &hasty, &body).stream();
        told.push(stream.status);
        if stream.status == 200 {
            for _ in 0..40 {
                stream.event().expect("a piece");
            }
        }
        drop(stream);
        let row = told.len() as u64;
        if told.last() == Some(&200) {
            used(&home, "hasty", 1 + row);
        }
    }
    assert_eq!(told.last(), Some(&402), "{told:?}");
}

#[test]
fn a_stand_in_is_held_to_its_own_price_and_limits() {
    let (home, far) = (Home::new().started(), provider());
    let dear = json!({"inputPerMillion": 1_000_000, "outputPerMillion": 1_000_000, "currency": "EUR"});
    let few = json!({"requestsPerMinute": 1});
    home.apply(
        &[
            keys(),
            model("dear", &far, "openai", "gpt", &json!({"pricing": dear})),
            model("few", &far, "openai", "gpt", &json!({"limits": few})),
            model("falls", &far, "openai", "status.500", &json!({"fallbacks": ["dear"]})),
            model("limps", &far, "openai", "status.500", &json!({"fallbacks": ["few"]})),
        ]
        .concat(),
    );
    let thrifty = token(
        &home,
        "thrifty",
        &json!({"rbac": "owner", "budget": {"cost": 1, "currency": "EUR", "period": "total"}}),
    );
    let code = |answer: Answer| answer.json()["error"]["code"].clone();
    let refused = ask(&home, &thrifty, &chat("falls")).send().expect(402);
    assert!(
        refused.body.contains("llm/dear may not be asked") && refused.body.contains("token/thrifty"),
        "{}",
        refused.body
    );
    assert_eq!(code(refused), "budget_exceeded");
    // The budget was not touched by what was not asked.
    let mut small = chat("few");
    small["max_tokens"] = json!(10);
    ask(&home, &thrifty, &small).send().expect(200);
    let refused = ask(&home, &thrifty, &chat("limps")).send().expect(429);
    assert!(refused.header("retry-after").is_some(), "{}", refused.body);
    assert_eq!(code(refused), "rate_limit_exceeded");
}

#[test]
fn all_that_may_come_is_held() {
    let home = Home::new().started();
    let script = json!([{"text": "word"}]);
    let long = json!({
        "provider": "scripted", "model": "none", "script": script, "extra": {"max_tokens": 100_000},
    });
    home.apply(&(scripted("demo", &script) + &manifest("Llm", "long", &long)));
    let bounded = token(
        &home,
        "bounded",
        &json!({"rbac": "owner", "budget": {"tokens": 6000, "period": "total"}}),
    );
    let mut many = chat("demo");
    many["max_tokens"] = json!(500);
    ask(&home, &bounded, &many).send().expect(200);
    many["n"] = json!(100);
    ask(&home, &bounded, &many).send().expect(402);
    ask(&home, &bounded, &chat("long")).send().expect(402);
}

#[test]
fn a_project_pays_for_those_who_may_use_it() {
    let home = Home::new().started();
    home.apply(&(scripted("demo", &json!([{"text": "word"}])) + &manifest("Project", "team", &json!({}))));
    let looks = json!([grant(&["view", "run"], &["llms"]), grant(&["view"], &["projects"])]);
    let looker = machine(&home, "looker", &looks, &[]);
    let for_team = |token: &str| ask(&home, token, &chat("demo")).header("X-Orch-Project", "team").send();
    let refused = for_team(&looker).expect(403);
    assert!(refused.body.contains("needs the role `run`"), "{}", refused.body);
    ask(&home, &looker, &chat("demo")).send().expect(200);
    // Who may not even see it is not told that it is there; who may use it may have it pay.
    for_team(&machine(
        &home,
        "stranger",
        &json!([grant(&["view", "run"], &["llms"])]),
        &[],
    ))
    .expect(404);
    let both = json!([grant(&["view", "run"], &["llms", "projects"])]);
    for_team(&machine(&home, "member", &both, &[])).expect(200);
}

#[test]
fn refusals_are_written_down_as_calls_of_models() {
    let home = Home::new().started();
    home.apply(&scripted("demo", &json!([{"text": "word"}])));
    let looker = machine(&home, "looker", &json!([grant(&["view"], &["llms"])]), &[]);
    ask(&home, &looker, &chat("nothing")).send().expect(404);
    ask(&home, &looker, &chat("demo")).send().expect(403);
    ask(&home, &looker, &json!({"messages": []})).send().expect(400);
    post(&home, "/api/v1/llms/gone/infer", &chat("x")).send().expect(404);
    let mut told = Vec::new();
    eventually("all of them are written down", || {
        told = rows(&home);
        told.len() == 4
    });
    let mut about: Vec<_> = told
        .iter()
        .map(|row| {
            (
                row["status"].clone(),
                row["target"]["name"].clone(),
                row["outcome"].clone(),
            )
        })
        .collect();
    // Of what happens in the same moment any may be written down first.
    about.sort_by_key(|(status, name, _)| (status.as_u64(), name.to_string()));
    assert_eq!(
        about,
        [
            (json!(400), Value::Null, json!("failed")),
            (json!(403), json!("demo"), json!("denied")),
            (json!(404), json!("gone"), json!("failed")),
            (json!(404), json!("nothing"), json!("failed")),
        ],
        "{told:?}"
    );
    assert!(told.iter().all(|row| row["verb"] == "chat/completions"), "{told:?}");
}
