//! The tools: what each of them shows of whoever stands between.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::engine::{Answer, Change, Engine};
use crate::outlet::Outlet;
use crate::session::{Session, lock};
use crate::wire::{self, Refusal, UNKNOWN};

/// The tools that are always there, in the order of their names.
const TOOLS: [(&str, &str); 19] = [
    (
        "ask_elicitation",
        "Asks the user, and tells back the answer as it came.",
    ),
    ("ask_roots", "Asks for the roots, and tells back the answer as it came."),
    ("ask_sampling", "Asks the model, and tells back the answer as it came."),
    (
        "ask_unknown",
        "Asks something no specification knows, and tells back the answer as it came.",
    ),
    (
        "big",
        "Answers with so many bytes, in so many blocks, as numbered lines or as a resource: {bytes, blocks, lines, embedded}.",
    ),
    ("change_prompts", "Says that the prompts have changed."),
    ("change_resources", "Says that the resources have changed."),
    ("change_tools", "Offers one tool more from now on, and says so."),
    ("crash", "Exits at once."),
    ("echo", "Tells back the very text of the request."),
    ("fail", "Answers that it failed."),
    ("forget_sessions", "Forgets all sessions, as a restart would."),
    (
        "log",
        "Logs a message before it answers; or answers, and logs, and asks the model, so many milliseconds later: {later}; or so many of \
         so many bytes that belong to no request: {count, bytes}.",
    ),
    (
        "notify_unknown",
        "Sends a notification no specification knows before it answers.",
    ),
    ("progress", "Reports progress and answers, all in one piece: {steps}."),
    (
        "region",
        "Tells back its argument, which is repeated in a header: {region}.",
    ),
    ("stats", "Tells what was asked of this process."),
    ("update_resource", "Says that a resource has changed: {uri}."),
    (
        "wait",
        "Answers after so many milliseconds, unless it is cancelled: {ms}.",
    ),
];

/// How long the name of a tool with a long name is.
const LONG: usize = 100;

/// A request under way.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) engine: Arc<Engine>,
    pub(crate) session: Arc<Session>,
    /// Whether it is one without a session.
    pub(crate) modern: bool,
    /// The id, as it was written.
    pub(crate) id: String,
    pub(crate) params: Value,
    /// The request, as it was written.
    pub(crate) text: String,
    pub(crate) outlet: Outlet,
    /// Fires when the client no longer wants it.
    pub(crate) gone: CancellationToken,
}

