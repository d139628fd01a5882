//! Connections over HTTP: they are used again, and nobody is left waiting at one that is gone.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;

use super::double::{Double, Reply, event, modern, soon};
use super::house::{House, eventually, tool};
use super::remote_links::{HTTP, next, result, shared};

#[tokio::test]
async fn a_connection_is_used_until_one_side_leaves_it() {
    let house = House::new();
    let (endless, unfinished) = mpsc::unbounded_channel();
    let unfinished = Mutex::new(Some(unfinished));
    let far = Double::start(move |asked| match asked.body["params"]["name"].as_str() {
        Some("events") => {
            let result = json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": {}});
            Reply::events(&[event(&json!({"jsonrpc": "2.0", "method": "x/odd"})), event(&result)])
        }
        Some("endless") => Reply::Events(unfinished.lock().expect("not poisoned").take().expect("asked for once")),
        _ => modern(asked).unwrap_or_else(|| asked.result(&json!({}))),
    })
    .await;
    let uid = far.tie(&house, HTTP);
    let link = shared(&house, &uid).await;
    let came_over = || {
        far.seen(|asked| asked.method() == "tools/call")
            .last()
            .expect("one")
            .connection
    };
    assert!(result(&link, "a").await.is_ok());
    let first = came_over();
    for name in ["b", "events", "c", "events", "d"] {
        assert!(result(&link, name).await.is_ok());
        assert_eq!(came_over(), first, "{name}");
    }

    // Two at once need two.
    let mut long = link.request(tool("endless", json!({}))).await.expect("under way");
    endless
        .send(event(&json!({"jsonrpc": "2.0", "method": "x/odd"})))
        .expect("listened to");
    assert!(next(&mut long).await.contains("x/odd"));
    assert_eq!(came_over(), first);
    assert!(result(&link, "e").await.is_ok());
    let second = came_over();
    assert_ne!(second, first);

    // Whoever waits no more hangs up.
    drop(long);
    soon("it is noticed", endless.closed()).await;
    assert!(result(&link, "f").await.is_ok());
    assert_eq!(came_over(), second);

    // A connection that was closed meanwhile is not tried.
    far.hang_up().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    for _ in 0..2 {
        assert!(result(&link, "g").await.is_ok());
        assert!(came_over() > second);
    }

    // One that nobody uses is closed.
    assert!(far.open() > 0);
    eventually("nothing is left open", || far.open() == 0).await;
}
