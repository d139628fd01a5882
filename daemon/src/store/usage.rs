//! Usage: calls of models, what was spent by whom on each day, and what is held for calls that are under way.
//!
//! Guarantees: a call is written down once, however often it is handed over, and together with what it spends and the end of
//! what was held for it. What is held and spent never goes beyond a bound: a reservation is looked at and made in one write,
//! and writes are serial, across daemons too.

mod prune;
mod reserve;
mod sums;

use std::collections::{BTreeMap, HashSet};

use orch_shared::allowance::{Spender, day_of};
use orch_shared::money::Money;
use orch_shared::usage::Inference;

use super::sql::{Rows, Statement, sql};
use super::{Error, Transaction};

pub use reserve::{Reservation, Reserved};
pub use sums::UsageQuery;

/// A call to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Tells it from every other: a fresh uid. One that is known already is not written again.
    pub id: String,
    /// What it was.
    pub row: Inference,
    /// What was held for it, by id: ends with this.
    pub reservation: Option<String>,
}

/// What is spent, in tokens and billionths: by whom, on which day, in which currency.
type Spending = BTreeMap<(Spender, i64, String), (i64, i64)>;

impl Transaction {
    /// Writes calls down, with what they spend; what was held for them is free again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_usage(&mut self, calls: &[Call]) -> Result<(), Error> {
        self.state.touched = true;
        let inserted = self
            .all(inserts(calls), |record| Ok(record.text(0)?.to_owned()))
            .await?;
        let mut new: HashSet<String> = inserted.into_iter().collect();
        let mut spending = Spending::new();
        for call in calls.iter().filter(|call| new.remove(&call.id)) {
            let amount = call.row.amount();
            let (nanos, currency) = cost(amount.cost);
            for spender in call.row.spenders() {
                let place = (spender, day_of(call.row.at), currency.clone().unwrap_or_default());
                let (tokens, spent) = spending.entry(place).or_default();
                *tokens += amount.tokens;
                *spent += nanos;
            }
        }
        for statement in additions(spending) {
            self.run(statement).await?;
        }
        for id in calls.iter().filter_map(|call| call.reservation.as_deref()) {
            self.release(id).await?;
        }
        Ok(())
    }

    /// Ends what was held for a call, spent or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(&mut self, reservation: &str) -> Result<(), Error> {
        let release = sql("DELETE FROM inference_reservation WHERE id = $1").bind(reservation);
        self.run(release).await?;
        Ok(())
    }
}

/// Money as two columns have it.
fn cost(cost: Option<Money>) -> (i64, Option<String>) {
    cost.map_or((0, None), |cost| (cost.nanos, Some(cost.currency)))
}

/// The statements that write calls down, and tell the ids of those that were not known.
fn inserts(calls: &[Call]) -> Vec<Statement<'_>> {
    let mut rows = Rows::of(20);
    for Call { id, row, .. } in calls {
        let Inference {
            at,
            principal,
            token,
            project,
            agent,
            thread,
            llm,
            provider,
            model,
            request_id,
            tokens,
            cost: _,
            latency_us,
            first_token_us,
            status,
            streamed,
        } = row;
        let tokens = tokens.bounded();
        let (nanos, currency) = cost(row.amount().cost);
        rows.push([
            id.into(),
            at.millis().into(),
            principal.into(),
            token.as_deref().into(),
            project.as_deref().into(),
            agent.as_deref().into(),
            thread.as_deref().into(),
            llm.into(),
            provider.into(),
            model.into(),
            request_id.as_deref().into(),
            tokens.input.into(),
            tokens.cached.into(),
            tokens.output.into(),
            nanos.into(),
            currency.into(),
            (*latency_us).into(),
            (*first_token_us).into(),
            i64::from(*status).into(),
            i64::from(*streamed).into(),
        ]);
    }
    rows.statements(
        "INSERT INTO inference_usage (id, made_at, principal, token, project, agent, thread, llm, provider, model, \
         request_id, input_tokens, cached_tokens, output_tokens, cost, currency, latency_us, first_token_us, status, \
         streamed)",
        "ON CONFLICT (id) DO NOTHING RETURNING id",
    )
}

/// The statements that add what was spent.
fn additions(spending: Spending) -> Vec<Statement<'static>> {
    let mut rows = Rows::of(5);
    for ((spender, day, currency), (tokens, nanos)) in spending {
        rows.push([
            spender.to_string().into(),
            day.into(),
            currency.into(),
            tokens.into(),
            nanos.into(),
        ]);
    }
    rows.statements(
        "INSERT INTO inference_spent (spender, day, currency, tokens, cost)",
        "ON CONFLICT (spender, day, currency) DO UPDATE SET tokens = inference_spent.tokens + excluded.tokens, \
         cost = inference_spent.cost + excluded.cost",
    )
}
