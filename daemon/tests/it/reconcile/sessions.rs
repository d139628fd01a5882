//! Copies that sessions have for themselves.

use std::time::Duration;

use orch_daemon::reconcile::ClaimError;
use orch_shared::kinds::instance::Instance;
use orch_shared::resource::Phase;
use serde_json::{Value, json};

use super::house::{House, eventually};

fn isolated(more: Value) -> Value {
    let mut spec = json!({"sessions": "isolated", "sessionLimits": {"max": 2}});
    spec.as_object_mut()
        .expect("a mapping")
        .extend(more.as_object().expect("a mapping").clone());
    spec
}

fn of_sessions(house: &House, server: &str) -> Vec<String> {
    let living = house.living(server).into_iter();
    let copies = living.filter(|(copy, _)| copy.spec::<Instance>().is_some_and(|spec| spec.session.is_some()));
    copies.map(|(copy, _)| copy.uid.to_string()).collect()
}

#[tokio::test]
async fn each_session_gets_a_copy_within_limits_and_gives_it_back() {
    let house = House::new().await;
    let files = house.declare("files", &[], isolated(json!({"replicas": 2}))).await;
    let running = |count| {
        move |status: &orch_shared::kinds::server::ServerStatus| {
            status.replicas.is_some_and(|replicas| replicas.running == count)
        }
    };
    house.until(&files, running(2)).await;
    // The same session twice is one; all at once they do not get more than there may be.
    let claims = ["one", "one", "two", "two", "three"].map(|session| house.copies.claim(&files, session));
    let claims = futures_util::future::join_all(claims).await;
    let mut given: Vec<_> = claims.iter().flatten().cloned().collect();
    given.sort();
    given.dedup();
    assert_eq!(given.len(), 2, "{claims:?}");
    assert!(
        claims
            .iter()
            .any(|claim| matches!(claim, Err(ClaimError::Full { most: 2 })))
    );
    for uid in &given {
        eventually(|| house.answers(uid)).await;
    }
    // They are no replicas.
    assert_eq!(house.living(&files).len(), 4);
    house.until(&files, running(2)).await;

    house.copies.release(&given[0]).await.expect("given back");
    house.copies.release(&given[0]).await.expect("once more");
    eventually(|| of_sessions(&house, &files) == given[1..]).await;
    eventually(|| house.store.snapshot().by_uid(&given[0]).is_none()).await;
    house.copies.claim(&files, "four").await.expect("there is room");
}

#[tokio::test]
async fn a_change_and_a_new_daemon_end_the_copies_of_sessions() {
    let house = House::new().await;
    let files = house.declare("files", &[], isolated(json!({}))).await;
    let first = house.copies.claim(&files, "one").await.expect("a copy");
    eventually(|| house.answers(&first)).await;
    // Another spec: the session gets a copy of that.
    house.declare("files", &["--say", "two"], isolated(json!({}))).await;
    eventually(|| of_sessions(&house, &files).is_empty()).await;
    let second = house.copies.claim(&files, "one").await.expect("a copy");
    assert_ne!(first, second);
    eventually(|| house.answers(&second)).await;

    let house = house.again().await;
    eventually(|| house.store.snapshot().by_uid(&second).is_none()).await;
    house
        .until(&files, |status| {
            status.replicas.is_some_and(|replicas| replicas.ready == 1)
        })
        .await;
    assert_eq!(of_sessions(&house, &files), Vec::<String>::new());

    house.copies.claim(&files, "one").await.expect("a copy");
    house.declare("files", &[], json!({})).await;
    eventually(|| of_sessions(&house, &files).is_empty()).await;
    assert!(matches!(
        house.copies.claim(&files, "one").await,
        Err(ClaimError::Shared)
    ));
    assert!(matches!(
        house.copies.claim("nobody", "one").await,
        Err(ClaimError::Gone)
    ));
}

#[tokio::test]
async fn a_copy_of_a_session_that_ends_is_started_again() {
    let house = House::new().await;
    let more = isolated(json!({"restart": {"backoffInitial": "100ms"}, "replicas": 1}));
    let files = house.declare("files", &[], more).await;
    house
        .until(&files, |status| {
            status.phase.is_some_and(|phase| phase != Phase::Pending)
        })
        .await;
    let uid = house.copies.claim(&files, "one").await.expect("a copy");
    eventually(|| house.answers(&uid)).await;
    let pid = |house: &House| {
        let living = house.living(&files).into_iter();
        let mut own = living.filter(|(copy, _)| *copy.uid == *uid);
        own.next().and_then(|(_, status)| status.pid)
    };
    let before = pid(&house).expect("a process");
    crate::support::processes::signal(before, rustix::process::Signal::KILL);
    eventually(|| pid(&house).is_some_and(|now| now != before) && house.answers(&uid)).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(of_sessions(&house, &files), std::slice::from_ref(&uid));
}
