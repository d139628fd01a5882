//! Holding part of a budget for a call before it is made: how much it takes is known only afterwards, and others ask
//! meanwhile.

use std::collections::BTreeMap;

use orch_shared::allowance::{Amount, Purse, Shortfall, Spender, Spent, day_of};
use orch_shared::resource::Timestamp;

use crate::store::sql::{Record, Rows, Statement, sql};
use crate::store::{Error, Store, Transaction};

/// What is to be held for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Tells it from every other: a fresh uid.
    pub id: String,
    /// The most that the call may take.
    pub amount: Amount,
    /// Out of all of these, or out of none.
    pub purses: Vec<Purse>,
    /// When it counts no longer, because whoever asked for it must be gone.
    pub deadline: Timestamp,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// It is held, and durable.
    Held,
    /// It does not fit, and nothing is held.
    Refused {
        /// Whose budget is too small.
        spender: Spender,
        /// What is missing, what others hold counted as spent.
        why: Shortfall,
    },
}

/// What somebody has spent from a day on, and what is held at an instant.
fn spent_and_held(spender: &Spender, since: Timestamp, now: Timestamp) -> Statement<'static> {
    sql(
        "SELECT t.currency, CAST(SUM(t.tokens) AS BIGINT), CAST(SUM(t.cost) AS BIGINT) FROM \
         (SELECT s.currency, s.tokens, s.cost FROM inference_spent s WHERE s.spender = $1 AND s.day >= $2 \
         UNION ALL SELECT r.currency, r.tokens, r.cost FROM inference_reservation r WHERE r.spender = $1 \
         AND r.deadline > $3) AS t GROUP BY t.currency",
    )
    .bind(spender.to_string())
    .bind(day_of(since))
    .bind(now.millis())
}

fn part(record: Record<'_>) -> Result<(String, i64, i64), Error> {
    Ok((record.text(0)?.to_owned(), record.integer(1)?, record.integer(2)?))
}

fn together(parts: Vec<(String, i64, i64)>) -> Spent {
    Spent {
        tokens: parts.iter().map(|(_, tokens, _)| tokens).sum(),
        cost: parts
            .into_iter()
            .filter(|(currency, ..)| !currency.is_empty())
            .map(|(currency, _, nanos)| (currency, nanos))
            .collect::<BTreeMap<_, _>>(),
    }
}

impl Store {
    /// Holds something for a call, if it fits into every budget that it counts in.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn reserve(&self, reservation: Reservation) -> Result<Reserved, Error> {
        self.write(move |transaction| Box::pin(async move { transaction.reserve(&reservation).await }))
            .await
    }

    /// What somebody has spent since the day of an instant, with what is held just now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn spent(&self, spender: &Spender, since: Timestamp) -> Result<Spent, Error> {
        let statement = spent_and_held(spender, since, self.clock().now());
        let parts = self
            .observed("usage", async {
                self.readers().acquire().await?.session().all(statement, part).await
            })
            .await?;
        Ok(together(parts))
    }
}

impl Transaction {
    /// Holds something for a call, if it fits into every budget that it counts in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reserve(&mut self, reservation: &Reservation) -> Result<Reserved, Error> {
        let Reservation {
            id,
            amount,
            purses,
            deadline,
        } = reservation;
        for Purse { spender, since, bound } in purses {
            let parts = self.all(vec![spent_and_held(spender, *since, self.now)], part).await?;
            if let Err(why) = bound.admits(&together(parts), amount) {
                let spender = spender.clone();
                return Ok(Reserved::Refused { spender, why });
            }
        }
        let (nanos, currency) = super::cost(amount.cost.clone());
        let mut rows = Rows::of(6);
        for purse in purses {
            rows.push([
                id.into(),
                purse.spender.to_string().into(),
                amount.tokens.into(),
                nanos.into(),
                currency.clone().unwrap_or_default().into(),
                deadline.millis().into(),
            ]);
        }
        let before = "INSERT INTO inference_reservation (id, spender, tokens, cost, currency, deadline)";
        for statement in rows.statements(before, "") {
            self.run(statement).await?;
        }
        Ok(Reserved::Held)
    }
}
