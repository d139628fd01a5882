//! The addresses of publishers: clients that offer models and agents from where they run.

use orch_shared::{publishing, route};
use serde_json::{Map, Value, json};

use super::{Schemas, in_path, operation};

pub(super) fn describe(schemas: &mut Schemas, paths: &mut Map<String, Value>) {
    let session = |description: &str, required: bool| {
        json!({
            "name": publishing::SESSION, "in": "header", "required": required, "description": description,
            "schema": {"type": "string"},
        })
    };
    let shown = || session("The id of the session, as the registration has told it.", true);
    let register = operation(
        "Publish models and agents; goes on with the session that is shown",
        vec![session(
            "The session to go on with; without it a new one begins.",
            false,
        )],
        Some(schemas.add::<publishing::Registration>("Registration")),
        Some(("200", schemas.add::<publishing::Registered>("Registered"))),
    );
    paths.insert(route::PUBLISHERS.into(), json!({"post": register}));
    let heartbeat = operation(
        "Say that the publisher is there, and where its models stand",
        vec![shown()],
        Some(schemas.add::<publishing::Heartbeat>("Heartbeat")),
        Some(("200", schemas.add::<publishing::Heard>("Heard"))),
    );
    paths.insert(route::PUBLISHER_HEARTBEAT.into(), json!({"post": heartbeat}));
    let mut stream = operation(
        "What the publisher is to do, as server-sent events: hello, task, wake, cancel",
        vec![shown()],
        None,
        None,
    );
    let told = [
        schemas.add::<publishing::Hello>("PublisherHello"),
        schemas.add::<publishing::Task>("PublisherTask"),
        schemas.add::<publishing::Wake>("PublisherWake"),
        schemas.add::<publishing::Cancel>("PublisherCancel"),
    ];
    stream["responses"]["200"] = json!({
        "description": "Events, each with the data of its type. The publisher is gone when the stream ends.",
        "content": {"text/event-stream": {"schema": {"anyOf": told}}},
    });
    paths.insert(route::PUBLISHER_STREAM.into(), json!({"get": stream}));
    let mut answer = operation(
        "Answer a task of the stream",
        vec![in_path("id", "The task."), shown()],
        None,
        None,
    );
    let head = schemas.add::<publishing::Head>("PublisherHead");
    answer["requestBody"] = json!({
        "required": true,
        "description": "The first line is JSON: the status and the headers of the model's answer, or an error. What follows that \
                        line is the body of the answer, as it comes; it is over when the request is.",
        "content": {"application/octet-stream": {"schema": head}},
    });
    if let Some(responses) = answer["responses"].as_object_mut() {
        responses.shift_remove("200");
        responses.insert("204".to_owned(), json!({"description": "All of it was taken."}));
    }
    paths.insert(route::publisher_task("{id}"), json!({"post": answer}));
}
