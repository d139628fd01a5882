//! Models that agents ask, for those who may run the agents: an entrance inside of the daemon, which leads the same way as
//! the door does. Limits, budgets, stand-ins, rows of usage and of the audit log are those of whoever the agent works for.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use orch_shared::access::Principal;
use orch_shared::inference::chat::{Assembly, Piece, Reply};
use orch_shared::inference::{Dialect, Object, errors};
use orch_shared::name::Name;
use orch_shared::sse;
use serde_json::Value;

use super::Inference;
use super::asking::{ANSWERED_BY, Asking, Content, Of};
use crate::audit::Withdrawn;

/// The longest event of an answer, in bytes.
const LONGEST: usize = 8 << 20;

/// For whom an agent asks its model.
#[derive(Debug, Clone)]
pub struct Behalf {
    /// The agent.
    pub agent: Name,
    /// The thread.
    pub thread: String,
    /// The project that the agent belongs to, for which the request counts.
    pub project: Option<Name>,
    /// Where it is noted that whoever the agent works for may not have it go on.
    pub withdrawn: Withdrawn,
}

impl Behalf {
    /// The agent and the thread, as rows of the audit log name them.
    #[must_use]
    pub fn clause(&self) -> String {
        format!("agent/{} thread/{}", self.agent, self.thread)
    }
}

/// What a model says to an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The whole of it.
    pub reply: Reply,
    /// The Llm that has said it.
    pub llm: String,
}

/// Why a model says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unanswered {
    /// As what HTTP tells it.
    pub status: u16,
    /// For programs, in a word, where there is one.
    pub code: String,
    /// For people, in a sentence.
    pub message: String,
    /// When it may be different.
    pub retry_after: Option<Duration>,
}

/// An answer on its way. Dropping it ends the request at the provider.
pub struct Saying {
    llm: String,
    assembly: Assembly,
    pieces: VecDeque<Piece>,
    source: Source,
}

type Chunks = Pin<Box<dyn futures_util::Stream<Item = Bytes> + Send>>;

enum Source {
    /// It comes bit by bit.
    Stream(Chunks, sse::Reader),
    /// It came whole.
    Whole(Box<Reply>),
    Over,
}

impl Inference {
    /// Asks the model that the body names, which is in the words of chat completions and wants a stream.
    ///
    /// # Errors
    /// When it does not begin to answer.
    pub async fn ask_for(&self, principal: Principal, behalf: Behalf, body: String) -> Result<Saying, Unanswered> {
        self.begin(principal, Of::Agent(behalf), body).await
    }

    pub(super) async fn begin(&self, principal: Principal, of: Of, body: String) -> Result<Saying, Unanswered> {
        let asking = Asking {
            principal,
            of,
            dialect: Dialect::Chat,
            headers: HeaderMap::new(),
            body: body.into(),
        };
        let answer = self.ask(asking).await;
        let text = |name: &header::HeaderName| {
            let value = answer.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let llm = text(&ANSWERED_BY);
        let source = match answer.content {
            Content::Stream(relay) => {
                let frames = relay.into_data_stream();
                let chunks = frames.filter_map(|chunk| std::future::ready(chunk.ok()));
                Source::Stream(Box::pin(chunks), sse::Reader::new(LONGEST))
            }
            Content::Whole(bytes) if answer.status == StatusCode::OK => {
                let said: Object = serde_json::from_slice(&bytes).map_err(|_| Unanswered {
                    status: StatusCode::BAD_GATEWAY.as_u16(),
                    code: "provider_failed".to_owned(),
                    message: format!("what llm/{llm} answers is no JSON object"),
                    retry_after: None,
                })?;
                Source::Whole(Box::new(Reply::of_chat(&said)))
            }
            Content::Whole(bytes) => {
                let retry_after = text(&header::RETRY_AFTER).parse().ok().map(Duration::from_secs);
                return Err(unanswered(answer.status, &bytes, retry_after));
            }
        };
        let mut saying = Saying {
            llm,
            assembly: Assembly::default(),
            pieces: VecDeque::new(),
            source,
        };
        if let Source::Whole(reply) = &saying.source {
            let thinking = Some(Piece::Thinking(reply.reasoning.clone()));
            let text = Some(Piece::Text(reply.text.clone()));
            let is_said = |piece: &Piece| match piece {
                Piece::Text(text) | Piece::Thinking(text) => !text.is_empty(),
            };
            saying.pieces.extend(thinking.into_iter().chain(text).filter(is_said));
        }
        Ok(saying)
    }
}

/// What an error says, in the words of chat completions.
fn unanswered(status: StatusCode, body: &[u8], retry_after: Option<Duration>) -> Unanswered {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &said["error"];
    let code = error["code"].as_str().or(error["type"].as_str()).unwrap_or_default();
    let message = error["message"].as_str().map(str::to_owned);
    let message = message.or_else(|| errors::message_in(body));
    Unanswered {
        status: status.as_u16(),
        code: code.to_owned(),
        message: message.unwrap_or_else(|| format!("the provider answered with HTTP status {status}")),
        retry_after,
    }
}

impl Saying {
    /// The next piece that can be shown; nothing when all were.
    pub async fn piece(&mut self) -> Option<Piece> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                return Some(piece);
            }
            let Source::Stream(chunks, reader) = &mut self.source else {
                return None;
            };
            let Some(chunk) = chunks.next().await else {
                if let Some(last) = reader.finish() {
                    self.pieces.extend(self.assembly.push(&last));
                }
                self.source = Source::Over;
                continue;
            };
            // What is too long for an event is no chunk of an answer; that it is not whole is told at its end.
            let Ok(events) = reader.push(&chunk) else {
                self.source = Source::Over;
                return None;
            };
            for event in events {
                self.pieces.extend(self.assembly.push(&event));
            }
        }
    }

    /// The whole answer, for whoever shows no pieces of it.
    ///
    /// # Errors
    /// When it broke off.
    pub async fn whole(mut self) -> Result<Said, Unanswered> {
        while self.piece().await.is_some() {}
        self.finish()
    }

    /// The whole answer, once all pieces were shown.
    ///
    /// # Errors
    /// When it broke off.
    pub fn finish(self) -> Result<Said, Unanswered> {
        let reply = match self.source {
            Source::Whole(reply) => *reply,
            Source::Stream(..) | Source::Over => self.assembly.finish().map_err(|fault| Unanswered {
                status: fault.status,
                code: "provider_failed".to_owned(),
                message: format!("llm/{}: {}", self.llm, fault.message),
                retry_after: None,
            })?,
        };
        Ok(Said { reply, llm: self.llm })
    }
}
