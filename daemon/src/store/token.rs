//! Tokens: what a credential's SHA-256 stands for. The text of a credential never comes here.

use std::time::Duration;

use orch_shared::resource::Timestamp;

use super::sql::{Record, Statement, sql};
use super::{Error, Store, Transaction};

/// A token as it is stored. Its text is not: only the SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// UUIDv7.
    pub id: String,
    /// What its owner calls it; unique among the tokens in force of a principal.
    pub name: String,
    /// Whom it speaks for.
    pub principal: String,
    /// SHA-256 of the whole text, in lower-case hex.
    pub hash: String,
    /// The first characters of the text, to tell tokens apart by.
    pub prefix: String,
    /// What it may do: JSON text.
    pub scopes: String,
    /// The project it is confined to.
    pub project: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, give or take a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    /// Whether the token opens anything at that instant.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// How often a token's last use is noted.
const NOTE_EVERY: Duration = Duration::from_secs(60);

macro_rules! columns {
    () => {
        "id, name, principal, hash, prefix, scopes, project, created_at, expires_at, last_used_at, revoked_at"
    };
}

impl Store {
    /// The token with that SHA-256 (lower-case hex), expired and revoked ones included.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn token(&self, hash: &str) -> Result<Option<Token>, Error> {
        let statement = sql(concat!("SELECT ", columns!(), " FROM token WHERE hash = $1")).bind(hash);
        self.observed("token", async {
            self.readers().acquire().await?.session().first(statement, token).await
        })
        .await
    }

    /// Every token, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn tokens(&self) -> Result<Vec<Token>, Error> {
        let statement = sql(concat!(
            "SELECT ",
            columns!(),
            " FROM token ORDER BY created_at DESC, id DESC"
        ));
        self.observed("token", async {
            self.readers().acquire().await?.session().all(statement, token).await
        })
        .await
    }

    /// Notes that a token was used, at most once a minute; tells when, if it is noted. Returns at once; a note may get lost.
    #[must_use]
    pub fn note_use(&self, token: &Token) -> Option<Timestamp> {
        let now = self.clock().now();
        if token.last_used_at.is_some_and(|last| now.since(last) < NOTE_EVERY) {
            return None;
        }
        let id = token.id.clone();
        self.write_later(move |transaction| Box::pin(async move { transaction.note_use(&id).await }));
        Some(now)
    }
}

fn token(record: Record<'_>) -> Result<Token, Error> {
    let instant = |column| {
        record
            .maybe_integer(column)
            .map(|millis| millis.map(Timestamp::from_millis))
    };
    Ok(Token {
        id: record.text(0)?.to_owned(),
        name: record.text(1)?.to_owned(),
        principal: record.text(2)?.to_owned(),
        hash: record.text(3)?.to_owned(),
        prefix: record.text(4)?.to_owned(),
        scopes: record.text(5)?.to_owned(),
        project: record.maybe_text(6)?.map(str::to_owned),
        created_at: Timestamp::from_millis(record.integer(7)?),
        expires_at: instant(8)?,
        last_used_at: instant(9)?,
        revoked_at: instant(10)?,
    })
}

impl Transaction {
    /// Adds a token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_token(&mut self, token: &Token) -> Result<(), Error> {
        self.run(insert(token)).await?;
        Ok(())
    }

    /// Adds a token and revokes every other of the same principal and name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reset_token(&mut self, token: &Token) -> Result<(), Error> {
        let revoke = sql("UPDATE token SET revoked_at = $1 WHERE principal = $2 AND name = $3 AND revoked_at IS NULL")
            .bind(self.now.millis())
            .bind(&token.principal)
            .bind(&token.name);
        self.run(revoke).await?;
        self.run(insert(token)).await?;
        Ok(())
    }

    /// Ends a token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_token(&mut self, id: &str) -> Result<(), Error> {
        let revoke = sql("UPDATE token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
            .bind(self.now.millis())
            .bind(id);
        self.run(revoke).await?;
        Ok(())
    }

    /// Ends a login, or the credential of the first start; tells whose it was, if it was open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_login(&mut self, id: &str) -> Result<Option<String>, Error> {
        let revoke = sql("UPDATE token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL RETURNING principal")
            .bind(self.now.millis())
            .bind(id);
        self.state.touched = true;
        let ended = self.all(vec![revoke], |record| Ok(record.text(0)?.to_owned())).await?;
        Ok(ended.into_iter().next())
    }

    /// Ends all tokens of a principal that have that name; tells their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_named(&mut self, principal: &str, name: &str) -> Result<Vec<String>, Error> {
        let select = sql("SELECT id FROM token WHERE principal = $1 AND name = $2 AND revoked_at IS NULL")
            .bind(principal)
            .bind(name);
        let ids = self.all(vec![select], |record| Ok(record.text(0)?.to_owned())).await?;
        for id in &ids {
            self.revoke_token(id).await?;
        }
        Ok(ids)
    }

    async fn note_use(&mut self, id: &str) -> Result<(), Error> {
        // Several requests of one token may have asked for this at once.
        let noted_before = i64::try_from(NOTE_EVERY.as_millis()).unwrap_or(i64::MAX);
        let note = sql("UPDATE token SET last_used_at = $1 WHERE id = $2 AND COALESCE(last_used_at, 0) <= $3")
            .bind(self.now.millis())
            .bind(id)
            .bind(self.now.millis() - noted_before);
        self.run(note).await?;
        Ok(())
    }
}

fn insert(token: &Token) -> Statement<'_> {
    sql(concat!(
        "INSERT INTO token (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    ))
    .bind(&token.id)
    .bind(&token.name)
    .bind(&token.principal)
    .bind(&token.hash)
    .bind(&token.prefix)
    .bind(&token.scopes)
    .bind(token.project.as_deref())
    .bind(token.created_at.millis())
    .bind(token.expires_at.map(Timestamp::millis))
    .bind(token.last_used_at.map(Timestamp::millis))
    .bind(token.revoked_at.map(Timestamp::millis))
}
