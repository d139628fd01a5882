//! Where calls are handed in, and where budgets are held for them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use orch_shared::allowance::{Amount, Purse, Shortfall, Spender};
use orch_shared::usage::Inference;
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, Book, Standing};
use crate::store::{Call, Error, Reservation, Reserved, Store};

/// How long an answer waits for its row.
const PATIENCE: Duration = Duration::from_secs(1);

/// The calls of the store.
struct Calls(Store);

impl Calls {
    async fn record(&self, calls: Arc<Vec<Call>>) -> Result<(), Error> {
        let writing = self
            .0
            .write(move |transaction| Box::pin(async move { transaction.record_usage(&calls).await }));
        writing.await
    }
}

impl Book for Calls {
    type Row = Call;
    type Error = Error;

    const NAME: &'static str = "the usage of models";

    /// A call that is known is not written again.
    async fn write(&self, rows: Arc<Vec<Call>>) -> Result<(), Error> {
        self.record(rows).await
    }

    /// Nobody called a model there: how many are missing is told by the log and the metrics.
    fn gap(&self, _dropped: u64) -> Option<Call> {
        None
    }
}

/// Where calls are handed in. Cheap to clone.
#[derive(Clone)]
pub struct Ledger(Batch<Calls>);

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ledger").field(&self.standing()).finish()
    }
}

/// What is held for a call that is under way. Dropped, it is given back: the call was not made, or nobody can say what it took.
#[must_use = "what is held is given back at once"]
pub struct Hold {
    store: Store,
    /// Nothing where no budget counts the call, and when the row has taken it over.
    id: Option<String>,
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            // One that gets lost ends at its deadline.
            self.store
                .write_later(move |transaction| Box::pin(async move { transaction.release(&id).await }));
        }
    }
}

/// A call does not fit into a budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the budget of {spender} does not allow it: {why}")]
pub struct Refusal {
    /// Whose budget.
    pub spender: Spender,
    /// What is missing.
    pub why: Shortfall,
}

impl Ledger {
    /// Opens a ledger: where to hand in, and what writes it down until `stop`.
    pub fn open(store: Store, stop: CancellationToken) -> (Self, impl Future<Output = ()> + Send) {
        let (batch, writing) = Batch::open(Calls(store), stop);
        (Self(batch), writing)
    }

    fn store(&self) -> &Store {
        &self.0.book().0
    }

    /// Holds the most that a call may take out of every budget that it counts in. It counts for that long if nothing else is
    /// heard of it: longer than any call lasts. Without budgets, nothing is written.
    ///
    /// # Errors
    /// When the database cannot be written; then nothing may be spent.
    pub async fn reserve(
        &self,
        amount: Amount,
        purses: Vec<Purse>,
        lasts: Duration,
    ) -> Result<Result<Hold, Refusal>, Error> {
        let store = self.store();
        if purses.is_empty() {
            let store = store.clone();
            return Ok(Ok(Hold { store, id: None }));
        }
        let id = store.ids().uid();
        // Made first: who stops waiting meanwhile gives back what may be held by then.
        let hold = Hold {
            store: store.clone(),
            id: Some(id.clone()),
        };
        let reserved = store.reserve(Reservation {
            id,
            amount,
            purses,
            deadline: store.clock().now().after(lasts),
        });
        match reserved.await? {
            Reserved::Held => Ok(Ok(hold)),
            Reserved::Refused { spender, why } => {
                hold.taken_over();
                Ok(Err(Refusal { spender, why }))
            }
        }
    }

    fn call(&self, row: Inference, hold: Option<Hold>) -> Call {
        Call {
            id: self.store().ids().uid(),
            row,
            reservation: hold.and_then(Hold::taken_over),
        }
    }

    /// Hands in a call that has ended, with what was held for it, and returns at once.
    pub fn hand_in(&self, row: Inference, hold: Option<Hold>) {
        self.0.hand_in(self.call(row, hold));
    }

    /// Writes a call down before it returns, as long as the database can be written; else hands it in.
    pub async fn settle(&self, row: Inference, hold: Option<Hold>) {
        let calls = Arc::new(vec![self.call(row, hold)]);
        let written = self.0.book().record(Arc::clone(&calls));
        if !matches!(tokio::time::timeout(PATIENCE, written).await, Ok(Ok(()))) {
            // It may have been written all the same; then it is not written again.
            for call in Arc::unwrap_or_clone(calls) {
                self.0.hand_in(call);
            }
        }
    }

    /// How rows keep up.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.0.standing()
    }
}

impl Hold {
    /// Ends it for somebody who ends what is held.
    fn taken_over(mut self) -> Option<String> {
        self.id.take()
    }
}
