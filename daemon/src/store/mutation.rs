//! What can be done to stored objects. Admission and the reconciler say it with values of [`Mutation`]; only
//! [`Transaction::mutate`](super::Transaction::mutate) does it.

use std::collections::BTreeMap;

use orch_shared::kind::Reference;
use orch_shared::name::ObjectRef;
use orch_shared::resource::{Owner, Timestamp};

/// One change of one object.
#[derive(Debug, Clone)]
pub enum Mutation {
    /// Makes an object. [`Error::Taken`](super::Error::Taken) when its name is in use.
    Create(Box<Create>),
    /// Changes what the user owns. [`Error::Conflict`](super::Error::Conflict) when the generation has moved.
    Update(Box<Update>),
    /// Replaces the reconciler's part of status. Writes nothing when it is stored already.
    Status {
        /// The object. [`Error::Gone`](super::Error::Gone) when it is not there.
        uid: String,
        /// JSON text of an object.
        status: String,
    },
    /// Marks an object as being deleted. Writes nothing when it is already.
    MarkDeleting {
        /// The object. [`Error::Gone`](super::Error::Gone) when it is not there.
        uid: String,
    },
    /// Notes that a restart was asked for.
    Restart {
        /// The object. [`Error::Gone`](super::Error::Gone) when it is not there.
        uid: String,
        /// When.
        at: Timestamp,
    },
    /// Moves an object to another apply set, or out of any, without touching what the user wrote.
    ApplySet {
        /// The object. [`Error::Gone`](super::Error::Gone) when it is not there.
        uid: String,
        /// The set.
        apply_set: Option<String>,
    },
    /// Tells whoever follows an object that something has changed which goes with it and is not part of it, such as who is
    /// logged in as a User.
    Announce {
        /// The object. [`Error::Gone`](super::Error::Gone) when it is not there.
        uid: String,
    },
    /// Removes an object with its labels, references and history. Its last text stays in the change log for watches.
    Remove {
        /// The object. [`Error::Gone`](super::Error::Gone) when it is not there.
        uid: String,
    },
}

/// An object to be made.
#[derive(Debug, Clone)]
pub struct Create {
    /// Kind, scope and name.
    pub object: ObjectRef,
    /// A fresh uid, from [`Store::ids`](super::Store::ids).
    pub uid: String,
    /// What the user wrote.
    pub declared: Declared,
    /// The apply set it becomes a member of.
    pub apply_set: Option<String>,
    /// The object it belongs to.
    pub owner: Option<Owner>,
    /// How it was made, for the history: `apply`, `create`.
    pub verb: String,
}

/// A change of what the user owns.
#[derive(Debug, Clone)]
pub struct Update {
    /// The object.
    pub uid: String,
    /// The generation that was read.
    pub expect_generation: i64,
    /// What the user wrote.
    pub declared: Declared,
    /// The apply set it is a member of from now on.
    pub apply_set: Option<String>,
    /// Whether the change makes a new generation.
    pub generation: Generations,
    /// How it was changed, for the history: `apply`, `scale`, `rollback to 3`.
    pub verb: String,
}

/// What the user owns of an object, in the forms it is stored in.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// JSON text of the metadata.
    pub metadata: String,
    /// JSON text of the spec.
    pub spec: String,
    /// The labels in the metadata, to be selected by.
    pub labels: BTreeMap<String, String>,
    /// The objects the spec names.
    pub references: Vec<Reference>,
}

/// Whether a change makes a new generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generations {
    /// The meaning changed: the next generation begins, and history keeps it.
    Next,
    /// Only the form changed: the generation stays, and history as it is.
    Same,
}
