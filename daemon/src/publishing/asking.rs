//! Tasks: given to a publisher on its stream, and answered by a request of the publisher's own.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use orch_shared::access::Principal;
use orch_shared::excerpt::printable;
use orch_shared::problem::{Code, Problem};
use orch_shared::publishing::{Head, LONGEST_HEAD, PublicationState, Task, Told};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::bounds::{room_for, too_long};
use super::lines::Line;
use super::{Publishers, hash};
use crate::store::{Object, Publication};

/// The largest answer to one, in bytes: as much as comes bit by bit in a long conversation, and no more.
const LARGEST: u64 = 256 << 20;
/// So many pieces of an answer wait for whoever reads them; then the publisher waits.
const BUFFER: usize = 16;
/// How long a publisher is waited for that is just coming back, such as after the daemon was started anew.
const RETURNING: Duration = Duration::from_secs(5);
/// So many characters are told of what a publisher gives as a reason.
const LONGEST_REASON: usize = 300;

/// What is asked of a published model.
#[derive(Debug)]
pub struct Asked {
    /// Where it is asked.
    pub path: &'static str,
    /// Headers of the client that are for the model.
    pub headers: BTreeMap<String, String>,
    /// JSON text.
    pub body: String,
}

/// A published model cannot be asked: why, as the rest of a sentence that begins with the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Away(pub String);

/// An answer that has begun.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers of the model's answer.
    pub headers: BTreeMap<String, String>,
    /// The body, as it comes.
    pub body: Pieces,
}

/// Why a body does not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(&'static str);

const GONE: Broken = Broken("its publisher has gone");
const BROKEN_OFF: Broken = Broken("its publisher broke off");

/// A piece of an answer.
#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    End,
}

/// What a publisher has begun to answer.
#[derive(Debug)]
struct Begun {
    status: u16,
    headers: BTreeMap<String, String>,
    pieces: mpsc::Receiver<Piece>,
}

/// A task that waits for its answer, or whose answer is on its way.
pub(super) struct Waiting {
    publisher: String,
    owner: String,
    line: u64,
    /// What the publisher is told; nothing once that has begun.
    told: Option<Told>,
    /// Where the beginning of the answer goes; nothing once it has begun.
    head: Option<oneshot::Sender<Result<Begun, String>>>,
    /// Cancelled when the publisher goes.
    lost: CancellationToken,
}

/// Somebody waits for a task. When nobody does any more, it is taken back; a publisher that knows of it is told.
struct UnderWay {
    publishers: Publishers,
    id: String,
    line: Line,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let task = self.publishers.tasks().remove(&self.id);
        match task.map(|task| task.told) {
            Some(Some(_)) => self.line.take_back(&self.id),
            Some(None) => self.line.cancel(&self.id),
            None => {}
        }
    }
}

/// The body of an answer, piece by piece.
pub struct Pieces {
    pieces: mpsc::Receiver<Piece>,
    lost: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Nothing when nobody works for it.
    under_way: Option<UnderWay>,
    /// Whether the end has come, or will not come.
    is_over: bool,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pieces").finish_non_exhaustive()
    }
}

impl Pieces {
    /// That text, which no publisher has said.
    pub(super) fn of(text: String) -> Self {
        let (sender, pieces) = mpsc::channel(2);
        for piece in [Piece::Bytes(text.into()), Piece::End] {
            sender.try_send(piece).expect("there is room for both");
        }
        Self {
            pieces,
            lost: Box::pin(CancellationToken::new().cancelled_owned()),
            under_way: None,
            is_over: false,
        }
    }

    /// The next piece; nothing after the last one.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let ended = match self.pieces.poll_recv(context) {
            Poll::Ready(Some(Piece::Bytes(bytes))) => return Poll::Ready(Some(Ok(bytes))),
            Poll::Ready(Some(Piece::End)) => None,
            Poll::Ready(None) => Some(Err(BROKEN_OFF)),
            Poll::Pending if self.lost.as_mut().poll(context).is_ready() => Some(Err(GONE)),
            Poll::Pending => return Poll::Pending,
        };
        self.is_over = true;
        if let Some(under_way) = self.under_way.take() {
            // It is over either way: there is nothing to take back.
            under_way.publishers.tasks().remove(&under_way.id);
        }
        Poll::Ready(ended)
    }

    /// Reads on to the end, and keeps nothing.
    pub(super) async fn finish(mut self) {
        while let Some(Ok(_)) = std::future::poll_fn(|context| self.poll_next(context)).await {}
    }
}

