//! The schema and how it came to be: numbered migrations, embedded, each run once in a transaction of its own. They are
//! the same text for both databases, except where they cannot be; then they have the same name.
//!
//! A migration that was released never changes: `migrations/frozen.txt` holds the hash of each, and a test compares.

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::Error;
use super::connection::Connection;

macro_rules! migrations {
    ($($number:literal $name:literal: $sqlite:literal, $postgres:literal;)*) => {
        const MIGRATIONS: &[Step] = &[$(Step {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/", $sqlite, "/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/", $postgres, "/", $name, ".sql")),
        }),*];
    };
}

struct Step {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

migrations! {
    1 "0001_collation": "sqlite", "postgres";
    2 "0002_objects": "common", "common";
    3 "0003_access": "common", "common";
    4 "0004_lease": "common", "common";
    5 "0005_sessions": "common", "common";
    6 "0006_seeded": "common", "common";
    7 "0007_session_objects": "common", "common";
    8 "0008_passwords": "common", "common";
    10 "0010_audit": "common", "common";
    11 "0011_gating": "common", "common";
    12 "0012_inference": "common", "common";
    13 "0013_threads": "common", "common";
    14 "0014_publishing": "common", "common";
    15 "0015_asked": "common", "common";
    16 "0016_outlines": "common", "common";
    17 "0017_strangers": "common", "common";
}

/// Brings the schema up to date. Several daemons may do so at once.
pub(super) async fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let ran = match connection {
        Connection::Sqlite(connection) => migrator(|step| step.sqlite).run(connection).await,
        Connection::Postgres(connection) => migrator(|step| step.postgres).run(&mut **connection).await,
    };
    ran.map_err(|error| match error {
        MigrateError::Execute(error) => error.into(),
        MigrateError::ExecuteMigration(error, number) => match Error::from(error) {
            Error::Broken { detail } => Error::Unusable {
                detail: format!("migration {number} failed: {detail}"),
            },
            environment => environment,
        },
        MigrateError::VersionMissing(number) => Error::Unusable {
            detail: format!("it has migration {number}, which this version of orchd does not know; use a newer orchd"),
        },
        MigrateError::VersionMismatch(number) => Error::Unusable {
            detail: format!(
                "its migration {number} is not the one this version of orchd has; use the orchd that made it"
            ),
        },
        other => Error::Unusable {
            detail: other.to_string(),
        },
    })
}

fn migrator(text: fn(&Step) -> &'static str) -> Migrator {
    let migration = |step: &Step| {
        let sql = text(step).into_sql_str();
        Migration::new(step.number, step.name.into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};
    use std::fmt::Write;

    #[test]
    fn released_migrations_do_not_change() {
        let mut actual = String::new();
        for step in MIGRATIONS {
            assert!(step.name.starts_with(&format!("{:04}_", step.number)), "{}", step.name);
            for (engine, text) in [("sqlite", step.sqlite), ("postgres", step.postgres)] {
                let hash = hex::encode(Sha256::digest(text));
                writeln!(actual, "{hash}  {engine} {}", step.name).unwrap();
            }
        }
        let frozen = include_str!("../../migrations/frozen.txt");
        assert!(
            actual.starts_with(frozen),
            "a frozen migration has changed; put the change into a new one. These are the hashes now:\n{actual}"
        );
        assert_eq!(
            actual, frozen,
            "add the new lines to daemon/migrations/frozen.txt:\n{actual}"
        );
    }
}
