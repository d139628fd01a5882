//! One request of the client, from its sending to its answer.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use orch_shared::jsonrpc::{Id, Message, Outcome, Request, Response};
use orch_shared::problem::Problem;

use super::Bridge;
use super::session::Failed;
use crate::client::mcp::{Line, Reply, Trouble};
use crate::mcp::message::{self, HEADER_MISMATCH, NO_SESSION};

/// How often a request is sent again, after a session or a header was put right.
const AGAIN: u32 = 3;
/// So often in a row a stream is taken up again on which nothing comes.
const IN_VAIN: u32 = 3;

/// What is said of a request that was not answered when the client's end was closed, and for a while after.
pub(super) const ENDED: &str =
    "the input has ended, and the answer did not come in time; what was asked may have been done";

/// How an exchange ended.
enum End {
    /// The answer was written.
    Answered,
    /// It is to be sent once more.
    Again,
    /// It came to nothing.
    Failed(Failed),
}

/// What a request is sent with.
struct Sending<'r> {
    request: &'r Request,
    /// The revision, when it is one without sessions.
    version: Option<String>,
    generation: u64,
}

impl Bridge {
    /// Asks, and writes the answer.
    pub(super) fn ask(self: &Arc<Self>, request: Request) {
        let id = request.id.clone();
        let outcome = self.exchange(&request);
        let mut work = self.work();
        work.interrupts.remove(&id);
        let is_open = work.under_way.remove(&id);
        let was_cancelled = work.cancelled.remove(&id);
        drop(work);
        if let Err(failed) = outcome
            && !was_cancelled
            && is_open
        {
            let why = &failed.why;
            self.journal.event(&format!("{} id={id} failed: {why}", request.method));
            self.answer(Some(id), failed.outcome());
        }
    }

    fn exchange(self: &Arc<Self>, request: &Request) -> Result<(), Failed> {
        let version = message::version(request);
        if let Some(version) = &version {
            *self.modern.lock().unwrap_or_else(PoisonError::into_inner) = Some(version.clone());
        } else {
            self.session().remember(request);
        }
        let text = Message::Request(request.clone()).to_json();
        let since = Instant::now();
        let mut tries = 0;
        let mut absent = None;
        loop {
            let (headers, generation) = self.headers(request, version.as_deref());
            let sending = Sending {
                request,
                version: version.clone(),
                generation,
            };
            let line = self.endpoint.line();
            if !self.note(&request.id, &line) {
                return Err(absent.unwrap_or_else(|| Failed::new(ENDED)));
            }
            let end = match self.endpoint.post(&line, &headers, &text) {
                Ok(reply) => self.receive(&sending, reply, &line),
                Err(trouble) if self.is_worth_waiting(&trouble, since) => {
                    absent = Some(told(&trouble));
                    continue;
                }
                Err(Trouble::BrokenOff(_)) if message::is_safe(&request.method) && tries == 0 => End::Again,
                Err(trouble) => End::Failed(told(&trouble)),
            };
            match end {
                End::Answered => {
                    // A line that was interrupted is of no use any more.
                    if self.work().interrupts.remove(&request.id).is_some() {
                        self.endpoint.give_back(line);
                    }
                    return Ok(());
                }
                End::Again if tries < AGAIN => tries += 1,
                End::Again => return Err(Failed::new("the gateway does not keep a session")),
                End::Failed(why) => return Err(why),
            }
        }
    }

    /// Notes how the request can be ended; not when the client no longer wants it.
    fn note(&self, id: &Id, line: &Line) -> bool {
        let mut work = self.work();
        if work.cancelled.contains(id) || self.is_over() {
            return false;
        }
        work.interrupts.insert(id.clone(), line.interrupt());
        true
    }

    fn headers(&self, request: &Request, version: Option<&str>) -> (Vec<(String, String)>, u64) {
        match version {
            Some(version) => {
                let marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
                (message::headers(request, version, &marked), 0)
            }
            None if request.method == "initialize" => (Vec::new(), 0),
            None => {
                let session = self.session();
                (session.headers(), session.generation)
            }
        }
    }

    fn receive(self: &Arc<Self>, sending: &Sending<'_>, reply: Reply, line: &Line) -> End {
        if reply.status == 404 && self.may_begin_anew(sending) {
            return self.anew(sending);
        }
        let (status, session) = (reply.status, reply.session.clone());
        if reply.is_stream() {
            let mut last_event = None;
            for event in reply.events() {
                if event.id.is_some() {
                    last_event.clone_from(&event.id);
                }
                if let Some(end) = self.take(sending, &event.data, session.as_ref()) {
                    return end;
                }
            }
            return self.resume(sending, last_event, line);
        }
        let text = match reply.whole() {
            Ok(text) => text,
            Err(trouble) => return End::Failed(told(&trouble)),
        };
        if let Some(end) = self.take(sending, &text, session.as_ref()) {
            return end;
        }
        let problem = serde_json::from_str::<Problem>(&text).ok();
        let why = match problem {
            Some(problem) => match problem.suggestion {
                Some(suggestion) => format!("{}; {suggestion}", problem.detail),
                None => problem.detail,
            },
            None => format!("the gateway answered {status} and no message"),
        };
        End::Failed(Failed::refused(status, why))
    }

