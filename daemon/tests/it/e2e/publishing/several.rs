//! Several daemons on one PostgreSQL: publishers and those who ask may speak with any of them, and meet at the one that leads.

use serde_json::json;

use super::{Publisher, ask, chat, local_model, seen, state, streamed, until};
use crate::support::daemon::{Home, eventually};

#[test]
fn whichever_daemon_is_asked_the_publisher_is_found() {
    let Some(home) = Home::on_postgres() else { return };
    let mut first = home.with(&["--lease-duration", "2s"]).started();
    let second = first.beside().started();
    let far = local_model();
    // Each daemon writes where it is into the context of its home; the publisher speaks with the one that follows.
    let _publisher = Publisher::of_model(&second, "local", &far, "chunks.3.plain", &[]);
    for home in [&first, &second] {
        ask(home, &chat("local")).expect(200);
        let answer = ask(home, &streamed(chat("local"))).expect(200);
        assert!(answer.body.contains("[DONE]"), "{}", answer.body);
        let infer = json!({"messages": [{"role": "user", "content": "hello"}]});
        home.http("POST", "/api/v1/llms/local/infer")
            .json(&infer)
            .send()
            .expect(200);
        assert_eq!(ask(home, &chat("absent")).status, 404);
    }
    assert_eq!(seen(&far)["asked"]["chunks.3.plain"], 6);
    // The one that leads goes; the other takes over, and the publisher finds it.
    first.kill_9();
    eventually("it answers again", || ask(&second, &chat("local")).status == 200);
    assert_eq!(state(&second, "llms/local"), "active");
    until(&second, "llms/local", "active");
}
