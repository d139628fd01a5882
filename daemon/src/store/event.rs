//! Events: something worth telling that happened to an object. Repeats are counted, the newest of each object are kept,
//! and some outlive their object.

use orch_shared::access::Visibility;
use orch_shared::kind::Kind;
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::query::{Event, Severity};
use orch_shared::resource::Timestamp;

use super::sql::{Builder, Record, sql};
use super::{Error, Store, Transaction, filter};

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The object.
    pub object: ObjectRef,
    /// Its uid.
    pub uid: String,
    /// Whether somebody should look.
    pub severity: Severity,
    /// What happened, in one word.
    pub reason: String,
    /// What happened, in a sentence.
    pub message: String,
}

/// Which events to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventQuery {
    /// About what.
    pub about: About,
    /// Only of this severity.
    pub severity: Option<Severity>,
    /// Only those told after this one.
    pub after: Option<i64>,
    /// Only the newest so many.
    pub limit: Option<u32>,
}

/// What events are about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum About {
    /// Anything.
    #[default]
    Everything,
    /// Any object of this kind, in this scope, or both.
    Objects(Option<Kind>, Option<Scope>),
    /// This object, by name or uid.
    Object(ObjectRef),
    /// This object and those it owns, or owned.
    Family(ObjectRef),
}

impl Store {
    /// Events, in the order in which they were last told.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events(&self, visibility: &Visibility, query: &EventQuery) -> Result<Vec<Event>, Error> {
        let mut builder = Builder::default();
        builder.push(
            "SELECT e.id, e.kind, e.scope, e.name, e.uid, e.severity, e.reason, e.message, e.times, e.first_at, e.last_at \
             FROM event e WHERE 1 = 1",
        );
        match &query.about {
            About::Everything => {}
            About::Objects(kind, scope) => {
                if let Some(kind) = kind {
                    builder.push(" AND e.kind = ").place(kind.as_str());
                }
                if let Some(scope) = scope {
                    builder.push(" AND e.scope = ").place(scope.to_column());
                }
            }
            About::Object(object) => {
                builder.push(" AND ");
                named(&mut builder, "e", object);
            }
            About::Family(object) => {
                // The object itself may be gone; its events still know its uid.
                builder.push(" AND (");
                named(&mut builder, "e", object);
                builder.push(" OR e.owner_uid IN (SELECT r.uid FROM resource r WHERE ");
                named(&mut builder, "r", object);
                builder.push(" UNION SELECT o.uid FROM event o WHERE ");
                named(&mut builder, "o", object);
                builder.push("))");
            }
        }
        if let Some(severity) = query.severity {
            builder.push(" AND e.severity = ").place(severity.to_string());
        }
        if let Some(after) = query.after {
            builder.push(" AND e.id > ").place(after);
        }
        filter::visible_past(&mut builder, "e", visibility);
        builder.push(" ORDER BY e.id DESC");
        if let Some(limit) = query.limit {
            builder.push(" LIMIT ").place(i64::from(limit));
        }
        let statement = builder.finish();
        let mut events = self
            .observed("events", async {
                self.readers().acquire().await?.session().all(statement, event).await
            })
            .await?;
        events.reverse();
        Ok(events)
    }
}

fn named<'v>(builder: &mut Builder<'v>, table: &str, object: &'v ObjectRef) {
    builder.push(&format!("({table}.kind = ")).place(object.kind.as_str());
    builder
        .push(&format!(" AND {table}.scope = "))
        .place(object.scope.to_column());
    let name = object.name.as_str();
    if uuid::Uuid::try_parse(name).is_ok() {
        builder.push(&format!(" AND {table}.uid = ")).place(name);
    } else {
        builder.push(&format!(" AND {table}.name = ")).place(name);
    }
    builder.push(")");
}

fn event(record: Record<'_>) -> Result<Event, Error> {
    Ok(Event {
        id: record.integer(0)?,
        object: record.object(1)?,
        uid: record.text(4)?.to_owned(),
        severity: match record.text(5)? {
            "Normal" => Severity::Normal,
            _ => Severity::Warning,
        },
        reason: record.text(6)?.to_owned(),
        message: record.text(7)?.to_owned(),
        count: record.integer(8)?,
        first_at: Timestamp::from_millis(record.integer(9)?),
        last_at: Timestamp::from_millis(record.integer(10)?),
    })
}

impl Transaction {
    /// Tells an event. One that the object has already, by severity, reason and message, is counted and told anew
    /// instead.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn event(&mut self, event: &NewEvent) -> Result<(), Error> {
        // What a child process wrote may hold NUL, which PostgreSQL does not take.
        let message = event.message.replace('\0', "\u{fffd}");
        let severity = event.severity.to_string();
        self.state.counts.event += 1;
        let id = self.state.counts.event;
        let repeated = sql("UPDATE event SET id = $1, times = times + 1, last_at = $2 \
             WHERE uid = $3 AND severity = $4 AND reason = $5 AND message = $6")
        .bind(id)
        .bind(self.now.millis())
        .bind(&event.uid)
        .bind(&severity)
        .bind(&event.reason)
        .bind(&message);
        if self.run(repeated).await? > 0 {
            return Ok(());
        }
        let first = sql(
            "INSERT INTO event (id, uid, kind, scope, name, severity, reason, message, times, first_at, last_at, \
             orphaned, owner_uid) SELECT $1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9, \
             CASE WHEN EXISTS (SELECT 1 FROM resource r WHERE r.uid = $2) THEN 0 ELSE 1 END, \
             (SELECT r.owner_uid FROM resource r WHERE r.uid = $2)",
        )
        .bind(id)
        .bind(&event.uid)
        .bind(event.object.kind.as_str())
        .bind(event.object.scope.to_column())
        .bind(event.object.name.as_str())
        .bind(&severity)
        .bind(&event.reason)
        .bind(&message)
        .bind(self.now.millis());
        self.run(first).await?;
        let outgrown = sql("DELETE FROM event WHERE uid = $1 AND id <= \
             (SELECT e.id FROM event e WHERE e.uid = $1 ORDER BY e.id DESC LIMIT 1 OFFSET $2)")
        .bind(&event.uid)
        .bind(self.retention.events);
        self.run(outgrown).await?;
        Ok(())
    }
}
