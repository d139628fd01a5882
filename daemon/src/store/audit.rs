//! Audit: who asked for what and what came of it. Each entry carries a hash over itself and the entry before, so that one
//! that was changed or taken out later shows.
//!
//! Where the chain ends stands in `meta`, and is moved by the transaction that writes the entries; where it begins stands
//! there too, and is moved by the one that drops what is old enough. What holds a key, and what no terminal should be shown,
//! is taken out of an entry before it is hashed.

mod look;
mod prune;
mod tidy;
mod walk;

use orch_shared::audit::{Entry, Row};
use orch_shared::resource::Timestamp;

use super::Transaction;
use super::sql::{Rows, Statement};

use tidy::Tidy;

pub use look::{AuditQuery, SessionQuery};
pub use orch_shared::audit::Row as NewAudit;

/// How the hashes of new entries are made.
const FORM: i64 = 2;

impl Transaction {
    /// Notes a request and its outcome. The entry is committed even when the request is refused afterwards, so write it
    /// last, or when refusing.
    pub fn audit(&mut self, row: NewAudit) {
        let now = self.now;
        self.push_audit(now, row);
    }

    /// Notes what happened a moment ago.
    pub fn audit_of(&mut self, at: Timestamp, row: NewAudit) {
        self.push_audit(at, row);
    }
}

/// Where the chain ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) sequence: i64,
    pub(super) hash: String,
}

/// Continues the chain with new entries.
pub(super) fn chained(chain: &mut Chain, rows: Vec<(Timestamp, NewAudit)>) -> Vec<Entry> {
    let mut tidy = Tidy::default();
    let next = |(at, mut row): (Timestamp, NewAudit)| {
        tidy.row(&mut row);
        chain.sequence += 1;
        chain.hash = row.hash_after(&chain.hash, chain.sequence, at);
        Entry {
            sequence: chain.sequence,
            at,
            row,
            hash: chain.hash.clone(),
        }
    };
    rows.into_iter().map(next).collect()
}

/// What is read of an entry, in this order.
const COLUMNS: &str = "a.sequence, a.made_at, a.row_kind, a.principal, a.token, a.via, a.session, a.action, a.kind, a.name, \
     a.scope, a.item, a.project, a.decision, a.rule, a.outcome, a.status, a.duration_us, a.request_id, a.client, a.detail, \
     a.hash, a.form";

/// What the rules said, as a column has it.
const DECISIONS: [(&str, bool); 2] = [("allow", true), ("deny", false)];

/// The statements that write entries down.
pub(super) fn statements(entries: &[Entry]) -> Vec<Statement<'_>> {
    let mut rows = Rows::of(23);
    for Entry {
        sequence,
        at,
        row,
        hash,
    } in entries
    {
        let Row {
            kind,
            principal,
            token,
            via,
            session,
            verb,
            target,
            item,
            project,
            decision,
            outcome,
            status,
            duration_us,
            request_id,
            client,
            detail,
        } = row;
        let decided = decision.as_ref().and_then(|decision| {
            let known = DECISIONS.iter().find(|(_, allowed)| *allowed == decision.allowed);
            known.map(|(word, _)| *word)
        });
        rows.push([
            (*sequence).into(),
            at.millis().into(),
            kind.as_str().into(),
            principal.into(),
            token.as_deref().into(),
            via.as_deref().into(),
            session.as_deref().into(),
            verb.into(),
            target.as_ref().map(|target| target.kind.as_str()).into(),
            target.as_ref().and_then(|target| target.name.as_deref()).into(),
            target.as_ref().map(|target| target.scope.as_str()).into(),
            item.as_deref().into(),
            project.as_deref().into(),
            decided.into(),
            decision.as_ref().map(|decision| decision.rule.as_str()).into(),
            outcome.as_str().into(),
            status.map(i64::from).into(),
            (*duration_us).into(),
            request_id.as_deref().into(),
            client.as_deref().into(),
            detail.into(),
            hash.into(),
            FORM.into(),
        ]);
    }
    rows.statements(
        "INSERT INTO audit (sequence, made_at, row_kind, principal, token, via, session, action, kind, name, scope, item, \
         project, decision, rule, outcome, status, duration_us, request_id, client, detail, hash, form)",
        "",
    )
}
