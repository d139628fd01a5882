//! What clients publish: their sessions, and where each object stands that they offer. It survives the daemon, so that a
//! publisher which comes back with its session goes on. The id of a session never comes here, only its SHA-256.

use std::time::Duration;

use orch_shared::name::Name;
use orch_shared::publishing::PublicationState;
use orch_shared::resource::Timestamp;

use super::sql::{Record, Statement, sql};
use super::{Error, Store, Transaction};

/// A session of a publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// SHA-256 of the id, in lower-case hex.
    pub id_hash: String,
    /// Whose it is.
    pub principal: String,
}

/// Where a published object stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The object's uid.
    pub uid: String,
    /// The session that offers it, by its SHA-256.
    pub publisher: String,
    /// Whose that session is.
    pub owner: String,
    /// Where it stands.
    pub state: PublicationState,
    /// When its publisher was last heard of.
    pub heartbeat_at: Timestamp,
    /// Since when it is inactive.
    pub inactive_since: Option<Timestamp>,
    /// Projects whose sessions wake it when they begin.
    pub warm_projects: Vec<Name>,
}

macro_rules! columns {
    () => {
        "uid, publisher, owner, state, heartbeat_at, inactive_since, warm_projects"
    };
}

impl Store {
    /// The session with that SHA-256 of an id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn publisher(&self, id_hash: &str) -> Result<Option<Publisher>, Error> {
        self.observed("publisher", async {
            let mut reader = self.readers().acquire().await?;
            reader.session().first(select_publisher(id_hash), publisher).await
        })
        .await
    }

    /// Where an object stands; nothing when it is not published.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn publication(&self, uid: &str) -> Result<Option<Publication>, Error> {
        self.observed("publication", async {
            let mut reader = self.readers().acquire().await?;
            reader.session().first(select_publication(uid), publication).await
        })
        .await
    }
}

fn select_publication(uid: &str) -> Statement<'_> {
    sql(concat!("SELECT ", columns!(), " FROM publication WHERE uid = $1")).bind(uid)
}

fn select_publisher(id_hash: &str) -> Statement<'_> {
    sql("SELECT id_hash, principal FROM publisher WHERE id_hash = $1").bind(id_hash)
}

fn publisher(record: Record<'_>) -> Result<Publisher, Error> {
    Ok(Publisher {
        id_hash: record.text(0)?.to_owned(),
        principal: record.text(1)?.to_owned(),
    })
}

fn publication(record: Record<'_>) -> Result<Publication, Error> {
    let unreadable = |what: &str| {
        Error::broken(format!(
            "a stored publication has {what} that this daemon does not know"
        ))
    };
    Ok(Publication {
        uid: record.text(0)?.to_owned(),
        publisher: record.text(1)?.to_owned(),
        owner: record.text(2)?.to_owned(),
        state: PublicationState::parse(record.text(3)?).ok_or_else(|| unreadable("a state"))?,
        heartbeat_at: Timestamp::from_millis(record.integer(4)?),
        inactive_since: record.maybe_integer(5)?.map(Timestamp::from_millis),
        warm_projects: serde_json::from_str(record.text(6)?).map_err(|_| unreadable("projects"))?,
    })
}

impl Transaction {
    /// The session with that SHA-256 of an id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn publisher(&mut self, id_hash: &str) -> Result<Option<Publisher>, Error> {
        Ok(self.all(vec![select_publisher(id_hash)], publisher).await?.pop())
    }

    /// Keeps a session, and that it was seen now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_publisher(&mut self, id_hash: &str, principal: &str) -> Result<(), Error> {
        let keep = sql(
            "INSERT INTO publisher (id_hash, principal, created_at, seen_at) VALUES ($1, $2, $3, $3) \
             ON CONFLICT (id_hash) DO UPDATE SET seen_at = excluded.seen_at",
        )
        .bind(id_hash)
        .bind(principal)
        .bind(self.now.millis());
        self.run(keep).await.map(drop)
    }

    /// Forgets sessions that offer nothing any more and were not seen for so long.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_publishers(&mut self, unseen: Duration) -> Result<(), Error> {
        let unseen = i64::try_from(unseen.as_millis()).unwrap_or(i64::MAX);
        let forget = sql("DELETE FROM publisher WHERE seen_at <= $1 AND NOT EXISTS \
             (SELECT 1 FROM publication p WHERE p.publisher = publisher.id_hash)")
        .bind(self.now.millis().saturating_sub(unseen));
        self.run(forget).await.map(drop)
    }

    /// Where an object stands; nothing when it is not published.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn publication(&mut self, uid: &str) -> Result<Option<Publication>, Error> {
        Ok(self.all(vec![select_publication(uid)], publication).await?.pop())
    }

    /// What a session offers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn publications_of(&mut self, publisher: &str) -> Result<Vec<Publication>, Error> {
        let select = sql(concat!(
            "SELECT ",
            columns!(),
            " FROM publication WHERE publisher = $1 ORDER BY uid"
        ))
        .bind(publisher);
        self.all(vec![select], publication).await
    }

    /// Everything that is published and was last heard of by then, or is away since then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn publications_overdue(
        &mut self,
        heard_by: Timestamp,
        away_since: Timestamp,
    ) -> Result<Vec<Publication>, Error> {
        let select = sql(concat!(
            "SELECT ",
            columns!(),
            " FROM publication WHERE (state <> 'inactive' AND heartbeat_at <= $1) \
             OR (state = 'inactive' AND COALESCE(inactive_since, 0) <= $2) ORDER BY uid"
        ))
        .bind(heard_by.millis())
        .bind(away_since.millis());
        self.all(vec![select], publication).await
    }

    /// Keeps where an object stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_publication(&mut self, publication: &Publication) -> Result<(), Error> {
        let warm = serde_json::to_string(&publication.warm_projects).expect("names are plain data");
        let keep = sql(concat!(
            "INSERT INTO publication (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (uid) DO UPDATE SET publisher = excluded.publisher, \
             owner = excluded.owner, state = excluded.state, heartbeat_at = excluded.heartbeat_at, \
             inactive_since = excluded.inactive_since, warm_projects = excluded.warm_projects"
        ))
        .bind(&publication.uid)
        .bind(&publication.publisher)
        .bind(&publication.owner)
        .bind(publication.state.as_str())
        .bind(publication.heartbeat_at.millis())
        .bind(publication.inactive_since.map(Timestamp::millis))
        .bind(warm);
        self.run(keep).await.map(drop)
    }
}
