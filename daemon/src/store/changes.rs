//! The change log, as it is read: every object's newest change since some revision, in order.
//!
//! An object that is still there is found in its row, at its newest change only: what was overwritten meanwhile is
//! skipped, and nothing is stored twice. An object that is gone is found in the log, with its last text.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use orch_shared::name::ObjectRef;
use orch_shared::resource::Owner;
use serde::Deserialize;

use super::row::{COLUMNS, Row};
use super::sql::{Record, Session, sql};
use super::{Error, Store};

/// One change.
#[derive(Debug)]
pub struct Entry {
    /// Position in the change log.
    pub revision: i64,
    /// Position in the change log of the object's making.
    pub created_revision: i64,
    /// The object.
    pub object: ObjectRef,
    /// Its uid.
    pub uid: Arc<str>,
    /// The object it belongs to.
    pub owner: Option<Owner>,
    /// Its labels; of one that is gone, its last.
    pub labels: BTreeMap<String, String>,
    /// The object after the change; `None` when it is gone.
    pub row: Option<Row>,
    wire: OnceLock<Arc<str>>,
}

impl Entry {
    /// The object as the API serves it; of one that is gone, its last state. Joined once, however many ask.
    #[must_use]
    pub fn wire(&self) -> &Arc<str> {
        self.wire
            .get_or_init(|| self.row.as_ref().map(Row::wire).unwrap_or_default().into())
    }

    fn present(row: Row) -> Result<Self, Error> {
        let Labelled { labels } = parse(&row.metadata)?;
        Ok(Self {
            revision: row.revision,
            created_revision: row.created_revision,
            object: row.object.clone(),
            uid: row.uid.as_str().into(),
            owner: row.owner.clone(),
            labels: labels.unwrap_or_default(),
            row: Some(row),
            wire: OnceLock::new(),
        })
    }

    fn removed(uid: &str, object: ObjectRef, revision: i64, created_revision: i64, last: &str) -> Result<Self, Error> {
        let LastText { metadata, status } = parse(last)?;
        Ok(Self {
            revision,
            created_revision,
            object,
            uid: uid.into(),
            owner: status.owner,
            labels: metadata.labels.unwrap_or_default(),
            row: None,
            wire: OnceLock::from(Arc::from(last)),
        })
    }
}

#[derive(Deserialize)]
struct Labelled {
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct LastText {
    metadata: Labelled,
    status: Owned,
}

#[derive(Deserialize)]
struct Owned {
    owner: Option<Owner>,
}

/// A part of the change log without gaps.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// It holds what came after this revision,
    pub from: i64,
    /// up to and including this one.
    pub to: i64,
    /// The changes, in order.
    pub entries: Vec<Arc<Entry>>,
}

impl Store {
    /// The changes after that revision, at most `limit` at once.
    ///
    /// # Errors
    /// [`Error::Compacted`] when the log does not reach back, or not yet forward, to that revision; or when the database
    /// cannot be read.
    pub async fn changes(&self, after: i64, limit: u32) -> Result<Stretch, Error> {
        self.observed("changes", async {
            read(&mut self.readers().acquire().await?.session(), after, limit).await
        })
        .await
    }
}

static SELECT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT m.revision, m.compacted, r.at_revision, r.at_created, r.at_uid, r.at_kind, r.at_scope, r.at_name, \
         r.removed, {COLUMNS} FROM meta m LEFT JOIN (\
         SELECT c.revision AS at_revision, c.created_revision AS at_created, c.uid AS at_uid, c.kind AS at_kind, \
         c.scope AS at_scope, c.name AS at_name, c.removed, r.* \
         FROM change c LEFT JOIN resource r ON r.uid = c.uid AND r.revision = c.revision \
         WHERE c.revision > $1 AND (c.removed IS NOT NULL OR r.uid IS NOT NULL) ORDER BY c.revision LIMIT $2\
         ) AS r ON 1 = 1 WHERE m.id = 1 ORDER BY r.at_revision"
    )
});

/// See [`Store::changes`].
pub(super) async fn read(session: &mut Session<'_>, after: i64, limit: u32) -> Result<Stretch, Error> {
    let mut stretch = Stretch {
        from: after,
        to: after,
        entries: Vec::new(),
    };
    let (mut revision, mut compacted, mut seen) = (0, 0, 0);
    let take = |record: Record<'_>| {
        revision = record.integer(0)?;
        compacted = record.integer(1)?;
        if let Some(at) = record.maybe_integer(2)? {
            seen += 1;
            stretch.to = at;
            match entry(&record, at) {
                Ok(entry) => stretch.entries.push(Arc::new(entry)),
                // Written by a newer daemon, or by hand. Nobody else shall miss anything for it.
                Err(error) => tracing::warn!(revision = at, %error, "a change cannot be read and is skipped"),
            }
        }
        Ok(())
    };
    session
        .each(sql(SELECT.as_str()).bind(after).bind(i64::from(limit)), take)
        .await?;
    if after < compacted || after > revision {
        return Err(Error::Compacted { compacted, revision });
    }
    if seen < limit {
        stretch.to = revision;
    }
    Ok(stretch)
}

fn entry(record: &Record<'_>, at: i64) -> Result<Entry, Error> {
    match record.maybe_text(8)? {
        Some(last) => Entry::removed(record.text(4)?, record.object(5)?, at, record.integer(3)?, last),
        None => Entry::present(Row::read(record, 9)?),
    }
}

fn parse<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::broken(format!("a stored text is not JSON as expected: {error}")))
}
