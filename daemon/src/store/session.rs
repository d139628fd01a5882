//! Sessions of clients with the gateway: what must be known of each to go on after a restart. The id that a client shows
//! never comes here, only its SHA-256.

use std::time::Duration;

use orch_shared::resource::Timestamp;

use super::sql::{Record, Statement, sql};
use super::{Error, Store, Transaction};

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the id, in lower-case hex.
    pub id_hash: String,
    /// Whose it is.
    pub principal: String,
    /// What it is with: `server/files`, `project/web`.
    pub target: String,
    /// The uid of that object.
    pub target_uid: String,
    /// The revision of the protocol that was agreed on.
    pub protocol: String,
    /// Name and version of the client: JSON text.
    pub client_info: String,
    /// What the client can do: JSON text.
    pub client_capabilities: String,
    /// The least severity of log messages that the client wants, once it said so.
    pub log_level: Option<String>,
    /// What it has subscribed to: JSON text.
    pub subscriptions: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, give or take the time between two notes.
    pub last_used_at: Timestamp,
    /// When it said what it is about, once it did: a gated project shows it nothing before.
    pub begun_at: Option<Timestamp>,
}

/// Which sessions have ended by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// Only those with this target; every one when none is given.
    pub target: Option<String>,
    /// Not used for so long.
    pub idle: Duration,
    /// Begun so long ago.
    pub lifetime: Duration,
}

macro_rules! columns {
    () => {
        "id_hash, principal, target, protocol, client_info, client_capabilities, log_level, subscriptions, \
         created_at, last_used_at, target_uid, begun_at"
    };
}

impl Store {
    /// Adds a session: once this returns, it outlives the daemon.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_session(&self, session: Session) -> Result<(), Error> {
        self.write(move |transaction| Box::pin(async move { transaction.insert_session(&session).await }))
            .await
    }

    /// Every session, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sessions(&self) -> Result<Vec<Session>, Error> {
        self.select_sessions(sql(concat!(
            "SELECT ",
            columns!(),
            " FROM gateway_session ORDER BY created_at, id_hash"
        )))
        .await
    }

    /// The sessions with that target, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sessions_of(&self, target: &str) -> Result<Vec<Session>, Error> {
        self.select_sessions(
            sql(concat!(
                "SELECT ",
                columns!(),
                " FROM gateway_session WHERE target = $1 ORDER BY created_at, id_hash"
            ))
            .bind(target),
        )
        .await
    }

    async fn select_sessions(&self, statement: Statement<'_>) -> Result<Vec<Session>, Error> {
        self.observed("sessions", async {
            self.readers().acquire().await?.session().all(statement, session).await
        })
        .await
    }

    /// The session with that SHA-256 of an id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session(&self, id_hash: &str) -> Result<Option<Session>, Error> {
        let statement = sql(concat!(
            "SELECT ",
            columns!(),
            " FROM gateway_session WHERE id_hash = $1"
        ))
        .bind(id_hash);
        self.observed("session", async {
            self.readers()
                .acquire()
                .await?
                .session()
                .first(statement, session)
                .await
        })
        .await
    }

    /// Changes what a client has asked for in its session: its log level and its subscriptions. Tells whether the session
    /// is still there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn update_session(
        &self,
        id_hash: &str,
        log_level: Option<String>,
        subscriptions: String,
    ) -> Result<bool, Error> {
        let id_hash = id_hash.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let update = sql("UPDATE gateway_session SET log_level = $1, subscriptions = $2 WHERE id_hash = $3")
                    .bind(log_level)
                    .bind(subscriptions)
                    .bind(id_hash);
                Ok(transaction.run(update).await? > 0)
            })
        })
        .await
    }

    /// Notes that a session has said what it is about, now. Tells whether it is still there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn begin_session(&self, id_hash: &str) -> Result<bool, Error> {
        let id_hash = id_hash.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let begin = sql("UPDATE gateway_session SET begun_at = COALESCE(begun_at, $1) WHERE id_hash = $2")
                    .bind(transaction.now.millis())
                    .bind(id_hash);
                Ok(transaction.run(begin).await? > 0)
            })
        })
        .await
    }

    /// Notes when sessions were last used: many in one write. Returns at once; the notes may get lost. Whoever calls this
    /// gathers for a while first.
    pub fn note_sessions(&self, used: Vec<(String, Timestamp)>) {
        if !used.is_empty() {
            self.write_later(move |transaction| Box::pin(async move { transaction.note_sessions(&used).await }));
        }
    }

    /// Ends a session. Tells whether it was there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_session(&self, id_hash: &str) -> Result<bool, Error> {
        let id_hash = id_hash.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let delete = sql("DELETE FROM gateway_session WHERE id_hash = $1").bind(id_hash);
                Ok(transaction.run(delete).await? > 0)
            })
        })
        .await
    }

    /// Ends the sessions that were not used for too long or have lasted too long, and tells which.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn expire_sessions(&self, expiry: Expiry) -> Result<Vec<String>, Error> {
        self.write(move |transaction| Box::pin(async move { transaction.expire_sessions(&expiry).await }))
            .await
    }
}

