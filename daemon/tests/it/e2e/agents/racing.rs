//! Several who want to begin, go on with or cancel the one turn of a thread at the same moment: one of them has it, and the
//! others are told so at once. And a database that goes away in the middle of a turn.

use std::sync::Barrier;

use serde_json::{Value, json};

use super::{agent, brief, calls, counting, home_with, messages, post, scripted, state, text};
use crate::e2e::manifest;
use crate::support::daemon::{Home, eventually, on_each_database};
use crate::support::http::Answer;

/// So often it is tried.
const ROUNDS: usize = 8;
/// So many at once.
const AT_ONCE: usize = 3;

fn thread_with(home: &Home, agent: &str) -> String {
    let made = post(home, &format!("agents/{agent}/threads"), &json!({})).send();
    text(&made.expect(201).json()["id"]).to_owned()
}

/// What is answered to requests that are made at the same moment.
fn at_once(home: &Home, requests: &[(String, Value)]) -> Vec<Answer> {
    let barrier = Barrier::new(requests.len());
    std::thread::scope(|scope| {
        let asked = requests.iter().map(|(path, body)| {
            let request = post(home, path, body);
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                request.send()
            })
        });
        let asked: Vec<_> = asked.collect();
        asked.into_iter().map(|one| one.join().expect("an answer")).collect()
    })
}

/// The states of the turns of a thread.
fn turns(home: &Home, thread: &str) -> Vec<String> {
    let listed = home.get(&format!("threads/{thread}/messages?limit=1000"));
    let turns = listed["turns"].as_array().expect("turns").iter();
    turns.map(|turn| text(&turn["state"]).to_owned()).collect()
}

fn one_message_goes_on(home: Home) {
    let home = home.started();
    let answer = json!([{"text": "done", "delay": "300ms"}]);
    home.apply(&(scripted("m", &answer) + &agent(json!({"project": null}))));
    let thread = thread_with(&home, "a");
    for round in 1..=ROUNDS {
        let said = |number| json!({"message": format!("{round}.{number}"), "threadId": thread});
        let requests: Vec<_> = (0..AT_ONCE)
            .map(|number| ("agents/a/chat".to_owned(), said(number)))
            .collect();
        let answers = at_once(&home, &requests);
        let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(done.len(), 1, "{round}: {done:?} {refused:?}");
        for answer in refused {
            assert_eq!(answer.expect(409).code(), "ORCH3022", "{round}");
        }
        assert_eq!(turns(&home, &thread), vec!["complete"; round]);
    }
    let told = brief(&home, &thread);
    assert_eq!(
        told.len(),
        2 * ROUNDS,
        "one message of each round stands there: {told:?}"
    );
}

on_each_database!(one_message_goes_on);

#[test]
fn one_resume_goes_on() {
    let script = json!([{"toolCalls": [{"name": "raw__wait", "arguments": {"ms": 600_000}}]}, {"text": "done", "delay": "300ms"}]);
    let (mut home, far) = home_with(&(scripted("m", &script) + &agent(json!({}))));
    for round in 1..=3 {
        let thread = thread_with(&home, "a");
        let waiting = post(&home, "agents/a/chat", &json!({"message": "go", "threadId": thread})).leave();
        eventually("the tool is called", || calls(&far) == round);
        home.kill_9();
        home.start();
        drop(waiting);
        let resume = (format!("threads/{thread}/resume"), json!({}));
        let answers = at_once(&home, &[resume.clone(), resume.clone(), resume]);
        let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(done.len(), 1, "{done:?} {refused:?}");
        for answer in refused {
            assert_eq!(answer.expect(409).code(), "ORCH3022");
        }
        assert_eq!(turns(&home, &thread), ["complete"]);
        assert_eq!(calls(&far), round);
    }
}

/// Whoever cancels at the moment at which a turn begins finds it, or comes before it: nothing is left half begun.
#[test]
fn a_turn_can_be_cancelled_while_it_begins() {
    let home = Home::new().started();
    let answer = json!([{"text": "done", "delay": "100ms"}]);
    home.apply(&(scripted("m", &answer) + &agent(json!({"project": null}))));
    let thread = thread_with(&home, "a");
    for round in 1..=ROUNDS {
        let said = json!({"message": "go", "threadId": thread});
        let requests = [
            ("agents/a/chat".to_owned(), said),
            (format!("threads/{thread}/cancel"), json!({})),
        ];
        let [chatted, cancelled] = &*at_once(&home, &requests) else {
            panic!("two answers");
        };
        let told = (chatted.status, cancelled.status);
        let expected = match told {
            (200, 409) => "complete",
            (409, 200) => "cancelled",
            // The one who cancels had the place for a moment.
            (409, 409) => {
                assert_eq!(
                    (chatted.code().as_str(), cancelled.code().as_str()),
                    ("ORCH3022", "ORCH3023")
                );
                continue;
            }
            _ => panic!("{round}: {chatted:?} {cancelled:?}"),
        };
        assert_eq!(state(&home, &thread), expected, "{chatted:?} {cancelled:?}");
        if expected == "cancelled" {
            assert_eq!(chatted.code(), "ORCH6043");
            assert!(chatted.body.contains("the turn was cancelled"), "{}", chatted.body);
        }
    }
}

