//! A database that is full, read-only or away: nothing is acknowledged that is not durable, reads go on where they can,
//! and when the database is well again so is the store.

use std::sync::atomic::{AtomicBool, Ordering};

use orch_daemon::store::{Ailment, Testing};

use super::*;

fn well(house: &House) -> Vec<bool> {
    house.store.health().iter().map(|check| check.ok).collect()
}

/// Text that needs new pages.
fn bulky() -> String {
    "x".repeat(64 * 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn full_and_read_only() {
    for ailment in [Ailment::DiskFull, Ailment::ReadOnly] {
        let testing = Testing::default();
        let patient = testing.patient.clone();
        for house in houses(|options| options.testing = testing.clone()).await {
            let object = server("a");
            house.done(vec![create(&object, "well")]).await;
            let before = house.get(&object).await;
            assert_eq!(well(&house), [true, true]);

            patient.suffer(ailment);
            let failed = house.mutate(vec![update(&object, 1, &bulky())]).await;
            assert!(
                matches!(failed, Err(Error::ReadOnly { .. })),
                "{ailment:?} on {}: {failed:?}",
                house.name()
            );
            assert_eq!(well(&house), [true, false]);
            let message = house.store.health()[1].message.clone().unwrap();
            assert!(message.contains("cannot be written"), "{message}");
            // Reads go on, and show nothing of it.
            assert_eq!(house.get(&object).await, before);
            let failed = house.mutate(vec![create(&server("b"), &bulky())]).await;
            assert!(matches!(failed, Err(Error::ReadOnly { .. })), "{failed:?}");

            // The store finds out by itself that it can write again, and gives no number twice or in vain.
            patient.suffer(Ailment::None);
            eventually("the store is well", async || well(&house) == [true, true]).await;
            assert_eq!(house.done(vec![update(&object, 1, &bulky())]).await, [2]);
            assert_eq!(house.store.wait_for(2).await.len(), 1);
            house.close().await;
        }
    }
}

/// An idle store finds out by itself that it cannot write any more.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_store_looks_for_itself() {
    let testing = Testing {
        period: Some(Duration::from_millis(20)),
        ..Testing::default()
    };
    let house = sqlite(|options| options.testing = testing.clone()).await;
    let counters = house.store.counters();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(well(&house), [true, true]);
    assert_eq!(house.store.counters(), counters, "looking writes nothing");
    testing.patient.suffer(Ailment::ReadOnly);
    eventually("the trouble is found", async || well(&house) == [true, false]).await;
    testing.patient.suffer(Ailment::None);
    eventually("the recovery is found", async || well(&house) == [true, true]).await;
    house.close().await;
}

/// Somebody else holds SQLite's lock: a backup, or a person with a shell.
#[tokio::test(flavor = "multi_thread")]
async fn locked() {
    let house = sqlite(|_| {}).await;
    let object = server("a");
    house.done(vec![create(&object, "x")]).await;
    let Database::Sqlite(directory) = &house.database else {
        panic!("sqlite")
    };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(directory.join("orchd.db"));
    let mut intruder = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut intruder).await.unwrap();

    let (failed, read) =
        futures_util::future::join(house.mutate(vec![update(&object, 1, "y")]), house.get(&object)).await;
    assert!(
        matches!(&failed, Err(Error::Unavailable { detail }) if detail.contains("locked")),
        "{failed:?}"
    );
    assert!(read.is_some());
    assert_eq!(well(&house), [true, false]);
    sqlx::raw_sql("ROLLBACK").execute(&mut intruder).await.unwrap();
    assert_eq!(house.done(vec![update(&object, 1, "y")]).await, [2]);
    assert_eq!(well(&house), [true, true]);
    house.close().await;
}

/// PostgreSQL goes away under many writers and comes back: what was acknowledged is there, what was refused is not, and
/// the same store goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database() {
    let Some(server_process) = postgres::server_of_its_own() else {
        return;
    };
    let database = Database::Postgres(server_process.database());
    let house = House::open(database, server_process.clone(), clock(), |_| {}).await;
    let mut watch = house.store.watch(None).await.unwrap();
    let stop = AtomicBool::new(false);
    let writing = async {
        let writers = (0..8).map(|writer| {
            let (house, stop) = (&house, &stop);
            async move {
                let mut acknowledged = Vec::new();
                let mut refused = Vec::new();
                for number in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let object = server(&format!("w{writer}-{number}"));
                    match house.mutate(vec![create(&object, "x")]).await {
                        Ok(_) => acknowledged.push(object),
                        Err(Error::Unavailable { .. }) => refused.push(object),
                        // May have happened or not.
                        Err(Error::Uncertain { .. }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                (acknowledged, refused)
            }
        });
        futures_util::future::join_all(writers).await
    };
    let breaking = async {
        let writes = || house.store.counters().writes;
        eventually("there are writes", async || writes() >= 20).await;
        let stopped = Arc::clone(&server_process);
        tokio::task::spawn_blocking(move || stopped.stop()).await.unwrap();
        eventually("the trouble is found", async || well(&house) == [false, false]).await;
        assert!(matches!(house.store.revision().await, Err(Error::Unavailable { .. })));
        let resumed = Arc::clone(&server_process);
        tokio::task::spawn_blocking(move || resumed.resume()).await.unwrap();
        let before = writes();
        eventually("there are writes again", async || writes() >= before + 20).await;
        stop.store(true, Ordering::SeqCst);
    };
    let (written, ()) = futures_util::future::join(writing, breaking).await;
    eventually("the store is well", async || well(&house) == [true, true]).await;

    let revision = house.store.revision().await.unwrap();
    let snapshot = house.store.wait_for(revision).await;
    let mut watched = Vec::new();
    while watch.position() < revision {
        match watch.next().await {
            Ok(change) => watched.push(change.entry.object.clone()),
            // A watch may be told of the trouble; it goes on where it was.
            Err(Error::Unavailable { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    let mut refused_at_all = 0;
    for (acknowledged, refused) in written {
        for object in acknowledged {
            assert!(snapshot.get(&object).is_some(), "{object} was acknowledged");
            assert!(watched.contains(&object), "{object} was told");
        }
        refused_at_all += refused.len();
        for object in refused {
            assert!(snapshot.get(&object).is_none(), "{object} was refused");
        }
    }
    assert!(refused_at_all > 0);
    house.close().await;
}
