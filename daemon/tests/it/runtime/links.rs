//! Conversations over pipes, with a server that says exactly what the test wants it to say.

use std::time::Duration;

use orch_daemon::runtime::launch::Era;
use orch_daemon::runtime::link::{Call, Error, Exchange, Frame, News, Purpose};
use orch_daemon::runtime::log::Which;
use orch_daemon::runtime::observation::State;
use orch_shared::jsonrpc::{Outcome, Raw, raw};
use serde_json::{Value, json};

use super::double::{Piped, answer, id_of, shown, soon};
use super::house::{House, call, eventually, tool};

/// The next frame, as text.
async fn next(exchange: &mut Exchange) -> String {
    shown(&soon("a frame", exchange.next()).await.expect("a frame"))
}

fn text(raw: &str) -> Raw {
    serde_json::from_str(raw).expect("JSON")
}

#[tokio::test]
async fn what_is_not_known_passes_byte_for_byte() {
    let house = House::new();
    for (era, own) in [
        (Era::Legacy, ""),
        (
            Era::Modern,
            r#","io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"0"},"io.modelcontextprotocol/clientCapabilities":{"sampling":{},"elicitation":{"form":{}}}"#,
        ),
    ] {
        let mut server = Piped::start(&house, era, &json!({})).await;
        let mut odd = call("x/unknown", &json!(null));
        odd.params = Some(text(
            r#"{"z":1.0,"a":[ 1 ,2],"big":123456789012345678901234567890,"_meta":{"traceparent":"00-1","io.modelcontextprotocol/clientInfo":{"name":"forged"}}}"#,
        ));
        let mut exchange = server.link.request(odd).await.expect("under way");
        let sent = server.heard().await;
        let id = id_of(&sent);
        let params = format!(
            r#"{{"z":1.0,"a":[ 1 ,2],"big":123456789012345678901234567890,"_meta":{{"traceparent":"00-1"{own}}}}}"#
        );
        assert_eq!(
            sent,
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"x/unknown","params":{params}}}"#)
        );
        server
            .say(&[
                r#"{"jsonrpc":"2.0","method":"notifications/x/odd","params":{"b": 1.50,"a":{ }}}"#.to_owned(),
                format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"result":{{"_meta":{{"x":1e2}},"content":[ ],"n":0.10}},"more":1}}"#
                ),
            ])
            .await;
        assert_eq!(next(&mut exchange).await, r#"notifications/x/odd {"b": 1.50,"a":{ }}"#);
        assert_eq!(
            next(&mut exchange).await,
            r#"result {"_meta":{"x":1e2},"content":[ ],"n":0.10}"#
        );
        assert!(
            matches!(exchange.next().await, Err(Error::Closed(_))),
            "nothing follows the answer"
        );

        let exchange = server
            .link
            .request(call("x/other", &json!({})))
            .await
            .expect("under way");
        let id = id_of(&server.heard().await);
        let error = r#"{"code":-32000,"message":"no","data":{"z":[ ]},"extra":true}"#;
        server
            .say(&[format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)])
            .await;
        match soon("an answer", exchange.outcome()).await.expect("an answer") {
            Outcome::Error(told) => assert_eq!(told.get(), error),
            Outcome::Result(result) => panic!("{result}"),
        }
        let params = text(r#"{"q":1.0}"#);
        server
            .link
            .notify("notifications/x/ours", Some(&params))
            .await
            .expect("told");
        assert_eq!(
            server.heard().await,
            r#"{"jsonrpc":"2.0","method":"notifications/x/ours","params":{"q":1.0}}"#
        );
    }
}

