//! Models whose process is the publisher's: not started before somebody needs them, started once for all who wait, stopped
//! when nobody does, and never left behind.

use serde_json::json;

use super::{Publisher, Raw, ask, chat, free_port, offer, program, state, told, until};
use crate::e2e::{condition, manifest};
use crate::support::client::{Client, Era};
use crate::support::daemon::{Home, eventually};

/// What starts a model at that port, and writes down that it did.
fn command(port: u16) -> String {
    format!(
        "echo started >> starts; sleep 0.3; exec {} --http 127.0.0.1:{port}",
        program("orch-model")
    )
}

fn starts(home: &Home) -> usize {
    std::fs::read_to_string(home.path("starts"))
        .unwrap_or_default()
        .lines()
        .count()
}

/// Publishes a model whose process is the publisher's, and waits until it hibernates.
fn resting(home: &Home, port: u16, more: &[&str]) -> Publisher {
    let (url, start) = (format!("http://127.0.0.1:{port}"), command(port));
    let arguments = ["llm", "local", "--url", &url, "--model", "plain", "--start", &start];
    let publisher = Publisher::start(home, &[&arguments, more].concat());
    until(home, "llms/local", "hibernating");
    publisher
}

/// Processes of models that live.
fn models(home: &Home) -> usize {
    let alive = home.processes().into_iter().map(crate::support::processes::describe);
    // The shells around it speak of it as well.
    let itself = format!(": {} --http", program("orch-model"));
    alive.filter(|command| command.contains(&itself)).count()
}

#[test]
fn many_who_wait_are_one_start_and_nothing_is_left_behind() {
    let home = Home::new().started();
    let publisher = resting(&home, free_port(), &["--idle", "2s"]);
    assert_eq!((starts(&home), models(&home)), (0, 0));
    eventually("it is told", || {
        home.get("llms/local")["status"]["phase"] == "Suspended"
    });
    assert_eq!(
        condition(&home.get("llms/local"), "Ready"),
        ("True".into(), "Hibernating".into())
    );
    let asking: Vec<_> = (0..3)
        .map(|_| {
            let request = home.http("POST", "/v1/chat/completions").json(&chat("local"));
            std::thread::spawn(move || request.send())
        })
        .collect();
    for asked in asking {
        asked.join().expect("an answer").expect(200);
    }
    assert_eq!((starts(&home), models(&home)), (1, 1));
    // Its publisher knows that somebody waited.
    eventually("it tells of the wake", || {
        publisher.said().contains("llm/local woke: 200 in")
    });
    assert!(
        !publisher.said().contains("nobody waits any more"),
        "{}",
        publisher.said()
    );
    until(&home, "llms/local", "active");
    // Nobody uses it, and it is stopped; whoever needs it again has it started again.
    until(&home, "llms/local", "hibernating");
    eventually("its process has ended", || models(&home) == 0);
    ask(&home, &chat("local")).expect(200);
    assert_eq!((starts(&home), models(&home)), (2, 1));
    // However the publisher ends, its model ends.
    publisher.kill();
    eventually("nothing is left", || home.processes().is_empty());
    until(&home, "llms/local", "inactive");
    // Inactive is not hibernating: nobody is there to wake it.
    ask(&home, &chat("local")).expect(503);
    assert_eq!(starts(&home), 2);
}

#[test]
fn a_model_that_does_not_wake_goes_on_hibernating_and_is_tried_again() {
    let home = Home::new().started();
    let url = format!("http://127.0.0.1:{}", free_port());
    let start = "echo started >> starts; echo out of memory; exit 3";
    let arguments = ["llm", "local", "--url", &url, "--model", "plain", "--start", start];
    let _publisher = Publisher::start(&home, &arguments);
    until(&home, "llms/local", "hibernating");
    for tried in 1..3 {
        let asking: Vec<_> = (0..3)
            .map(|_| {
                let request = home.http("POST", "/v1/chat/completions").json(&chat("local"));
                std::thread::spawn(move || request.send())
            })
            .collect();
        for asked in asking {
            let answer = asked.join().expect("an answer").expect(503);
            assert!(answer.body.contains("its command has ended"), "{}", answer.body);
        }
        assert_eq!(state(&home, "llms/local"), "hibernating");
        assert!(starts(&home) >= tried, "{}", starts(&home));
    }
    let log = std::fs::read_to_string(home.path("local.log")).expect("a log");
    assert!(log.contains("out of memory"), "{log}");
}