/// One page of the list of tools: the members of the result.
pub(crate) fn list(call: &Call) -> Result<String, Refusal> {
    let options = &call.engine.options;
    let own = if options.bare { &[] } else { TOOLS.as_slice() };
    let plain = |name: String| (name, "Answers with its name.");
    let grown = (0..call.engine.grown.load(Ordering::Relaxed)).map(|number| format!("grown_{number:05}"));
    let extra = (0..options.tools).map(|number| format!("extra_{number:05}"));
    let long = (0..options.long_names).map(|number| format!("{:a<LONG$}", format!("long_{number:05}_")));
    let tools: Vec<(String, &str)> = own
        .iter()
        .map(|(name, description)| ((*name).to_owned(), *description))
        .chain(extra.chain(grown).chain(long).map(plain))
        .collect();
    let told = |tools: &[(String, &str)]| {
        let tools: Vec<String> = tools
            .iter()
            .map(|(name, description)| tool(name, description))
            .collect();
        format!(r#""tools":[{}]"#, tools.join(","))
    };
    let Some(page) = options.page else {
        return Ok(told(&tools));
    };
    let from = match &call.params["cursor"] {
        Value::Null => 0,
        cursor => cursor
            .as_str()
            .and_then(|cursor| cursor.strip_prefix("from-")?.parse().ok())
            .filter(|from| *from < tools.len())
            .ok_or_else(|| Refusal::new(-32602, "there is no such page"))?,
    };
    let to = tools.len().min(from + page);
    let mut members = told(&tools[from..to]);
    if to < tools.len() {
        let _ = write!(members, r#","nextCursor":"from-{to}""#);
    }
    Ok(members)
}

fn tool(name: &str, description: &str) -> String {
    let description = wire::quote(description);
    let properties = match name {
        "region" => r#""properties":{"region":{"type":"string","x-mcp-header":"Region"}},"#,
        _ => "",
    };
    format!(
        r#"{{"name":"{name}","description":{description},"inputSchema":{{"type":"object",{properties}"x-vendor":{UNKNOWN}}},"annotations":{{"readOnlyHint":true,"x-vendor":1.0}},"execution":{{"taskSupport":"forbidden"}},"x-vendor":{UNKNOWN},"_meta":{{"com.example/kept":{UNKNOWN}}}}}"#
    )
}

/// Calls a tool. None if the client gave it up.
pub(crate) async fn call(call: &Call) -> Result<Option<Answer>, Refusal> {
    let name = call.params["name"].as_str().unwrap_or_default();
    let number = |name: &str| call.params["arguments"][name].as_u64();
    let answer = match name {
        "ask_elicitation" => ask(call, "elicitation/create", ELICITATION).await,
        "ask_roots" => ask(call, "roots/list", "").await,
        "ask_sampling" => ask(call, "sampling/createMessage", SAMPLING).await,
        "ask_unknown" => ask(call, "vendor/ask", r#""question":"why?""#).await,
        "big" => big(call, number("blocks").unwrap_or(1), number("bytes").unwrap_or(0)),
        "change_prompts" => changed(call, &Change::List("prompts")),
        "change_resources" => changed(call, &Change::List("resources")),
        "change_tools" => {
            call.engine.grown.fetch_add(1, Ordering::Relaxed);
            changed(call, &Change::List("tools"))
        }
        "crash" => std::process::exit(17),
        "echo" => said(call, &call.text),
        "fail" => Answer::new(
            call,
            &format!(
                r#""content":[{{"type":"text","text":"failed because it was asked to"}}],"isError":true,"structuredContent":{{"why":{UNKNOWN}}}"#
            ),
        ),
        "forget_sessions" => {
            let ids: Vec<String> = lock(&call.engine.sessions).keys().cloned().collect();
            for id in &ids {
                call.engine.close_session(id);
            }
            said(call, &format!("forgot {}", ids.len()))
        }
        "log" if number("count").is_some() => {
            let (count, bytes) = (number("count").unwrap_or(0), number("bytes").unwrap_or(0));
            if let Some(outlet) = call.session.standalone() {
                // After the answer: what comes before it may be taken to belong to the call.
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    for logged in 1..=count {
                        let data = format!(r#"{{"number":{logged},"text":"{}"}}"#, "z".repeat(size(bytes)));
                        let params = format!(r#"{{"level":"error","data":{data}}}"#);
                        outlet.send(wire::notify("notifications/message", &params));
                    }
                });
            }
            said(call, "logged")
        }
        "log" => {
            match number("later") {
                Some(time) => later(call, Duration::from_millis(time)),
                None => log(&call.outlet, "logged"),
            }
            said(call, "logged")
        }
        "notify_unknown" => {
            let params = format!(r#"{{"hello":{UNKNOWN}}}"#);
            call.outlet.send(wire::notify("notifications/vendor/hello", &params));
            said(call, "notified")
        }
        "progress" => progress(call, number("steps").unwrap_or(3)),
        "region" => said(call, call.params["arguments"]["region"].as_str().unwrap_or_default()),
        "stats" => {
            let told = call.engine.told();
            let text = wire::quote(&told.to_string());
            Answer::new(
                call,
                &format!(r#""content":[{{"type":"text","text":{text}}}],"structuredContent":{told}"#),
            )
        }
        "update_resource" => {
            let uri = call.params["arguments"]["uri"].as_str().unwrap_or_default();
            changed(call, &Change::Resource(uri.to_owned()))
        }
        "wait" => {
            let time = Duration::from_millis(number("ms").unwrap_or(600_000));
            // Closing the stream is how modern clients over HTTP give up; a session goes on without it.
            let closed = async {
                match call.modern {
                    true => call.outlet.closed().await,
                    false => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(time) => said(call, "waited"),
                () = call.gone.cancelled() => return Ok(given_up(call)),
                () = closed => return Ok(given_up(call)),
            }
        }
        name if ["extra_", "grown_", "long_"]
            .iter()
            .any(|start| name.starts_with(start)) =>
        {
            said(call, name)
        }
        name => return Err(Refusal::new(-32602, format!("there is no tool {name}"))),
    };
    Ok(Some(answer))
}

const ELICITATION: &str = r#""message":"What is it?","requestedSchema":{"type":"object","properties":{"it":{"type":"string"}},"required":["it"]}"#;
const SAMPLING: &str = r#""messages":[{"role":"user","content":{"type":"text","text":"Say it."}}],"maxTokens":10"#;

fn said(call: &Call, text: &str) -> Answer {
    let text = wire::quote(text);
    let content = format!(r#"{{"type":"text","text":{text},"annotations":{{"priority":0.50}},"x-vendor":{UNKNOWN}}}"#);
    Answer::new(call, &format!(r#""content":[{content}]"#))
}

/// Blocks of so many bytes.
fn big(call: &Call, blocks: u64, bytes: u64) -> Answer {
    let arguments = &call.params["arguments"];
    let blocks = (0..blocks).map(|number| {
        let text = match arguments["lines"] == true {
            true => lines(size(bytes)),
            false => "x".repeat(size(bytes)),
        };
        let text = wire::quote(&text);
        match arguments["embedded"] == true {
            true => format!(
                r#"{{"type":"resource","resource":{{"uri":"raw://block-{number}","text":{text},"x-vendor":{UNKNOWN}}}}}"#
            ),
            false => {
                format!(r#"{{"type":"text","text":{text},"annotations":{{"priority":0.50}},"x-vendor":{UNKNOWN}}}"#)
            }
        }
    });
    let blocks: Vec<_> = blocks.collect();
    Answer::new(call, &format!(r#""content":[{}]"#, blocks.join(",")))
}

/// So many bytes of numbered lines.
pub(crate) fn lines(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 32);
    let mut number = 0;
    while text.len() < bytes {
        number += 1;
        let _ = writeln!(text, "line {number}");
    }
    text.truncate(bytes);
    text
}

fn size(bytes: u64) -> usize {
    bytes.try_into().unwrap_or(0)
}

fn changed(call: &Call, change: &Change) -> Answer {
    call.engine.tell(change);
    said(call, "changed")
}

fn given_up(call: &Call) -> Option<Answer> {
    lock(&call.engine.stats).cancelled.push(call.id.clone());
    None
}

fn log(outlet: &Outlet, data: &str) {
    let params = format!(r#"{{"level":"info","data":"{data}","x-vendor":{UNKNOWN}}}"#);
    outlet.send(wire::notify("notifications/message", &params));
}

/// Goes on when it has answered: what it says then belongs to no request.
fn later(call: &Call, time: Duration) {
    let (engine, session) = (call.engine.clone(), call.session.clone());
    let outlet = session.standalone().unwrap_or_else(|| call.outlet.clone());
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        log(&outlet, "later");
        let told = session
            .ask(&outlet, "sampling/createMessage", &format!("{{{SAMPLING}}}"))
            .await;
        lock(&engine.stats).answers.extend(told);
    });
}

fn progress(call: &Call, steps: u64) -> Answer {
    let mut answer = said(call, "done");
    let token = &call.params["_meta"]["progressToken"];
    if !token.is_null() {
        answer.before = (1..=steps)
            .map(|step| {
                let params =
                    format!(r#"{{"progressToken":{token},"progress":{step},"total":{steps},"x-vendor":{UNKNOWN}}}"#);
                wire::notify("notifications/progress", &params)
            })
            .collect();
    }
    answer
}

/// Asks the client: over its session while the call waits, or, if it has none, by a result that asks for another call.
async fn ask(call: &Call, method: &str, members: &str) -> Answer {
    let comma = if members.is_empty() { "" } else { "," };
    let params = format!(r#"{{{members}{comma}"x-vendor":{UNKNOWN}}}"#);
    if !call.modern {
        let told = call.session.ask(&call.outlet, method, &params).await;
        return said(call, &told.unwrap_or_default());
    }
    if call.params["inputResponses"].is_null() {
        let request = format!(r#"{{"method":"{method}","params":{params}}}"#);
        return Answer {
            before: Vec::new(),
            members: format!(
                r#""resultType":"input_required","inputRequests":{{"question":{request}}},"requestState":"raw state of {method}","x-vendor":{UNKNOWN}"#
            ),
        };
    }
    said(call, &call.text)
}
