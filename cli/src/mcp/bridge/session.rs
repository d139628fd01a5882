//! The session of a client of an older revision: begun, listened to, told things, and begun anew when the gateway has lost
//! it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use orch_shared::jsonrpc::{Id, Members, Message, Notification, Outcome, Raw, Request, Response};
use serde_json::{Value, json};

use super::{Bridge, PAUSE, STARTING};
use crate::client::mcp::{SESSION, Trouble};
use crate::mcp::message::PROTOCOL;

/// Statuses with which a gateway says that there is nothing to listen to.
const NOTHING_TO_HEAR: [u16; 3] = [400, 405, 501];

/// What is known of the session.
#[derive(Debug, Default)]
pub(super) struct Session {
    id: Option<String>,
    protocol: Option<String>,
    /// How often it was begun.
    pub(super) generation: u64,
    /// What the client greeted with.
    greeting: Option<Raw>,
    capabilities: Value,
    level: Option<Raw>,
    subscriptions: BTreeMap<String, Raw>,
    listening: Option<u64>,
}

impl Session {
    /// Whether a client of an older revision has greeted.
    pub(super) const fn is_begun(&self) -> bool {
        self.protocol.is_some()
    }

    /// What tells the gateway whose message it is.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let id = self.id.iter().map(|id| (SESSION.to_owned(), id.clone()));
        let protocol = self
            .protocol
            .iter()
            .map(|version| (PROTOCOL.to_owned(), version.clone()));
        id.chain(protocol).collect()
    }

    /// Takes in that it has begun.
    pub(super) fn begin(&mut self, greeting: Option<Raw>, id: Option<String>, result: &Raw) {
        let members = Members::of(result).unwrap_or_default();
        self.id = id;
        self.protocol = members.text("protocolVersion");
        self.capabilities = members
            .get("capabilities")
            .and_then(|capabilities| serde_json::from_str(capabilities.get()).ok())
            .unwrap_or_default();
        self.greeting = greeting;
        self.generation += 1;
    }

    /// Remembers what must be said again in a new session.
    pub(super) fn remember(&mut self, request: &Request) {
        let Some(params) = &request.params else { return };
        let uri = || Members::of_params(Some(params)).text("uri");
        match (request.method.as_str(), uri()) {
            ("logging/setLevel", _) => self.level = Some(params.clone()),
            ("resources/subscribe", Some(uri)) => {
                self.subscriptions.insert(uri, params.clone());
            }
            ("resources/unsubscribe", Some(uri)) => {
                self.subscriptions.remove(&uri);
            }
            _ => {}
        }
    }

    /// What must be said again in a new session.
    fn remembered(&self) -> Vec<(&'static str, Raw)> {
        let level = self.level.iter().map(|params| ("logging/setLevel", params.clone()));
        let subscriptions = self.subscriptions.values();
        level
            .chain(subscriptions.map(|params| ("resources/subscribe", params.clone())))
            .collect()
    }

    /// What may be other than it was, as the client is told.
    fn changes(&self) -> Vec<&'static str> {
        [
            ("tools", "notifications/tools/list_changed"),
            ("prompts", "notifications/prompts/list_changed"),
            ("resources", "notifications/resources/list_changed"),
        ]
        .into_iter()
        .filter(|(part, _)| self.capabilities[part]["listChanged"] == true)
        .map(|(_, method)| method)
        .collect()
    }
}

impl Bridge {
    /// Tells the gateway something that wants no answer.
    pub(super) fn tell(self: &Arc<Self>, message: &Message) {
        for _ in 0..2 {
            let (mut headers, generation) = {
                let session = self.session();
                (session.headers(), session.generation)
            };
            if headers.is_empty() {
                let modern = self.modern.lock().unwrap_or_else(PoisonError::into_inner);
                headers.extend(modern.iter().map(|version| (PROTOCOL.to_owned(), version.clone())));
            }
            let line = self.endpoint.line();
            let sent = self.watched(&line, || {
                let reply = self.endpoint.post(&line, &headers, &message.to_json())?;
                // Reading it to its end lets the line be used again.
                Ok::<_, Trouble>((reply.status, reply.is_success(), reply.whole().is_ok()))
            });
            match sent {
                Ok((404, ..)) if self.session().is_begun() => {
                    if self.begin_anew(generation).is_err() {
                        return;
                    }
                }
                Ok((status, is_success, is_read)) => {
                    if !is_success {
                        self.journal
                            .event(&format!("the gateway answered {status} to what it was told"));
                    }
                    if is_read {
                        self.endpoint.give_back(line);
                    }
                    return;
                }
                Err(trouble) => {
                    self.journal.event(&format!("the gateway could not be told: {trouble}"));
                    return;
                }
            }
        }
    }