#[test]
fn calls_of_one_answer_that_name_one_thread_come_one_after_the_other() {
    let home = Home::new().started();
    let inner = manifest(
        "Agent",
        "inner",
        &json!({"llm": "n", "project": "p", "description": "Helps"}),
    );
    let declared =
        manifest("Project", "p", &json!({})) + &scripted("n", &json!([{"text": "helped", "delay": "300ms"}]));
    home.apply(&(declared + &inner));
    let inner = thread_with(&home, "inner");
    let call = json!({"name": "agent__inner", "arguments": {"message": "help", "threadId": inner}});
    home.apply(&(scripted("m", &json!([{"toolCalls": [call, call]}, {"text": "done"}])) + &agent(json!({}))));
    for round in 1..=4 {
        let said = super::say(&home, "go");
        let told = messages(&home, text(&said["threadId"]));
        let mut results: Vec<(&str, &str)> = told
            .iter()
            .filter(|message| message["role"] == "tool")
            .map(|message| (text(&message["result"]["state"]), text(&message["text"])))
            .collect();
        results.sort_unstable();
        let [(one, helped), (other, refused)] = results[..] else {
            panic!("{results:?}")
        };
        assert_eq!((one, other), ("complete", "error"), "{results:?}");
        assert!(
            helped.starts_with("helped") && refused.contains("ORCH3022"),
            "{results:?}"
        );
        assert_eq!(turns(&home, &inner), vec!["complete"; round]);
    }
}

#[test]
fn a_turn_outlives_its_database() {
    let Some((home, postgres)) = Home::on_own_postgres() else {
        return;
    };
    let home = home.started();
    let (far, declared) = counting();
    let script = json!([{"toolCalls": [{"name": "raw__wait", "arguments": {"ms": 1000}}]}, {"text": "done"}]);
    home.apply(&(declared + &scripted("m", &script) + &agent(json!({}))));
    home.until_ready(&["server/raw"]);
    for (round, how) in (1..).zip(["resume", "cancel", "say"]) {
        let thread = thread_with(&home, "a");
        let said = json!({"message": "go", "threadId": thread});
        let refused = std::thread::scope(|scope| {
            let request = post(&home, "agents/a/chat", &said);
            let waiting = scope.spawn(move || request.send());
            eventually("the tool is called", || calls(&far) == round);
            postgres.stop();
            waiting.join().expect("an answer")
        });
        // The result of the tool cannot be written down, and neither can that it could not.
        let refused = refused.expect(503);
        assert_eq!(refused.code(), "ORCH5001");
        assert!(
            refused.body.contains(&format!("threads/{thread}/resume")),
            "{}",
            refused.body
        );
        postgres.resume();
        eventually("the database is back", || {
            home.http("GET", "/api/v1/status").send().status == 200
        });
        let (path, body, ends) = match how {
            "resume" => (format!("threads/{thread}/resume"), json!({}), &["complete"][..]),
            "cancel" => (format!("threads/{thread}/cancel"), json!({}), &["cancelled"][..]),
            _ => ("agents/a/chat".to_owned(), said, &["cancelled", "complete"][..]),
        };
        let mut last = String::new();
        eventually("it works again without a restart", || {
            let answer = post(&home, &path, &body).send();
            last = format!("{how}: {} {}", answer.status, answer.body);
            assert!(
                answer.status == 200 || answer.status == 503 || answer.code() == "ORCH3022",
                "{last}"
            );
            answer.status == 200
        });
        assert_eq!(turns(&home, &thread), ends, "{last}");
        assert_eq!(calls(&far), round, "no call is made again");
        let told = &messages(&home, &thread)[2];
        assert_eq!(told["result"]["state"], "unknown", "{told}");
    }
    // By itself, what could not be written down is, once it can.
    let thread = thread_with(&home, "a");
    let request = post(&home, "agents/a/chat", &json!({"message": "go", "threadId": thread}));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || request.send());
        eventually("the tool is called", || calls(&far) == 4);
        postgres.stop();
        waiting.join().expect("an answer").expect(503);
    });
    postgres.resume();
    eventually("its end is written down", || {
        let known = home.http("GET", &format!("/api/v1/threads/{thread}")).send();
        known.status == 200 && known.json()["lastTurn"]["state"] == "interrupted"
    });
    let log = home.logs();
    assert!(
        log.contains("cannot be written down; that is tried again")
            && log.contains("the end of a turn is written down"),
        "{log}"
    );
}
