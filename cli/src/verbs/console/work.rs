//! What the console has others do, on threads of their own: lists, calls, and watching a session.
//!
//! Enters: [`Effect`]s. Leaves: [`Input`]s on the channel, whenever they come. At most one call and one watch are under way.

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_shared::route;
use orch_shared::session::{Sessions, Traffic};
use serde_json::{Value, json};

use super::state::{Effect, Input};
use crate::client::mcp::Interrupt;
use crate::client::{Call, Client};
use crate::mcp::dialogue::{Dialogue, Host};
use crate::mcp::target::Target;
use crate::report::Failure;
use crate::ui::{Color, NoColor, Talk, Ui};

/// Between tries to hear a session again.
const PAUSE: Duration = Duration::from_secs(1);

/// Whoever does the work.
pub(super) struct Worker {
    client: Client,
    target: Target,
    inputs: Sender<Input>,
    /// How to end the call that is under way, and to answer what its server asks.
    call: Arc<Mutex<Option<Interrupt>>>,
    answers: RefCell<Option<Sender<Value>>>,
    watch: Arc<Mutex<Watch>>,
}

/// The session that is watched.
#[derive(Default)]
struct Watch {
    number: u64,
    interrupt: Option<Interrupt>,
}

impl Worker {
    pub(super) fn new(client: &Client, target: Target, inputs: Sender<Input>) -> Self {
        Self {
            client: client.another(),
            target,
            inputs,
            call: Arc::default(),
            answers: RefCell::default(),
            watch: Arc::default(),
        }
    }

    /// Begins to do that.
    pub(super) fn run(&self, effect: Effect) {
        match effect {
            Effect::ListTools => self.list_tools(),
            Effect::Call(number, name, arguments) => self.call(number, name, arguments),
            Effect::Cancel => {
                self.answers.take();
                if let Some(interrupt) = lock(&self.call).take() {
                    interrupt.now();
                }
            }
            Effect::Answer(answer) => {
                if let Some(answers) = self.answers.borrow().as_ref() {
                    // A call that has ended meanwhile needs none.
                    let _ = answers.send(answer);
                }
            }
            Effect::ListSessions => self.list_sessions(),
            Effect::Watch(number, session) => self.watch(number, &session),
            // The loop ends by itself.
            Effect::Quit => {}
        }
    }

    fn list_tools(&self) {
        let dialogue = Dialogue::new(self.client.endpoint(&self.target.path()));
        let inputs = self.inputs.clone();
        std::thread::spawn(move || {
            let host = Caller::of(&inputs, 0);
            let tools = dialogue.tools(&host).map(|tools| tools.read());
            inputs.send(Input::Tools(tools.map_err(|failure| said(&failure))))
        });
    }

    fn call(&self, number: u64, name: String, arguments: Value) {
        let dialogue = Dialogue::new(self.client.endpoint(&self.target.path()));
        let (sender, receiver) = channel();
        self.answers.replace(Some(sender));
        let host = Caller {
            number,
            inputs: self.inputs.clone(),
            answers: Some(receiver),
            call: Some(Arc::clone(&self.call)),
        };
        std::thread::spawn(move || {
            let result = dialogue.call(&name, &arguments, &host);
            let result = result.map(|raw| serde_json::from_str(raw.get()).unwrap_or_default());
            host.inputs
                .send(Input::Done(number, result.map_err(|failure| said(&failure))))
        });
    }

    fn list_sessions(&self) {
        let Target::Project(project) = &self.target else { return };
        let (client, inputs, call) = (
            self.client.another(),
            self.inputs.clone(),
            Call::get(route::sessions(project)),
        );
        std::thread::spawn(move || {
            let answer = client
                .send(&quiet(), &call)
                .and_then(|answer| answer.json::<Sessions>());
            let sessions = answer.map(|sessions| sessions.items);
            inputs.send(Input::Sessions(sessions.map_err(|failure| said(&failure))))
        });
    }

