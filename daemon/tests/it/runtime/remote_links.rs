//! Conversations over HTTP, with servers that answer exactly as the test wants them to.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orch_daemon::runtime::launch::{Era, RemoteTransport};
use orch_daemon::runtime::link::{Error, Exchange, Frame, Link, News, Opening};
use orch_daemon::runtime::observation::{Answer, State};
use orch_shared::jsonrpc::{Outcome, raw};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::double::{Double, Reply, Script, answer, event, legacy, modern, shown, soon};
use super::house::{House, call, client, eventually, tool};

pub(super) const HTTP: RemoteTransport = RemoteTransport::StreamableHttp;

/// The next frame, as text.
pub(super) async fn next(exchange: &mut Exchange) -> String {
    shown(&soon("a frame", exchange.next()).await.expect("a frame"))
}

/// The result of a tool.
pub(super) async fn result(link: &Link, name: &str) -> Result<String, Error> {
    let exchange = link.request(tool(name, json!({}))).await?;
    match soon("an answer", exchange.outcome()).await? {
        Outcome::Result(result) => Ok(result.get().to_owned()),
        Outcome::Error(error) => Ok(format!("error {error}")),
    }
}

pub(super) async fn shared(house: &House, uid: &str) -> Link {
    house.until_running(uid).await;
    house.runtime.link(uid).expect("a conversation")
}

fn revision(state: &State) -> &str {
    match state {
        State::Running(Answer { protocol_version, .. }) => protocol_version,
        other => panic!("not running: {other:?}"),
    }
}

