//! What watchers and the snapshot see.

use orch_daemon::store::{Change, Watch};
use orch_shared::kinds::server::Server;
use orch_shared::query::ChangeType;

use super::*;

/// The next change as `ADDED files 3`.
async fn next(watch: &mut Watch) -> String {
    let change = tokio::time::timeout(Duration::from_secs(30), watch.next())
        .await
        .expect("a change comes");
    told(&change.expect("the watch goes on"))
}

fn told(Change { change, entry }: &Change) -> String {
    let what = match change {
        ChangeType::Added => "added",
        ChangeType::Modified => "modified",
        ChangeType::Deleted => "deleted",
        ChangeType::Bookmark => "bookmark",
    };
    format!("{what} {} {}", entry.object.name, entry.revision)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_from_the_past_goes_on_live() {
    for house in houses(|_| {}).await {
        let (a, b, c) = (server("a"), server("b"), server("c"));
        let labelled = create_with(&b, declared(&b, "x", &[("team", "core")]), None, Some(&a));
        house.done(vec![create(&a, "0"), labelled, create(&c, "0")]).await;
        house.done(vec![update(&a, 1, "1"), remove(&b), remove(&c)]).await;

        // From the beginning: `a` at its newest change only; of `b` and `c` the watcher never knew.
        let mut all = house.store.watch(Some(0)).await.unwrap();
        assert_eq!(next(&mut all).await, "added a 4");
        // From the middle: what it knew of.
        let mut middle = house.store.watch(Some(2)).await.unwrap();
        assert_eq!(next(&mut middle).await, "modified a 4");
        let change = middle.next().await.unwrap();
        assert_eq!(told(&change), "deleted b 5");
        assert_eq!(change.entry.labels.get("team").map(String::as_str), Some("core"));
        assert_eq!(change.entry.owner.as_ref().map(|owner| owner.name.as_str()), Some("a"));
        let last: serde_json::Value = serde_json::from_str(change.entry.wire()).unwrap();
        assert_eq!(
            (&last["metadata"]["name"], &last["status"]["revision"]),
            (&"b".into(), &2.into())
        );

        let mut live = house.store.watch(None).await.unwrap();
        house.done(vec![create(&b, "2")]).await;
        for watch in [&mut all, &mut middle, &mut live] {
            let change = watch.next().await.unwrap();
            assert_eq!(told(&change), "added b 7");
            assert_eq!(watch.position(), 7);
            // Whoever is told of a change finds it in the snapshot, and reads the text that `get` serves.
            assert!(house.store.snapshot().revision() >= 7);
            assert_eq!(**change.entry.wire(), *house.get(&b).await.unwrap().wire());
        }
        // Nothing more is told.
        house.done(vec![status(&a, r#"{"phase":"Ready"}"#)]).await;
        assert_eq!(next(&mut live).await, "modified a 8");
        assert!(
            tokio::time::timeout(Duration::from_millis(50), live.next())
                .await
                .is_err()
        );
        house.close().await;
    }
}

/// A watcher that sleeps through more than the feed keeps for it loses the steps, and never the outcome.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_watcher_misses_nothing() {
    let house = sqlite(|_| {}).await;
    let objects: Vec<ObjectRef> = (0..20).map(|number| server(&format!("s{number}"))).collect();
    let mut slow = house.store.watch(None).await.unwrap();
    house
        .done(objects.iter().map(|object| create(object, "0")).collect())
        .await;
    assert_eq!(next(&mut slow).await, "added s0 1");
    for generation in 1..400 {
        let object = &objects[generation % 10];
        let row = house.get(object).await.unwrap();
        let written = house
            .done(vec![update(object, row.generation, &generation.to_string())])
            .await;
        // One stretch per change: more than any watcher's backlog.
        house.store.wait_for(written[0]).await;
    }
    house.done(vec![remove(&objects[19])]).await;

    let mut seen = BTreeMap::new();
    let mut revisions = Vec::new();
    while slow.position() < 420 {
        let change = slow.next().await.unwrap();
        revisions.push(change.entry.revision);
        match change.change {
            ChangeType::Added | ChangeType::Modified => {
                seen.insert(change.entry.object.name.to_string(), change.entry.wire().to_string());
            }
            ChangeType::Deleted => drop(seen.remove(change.entry.object.name.as_str())),
            ChangeType::Bookmark => panic!("a watch tells no bookmarks"),
        }
    }
    assert!(revisions.is_sorted_by(|one, other| one < other), "{revisions:?}");
    assert!(revisions.len() < 100, "{} changes for 19 objects", revisions.len());
    seen.insert("s0".to_owned(), house.get(&objects[0]).await.unwrap().wire());
    for object in &objects[..19] {
        assert_eq!(
            seen.get(object.name.as_str()),
            Some(&house.get(object).await.unwrap().wire()),
            "{object}"
        );
    }
    assert_eq!(seen.len(), 19);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_watchers_share_one_text() {
    let house = sqlite(|_| {}).await;
    let mut watches = Vec::new();
    for _ in 0..500 {
        watches.push(house.store.watch(None).await.unwrap());
    }
    house.done(vec![create(&server("a"), "x")]).await;
    let mut texts = Vec::new();
    for watch in &mut watches {
        texts.push(Arc::clone(watch.next().await.unwrap().entry.wire()));
    }
    assert!(texts.iter().all(|text| Arc::ptr_eq(text, &texts[0])));
    house.close().await;
}

#[tokio::test]
async fn a_watch_ends_with_the_store() {
    let house = sqlite(|_| {}).await;
    let store = house.store.clone();
    let mut watch = store.watch(None).await.unwrap();
    house.close().await;
    assert!(matches!(watch.next().await, Err(Error::Unavailable { .. })));
    assert!(matches!(store.watch(None).await.err(), Some(Error::Unavailable { .. })));
    let written = store.write(|_| Box::pin(async { Ok::<(), Error>(()) })).await;
    assert!(matches!(written, Err(Error::Unavailable { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_is_what_is_stored() {
    for house in houses(|_| {}).await {
        let (a, b) = (server("a"), server("b"));
        let owned = create_with(&b, declared(&b, "x", &[("team", "core")]), Some("set"), Some(&a));
        let revision = *house
            .done(vec![create(&a, "one"), owned, status(&a, r#"{"phase":"Ready"}"#)])
            .await
            .last()
            .unwrap();
        let early = house.store.wait_for(revision).await;
        let object = early.get(&a).unwrap();
        assert_eq!(
            object.spec::<Server>().unwrap().command.as_deref(),
            Some(&["one".to_owned()][..])
        );
        assert_eq!(
            object.status::<Server>().unwrap().phase,
            Some(orch_shared::resource::Phase::Ready),
            "{}",
            object.status_text
        );
        assert_eq!(
            early
                .owned_by(&uid(&a))
                .iter()
                .map(|owned| &owned.object)
                .collect::<Vec<_>>(),
            [&b]
        );
        assert_eq!(early.by_uid(&uid(&b)).unwrap().apply_set.as_deref(), Some("set"));

        let revision = *house.done(vec![remove(&b), update(&a, 1, "two")]).await.last().unwrap();
        let late = house.store.wait_for(revision).await;
        assert_eq!((early.len(), late.len()), (2, 1));
        assert_eq!(
            (early.get(&a).unwrap().generation, late.get(&a).unwrap().generation),
            (1, 2)
        );
        // What did not change is not parsed again.
        let revision = *house.done(vec![create(&b, "x")]).await.last().unwrap();
        let later = house.store.wait_for(revision).await;
        assert!(Arc::ptr_eq(late.get(&a).unwrap(), later.get(&a).unwrap()));

        let house = house.reopen().await;
        assert_eq!(house.store.snapshot().len(), 2);
        assert_eq!(house.store.snapshot().get(&a).unwrap().generation, 2);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_on_one_database() {
    let Some(one) = postgres(|_| {}).await else { return };
    let other = one.beside().await;
    assert_eq!(one.store.daemon_id(), other.store.daemon_id());
    let mut watch = other.store.watch(None).await.unwrap();
    let object = server("shared");
    let revision = one.done(vec![create(&object, "x")]).await[0];
    assert!(other.store.wait_for(revision).await.get(&object).is_some());
    assert_eq!(next(&mut watch).await, "added shared 1");

    // Both write at once: revisions are given once, and each daemon sees them all in order.
    let writes = (0..40).map(|number| {
        let house = if number % 2 == 0 { &one } else { &other };
        async move { house.done(vec![create(&server(&format!("s{number}")), "x")]).await[0] }
    });
    let mut revisions = futures_util::future::join_all(writes).await;
    revisions.sort_unstable();
    assert_eq!(revisions, (2..42).collect::<Vec<i64>>());
    let mut told = Vec::new();
    while watch.position() < 41 {
        told.push(watch.next().await.unwrap().entry.revision);
    }
    assert_eq!(told, (2..42).collect::<Vec<i64>>());
    assert_eq!(one.store.wait_for(41).await.len(), 41);

    // Of two on one object, one wins, whichever daemon they ask.
    let race = futures_util::future::join(
        one.mutate(vec![update(&object, 1, "one")]),
        other.mutate(vec![update(&object, 1, "two")]),
    );
    let (first, second) = race.await;
    assert_eq!(u32::from(first.is_ok()) + u32::from(second.is_ok()), 1);
    other.close().await;
    one.close().await;
}