    /// Begins the session anew, unless somebody has since that generation.
    pub(super) fn begin_anew(self: &Arc<Self>, generation: u64) -> Result<(), String> {
        let _held = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
        let greeting = {
            let session = self.session();
            if session.generation != generation {
                return Ok(());
            }
            session.greeting.clone()
        };
        self.journal.event("the gateway has lost the session; it is begun anew");
        let request = Request {
            id: Id::text(&format!("orchctl-{generation}")),
            method: "initialize".to_owned(),
            params: greeting.clone(),
        };
        let (result, id) = self.quietly(&request, &[])?;
        let (headers, remembered, changes) = {
            let mut session = self.session();
            session.begin(greeting, id, &result);
            (session.headers(), session.remembered(), session.changes())
        };
        let initialized = Message::Notification(Notification {
            method: "notifications/initialized".to_owned(),
            params: None,
        });
        let line = self.endpoint.line();
        if let Ok(reply) = self.endpoint.post(&line, &headers, &initialized.to_json())
            && reply.whole().is_ok()
        {
            self.endpoint.give_back(line);
        }
        for (number, (method, params)) in remembered.into_iter().enumerate() {
            let request = Request {
                id: Id::text(&format!("orchctl-{generation}-{number}")),
                method: method.to_owned(),
                params: Some(params),
            };
            if let Err(why) = self.quietly(&request, &headers) {
                self.journal.event(&format!("{method} was not taken up again: {why}"));
            }
        }
        for method in changes {
            let news = Message::Notification(Notification {
                method: method.to_owned(),
                params: None,
            });
            self.write(&news, &news.to_json());
        }
        self.listen();
        Ok(())
    }

    /// Asks something that the client does not know of; what is said beside the answer is handed on.
    fn quietly(&self, request: &Request, headers: &[(String, String)]) -> Result<(Raw, Option<String>), String> {
        let line = self.endpoint.line();
        let text = Message::Request(request.clone()).to_json();
        let (status, session, texts) = self
            .watched(&line, || {
                let reply = self.endpoint.post(&line, headers, &text)?;
                let (status, session) = (reply.status, reply.session.clone());
                let texts: Vec<String> = match reply.is_stream() {
                    true => reply.events().map(|event| event.data).collect(),
                    false => vec![reply.whole()?],
                };
                Ok::<_, Trouble>((status, session, texts))
            })
            .map_err(|trouble| trouble.to_string())?;
        self.endpoint.give_back(line);
        for text in texts {
            match Message::parse(text.as_bytes()) {
                Ok(Message::Response(Response { outcome, .. })) => {
                    return match outcome {
                        Outcome::Result(result) => Ok((result, session)),
                        Outcome::Error(_) => Err(outcome.message().unwrap_or_default()),
                    };
                }
                Ok(message) => self.write(&message, &text),
                Err(_) => {}
            }
        }
        Err(format!("the gateway answered {status}"))
    }

    /// Hears what the gateway says without being asked, on a thread of its own, as long as the session lasts.
    pub(super) fn listen(self: &Arc<Self>) {
        let generation = {
            let mut session = self.session();
            if !session.is_begun() || session.listening == Some(session.generation) {
                return;
            }
            session.listening = Some(session.generation);
            session.generation
        };
        let bridge = Arc::clone(self);
        std::thread::spawn(move || bridge.hear(generation));
    }

    fn hear(self: &Arc<Self>, generation: u64) {
        let mut last_event: Option<String> = None;
        let mut pause = PAUSE;
        while !self.is_over() {
            let mut headers = {
                let session = self.session();
                if session.generation != generation {
                    return;
                }
                session.headers()
            };
            headers.extend(last_event.iter().map(|id| ("last-event-id".to_owned(), id.clone())));
            let line = self.endpoint.line();
            self.work().listener = Some(line.interrupt());
            match self.endpoint.listen(&line, &headers) {
                Ok(reply) if reply.status == 404 => {
                    match self.begin_anew(generation) {
                        Ok(()) => return,
                        Err(why) => self.journal.event(&format!("no session could be begun: {why}")),
                    };
                }
                Ok(reply) if NOTHING_TO_HEAR.contains(&reply.status) => return,
                Ok(reply) if reply.is_success() && reply.is_stream() => {
                    pause = PAUSE;
                    for event in reply.events() {
                        if event.id.is_some() {
                            last_event.clone_from(&event.id);
                        }
                        if let Ok(message) = Message::parse(event.data.as_bytes()) {
                            self.write(&message, &event.data);
                        }
                    }
                }
                Ok(reply) => self
                    .journal
                    .event(&format!("the gateway answered {} to who listens", reply.status)),
                Err(trouble) => self
                    .journal
                    .event(&format!("nothing is heard of the gateway: {trouble}")),
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSE * 20);
        }
    }

    /// Waits for a daemon that is being started anew; says whether it is worth another try.
    pub(super) fn is_worth_waiting(&self, trouble: &Trouble, since: std::time::Instant) -> bool {
        let goes_on = matches!(trouble, Trouble::Absent(_)) && since.elapsed() < STARTING && !self.is_over();
        if goes_on {
            std::thread::sleep(PAUSE);
        }
        goes_on
    }
}

/// Why a request came to nothing, and what to do about it.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) why: String,
    pub(super) hint: &'static str,
}

impl Failed {
    /// Something between here and an answer is amiss.
    pub(super) fn new(why: impl Into<String>) -> Self {
        let hint = "is the daemon running? orchctl doctor";
        Self { why: why.into(), hint }
    }

    /// The gateway has refused it with that status.
    pub(super) fn refused(status: u16, why: String) -> Self {
        match status {
            401 | 403 => {
                let hint = "whose token is used: orchctl whoami; another one: orchctl login, or ORCHCTL_TOKEN";
                Self { why, hint }
            }
            _ => Self::new(why),
        }
    }

    /// The error that says so.
    pub(super) fn outcome(&self) -> Outcome {
        Outcome::error_with(-32000, &self.why, &json!({"hint": self.hint}))
    }
}
