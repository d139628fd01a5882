//! Asking a model: within which limits, in which words, and whom else when it does not answer.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use orch_shared::access::Principal;
use orch_shared::allowance::Amount;
use orch_shared::inference::request::Body;
use orch_shared::inference::{Dialect, Stamp};
use orch_shared::kinds::llm::Limits;
use orch_shared::name::Name;
use orch_shared::usage::Tokens;
use tokio::time::{Instant, timeout_at};

use super::account::Account;
use super::behalf::Behalf;
use super::bridge::{self, Bridge};
use super::choice::{self, Model};
use super::refused::Refused;
use super::relay::Relay;
use super::upstream::{Failure, Outgoing, Whole, passed_back};
use super::{Inference, Shared, scripted};
use crate::limits::{Bounds, Place, Whose};
use crate::store::Snapshot;
use crate::usage::Terms;

/// How often one model is asked before another one stands in for it.
const TRIES: u32 = 2;
/// Longer than that nobody waits for a model that asks for a pause.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause before the second try, where nobody asks for another.
const PAUSE: Duration = Duration::from_millis(200);

/// So long an answer is taken to be, in tokens, where the request does not bound it: so much is held of budgets.
const USUAL_OUTPUT: u64 = 4096;
/// How many times the time of a model a request may take in all, stand-ins included: for so long what is held of budgets counts.
const LONGEST: u32 = 10;

/// Which model has answered.
pub(super) const ANSWERED_BY: HeaderName = HeaderName::from_static("x-orch-llm");

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
}

impl Inference {
    /// Asks.
    pub(super) async fn ask(&self, asking: Asking) -> Answer {
        let accepted = match Body::read(asking.dialect, &asking.body) {
            Ok(body) => self.0.accept(&asking, body).await,
            Err(refused) => Err(Refused::untranslatable(refused)),
        };
        match accepted {
            Ok(accepted) => self.0.answer(&asking, accepted).await,
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
    account: Account,
}

/// A try that came to nothing.
struct Missed {
    model: Model,
    failure: Failure,
}

impl Shared {
    async fn accept<'b>(&self, asking: &Asking, body: Body<'b>) -> Result<Accepted<'b>, Refused> {
        let snapshot = self.store.snapshot();
        let (model, project) = match &asking.of {
            Of::Named { project } => (
                choice::choose(&asking.principal, &snapshot, body.model())?,
                choice::project(&asking.principal, &snapshot, project.as_deref())?,
            ),
            Of::Agent(behalf) => (choice::appointed(&snapshot, body.model())?, behalf.project.clone()),
        };
        let verb = asking.dialect.path().trim_start_matches("/v1/");
        let mut account = Account::open(&self.books, &asking.principal, verb, &model, body.is_streamed());
        account.is_for(project.as_ref());
        match &asking.of {
            Of::Named { .. } => {}
            Of::Agent(behalf) => account.is_asked_by(behalf),
        }
        if let Err(refused) = self
            .admit((&asking.principal, project), &body, &model, &snapshot, &mut account)
            .await
        {
            account.refused(refused.status, refused.code);
            return Err(refused);
        }
        let mut models = choice::stand_ins(&asking.principal, &snapshot, &model);
        models.insert(0, model);
        Ok(Accepted {
            body,
            snapshot,
            models,
            account,
        })
    }

