//! Use of servers: when each was last used and last woken, and what it listed last. It survives the daemon, so that a
//! server which was suspended stays so, and one that was to be woken is.
//!
//! Whoever notes a use says how often: here, each note is a write.

use orch_shared::resource::Timestamp;

use super::sql::{Record, sql};
use super::{Error, Store, Transaction};

/// The use of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The Server's uid.
    pub uid: String,
    /// When it was last used, give or take the time between two notes.
    pub last_used_at: Option<Timestamp>,
    /// When it was last asked to wake.
    pub wake_at: Option<Timestamp>,
}

/// What a server listed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surface {
    /// Tells this list from others.
    pub digest: String,
    /// JSON text.
    pub list: String,
}

impl Store {
    /// The use of every server of which any is known.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn activities(&self) -> Result<Vec<Activity>, Error> {
        let statement = sql("SELECT uid, last_used_at, wake_at FROM server_activity");
        self.observed("activity", async {
            self.readers().acquire().await?.session().all(statement, activity).await
        })
        .await
    }

    /// Notes that a server was used just now. Returns at once; a note may get lost. One for a server that is gone is
    /// forgotten.
    pub fn touch(&self, uid: &str) {
        let (uid, at) = (uid.to_owned(), self.clock().now());
        self.write_later(move |transaction| Box::pin(async move { transaction.note_server_use(&uid, at).await }));
    }

    /// Notes that a server is to wake, and when it was asked to: now, but later than any other time it was noted for. Nothing
    /// when the server is gone.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn wake(&self, uid: &str) -> Result<Option<Timestamp>, Error> {
        let uid = uid.to_owned();
        self.write(move |transaction| Box::pin(async move { transaction.wake(&uid).await }))
            .await
    }

    /// What a server listed last, when it ever did.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn surface(&self, uid: &str) -> Result<Option<Surface>, Error> {
        let statement = sql("SELECT digest, list FROM server_surface WHERE uid = $1").bind(uid);
        self.observed("surface", async {
            self.readers()
                .acquire()
                .await?
                .session()
                .first(statement, surface)
                .await
        })
        .await
    }

    /// Keeps what a server lists now. The same again writes nothing; for a server that is gone, nothing is kept.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn keep_surface(&self, uid: &str, surface: Surface) -> Result<(), Error> {
        let uid = uid.to_owned();
        self.write(move |transaction| Box::pin(async move { transaction.keep_surface(&uid, &surface).await }))
            .await
    }
}

fn activity(record: Record<'_>) -> Result<Activity, Error> {
    let instant = |column| {
        record
            .maybe_integer(column)
            .map(|millis| millis.map(Timestamp::from_millis))
    };
    Ok(Activity {
        uid: record.text(0)?.to_owned(),
        last_used_at: instant(1)?,
        wake_at: instant(2)?,
    })
}

fn surface(record: Record<'_>) -> Result<Surface, Error> {
    Ok(Surface {
        digest: record.text(0)?.to_owned(),
        list: record.text(1)?.to_owned(),
    })
}

impl Transaction {
    async fn note_server_use(&mut self, uid: &str, at: Timestamp) -> Result<(), Error> {
        let touch = sql(
            "INSERT INTO server_activity (uid, last_used_at) SELECT uid, $1 FROM resource WHERE uid = $2 \
             ON CONFLICT (uid) DO UPDATE SET last_used_at = excluded.last_used_at \
             WHERE COALESCE(server_activity.last_used_at, 0) < excluded.last_used_at",
        )
        .bind(at.millis())
        .bind(uid);
        self.run(touch).await?;
        Ok(())
    }

    async fn wake(&mut self, uid: &str) -> Result<Option<Timestamp>, Error> {
        // Two wakes are never one, whatever the clock says.
        let wake = sql(
            "INSERT INTO server_activity (uid, wake_at) SELECT uid, $1 FROM resource WHERE uid = $2 \
             ON CONFLICT (uid) DO UPDATE SET wake_at = CASE \
             WHEN COALESCE(server_activity.wake_at, 0) < excluded.wake_at THEN excluded.wake_at \
             ELSE server_activity.wake_at + 1 END",
        )
        .bind(self.now.millis())
        .bind(uid);
        if self.run(wake).await? == 0 {
            return Ok(None);
        }
        let noted = sql("SELECT wake_at FROM server_activity WHERE uid = $1").bind(uid);
        let noted = self.all(vec![noted], |record| record.integer(0)).await?;
        Ok(noted.first().copied().map(Timestamp::from_millis))
    }

    async fn keep_surface(&mut self, uid: &str, surface: &Surface) -> Result<(), Error> {
        let keep = sql(
            "INSERT INTO server_surface (uid, digest, list) SELECT uid, $1, $2 FROM resource WHERE uid = $3 \
             ON CONFLICT (uid) DO UPDATE SET digest = excluded.digest, list = excluded.list \
             WHERE server_surface.digest <> excluded.digest",
        )
        .bind(&surface.digest)
        .bind(&surface.list)
        .bind(uid);
        self.run(keep).await?;
        Ok(())
    }
}