#[tokio::test]
async fn a_server_is_told_the_revision_that_it_chose() {
    let house = House::new();
    let version = "2025-03-26";
    let far = Double::start(move |asked| {
        let given = asked.header("mcp-protocol-version");
        let begins = matches!(asked.method(), "initialize" | "server/discover");
        if !begins && (given != Some(version) || asked.header("mcp-session-id") != Some("s1")) {
            return asked.error(400, -32000);
        }
        legacy(asked, "s1", version).unwrap_or_else(|| {
            let result = json!({"sent": asked.body["params"]});
            Reply::Json(200, answer(&asked.body["id"], &result), vec![])
        })
    })
    .await;
    let uid = far.tie(&house, HTTP);
    let link = shared(&house, &uid).await;
    assert_eq!(
        (link.hello().era, link.hello().protocol_version.as_str()),
        (Era::Legacy, version)
    );
    let params =
        json!({"name": "a", "x/odd": [1.5], "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}});
    let exchange = link.request(call("tools/call", &params)).await.expect("under way");
    match soon("an answer", exchange.outcome()).await.expect("an answer") {
        Outcome::Result(result) => {
            assert_eq!(result.get(), r#"{"sent":{"name":"a","x/odd":[1.5]}}"#);
        }
        Outcome::Error(error) => panic!("{error}"),
    }
    assert!(far.seen(|asked| asked.header("x-declared") != Some("yes")).is_empty());
    // A conversation of the caller's own says who the caller is, and ends when it is closed, or dropped.
    let opening = Opening {
        client: client(),
        asks: None,
    };
    for close in [true, false] {
        let before = far.seen(|asked| asked.verb == "DELETE").len();
        let own = house
            .runtime
            .open(&uid, &opening)
            .await
            .expect("over HTTP")
            .expect("opened");
        let greeting = far.seen(|asked| asked.method() == "initialize").pop().expect("greeted");
        assert_eq!(greeting.body["params"]["clientInfo"]["name"], "test");
        assert_eq!(
            greeting.body["params"]["capabilities"],
            json!({"sampling": {}, "elicitation": {"form": {}}})
        );
        assert!(!own.is(&link) && result(&own, "b").await.is_ok());
        if close {
            own.close().await;
            assert!(matches!(result(&own, "c").await, Err(Error::Unsent(_))));
        }
        drop(own);
        eventually("goodbye", || {
            far.seen(|asked| asked.verb == "DELETE").len() == before + 1
        })
        .await;
    }
    assert!(result(&link, "d").await.is_ok(), "others go on");
}

#[tokio::test]
async fn a_session_that_is_forgotten_is_begun_anew() {
    // What the protocol says, and what many servers say.
    for (status, message) in [(404, "no"), (400, "Bad Request: No valid session ID provided")] {
        forgets(status, message).await;
    }
}

async fn forgets(status: u16, message: &'static str) {
    let house = House::new();
    let session = Arc::new(AtomicUsize::new(1));
    let known = Arc::clone(&session);
    let far = Double::start(move |asked| {
        let current = format!("s{}", known.load(Ordering::SeqCst));
        let begins = matches!(asked.method(), "initialize" | "server/discover");
        if !begins && asked.header("mcp-session-id") != Some(&current) {
            let error = json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32000, "message": message}});
            return Reply::Json(status, error.to_string(), vec![]);
        }
        legacy(asked, &current, "2025-11-25").unwrap_or_else(|| match asked.body["params"]["name"].as_str() {
            // A refusal that has nothing to do with the session.
            Some("wrong") => asked.error(400, -32602),
            _ => asked.result(&json!({"in": current})),
        })
    })
    .await;
    let uid = far.tie(&house, HTTP);
    let link = shared(&house, &uid).await;
    assert_eq!(result(&link, "a").await.as_deref(), Ok(r#"{"in":"s1"}"#));
    let mut news = link.listen();
    session.store(2, Ordering::SeqCst);
    // Many at once find it forgotten; it is begun once.
    let many = (0..8).map(|_| result(&link, "b"));
    for told in futures_util::future::join_all(many).await {
        assert_eq!(told.as_deref(), Ok(r#"{"in":"s2"}"#));
    }
    assert!(result(&link, "wrong").await.is_ok_and(|told| told.contains("-32602")));
    assert_eq!(far.count("initialize"), 2, "once, and for what was forgotten alone");
    assert!(matches!(
        soon("news", news.recv()).await,
        Ok(News::ListChanged("tools", _))
    ));
    assert!(link.is_open() && house.runtime.link(&uid).expect("open").is(&link));
}

#[tokio::test]
async fn a_server_that_became_another_is_spoken_to_anew() {
    let house = House::new();
    let replaced = Arc::new(AtomicBool::new(false));
    let is_replaced = Arc::clone(&replaced);
    let far = Double::start(move |asked| {
        if is_replaced.load(Ordering::SeqCst) {
            return modern(asked).unwrap_or_else(|| {
                if asked.header("mcp-session-id").is_some() {
                    return Reply::Status(404, vec![]);
                }
                asked.result(&json!({"resultType": "complete"}))
            });
        }
        let begins = matches!(asked.method(), "initialize" | "server/discover");
        if !begins && asked.header("mcp-session-id").is_none() {
            return Reply::Status(400, vec![]);
        }
        legacy(asked, "s1", "2025-11-25").unwrap_or_else(|| asked.result(&json!({})))
    })
    .await;
    let uid = far.tie(&house, HTTP);
    let before = shared(&house, &uid).await;
    replaced.store(true, Ordering::SeqCst);
    assert!(result(&before, "a").await.is_err());
    soon("the end", before.closed()).await;
    let seen = house
        .until(&uid, |seen| {
            seen.era == Some(Era::Modern) && matches!(seen.state, State::Running(_))
        })
        .await;
    assert_eq!(revision(&seen.state), "2026-07-28");
    let after = house.runtime.link(&uid).expect("reopened");
    assert_eq!(result(&after, "b").await.as_deref(), Ok(r#"{"resultType":"complete"}"#));
    // And back.
    replaced.store(false, Ordering::SeqCst);
    assert_eq!(house.runtime.check(&uid, Duration::from_secs(30)).await, Some(Ok(())));
    let seen = house.until(&uid, |seen| seen.era == Some(Era::Legacy)).await;
    assert_eq!(revision(&seen.state), "2025-11-25");
}

#[tokio::test]
async fn a_server_that_is_out_of_order_decides_nothing_about_its_era() {
    let house = House::new();
    for trouble in ["status", "silence"] {
        let probed = Arc::new(AtomicUsize::new(0));
        let far = Double::start(move |asked| {
            if asked.method() == "server/discover" && probed.fetch_add(1, Ordering::SeqCst) == 0 {
                return if trouble == "status" {
                    Reply::Status(503, vec![])
                } else {
                    Reply::Never
                };
            }
            if asked.method() == "server/discover" || asked.header("mcp-session-id").is_none() {
                if asked.method() == "initialize" {
                    return legacy(asked, "s1", "2025-11-25").expect("a greeting");
                }
                return modern(asked).unwrap_or_else(|| asked.result(&json!({})));
            }
            legacy(asked, "s1", "2025-11-25").unwrap_or_else(|| asked.result(&json!({})))
        })
        .await;
        let uid = far.tie(&house, HTTP);
        let seen = house.until_running(&uid).await;
        assert_eq!(
            (seen.era, revision(&seen.state)),
            (None, "2025-11-25"),
            "{trouble}: it works, and is not pinned"
        );
        assert_eq!(house.runtime.check(&uid, Duration::from_secs(30)).await, Some(Ok(())));
        // Silence takes long to meet with again; that is asked again later.
        let known = if trouble == "status" { Some(Era::Modern) } else { None };
        assert_eq!(house.runtime.observe(&uid).expect("seen").era, known, "{trouble}");
        let link = house.runtime.link(&uid).expect("open");
        assert_eq!(link.hello().era, known.unwrap_or(Era::Legacy), "{trouble}");
        assert!(result(&link, "a").await.is_ok());
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_taken_up() {
    let house = House::new();
    let place = Arc::new(Mutex::new(Vec::new()));
    let places = Arc::clone(&place);
    let far = Double::start(move |asked| {
        let id = asked.body["id"].clone();
        if let Some(last) = asked.header("last-event-id") {
            places.lock().expect("not poisoned").push(last.to_owned());
            let id = json!(
                last.trim_start_matches('e')
                    .split('-')
                    .next_back()
                    .and_then(|id| id.parse::<u64>().ok())
            );
            return match last.split('-').next() {
                // Closed once more, with a new place.
                Some("e1") => Reply::events(&[format!("id: e2-{id}\n\n")]),
                _ => Reply::events(&[event(&json!({"jsonrpc": "2.0", "id": id, "result": {"late": true}}))]),
            };
        }
        legacy(asked, "s1", "2025-11-25").unwrap_or_else(|| {
            let said = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": 1}});
            match asked.body["params"]["name"].as_str() {
                Some("polled") => Reply::events(&[format!("id: e1-{id}\nretry: 30\ndata:\n\n"), event(&said)]),
                _ => Reply::events(&[event(&said)]),
            }
        })
    })
    .await;
    let uid = far.tie(&house, HTTP);
    let link = shared(&house, &uid).await;
    let mut polled = link.request(tool("polled", json!({}))).await.expect("under way");
    assert_eq!(next(&mut polled).await, r#"notifications/message {"data":1}"#);
    assert_eq!(next(&mut polled).await, r#"result {"late":true}"#);
    let places: Vec<_> = place
        .lock()
        .expect("not poisoned")
        .iter()
        .map(|last| last[..2].to_owned())
        .collect();
    assert_eq!(places, ["e1", "e2"]);
    // Where there is no place to take it up at, it is over.
    let mut lost = link.request(tool("lost", json!({}))).await.expect("under way");
    assert_eq!(next(&mut lost).await, r#"notifications/message {"data":1}"#);
    assert!(matches!(soon("an end", lost.next()).await, Err(Error::Closed(_))));
    assert!(link.is_open());
}

#[tokio::test]
async fn questions_come_on_the_stream_of_the_call_and_on_that_of_none() {
    let house = House::new();
    let (streams, script) = (Script::default(), Script::default());
    let (of_get, of_call) = (streams.clone(), script.clone());
    let far = Double::start(move |asked| match (asked.verb.as_str(), asked.method()) {
        ("GET", _) => of_get.next().unwrap_or(Reply::Status(405, vec![])),
        ("POST", "tools/call") => of_call.next().expect("scripted"),
        _ => legacy(asked, "s1", "2025-11-25").expect("known"),
    })
    .await;
    let unsolicited = {
        let (sender, receiver) = mpsc::unbounded_channel();
        streams.add(Reply::Events(receiver));
        sender
    };
    let uid = far.tie(&house, HTTP);
    let link = shared(&house, &uid).await;
    let ask = |id: &str| event(&json!({"jsonrpc": "2.0", "id": id, "method": "roots/list", "params": {"q": id}}));
    let answers = |id: &'static str| far.seen(move |asked| asked.body["id"] == *id && asked.method().is_empty());

    // Two are open; each question on a call's own stream is that call's.
    let mut calls = Vec::new();
    for _ in 0..2 {
        let (sender, receiver) = mpsc::unbounded_channel();
        script.add(Reply::Events(receiver));
        calls.push((link.request(tool("a", json!({}))).await.expect("under way"), sender));
    }
    for (at, id) in ["first", "second"].into_iter().enumerate() {
        let (exchange, sender) = &mut calls[at];
        sender.send(ask(id)).expect("open");
        match soon("a question", exchange.next()).await.expect("a question") {
            Frame::Ask(ask) => {
                assert_eq!(
                    ask.params.as_ref().map(|params| params.get().to_owned()),
                    Some(format!(r#"{{"q":"{id}"}}"#))
                );
                ask.answer(Outcome::Result(raw(&json!({"roots": []}))))
                    .await
                    .expect("answered");
            }
            other => panic!("{other:?}"),
        }
        let told = answers(id);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].body["result"], json!({"roots": []}));
        assert_eq!(told[0].header("mcp-session-id"), Some("s1"));
    }
    // One on the stream of none may be any one's; then it can only be the one's that is left.
    unsolicited.send(ask("anyone")).expect("open");
    eventually("refused", || !answers("anyone").is_empty()).await;
    assert!(answers("anyone")[0].body["error"]["data"]["hint"].is_string());
    let (second, _sender) = calls.pop().expect("two");
    drop(second);
    eventually("cancelled", || far.count("notifications/cancelled") == 1).await;
    let mut news = link.listen();
    let changed = json!({"jsonrpc": "2.0", "method": "notifications/resources/list_changed"});
    unsolicited.send(event(&changed)).expect("open");
    assert!(matches!(
        soon("news", news.recv()).await,
        Ok(News::ListChanged("resources", _))
    ));

    // A conversation of one's own is asked everything.
    let (asks, mut asked) = mpsc::unbounded_channel();
    let (own_stream, receiver) = mpsc::unbounded_channel();
    streams.add(Reply::Events(receiver));
    let opening = Opening {
        client: client(),
        asks: Some(asks),
    };
    let own = house
        .runtime
        .open(&uid, &opening)
        .await
        .expect("over HTTP")
        .expect("opened");
    own_stream.send(ask("own")).expect("open");
    let question = soon("a question", asked.recv()).await.expect("a question");
    assert_eq!(
        (question.method.as_str(), question.id().as_json()),
        ("roots/list", r#""own""#)
    );
    question.answer(Outcome::error(-1, "no")).await.expect("answered");
    assert_eq!(answers("own")[0].body["error"]["code"], -1);
    drop((own, opening));
    assert!(soon("no more questions", asked.recv()).await.is_none());
}

#[tokio::test]
async fn a_modern_request_says_in_its_headers_what_it_is() {
    let house = House::new();
    let gone = Arc::new(Mutex::new(None));
    let stream = Arc::clone(&gone);
    let far = Double::start(move |asked| {
        modern(asked).unwrap_or_else(|| {
            if asked.body["params"]["name"] == "slow" {
                let (sender, receiver) = mpsc::unbounded_channel();
                let said = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {
                    "progressToken": asked.body["params"]["_meta"]["progressToken"], "progress": 1}});
                sender.send(event(&said)).expect("open");
                *stream.lock().expect("not poisoned") = Some(sender);
                return Reply::Events(receiver);
            }
            asked.result(&json!({"resultType": "complete"}))
        })
    })
    .await;
    let uid = far.tie(&house, HTTP);
    let link = shared(&house, &uid).await;
    assert_eq!(link.hello().era, Era::Modern);
    let mut headed = tool("weather", json!({"city": "Zürich", "days": 3}));
    headed.schema = Some(raw(&json!({"type": "object", "properties": {
        "city": {"type": "string", "x-mcp-header": "City"}, "days": {"type": "integer", "x-mcp-header": "Days"}}})));
    let exchange = link.request(headed).await.expect("under way");
    assert!(soon("an answer", exchange.outcome()).await.is_ok());
    let asked = far.seen(|asked| asked.method() == "tools/call").pop().expect("asked");
    for (header, expected) in [
        ("mcp-method", "tools/call"),
        ("mcp-name", "weather"),
        ("mcp-param-city", "=?base64?WsO8cmljaA==?="),
        ("mcp-param-days", "3"),
        ("mcp-protocol-version", "2026-07-28"),
        ("accept", "application/json, text/event-stream"),
    ] {
        assert_eq!(asked.header(header), Some(expected), "{header}");
    }
    assert_eq!(asked.header("mcp-session-id"), None);
    let meta = &asked.body["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["name"], "test");
    assert_eq!(
        meta["io.modelcontextprotocol/clientCapabilities"]["sampling"],
        json!({})
    );

    // Whoever waits no more hangs up.
    let params = json!({"name": "slow", "_meta": {"progressToken": "mine"}});
    let mut slow = link.request(call("tools/call", &params)).await.expect("under way");
    assert_eq!(
        next(&mut slow).await,
        r#"notifications/progress {"progressToken":"mine","progress":1}"#
    );
    let sender = gone.lock().expect("not poisoned").take().expect("a stream");
    assert!(!sender.is_closed());
    drop(slow);
    soon("the end of the stream", sender.closed()).await;
    assert_eq!(far.count("notifications/cancelled"), 0);
    assert!(result(&link, "after").await.is_ok());
}

#[tokio::test]
async fn a_modern_server_is_listened_to_over_one_stream() {
    let house = House::new();
    let grown = Arc::new(AtomicUsize::new(0));
    let stream: Arc<Mutex<Option<mpsc::UnboundedSender<String>>>> = Arc::default();
    let (count, kept) = (Arc::clone(&grown), Arc::clone(&stream));
    let far = Double::start(move |asked| match asked.method() {
        "subscriptions/listen" => {
            let (sender, receiver) = mpsc::unbounded_channel();
            *kept.lock().expect("not poisoned") = Some(sender);
            Reply::Events(receiver)
        }
        "tools/list" => {
            let tools: Vec<_> = (0..count.load(Ordering::SeqCst))
                .map(|at| json!({"name": format!("t{at}")}))
                .collect();
            asked.result(&json!({"resultType": "complete", "tools": tools}))
        }
        _ => modern(asked).expect("known"),
    })
    .await;
    let uid = far.tie(&house, HTTP);
    house.until_running(&uid).await;
    let _more = (
        house.runtime.link(&uid).expect("open").listen(),
        house.runtime.link(&uid).expect("open").listen(),
    );
    eventually("it is listened to", || stream.lock().expect("not poisoned").is_some()).await;
    let has = |wanted: usize| move |state: &State| matches!(state, State::Running(answer) if answer.tools.as_ref().is_some_and(|tools| tools.count == wanted));
    for wanted in [1, 2] {
        grown.store(wanted, Ordering::SeqCst);
        let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
        let sender = stream.lock().expect("not poisoned").clone().expect("a stream");
        sender.send(event(&changed)).expect("open");
        house.until(&uid, |seen| has(wanted)(&seen.state)).await;
    }
    assert_eq!(far.count("subscriptions/listen"), 1);
    // A stream that breaks off is opened again, and what was missed meanwhile is found.
    grown.store(3, Ordering::SeqCst);
    stream.lock().expect("not poisoned").take();
    house.until(&uid, |seen| has(3)(&seen.state)).await;
    eventually("it is listened to again", || far.count("subscriptions/listen") == 2).await;
    assert_eq!(
        far.seen(|asked| asked.method() == "subscriptions/listen")[0].body["params"]["notifications"],
        json!({"toolsListChanged": true})
    );
}

#[tokio::test]
async fn statuses_that_are_no_answers_are_told_as_they_are() {
    let house = House::new();
    let script = Script::default();
    let replies = script.clone();
    let far = Double::start(move |asked| match asked.method() {
        "tools/call" => replies.next().unwrap_or_else(|| asked.error(400, -32602)),
        _ => modern(asked).expect("known"),
    })
    .await;
    let uid = far.tie(&house, HTTP);
    let link = shared(&house, &uid).await;
    let retry = vec![("retry-after", "7".to_owned())];
    let status = |status, retry_after| Error::Status { status, retry_after };
    let long = format!(r#"{{"jsonrpc":"2.0","id":1,"result":"{}"}}"#, "x".repeat(17 << 20));
    for (reply, expected) in [
        (Reply::Status(401, vec![]), status(401, None)),
        (Reply::Status(429, retry), status(429, Some(Duration::from_secs(7)))),
        (Reply::Status(503, vec![]), status(503, None)),
        (Reply::Json(500, "{}".to_owned(), vec![]), status(500, None)),
        (
            Reply::Json(200, "{}".to_owned(), vec![]),
            Error::Garbled("it is no message".to_owned()),
        ),
        (
            Reply::Status(202, vec![]),
            Error::Garbled("HTTP status 202 and no message".to_owned()),
        ),
        (
            Reply::Json(200, long, vec![]),
            Error::Garbled("it is longer than 16 MiB".to_owned()),
        ),
        (Reply::events(&[]), Error::Closed("the connection broke off".to_owned())),
    ] {
        script.add(reply);
        assert_eq!(result(&link, "a").await, Err(expected));
    }
    // One that comes with an answer of the protocol is that.
    assert!(
        result(&link, "a")
            .await
            .is_ok_and(|told| told.starts_with("error {\"code\":-32602"))
    );
    assert!(link.is_open());
    // One that says that nobody there speaks so any more ends the conversation; the server still answers, and so there is another.
    script.add(Reply::Status(404, vec![]));
    assert_eq!(result(&link, "a").await, Err(status(404, None)));
    soon("the end", link.closed()).await;
    eventually("another", || house.runtime.link(&uid).is_some_and(|now| !now.is(&link))).await;
}

#[tokio::test]
async fn a_server_that_hangs_keeps_nobody_but_its_caller() {
    let house = House::new();
    let hangs = Arc::new(AtomicBool::new(false));
    let is_hanging = Arc::clone(&hangs);
    let far = Double::start(move |asked| {
        if asked.body["params"]["name"] == "hang"
            || (is_hanging.load(Ordering::SeqCst) && asked.method() == "tools/list")
        {
            return Reply::Never;
        }
        legacy(asked, "s1", "2025-11-25").unwrap_or_else(|| asked.result(&json!({})))
    })
    .await;
    let uid = far.tie(&house, HTTP);
    let link = shared(&house, &uid).await;
    let mut hanging = link.request(tool("hang", json!({}))).await.expect("under way");
    assert!(
        tokio::time::timeout(Duration::from_millis(200), hanging.next())
            .await
            .is_err()
    );
    assert_eq!(link.in_flight(), 1);
    assert!(result(&link, "quick").await.is_ok());
    drop(hanging);
    eventually("cancelled", || far.count("notifications/cancelled") == 1).await;
    hangs.store(true, Ordering::SeqCst);
    let failure = house.runtime.check(&uid, Duration::from_millis(300)).await;
    let failure = failure.expect("it runs").expect_err("no answer");
    assert!(failure.to_string().ends_with("does not answer in time"), "{failure}");
    assert_eq!(house.until_over(&uid).await.state, State::Failed(failure));
    assert!(house.runtime.link(&uid).is_none());
}

#[tokio::test]
async fn redirections_stay_at_home() {
    let house = House::new();
    let stranger = Double::start(|asked| modern(asked).unwrap_or_else(|| asked.result(&json!({})))).await;
    let away = stranger.url();
    let far = Double::start(move |asked| match asked.path.as_str() {
        "/mcp" => Reply::Status(307, vec![("location", "/mcp/".to_owned())]),
        "/mcp/" if asked.method() == "tools/call" => Reply::Status(307, vec![("location", away.clone())]),
        _ => modern(asked).expect("known"),
    })
    .await;
    let uid = far.tie(&house, HTTP);
    let link = shared(&house, &uid).await;
    let told = result(&link, "a").await;
    assert_eq!(
        told,
        Err(Error::Status {
            status: 307,
            retry_after: None
        })
    );
    assert!(stranger.seen(|_| true).is_empty());
    let value: Value = far.seen(|asked| asked.path == "/mcp/")[0].body.clone();
    assert_eq!(value["method"], "server/discover", "the body went along");
}
