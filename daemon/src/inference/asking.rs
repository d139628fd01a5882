//! Asking a model: within which limits, in which words, and whom else when it does not answer.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use orch_shared::access::Principal;
use orch_shared::allowance::Purse;
use orch_shared::inference::request::Body;
use orch_shared::inference::{Dialect, Note, Stamp, Usage, estimate};
use orch_shared::name::Name;
use tokio::time::{Instant, timeout_at};

use super::account::{self, Account};
use super::behalf::Behalf;
use super::bridge::{self, Bridge};
use super::choice::{self, Model};
use super::refused::Refused;
use super::relay::Relay;
use super::scripted::{self, Unsaid};
use super::upstream::{Failure, Outgoing, Whole, passed_back};
use super::{Inference, Shared};
use crate::store::Snapshot;

/// How often one model is asked before another one stands in for it.
const TRIES: u32 = 2;
/// Longer than that nobody waits for a model that asks for a pause.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The pause before the second try, where nobody asks for another.
const PAUSE: Duration = Duration::from_millis(200);

/// Which model has answered.
pub(super) const ANSWERED_BY: HeaderName = HeaderName::from_static("x-orch-llm");
/// What of the request it was not told, because its provider has nothing like it.
const LEFT_OUT: HeaderName = HeaderName::from_static("x-orch-left-out");
/// No more of that is told, in bytes: a header has its bounds.
const TOLD: usize = 1024;

/// What somebody asks of a model.
pub(super) struct Asking {
    pub(super) principal: Principal,
    /// Which model, and for whom.
    pub(super) of: Of,
    /// In whose words.
    pub(super) dialect: Dialect,
    /// Those headers of the client that are for the provider.
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Which model is asked, and for whom.
pub(super) enum Of {
    /// The one that the request names, which whoever asks must be allowed to; for the project that they name, if any.
    Named {
        /// The project, as the client says it.
        project: Option<String>,
    },
    /// The one that an agent is declared to have, for whoever may run the agent.
    Agent(Behalf),
}

/// An answer.
pub(super) struct Answer {
    /// The model that was asked for, when it was one that may be asked; another one may have answered.
    pub(super) named: Option<Name>,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
}

/// How it comes.
pub(super) enum Content {
    Whole(Bytes),
    Stream(Box<Relay>),
}

impl Answer {
    pub(super) fn whole(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        let content = Content::Whole(body.into());
        Self {
            named: None,
            status,
            headers,
            content,
        }
    }

    pub(super) fn refused(refused: &Refused, dialect: Dialect) -> Self {
        Self::whole(refused.status, refused.headers(), refused.body(dialect))
    }

    /// Says which model it is from.
    fn by(mut self, model: &Model) -> Self {
        if let Ok(name) = HeaderValue::try_from(model.name().as_str()) {
            self.headers.insert(ANSWERED_BY, name);
        }
        self
    }

    /// Says what the model was not told.
    fn without(mut self, notes: &[Note]) -> Self {
        if !notes.is_empty() {
            let told = HeaderValue::try_from(left_out(notes));
            self.headers.extend(told.ok().map(|told| (LEFT_OUT, told)));
        }
        self
    }
}

/// What a request does not say any more, in one line.
fn left_out(notes: &[Note]) -> String {
    let parts: Vec<String> = notes
        .iter()
        .map(|Note { field, message }| format!("{field}: {message}"))
        .collect();
    let is_plain = |letter: char| letter.is_ascii_graphic() || letter == ' ';
    let line = parts.join("; ").replace(|letter| !is_plain(letter), "?");
    match line.get(..TOLD) {
        Some(begin) => format!("{begin}..."),
        None => line,
    }
}

impl Inference {
    /// Asks.
    pub(super) async fn ask(&self, asking: Asking) -> Answer {
        let accepted = match aside(asking.body.len(), || Body::read(asking.dialect, &asking.body)) {
            Ok(body) => self.0.accept(&asking, body).await,
            Err(refused) => Err(Refused::untranslatable(refused)),
        };
        match accepted {
            Ok(accepted) => {
                let named = accepted.models.first().map(|model| model.name().clone());
                Answer {
                    named,
                    ..self.0.answer(&asking, accepted).await
                }
            }
            Err(refused) => Answer::refused(&refused, asking.dialect),
        }
    }
}

/// A request that may be made.
struct Accepted<'b> {
    body: Body<'b>,
    snapshot: Snapshot,
    /// The model that is meant, and those that stand in for it.
    models: Vec<Model>,
    /// The budgets that it counts in.
    purses: Vec<Purse>,
    account: Account,
}

