//! Many writers at once: one commit carries many writes, each is all or nothing, and of two on one object one wins.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_share_commits() {
    for house in houses(|options| options.testing.sync_delay = Duration::from_millis(2)).await {
        let before = house.store.counters();
        let writers = (0..64).map(|writer| {
            let house = &house;
            async move {
                let object = server(&format!("s{writer}"));
                house.done(vec![create(&object, "0")]).await;
                for generation in 1..10 {
                    house
                        .done(vec![update(&object, generation, &generation.to_string())])
                        .await;
                }
            }
        });
        join_all(writers).await;
        let after = house.store.counters();
        let (commits, writes) = (after.commits - before.commits, after.writes - before.writes);
        assert_eq!(writes, 640);
        assert!(
            commits * 5 <= writes,
            "{commits} commits for {writes} writes on {}",
            house.name()
        );
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_one_wins() {
    for house in houses(|_| {}).await {
        let object = server("contested");
        house.done(vec![create(&object, "0")]).await;
        for generation in 1..20 {
            let (won, lost) = (AtomicUsize::new(0), AtomicUsize::new(0));
            join_all((0..8).map(|writer| {
                let (house, object, won, lost) = (&house, &object, &won, &lost);
                async move {
                    match house
                        .mutate(vec![update(object, generation, &format!("w{writer}"))])
                        .await
                    {
                        Ok(_) => won.fetch_add(1, Ordering::SeqCst),
                        Err(Error::Conflict { .. }) => lost.fetch_add(1, Ordering::SeqCst),
                        Err(error) => panic!("{error}"),
                    };
                }
            }))
            .await;
            assert_eq!((won.into_inner(), lost.into_inner()), (1, 7));
        }
        assert_eq!(house.get(&object).await.unwrap().generation, 20);
        house.close().await;
    }
}

/// What somebody else's failing write does to the writes that share its commit: nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_write_harms_nobody_else() {
    // The delay makes sure that writes do share commits.
    for house in houses(|options| options.testing.sync_delay = Duration::from_millis(5)).await {
        let outcomes = join_all((0..60).map(|number| {
            let house = &house;
            async move {
                let object = server(&format!("s{number}"));
                let making = create(&object, "x");
                let outcome: Result<(), Error> = house
                    .store
                    .write(move |transaction| {
                        Box::pin(async move {
                            transaction.mutate(vec![making], "tester").await?;
                            match number % 6 {
                                0 => panic!("a request panics, on purpose"),
                                1 => Err(Error::Gone {
                                    uid: "refused".to_owned(),
                                }),
                                // An error that is swallowed is found out.
                                2 => {
                                    drop(transaction.mutate(vec![remove(&server("nobody"))], "tester").await);
                                    Ok(())
                                }
                                3 => {
                                    let twice = create(&object, "x");
                                    transaction.mutate(vec![twice], "tester").await.map(drop)
                                }
                                _ => Ok(()),
                            }
                        })
                    })
                    .await;
                outcome
            }
        }))
        .await;
        let mut kept = 0;
        for (number, outcome) in outcomes.into_iter().enumerate() {
            let stored = house.get(&server(&format!("s{number}"))).await;
            let as_expected = match (number % 6, &outcome) {
                (0, Err(Error::Broken { .. })) | (1 | 2, Err(Error::Gone { .. })) => stored.is_none(),
                // On PostgreSQL and SQLite alike: the uid is taken, which is no case of a name that is taken.
                (3, Err(Error::Broken { .. } | Error::Taken { .. })) => stored.is_none(),
                (4 | 5, Ok(())) => stored.is_some(),
                _ => false,
            };
            assert!(as_expected, "{number} on {}: {outcome:?}, {stored:?}", house.name());
            kept += i64::from(outcome.is_ok());
        }
        // Numbers that were taken back are given again.
        assert_eq!((kept, house.store.revision().await.unwrap()), (20, 20));
        let counters = house.store.counters();
        assert!(counters.commits < counters.writes, "{counters:?}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_before_shutdown_is_done() {
    let house = sqlite(|options| options.testing.sync_delay = Duration::from_millis(20)).await;
    let store = house.store.clone();
    let asked = tokio::spawn(async move {
        let write = |number: i64| {
            let making = create(&server(&format!("s{number}")), "x");
            store.write(move |transaction| Box::pin(async move { transaction.mutate(vec![making], "tester").await }))
        };
        join_all((0..50).map(write))
            .await
            .into_iter()
            .filter(Result::<Vec<i64>, Error>::is_ok)
            .count()
    });
    eventually("the queue is filled", async || house.store.counters().commits > 0).await;
    let (database, ground, clock) = (house.database.clone(), house.ground.clone(), house.clock.clone());
    house.close().await;
    let acknowledged = asked.await.unwrap();
    let house = House::open(database, ground, clock, |_| {}).await;
    assert_eq!((house.store.snapshot().len(), acknowledged), (50, 50));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_nobody_waits_for_any_more_is_not_begun() {
    for house in houses(|_| {}).await {
        let (begun, waiting) = tokio::sync::oneshot::channel();
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let store = house.store.clone();
        let first = tokio::spawn(async move {
            store
                .write(move |_| {
                    Box::pin(async move {
                        begun.send(()).expect("the test waits");
                        released.await.expect("the test goes on");
                        Ok::<_, Error>(())
                    })
                })
                .await
        });
        waiting.await.expect("the first write begins");
        let store = house.store.clone();
        let object = server("late");
        let late = vec![create(&object, "late")];
        let second = tokio::spawn(async move {
            store
                .write(move |transaction| Box::pin(async move { transaction.mutate(late, "test").await }))
                .await
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        second.abort();
        assert!(second.await.is_err_and(|error| error.is_cancelled()));
        release.send(()).expect("the first write waits");
        first.await.expect("no panic").expect("the first write is done");
        house.done(vec![create(&server("next"), "next")]).await;
        assert_eq!(house.get(&object).await, None, "{}", house.name());
        house.close().await;
    }
}