#[test]
fn a_wake_is_told_once_and_everybody_has_its_outcome() {
    let home = Home::new().with(&["--publisher-wake-timeout", "2s"]).started();
    let mut hibernating = offer("local", &json!({}));
    hibernating["state"] = json!("hibernating");
    let publisher = Raw::register(&home, &[hibernating]);
    let mut stream = publisher.listen();
    let asking = |count: usize| -> Vec<_> {
        let request = home.http("POST", "/v1/chat/completions").json(&chat("local"));
        let ask = |_| {
            let request = request.clone();
            std::thread::spawn(move || request.send())
        };
        (0..count).map(ask).collect()
    };
    // It fails, for all of them.
    let waiting = asking(3);
    let wake = told(&mut stream, "wake");
    assert_eq!(wake["llm"], "local");
    // Time for all of them to wait for it.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let id = wake["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        publisher.answer(&id, &json!({"error": "no memory left"}), "").status,
        204
    );
    for asked in waiting {
        let answer = asked.join().expect("an answer").expect(503);
        assert!(answer.body.contains("no memory left"), "{}", answer.body);
    }
    assert_eq!(state(&home, "llms/local"), "hibernating");
    // Nobody answers, and they do not wait for ever.
    let waiting = asking(1);
    let late = told(&mut stream, "wake");
    let answer = waiting
        .into_iter()
        .next()
        .expect("one")
        .join()
        .expect("an answer")
        .expect(503);
    assert!(answer.body.contains("does not wake within 2 s"), "{}", answer.body);
    // It wakes, and then it is asked: by all of them, and without another wake.
    let waiting = asking(2);
    // The one before was given up, and its publisher is told so, once.
    assert_eq!(told(&mut stream, "cancel")["id"], late["id"]);
    let wake = told(&mut stream, "wake");
    let id = wake["id"].as_str().expect("an id").to_owned();
    assert_eq!(publisher.answer(&id, &json!({"status": 200}), "").status, 204);
    for _ in 0..2 {
        // One that has succeeded is not: the next thing that is told is a task.
        let line = loop {
            let line = stream.line().expect("the stream goes on");
            if line.starts_with("event: ") {
                break line;
            }
        };
        assert_eq!(line, "event: task");
        let task = stream.event().expect("data").1;
        let id = task["id"].as_str().expect("an id").to_owned();
        publisher.answer(
            &id,
            &json!({"status": 200, "headers": {"content-type": "application/json"}}),
            "{}",
        );
    }
    for asked in waiting {
        asked.join().expect("an answer").expect(200);
    }
    assert_eq!(state(&home, "llms/local"), "active");
}

#[test]
fn a_session_of_a_project_warms_the_models_that_it_may_need() {
    let home = Home::new().started();
    home.apply(
        &[
            manifest("Project", "web", &json!({})),
            manifest("Project", "shop", &json!({})),
            manifest("Project", "other", &json!({})),
        ]
        .concat(),
    );
    let mut sleeping = offer("local", &json!({}));
    sleeping["state"] = json!("hibernating");
    sleeping["warmProjects"] = json!(["shop"]);
    let publisher = Raw::register(&home, &[sleeping]);
    home.apply(&manifest(
        "Agent",
        "reviewer",
        &json!({"llm": "local", "project": "web"}),
    ));
    let mut stream = publisher.listen();
    for project in ["web", "shop"] {
        let _other = Client::begin(&home, Era::Legacy, "/mcp/projects/other");
        let _client = Client::begin(&home, Era::Legacy, &format!("/mcp/projects/{project}"));
        let wake = told(&mut stream, "wake");
        let id = wake["id"].as_str().expect("an id").to_owned();
        assert_eq!(publisher.answer(&id, &json!({"status": 200}), "").status, 204);
        until(&home, "llms/local", "active");
        publisher.heartbeat(&json!({"local": "hibernating"})).expect(200);
    }
}
