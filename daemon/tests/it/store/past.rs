//! What is kept of the past: generations, changes, events of objects that are gone.

use orch_daemon::store::{EventQuery, NewEvent, Retention};
use orch_shared::query::Severity;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn history() {
    for house in houses(|options| options.retention.generations = 5).await {
        let object = server("a");
        house.done(vec![create(&object, "1")]).await;
        for generation in 1..8 {
            house.clock.advance(Duration::from_secs(1));
            house
                .done(vec![update(&object, generation, &(generation + 1).to_string())])
                .await;
        }
        house.done(vec![status(&object, r#"{"phase":"Ready"}"#)]).await;
        // The form alone changes: stored, and no generation.
        let mut same = update(&object, 8, "same");
        if let Mutation::Update(update) = &mut same {
            update.generation = Generations::Same;
        }
        house.done(vec![same]).await;
        let row = house.get(&object).await.unwrap();
        assert_eq!((row.generation, row.spec.as_str()), (8, r#"{"command":["same"]}"#));

        let history = house
            .store
            .history(&Visibility::Everything, &uid(&object))
            .await
            .unwrap();
        let numbers: Vec<_> = history.iter().map(|kept| (kept.generation, kept.revision)).collect();
        assert_eq!(numbers, [(8, 8), (7, 7), (6, 6), (5, 5), (4, 4)]);
        let newest = history[0].entry(Kind::Server);
        assert_eq!((newest.by.as_str(), newest.verb.as_str()), ("tester", "apply"));
        assert_eq!(newest.at.since(history[1].at), Duration::from_secs(1));
        assert_eq!(newest.manifest["spec"]["command"][0], "8");
        assert_eq!(newest.manifest["kind"], "Server");

        let generation = async |visibility: &Visibility, number| {
            house
                .store
                .generation(visibility, &uid(&object), number)
                .await
                .unwrap()
                .map(|kept| kept.spec)
        };
        assert_eq!(
            generation(&Visibility::Everything, 4).await.as_deref(),
            Some(r#"{"command":["4"]}"#)
        );
        assert_eq!(generation(&Visibility::Everything, 3).await, None);
        assert_eq!(generation(&Visibility::Nothing, 4).await, None);

        house.done(vec![remove(&object)]).await;
        assert!(
            house
                .store
                .history(&Visibility::Everything, &uid(&object))
                .await
                .unwrap()
                .is_empty()
        );
        house.close().await;
    }
}

/// One transaction makes an object and removes it: no trace of it is left, and nobody trips over it.
#[tokio::test(flavor = "multi_thread")]
async fn made_and_removed_at_once() {
    for house in houses(|_| {}).await {
        let (ghost, other) = (server("ghost"), server("other"));
        let revisions = house
            .done(vec![create(&ghost, "x"), remove(&ghost), create(&other, "x")])
            .await;
        assert_eq!(revisions, [1, 2, 3]);
        assert_eq!(house.store.wait_for(3).await.len(), 1);
        assert!(
            house
                .store
                .history(&Visibility::Everything, &uid(&ghost))
                .await
                .unwrap()
                .is_empty()
        );
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_compacted() {
    let short = Retention {
        changes: 10,
        changes_for: Duration::from_secs(60),
        orphaned_events: 3,
        ..Retention::default()
    };
    for house in houses(|options| {
        options.retention = short;
        options.testing.period = Some(Duration::from_millis(20));
    })
    .await
    {
        let object = server("a");
        house.done(vec![create(&object, "0")]).await;
        for generation in 1..30 {
            house
                .done(vec![update(&object, generation, &generation.to_string())])
                .await;
        }
        // All of it is younger than a minute.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(house.store.changes(0, 100).await.unwrap().to, 30);

        house.clock.advance(Duration::from_secs(61));
        let compacted = async || matches!(house.store.changes(0, 100).await, Err(Error::Compacted { .. }));
        eventually("the log is compacted", compacted).await;
        assert!(matches!(
            house.store.watch(Some(5)).await.err(),
            Some(Error::Compacted {
                compacted: 20,
                revision: 30
            })
        ));
        // The newest ten are kept, old as they are; and a watch from the future is no watch.
        house.store.watch(Some(20)).await.unwrap();
        assert!(matches!(
            house.store.watch(Some(31)).await.err(),
            Some(Error::Compacted { .. })
        ));

        let gone = server("gone");
        house.done(vec![create(&gone, "x")]).await;
        let events: Vec<NewEvent> = (0..10)
            .map(|number| NewEvent {
                object: gone.clone(),
                uid: uid(&gone),
                severity: Severity::Normal,
                reason: format!("Reason{number}"),
                message: "x".to_owned(),
            })
            .collect();
        let told: Result<(), Error> = house
            .store
            .write(move |transaction| {
                Box::pin(async move {
                    for event in &events {
                        transaction.event(event).await?;
                    }
                    transaction.mutate(vec![remove(&gone)], "tester").await.map(drop)
                })
            })
            .await;
        told.unwrap();
        let left = async || {
            let events = house
                .store
                .events(&Visibility::Everything, &EventQuery::default())
                .await
                .unwrap();
            events.into_iter().map(|event| event.reason).collect::<Vec<_>>()
        };
        eventually("old events are dropped", async || {
            left().await == ["Reason7", "Reason8", "Reason9"]
        })
        .await;
        house.close().await;
    }
}
