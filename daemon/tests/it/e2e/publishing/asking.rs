//! A published model is asked like any other: in every client's words, whole and bit by bit, within the same rules.

use serde_json::{Value, json};

use super::{KEY, Publisher, Raw, ask, chat, local_model, offer, seen, state, streamed, told};
use crate::support::daemon::{Home, eventually};

#[test]
fn a_published_model_is_asked_like_any_other() {
    let (home, far) = (Home::new().started(), local_model());
    let _publisher = Publisher::of_model(&home, "local", &far, "chunks.4.plain", &["--tier", "heavy"]);
    let body = json!({"model": "local", "messages": [{"role": "user", "content": "hello"}], "unheard_of": [1, 2.50]});
    let answer = ask(&home, &body).expect(200);
    assert_eq!(answer.header("x-orch-llm"), Some("local"));
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "All is well that ");
    assert_eq!(answer.json()["unheard_of"], json!({"kept": true}));
    let answer = ask(&home, &streamed(chat("local"))).expect(200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert!(answer.body.contains("data: [DONE]"), "{}", answer.body);

    // A client of Anthropic's, whole and bit by bit, is understood by a model that speaks otherwise.
    let messages = json!({"model": "local", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]});
    let answer = home
        .http("POST", "/v1/messages")
        .json(&messages)
        .send()
        .expect(200)
        .json();
    assert_eq!(answer["content"][0]["text"], "All is well that ", "{answer}");
    let answer = home
        .http("POST", "/v1/messages")
        .json(&streamed(messages))
        .send()
        .expect(200);
    assert!(answer.body.contains("message_stop"), "{}", answer.body);
    let embeddings = json!({"model": "local", "input": ["a", "b"]});
    let answer = home.http("POST", "/v1/embeddings").json(&embeddings).send().expect(200);
    assert_eq!(answer.json()["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(home.http("HEAD", "/v1/models/local").send().status, 200);

    // The key is the publisher's, and the credential of whoever asks stays with the daemon.
    let far_has_seen = far.url("").trim_start_matches("http://").to_owned();
    assert!(!home.logs().contains(KEY) && !home.get("llms/local").to_string().contains(&far_has_seen));

    // It counts and is written down like any other.
    eventually("the calls are counted", || {
        home.get("usage?by=llm")["items"][0]["requests"] == 5
    });
    let usage = home.get("usage?by=llm");
    assert_eq!(usage["items"][0]["llm"], "local", "{usage}");
    let calls = || home.get("audit?limit=1000&kind=llm_inference_call");
    eventually("the rows are written", || {
        calls()["items"].as_array().map(Vec::len) == Some(5)
    });
    let rows = calls();
    assert!(rows["items"][0]["target"]["name"] == "local" && rows["items"][0]["outcome"] == "allowed");
    let rows = home.get("audit?limit=1000").to_string();
    assert!(rows.contains("\"publish\"") && !rows.contains("\"heartbeat\"") && !rows.contains("\"answer\""));

    let told = home.orchctl(&["get", "llms", "-o", "wide"]).expect(0).stdout;
    assert!(told.contains("PUBLISHED") && told.contains("active"), "{told}");
    home.orchctl(&["describe", "llm", "local"])
        .expect(0)
        .saying(&["active", "admin"]);
}

#[test]
fn a_task_carries_what_the_model_needs_and_nothing_else() {
    let home = Home::new().started();
    let publisher = Raw::register(&home, &[offer("local", &json!({"extra": {"seed": 7}}))]);
    let mut stream = publisher.listen();
    let request = home
        .http("POST", "/v1/chat/completions")
        .json(&chat("local"))
        .header("Cookie", "a=b");
    let asking = std::thread::spawn(move || request.send());
    let task = told(&mut stream, "task");
    assert_eq!(
        (&task["llm"], &task["path"]),
        (&json!("local"), &json!("/v1/chat/completions"))
    );
    let body: Value = serde_json::from_str(task["body"].as_str().expect("a text")).expect("JSON");
    assert_eq!((&body["model"], &body["seed"]), (&json!("m"), &json!(7)));
    assert!(
        !task.to_string().contains(&home.token()) && !task.to_string().to_lowercase().contains("cookie"),
        "{task}"
    );

    // Only the session that was given the task answers it, once, and in its form.
    let id = task["id"].as_str().expect("an id");
    let head = json!({"status": 200, "headers": {"content-type": "application/json", "set-cookie": "a=b"}});
    let other = Raw::register(&home, &[offer("other", &json!({}))]);
    assert_eq!(other.answer(id, &head, "{}").status, 404);
    let mut stranger = Raw::register(&home, &[offer("strange", &json!({}))]);
    stranger.session = "pub_nobody".to_owned();
    assert_eq!(stranger.answer(id, &head, "{}").status, 404);
    let said = json!({"choices": [{"message": {"role": "assistant", "content": "here"}}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}});
    assert_eq!(publisher.answer(id, &head, &said.to_string()).status, 204);
    assert_eq!(publisher.answer(id, &head, &said.to_string()).status, 404);
    let answer = asking.join().expect("an answer").expect(200);
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "here");
    assert_eq!(answer.header("set-cookie"), None);

    // What is no answer is told to both.
    for (head, status, says) in [
        ("what", 400, "gave no answer that can be read"),
        ("{\"status\": 99}", 400, "a status that there is not"),
        ("{\"error\": \"it has crashed\"}", 204, "it has crashed"),
    ] {
        let request = home.http("POST", "/v1/chat/completions").json(&chat("local"));
        let asking = std::thread::spawn(move || request.send());
        let task = told(&mut stream, "task");
        let path = format!("/tasks/{}", task["id"].as_str().expect("an id"));
        let answered = publisher.request("POST", &path).body(head.as_bytes().to_vec()).send();
        assert_eq!(answered.status, status, "{head}: {}", answered.body);
        let answer = asking.join().expect("an answer").expect(503);
        assert_eq!(
            answer.json()["error"]["code"],
            "provider_unreachable",
            "{}",
            answer.body
        );
        assert!(answer.body.contains(says), "{head}: {}", answer.body);
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(state(&home, "llms/local"), "active");
}

#[test]
fn nothing_goes_on_for_a_client_that_is_gone() {
    let (home, far) = (Home::new().started(), local_model());
    let _slow = Publisher::of_model(&home, "slow", &far, "chunks.10000.slow.20", &[]);
    let _late = Publisher::of_model(&home, "late", &far, "late.60000", &[]);
    let mut stream = home
        .http("POST", "/v1/chat/completions")
        .json(&streamed(chat("slow")))
        .stream();
    assert_eq!(stream.status, 200);
    stream.line().expect("a line");
    let late = home.http("POST", "/v1/chat/completions").json(&chat("late")).leave();
    eventually("both are under way", || seen(&far)["underWay"] == 2);
    drop((stream, late));
    eventually("the model works for nobody", || seen(&far)["underWay"] == 0);
}

#[test]
fn a_publisher_that_does_not_read_is_not_told_of_what_was_taken_back() {
    let home = Home::new().started();
    let publisher = Raw::register(&home, &[offer("local", &json!({}))]);
    let mut stream = publisher.listen();
    let saying = |text: &str| {
        let body = json!({"model": "local", "messages": [{"role": "user", "content": text}]});
        home.http("POST", "/v1/chat/completions").json(&body)
    };
    // More than a connection takes: the others wait behind it, and go.
    stream.event().expect("what hello says");
    let large = saying(&"x".repeat(24 << 20)).leave();
    assert_eq!(stream.line().as_deref(), Some("event: task"));
    let gone: Vec<_> = (0..5).map(|number| saying(&format!("gone {number}")).leave()).collect();
    std::thread::sleep(std::time::Duration::from_millis(500));
    drop(gone);
    eventually("they have gone", || {
        let rows = home.get("audit?limit=1000&kind=llm_inference_call");
        rows["items"].as_array().map(Vec::len) == Some(5)
    });
    let last = saying("the last one").leave();
    let first = stream.event().expect("data").1.to_string();
    assert!(first.len() > 24 << 20 && first.contains("xxx"), "{}", first.len());
    // One may have been on its way already. It is cancelled; of the others there is no word.
    let (mut begun, mut cancelled) = (Vec::new(), Vec::new());
    loop {
        let event = stream.line().expect("the stream goes on");
        let data = stream.event().expect("data").1;
        match event.as_str() {
            "event: task" if data["body"].as_str().is_some_and(|body| body.contains("the last one")) => break,
            "event: task" => begun.push(data["id"].clone()),
            "event: cancel" => cancelled.push(data["id"].clone()),
            other => panic!("{other}"),
        }
    }
    assert!(begun.len() <= 1, "{begun:?}");
    assert_eq!(begun, cancelled);
    drop((large, last));
}

#[test]
fn what_a_model_says_itself_is_passed_on_and_what_breaks_off_says_so() {
    let (home, far) = (Home::new().started(), local_model());
    let _bad = Publisher::of_model(&home, "bad", &far, "status.400", &[]);
    let _locked = Publisher::of_model(&home, "locked", &far, "status.401", &[]);
    let _echo = Publisher::of_model(&home, "echo", &far, "status.422.echo", &[]);
    let _late = Publisher::of_model(&home, "late", &far, "late-error", &[]);
    let _down = Publisher::of_model(&home, "down", &far, "status.503", &[]);
    let _cut = Publisher::of_model(&home, "cut", &far, "break.3.slow.20", &[]);
    let _claude = Publisher::of_model(&home, "claude", &far, "chunks.2.claude", &["--provider", "anthropic"]);
    let refused = ask(&home, &chat("bad")).expect(400).json();
    assert_eq!(
        refused["error"]["message"], "this model answers 400 Bad Request",
        "{refused}"
    );
    // What is said of the publisher's key is for nobody else, and no client takes it for its own.
    let refused = ask(&home, &chat("locked")).expect(502);
    assert!(!refused.body.contains("this model answers"), "{}", refused.body);
    // Nor is the key itself told to anybody where a model repeats it, whatever it answers.
    let refused = ask(&home, &chat("echo")).expect(422);
    assert!(
        refused.body.contains("to the key ***") && !refused.body.contains(KEY),
        "{}",
        refused.body
    );
    let answer = ask(&home, &streamed(chat("late"))).expect(200);
    assert!(
        answer.body.contains("the key ***") && !answer.body.contains(KEY),
        "{}",
        answer.body
    );
    // It is asked once more, like any other.
    ask(&home, &chat("down")).expect(502);
    assert_eq!(seen(&far)["asked"]["status.503"], 2);
    let answer = ask(&home, &streamed(chat("cut"))).expect(200);
    assert!(
        !answer.body.contains("[DONE]") && answer.body.contains("\"error\""),
        "{}",
        answer.body
    );
    // In another's words on both sides.
    let answer = ask(&home, &chat("claude")).expect(200).json();
    assert_eq!(answer["choices"][0]["message"]["content"], "All is ", "{answer}");
    let answer = ask(&home, &streamed(chat("claude"))).expect(200);
    assert!(answer.body.contains("[DONE]"), "{}", answer.body);
}
