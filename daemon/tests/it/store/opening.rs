//! What opening a store asks of its database, and refuses.

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::*;

#[tokio::test]
async fn one_daemon_per_directory() {
    let house = sqlite(|_| {}).await;
    let second = Store::open(house.database.clone(), options(&house.clock)).await;
    assert!(matches!(second.err(), Some(Error::InUse { pid, .. }) if pid == std::process::id().to_string()));
    house.close().await;
}

#[tokio::test]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let house = sqlite(|_| {}).await;
    house.done(vec![create(&server("a"), "x")]).await;
    let Database::Sqlite(directory) = &house.database else {
        panic!("sqlite")
    };
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory), 0o700);
    let files: Vec<_> = directory
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    house.close().await;
}

/// A database that another version of the daemon has written to is not touched.
#[tokio::test]
async fn a_database_of_another_version() {
    for (sabotage, hint) in [
        (
            "UPDATE _sqlx_migrations SET version = 99 WHERE version = 3",
            "use a newer orchd",
        ),
        (
            "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 2",
            "use the orchd that made it",
        ),
        ("DROP TABLE _sqlx_migrations", "migration 2 failed"),
    ] {
        let house = sqlite(|_| {}).await;
        let (database, clock, ground) = (house.database.clone(), house.clock.clone(), house.ground.clone());
        house.close().await;
        let Database::Sqlite(directory) = &database else {
            panic!("sqlite")
        };
        let mut shell = SqliteConnectOptions::new()
            .filename(directory.join("orchd.db"))
            .connect()
            .await
            .unwrap();
        sqlx::raw_sql(sabotage).execute(&mut shell).await.unwrap();
        let refused = Store::open(database, options(&clock)).await.err();
        assert!(
            matches!(&refused, Some(Error::Unusable { detail }) if detail.contains(hint)),
            "{sabotage}: {refused:?}"
        );
        drop(ground);
    }
}

#[tokio::test]
async fn a_database_that_is_none() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("orchd.db"),
        "this is a letter to my aunt".repeat(100),
    )
    .unwrap();
    let refused = Store::open(Database::Sqlite(directory.path().to_owned()), options(&clock()))
        .await
        .err();
    assert!(matches!(refused, Some(Error::Unusable { .. })), "{refused:?}");

    let nowhere = Database::Postgres("postgres://nobody@%2Fno%2Fsuch%2Fdirectory/nothing".to_owned());
    let impatient = Options {
        patience: Duration::from_millis(100),
        ..options(&clock())
    };
    let refused = Store::open(nowhere, impatient).await.err();
    assert!(matches!(refused, Some(Error::Unavailable { .. })), "{refused:?}");
}

/// Two stores in two schemas of one PostgreSQL database know nothing of each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_its_own() {
    let Some(server_process) = postgres::server() else {
        return;
    };
    let url = server_process.database();
    let mut shell = url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    sqlx::raw_sql("CREATE SCHEMA one; CREATE SCHEMA two")
        .execute(&mut shell)
        .await
        .unwrap();
    let mut houses = Vec::new();
    for schema in ["one", "two"] {
        let database = Database::Postgres(format!("{url}?options[search_path]={schema}"));
        houses.push(House::open(database, server_process.clone(), clock(), |_| {}).await);
    }
    let object = server("a");
    for house in &houses {
        assert_eq!(house.done(vec![create(&object, "x")]).await, [1]);
    }
    for house in houses {
        assert_eq!(house.store.revision().await.unwrap(), 1);
        house.close().await;
    }
}
