//! Servers that rest, and those who want to use them.

use std::time::Duration;

use orch_daemon::reconcile::WakeError;
use orch_daemon::store::{About, EventQuery};
use orch_shared::access::Visibility;
use orch_shared::kind::Kind;
use orch_shared::name::ObjectRef;
use orch_shared::resource::Phase;
use serde_json::json;

use super::house::{House, eventually};

const LONG: Duration = Duration::from_secs(120);

#[tokio::test]
async fn the_first_use_wakes_a_server_once_for_all_who_wait() {
    let house = House::new().await;
    let idle = json!({"idle": {"suspendAfter": "1s"}});
    let files = house.declare("files", &[], idle).await;
    let resting = house
        .until(&files, |status| status.phase == Some(Phase::Suspended))
        .await;
    assert_eq!(resting.tools.map(|tools| tools.count), Some(3));
    eventually(|| house.living(&files).is_empty()).await;

    // All who come are told at once, and one copy is made; a cancelled one takes nothing along.
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let (waker, files) = (house.waker.clone(), files.clone());
            tokio::spawn(async move { waker.wake(&files, LONG).await })
        })
        .collect();
    waiting[0].abort();
    for waiter in waiting.into_iter().skip(1) {
        assert_eq!(waiter.await.expect("it does not panic"), Ok(()));
    }
    assert_eq!(house.living(&files).len(), 1);
    // As long as it is used, it stays; then it rests again.
    for _ in 0..10 {
        house.waker.touch(&files);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(house.living(&files).len(), 1);
    }
    assert_eq!(
        house.waker.wake(&files, LONG).await,
        Ok(()),
        "who is awake need not be woken"
    );
    house
        .until(&files, |status| status.phase == Some(Phase::Suspended))
        .await;
}

#[tokio::test]
async fn a_wake_that_fails_leaves_it_suspended_and_tells_everybody_why() {
    let house = House::new().await;
    let ill = house.path("sick");
    let text = ill.to_str().expect("text");
    let more = json!({"idle": {"suspendAfter": "1s"}, "healthCheck": {"startupDeadline": "20s"}});
    // It starts once, and never again.
    let script = format!("if [ -e {text} ]; then echo no luck >&2; exit 9; fi; touch {text}; exec \"$0\"");
    let fixture = crate::runtime::house::fixture();
    let mut spec = more.clone();
    spec["command"] = json!(["/bin/sh", "-c", script, fixture]);
    let files = house.declare("files", &[], spec).await;
    house
        .until(&files, |status| status.phase == Some(Phase::Suspended))
        .await;

    let tries = [house.waker.wake(&files, LONG), house.waker.wake(&files, LONG)];
    for said in futures_util::future::join_all(tries).await {
        let Err(WakeError::Failed(reason)) = said else {
            panic!("{said:?}")
        };
        assert!(reason.contains("exited with code 9"), "{reason}");
    }
    let status = house.status(&files);
    assert_eq!(status.phase, Some(Phase::Suspended));
    let ready = status
        .conditions
        .iter()
        .find(|condition| condition.condition == "Ready")
        .expect("said");
    assert_eq!(ready.reason, "WakeFailed");
    eventually(|| house.living(&files).is_empty()).await;
    let server = ObjectRef::cluster(Kind::Server, "files".parse().expect("a name"));
    let query = EventQuery {
        about: About::Object(server),
        ..EventQuery::default()
    };
    let events = house.store.events(&Visibility::Everything, &query).await.expect("read");
    assert!(events.iter().any(|event| event.reason == "WakeFailed"), "{events:?}");

    // The next use tries anew.
    std::fs::remove_file(&ill).expect("removed");
    assert_eq!(house.waker.wake(&files, LONG).await, Ok(()));
}

#[tokio::test]
async fn a_wake_outlives_the_daemon_and_whoever_waits() {
    let house = House::new().await;
    let idle = json!({"idle": {"suspendAfter": "2s"}});
    let files = house.declare("files", &["--delay", "1500"], idle).await;
    house
        .until(&files, |status| status.phase == Some(Phase::Suspended))
        .await;
    let said = house.waker.wake(&files, Duration::from_millis(300)).await;
    assert_eq!(said, Err(WakeError::Deadline(Duration::from_millis(300))));
    let house = house.again().await;
    house
        .until(&files, |status| {
            status.suspended_since.is_none() && status.phase == Some(Phase::Ready)
        })
        .await;
    assert_eq!(house.waker.wake("nobody", LONG).await, Err(WakeError::Gone));
}

#[tokio::test]
async fn who_cannot_be_asked_says_why() {
    let house = House::new().await;
    let off = house.declare("off", &[], json!({"replicas": 0})).await;
    house.until(&off, |status| status.phase == Some(Phase::Ready)).await;
    let broken = house.declare("broken", &["--exit"], json!({})).await;
    for (uid, told) in [(off, "spec.replicas is 0"), (broken, "exited with code 1")] {
        let said = house.waker.wake(&uid, LONG).await;
        assert!(
            matches!(&said, Err(WakeError::Failed(reason)) if reason.contains(told)),
            "{said:?}"
        );
    }
}
