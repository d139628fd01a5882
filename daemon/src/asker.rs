//! Who asks, for as long as what they ask takes.
//!
//! A request is decided by the rights of the moment. Where much can happen between two steps of one (its body arrives, a
//! backend answers, a model thinks), who asks is looked up again before the next: [`Asker::renew`]. Where nothing has changed
//! meanwhile, that is a comparison.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use orch_shared::access::Principal;
use orch_shared::problem::Problem;

/// Knows somebody by what they have shown.
pub trait Known: Send + Sync {
    /// Whether nothing has happened since that could make somebody else of them.
    fn is_untouched(&self) -> bool;

    /// Who that is by now.
    fn again(&self) -> BoxFuture<'_, Result<Asker, Problem>>;
}

/// Who asks: a principal, as of the latest look. Cheap to clone.
#[derive(Clone)]
pub struct Asker {
    principal: Principal,
    known: Option<Arc<dyn Known>>,
}

impl Asker {
    /// Somebody who is known by what they have shown.
    #[must_use]
    pub fn known(principal: Principal, by: Arc<dyn Known>) -> Self {
        Self {
            principal,
            known: Some(by),
        }
    }

    /// Who that is, as of the latest look.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Looks again who that is: from then on it is the principal of this moment.
    ///
    /// # Errors
    /// When whoever it was may not ask any more, or nobody can be asked who it is.
    pub async fn renew(&mut self) -> Result<(), Problem> {
        if let Some(known) = self.known.as_ref().filter(|known| !known.is_untouched()) {
            *self = known.again().await?;
        }
        Ok(())
    }
}

/// Somebody who has shown nothing: the daemon itself, or whoever comes through a door that is open to everybody.
impl From<Principal> for Asker {
    fn from(principal: Principal) -> Self {
        Self { principal, known: None }
    }
}

impl Deref for Asker {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.principal.fmt(f)
    }
}
