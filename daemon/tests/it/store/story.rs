//! One object's life and its neighbours', told the same on both databases.

use orch_daemon::store::{
    About, AuditQuery, Error, EventQuery, ListQuery, Mutation, NewAudit, NewEvent, Position, Scopes, Store, Token,
};
use orch_shared::access::{Reach, Visibility};
use orch_shared::audit::{Outcome, RowKind, Target};
use orch_shared::kind::Kind;
use orch_shared::name::Scope;
use orch_shared::query::{LabelSelector, Severity};
use orch_shared::resource::Timestamp;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_story() {
    for house in houses(|_| {}).await {
        objects(&house).await;
        lists(&house).await;
        events(&house).await;
        tokens(&house).await;
        audit(&house).await;
        let daemon_id = house.store.daemon_id().to_owned();
        let revision = house.store.revision().await.unwrap();
        let house = house.reopen().await;
        assert_eq!(house.store.daemon_id(), daemon_id);
        assert_eq!(
            (house.store.revision().await.unwrap(), house.store.snapshot().revision()),
            (revision, revision)
        );
        house.close().await;
    }
}

async fn objects(house: &House) {
    let files = server("files");
    assert_eq!(house.done(vec![create(&files, "one")]).await, [1]);
    let made = house.get(&files).await.unwrap();
    assert_eq!((made.generation, made.revision, made.created_revision), (1, 1, 1));
    assert_eq!(made.spec, r#"{"command":["one"]}"#);
    assert_eq!(
        (made.created_at, made.updated_at),
        (house.store.clock().now(), house.store.clock().now())
    );

    // The name is taken; nothing of that write remains.
    let refused = house
        .mutate(vec![create(&server("other"), "x"), create(&files, "x")])
        .await;
    assert!(matches!(refused, Err(Error::Taken { object }) if *object == files));
    assert_eq!(house.get(&server("other")).await, None);

    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.done(vec![update(&files, 1, "two")]).await, [2]);
    let updated = house.get(&files).await.unwrap();
    assert_eq!(
        (updated.generation, updated.revision, updated.created_revision),
        (2, 2, 1)
    );
    assert!(updated.updated_at > updated.created_at);

    // Somebody was quicker.
    assert!(matches!(
        house.mutate(vec![update(&files, 1, "three")]).await,
        Err(Error::Conflict { .. })
    ));
    assert!(matches!(
        house.mutate(vec![update(&server("nobody"), 1, "x")]).await,
        Err(Error::Gone { .. })
    ));

    // Status moves the revision alone, and only when it differs.
    assert_eq!(house.done(vec![status(&files, r#"{"phase":"Ready"}"#)]).await, [3]);
    assert_eq!(house.done(vec![status(&files, r#"{"phase":"Ready"}"#)]).await, [3]);
    let ready = house.get(&files).await.unwrap();
    assert_eq!(
        (ready.generation, ready.revision, ready.status.as_str()),
        (2, 3, r#"{"phase":"Ready"}"#)
    );
    assert!(matches!(
        house.mutate(vec![status(&server("nobody"), "{}")]).await,
        Err(Error::Gone { .. })
    ));

    // By uid, in its scope only; and what may not be seen is not there.
    let uuid = house.store.ids().uid();
    let named = Mutation::Create(Box::new(Create {
        object: server("by-uid"),
        uid: uuid.clone(),
        declared: declared(&server("by-uid"), "x", &[]),
        apply_set: None,
        owner: None,
        verb: "create".to_owned(),
    }));
    house.done(vec![named]).await;
    let get = async |visibility: &Visibility, scope: &Scope, name: &str| {
        house.store.get(visibility, Kind::Server, scope, name).await.unwrap()
    };
    assert_eq!(
        get(&Visibility::Everything, &Scope::Cluster, &uuid)
            .await
            .unwrap()
            .object,
        server("by-uid")
    );
    assert_eq!(
        get(&Visibility::Everything, &Scope::Project("web".parse().unwrap()), &uuid).await,
        None
    );
    assert_eq!(get(&Visibility::Nothing, &Scope::Cluster, "files").await, None);
    house.done(vec![Mutation::Remove { uid: uuid }]).await;

    // Deleting, restarting, and moving between sets are the daemon's; each at its own revision.
    let at = Timestamp::from_millis(7);
    let set = Mutation::ApplySet {
        uid: uid(&files),
        apply_set: Some("team".to_owned()),
    };
    let marks = vec![
        Mutation::Restart { uid: uid(&files), at },
        set,
        Mutation::MarkDeleting { uid: uid(&files) },
    ];
    assert_eq!(house.done(marks).await, [6, 7, 8]);
    let marked = house.get(&files).await.unwrap();
    assert_eq!(
        (marked.restarted_at, marked.deleting_since),
        (Some(at), Some(house.store.clock().now()))
    );
    assert_eq!(marked.apply_set.as_deref(), Some("team"));
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.done(vec![Mutation::MarkDeleting { uid: uid(&files) }]).await, [8]);

    // What is not part of it is told all the same.
    let told = Mutation::Announce { uid: uid(&files) };
    assert_eq!(house.done(vec![told]).await, [9]);
    assert_eq!(house.get(&files).await.unwrap().generation, marked.generation);

    assert_eq!(house.done(vec![remove(&files)]).await, [10]);
    assert_eq!(house.get(&files).await, None);
    assert!(matches!(
        house.mutate(vec![remove(&files)]).await,
        Err(Error::Gone { .. })
    ));
    assert_eq!(house.store.revision().await.unwrap(), 10);
}

async fn lists(house: &House) {
    let labels = [("a", "core"), ("b", "core"), ("c", "edge"), ("d", "")];
    let mut mutations: Vec<Mutation> = labels
        .iter()
        .map(|(name, team)| {
            let labels: &[(&str, &str)] = if team.is_empty() { &[] } else { &[("team", team)] };
            create_with(&server(name), declared(&server(name), "x", labels), None, None)
        })
        .collect();
    // "B" sorts before "a" byte by byte, and after it in most locales; "-" likewise.
    for (project, name) in [
        ("web", "tone"),
        ("web-2", "tone"),
        ("ops", "tone"),
        ("ops", "a-b"),
        ("ops", "ab"),
    ] {
        mutations.push(create(&prompt(project, name), "x"));
    }
    let revision = *house.done(mutations).await.last().unwrap();

    let all = ListQuery {
        kind: Kind::Server,
        scopes: Scopes::All,
        labels: LabelSelector::default(),
        after: None,
        limit: None,
    };
    let names = async |visibility: &Visibility, query: &ListQuery| {
        let page = house.store.list(visibility, query).await.unwrap();
        assert_eq!(page.extent.revision, revision);
        let names: Vec<String> = page.rows.iter().map(|row| format!("{}", row.object.name)).collect();
        (names.join(" "), page.extent.total, page.extent.next)
    };
    for (selector, expected) in [
        ("", "a b c d"),
        ("team=core", "a b"),
        ("team", "a b c"),
        ("!team", "d"),
        ("team!=core", "c d"),
        ("team in (core,edge)", "a b c"),
        ("team notin (core,edge)", "d"),
        ("team=core,team=edge", ""),
    ] {
        let query = ListQuery {
            labels: selector.parse().unwrap(),
            ..all.clone()
        };
        let expected = (expected.to_owned(), expected.split_whitespace().count() as i64, None);
        assert_eq!(
            names(&Visibility::Everything, &query).await,
            expected,
            "{selector} on {}",
            house.name()
        );
    }
    let reach = |kind, name: Option<&str>, labels: Option<&str>, project: Option<&str>| Reach {
        kind,
        name: name.map(|name| name.parse().unwrap()),
        labels: labels.map(|labels| labels.parse().unwrap()),
        project: project.map(|project| project.parse().unwrap()),
    };
    let every_server = || reach(Some(Kind::Server), None, None, None);
    for (bounds, expected) in [
        (vec![vec![]], ""),
        (vec![vec![Reach::default()]], "a b c d"),
        (vec![vec![every_server()]], "a b c d"),
        (
            vec![vec![
                reach(Some(Kind::Server), Some("b"), None, None),
                reach(None, Some("d"), None, None),
            ]],
            "b d",
        ),
        (vec![vec![reach(Some(Kind::Prompt), None, None, None)]], ""),
        (vec![vec![reach(None, None, Some("team=core"), None)]], "a b"),
        (
            vec![vec![reach(Some(Kind::Server), None, Some("team!=core"), None)]],
            "c d",
        ),
        (
            vec![vec![every_server()], vec![reach(None, Some("c"), None, None)]],
            "c",
        ),
        (
            vec![vec![every_server()], vec![reach(Some(Kind::Prompt), None, None, None)]],
            "",
        ),
        (vec![vec![reach(None, None, None, Some("ops"))]], ""),
    ] {
        let expected = (expected.to_owned(), expected.split_whitespace().count() as i64, None);
        let visibility = Visibility::Within(bounds);
        assert_eq!(names(&visibility, &all).await, expected, "{visibility:?}");
        // The point check says the same of each.
        let snapshot = house.store.wait_for(revision).await;
        let mut seen: Vec<&str> = Vec::new();
        for object in snapshot.of_kind(Kind::Server) {
            if snapshot.facts_of(object, |facts| visibility.covers(facts)) {
                seen.push(object.object.name.as_str());
            }
        }
        seen.sort_unstable();
        assert_eq!(seen.join(" "), expected.0, "{visibility:?}");
    }
    let of_project = Visibility::Within(vec![vec![reach(None, None, None, Some("ops"))]]);
    let prompts_of_ops = ListQuery {
        kind: Kind::Prompt,
        ..all.clone()
    };
    let (seen, total, _) = names(&of_project, &prompts_of_ops).await;
    assert_eq!((seen.split_whitespace().count(), total), (3, 3), "{seen}");

    // Pages, in the order of scope and name, byte by byte.
    let prompts = ListQuery {
        kind: Kind::Prompt,
        limit: Some(2),
        ..all.clone()
    };
    let (first, total, next) = names(&Visibility::Everything, &prompts).await;
    assert_eq!((first.as_str(), total), ("a-b ab", 5));
    let after = Position {
        scope: "project/ops".parse().unwrap(),
        name: "ab".parse().unwrap(),
    };
    assert_eq!(next, Some(after.clone()));
    let (second, total, next) = names(
        &Visibility::Everything,
        &ListQuery {
            after: next,
            ..prompts.clone()
        },
    )
    .await;
    assert_eq!((second.as_str(), total), ("tone tone", 5));
    let (third, total, end) = names(
        &Visibility::Everything,
        &ListQuery {
            after: next,
            ..prompts.clone()
        },
    )
    .await;
    assert_eq!((third.as_str(), total, end), ("tone", 5, None));
    let web = ListQuery {
        scopes: Scopes::One("project/web".parse().unwrap()),
        ..prompts.clone()
    };
    assert_eq!(names(&Visibility::Everything, &web).await, ("tone".to_owned(), 1, None));

    // The wire text of a list is that of its objects.
    let mut text = "[".to_owned();
    let extent = house
        .store
        .list_wire(&Visibility::Everything, &all, &mut text)
        .await
        .unwrap();
    let page = house.store.list(&Visibility::Everything, &all).await.unwrap();
    assert_eq!(
        text,
        format!("[{}", page.rows.iter().map(Row::wire).collect::<Vec<_>>().join(","))
    );
    assert_eq!(extent, page.extent);

    let counts = house.store.counts(&Visibility::Everything).await.unwrap();
    assert_eq!(
        counts.into_iter().collect::<Vec<_>>(),
        [(Kind::Server, 4), (Kind::Prompt, 5)]
    );
}

async fn tell(store: &Store, object: &ObjectRef, reason: &str, message: &str) {
    let event = NewEvent {
        object: object.clone(),
        uid: uid(object),
        severity: Severity::Warning,
        reason: reason.to_owned(),
        message: message.to_owned(),
    };
    let told: Result<(), Error> = store
        .write(move |transaction| Box::pin(async move { transaction.event(&event).await }))
        .await;
    told.unwrap();
}

async fn events(house: &House) {
    let (parent, child) = (server("parent"), server("child"));
    let owned = create_with(&child, declared(&child, "x", &[]), None, Some(&parent));
    house.done(vec![create(&parent, "x"), owned]).await;
    let about = async |about: About| -> Vec<(String, i64)> {
        let query = EventQuery {
            about,
            ..EventQuery::default()
        };
        let events = house.store.events(&Visibility::Everything, &query).await.unwrap();
        events.into_iter().map(|event| (event.reason, event.count)).collect()
    };
    let told = |events: &[(&str, i64)]| -> Vec<(String, i64)> {
        events
            .iter()
            .map(|(reason, count)| ((*reason).to_owned(), *count))
            .collect()
    };

    tell(&house.store, &parent, "Started", "a\0b").await;
    tell(&house.store, &child, "Crashed", "x").await;
    // Counted, though something else was told in between.
    tell(&house.store, &parent, "Ready", "x").await;
    tell(&house.store, &parent, "Started", "a\0b").await;
    assert_eq!(
        about(About::Object(parent.clone())).await,
        told(&[("Ready", 1), ("Started", 2)])
    );
    assert_eq!(
        about(About::Family(parent.clone())).await,
        told(&[("Crashed", 1), ("Ready", 1), ("Started", 2)])
    );
    let query = EventQuery {
        after: Some(2),
        ..EventQuery::default()
    };
    assert_eq!(
        house.store.events(&Visibility::Everything, &query).await.unwrap().len(),
        2
    );
    assert!(
        house
            .store
            .events(&Visibility::Nothing, &EventQuery::default())
            .await
            .unwrap()
            .is_empty()
    );

    // Narrowed by the database: a limit counts what fits, not what there is.
    for (kind, scope, severity, found) in [
        (Some(Kind::Server), None, None, 3),
        (Some(Kind::Prompt), None, None, 0),
        (None, Some(Scope::Cluster), Some(Severity::Warning), 3),
        (None, Some(Scope::Project("web".parse().unwrap())), None, 0),
        (Some(Kind::Server), None, Some(Severity::Normal), 0),
    ] {
        let query = EventQuery {
            about: About::Objects(kind, scope),
            severity,
            limit: Some(10),
            ..EventQuery::default()
        };
        let events = house.store.events(&Visibility::Everything, &query).await.unwrap();
        assert_eq!(events.len(), found, "{query:?}");
    }

    // The last fifty of an object are kept.
    for number in 0..60 {
        tell(&house.store, &child, &format!("Reason{number}"), "x").await;
    }
    let kept = about(About::Object(child.clone())).await;
    assert_eq!(
        (kept.len(), kept[0].0.as_str(), kept[49].0.as_str()),
        (50, "Reason10", "Reason59")
    );

    // Events outlive their object, and are found by its owner.
    house.done(vec![remove(&child)]).await;
    assert_eq!(about(About::Object(child.clone())).await.len(), 50);
    house.done(vec![remove(&parent)]).await;
    assert_eq!(about(About::Family(parent)).await.len(), 52);
}

async fn tokens(house: &House) {
    let token = |id: &str, hash: &str| Token {
        id: id.to_owned(),
        name: "admin".to_owned(),
        principal: "admin".to_owned(),
        hash: hash.to_owned(),
        prefix: "orch_ab".to_owned(),
        scopes: "[]".to_owned(),
        project: None,
        created_at: house.store.clock().now(),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    };
    let (first, second) = (token("1", "aa"), token("2", "bb"));
    let inserted = first.clone();
    let write: Result<(), Error> = house
        .store
        .write(|transaction| Box::pin(async move { transaction.insert_token(&inserted).await }))
        .await;
    write.unwrap();
    assert_eq!(house.store.token("aa").await.unwrap(), Some(first.clone()));
    assert_eq!(house.store.token("bb").await.unwrap(), None);

    assert!(house.store.note_use(&first).is_some(), "it was never used");
    eventually("the use is noted", async || {
        house.store.token("aa").await.unwrap().unwrap().last_used_at.is_some()
    })
    .await;
    let writes = house.store.counters().writes;
    let used = house.store.token("aa").await.unwrap().unwrap();
    assert_eq!(house.store.note_use(&used), None, "it was noted just now");

    let reset = second.clone();
    let write: Result<(), Error> = house
        .store
        .write(|transaction| Box::pin(async move { transaction.reset_token(&reset).await }))
        .await;
    write.unwrap();
    assert_eq!(
        house.store.counters().writes,
        writes + 1,
        "a use is noted once a minute"
    );
    let now = house.store.clock().now();
    let valid: Vec<(String, bool)> = house
        .store
        .tokens()
        .await
        .unwrap()
        .iter()
        .map(|token| (token.id.clone(), token.is_valid(now)))
        .collect();
    assert_eq!(valid, [("2".to_owned(), true), ("1".to_owned(), false)]);
}

async fn audit(house: &House) {
    let entry = |outcome: Outcome| NewAudit {
        principal: "eve".to_owned(),
        target: Some(Target::of(&prompt("web", "tone"))),
        outcome,
        ..NewAudit::new(RowKind::Request, "delete")
    };
    let (denied, allowed) = (entry(Outcome::Denied), entry(Outcome::Allowed));
    // A refused request leaves its audit entry, and nothing else.
    let refused: Result<(), Error> = house
        .store
        .write(move |transaction| {
            Box::pin(async move {
                transaction.mutate(vec![create(&server("ghost"), "x")], "eve").await?;
                transaction.audit(denied);
                Err(Error::Gone {
                    uid: "whatever".to_owned(),
                })
            })
        })
        .await;
    assert!(matches!(refused, Err(Error::Gone { .. })));
    assert_eq!(house.get(&server("ghost")).await, None);
    let kept: Result<(), Error> = house
        .store
        .write(move |transaction| {
            Box::pin(async move {
                transaction.audit(allowed);
                Ok(())
            })
        })
        .await;
    kept.unwrap();

    let query = AuditQuery {
        limit: 10,
        ..AuditQuery::default()
    };
    let entries = house.store.audit(&query).await.unwrap();
    let outcomes: Vec<Outcome> = entries.iter().map(|entry| entry.row.outcome).collect();
    assert_eq!(outcomes, [Outcome::Denied, Outcome::Allowed]);
    let mut hash = String::new();
    for entry in &entries {
        assert_eq!(entry.row.target, Some(Target::of(&prompt("web", "tone"))));
        hash = entry.row.hash_after(&hash, entry.sequence, entry.at);
        assert_eq!(entry.hash, hash);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_write_sees() {
    for house in houses(|_| {}).await {
        let (a, b, user) = (server("a"), server("b"), server("user"));
        let naming = Declared {
            references: vec![reference(&a, "spec.x[0]")],
            ..declared(&user, "x", &[])
        };
        let in_set = |object: &ObjectRef| create_with(object, declared(object, "x", &[]), Some("team"), None);
        let owned = create_with(&server("owned"), declared(&server("owned"), "x", &[]), None, Some(&a));
        house
            .done(vec![
                in_set(&b),
                in_set(&a),
                create_with(&user, naming, None, None),
                owned,
            ])
            .await;

        let (first, second, third) = (a.clone(), b.clone(), user.clone());
        let seen: Result<(), Error> = house
            .store
            .write(move |transaction| {
                Box::pin(async move {
                    let rows = transaction
                        .load(&[second.clone(), server("nobody"), first.clone()])
                        .await?;
                    let names: Vec<_> = rows
                        .iter()
                        .map(|row| row.as_ref().map(|row| row.object.name.to_string()))
                        .collect();
                    assert_eq!(names, [Some("b".to_owned()), None, Some("a".to_owned())]);
                    let members = transaction.members("team").await?;
                    assert_eq!(
                        members.iter().map(|row| &row.object).collect::<Vec<_>>(),
                        [&first, &second]
                    );
                    assert_eq!(transaction.owned(&uid(&first)).await?[0].object, server("owned"));
                    let dependents = transaction.dependents(&[first.clone(), second.clone()]).await?;
                    assert_eq!(dependents.len(), 1);
                    assert_eq!((&dependents[0].0, &dependents[0].1.object), (&first, &third));
                    assert_eq!(dependents[0].1.path.to_string(), "spec.x[0]");

                    // Its own changes, before anybody else sees them.
                    let revision = transaction.revision();
                    transaction.mutate(vec![update(&third, 1, "y")], "tester").await?;
                    assert_eq!(transaction.revision(), revision + 1);
                    assert!(transaction.dependents(std::slice::from_ref(&first)).await?.is_empty());
                    assert_eq!(transaction.load_uid(&uid(&third)).await?.unwrap().generation, 2);
                    let spec = |mark: &str| format!(r#"{{"command":["{mark}"]}}"#);
                    assert_eq!(transaction.generation(&uid(&third), 2).await?.unwrap().spec, spec("y"));
                    assert_eq!(transaction.generation(&uid(&third), 1).await?.unwrap().spec, spec("x"));
                    assert_eq!(transaction.generation(&uid(&third), 3).await?, None);
                    Ok(())
                })
            })
            .await;
        seen.unwrap();
        assert!(
            house
                .store
                .dependents(&Visibility::Everything, &a)
                .await
                .unwrap()
                .is_empty()
        );
        house.close().await;
    }
}