    /// Holds a request against limits and budgets.
    async fn admit(
        &self,
        (principal, project): (&Principal, Option<Name>),
        body: &Body<'_>,
        model: &Model,
        snapshot: &Snapshot,
        account: &mut Account,
    ) -> Result<(), Refused> {
        let now = self.store.clock().now();
        let terms = Terms::of(snapshot, principal.token(), project.as_ref(), now).ok_or_else(|| {
            Refused::new(
                StatusCode::FORBIDDEN,
                "permission_denied",
                "the token, or its project, is not there any more",
            )
        })?;
        let Terms { limits, purses } = terms;
        account.hold(self.enter(principal, limits.as_ref(), model)?);
        if purses.is_empty() {
            return Ok(());
        }
        let count = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
        let most = Tokens {
            input: count(body.input_estimate()),
            cached: 0,
            output: count(body.output_limit().unwrap_or(USUAL_OUTPUT)),
        };
        let amount = Amount {
            tokens: most.total(),
            cost: model.spec().pricing.as_ref().map(|pricing| most.cost(pricing)),
        };
        let held = self
            .books
            .usage
            .reserve(amount, purses, timeout_of(model) * LONGEST)
            .await;
        match held.map_err(|error| {
            let message = format!("what may be spent is not known while the database is away: {error}");
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "budget_unknown", message).after(PATIENCE)
        })? {
            Ok(hold) => account.reserve(hold),
            Err(refusal) => {
                let message = refusal.to_string();
                return Err(Refused::new(StatusCode::PAYMENT_REQUIRED, "budget_exceeded", message));
            }
        }
        Ok(())
    }

    /// Within the limits of whoever asks, of the token that was shown, and of the model.
    fn enter(&self, principal: &Principal, of_token: Option<&Limits>, model: &Model) -> Result<Place, Refused> {
        let token = principal.token().unwrap_or_default();
        let whose = [
            Whose {
                kind: "token",
                id: token,
                name: token,
                bounds: of_token.map(bounds).unwrap_or_default(),
            },
            Whose {
                kind: "principal",
                id: principal.actor(),
                name: principal.actor(),
                bounds: self.principal_limits,
            },
            Whose {
                kind: "llm",
                id: &model.object.uid,
                name: model.name().as_str(),
                bounds: model.spec().limits.as_ref().map(bounds).unwrap_or_default(),
            },
        ];
        self.limits.enter(&whose).map_err(|over| {
            Refused::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", over.what).after(over.retry_after)
        })
    }

    async fn answer(&self, asking: &Asking, accepted: Accepted<'_>) -> Answer {
        let Accepted {
            body,
            snapshot,
            models,
            mut account,
        } = accepted;
        let mut missed: Vec<Missed> = Vec::new();
        for model in models {
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
            account.answered_by(&model);
            let stamp = bridge::stamp(&model, self.store.ids().uid(), self.store.clock().now().millis());
            if let Bridge::Scripted(dialect) = bridge {
                account.asked();
                return scripted::play(self, &body, dialect, &model, &stamp, account)
                    .await
                    .by(&model);
            }
            let outgoing = match bridge.outgoing(&body, model.spec()) {
                Ok(said) => Outgoing {
                    path: bridge.path(),
                    headers: asking.headers.clone(),
                    body: said,
                },
                Err(refused) => {
                    account.refused(refused.status, refused.code);
                    return Answer::refused(&refused, asking.dialect);
                }
            };
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
                    return answered(&bridge, &body, &stamp, whole, account).by(&model);
                }
                Ok(Got::Stream(begun)) => {
                    let headers = passed_back(&begun.head.headers);
                    let passage = bridge.passage(&body, &stamp);
                    let patience = timeout_of(&model);
                    let relay = Relay::new(begun.body, passage, account, patience, self.shutdown.clone());
                    let content = Content::Stream(Box::new(relay));
                    let answer = Answer {
                        status: StatusCode::OK,
                        headers,
                        content,
                    };
                    return answer.by(&model);
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
                    false => begun.whole().await.map(Got::Whole),
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
                Failure::Unpublished(_) => true,
                Failure::Unfit(_)
                | Failure::Unkeyed(_)
                | Failure::Away(_)
                | Failure::Late(_)
                | Failure::KeyRefused(_) => false,
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

/// An answer that is there whole.
fn answered(bridge: &Bridge, body: &Body<'_>, stamp: &Stamp, whole: Whole, mut account: Account) -> Answer {
    let Whole {
        status,
        headers,
        body: said,
    } = whole;
    let headers = passed_back(&headers);
    let (said, usage) = bridge.whole(body, stamp, status, said);
    account.used(usage);
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

/// The limits that are declared.
fn bounds(declared: &Limits) -> Bounds {
    Bounds {
        per_minute: declared.requests_per_minute.and_then(std::num::NonZeroU32::new),
        concurrent: declared.concurrent.and_then(std::num::NonZeroU32::new),
        tokens_per_minute: declared.tokens_per_minute.and_then(std::num::NonZeroU64::new),
    }
}

/// Nobody answers. What the last provider said itself is passed on where that helps the client to decide; else who was asked
/// and what became of it.
fn nobody(asking: &Asking, missed: &[Missed], account: &mut Account) -> Answer {
    let told: Vec<String> = missed
        .iter()
        .map(|Missed { model, failure }| format!("llm/{} {}", model.name(), failure.clause()))
        .collect();
    let message = told.join("; ");
    let last = missed.last().map(|missed| &missed.failure);
    let retry_after = last.and_then(Failure::retry_after);
    let (status, code) = match last {
        Some(Failure::Status { status, .. }) if *status == StatusCode::TOO_MANY_REQUESTS => {
            (*status, "rate_limit_exceeded")
        }
        Some(Failure::Status { .. } | Failure::KeyRefused(_)) => (StatusCode::BAD_GATEWAY, "provider_failed"),
        Some(Failure::Late(_)) => (StatusCode::GATEWAY_TIMEOUT, "provider_late"),
        Some(Failure::Away(_) | Failure::Unpublished(_) | Failure::Unkeyed(_)) | None => {
            (StatusCode::SERVICE_UNAVAILABLE, "provider_unreachable")
        }
        Some(Failure::Unfit(_)) => (StatusCode::BAD_REQUEST, "unsupported"),
    };
    account.refused(status, &message);
    let mut refused = Refused::new(status, code, message);
    refused.retry_after = retry_after;
    Answer::refused(&refused, asking.dialect)
}