/// An error that names no request answers the only one there is; of several it answers none.
#[tokio::test]
async fn an_error_that_names_no_request_answers_the_only_one() {
    let house = House::new();
    let refusal = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"cannot read that"}}"#.to_owned();
    for (era, capabilities) in [
        (Era::Legacy, json!({})),
        // What listens for changes waits for no answer.
        (Era::Modern, json!({"prompts": {"listChanged": true}})),
    ] {
        let mut server = Piped::start(&house, era, &capabilities).await;
        let mut before = Vec::new();
        let _news = server.link.listen();
        if era == Era::Modern {
            let id = id_of(&server.heard().await);
            let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
            let params = json!({"_meta": meta, "notifications": {"promptsListChanged": true}});
            let method = "notifications/subscriptions/acknowledged";
            before.push(json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string());
        }
        let first = server.link.request(call("x/first", &json!({}))).await.expect("sent");
        server.heard().await;
        before.push(refusal.clone());
        server.say(&before).await;
        let outcome = soon("the refusal", first.outcome()).await.expect("an answer");
        assert_eq!(outcome.code(), Some(-32700), "{era:?}");

        let mut calls = Vec::new();
        for method in ["x/second", "x/third"] {
            let exchange = server.link.request(call(method, &json!({}))).await.expect("sent");
            calls.push((exchange, id_of(&server.heard().await)));
        }
        // A result that names no request is nobody's in any case.
        let odd = r#"{"jsonrpc":"2.0","id":null,"result":{}}"#.to_owned();
        let mut lines = vec![refusal.clone(), odd];
        lines.extend(calls.iter().map(|(_, id)| answer(id, &json!({"of": id}))));
        server.say(&lines).await;
        for (mut exchange, id) in calls {
            assert_eq!(next(&mut exchange).await, format!(r#"result {{"of":{id}}}"#), "{era:?}");
        }
        // It may be about what was given up, too.
        drop(server.link.request(call("x/fourth", &json!({}))).await.expect("sent"));
        let last = server.link.request(call("x/last", &json!({}))).await.expect("sent");
        let mut lines = vec![refusal.clone()];
        loop {
            let heard = server.heard().await;
            if heard.contains("x/last") {
                lines.push(answer(&id_of(&heard), &json!({})));
                break;
            }
        }
        server.say(&lines).await;
        let outcome = soon("the answer", last.outcome()).await.expect("an answer");
        assert_eq!(outcome.code(), None, "{era:?}");
    }
}

#[tokio::test]
async fn what_belongs_together_keeps_its_order() {
    let house = House::new();
    let mut server = Piped::start(&house, Era::Legacy, &json!({})).await;
    let mut calls = Vec::new();
    for token in [json!("mine"), json!(7)] {
        let params = json!({"name": "slow", "_meta": {"progressToken": token}});
        let exchange = server
            .link
            .request(call("tools/call", &params))
            .await
            .expect("under way");
        let sent: Value = serde_json::from_str(&server.heard().await).expect("JSON");
        let exchanged = sent["params"]["_meta"]["progressToken"].clone();
        assert_ne!(exchanged, token, "tokens are of one's own");
        calls.push((exchange, token, sent["id"].clone(), exchanged));
    }
    assert_eq!(server.link.in_flight(), 2);
    // All in one write, the calls in turns.
    let progress = |number: u32, token: &Value| {
        let params = json!({"progressToken": token, "progress": number, "x": null});
        json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}).to_string()
    };
    let mut lines = Vec::new();
    for number in 0..50 {
        lines.extend(calls.iter().map(|(_, _, _, exchanged)| progress(number, exchanged)));
    }
    lines.extend(calls.iter().map(|(_, _, id, _)| answer(id, &json!({"of": id}))));
    lines.extend(calls.iter().map(|(_, _, _, exchanged)| progress(99, exchanged)));
    server.say(&lines).await;
    for (mut exchange, token, id, _) in calls {
        for number in 0..50 {
            let expected = json!({"progressToken": token, "progress": number, "x": null});
            assert_eq!(next(&mut exchange).await, format!("notifications/progress {expected}"));
        }
        assert_eq!(next(&mut exchange).await, format!(r#"result {{"of":{id}}}"#));
    }
    assert_eq!(server.link.in_flight(), 0);
}

#[tokio::test]
async fn whoever_waits_no_more_says_so() {
    let house = House::new();
    let mut server = Piped::start(&house, Era::Legacy, &json!({})).await;
    let abandoned = server.link.request(tool("slow", json!({}))).await.expect("under way");
    let id = id_of(&server.heard().await);
    drop(abandoned);
    let told: Value = serde_json::from_str(&server.heard().await).expect("JSON");
    assert_eq!(told["method"], "notifications/cancelled");
    assert_eq!(told["params"]["requestId"], id);
    assert_eq!(server.link.in_flight(), 0);

    // The server may still work at it. What it asks now may be about either, and both are of one principal; to another one it
    // is not told.
    let question = r#"{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":{}}"#;
    let of_another = Call {
        purpose: Purpose::Relay("another".into()),
        ..tool("theirs", json!({}))
    };
    let theirs = server.link.request(of_another).await.expect("under way");
    let their_id = id_of(&server.heard().await);
    server.say(&[question.to_owned()]).await;
    assert!(server.heard().await.contains("sessions: isolated"));
    server.say(&[answer(&their_id, &json!({}))]).await;
    assert!(soon("an answer", theirs.outcome()).await.is_ok());

    let mut server = Piped::start(&house, Era::Legacy, &json!({})).await;
    drop(server.link.request(tool("slow", json!({}))).await.expect("under way"));
    server.heard().await;
    server.heard().await;
    let mut exchange = server.link.request(tool("other", json!({}))).await.expect("under way");
    let other = id_of(&server.heard().await);
    server.say(&[question.to_owned()]).await;
    assert_eq!(next(&mut exchange).await, "ask sampling/createMessage {}");
    server.say(&[answer(&other, &json!({}))]).await;
    // The question was dropped with the frame, and so refused.
    let refused: Value = serde_json::from_str(&server.heard().await).expect("JSON");
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&json!("q"), &json!(-32603))
    );
}