/// A try that came to nothing.
struct Missed {
    model: Model,
    failure: Failure,
}

impl Missed {
    /// One that stands in, and cannot be told the request.
    fn untold(model: Model, refused: &Refused) -> Self {
        Self {
            model,
            failure: Failure::Unfit(refused.message.clone()),
        }
    }
}

impl Shared {
    async fn accept<'b>(&self, asking: &Asking, body: Body<'b>) -> Result<Accepted<'b>, Refused> {
        let snapshot = self.store.snapshot();
        let (model, project) = match &asking.of {
            Of::Named { project } => {
                let model = choice::choose(&asking.principal, &snapshot, body.model());
                let chosen = model.and_then(|model| {
                    let project = choice::project(&asking.principal, &snapshot, project.as_deref())?;
                    Ok((model, project))
                });
                chosen.inspect_err(|_| account::of(body.model()))?
            }
            Of::Agent(behalf) => (choice::appointed(&snapshot, body.model())?, behalf.project.clone()),
        };
        let verb = account::verb(asking.dialect);
        let mut account = Account::open(&self.books, &asking.principal, verb, &model, body.is_streamed());
        account.sized(body.size() as u64);
        account.is_for(project.as_ref());
        match &asking.of {
            Of::Named { .. } => {}
            Of::Agent(behalf) => account.is_asked_by(behalf),
        }
        let admitting = self.admit((&asking.principal, project), &body, &model, &snapshot, &mut account);
        let purses = match admitting.await {
            Ok(purses) => purses,
            Err(refused) => {
                account.refused(refused.status, refused.code);
                return Err(refused);
            }
        };
        let mut models = choice::stand_ins(&asking.principal, &snapshot, &model);
        models.insert(0, model);
        Ok(Accepted {
            body,
            snapshot,
            models,
            purses,
            account,
        })
    }

    async fn answer(&self, asking: &Asking, accepted: Accepted<'_>) -> Answer {
        let Accepted {
            body,
            snapshot,
            models,
            purses,
            mut account,
        } = accepted;
        let mut missed: Vec<Missed> = Vec::new();
        for (place, model) in models.into_iter().enumerate() {
            // The first was admitted with the request; what one costs and how often it may be asked is no other's.
            if place > 0
                && let Err(refused) = self.admit_to(&model, &body, &purses, &mut account).await
            {
                let failure = Failure::Withheld(refused);
                missed.push(Missed { model, failure });
                continue;
            }
            let bridge = match Bridge::between(asking.dialect, model.spec()) {
                Ok(bridge) => bridge,
                Err(why) => {
                    missed.push(Missed {
                        model,
                        failure: Failure::Unfit(why),
                    });
                    continue;
                }
            };
            let stamp = bridge::stamp(&model, self.store.ids().uid(), self.store.clock().now().millis());
            if let Bridge::Scripted(dialect) = bridge {
                account.answered_by(&model);
                account.asked();
                match scripted::play(&body, dialect, &model).await {
                    Ok(reply) => {
                        return scripted::told(self, &body, dialect, &model, &stamp, &reply, account).by(&model);
                    }
                    Err(Unsaid::Refused(refused)) if place == 0 => {
                        account.refused(refused.status, refused.code);
                        return Answer::refused(&refused, dialect).by(&model);
                    }
                    Err(Unsaid::Refused(refused)) => missed.push(Missed::untold(model, &refused)),
                    Err(Unsaid::Failure(failure)) => missed.push(Missed { model, failure }),
                }
                continue;
            }
            let left_out;
            let outgoing = match aside(asking.body.len(), || bridge.outgoing(&body, model.spec())) {
                Ok((said, notes)) => {
                    left_out = notes;
                    Outgoing {
                        path: bridge.path(),
                        headers: asking.headers.clone(),
                        body: said,
                    }
                }
                Err(refused) if place == 0 => {
                    account.refused(refused.status, refused.code);
                    return Answer::refused(&refused, asking.dialect);
                }
                // That one which stands in cannot be told it is no fault of the request.
                Err(refused) => {
                    missed.push(Missed::untold(model, &refused));
                    continue;
                }
            };
            account.answered_by(&model);
            if let Err(resting) = self.models.may_ask(&model.object.uid) {
                let failure = Failure::Away(format!(
                    "it is left alone for {} s more, since it kept failing: {}",
                    resting.left.as_secs() + 1,
                    resting.why
                ));
                missed.push(Missed { model, failure });
                continue;
            }
            account.asked();
            match self.try_model(&model, &snapshot, &outgoing, body.is_streamed()).await {
                Ok(Got::Whole(whole)) => {
                    let size = whole.body.len().max(asking.body.len());
                    return aside(size, || answered(&bridge, &body, &stamp, whole, account))
                        .by(&model)
                        .without(&left_out);
                }
                Ok(Got::Stream(begun)) => {
                    let (headers, said) = begun.stream();
                    let headers = passed_back(&headers);
                    let passage = aside(asking.body.len(), || bridge.passage(&body, &stamp));
                    let patience = timeout_of(&model);
                    let relay = Relay::new(said, passage, account, patience, self.shutdown.clone());
                    let content = Content::Stream(Box::new(relay));
                    let answer = Answer {
                        named: None,
                        status: StatusCode::OK,
                        headers,
                        content,
                    };
                    return answer.by(&model).without(&left_out);
                }
                Err(failure) => missed.push(Missed { model, failure }),
            }
        }
        nobody(asking, &missed, &mut account)
    }

    /// Asks one model, more than once if need be.
    async fn try_model(
        &self,
        model: &Model,
        snapshot: &Snapshot,
        outgoing: &Outgoing,
        is_streamed: bool,
    ) -> Result<Got, Failure> {
        let patience = timeout_of(model);
        let deadline = Instant::now() + patience;
        let mut tried = 0;
        loop {
            tried += 1;
            let asking = async {
                let begun = self.ask(model, snapshot, outgoing).await?;
                match is_streamed && begun.is_stream() {
                    true => Ok(Got::Stream(begun)),
                    false => {
                        let whole = begun.whole().await?;
                        aside(whole.body.len(), || whole.in_form(is_streamed)).map(Got::Whole)
                    }
                }
            };
            let failure = match timeout_at(deadline, asking).await {
                Ok(Ok(got)) => {
                    self.models.answered(&model.object.uid);
                    return Ok(got);
                }
                Ok(Err(failure)) => failure,
                Err(_) => Failure::Late(patience),
            };
            // That somebody asks too much is no failure of the model; that its publisher is away, its status tells.
            let is_no_fault = match &failure {
                Failure::Status { status, .. } => *status == StatusCode::TOO_MANY_REQUESTS,
                Failure::Unpublished(_) | Failure::Withheld(_) => true,
                Failure::Unfit(_)
                | Failure::Unkeyed(_)
                | Failure::Away(_)
                | Failure::Late(_)
                | Failure::Garbled(_)
                | Failure::Scripted { .. }
                | Failure::KeyRefused(_)
                | Failure::KeyMissed(_) => false,
            };
            if !is_no_fault {
                self.models.failed(&model.object.uid, &failure.clause());
            }
            let pause = failure.retry_after().unwrap_or(PAUSE);
            let is_worth_it = failure.is_passing() && pause <= PATIENCE && Instant::now() + pause < deadline;
            if tried >= TRIES || !is_worth_it {
                return Err(failure);
            }
            tracing::debug!(llm = %model.name(), reason = failure.clause(), "a model is asked once more");
            tokio::time::sleep(pause).await;
        }
    }
}