impl Publishers {
    pub(super) fn tasks(&self) -> MutexGuard<'_, std::collections::HashMap<String, Waiting>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks a published model; returns when the answer begins. Whoever drops this, or what it returns, takes it back. What is
    /// longer than a publisher reads is refused as a model does it, with 413, and the publisher does not hear of it.
    ///
    /// # Errors
    /// When its publisher is away, or cannot have it answered.
    pub async fn ask(&self, llm: &Arc<Object>, asked: Asked) -> Result<Answer, Away> {
        let publication = self.publication(llm).await?;
        match publication.state {
            PublicationState::Active => {}
            PublicationState::Hibernating => self.wake(llm).await?,
            PublicationState::Inactive => return Err(away(&publication)),
        }
        let line = self.open_line(&publication).await?;
        let Asked { path, headers, body } = asked;
        let task = |id: &str| {
            Told::Task(Task {
                id: id.to_owned(),
                llm: llm.object.name.clone(),
                path: path.to_owned(),
                headers,
                body,
            })
        };
        self.give(&publication, line, task).await
    }

    /// Where a model stands, as it is written down.
    pub(super) async fn publication(&self, llm: &Object) -> Result<Publication, Away> {
        match self.0.admission.store.publication(&llm.uid).await {
            Ok(Some(publication)) => Ok(publication),
            Ok(None) => Err(Away("is published by nobody".to_owned())),
            Err(error) => Err(Away(format!(
                "cannot be asked: where its publisher is is not known: {error}"
            ))),
        }
    }

