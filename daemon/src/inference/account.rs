//! What one request took, and what came of it: a row of the audit log, and what counts against limits. Neither what was
//! asked nor what was answered is part of it.

use std::time::Instant;

use axum::http::StatusCode;
use orch_shared::access::Principal;
use orch_shared::audit::{Outcome, Row, RowKind, Target};
use orch_shared::inference::Usage;
use orch_shared::name::ObjectRef;

use crate::audit::{self, Ledger};
use crate::limits::Place;

/// The account of one request; closed when it is over, at the latest when nobody holds it any more.
pub(super) struct Account {
    ledger: Ledger,
    began: Instant,
    /// The row, until it is handed in.
    row: Option<Box<Row>>,
    place: Place,
    usage: Usage,
    first: Option<Instant>,
}

impl Account {
    /// Opens the account of a request for a model.
    pub(super) fn open(ledger: &Ledger, principal: &Principal, verb: &str, model: &ObjectRef) -> Self {
        let mut known = match audit::trail() {
            Some(trail) => trail.taken_over(),
            None => Row::new(RowKind::LlmInferenceCall, ""),
        };
        audit::sign(&mut known, principal);
        Self {
            ledger: ledger.clone(),
            began: Instant::now(),
            row: Some(Box::new(Row {
                kind: RowKind::LlmInferenceCall,
                verb: verb.to_owned(),
                target: Some(Target::of(model)),
                ..known
            })),
            place: Place::default(),
            usage: Usage::default(),
            first: None,
        }
    }

    /// Holds a place within the limits for as long as the request is under way.
    pub(super) fn hold(&mut self, place: Place) {
        self.place = place;
    }

    /// It is that model that answers, at its provider by that name.
    pub(super) fn answered_by(&mut self, model: &ObjectRef, item: &str) {
        if let Some(row) = &mut self.row {
            row.target = Some(Target::of(model));
            row.item = Some(item.to_owned());
        }
    }

    /// The first of what it has to say is there.
    pub(super) fn began_to_answer(&mut self) {
        self.first.get_or_insert_with(Instant::now);
    }

    /// So much was used until now.
    pub(super) const fn used(&mut self, usage: Usage) {
        self.usage = usage;
    }

    /// It was answered with that status.
    pub(super) fn answered(&mut self, status: StatusCode) {
        let outcome = match status.as_u16() {
            429 => Outcome::Denied,
            ..400 => Outcome::Allowed,
            400.. => Outcome::Failed,
        };
        self.close(outcome, Some(status), "");
    }

    /// It was refused here: as what, in a word.
    pub(super) fn refused(&mut self, status: StatusCode, code: &str) {
        let outcome = match status.as_u16() {
            401 | 402 | 403 | 429 => Outcome::Denied,
            _ => Outcome::Failed,
        };
        self.close(outcome, Some(status), code);
    }

    /// It broke off: why, in a clause.
    pub(super) fn broke_off(&mut self, why: &str) {
        self.close(Outcome::Failed, None, why);
    }

    fn close(&mut self, outcome: Outcome, status: Option<StatusCode>, said: &str) {
        let Some(mut row) = self.row.take() else { return };
        self.place.took(self.usage.input + self.usage.output);
        row.outcome = outcome;
        row.status = status.map(|status| status.as_u16());
        row.duration_us = i64::try_from(self.began.elapsed().as_micros()).ok();
        said.clone_into(&mut row.detail);
        self.ledger.hand_in(*row);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.broke_off("the client went away");
    }
}