/// A request or an answer of so many bytes is put into other words where nobody else has to wait for it.
const LARGE: usize = 1 << 20;

/// Does what takes the longer the more bytes there are.
pub(super) fn aside<T>(size: usize, work: impl FnOnce() -> T) -> T {
    match size < LARGE {
        true => work(),
        false => tokio::task::block_in_place(work),
    }
}

/// An answer that is there whole.
fn answered(bridge: &Bridge, body: &Body<'_>, stamp: &Stamp, whole: Whole, mut account: Account) -> Answer {
    let Whole {
        status,
        headers,
        body: said,
    } = whole;
    let headers = passed_back(&headers);
    let length = said.len() as u64;
    let (said, usage) = bridge.whole(body, stamp, status, said);
    if usage != Usage::default() {
        account.used(usage);
    } else {
        account.weighs(|| body.input_estimate());
        if body.dialect() != Dialect::Embeddings {
            account.saw(estimate::of_bytes(length));
        }
    }
    account.answered(status);
    Answer::whole(status, headers, said)
}

/// What a model has answered.
enum Got {
    Whole(Whole),
    Stream(super::upstream::Begun),
}

/// How long a model may take.
pub(super) fn timeout_of(model: &Model) -> Duration {
    let declared = model.spec().timeout.as_ref();
    declared.map_or(Duration::from_secs(120), orch_shared::quantity::Span::duration)
}

