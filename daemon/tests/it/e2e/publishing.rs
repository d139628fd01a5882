//! Models and agents that clients publish from where they run: the real command line publishes them, and the real daemon has
//! them asked.

mod agents;
mod asking;
mod failover;
mod hibernating;
mod large;
mod lives;
mod rules;
mod several;
mod surviving;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::daemon::{Home, eventually};
use crate::support::far::Far;
use crate::support::http::{Answer, Request, Stream};

/// The key of the model that is published, which nobody but its publisher knows.
const KEY: &str = "sk-of-this-machine";

/// A model of somebody's machine.
fn local_model() -> Far {
    Far::start("orch-model", "--http", &["--key", KEY])
}

/// `orchctl provide`, at work until it is dropped.
struct Publisher {
    child: Child,
    log: PathBuf,
}

impl Publisher {
    /// Starts it, and waits for nothing.
    fn start(home: &Home, arguments: &[&str]) -> Self {
        Self::start_as(home, &home.token(), arguments)
    }

    /// Starts it for whoever has that token.
    fn start_as(home: &Home, token: &str, arguments: &[&str]) -> Self {
        let log = (0..).map(|number| home.path(&format!("publisher-{number}.log")));
        let log = log.into_iter().find(|log| !log.exists()).expect("a free name");
        let output = File::create(&log).expect("a log");
        let mut command = home.orchctl_command(&[&["provide"], arguments].concat());
        command
            .env("LOCAL_KEY", KEY)
            .env("ORCHCTL_TOKEN", token)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file"))
            .stderr(output);
        Self {
            child: command.spawn().expect("orchctl runs"),
            log,
        }
    }

    /// Publishes a model, and waits until it takes requests.
    fn of_model(home: &Home, name: &str, far: &Far, model: &str, more: &[&str]) -> Self {
        let url = far.url("");
        let arguments = [
            "llm",
            name,
            "--url",
            &url,
            "--model",
            model,
            "--api-key-env",
            "LOCAL_KEY",
        ];
        let publisher = Self::start(home, &[&arguments, more].concat());
        until(home, &format!("llms/{name}"), "active");
        publisher
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it as a crash would.
    fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Killing fails only when it has ended already.
        let _ended = self.child.kill();
        self.child.wait().expect("a child can be waited for");
    }

    /// Waits until it has ended by itself; its exit code.
    fn code(&mut self) -> i32 {
        let mut code = None;
        eventually("the publisher ends", || {
            code = self.child.try_wait().expect("a child can be waited for");
            code.is_some()
        });
        code.and_then(|status| status.code()).unwrap_or(-1)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if std::thread::panicking() {
            crate::support::daemon::say(&format!("the publisher said:\n{}", self.said()));
        }
        self.end();
    }
}

/// Where a published object stands.
fn state(home: &Home, path: &str) -> String {
    let answer = home.http("GET", &format!("/api/v1/{path}")).send();
    match answer.status {
        200 => answer.json()["status"]["publication"]["state"]
            .as_str()
            .unwrap_or("declared")
            .to_owned(),
        _ => "absent".to_owned(),
    }
}

/// Waits until a published object stands there.
#[track_caller]
fn until(home: &Home, path: &str, expected: &str) {
    eventually(&format!("{path} is {expected}"), || state(home, path) == expected);
}

/// What OpenAI's clients say.
fn chat(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hello"}]})
}

fn streamed(mut body: Value) -> Value {
    body["stream"] = json!(true);
    body
}

fn ask(home: &Home, body: &Value) -> Answer {
    home.http("POST", "/v1/chat/completions").json(body).send()
}

/// What was asked of a model of somebody's machine.
fn seen(far: &Far) -> Value {
    let address = far.url("").trim_start_matches("http://").parse().expect("an address");
    Request::new(address, "GET", "/seen").send().expect(200).json()
}

/// A machine principal with those grants, and its token.
fn machine(home: &Home, name: &str, grants: &Value) -> String {
    home.apply(&super::manifest("ServiceAccount", name, &json!({})));
    if *grants != json!([]) {
        let binding = json!({"subjects": [{"kind": "ServiceAccount", "name": name}], "grants": grants});
        home.apply(&super::manifest("RoleBinding", name, &binding));
    }
    let token = json!({
        "apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": name},
        "spec": {"serviceAccount": name, "rbac": "owner"},
    });
    let made = home
        .http("POST", "/api/v1/tokens")
        .json(&token)
        .send()
        .expect(201)
        .json();
    made["credential"].as_str().expect("a credential").to_owned()
}

/// A publisher that says exactly what it is told to, and nothing by itself.
struct Raw<'h> {
    home: &'h Home,
    token: String,
    session: String,
}

/// An offer of a model.
fn offer(name: &str, spec: &Value) -> Value {
    let mut whole = json!({"provider": "openai-compatible", "model": "m", "published": true});
    for (field, value) in spec.as_object().into_iter().flatten() {
        whole[field] = value.clone();
    }
    let manifest = json!({"apiVersion": "orchctl.dev/v1", "kind": "Llm", "metadata": {"name": name}, "spec": whole});
    json!({ "manifest": manifest })
}

impl<'h> Raw<'h> {
    fn register(home: &'h Home, offers: &[Value]) -> Self {
        let answer = Self::try_register(home, &home.token(), None, offers).expect(200);
        Self {
            home,
            token: home.token(),
            session: answer.json()["session"].as_str().expect("a session").to_owned(),
        }
    }

    fn try_register(home: &Home, token: &str, session: Option<&str>, offers: &[Value]) -> Answer {
        let request = home.http("POST", "/api/v1/publishers").token(token);
        let request = match session {
            Some(session) => request.header("X-Orch-Publisher", session),
            None => request,
        };
        request.json(&json!({ "objects": offers })).send()
    }

    fn request(&self, method: &str, rest: &str) -> Request {
        let request = self.home.http(method, &format!("/api/v1/publishers{rest}"));
        request.token(&self.token).header("X-Orch-Publisher", &self.session)
    }

    fn heartbeat(&self, llms: &Value) -> Answer {
        self.request("POST", "/heartbeat").json(&json!({ "llms": llms })).send()
    }

    fn listen(&self) -> Stream {
        let mut stream = self.request("GET", "/stream").stream();
        assert_eq!(stream.status, 200);
        assert_eq!(stream.line().as_deref(), Some("event: hello"));
        stream
    }

    /// Answers a task: its head, and then that.
    fn answer(&self, id: &str, head: &Value, body: &str) -> Answer {
        let text = format!("{head}\n{body}");
        let request = self.request("POST", &format!("/tasks/{id}"));
        request
            .header("Content-Type", "application/octet-stream")
            .body(text.into_bytes())
            .send()
    }
}

/// The next event of that type on a stream: its data.
#[track_caller]
fn told(stream: &mut Stream, event: &str) -> Value {
    loop {
        let line = stream
            .line()
            .unwrap_or_else(|| panic!("the stream ends before `{event}`"));
        if line == format!("event: {event}") {
            return stream.event().expect("data").1;
        }
    }
}

/// A program of the workspace.
fn program(name: &str) -> String {
    Path::new(env!("CARGO_BIN_EXE_orchd"))
        .with_file_name(name)
        .display()
        .to_string()
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
