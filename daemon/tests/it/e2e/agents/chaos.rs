//! A daemon that is killed again and again while an agent works: whatever the moment, no tool is called twice.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::{agent, calls, home_with, messages, post, scripted, state, text, the_thread};
use crate::support::daemon::eventually;

/// So many answers call a tool before the last one.
const STEPS: usize = 6;

#[test]
fn no_tool_is_called_twice_however_often_the_daemon_is_killed() {
    let step =
        |number: usize| json!({"toolCalls": [{"name": "raw__echo", "arguments": {"step": number}}], "delay": "60ms"});
    let mut script: Vec<Value> = (0..STEPS).map(step).collect();
    script.push(json!({"text": "done"}));
    let (mut home, far) = home_with(&(scripted("m", &json!(script)) + &agent(json!({}))));
    let mut waiting = post(&home, "agents/a/chat", &json!({"message": "go"})).leave();
    eventually("the turn has begun", || the_thread(&home).is_some());
    let thread = the_thread(&home).expect("a thread");
    // Moments that lie differently in the steps each time.
    for pause in [0, 35, 70, 20, 110, 5, 90, 50] {
        sleep(Duration::from_millis(pause));
        home.kill_9();
        home.start();
        drop(waiting);
        if state(&home, &thread) == "complete" {
            break;
        }
        waiting = post(&home, &format!("threads/{thread}/resume"), &json!({})).leave();
        eventually("it goes on", || state(&home, &thread) != "interrupted");
    }
    let mut last = String::new();
    eventually("the turn is complete", || {
        last = state(&home, &thread);
        if last == "interrupted" || last == "cancelled" {
            post(&home, &format!("threads/{thread}/resume"), &json!({"detach": true})).send();
        }
        last == "complete"
    });
    let told = messages(&home, &thread);
    let results: Vec<&Value> = told.iter().filter(|message| message["role"] == "tool").collect();
    assert_eq!(results.len(), STEPS, "{told:?}");
    let complete = results
        .iter()
        .filter(|result| result["result"]["state"] == "complete")
        .count() as u64;
    let unknown = results
        .iter()
        .filter(|result| result["result"]["state"] == "unknown")
        .count() as u64;
    assert_eq!(complete + unknown, STEPS as u64, "{results:?}");
    let made = calls(&far);
    assert!(
        (complete..=complete + unknown).contains(&made),
        "{made} calls, {complete} complete, {unknown} unknown"
    );
    assert_eq!(text(&told[told.len() - 1]["text"]), "done");
}