/// What the script of the only model that was asked says is told as it is.
fn scripted_alone(missed: &[Missed]) -> Option<(&Model, Refused)> {
    match missed {
        [
            Missed {
                model,
                failure: Failure::Scripted { status, message },
            },
        ] => Some((model, Refused::new(*status, "scripted_error", message.clone()))),
        _ => None,
    }
}

/// Nobody answers. What the last provider said itself is passed on where that helps the client to decide; else who was asked
/// and what became of it.
fn nobody(asking: &Asking, missed: &[Missed], account: &mut Account) -> Answer {
    if let Some((model, refused)) = scripted_alone(missed) {
        account.refused(refused.status, refused.code);
        return Answer::refused(&refused, asking.dialect).by(model);
    }
    let told: Vec<String> = missed
        .iter()
        .map(|Missed { model, failure }| format!("llm/{} {}", model.name(), failure.clause()))
        .collect();
    let message = told.join("; ");
    // One that stands in and cannot be told the request says nothing of why it had to.
    let is_telling = |missed: &&Missed| !matches!(missed.failure, Failure::Unfit(_));
    let last = missed.iter().rev().find(is_telling).or(missed.last());
    let last = last.map(|missed| &missed.failure);
    let retry_after = last.and_then(Failure::retry_after);
    let (status, code) = match last {
        Some(Failure::Status { status, .. } | Failure::Scripted { status, .. })
            if *status == StatusCode::TOO_MANY_REQUESTS =>
        {
            (*status, "rate_limit_exceeded")
        }
        Some(
            Failure::Status { .. }
            | Failure::KeyRefused(_)
            | Failure::KeyMissed(_)
            | Failure::Garbled(_)
            | Failure::Scripted { .. },
        ) => (StatusCode::BAD_GATEWAY, "provider_failed"),
        Some(Failure::Late(_)) => (StatusCode::GATEWAY_TIMEOUT, "provider_late"),
        Some(Failure::Away(_) | Failure::Unpublished(_) | Failure::Unkeyed(_)) | None => {
            (StatusCode::SERVICE_UNAVAILABLE, "provider_unreachable")
        }
        Some(Failure::Unfit(_)) => (StatusCode::BAD_REQUEST, "unsupported"),
        Some(Failure::Withheld(refused)) => (refused.status, refused.code),
    };
    account.refused(status, &message);
    let mut refused = Refused::new(status, code, message);
    refused.retry_after = retry_after;
    Answer::refused(&refused, asking.dialect)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_is_left_out_fits_into_a_header() {
        let note = |field: &str| Note {
            field: field.to_owned(),
            message: "left out".to_owned(),
        };
        assert_eq!(left_out(&[note("n"), note("é\n")]), "n: left out; ??: left out");
        let long = left_out(&[note(&"x".repeat(2 * TOLD))]);
        assert_eq!(long.len(), TOLD + "...".len());
        assert!(HeaderValue::try_from(long).is_ok());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn nobody_waits_for_what_is_large() {
        let (done, waited_for) = mpsc::channel();
        let patience = Duration::from_secs(20);
        let large = tokio::spawn(async move { aside(LARGE, || waited_for.recv_timeout(patience)) });
        // There is one worker, and it is taken.
        let other = tokio::spawn(async move { done.send(()) });
        assert!(other.await.expect("it runs").is_ok());
        assert_eq!(large.await.expect("it runs"), Ok(()));
    }
}