    /// Takes in one message. It is the end when it is the answer.
    fn take(self: &Arc<Self>, sending: &Sending<'_>, text: &str, session: Option<&String>) -> Option<End> {
        let request = sending.request;
        let message = Message::parse(text.as_bytes()).ok()?;
        let Message::Response(response) = &message else {
            self.write(&message, text);
            return None;
        };
        if response.id.as_ref().is_some_and(|id| *id != request.id) {
            self.write(&message, text);
            return None;
        }
        match &response.outcome {
            Outcome::Error(_) if response.outcome.code() == Some(NO_SESSION) && self.may_begin_anew(sending) => {
                return Some(self.anew(sending));
            }
            Outcome::Error(_) if response.outcome.code() == Some(HEADER_MISMATCH) && self.learn_marks(sending) => {
                return Some(End::Again);
            }
            Outcome::Error(_) => {}
            Outcome::Result(result) => match request.method.as_str() {
                "tools/list" => self.marked.lock().unwrap_or_else(PoisonError::into_inner).learn(result),
                "initialize" => {
                    let greeting = request.params.clone();
                    self.session().begin(greeting, session.cloned(), result);
                }
                _ => {}
            },
        }
        if self.work().cancelled.contains(&request.id) {
            return Some(End::Answered);
        }
        match response.id {
            Some(_) => self.write(&message, text),
            // What was refused before it was read is still the answer to this.
            None => self.answer(Some(request.id.clone()), response.outcome.clone()),
        }
        Some(End::Answered)
    }

    fn may_begin_anew(&self, sending: &Sending<'_>) -> bool {
        sending.version.is_none() && sending.generation > 0
    }

    fn anew(self: &Arc<Self>, sending: &Sending<'_>) -> End {
        match self.begin_anew(sending.generation) {
            Ok(()) => End::Again,
            Err(why) => End::Failed(Failed::new(format!(
                "the session was lost, and no other could be begun: {why}"
            ))),
        }
    }

    /// Asks which arguments the tool wants in headers, when the client never asked for the list; says whether it helped.
    fn learn_marks(&self, sending: &Sending<'_>) -> bool {
        let (Some(version), "tools/call") = (&sending.version, sending.request.method.as_str()) else {
            return false;
        };
        let before = self.headers(sending.request, Some(version)).0;
        let mut cursor: Option<String> = None;
        for _ in 0..100 {
            let mut params = orch_shared::jsonrpc::Members::default();
            let own = orch_shared::jsonrpc::Members::of_params(sending.request.params.as_deref());
            if let Some(meta) = own.get("_meta") {
                params.set("_meta", meta.to_owned());
            }
            if let Some(cursor) = &cursor {
                params.set("cursor", orch_shared::jsonrpc::raw(cursor));
            }
            let list = Request {
                id: Id::text("orchctl-marks"),
                method: "tools/list".to_owned(),
                params: Some(params.to_raw()),
            };
            let (headers, _) = self.headers(&list, Some(version));
            let line = self.endpoint.line();
            let reply = self.endpoint.post(&line, &headers, &Message::Request(list).to_json());
            let texts: Vec<String> = match reply {
                Ok(reply) if reply.is_stream() => reply.events().map(|event| event.data).collect(),
                Ok(reply) => reply.whole().into_iter().collect(),
                Err(_) => return false,
            };
            let result = texts.iter().find_map(|text| match Message::parse(text.as_bytes()) {
                Ok(Message::Response(Response {
                    outcome: Outcome::Result(result),
                    ..
                })) => Some(result),
                Ok(_) | Err(_) => None,
            });
            let Some(result) = result else { return false };
            self.marked
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .learn(&result);
            cursor = orch_shared::jsonrpc::Members::of(&result).and_then(|result| result.text("nextCursor"));
            if cursor.is_none() {
                break;
            }
        }
        self.headers(sending.request, Some(version)).0 != before
    }

    /// Goes on where a stream broke off before the answer came, when the gateway said how.
    fn resume(self: &Arc<Self>, sending: &Sending<'_>, mut last_event: Option<String>, line: &Line) -> End {
        let since = Instant::now();
        // A gateway that was started anew knows nothing of the stream, and has nothing to say on it.
        let mut in_vain = 0;
        while let Some(id) = &last_event
            && in_vain < IN_VAIN
            && sending.version.is_none()
            && !self.is_over()
            && !self.work().cancelled.contains(&sending.request.id)
        {
            let mut headers = self.session().headers();
            headers.push(("last-event-id".to_owned(), id.clone()));
            match self.endpoint.listen(line, &headers) {
                Ok(reply) if reply.is_success() && reply.is_stream() => {
                    in_vain += 1;
                    for event in reply.events() {
                        in_vain = 0;
                        if event.id.is_some() {
                            last_event.clone_from(&event.id);
                        }
                        if let Some(end) = self.take(sending, &event.data, None) {
                            return end;
                        }
                    }
                    std::thread::sleep(super::PAUSE);
                }
                Err(trouble) if self.is_worth_waiting(&trouble, since) => {}
                Ok(_) | Err(_) => break,
            }
        }
        match message::is_safe(&sending.request.method) && sending.request.method != "subscriptions/listen" {
            true => End::Again,
            false => End::Failed(Failed::new(
                "the gateway broke off before it answered; what was asked may have been done",
            )),
        }
    }
}

fn told(trouble: &Trouble) -> Failed {
    Failed::new(match trouble {
        Trouble::Absent(why) => format!("the daemon cannot be reached: {why}"),
        Trouble::BrokenOff(why) => format!("the daemon broke off ({why}); what was asked may have been done"),
    })
}
