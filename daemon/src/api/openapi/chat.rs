//! The addresses of agents that are spoken to, and of threads.

use orch_shared::{cassette, chat, route};
use serde_json::{Map, Value, json};

use super::{Schemas, done, in_path, in_query, operation};

/// Which thread.
const ID: &str = "The thread's id, or its first six characters or more where no other one of yours begins so. A thread is there \
                  for its owner alone.";

pub(super) fn describe(schemas: &mut Schemas, paths: &mut Map<String, Value>) {
    describe_agents(schemas, paths);
    describe_threads(schemas, paths);
    describe_cassettes(schemas, paths);
}

fn describe_cassettes(schemas: &mut Schemas, paths: &mut Map<String, Value>) {
    let id = in_path("id", ID);
    let recorded = schemas.add::<cassette::Cassette>("Cassette");
    let export = operation(
        "What went between the agent, its model and its tools in a thread, without keys",
        vec![id],
        None,
        Some(("200", recorded)),
    );
    paths.insert(
        format!("{}/threads/{{id}}/cassette", route::PREFIX),
        json!({"get": export}),
    );
    let replay = schemas.add::<cassette::Replay>("Replay");
    let report = schemas.add::<cassette::Report>("ReplayReport");
    let run = operation(
        "Run a cassette once more, and tell what is different",
        vec![],
        Some(replay),
        Some(("200", report)),
    );
    paths.insert(format!("{}/replays", route::PREFIX), json!({"post": run}));
}

fn describe_agents(schemas: &mut Schemas, paths: &mut Map<String, Value>) {
    let name = in_path("name", "The agent's name.");
    let request = schemas.add::<chat::Request>("ChatRequest");
    let chat = answered(
        schemas,
        operation("Speak to an agent", vec![name.clone()], Some(request), None),
    );
    let of_agent = |rest: &str| format!("{}/agents/{{name}}/{rest}", route::PREFIX);
    paths.insert(of_agent("chat"), json!({"post": chat}));
    let mut parameters = vec![name.clone()];
    parameters.extend(in_query::<chat::ThreadParameters>(schemas));
    let threads = schemas.add::<chat::Threads>("Threads");
    let list = operation(
        "The threads that you have with an agent",
        parameters,
        None,
        Some(("200", threads)),
    );
    let create = schemas.add::<chat::Create>("ThreadCreate");
    let thread = schemas.add::<chat::Thread>("Thread");
    let begin = operation(
        "Begin a thread",
        vec![name.clone()],
        Some(create),
        Some(("201", thread)),
    );
    paths.insert(of_agent("threads"), json!({"get": list, "post": begin}));
    let tools = schemas.add::<chat::OfferedTools>("OfferedTools");
    let offered = operation(
        "The tools that an agent may call for you",
        vec![name],
        None,
        Some(("200", tools)),
    );
    paths.insert(of_agent("tools"), json!({"get": offered}));
}

fn describe_threads(schemas: &mut Schemas, paths: &mut Map<String, Value>) {
    let id = in_path("id", ID);
    let thread = schemas.add::<chat::Thread>("Thread");
    let of_thread = |rest: &str| format!("{}/threads/{{id}}{rest}", route::PREFIX);
    let get = operation("A thread", vec![id.clone()], None, Some(("200", thread.clone())));
    let rename = schemas.add::<chat::Rename>("ThreadRename");
    let patch = operation(
        "Rename a thread",
        vec![id.clone()],
        Some(rename),
        Some(("200", thread.clone())),
    );
    let mut delete = operation(
        "Delete a thread, and end what is under way in it",
        vec![id.clone()],
        None,
        None,
    );
    done(&mut delete);
    paths.insert(of_thread(""), json!({"get": get, "patch": patch, "delete": delete}));
    let mut parameters = vec![id.clone()];
    parameters.extend(in_query::<chat::MessageParameters>(schemas));
    let messages = schemas.add::<chat::Messages>("Messages");
    let list = operation("What was said in a thread", parameters, None, Some(("200", messages)));
    paths.insert(of_thread("/messages"), json!({"get": list}));
    let fork = schemas.add::<chat::Fork>("ThreadFork");
    let forked = operation(
        "Begin a thread with what was said in another",
        vec![id.clone()],
        Some(fork),
        Some(("201", thread)),
    );
    paths.insert(of_thread("/fork"), json!({"post": forked}));
    let turn = schemas.add::<chat::Turn>("Turn");
    let cancel = operation(
        "Cancel the turn that is under way, or was interrupted; answers with it when it is over",
        vec![id.clone()],
        None,
        Some(("200", turn)),
    );
    paths.insert(of_thread("/cancel"), json!({"post": cancel}));
    let resume = schemas.add::<chat::Resume>("ThreadResume");
    let resumed = answered(
        schemas,
        operation("Go on with the turn that was interrupted", vec![id], Some(resume), None),
    );
    paths.insert(of_thread("/resume"), json!({"post": resumed}));
}

/// An operation that is answered whole, or bit by bit when the request says so.
fn answered(schemas: &mut Schemas, mut operation: Value) -> Value {
    let answer = schemas.add::<chat::Answer>("ChatAnswer");
    let event = schemas.add::<chat::Event>("ChatEvent");
    let said = |name: &str, what: &str| json!({name: {"description": what, "schema": {"type": "string"}}});
    let mut headers = said(chat::THREAD_HEADER, "The thread.");
    if let (Some(headers), Value::Object(turn)) = (headers.as_object_mut(), said(chat::TURN_HEADER, "The turn.")) {
        headers.extend(turn);
    }
    operation["responses"]["200"] = json!({
        "description": "The answer; with `stream: true`, server-sent events.",
        "headers": headers,
        "content": {
            "application/json": {"schema": answer},
            "text/event-stream": {"schema": event},
        },
    });
    operation
}
