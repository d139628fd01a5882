//! The audit log: what can be found in it, what its chain tells, what is dropped, and what happens when it cannot be written.

use orch_daemon::audit::Ledger;
use orch_daemon::store::{Ailment, AuditQuery, NewAudit, Patient, SessionQuery};
use orch_shared::audit::{Entry, Extent, Mark, Outcome, RowKind, Target, Verification};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::*;

/// Writes so many rows, one after the other: by `anna` and `bert` in turn, in project `web`, each third in a session.
async fn written(house: &House, count: usize) {
    for number in 0..count {
        let at = house.store.clock().now();
        written_at(house, number, at).await;
    }
}

async fn written_at(house: &House, number: usize, at: Timestamp) {
    let row = NewAudit {
        principal: ["anna", "bert"][number % 2].to_owned(),
        token: Some("ci".to_owned()),
        session: number.is_multiple_of(3).then(|| "0a1b".to_owned()),
        target: Some(Target::of(&server("files"))),
        item: Some(format!("tool-{number}")),
        project: Some("web".to_owned()),
        outcome: [Outcome::Allowed, Outcome::Failed][usize::from(number % 4 == 3)],
        status: Some(200),
        duration_us: Some(17),
        ..NewAudit::new(RowKind::ToolCall, "tools/call")
    };
    let wrote: Result<(), Error> = house
        .store
        .write(move |transaction| {
            Box::pin(async move {
                transaction.audit_of(at, row);
                Ok(())
            })
        })
        .await;
    wrote.unwrap();
}

async fn sequences(house: &House, query: AuditQuery) -> Vec<i64> {
    let limit = query.limit.max(1);
    let found = house.store.audit(&AuditQuery { limit, ..query }).await.unwrap();
    found.iter().map(|entry| entry.sequence).collect()
}

async fn walked(house: &House) -> Verification {
    house.store.audit_walk(None, None).await.unwrap()
}

