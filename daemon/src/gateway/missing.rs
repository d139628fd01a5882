//! Lists that servers do not give: whoever looks after a server is told, and they are asked for again.
//!
//! What went missing, be it a part of a list, is told once, in an event, the audit log and the server's status; not again
//! until the reason is another one: another count or time in it makes no other. A list that is missing is asked for again now
//! and then, and when the server comes up, so that what is said of it does not depend on whether a client asks. Clients are
//! told when it is back, for they may have been given what was known before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orch_shared::access::Principal;
use orch_shared::audit::{Outcome, Row, RowKind, Target};
use orch_shared::query::Severity;

use super::Gateway;
use super::surface::{Kind, Listed, lacking};
use super::view::Member;
use crate::reconcile::is_the_same;
use crate::store::NewEvent;

/// Why a list is missing, by uid of the server and kind.
type Reasons = HashMap<(Arc<str>, Kind), Arc<str>>;

/// Lists that are missing.
#[derive(Default)]
pub(super) struct Missing(Mutex<Reasons>);

impl Missing {
    fn known(&self) -> MutexGuard<'_, Reasons> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway {
    /// Tells of it when a server's part of a list goes missing, and when it is back. Called with each answer.
    pub(super) fn note_missing(&self, member: &Member, kind: Kind, listed: &Listed) {
        let uid = &member.object.uid;
        let key = (Arc::clone(uid), kind);
        let Some(reason) = lacking(listed) else {
            let before = self.0.missing.known().remove(&key);
            self.0.lists.has(uid, kind.method());
            if before.is_some() {
                self.tell_list_changed(uid, kind.capability());
            }
            return;
        };
        let reason: Arc<str> = reason.into();
        let before = self.0.missing.known().insert(key, Arc::clone(&reason));
        if before.is_some_and(|before| is_the_same(&before, &reason)) {
            return;
        }
        self.0.lists.lacks(uid, kind.method(), &reason);
        let object = member.object.object.clone();
        self.0.ledger.hand_in(Row {
            principal: Principal::daemon().name.to_string(),
            target: Some(Target::of(&object)),
            outcome: Outcome::Failed,
            detail: reason.to_string(),
            ..Row::new(RowKind::Request, kind.method())
        });
        let event = NewEvent {
            object,
            uid: uid.to_string(),
            severity: Severity::Warning,
            reason: "ListMissing".to_owned(),
            message: format!("its part of {} is missing: {reason}", kind.method()),
        };
        let store = self.0.store.clone();
        tokio::spawn(async move {
            let written =
                store.write(move |transaction| Box::pin(async move { transaction.event(&event).await.map(drop) }));
            if let Err(error) = written.await {
                tracing::debug!(%error, "an event cannot be written");
            }
        });
    }

    /// Asks again for the lists that are missing; those of one server, if one is meant.
    pub(super) async fn ask_again(&self, server: Option<&str>) {
        let snapshot = self.0.store.snapshot();
        let mut members = Vec::new();
        // What is said of a server that is gone goes with it.
        self.0.missing.known().retain(|(uid, kind), _| {
            let Some(object) = snapshot.by_uid(uid) else {
                return false;
            };
            if server.is_none_or(|server| **uid == *server) {
                let (name, object) = (object.object.name.clone(), Arc::clone(object));
                members.push((Member::of_everybody(name, object), *kind));
            }
            true
        });
        // What rests is not woken for it.
        members.retain(|(member, _)| !self.rests(member));
        let asking = members.iter().map(|(member, kind)| self.part(member, *kind));
        futures_util::future::join_all(asking).await;
    }
}
