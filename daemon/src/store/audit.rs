//! Audit: who asked for what and what came of it. Each entry carries a hash over itself and the entry before, so that one
//! that was changed or taken out later shows.

use orch_shared::name::ObjectRef;
use orch_shared::resource::Timestamp;

use sha2::{Digest, Sha256};

use super::sql::{Record, Rows, Statement, sql};
use super::{Error, Store, Transaction};

/// One request and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAudit {
    /// Who asked.
    pub principal: String,
    /// For what: `apply`, `delete`, `reveal`.
    pub action: String,
    /// Of which object, when of one.
    pub object: Option<ObjectRef>,
    /// What came of it: `allowed`, `denied`, `failed`.
    pub outcome: String,
    /// Anything else: JSON text.
    pub detail: String,
}

/// An audit entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Counts all entries, from 1.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// The request and its outcome.
    pub entry: NewAudit,
    /// SHA-256 over the hash of the entry before and everything in this one, in hex.
    pub hash: String,
}

impl Store {
    /// The newest entries, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit(&self, limit: u32) -> Result<Vec<Audit>, Error> {
        let statement = sql(
            "SELECT sequence, made_at, principal, action, kind, scope, name, outcome, detail, hash FROM audit \
             ORDER BY sequence DESC LIMIT $1",
        )
        .bind(i64::from(limit));
        let read = |record: Record<'_>| {
            let entry = NewAudit {
                principal: record.text(2)?.to_owned(),
                action: record.text(3)?.to_owned(),
                object: record.maybe_text(4)?.map(|_| record.object(4)).transpose()?,
                outcome: record.text(7)?.to_owned(),
                detail: record.text(8)?.to_owned(),
            };
            Ok(Audit {
                sequence: record.integer(0)?,
                at: Timestamp::from_millis(record.integer(1)?),
                entry,
                hash: record.text(9)?.to_owned(),
            })
        };
        self.observed("audit", async {
            self.readers().acquire().await?.session().all(statement, read).await
        })
        .await
    }
}

impl Transaction {
    /// Notes a request and its outcome. The entry is committed even when the request is refused afterwards, so write it
    /// last, or when refusing.
    pub fn audit(&mut self, entry: NewAudit) {
        self.push_audit(entry);
    }
}

/// Where the chain ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) sequence: i64,
    pub(super) hash: String,
}

/// Continues the chain with new entries.
pub(super) fn chained(chain: &mut Chain, at: Timestamp, entries: Vec<NewAudit>) -> Vec<Audit> {
    let next = |entry: NewAudit| {
        chain.sequence += 1;
        chain.hash = entry.hash_after(&chain.hash, chain.sequence, at);
        Audit {
            sequence: chain.sequence,
            at,
            entry,
            hash: chain.hash.clone(),
        }
    };
    entries.into_iter().map(next).collect()
}

impl NewAudit {
    /// The hash of this entry, behind one with the hash `before`: SHA-256 in lower-case hex over the JSON array
    /// `[before, sequence, millis, principal, action, object, outcome, detail]`.
    #[must_use]
    pub fn hash_after(&self, before: &str, sequence: i64, at: Timestamp) -> String {
        let text = serde_json::to_vec(&(
            before,
            sequence,
            at.millis(),
            &self.principal,
            &self.action,
            &self.object,
            &self.outcome,
            &self.detail,
        ));
        hex::encode(Sha256::digest(text.expect("plain data")))
    }
}

/// The statements that write entries down.
pub(super) fn statements(entries: &[Audit]) -> Vec<Statement<'_>> {
    let mut rows = Rows::of(10);
    for Audit {
        sequence,
        at,
        entry,
        hash,
    } in entries
    {
        let object = entry.object.as_ref();
        rows.push([
            (*sequence).into(),
            at.millis().into(),
            (&entry.principal).into(),
            (&entry.action).into(),
            object.map(|object| object.kind.as_str()).into(),
            object.map(|object| object.scope.to_column()).into(),
            object.map(|object| object.name.as_str()).into(),
            (&entry.outcome).into(),
            (&entry.detail).into(),
            hash.into(),
        ]);
    }
    rows.statements(
        "INSERT INTO audit (sequence, made_at, principal, action, kind, scope, name, outcome, detail, hash)",
        "",
    )
}