fn session(record: Record<'_>) -> Result<Session, Error> {
    Ok(Session {
        id_hash: record.text(0)?.to_owned(),
        principal: record.text(1)?.to_owned(),
        target: record.text(2)?.to_owned(),
        protocol: record.text(3)?.to_owned(),
        client_info: record.text(4)?.to_owned(),
        client_capabilities: record.text(5)?.to_owned(),
        log_level: record.maybe_text(6)?.map(str::to_owned),
        subscriptions: record.text(7)?.to_owned(),
        created_at: Timestamp::from_millis(record.integer(8)?),
        last_used_at: Timestamp::from_millis(record.integer(9)?),
        target_uid: record.text(10)?.to_owned(),
        begun_at: record.maybe_integer(11)?.map(Timestamp::from_millis),
    })
}

impl Transaction {
    async fn insert_session(&mut self, session: &Session) -> Result<(), Error> {
        let insert = sql(concat!(
            "INSERT INTO gateway_session (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ))
        .bind(&session.id_hash)
        .bind(&session.principal)
        .bind(&session.target)
        .bind(&session.protocol)
        .bind(&session.client_info)
        .bind(&session.client_capabilities)
        .bind(session.log_level.as_deref())
        .bind(&session.subscriptions)
        .bind(session.created_at.millis())
        .bind(session.last_used_at.millis())
        .bind(&session.target_uid)
        .bind(session.begun_at.map(Timestamp::millis));
        self.run(insert).await?;
        Ok(())
    }

    async fn note_sessions(&mut self, used: &[(String, Timestamp)]) -> Result<(), Error> {
        for (id_hash, at) in used {
            let note = sql("UPDATE gateway_session SET last_used_at = $1 WHERE id_hash = $2 AND last_used_at < $1")
                .bind(at.millis())
                .bind(id_hash);
            self.run(note).await?;
        }
        Ok(())
    }

    async fn expire_sessions(&mut self, expiry: &Expiry) -> Result<Vec<String>, Error> {
        let before = |age: Duration| {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            self.now.millis().saturating_sub(age)
        };
        let (used, begun) = (before(expiry.idle), before(expiry.lifetime));
        let over = match &expiry.target {
            None => sql("SELECT id_hash FROM gateway_session WHERE (last_used_at <= $1 OR created_at <= $2)"),
            Some(_) => sql(
                "SELECT id_hash FROM gateway_session WHERE (last_used_at <= $1 OR created_at <= $2) AND target = $3",
            ),
        };
        let mut over = over.bind(used).bind(begun);
        if let Some(target) = &expiry.target {
            over = over.bind(target);
        }
        let ended = self.all(vec![over], |record| Ok(record.text(0)?.to_owned())).await?;
        for id_hash in &ended {
            self.run(sql("DELETE FROM gateway_session WHERE id_hash = $1").bind(id_hash))
                .await?;
        }
        Ok(ended)
    }
}