    fn watch(&self, number: u64, session: &str) {
        let Target::Project(project) = &self.target else { return };
        let earlier = {
            let mut watch = lock(&self.watch);
            watch.number = number;
            watch.interrupt.take()
        };
        if let Some(earlier) = earlier {
            earlier.now();
        }
        let endpoint = self.client.endpoint(&route::traffic(project, session));
        let (watch, inputs) = (Arc::clone(&self.watch), self.inputs.clone());
        std::thread::spawn(move || {
            let mut last_event: Option<String> = None;
            loop {
                let line = endpoint.line();
                {
                    let mut watch = lock(&watch);
                    if watch.number != number {
                        return;
                    }
                    watch.interrupt = Some(line.interrupt());
                }
                let headers: Vec<_> = last_event
                    .iter()
                    .map(|id| ("last-event-id".to_owned(), id.clone()))
                    .collect();
                let why = match endpoint.listen(&line, &headers) {
                    Ok(reply) if reply.is_success() && reply.is_stream() => {
                        for event in reply.events() {
                            if event.id.is_some() {
                                last_event.clone_from(&event.id);
                            }
                            let Ok(message) = serde_json::from_str::<Traffic>(&event.data) else {
                                continue;
                            };
                            if inputs.send(Input::Traffic(number, Box::new(message))).is_err() {
                                return;
                            }
                        }
                        "the stream has ended; trying again".to_owned()
                    }
                    Ok(reply) if reply.status == 404 => {
                        // Nobody waits when the console has ended.
                        let _ = inputs.send(Input::Unheard(number, "the session is over".to_owned()));
                        return;
                    }
                    Ok(reply) => format!("the daemon answered {}", reply.status),
                    Err(trouble) => trouble.to_string(),
                };
                if inputs.send(Input::Unheard(number, why)).is_err() {
                    return;
                }
                std::thread::sleep(PAUSE);
            }
        });
    }
}

/// Who calls from the console.
struct Caller {
    number: u64,
    inputs: Sender<Input>,
    answers: Option<Receiver<Value>>,
    call: Option<Arc<Mutex<Option<Interrupt>>>>,
}

impl Caller {
    fn of(inputs: &Sender<Input>, number: u64) -> Self {
        Self {
            number,
            inputs: inputs.clone(),
            answers: None,
            call: None,
        }
    }

    fn tell(&self, text: String) {
        // A console that has ended needs to know nothing.
        let _ = self.inputs.send(Input::Progress(self.number, text));
    }
}

impl Host for Caller {
    fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>) {
        let message = message.unwrap_or("under way");
        self.tell(match total {
            Some(total) => format!("{message} ({done}/{total})"),
            None => format!("{message} ({done})"),
        });
    }

    fn log(&self, level: &str, text: &str) {
        self.tell(format!("{level}: {text}"));
    }

    fn elicit(&self, params: &Value) -> Value {
        let declined = json!({"action": "decline"});
        let Some(answers) = &self.answers else { return declined };
        if self.inputs.send(Input::Question(self.number, params.clone())).is_err() {
            return declined;
        }
        // The sender goes when the call is cancelled.
        answers.recv().unwrap_or_else(|_| json!({"action": "cancel"}))
    }

    fn started(&self, interrupt: Interrupt) {
        if let Some(call) = &self.call {
            *lock(call) = Some(interrupt);
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A failure in a line, with its way out.
pub(super) fn said(failure: &Failure) -> String {
    match failure {
        Failure::Problem(problem) => match &problem.suggestion {
            Some(suggestion) => format!("{}; {suggestion}", problem.detail),
            None => problem.detail.clone(),
        },
        other => other.to_string(),
    }
}

/// Whoever says nothing: the terminal is the console's.
pub(super) fn quiet() -> Ui {
    Ui::new(Color::Never, Talk::Quiet, NoColor::Set)
}
