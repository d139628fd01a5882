//! The life of what is published: heard of, silent, gone, deleted.

use serde_json::json;

use super::{Publisher, Raw, ask, chat, local_model, offer, seen, state, streamed, until};
use crate::e2e::{condition, manifest};
use crate::support::daemon::{Home, eventually};

#[test]
fn whoever_goes_takes_what_is_under_way_along_at_once() {
    let (home, far) = (Home::new().started(), local_model());
    let late = Publisher::of_model(&home, "late", &far, "late.60000", &[]);
    let slow = Publisher::of_model(&home, "slow", &far, "chunks.10000.slow.20", &[]);
    let request = home.http("POST", "/v1/chat/completions").json(&chat("late"));
    let whole = std::thread::spawn(move || request.send());
    let mut stream = home
        .http("POST", "/v1/chat/completions")
        .json(&streamed(chat("slow")))
        .stream();
    stream.line().expect("a line");
    eventually("both are under way", || seen(&far)["underWay"] == 2);
    late.kill();
    let answer = whole.join().expect("an answer").expect(503);
    assert!(answer.body.contains("its publisher has gone"), "{}", answer.body);
    slow.kill();
    let mut last = String::new();
    while let Some(line) = stream.line() {
        last = line;
    }
    assert!(last.contains("error"), "{last}");
    until(&home, "llms/late", "inactive");
    until(&home, "llms/slow", "inactive");
    eventually("it is told", || {
        condition(&home.get("llms/late"), "Ready") == ("False".into(), "PublisherAway".into())
    });
    assert!(home.get("llms/late")["status"]["publication"]["inactiveSince"].is_string());
    eventually("the model works for nobody", || seen(&far)["underWay"] == 0);

    // The same command goes on with what it had; nothing of the object has changed.
    let before = home.get("llms/late")["status"]["uid"].clone();
    let session = home.get("llms/late")["status"]["publication"]["session"].clone();
    let _again = Publisher::of_model(&home, "late", &far, "late.60000", &[]);
    let after = home.get("llms/late");
    assert_eq!(
        (&after["status"]["uid"], &after["status"]["generation"]),
        (&before, &json!(1))
    );
    assert_eq!(after["status"]["publication"]["session"], session);
    eventually("it is told", || condition(&home.get("llms/late"), "Ready").0 == "True");
}

#[test]
fn whoever_is_silent_is_away_and_in_the_end_forgotten() {
    let flags = [
        "--publisher-heartbeat-timeout",
        "2s",
        "--publisher-retention",
        "2s",
        "--publisher-sweep",
        "1s",
    ];
    let home = Home::new().with(&flags).started();
    // A heart that beats keeps it alive; the command line's does by itself.
    let far = local_model();
    let _alive = Publisher::of_model(&home, "alive", &far, "plain", &[]);
    let publisher = Raw::register(&home, &[offer("local", &json!({})), offer("used", &json!({}))]);
    // The stream is open all the while: it is the heart that counts.
    let _stream = publisher.listen();
    home.apply(&manifest("Agent", "declared", &json!({"llm": "used"})));
    let agent = json!({"manifest": {"apiVersion": "orchctl.dev/v1", "kind": "Agent", "metadata": {"name": "helper"},
        "spec": {"llm": "local", "published": true}}});
    Raw::try_register(
        &home,
        &home.token(),
        Some(&publisher.session),
        &[offer("local", &json!({})), agent],
    )
    .expect(200);
    until(&home, "llms/local", "inactive");
    // It comes back with a beat.
    let standing = publisher.heartbeat(&json!({"local": "hibernating"})).expect(200).json();
    assert!(standing.to_string().contains("hibernating"), "{standing}");
    assert_eq!(state(&home, "llms/local"), "hibernating");
    assert_eq!(state(&home, "agents/helper"), "active");
    until(&home, "llms/local", "inactive");
    until(&home, "agents/helper", "inactive");
    // Agents go with their models, and what something declared uses stays.
    until(&home, "llms/local", "absent");
    until(&home, "agents/helper", "absent");
    assert_eq!(
        (state(&home, "llms/used"), state(&home, "llms/alive")),
        ("inactive".into(), "active".into())
    );
    home.orchctl(&["delete", "agent", "declared"]).expect(0);
    until(&home, "llms/used", "absent");
    // The session is forgotten, too, and nothing of it is left to go on with.
    eventually("the session is forgotten", || {
        publisher.heartbeat(&json!({})).status == 404
    });
    let rows = home.get("audit?limit=1000").to_string();
    assert!(rows.contains("\"expire\""), "{rows}");
    ask(&home, &chat("local")).expect(404);
}