    /// The stream of a publisher that is there; one that is just coming back is waited for.
    pub(super) async fn open_line(&self, publication: &Publication) -> Result<Line, Away> {
        let mut opened = self.0.opened.subscribe();
        let looking = async {
            loop {
                opened.borrow_and_update();
                if let Some(line) = self.line(&publication.publisher) {
                    return Some(line);
                }
                if opened.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::select! {
            line = tokio::time::timeout(RETURNING, looking) => line.ok().flatten(),
            () = self.0.shutdown.cancelled() => None,
        }
        .ok_or_else(|| away(publication))
    }

    /// Gives a publisher a task, and waits until its answer begins.
    pub(super) async fn give(
        &self,
        publication: &Publication,
        line: Line,
        task: impl FnOnce(&str) -> Told,
    ) -> Result<Answer, Away> {
        let id = self.0.admission.store.ids().uid();
        let (head, begun) = oneshot::channel();
        let lost = CancellationToken::new();
        {
            let told = task(&id);
            if let Some(refused) = too_long(&told) {
                return Ok(refused);
            }
            let mut tasks = self.tasks();
            let given = tasks.values().filter(|task| task.line == line.number);
            room_for(&told, given.map(|task| task.told.as_ref()))?;
            let waiting = Waiting {
                publisher: publication.publisher.clone(),
                owner: line.owner.clone(),
                line: line.number,
                told: Some(told),
                head: Some(head),
                lost: lost.clone(),
            };
            tasks.insert(id.clone(), waiting);
        }
        let is_given = line.give(&id);
        let under_way = UnderWay {
            publishers: self.clone(),
            id,
            line,
        };
        // Between looking for the stream and the task being there, the stream may have ended.
        let is_open = self
            .line(&publication.publisher)
            .is_some_and(|now| now.number == under_way.line.number);
        if !is_given || !is_open {
            return Err(Away(format!("cannot be reached: {GONE}")));
        }
        match begun.await {
            Ok(Ok(begun)) => Ok(Answer {
                status: begun.status,
                headers: begun.headers,
                body: Pieces {
                    pieces: begun.pieces,
                    lost: Box::pin(lost.cancelled_owned()),
                    under_way: Some(under_way),
                    is_over: false,
                },
            }),
            Ok(Err(why)) => Err(Away(format!("cannot be reached: {}", reason(&why)))),
            Err(_) => Err(Away(format!("cannot be reached: {GONE}"))),
        }
    }

    /// What a publisher is told of a task, once; nothing when nobody waits for it.
    pub(super) fn told_of(&self, id: &str) -> Option<Told> {
        self.tasks().get_mut(id)?.told.take()
    }

    /// Everything that is under way on a stream fails: it has ended.
    pub(super) fn lose(&self, line: u64) {
        let mut tasks = self.tasks();
        let lost: Vec<String> = tasks
            .iter()
            .filter(|(_, task)| task.line == line)
            .map(|(id, _)| id.clone())
            .collect();
        for task in lost.iter().filter_map(|id| tasks.remove(id)) {
            task.lost.cancel();
        }
    }

    /// Takes the answer to a task, which is passed on as it comes: its first line is a [`Head`], and then its body. Returns
    /// once all of it is taken, or nobody waits for it any more.
    ///
    /// # Errors
    /// When there is no such task of that session, nobody waits for it, or it is no answer.
    pub async fn answer<E, S>(&self, principal: &Principal, session: &str, id: &str, body: S) -> Result<(), Problem>
    where
        E: std::fmt::Display,
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    {
        let publisher = hash(session);
        let (mut head, lost) = {
            let mut tasks = self.tasks();
            let task = tasks
                .get_mut(id)
                .filter(|task| task.publisher == publisher && *task.owner == *principal.name);
            let task = task.ok_or_else(no_task)?;
            (task.head.take().ok_or_else(no_task)?, task.lost.clone())
        };
        let mut body = Upload::of(body);
        let line = tokio::select! {
            line = body.line() => line,
            () = head.closed() => return Err(no_task()),
            () = lost.cancelled() => return Err(no_task()),
        };
        let read = line.and_then(|line| {
            serde_json::from_slice::<Head>(&line).map_err(|_| "its first line says neither a status nor an error")
        });
        let (status, headers) = match read {
            Ok(Head::Answer { status, headers }) if (200..600).contains(&status) => (status, headers),
            Ok(Head::Answer { .. }) => {
                // Whoever waits is told, or waits no longer.
                drop(head.send(Err("its publisher answers with a status that there is not".to_owned())));
                return Err(no_answer("the status is not one of HTTP"));
            }
            Ok(Head::Error { error }) => {
                drop(head.send(Err(error)));
                return Ok(());
            }
            Err(why) => {
                drop(head.send(Err("its publisher gave no answer that can be read".to_owned())));
                return Err(no_answer(why));
            }
        };
        let (pieces, receiver) = mpsc::channel(BUFFER);
        let begun = Begun {
            status,
            headers,
            pieces: receiver,
        };
        head.send(Ok(begun)).map_err(|_| no_task())?;
        body.pass_on(&pieces, &lost).await
    }
}

/// Why, short and printable: a publisher says it.
fn reason(why: &str) -> String {
    printable(why).chars().take(LONGEST_REASON).collect()
}

/// What it means for somebody who asks that a publisher is not there.
fn away(publication: &Publication) -> Away {
    Away(match publication.inactive_since {
        Some(since) => format!(
            "cannot be reached: its publisher, {}, is away since {since}",
            publication.owner
        ),
        None => format!(
            "cannot be reached: its publisher, {}, is not connected",
            publication.owner
        ),
    })
}

fn no_task() -> Problem {
    Problem::new(
        Code::NotFound,
        "nobody waits for an answer to that task, or it was not given to this session",
    )
}

fn no_answer(why: &str) -> Problem {
    Problem::new(
        Code::BadRequest,
        format!("the answer to the task cannot be read: {why}"),
    )
    .suggest("the first line is JSON: {\"status\": 200, \"headers\": {}}, or {\"error\": \"why\"}; the body follows it")
}

/// What a publisher sends.
struct Upload<S> {
    body: S,
    /// What came behind the first line together with it.
    rest: Bytes,
}

impl<E: std::fmt::Display, S: Stream<Item = Result<Bytes, E>> + Send + Unpin> Upload<S> {
    const fn of(body: S) -> Self {
        Self {
            body,
            rest: Bytes::new(),
        }
    }

    /// The first line; why there is none, in a clause.
    async fn line(&mut self) -> Result<Vec<u8>, &'static str> {
        let mut line = Vec::new();
        loop {
            let mut bytes = match self.body.next().await {
                Some(Ok(bytes)) => bytes,
                Some(Err(_)) => return Err("it broke off"),
                // A line that ends with the body is one, too.
                None => return Ok(line),
            };
            let end = bytes.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            if line.len() > LONGEST_HEAD {
                return Err("its first line is too long");
            }
            if let Some(end) = end {
                self.rest = bytes.split_off(end + 1);
                return Ok(line);
            }
        }
    }

    /// Hands on what comes, to its end.
    async fn pass_on(mut self, pieces: &mpsc::Sender<Piece>, lost: &CancellationToken) -> Result<(), Problem> {
        let mut taken = 0_u64;
        loop {
            let bytes = match std::mem::take(&mut self.rest) {
                rest if !rest.is_empty() => rest,
                _ => tokio::select! {
                    biased;
                    () = lost.cancelled() => return Err(no_task()),
                    () = pieces.closed() => return Err(no_task()),
                    next = self.body.next() => match next {
                        Some(Ok(bytes)) => bytes,
                        // Without an end it has broken off, for whoever reads it.
                        Some(Err(error)) => return Err(no_answer(&error.to_string())),
                        None => {
                            return pieces.send(Piece::End).await.map_err(|_| no_task());
                        }
                    },
                },
            };
            taken += bytes.len() as u64;
            if taken > LARGEST {
                let detail = format!("the answer is larger than {} MiB", LARGEST >> 20);
                return Err(Problem::new(Code::BodyTooLarge, detail));
            }
            pieces.send(Piece::Bytes(bytes)).await.map_err(|_| no_task())?;
        }
    }
}
