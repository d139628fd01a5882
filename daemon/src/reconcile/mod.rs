//! Reconciling: driving the world toward what is declared.
//!
//! What enters: keys to look at, from the change log, the runtime and the clock. What leaves: actions on the runtime,
//! Instances, and status. What it never does: write a spec of the user's, or learn what changed; a reconcile takes a key,
//! looks at everything that matters to it, and decides anew.
//!
//! In reading order:

pub mod plan;

mod act;
mod agents;
mod backends;
mod driver;
mod election;
mod far;
mod observe;
mod providers;
mod referrers;
mod values;
mod wiring;

mod lists;
mod models;
mod sessions;
mod waking;

pub use election::{Election, LEASE};
pub use lists::{Lists, is_the_same};
pub use models::{Failing, Models, Resting};
pub use sessions::{ClaimError, SessionCopies};
pub use waking::{WakeError, Waker};
pub use wiring::{FIRST_VISIT, Reconciler, run};
