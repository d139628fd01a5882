//! Why a request was not admitted, and how that is told.

use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};

use super::lodging::Errands;
use crate::store;

/// Why a request was not admitted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is at fault, and this says how.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// Backends have to be asked before it can be; whoever writes does so, and begins again.
    #[error("backends have to be asked first")]
    Errands(Box<Errands>),
    /// The store is.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(problem) => *problem,
            Error::Errands(_) => Self::new(Code::Internal, "backends were to be asked, and nobody did"),
            Error::Store(error) => error.into(),
        }
    }
}

/// What a failing store means for whoever asked. The detail is for people; the log has it with the request's id.
impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        use store::Error as E;
        let detail = error.to_string();
        match error {
            E::Unavailable { .. } | E::TakenOver { .. } => Self::new(Code::StoreUnavailable, detail)
                .suggest("try again in a moment")
                .retry_after(2),
            E::Uncertain { .. } => Self::new(Code::StoreUnavailable, detail)
                .suggest("read the object, or send the same request again: apply is safe to repeat")
                .retry_after(2),
            E::ReadOnly { .. } => Self::new(Code::StoreReadOnly, detail)
                .suggest("free some space or make the database writable; the daemon notices by itself")
                .retry_after(10),
            E::Conflict { .. } | E::Gone { .. } => Self::new(Code::Stale, detail)
                .suggest("read it again and repeat the change")
                .retry_after(1),
            E::Taken { .. } => Self::new(Code::AlreadyExists, detail),
            E::Compacted { .. } => {
                Self::new(Code::Compacted, detail).suggest("list again, and watch from the revision of that list")
            }
            E::InUse { .. } | E::Unusable { .. } => {
                tracing::error!(%detail, "the store cannot be used");
                Self::new(
                    Code::StoreUnavailable,
                    "the database cannot be used; the daemon's log says why",
                )
                .retry_after(10)
            }
            E::Broken { .. } => {
                tracing::error!(%detail, "the store has met a case that it does not know");
                Self::new(Code::Internal, "the daemon has met a case that it does not know")
            }
        }
    }
}

/// There is no such object, or it may not be seen.
pub(super) fn not_found(object: &ObjectRef) -> Problem {
    let plural = object.kind.meta().plural;
    Problem::new(Code::NotFound, format!("{object} does not exist"))
        .suggest(format!("what there is: orchctl get {plural}"))
}

/// The object is on its way out.
pub(super) fn terminating(object: &ObjectRef) -> Problem {
    Problem::new(Code::Terminating, format!("{object} is still being deleted"))
        .suggest(format!(
            "wait for it: orchctl wait {}/{} --for=delete",
            object.kind.meta().singular,
            object.name
        ))
        .retry_after(1)
}
