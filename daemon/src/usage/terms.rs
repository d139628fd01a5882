//! What holds for a call before it is made: the limits of the token that is shown, and the budgets that it counts in. Pure.

use orch_shared::allowance::{Purse, Spender};
use orch_shared::kind::Kind;
use orch_shared::kinds::llm::Limits;
use orch_shared::kinds::project::Project;
use orch_shared::kinds::token::Token;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::resource::Timestamp;

use crate::store::Snapshot;

/// What holds for a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Terms {
    /// How much may be asked with the token.
    pub limits: Option<Limits>,
    /// What may be spent: the token's budget and the project's, where they have one.
    pub purses: Vec<Purse>,
}

impl Terms {
    /// What holds at that instant for a call with that token, as its credential names it, and for that project. Nothing when one
    /// of the two is not there any more: then nothing may be called.
    #[must_use]
    pub fn of(snapshot: &Snapshot, token: Option<&str>, project: Option<&Name>, now: Timestamp) -> Option<Self> {
        let mut terms = Self::default();
        if let Some(name) = token {
            let object = snapshot.get(&Token::called(name)?)?;
            let spec = object.spec::<Token>()?;
            terms.limits.clone_from(&spec.limits);
            let spender = Spender::Token(name.to_owned());
            terms
                .purses
                .extend(spec.budget.as_ref().map(|budget| budget.purse(spender, now)));
        }
        if let Some(name) = project {
            let object = snapshot.get(&ObjectRef::cluster(Kind::Project, name.clone()))?;
            let spec = object.spec::<Project>()?;
            let spender = Spender::Project(name.to_string());
            terms
                .purses
                .extend(spec.budget.as_ref().map(|budget| budget.purse(spender, now)));
        }
        Some(terms)
    }
}
