//! A daemon that ends in the middle: publishers go on by themselves, and nobody waits for an answer that will not come.

use serde_json::json;

use super::{Publisher, Raw, ask, chat, local_model, offer, seen, state, streamed, until};
use crate::support::daemon::{Home, eventually};

#[test]
fn a_publisher_goes_on_when_the_daemon_was_killed() {
    let port = super::free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut home = Home::new().with(&["--listen", &listen]).started();
    let far = local_model();
    let publisher = Publisher::of_model(&home, "local", &far, "late.3000", &[]);
    let session = home.get("llms/local")["status"]["publication"]["session"].clone();
    let request = home.http("POST", "/v1/chat/completions").json(&chat("local"));
    let asking = std::thread::spawn(move || request.try_send());
    eventually("it is under way", || seen(&far)["underWay"] == 1);
    home.kill_9();
    assert!(
        asking.join().expect("no panic").is_err(),
        "the connection is gone with the daemon"
    );
    // What nobody waits for any more is given up.
    eventually("the model works for nobody", || seen(&far)["underWay"] == 0);
    home.start();
    // Whoever asks while the publisher is coming back waits for it, and not for long.
    let answer = ask(&home, &chat("local"));
    assert!([200, 503].contains(&answer.status), "{}", answer.body);
    eventually("it answers again", || ask(&home, &chat("local")).status == 200);
    let now = home.get("llms/local");
    assert_eq!(now["status"]["publication"]["session"], session);
    assert_eq!(now["status"]["generation"], 1, "{now}");
    drop(publisher);
    until(&home, "llms/local", "inactive");
}

#[test]
fn a_daemon_that_is_stopped_tells_whoever_waits() {
    let mut home = Home::new().started();
    let far = local_model();
    let _publisher = Publisher::of_model(&home, "slow", &far, "chunks.10000.slow.20", &[]);
    let mut stream = home
        .http("POST", "/v1/chat/completions")
        .json(&streamed(chat("slow")))
        .stream();
    stream.line().expect("a line");
    assert_eq!(home.stop(), 0);
    let mut last = String::new();
    while let Some(line) = stream.line() {
        last = line;
    }
    assert!(last.contains("error"), "{last}");
    home.start();
    // What the rows say of a publisher that does not come back ends by itself.
    assert_ne!(state(&home, "llms/slow"), "absent");
}

#[test]
fn rows_survive_and_a_session_goes_on_from_them() {
    let mut home = Home::new().started();
    let session = {
        let publisher = Raw::register(&home, &[offer("local", &json!({}))]);
        publisher.heartbeat(&json!({"local": "hibernating"})).expect(200);
        publisher.session
    };
    home.kill_9();
    home.start();
    assert_eq!(state(&home, "llms/local"), "hibernating");
    // It was hibernating and nobody is there to wake it: that is told, and it goes on hibernating.
    let answer = ask(&home, &chat("local")).expect(503);
    assert!(answer.body.contains("is not connected"), "{}", answer.body);
    assert_eq!(state(&home, "llms/local"), "hibernating");
    let again = Raw::try_register(&home, &home.token(), Some(&session), &[offer("local", &json!({}))]).expect(200);
    assert_eq!(again.json()["session"], json!(session));
    assert_eq!(state(&home, "llms/local"), "active");
}
