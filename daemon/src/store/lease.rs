//! Leases: which of the daemons that share a database does what only one may do.
//!
//! A holder renews; whoever else wants the lease watches the renewals, and takes over when they stop for longer than the
//! lease lasts by its own clock. So no two clocks are ever compared. Who writes on the strength of a lease asks for it
//! inside the write ([`Transaction::must_hold`]): one that was taken over meanwhile writes nothing.

use super::sql::{Record, Statement, sql};
use super::{Error, Store, Transaction};

/// A lease as somebody holds it, or nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it; nothing when it was given back.
    pub holder: Option<String>,
    /// Where the holder answers.
    pub url: String,
    /// Moves as long as the holder lives.
    pub renewals: i64,
}

/// Who asks for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What the lease is for.
    pub name: &'static str,
    /// Who asks; the same again after a restart.
    pub holder: String,
    /// Where it answers.
    pub url: String,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// The claimant holds the lease.
    Held,
    /// Somebody else does.
    Refused,
}

/// How a daemon stands to the lease that makes one of several the leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody knows yet who leads; or this daemon does, and has not looked at everything.
    Undecided,
    /// This daemon leads, and has looked at everything once.
    Leads,
    /// Another one does: where it answers.
    Follows(String),
}

impl Store {
    /// The lease of that name, if anybody ever held it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lease(&self, name: &str) -> Result<Option<Lease>, Error> {
        self.observed("lease", async {
            self.readers()
                .acquire()
                .await?
                .session()
                .first(select(name), lease)
                .await
        })
        .await
    }

    /// Takes the lease or renews it: when it is free, the claimant's own, or still as it was when it was `last_seen` to
    /// have expired.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn claim(&self, claim: &Claim, last_seen: Option<Lease>) -> Result<Claimed, Error> {
        let claim = claim.clone();
        self.write(move |transaction| Box::pin(async move { transaction.claim(&claim, last_seen.as_ref()).await }))
            .await
    }

    /// Gives a lease back, so that the next one need not wait.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn give_back(&self, claim: &Claim) -> Result<(), Error> {
        let claim = claim.clone();
        self.write(move |transaction| Box::pin(async move { transaction.give_back(&claim).await }))
            .await
    }
}

fn select(name: &str) -> Statement<'_> {
    sql("SELECT holder, url, renewals FROM lease WHERE name = $1").bind(name)
}

fn lease(record: Record<'_>) -> Result<Lease, Error> {
    Ok(Lease {
        holder: Some(record.text(0)?.to_owned()).filter(|holder| !holder.is_empty()),
        url: record.text(1)?.to_owned(),
        renewals: record.integer(2)?,
    })
}

impl Transaction {
    async fn claim(&mut self, claim: &Claim, last_seen: Option<&Lease>) -> Result<Claimed, Error> {
        let (holder, renewals) = match last_seen {
            Some(seen) => (seen.holder.as_deref().unwrap_or_default(), seen.renewals),
            None => ("", -1),
        };
        let upsert = sql(
            "INSERT INTO lease (name, holder, url, renewals) VALUES ($1, $2, $3, 0) \
             ON CONFLICT (name) DO UPDATE \
             SET holder = excluded.holder, url = excluded.url, renewals = lease.renewals + 1 \
             WHERE lease.holder = '' OR lease.holder = excluded.holder OR (lease.holder = $4 AND lease.renewals = $5)",
        )
        .bind(claim.name)
        .bind(&claim.holder)
        .bind(&claim.url)
        .bind(holder)
        .bind(renewals);
        Ok(match self.run(upsert).await? {
            0 => Claimed::Refused,
            _ => Claimed::Held,
        })
    }

    async fn give_back(&mut self, claim: &Claim) -> Result<(), Error> {
        let release = sql("UPDATE lease SET holder = '', renewals = renewals + 1 WHERE name = $1 AND holder = $2")
            .bind(claim.name)
            .bind(&claim.holder);
        self.run(release).await?;
        Ok(())
    }

    /// Makes this write depend on a lease.
    ///
    /// # Errors
    /// [`Error::TakenOver`] when somebody else holds it.
    pub async fn must_hold(&mut self, claim: &Claim) -> Result<(), Error> {
        let held = self.all(vec![select(claim.name)], lease).await?;
        if held.iter().any(|lease| lease.holder.as_ref() == Some(&claim.holder)) {
            return Ok(());
        }
        self.noted(Err(Error::TakenOver { lease: claim.name }))
    }
}
