//! Calls that a copy has not heard of: it has ended, or cannot be reached, and nothing of them has come to it.
//!
//! Such a call goes to another copy, once. What may have been heard is never made again: nobody knows what it has done.

use orch_shared::kind::Kind;
use orch_shared::name::{Name, ObjectRef};

use super::Gateway;
use super::pump::{Relay, Side};
use super::upstream::{COMING_UP, Upstream};
use super::view::Member;
use crate::runtime::link::{self, Exchange};
use crate::runtime::{Hold, Traffic, Use};

impl Relay {
    /// Makes the call elsewhere, when it has certainly not been heard; nothing when it may have been, or nobody else is there.
    pub(super) async fn ask_elsewhere(&mut self, error: &link::Error) -> Option<Exchange> {
        if !error.is_unheard() || !std::mem::take(&mut self.may_move) {
            return None;
        }
        let other = self.gateway.instead(&self.server, &self.side, &self.upstream).await?;
        let exchange = other.link.request(self.call.clone()).await.ok()?;
        self.report(error);
        self.note.use_copy(self.gateway.held_by_call(&self.side, &other));
        self.upstream = other;
        Some(exchange)
    }

    /// Tells the runtime what a copy failed to do. One that has ended is known to have.
    pub(super) fn report(&self, error: &link::Error) {
        match error {
            link::Error::Closed(_) | link::Error::Unsent(_) | link::Error::Overrun => {}
            link::Error::Status { status, .. } if *status < 500 => {}
            link::Error::Unreachable(_) | link::Error::Status { .. } | link::Error::Garbled(_) => {
                let failed = Traffic::Failed(error.to_string());
                self.gateway.0.runtime.report(&self.upstream.copy, &failed);
            }
        }
    }
}

impl Gateway {
    /// Whom to ask instead of a copy that has not heard of a call.
    async fn instead(&self, server: &str, side: &Side, deaf: &Upstream) -> Option<Upstream> {
        let name: Name = server.parse().ok()?;
        let snapshot = self.0.store.snapshot();
        let object = snapshot.get(&ObjectRef::cluster(Kind::Server, name.clone()))?;
        let member = Member::of_everybody(name, object.clone());
        match side {
            Side::Legacy(session) if !deaf.link.is_open() => self.upstream_of(&member, session).await.ok(),
            // What the copy keeps for the session would be lost.
            Side::Legacy(_) => None,
            Side::Modern(_) if !deaf.link.is_open() => self.upstream(&member, COMING_UP).await.ok(),
            Side::Modern(_) => self.least_busy(&member, Some(&deaf.copy)),
        }
    }

    /// What keeps a copy from going while a call is under way in a conversation of the session's own.
    pub(super) fn held_by_call(&self, side: &Side, upstream: &Upstream) -> Option<Hold> {
        match side {
            Side::Legacy(session) if session.link(&upstream.copy).is_some() => {
                self.0.runtime.hold(&upstream.copy, Use::Call)
            }
            Side::Legacy(_) | Side::Modern(_) => None,
        }
    }
}
