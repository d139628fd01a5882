//! What was asked of models is told to whoever asked, and to those who may see everybody's.

use std::sync::Arc;

use orch_daemon::clock::{Clock, RandomIds, SystemClock};
use orch_daemon::store::{Database, Options, Store};
use orch_daemon::usage::Ledger;
use orch_shared::money::Money;
use orch_shared::usage::{Inference, Tokens};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{machine, token, with};
use crate::e2e::manifest;
use crate::support::daemon::{Home, on_each_database};

on_each_database!(
    use_is_told_to_those_whose_it_is,
    a_token_knows_of_what_was_asked_with_it
);

/// Writes calls down in the way a daemon does it, while none runs there.
fn record(home: &Home, calls: &[[&str; 3]]) {
    let database = match home.database_url() {
        Some(url) => Database::Postgres(url.to_owned()),
        None => Database::Sqlite(home.path("data")),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let options = Options::new(Arc::clone(&clock), Arc::new(RandomIds::new(Arc::clone(&clock))));
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (store, engine) = Store::open(database, options).await.expect("the store opens");
        let stop = CancellationToken::new();
        let engine = tokio::spawn(engine.run(stop.clone()));
        let (ledger, _writing) = Ledger::open(store, stop.clone());
        for made in calls {
            ledger.settle(call(clock.as_ref(), *made), None).await;
        }
        stop.cancel();
        engine.await.expect("the store closes");
    });
}

/// A call of somebody, with a token if one is named, for a project.
fn call(clock: &dyn Clock, [principal, token, project]: [&str; 3]) -> Inference {
    Inference {
        at: clock.now(),
        principal: principal.to_owned(),
        token: (!token.is_empty()).then(|| token.to_owned()),
        project: Some(project.to_owned()),
        agent: None,
        thread: None,
        llm: "fast".to_owned(),
        provider: "scripted".to_owned(),
        model: "demo".to_owned(),
        request_id: None,
        tokens: Tokens {
            input: 1200,
            cached: 0,
            output: 34,
        },
        cost: Some(Money::of_units(0.25, "USD")),
        latency_us: 1500,
        first_token_us: None,
        status: 200,
        streamed: false,
    }
}

fn use_is_told_to_those_whose_it_is(home: Home) {
    let mut home = home.started();
    let clerk = machine(&home, "clerk", &json!([]), &[]);
    let bookkeeper = machine(&home, "bookkeeper", &json!([]), &["usage"]);
    home.stop();
    let of_clerk = ["serviceaccount/clerk", "clerk", "web"];
    record(&home, &[["admin", "", "web"], of_clerk, of_clerk]);
    home.start();

    let admin = home.token();
    let ask = |token: &str, query: &str| with(&home, "GET", &format!("/api/v1/usage?{query}"), token).send();
    let told = |token: &str, query: &str| -> Vec<String> {
        let answer = ask(token, query).expect(200).json();
        let line = |group: &Value| format!("{} {}", group["user"].as_str().unwrap_or("-"), group["requests"]);
        let groups = answer["items"].as_array().expect("items").iter().map(line);
        groups
            .chain([format!("{} in all", answer["total"]["requests"])])
            .collect()
    };
    let everybody = ["serviceaccount/clerk 2", "admin 1", "3 in all"];
    let own = ["serviceaccount/clerk 2", "2 in all"];
    for (who, token, query, expected) in [
        ("admin", &admin, "by=user", &everybody[..]),
        ("bookkeeper", &bookkeeper, "by=user", &everybody),
        ("admin", &admin, "by=user&user=serviceaccount/clerk", &own),
        (
            "admin",
            &admin,
            "by=user&limit=1",
            &["serviceaccount/clerk 2", "3 in all"],
        ),
        ("admin", &admin, "by=user&project=other", &["0 in all"]),
        ("clerk", &clerk, "by=user", &own),
        ("clerk", &clerk, "by=user&user=serviceaccount/clerk", &own),
        ("clerk", &clerk, "", &["2 in all"]),
    ] {
        assert_eq!(told(token, query), expected, "{who} {query}");
    }
    for (who, token, query, status) in [
        ("clerk", &clerk, "user=admin", 403),
        ("clerk", &clerk, "user=nobody", 403),
        ("clerk", &clerk, "by=modle", 400),
        ("admin", &admin, "from=soon", 400),
        ("admin", &admin, "sum=all", 400),
    ] {
        let answer = ask(token, query);
        assert_eq!(answer.status, status, "{who} {query}: {answer:?}");
    }
    home.orchctl(&["usage", "--by", "user", "--from", "1h"])
        .expect(0)
        .saying(&["serviceaccount/clerk          2", "0.7500 USD"]);
    // One who is made anew under the name is somebody else.
    home.orchctl(&["delete", "token/clerk", "serviceaccount/clerk"])
        .expect(0);
    let later = machine(&home, "clerk", &json!([]), &[]);
    assert_eq!(told(&later, ""), ["0 in all"]);
    assert_eq!(told(&admin, "by=user&user=serviceaccount/clerk"), own);
}

fn a_token_knows_of_what_was_asked_with_it(home: Home) {
    let mut home = home.started();
    home.apply(
        &["web", "ops"]
            .map(|name| manifest("Project", name, &json!({})))
            .concat(),
    );
    let first = machine(&home, "clerk", &json!([]), &[]);
    let own = json!({"serviceAccount": "clerk", "rbac": "owner"});
    let second = token(&home, "second", &own);
    let mut confined = own.clone();
    confined["projects"] = json!([{"name": "web"}]);
    let confined = token(&home, "confined", &confined);
    let actor = machine(&home, "actor", &json!([]), &["impersonate"]);
    home.stop();
    let by = |token, project| ["serviceaccount/clerk", token, project];
    record(
        &home,
        &[
            by("clerk", "web"),
            by("second", "web"),
            by("second", "ops"),
            by("confined", "web"),
            // Another one of that name, before.
            by("confined", "ops"),
            by("confined", "ops"),
        ],
    );
    home.start();
    let ask = |token: &str, query: &str| with(&home, "GET", &format!("/api/v1/usage?{query}"), token);
    for (who, token, query, requests) in [
        ("clerk", &first, "", 1),
        ("clerk", &first, "user=serviceaccount/clerk", 1),
        ("clerk", &first, "token=clerk", 1),
        ("second", &second, "by=project", 2),
        ("second", &second, "project=ops", 1),
        ("confined", &confined, "by=project", 1),
        ("confined", &confined, "project=ops", 0),
    ] {
        let told = ask(token, query).send().expect(200).json();
        assert_eq!(
            told["total"]["requests"].as_i64().unwrap_or(0),
            requests,
            "{who} {query}: {told}"
        );
        assert!(!told.to_string().contains("ops") || who == "second", "{who}: {told}");
    }
    ask(&first, "token=second").send().expect(403);
    // Nor does whoever asks in the place of somebody, without the operation.
    for query in ["", "user=serviceaccount/clerk", "by=token"] {
        let request = ask(&actor, query).header("Orch-Impersonate", "serviceaccount/clerk");
        request.send().expect(403);
    }
}