/// Does something to the database that no daemon does.
async fn tamper(house: &House, text: &str) {
    let script = text.to_owned();
    match &house.database {
        Database::Sqlite(directory) => {
            let options = SqliteConnectOptions::new().filename(directory.join("orchd.db"));
            let mut shell = options.connect().await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(script))
                .execute(&mut shell)
                .await
                .unwrap();
        }
        Database::Postgres(url) => {
            let mut shell = url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(script))
                .execute(&mut shell)
                .await
                .unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_found_by_who_where_what_and_when() {
    for house in houses(|_| {}).await {
        written(&house, 4).await;
        house.clock.advance(Duration::from_secs(3600));
        let later = house.store.clock().now();
        written(&house, 4).await;
        let of = |query: AuditQuery| sequences(&house, AuditQuery { limit: 100, ..query });
        let any = AuditQuery::default;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(of(any()).await, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(
            of(AuditQuery {
                user: text("anna"),
                ..any()
            })
            .await,
            [1, 3, 5, 7]
        );
        assert_eq!(
            of(AuditQuery {
                session: text("0a1b"),
                ..any()
            })
            .await,
            [1, 4, 5, 8]
        );
        assert_eq!(
            of(AuditQuery {
                outcome: Some(Outcome::Failed),
                ..any()
            })
            .await,
            [4, 8]
        );
        assert_eq!(
            of(AuditQuery {
                from: Some(later),
                ..any()
            })
            .await,
            [5, 6, 7, 8]
        );
        assert_eq!(
            of(AuditQuery {
                to: Some(later),
                ..any()
            })
            .await,
            [1, 2, 3, 4]
        );
        assert_eq!(
            of(AuditQuery {
                before: Some(3),
                ..any()
            })
            .await,
            [1, 2]
        );
        assert_eq!(
            of(AuditQuery {
                after: Some(6),
                ..any()
            })
            .await,
            [7, 8]
        );
        let files = |name: Option<&str>| Some((Kind::Server, name.map(str::to_owned)));
        assert_eq!(
            of(AuditQuery {
                target: files(Some("files")),
                ..any()
            })
            .await
            .len(),
            8
        );
        for nothing in [
            AuditQuery {
                token: text("other"),
                ..any()
            },
            AuditQuery {
                project: text("other"),
                ..any()
            },
            AuditQuery {
                kind: Some(RowKind::Login),
                ..any()
            },
            AuditQuery {
                verb: text("get"),
                ..any()
            },
            AuditQuery {
                target: files(Some("other")),
                ..any()
            },
        ] {
            assert_eq!(of(nothing.clone()).await, Vec::<i64>::new(), "{nothing:?}");
        }
        // The newest of many, and behind a place the oldest.
        assert_eq!(sequences(&house, AuditQuery { limit: 2, ..any() }).await, [7, 8]);
        let behind = AuditQuery {
            limit: 2,
            after: Some(2),
            ..any()
        };
        assert_eq!(sequences(&house, behind).await, [3, 4]);

        let query = SessionQuery {
            limit: 10,
            ..SessionQuery::default()
        };
        let sessions = house.store.audit_sessions(&query).await.unwrap();
        let mut told: Vec<_> = sessions
            .iter()
            .map(|session| {
                (
                    session.principal.as_str(),
                    session.session.as_deref(),
                    session.calls,
                    session.errors,
                )
            })
            .collect();
        told.sort_unstable();
        let expected = [
            ("anna", None, 2, 0),
            ("anna", Some("0a1b"), 2, 0),
            ("bert", None, 2, 0),
            ("bert", Some("0a1b"), 2, 2),
        ];
        assert_eq!(told, expected, "{}", house.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_entry_that_is_not_as_it_was_written_is_named() {
    for house in houses(|_| {}).await {
        written(&house, 8).await;
        let whole = walked(&house).await;
        assert_eq!(
            (whole.checked, whole.complete, &whole.broken),
            (8, true, &None),
            "{}",
            house.name()
        );
        let copy = "INSERT INTO audit SELECT * FROM kept WHERE";
        tamper(
            &house,
            "CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_meta AS SELECT * FROM meta",
        )
        .await;
        let repair =
            format!("DELETE FROM audit; {copy} 1 = 1; DELETE FROM meta; INSERT INTO meta SELECT * FROM kept_meta");
        for (what, sabotage, broken) in [
            ("altered", "UPDATE audit SET principal = 'eve' WHERE sequence = 3", 3),
            (
                "altered in a new column",
                "UPDATE audit SET client = 'curl' WHERE sequence = 1",
                1,
            ),
            ("spoilt", "UPDATE audit SET row_kind = 'x' WHERE sequence = 5", 5),
            ("of the old form", "UPDATE audit SET form = 1 WHERE sequence = 5", 5),
            (
                "at another time",
                "UPDATE audit SET made_at = made_at + 1 WHERE sequence = 8",
                8,
            ),
            ("removed", "DELETE FROM audit WHERE sequence = 4", 4),
            ("several removed", "DELETE FROM audit WHERE sequence IN (4, 5)", 4),
            ("the oldest removed", "DELETE FROM audit WHERE sequence = 1", 1),
            ("the newest removed", "DELETE FROM audit WHERE sequence > 6", 7),
            (
                "the newest removed, and the end set back",
                "DELETE FROM audit WHERE sequence = 8; UPDATE meta SET last_audit = 7",
                7,
            ),
            (
                "reordered",
                "UPDATE audit SET sequence = 99 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 3; \
                 UPDATE audit SET sequence = 3 WHERE sequence = 99",
                2,
            ),
            (
                "inserted in the middle",
                "UPDATE audit SET sequence = sequence + 100 WHERE sequence > 4; \
                 UPDATE audit SET sequence = sequence - 99 WHERE sequence > 100; \
                 CREATE TABLE one AS SELECT * FROM audit WHERE sequence = 4; UPDATE one SET sequence = 5; \
                 INSERT INTO audit SELECT * FROM one; DROP TABLE one; UPDATE meta SET last_audit = 9",
                5,
            ),
            (
                "added at the end",
                "CREATE TABLE one AS SELECT * FROM audit WHERE sequence = 8; UPDATE one SET sequence = 9; \
                 INSERT INTO audit SELECT * FROM one; DROP TABLE one",
                9,
            ),
            ("dropped and not", "UPDATE meta SET audit_dropped = 3", 1),
        ] {
            tamper(&house, sabotage).await;
            let found = walked(&house).await;
            let at = found.broken.map(|broken| broken.sequence);
            assert_eq!(at, Some(broken), "{what} on {}", house.name());
            // All before it is whole, and told so.
            if what.starts_with("altered") || what == "spoilt" {
                assert_eq!((found.checked, found.to.sequence), (broken - 1, broken - 1), "{what}");
            }
            tamper(&house, &repair).await;
            assert_eq!(walked(&house).await.broken, None, "{what} is undone");
        }

        // A whole new chain is told from the old one by a mark that was kept elsewhere.
        let kept = whole.to;
        let check = |mark: Mark| {
            let store = house.store.clone();
            async move { store.audit_walk(None, Some(&mark)).await.unwrap().broken }
        };
        assert_eq!(check(kept.clone()).await, None);
        let other = Mark {
            hash: "0".repeat(64),
            ..kept.clone()
        };
        assert_eq!(check(other).await.map(|broken| broken.sequence), Some(8));
        let further = Mark { sequence: 12, ..kept };
        assert_eq!(check(further).await.map(|broken| broken.sequence), Some(9));
    }
}

/// Entries of before the log said so much are checked as they were written.
#[tokio::test(flavor = "multi_thread")]
async fn entries_of_the_first_form_stay_whole() {
    for house in houses(|_| {}).await {
        let row = NewAudit {
            principal: "anna".to_owned(),
            target: Some(Target::of(&prompt("web", "tone"))),
            detail: "{}".to_owned(),
            ..NewAudit::new(RowKind::Request, "delete")
        };
        let hash = row.first_hash_after("", 1, Timestamp::from_millis(1000)).unwrap();
        let old = format!(
            "INSERT INTO audit (sequence, made_at, principal, action, kind, scope, name, outcome, detail, hash) \
             VALUES (1, 1000, 'anna', 'delete', 'Prompt', 'project/web', 'tone', 'allowed', '{{}}', '{hash}'); \
             UPDATE meta SET last_audit = 1, audit_hash = '{hash}'"
        );
        tamper(&house, &old).await;
        written(&house, 2).await;
        let whole = walked(&house).await;
        assert_eq!((whole.checked, whole.broken), (3, None), "{}", house.name());
        // What their hash does not cover cannot be slipped in.
        tamper(&house, "UPDATE audit SET token = 'ci' WHERE sequence = 1").await;
        assert_eq!(walked(&house).await.broken.map(|broken| broken.sequence), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_enough_is_dropped_and_the_rest_stays_whole() {
    let adapt = |options: &mut Options| {
        options.retention.audit_for = Duration::from_secs(60);
        options.testing.period = Some(Duration::from_millis(20));
    };
    for house in houses(adapt).await {
        let now = house.store.clock().now();
        let ago = |seconds: i64| Timestamp::from_millis(now.millis() - seconds * 1000);
        for (number, seconds) in [100, 90, 80, 30, 20].into_iter().enumerate() {
            written_at(&house, number, ago(seconds)).await;
        }
        let any = || AuditQuery {
            limit: 100,
            ..AuditQuery::default()
        };
        while sequences(&house, any()).await.len() > 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(sequences(&house, any()).await, [4, 5]);
        let whole = walked(&house).await;
        assert_eq!(
            (whole.from.sequence, whole.checked, whole.broken),
            (3, 2, None),
            "{}",
            house.name()
        );
        written(&house, 1).await;
        assert_eq!(walked(&house).await.checked, 3);
        // Who began before the dropping goes on from where the log begins now.
        let before = Mark {
            sequence: 1,
            hash: "0".repeat(64),
        };
        let gone_on = house.store.audit_walk(Some(before), None).await.unwrap();
        assert_eq!((gone_on.from.sequence, gone_on.broken), (3, None));
        tamper(&house, "DELETE FROM audit WHERE sequence = 4").await;
        assert_eq!(walked(&house).await.broken.map(|broken| broken.sequence), Some(4));
    }
}

/// Rows that cannot be written wait, which is told; they are written when that is possible again.
#[tokio::test(flavor = "multi_thread")]
async fn rows_wait_for_a_database_that_cannot_be_written() {
    let patient = Patient::default();
    let house = sqlite(|options| {
        options.testing.patient = patient.clone();
    })
    .await;
    let stop = CancellationToken::new();
    let (ledger, writing) = Ledger::open(house.store.clone(), Extent::All, stop.clone());
    let writing = tokio::spawn(writing);
    patient.suffer(Ailment::ReadOnly);
    for number in 0..5 {
        ledger.hand_in(NewAudit::new(RowKind::Request, format!("verb-{number}")));
    }
    // A refusal is told all the same, after a moment.
    ledger.settle(NewAudit::new(RowKind::Request, "refused")).await;
    while !ledger.standing().stuck {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!((ledger.standing().waiting, ledger.standing().dropped), (6, 0));
    patient.suffer(Ailment::None);
    while ledger.standing().waiting > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let any = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    let entries: Vec<Entry> = house.store.audit(&any).await.unwrap();
    let verbs: Vec<&str> = entries.iter().map(|entry| entry.row.verb.as_str()).collect();
    assert_eq!(verbs, ["verb-0", "verb-1", "verb-2", "verb-3", "verb-4", "refused"]);
    stop.cancel();
    writing.await.unwrap();
}

/// A database that takes its time takes the row once.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_database_gets_no_row_twice() {
    for house in houses(|_| {}).await {
        let stop = CancellationToken::new();
        let (ledger, writing) = Ledger::open(house.store.clone(), Extent::All, stop.clone());
        let writing = tokio::spawn(writing);
        let store = house.store.clone();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (end, ends) = tokio::sync::oneshot::channel::<()>();
        let slow = tokio::spawn(async move {
            let written = store.write(move |_| {
                Box::pin(async move {
                    let _ = begun.send(());
                    let _ = ends.await;
                    Ok::<_, Error>(())
                })
            });
            written.await.unwrap();
        });
        has_begun.await.unwrap();
        // Whoever was refused is told after a moment, whatever becomes of the row.
        ledger.settle(NewAudit::new(RowKind::Request, "refused")).await;
        assert_eq!(ledger.standing().waiting, 1, "{}", house.name());
        end.send(()).unwrap();
        slow.await.unwrap();
        while ledger.standing().waiting > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
        writing.await.unwrap();
        let any = AuditQuery {
            limit: 100,
            ..AuditQuery::default()
        };
        let entries = house.store.audit(&any).await.unwrap();
        let verbs: Vec<&str> = entries.iter().map(|entry| entry.row.verb.as_str()).collect();
        assert_eq!(verbs, ["refused"], "{}", house.name());
    }
}

/// Rows that come while too many wait are dropped, counted, and told of in the log itself.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_dropped_are_told_of() {
    let patient = Patient::default();
    let house = sqlite(|options| {
        options.testing.patient = patient.clone();
    })
    .await;
    let stop = CancellationToken::new();
    let (ledger, writing) = Ledger::open(house.store.clone(), Extent::All, stop.clone());
    let writing = tokio::spawn(writing);
    patient.suffer(Ailment::ReadOnly);
    while ledger.standing().dropped < 7 {
        ledger.hand_in(NewAudit::new(RowKind::Request, "get"));
    }
    patient.suffer(Ailment::None);
    while ledger.standing().waiting > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let drops = AuditQuery {
        verb: Some("drop".to_owned()),
        limit: 10,
        ..AuditQuery::default()
    };
    let told = house.store.audit(&drops).await.unwrap();
    assert_eq!(told[0].row.principal, "daemon");
    assert!(told[0].row.detail.contains("7 rows are missing"), "{:?}", told[0].row);
    stop.cancel();
    writing.await.unwrap();
}
