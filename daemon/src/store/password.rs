//! Passwords: the hash of each, and how often a wrong one was given, also for names that nobody has. Whoever asks compares;
//! nothing here can.

use std::time::Duration;

use orch_shared::resource::Timestamp;

use super::sql::{Record, Statement, sql};
use super::{Error, Store, Transaction};

/// A password as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password {
    /// The hash, in the PHC string format.
    pub hash: String,
    /// When it was set.
    pub changed_at: Timestamp,
    /// How many wrong ones were given since the last right one.
    pub failures: i64,
    /// Until when none is taken.
    pub locked_until: Option<Timestamp>,
}

fn password(record: Record<'_>) -> Result<Password, Error> {
    Ok(Password {
        hash: record.text(0)?.to_owned(),
        changed_at: Timestamp::from_millis(record.integer(1)?),
        failures: record.integer(2)?,
        locked_until: record.maybe_integer(3)?.map(Timestamp::from_millis),
    })
}

fn of(uid: &str) -> Statement<'_> {
    sql("SELECT hash, changed_at, failures, locked_until FROM password WHERE uid = $1").bind(uid)
}

/// So many names that nobody has are remembered.
const STRANGERS: i64 = 10_000;

/// What is remembered of a name that nobody has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stranger {
    /// How many passwords were given for it.
    pub failures: i64,
    /// Until when none is taken.
    pub locked_until: Option<Timestamp>,
}

fn stranger(record: Record<'_>) -> Result<Stranger, Error> {
    Ok(Stranger {
        failures: record.integer(0)?,
        locked_until: record.maybe_integer(1)?.map(Timestamp::from_millis),
    })
}

fn known_as(name_hash: &str) -> Statement<'_> {
    sql("SELECT failures, locked_until FROM stranger WHERE name_hash = $1").bind(name_hash)
}

impl Store {
    /// What is remembered of a name that nobody has, by the hash of the name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stranger(&self, name_hash: &str) -> Result<Stranger, Error> {
        let statement = known_as(name_hash);
        let found = self
            .observed("password", async {
                self.readers()
                    .acquire()
                    .await?
                    .session()
                    .first(statement, stranger)
                    .await
            })
            .await;
        Ok(found?.unwrap_or_default())
    }

    /// The password of the user with that uid, when one is set.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn password(&self, uid: &str) -> Result<Option<Password>, Error> {
        let statement = of(uid);
        self.observed("password", async {
            self.readers()
                .acquire()
                .await?
                .session()
                .first(statement, password)
                .await
        })
        .await
    }
}

impl Transaction {
    /// Sets the password of a user. Wrong ones that were given before are forgotten.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_password(&mut self, uid: &str, hash: &str) -> Result<(), Error> {
        let set = sql(
            "INSERT INTO password (uid, hash, changed_at, failures, locked_until) VALUES ($1, $2, $3, 0, NULL) \
             ON CONFLICT (uid) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at, failures = 0, \
             locked_until = NULL",
        )
        .bind(uid)
        .bind(hash)
        .bind(self.now.millis());
        self.run(set).await?;
        Ok(())
    }

    /// Counts a wrong password, and locks the user out for as long as `lock` says of how many there are by now. A lock that
    /// is there is never made shorter.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_failure(&mut self, uid: &str, lock: fn(i64) -> Option<Duration>) -> Result<(), Error> {
        let count = sql("UPDATE password SET failures = failures + 1 WHERE uid = $1").bind(uid);
        self.run(count).await?;
        let Some(Password {
            failures, locked_until, ..
        }) = self.password(uid).await?
        else {
            return Ok(());
        };
        let until = lock(failures).map(|long| self.now.after(long)).max(locked_until);
        let lock = sql("UPDATE password SET locked_until = $1 WHERE uid = $2")
            .bind(until.map(Timestamp::millis))
            .bind(uid);
        self.run(lock).await?;
        Ok(())
    }

    /// Counts a password that was given for a name that nobody has, by the hash of the name, and locks the name as
    /// [`Self::count_failure`] does a user. When there are too many names, those are forgotten for which one was given
    /// longest ago.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_stranger(&mut self, name_hash: &str, lock: fn(i64) -> Option<Duration>) -> Result<(), Error> {
        let before = self.all(vec![known_as(name_hash)], stranger).await?.pop();
        let Stranger { failures, locked_until } = before.unwrap_or_default();
        let failures = failures + 1;
        let until = lock(failures).map(|long| self.now.after(long)).max(locked_until);
        let count = sql(
            "INSERT INTO stranger (name_hash, failures, failed_at, locked_until) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name_hash) DO UPDATE SET failures = excluded.failures, failed_at = excluded.failed_at, \
             locked_until = excluded.locked_until",
        )
        .bind(name_hash)
        .bind(failures)
        .bind(self.now.millis())
        .bind(until.map(Timestamp::millis));
        self.run(count).await?;
        if before.is_some() {
            return Ok(());
        }
        let outgrown = sql("SELECT failed_at FROM stranger ORDER BY failed_at DESC LIMIT 1 OFFSET $1").bind(STRANGERS);
        if let Some(outgrown) = self.all(vec![outgrown], |record| record.integer(0)).await?.pop() {
            self.run(sql("DELETE FROM stranger WHERE failed_at <= $1").bind(outgrown))
                .await?;
        }
        Ok(())
    }

    /// The password of a user, when one is set.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn password(&mut self, uid: &str) -> Result<Option<Password>, Error> {
        Ok(self.all(vec![of(uid)], password).await?.pop())
    }

    /// Forgets wrong passwords that were given.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_failures(&mut self, uid: &str) -> Result<(), Error> {
        let forget =
            sql("UPDATE password SET failures = 0, locked_until = NULL WHERE uid = $1 AND failures > 0").bind(uid);
        self.run(forget).await?;
        Ok(())
    }
}
