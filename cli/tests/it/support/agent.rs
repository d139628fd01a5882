//! A daemon of a few lines with an agent that says what it is told to say. Unlike [`super::daemon`] it serves several
//! connections at once, so that turns can be cancelled while they are under way.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One thing that happens in a turn.
pub(crate) enum Step {
    /// An event is told.
    Event(Value),
    /// Bytes are sent as they are.
    Bytes(&'static str),
    /// Nothing, until somebody cancels; then that is told.
    UntilCancelled,
    /// Nothing, until the client hangs up.
    UntilHungUp,
}

/// One request, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// `POST /api/v1/agents/reviewer/chat`.
    pub(crate) line: String,
    pub(crate) body: Value,
}

#[derive(Default)]
struct State {
    turns: Mutex<VecDeque<Vec<Step>>>,
    answers: Mutex<HashMap<String, (u16, Value)>>,
    heard: Mutex<Vec<Heard>>,
    hung_up: Mutex<usize>,
    something: Condvar,
}

/// The daemon.
pub(crate) struct Agent {
    pub(crate) address: String,
    state: Arc<State>,
}

impl Agent {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let state: Arc<State> = Arc::default();
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&serving);
                std::thread::spawn(move || serve(&state, stream));
            }
        });
        let agent = Self { address, state };
        // Who begins a conversation looks whether it can be.
        agent.answers("GET /api/v1/agents/reviewer/threads?limit=1", 200, json!({"items": []}));
        agent
    }

    /// What happens in the next turn that nothing was said about.
    pub(crate) fn turn(&self, steps: impl IntoIterator<Item = Step>) -> &Self {
        let mut turns = self.state.turns.lock().expect("no test panics in here");
        turns.push_back(steps.into_iter().collect());
        self
    }

    /// What is answered to that request, each time.
    pub(crate) fn answers(&self, line: &str, status: u16, body: Value) -> &Self {
        let mut answers = self.state.answers.lock().expect("no test panics in here");
        answers.insert(line.to_owned(), (status, body));
        self
    }

    /// What it was asked so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.state.heard.lock().expect("no test panics in here").clone()
    }

    /// The bodies of what was asked with that line.
    pub(crate) fn bodies(&self, line: &str) -> Vec<Value> {
        let heard = self.heard().into_iter();
        heard
            .filter(|heard| heard.line == line)
            .map(|heard| heard.body)
            .collect()
    }

    /// Waits until so many clients have hung up in the middle of a turn.
    pub(crate) fn until_hung_up(&self, count: usize) {
        let hung_up = self.state.hung_up.lock().expect("no test panics in here");
        let (hung_up, waited) = self
            .state
            .something
            .wait_timeout_while(hung_up, PATIENCE, |hung_up| *hung_up < count)
            .expect("no test panics in here");
        assert!(!waited.timed_out(), "{hung_up} have hung up");
    }

    /// Waits until that was asked.
    pub(crate) fn until_heard(&self, line: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.bodies(line).is_empty() {
            assert!(Instant::now() < deadline, "{line} was not asked: {:?}", self.heard());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// That a turn has begun.
pub(crate) fn begun(thread: &str, turn: u32) -> Step {
    Step::Event(json!({"type": "turn", "threadId": thread, "turn": turn}))
}

/// A piece of what the model says.
pub(crate) fn text(iteration: u32, text: &str) -> Step {
    Step::Event(json!({"type": "text", "iteration": iteration, "text": text}))
}

/// A piece of what it thinks.
pub(crate) fn thinking(text: &str) -> Step {
    Step::Event(json!({"type": "thinking", "iteration": 1, "text": text}))
}

/// An answer as a whole.
pub(crate) fn answer(thread: &str, turn: u32, assistant: &str) -> Value {
    json!({
        "threadId": thread, "turn": turn, "assistant": assistant, "stopReason": "stop",
        "usage": {"inputTokens": 1204, "cachedTokens": 0, "outputTokens": 80, "iterations": 1, "toolCalls": 0, "tookMs": 1500},
    })
}

/// The end of a turn that came to something.
pub(crate) fn last(thread: &str, turn: u32, assistant: &str) -> Step {
    let mut event = answer(thread, turn, assistant);
    event["type"] = "final".into();
    Step::Event(event)
}

/// The end of one that did not.
pub(crate) fn error(thread: &str, turn: u32, code: &str, detail: &str, suggestion: Option<&str>) -> Step {
    let mut problem = json!({"type": "about:blank", "title": "t", "status": 500, "code": code, "detail": detail});
    if let Some(suggestion) = suggestion {
        problem["suggestion"] = suggestion.into();
    }
    Step::Event(json!({"type": "error", "threadId": thread, "turn": turn, "problem": problem}))
}

fn serve(state: &State, mut stream: TcpStream) {
    let Some(heard) = request(&stream) else { return };
    let begins = heard.line.ends_with("/chat") || heard.line.ends_with("/resume");
    state.heard.lock().expect("no test panics in here").push(heard.clone());
    state.something.notify_all();
    let known = state
        .answers
        .lock()
        .expect("no test panics in here")
        .get(&heard.line)
        .cloned();
    let turn = match known {
        None if begins => state.turns.lock().expect("no test panics in here").pop_front(),
        Some(_) | None => None,
    };
    if let Some(steps) = turn {
        let head = "HTTP/1.1 200 Ok\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        for step in steps {
            play(state, &mut stream, step);
        }
        return;
    }
    let missing = || {
        let detail = format!("there is nothing at {}", heard.line);
        (
            404,
            json!({"type": "about:blank", "title": "t", "status": 404, "code": "ORCH3001", "detail": detail}),
        )
    };
    let (status, body) = known.unwrap_or_else(missing);
    let body = body.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} Told\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
}

fn play(state: &State, stream: &mut TcpStream, step: Step) {
    // A client that has heard enough hangs up; that is its right.
    match step {
        Step::Event(event) => {
            let name = event["type"].as_str().unwrap_or_default().to_owned();
            let _ = stream.write_all(format!("event: {name}\ndata: {event}\n\n").as_bytes());
        }
        Step::Bytes(bytes) => drop(stream.write_all(bytes.as_bytes())),
        Step::UntilCancelled => {
            let heard = state.heard.lock().expect("no test panics in here");
            let is_cancelled = |heard: &mut Vec<Heard>| !heard.iter().any(|heard| heard.line.ends_with("/cancel"));
            drop(state.something.wait_timeout_while(heard, PATIENCE, is_cancelled));
            play(
                state,
                stream,
                error("t-1", 1, "ORCH6043", "the turn was cancelled", None),
            );
        }
        Step::UntilHungUp => {
            let _ = stream.set_read_timeout(Some(PATIENCE));
            if matches!(stream.read(&mut [0; 1]), Ok(0)) {
                *state.hung_up.lock().expect("no test panics in here") += 1;
                state.something.notify_all();
            }
        }
    }
}

fn request(stream: &TcpStream) -> Option<Heard> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Heard {
        line: first.trim_end().trim_end_matches(" HTTP/1.1").to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}
