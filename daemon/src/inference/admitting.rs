//! Whether a request is let through to a model: within the limits of whoever asks and of the model, and within the budgets that
//! it counts in. What it may take at most is held of those until it is known.

use axum::http::StatusCode;
use orch_shared::access::Principal;
use orch_shared::allowance::{Amount, Purse};
use orch_shared::inference::request::Body;
use orch_shared::kinds::llm::Limits;
use orch_shared::name::Name;
use orch_shared::usage::Tokens;

use super::Shared;
use super::account::Account;
use super::asking::{PATIENCE, aside, timeout_of};
use super::choice::Model;
use super::refused::Refused;
use crate::limits::{Bounds, Place, Whose};
use crate::store::Snapshot;
use crate::usage::Terms;

/// So long an answer is taken to be, in tokens, where the request does not bound it: so much is held of budgets.
const USUAL_OUTPUT: u64 = 4096;
/// How many times the time of a model a request may take in all, stand-ins included: for so long what is held of budgets counts.
const LONGEST: u32 = 10;

impl Shared {
    /// Lets a request through to the model that it names, or says why not. The budgets that it counts in.
    pub(super) async fn admit(
        &self,
        (principal, project): (&Principal, Option<Name>),
        body: &Body<'_>,
        model: &Model,
        snapshot: &Snapshot,
        account: &mut Account,
    ) -> Result<Vec<Purse>, Refused> {
        let now = self.store.clock().now();
        let terms = Terms::of(snapshot, principal.token(), project.as_ref(), now).ok_or_else(|| {
            Refused::new(
                StatusCode::FORBIDDEN,
                "permission_denied",
                "the token, or its project, is not there any more",
            )
        })?;
        let Terms { limits, purses } = terms;
        account.hold(self.enter(principal, limits.as_ref())?);
        self.admit_to(model, body, &purses, account).await?;
        Ok(purses)
    }

    /// Lets it through to a model, one that stands in for another included: what was held for that one is given back.
    pub(super) async fn admit_to(
        &self,
        model: &Model,
        body: &Body<'_>,
        purses: &[Purse],
        account: &mut Account,
    ) -> Result<(), Refused> {
        account.hold_at(self.enter_model(model)?);
        account.release();
        if account.counts_tokens() || !purses.is_empty() {
            account.weighs(|| aside(body.size(), || body.input_estimate()));
        }
        if purses.is_empty() {
            return Ok(());
        }
        let most = most(body, model, account.weight());
        let amount = Amount {
            tokens: most.total(),
            cost: model.spec().pricing.as_ref().map(|pricing| most.cost(pricing)),
        };
        let held = self
            .books
            .usage
            .reserve(amount, purses.to_vec(), timeout_of(model) * LONGEST)
            .await;
        let held = held.map_err(|error| {
            let message = format!("what may be spent is not known while the database is away: {error}");
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "budget_unknown", message).after(PATIENCE)
        })?;
        let hold =
            held.map_err(|refusal| Refused::new(StatusCode::PAYMENT_REQUIRED, "budget_exceeded", refusal.to_string()))?;
        account.reserve(hold);
        Ok(())
    }

    /// Within the limits of whoever asks, and of the token that was shown.
    fn enter(&self, principal: &Principal, of_token: Option<&Limits>) -> Result<Place, Refused> {
        let token = principal.token().unwrap_or_default();
        self.within(&[
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
        ])
    }

    /// Within the limits of a model.
    fn enter_model(&self, model: &Model) -> Result<Place, Refused> {
        self.within(&[Whose {
            kind: "llm",
            id: &model.object.uid,
            name: model.name().as_str(),
            bounds: model.spec().limits.as_ref().map(bounds).unwrap_or_default(),
        }])
    }

    fn within(&self, whose: &[Whose<'_>]) -> Result<Place, Refused> {
        self.limits.enter(whose).map_err(|over| {
            Refused::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", over.what).after(over.retry_after)
        })
    }
}

/// What a request may take at most of a model: of every answer that it asks for, as long as the request or the model's own
/// parameters let it be.
fn most(body: &Body<'_>, model: &Model, input: u64) -> Tokens {
    let count = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    let bound = body.output_bound(model.spec().extra.as_ref());
    Tokens {
        input: count(input),
        cached: 0,
        output: count(bound.length.unwrap_or(USUAL_OUTPUT).saturating_mul(bound.answers)),
    }
}

/// The limits that are declared.
fn bounds(declared: &Limits) -> Bounds {
    Bounds {
        per_minute: declared.requests_per_minute.and_then(std::num::NonZeroU32::new),
        concurrent: declared.concurrent.and_then(std::num::NonZeroU32::new),
        tokens_per_minute: declared.tokens_per_minute.and_then(std::num::NonZeroU64::new),
    }
}
