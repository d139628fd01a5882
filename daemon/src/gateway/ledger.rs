//! Who called what, and what came of it: a row of the audit log for each request that goes to a server.
//!
//! What is known of the request comes from its trail; what comes of it is told here. Arguments and results are never part of
//! a row.

use std::time::Instant;

use orch_shared::access::{Decision, Principal, Role};
use orch_shared::audit::{Outcome as Ended, Row, RowKind, Target};
use orch_shared::jsonrpc::{Members, Outcome};
use orch_shared::name::ObjectRef;

use crate::audit::{self, Ledger};
use crate::limits::Place;
use crate::runtime::{Hold, link};

/// Begins to note a request to a server: the row that its trail would otherwise leave, or one of the daemon's own.
pub(super) fn note(
    ledger: &Ledger,
    principal: &Principal,
    method: &str,
    object: &ObjectRef,
    item: Option<String>,
) -> Note {
    let known = match audit::trail() {
        Some(trail) => trail.taken_over(),
        None => Row::new(RowKind::ToolCall, ""),
    };
    Note {
        ledger: ledger.clone(),
        began: Instant::now(),
        row: Some(Box::new(Row {
            kind: RowKind::ToolCall,
            principal: principal.name.to_string(),
            verb: method.to_owned(),
            target: Some(Target::of(object)),
            item,
            ..known
        })),
        caller: principal.caller(),
        place: Place::default(),
        hold: None,
    }
}

/// What is noted of one request; handed in when it is over, at the latest when nobody holds it any more.
#[derive(Debug)]
pub(super) struct Note {
    ledger: Ledger,
    began: Instant,
    /// The row, until it is handed in.
    row: Option<Box<Row>>,
    /// Who asked, with what; see [`Principal::caller`].
    caller: String,
    /// What the request holds of its limits; given back with the note.
    place: Place,
    /// Keeps the copy that is asked from going.
    hold: Option<Hold>,
}

impl Note {
    /// Who asked, told apart from everybody who may do less.
    pub(super) fn caller(&self) -> &str {
        &self.caller
    }

    /// What the rules have said of it.
    pub(super) fn decided(&mut self, principal: &Principal, decision: &Decision) {
        if let Some(row) = &mut self.row {
            row.decision = audit::decision_of(principal, decision, Role::Run);
        }
    }

    /// Holds a place for as long as the request is under way.
    pub(super) fn hold(&mut self, place: Place) {
        self.place = place;
    }

    /// Keeps the copy that is asked from going meanwhile.
    pub(super) fn use_copy(&mut self, hold: Option<Hold>) {
        self.hold = hold;
    }

    /// It was answered, well or not.
    pub(super) fn answered(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Result(result) => {
                let is_error = result.get().contains("\"isError\"")
                    && Members::of(result)
                        .is_some_and(|result| result.get("isError").is_some_and(|is| is.get() == "true"));
                self.tell(Ended::Allowed, if is_error { "the tool reported an error" } else { "" });
            }
            Outcome::Error(_) => {
                let text = outcome.code().map(|code| format!("error {code}")).unwrap_or_default();
                self.tell(Ended::Failed, &text);
            }
        }
    }

    /// There was no answer.
    pub(super) fn failed(&mut self, error: &link::Error) {
        self.tell(Ended::Failed, &error.to_string());
    }

    /// There was nobody to ask, in a clause.
    pub(super) fn unavailable(&mut self, reason: &str) {
        self.tell(Ended::Failed, reason);
    }

    /// It may not be asked for; that is durable when this returns.
    pub(super) async fn forbidden(&mut self, reason: &str) {
        if let Some(row) = self.ended(Ended::Denied, reason) {
            Box::pin(self.ledger.settle(row)).await;
        }
    }

    /// It was refused for now.
    pub(super) fn refused(&mut self, reason: &str) {
        self.tell(Ended::Denied, reason);
    }

    /// Nobody wanted the answer any more.
    pub(super) fn cancelled(&mut self) {
        self.tell(Ended::Failed, "cancelled");
    }

    /// The client was asked for input first; what comes of it is noted with its next attempt.
    pub(super) fn parked(&mut self) {
        self.tell(Ended::Allowed, "input required");
    }

    fn tell(&mut self, outcome: Ended, said: &str) {
        if let Some(row) = self.ended(outcome, said) {
            self.ledger.hand_in(row);
        }
    }

    /// The row, complete; once.
    fn ended(&mut self, outcome: Ended, said: &str) -> Option<Row> {
        let mut row = *self.row.take()?;
        row.outcome = outcome;
        row.duration_us = i64::try_from(self.began.elapsed().as_micros()).ok();
        // Behind what was known of it before, such as the agent that calls.
        if !row.detail.is_empty() && !said.is_empty() {
            row.detail.push_str(", ");
        }
        row.detail.push_str(said);
        Some(row)
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        self.tell(Ended::Failed, "the client went away");
    }
}