#[tokio::test]
async fn a_question_reaches_whom_it_certainly_concerns() {
    let house = House::new();
    let mut server = Piped::start(&house, Era::Legacy, &json!({"tools": {}})).await;
    let ask = |id: &str| {
        let params = json!({"message": "sure?", "x": 1.5});
        json!({"jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": params}).to_string()
    };
    // Nobody has asked anything.
    server
        .say(&[ask("a"), r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#.to_owned()])
        .await;
    assert!(server.heard().await.contains("sessions: isolated"));
    assert_eq!(server.heard().await, r#"{"jsonrpc":"2.0","id":"p","result":{}}"#);

    // One has; what the daemon asks for itself does not count.
    let checking = house.runtime.clone();
    let uid = server.uid.clone();
    let check = tokio::spawn(async move { checking.check(&uid, Duration::from_secs(60)).await });
    let list = id_of(&server.heard().await);
    let mut first = server.link.request(tool("one", json!({}))).await.expect("under way");
    let id = id_of(&server.heard().await);
    server.say(&[ask("b")]).await;
    match soon("a question", first.next()).await.expect("a question") {
        Frame::Ask(ask) => {
            assert_eq!(
                (ask.method.as_str(), ask.id().as_json()),
                ("elicitation/create", r#""b""#)
            );
            assert_eq!(
                ask.params.as_ref().map(|params| params.get()),
                Some(r#"{"message":"sure?","x":1.5}"#)
            );
            let given = Outcome::Result(text(r#"{"action":"accept", "y": 1.0}"#));
            ask.answer(given).await.expect("answered");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        server.heard().await,
        r#"{"jsonrpc":"2.0","id":"b","result":{"action":"accept", "y": 1.0}}"#
    );

    // The server takes one back: whoever has it is told by the same id.
    let back = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"c"}}"#;
    server.say(&[ask("c"), back.to_owned()]).await;
    let held = match soon("a question", first.next()).await.expect("a question") {
        Frame::Ask(ask) => ask,
        other => panic!("{other:?}"),
    };
    assert_eq!(next(&mut first).await, r#"notifications/cancelled {"requestId":"c"}"#);
    held.answer(Outcome::Result(raw(&1))).await.expect("nothing to say");

    // Two have.
    let second = server.link.request(tool("two", json!({}))).await.expect("under way");
    let other = id_of(&server.heard().await);
    server.say(&[ask("d")]).await;
    let refused: Value = serde_json::from_str(&server.heard().await).expect("JSON");
    assert_eq!(refused["id"], "d", "the one taken back is not answered: {refused}");
    assert!(
        refused["error"]["data"]["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("sessions: isolated"))
    );
    server
        .say(&[
            answer(&id, &json!({})),
            answer(&other, &json!({})),
            answer(&list, &json!({"tools": []})),
        ])
        .await;
    assert_eq!(next(&mut first).await, "result {}");
    assert!(soon("an answer", second.outcome()).await.is_ok());
    assert_eq!(soon("the check", check).await.expect("not panicked"), Some(Ok(())));
}

#[tokio::test]
async fn what_belongs_to_no_call_is_news() {
    let house = House::new();
    let mut server = Piped::start(&house, Era::Legacy, &json!({})).await;
    let mut news = server.link.listen();
    let said = |method: &str, params: &str| format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#);
    server
        .say(&[
            said("notifications/prompts/list_changed", "{ }"),
            said("notifications/resources/updated", r#"{"uri":"x://a"}"#),
            said("notifications/message", r#"{"level":"info","data":1.0}"#),
        ])
        .await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(match soon("news", news.recv()).await.expect("news") {
            News::ListChanged(kind, _) => format!("changed {kind}"),
            News::ResourceUpdated(uri, _) => format!("updated {uri}"),
            News::Other(other) => format!("{} {}", other.method, other.params.expect("parameters")),
        });
    }
    let expected = [
        "changed prompts",
        "updated x://a",
        r#"notifications/message {"level":"info","data":1.0}"#,
    ];
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn a_modern_server_tells_of_changes_when_asked_to() {
    let house = House::new();
    let capabilities = json!({"tools": {"listChanged": true}, "resources": {}});
    let mut server = Piped::start(&house, Era::Modern, &capabilities).await;
    let asked: Value = serde_json::from_str(&server.heard().await).expect("JSON");
    assert_eq!(asked["method"], "subscriptions/listen");
    assert_eq!(asked["params"]["notifications"], json!({"toolsListChanged": true}));
    let meta = json!({"io.modelcontextprotocol/subscriptionId": asked["id"]});
    let said = |method: &str| json!({"jsonrpc": "2.0", "method": method, "params": {"_meta": meta}}).to_string();
    server
        .say(&[
            said("notifications/subscriptions/acknowledged"),
            said("notifications/tools/list_changed"),
        ])
        .await;
    let list = server.heard().await;
    assert!(list.contains("tools/list"), "{list}");
    server
        .say(&[answer(&id_of(&list), &json!({"tools": [{"name": "new"}]}))])
        .await;
    let grown = |state: &State| matches!(state, State::Running(answer) if answer.tools.as_ref().is_some_and(|tools| tools.count == 1));
    house.until(&server.uid, |seen| grown(&seen.state)).await;
}

#[tokio::test]
async fn a_slow_reader_holds_up_nobody() {
    let house = House::new();
    let mut server = Piped::start(&house, Era::Legacy, &json!({})).await;
    let params = json!({"_meta": {"progressToken": 1}});
    let mut slow = server
        .link
        .request(call("tools/call", &params))
        .await
        .expect("under way");
    let id = id_of(&server.heard().await);
    // Much progress: the newest of it is kept, and the answer.
    let progress = |number: u32| {
        let params = json!({"progressToken": id, "progress": number});
        json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}).to_string()
    };
    let lines: Vec<_> = (1..=5000).map(progress).chain([answer(&id, &json!({}))]).collect();
    server.say(&lines).await;
    // Another that is asked later is answered: all that was said before it was taken.
    let other = server.link.request(tool("other", json!({}))).await.expect("under way");
    let other_id = id_of(&server.heard().await);
    server.say(&[answer(&other_id, &json!({}))]).await;
    assert!(soon("an answer", other.outcome()).await.is_ok());
    let mut frames = Vec::new();
    loop {
        let frame = next(&mut slow).await;
        let done = frame.starts_with("result");
        frames.push(frame);
        if done {
            break;
        }
    }
    assert!(frames.len() < 1000, "{} frames", frames.len());
    assert!(
        frames[frames.len() - 2].contains(r#""progress":5000"#),
        "{:?}",
        frames[frames.len() - 2]
    );

    // Much that cannot be left out: the call is given up, and the server told.
    let slow = server.link.request(tool("much", json!({}))).await.expect("under way");
    let id = id_of(&server.heard().await);
    let large = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "x".repeat(1 << 20)}});
    let large = large.to_string();
    for _ in 0..70 {
        server.say(std::slice::from_ref(&large)).await;
    }
    let told: Value = serde_json::from_str(&server.heard().await).expect("JSON");
    assert_eq!(
        (&told["method"], &told["params"]["requestId"]),
        (&json!("notifications/cancelled"), &id)
    );
    assert_eq!(soon("an end", slow.outcome()).await.map(|_| ()), Err(Error::Overrun));
    assert!(server.link.is_open());
}

#[tokio::test]
async fn what_is_too_long_ends_its_call_alone() {
    let house = House::new();
    let mut server = Piped::start(&house, Era::Legacy, &json!({})).await;
    let long = server.link.request(tool("long", json!({}))).await.expect("under way");
    let long_id = id_of(&server.heard().await);
    let other = server.link.request(tool("other", json!({}))).await.expect("under way");
    let other_id = id_of(&server.heard().await);
    // As long as is taken, and longer.
    let padding = "x".repeat((16 << 20) - 64);
    server
        .say(&[
            answer(&long_id, &json!({"text": "x".repeat(17 << 20)})),
            answer(&other_id, &json!({"t": padding})),
        ])
        .await;
    let error = soon("an end", long.outcome()).await.expect_err("too long");
    assert_eq!(error, Error::Garbled("it is longer than 16 MiB".to_owned()));
    match soon("an answer", other.outcome()).await.expect("an answer") {
        Outcome::Result(result) => assert_eq!(result.get().len(), padding.len() + r#"{"t":""}"#.len()),
        Outcome::Error(error) => panic!("{error}"),
    }
    // One that is nobody's answer is in the log, and the server goes on.
    let nobodys = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/x","params":"{}"}}"#,
        "y".repeat(17 << 20)
    );
    server.say(&[nobodys, "just a banner".to_owned()]).await;
    let again = server.link.request(tool("again", json!({}))).await.expect("under way");
    let id = id_of(&server.heard().await);
    server.say(&[answer(&id, &json!({}))]).await;
    assert!(soon("an answer", again.outcome()).await.is_ok());
    let texts = house.texts(&server.uid, Which::Current).await;
    assert_eq!(texts.last().map(String::as_str), Some("just a banner"));
}

#[tokio::test]
async fn the_end_of_a_server_is_the_end_of_its_calls() {
    let house = House::new();
    let mut server = Piped::start(&house, Era::Legacy, &json!({})).await;
    let mut asked = server.link.request(tool("one", json!({}))).await.expect("under way");
    server.heard().await;
    server
        .say(&[r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"last words"}}"#.to_owned()])
        .await;
    assert!(next(&mut asked).await.contains("last words"));
    let (uid, link) = server.end();
    assert!(matches!(soon("an end", asked.outcome()).await, Err(Error::Closed(_))));
    soon("the end of the conversation", link.closed()).await;
    assert!(!link.is_open());
    // Nothing of a later one is sent: it may go elsewhere.
    assert!(matches!(
        link.request(tool("late", json!({}))).await,
        Err(Error::Unsent(_))
    ));
    house.until_over(&uid).await;
    assert!(house.runtime.link(&uid).is_none());

    // A stop is an end too, and whoever watches sees it.
    let mut server = Piped::start(&house, Era::Legacy, &json!({})).await;
    let asked = server.link.request(tool("one", json!({}))).await.expect("under way");
    server.heard().await;
    let mut watch = house.runtime.watch(&server.uid).expect("known");
    house.runtime.stop(&server.uid, Duration::from_secs(5)).await;
    assert!(matches!(soon("an end", asked.outcome()).await, Err(Error::Closed(_))));
    assert!(
        soon("the end", watch.wait_for(|seen| seen.state.is_over()))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_server_that_hangs_fails_its_check_and_nothing_else() {
    let house = House::new();
    let server = Piped::start(&house, Era::Legacy, &json!({"tools": {}})).await;
    let failure = house.runtime.check(&server.uid, Duration::from_millis(300)).await;
    let failure = failure.expect("it runs").expect_err("no answer");
    assert!(
        failure.to_string().contains("did not list its tools within 0.3 s"),
        "{failure}"
    );
    assert!(server.link.is_open());
    let shared = house.runtime.link(&server.uid).expect("a conversation");
    assert!(shared.is(&server.link));
    eventually("the daemon's own calls are not counted", || shared.in_flight() == 0).await;
}
