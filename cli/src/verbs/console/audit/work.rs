//! What the audit console has others do, on threads of their own: sessions, pages of entries, and those that come.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orch_shared::audit::{Entries, Entry, Parameters, SessionParameters, Sessions};
use orch_shared::resource::Timestamp;
use orch_shared::route;
use serde::de::DeserializeOwned;

use super::state::{Effect, Input, Node, Preset};
use crate::client::mcp::Interrupt;
use crate::client::{Call, Client};
use crate::render::age;
use crate::verbs::console::work::{lock, quiet, said};

/// So many entries are asked for at once.
const PAGE: u32 = 200;
/// How often the sessions are asked for again.
const TICK: Duration = Duration::from_secs(3);
/// Between tries to hear the daemon again.
const PAUSE: Duration = Duration::from_secs(1);

/// Whoever does the work.
pub(super) struct Worker {
    client: Client,
    inputs: Sender<Input>,
    following: Arc<Mutex<Following>>,
}

/// What is followed.
#[derive(Default)]
struct Following {
    number: u64,
    interrupt: Option<Interrupt>,
}

impl Worker {
    pub(super) fn new(client: &Client, inputs: Sender<Input>) -> Self {
        Self {
            client: client.another(),
            inputs,
            following: Arc::default(),
        }
    }

    /// Tells that time passes, until nobody listens.
    pub(super) fn keep_time(&self) {
        let inputs = self.inputs.clone();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(TICK);
                if inputs.send(Input::Tick).is_err() {
                    return;
                }
            }
        });
    }

    /// Begins to do that.
    pub(super) fn run(&self, effect: Effect, now: Timestamp) {
        let from = |preset: Preset| match preset {
            Preset::All => None,
            Preset::Today | Preset::Hour | Preset::Day | Preset::Week => age::point(now, preset.as_str()),
        };
        match effect {
            Effect::Sessions(number, preset) => {
                let parameters = SessionParameters {
                    from: from(preset),
                    limit: Some(1000),
                    ..SessionParameters::default()
                };
                let call = Call::get(route::AUDIT_SESSIONS).query(&parameters);
                self.ask(call, move |sessions: Result<Sessions, String>| {
                    Input::Sessions(number, sessions.map(|sessions| sessions.items))
                });
            }
            Effect::Newest(number, preset, node) => {
                let parameters = Parameters {
                    from: from(preset),
                    limit: Some(PAGE),
                    ..within(node)
                };
                let call = Call::get(route::AUDIT).query(&parameters);
                self.ask(call, move |page: Result<Entries, String>| Input::Newest(number, page));
            }
            Effect::Older(number, preset, node, before) => {
                let parameters = Parameters {
                    from: from(preset),
                    before: Some(before),
                    limit: Some(PAGE),
                    ..within(node)
                };
                let call = Call::get(route::AUDIT).query(&parameters);
                self.ask(call, move |page: Result<Entries, String>| Input::Older(number, page));
            }
            Effect::Follow(number, node, after) => self.follow(number, node, after),
            // The loop ends by itself.
            Effect::Quit => {}
        }
    }

    fn ask<T: DeserializeOwned + 'static>(
        &self,
        call: Call,
        input: impl FnOnce(Result<T, String>) -> Input + Send + 'static,
    ) {
        let (client, inputs) = (self.client.another(), self.inputs.clone());
        std::thread::spawn(move || {
            let answer = client.send(&quiet(), &call).and_then(|answer| answer.json::<T>());
            inputs.send(input(answer.map_err(|failure| said(&failure))))
        });
    }

    fn follow(&self, number: u64, node: Node, after: i64) {
        let earlier = {
            let mut following = lock(&self.following);
            following.number = number;
            following.interrupt.take()
        };
        if let Some(earlier) = earlier {
            earlier.now();
        }
        let (client, following, inputs) = (self.client.another(), Arc::clone(&self.following), self.inputs.clone());
        std::thread::spawn(move || {
            let mut last = after;
            loop {
                let parameters = Parameters {
                    watch: Some("1".to_owned()),
                    after: Some(last),
                    ..within(node.clone())
                };
                let endpoint = client.endpoint(Call::get(route::AUDIT).query(&parameters).address());
                let line = endpoint.line();
                {
                    let mut following = lock(&following);
                    if following.number != number {
                        return;
                    }
                    following.interrupt = Some(line.interrupt());
                }
                let why = match endpoint.listen(&line, &[]) {
                    Ok(reply) if reply.is_success() && reply.is_stream() => {
                        for event in reply.events() {
                            let Ok(entry) = serde_json::from_str::<Entry>(&event.data) else {
                                continue;
                            };
                            last = entry.sequence;
                            if inputs.send(Input::Entry(number, Box::new(entry))).is_err() {
                                return;
                            }
                        }
                        "the stream has ended; trying again".to_owned()
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

/// What is asked for of a line of the sidebar. That something belongs to no project, or to no session, cannot be asked for;
/// the state looks at that itself.
fn within(node: Node) -> Parameters {
    let (project, user, session) = match node {
        Node::Everything => (None, None, None),
        Node::Project(project) => (project, None, None),
        Node::User(project, user) => (project, Some(user), None),
        Node::Session(project, user, session) => (project, Some(user), session),
    };
    Parameters {
        project,
        user: user.filter(|user| !user.is_empty()),
        session,
        ..Parameters::default()
    }
}
