//! Who may publish what, and what may be done with what is published.

use serde_json::json;

use super::{Publisher, Raw, ask, chat, local_model, machine, offer, state, until};
use crate::e2e::manifest;
use crate::support::daemon::Home;

#[test]
fn what_is_declared_and_what_is_published_do_not_take_each_others_names() {
    let (home, far) = (Home::new().started(), local_model());
    let scripted = |text: &str| json!({"provider": "scripted", "model": "none", "script": [{"text": text}]});
    home.apply(&manifest("Llm", "declared", &scripted("a")));
    let _publisher = Publisher::of_model(&home, "local", &far, "plain", &[]);

    // A publisher finds a name that is declared, or published by another session.
    for name in ["declared", "local"] {
        let refused = Raw::try_register(&home, &home.token(), None, &[offer(name, &json!({}))]).expect(409);
        assert_eq!(refused.code(), "ORCH3024", "{}", refused.body);
        let mut second = Publisher::start(&home, &["llm", name, "--url", &far.url(""), "--description", "another"]);
        // The same command on the same machine is told at once, the other one by the daemon.
        let code = second.code();
        assert!([1, 4].contains(&code), "{code} {}", second.said());
    }
    // All of an offer, or nothing.
    let both = [offer("fresh", &json!({})), offer("declared", &json!({}))];
    Raw::try_register(&home, &home.token(), None, &both).expect(409);
    assert_eq!(state(&home, "llms/fresh"), "absent");
    // What is no model, or does not say that it is published, is not offered.
    let mut plain = offer("fresh", &json!({}));
    plain["manifest"]["spec"]["published"] = json!(false);
    Raw::try_register(&home, &home.token(), None, &[plain]).expect(422);
    let mut server = offer("fresh", &json!({}));
    server["manifest"] =
        json!({"apiVersion": "orchctl.dev/v1", "kind": "Prompt", "metadata": {"name": "p"}, "spec": {"content": "x"}});
    Raw::try_register(&home, &home.token(), None, &[server]).expect(422);
    Raw::try_register(&home, &home.token(), None, &[]).expect(400);

    // Its exported form is unchanged, in a set or not, and a set does not take it along.
    let exported = home.orchctl(&["get", "llm", "local", "-o", "yaml"]).expect(0).stdout;
    assert!(exported.contains("published: true"), "{exported}");
    home.orchctl_reading(&exported, &["apply", "-f", "-"])
        .expect(0)
        .saying(&["unchanged"]);
    let again = home.orchctl(&["get", "llm", "local", "-o", "yaml"]).expect(0).stdout;
    assert_eq!(exported, again);
    home.orchctl_reading(&exported, &["apply", "-f", "-", "--set", "team"])
        .expect(0)
        .saying(&["unchanged"]);
    home.orchctl_reading(
        &manifest("Prompt", "tone", &json!({"content": "x"})),
        &["apply", "-f", "-", "--set", "team", "--prune"],
    )
    .expect(0);
    assert_eq!(state(&home, "llms/local"), "active");

    // Whatever else is declared of it is refused, whichever way.
    let refused = |answer: crate::support::http::Answer| assert_eq!(answer.expect(409).code(), "ORCH3024");
    let apply = |object: &str| home.orchctl_reading(object, &["apply", "-f", "-"]);
    apply(&manifest("Llm", "local", &scripted("mine")))
        .expect(4)
        .saying(&["published by a client"]);
    apply(&exported.replace("model: plain", "model: other")).expect(4);
    refused(
        home.http("PATCH", "/api/v1/llms/local")
            .json(&json!({"spec": {"description": "x"}}))
            .send(),
    );
    let create =
        json!({"apiVersion": "orchctl.dev/v1", "kind": "Llm", "metadata": {"name": "local"}, "spec": scripted("x")});
    assert_eq!(home.http("POST", "/api/v1/llms").json(&create).send().status, 409);
    // And nothing is declared to be published that nobody publishes.
    apply(&exported.replace("name: local", "name: nobody"))
        .expect(4)
        .saying(&["orchctl provide"]);
    assert_eq!(state(&home, "llms/nobody"), "absent");

    // Whoever may delete it ends it, and its publisher is told.
    home.orchctl(&["delete", "llm", "local"]).expect(0);
    assert_eq!(state(&home, "llms/local"), "absent");
}

#[test]
fn publishing_takes_a_role_and_what_was_published_is_kept_for_its_owner() {
    let (home, far) = (Home::new().started(), local_model());
    let may = |roles: &[&str]| json!([{"roles": roles, "resources": ["llms"], "names": ["local"]}]);
    let owner = machine(&home, "owner", &may(&["view", "create", "edit", "run"]));
    let rival = machine(
        &home,
        "rival",
        &json!([{"roles": ["view", "create", "edit", "run", "delete"], "resources": ["llms"]}]),
    );
    let viewer = machine(&home, "viewer", &may(&["view"]));
    let url = far.url("");
    let arguments = [
        "llm",
        "local",
        "--url",
        &url,
        "--model",
        "plain",
        "--api-key-env",
        "LOCAL_KEY",
    ];

    let mut refused = Publisher::start_as(&home, &viewer, &arguments);
    assert_eq!(refused.code(), 5, "{}", refused.said());
    assert!(
        refused.said().contains("may not create llm/local"),
        "{}",
        refused.said()
    );
    let mut unknown = Publisher::start_as(&home, &format!("orch_{}", "0".repeat(64)), &arguments);
    assert_eq!(unknown.code(), 5, "{}", unknown.said());

    let publisher = Publisher::start_as(&home, &owner, &arguments);
    until(&home, "llms/local", "active");
    assert_eq!(
        home.get("llms/local")["status"]["publication"]["publisher"],
        "serviceaccount/owner"
    );
    Raw::try_register(&home, &rival, None, &[offer("local", &json!({}))]).expect(409);
    publisher.kill();
    until(&home, "llms/local", "inactive");
    let refused = Raw::try_register(&home, &rival, None, &[offer("local", &json!({}))]).expect(409);
    assert!(refused.body.contains("kept for them"), "{}", refused.body);
    // What is away is said to be away.
    let answer = ask(&home, &chat("local")).expect(503);
    assert!(
        answer
            .body
            .contains("its publisher, serviceaccount/owner, is away since"),
        "{}",
        answer.body
    );
    assert_eq!(answer.json()["error"]["code"], "provider_unreachable");
    let told = home.orchctl(&["get", "llms", "-o", "wide"]).expect(0).stdout;
    assert!(told.contains("inactive") && told.contains("is away"), "{told}");

    // Its owner takes it up again with another session: from another machine, say.
    let adopted = Raw::try_register(&home, &owner, None, &[offer("local", &json!({"model": "plain"}))]).expect(200);
    assert_eq!(adopted.json()["objects"][0]["verdict"], "unchanged", "{}", adopted.body);
    // Nobody goes on with the session of somebody else.
    let session = adopted.json()["session"].as_str().expect("a session").to_owned();
    Raw::try_register(&home, &rival, Some(&session), &[offer("mine", &json!({}))]).expect(404);
    let stolen = home.http("POST", "/api/v1/publishers/heartbeat").token(&rival);
    stolen
        .header("X-Orch-Publisher", &session)
        .json(&json!({}))
        .send()
        .expect(404);
}

#[test]
fn an_address_that_is_none_is_named_by_its_flag() {
    let home = Home::new().started();
    for (url, why) in [
        ("ftp://127.0.0.1:1", "(--url"),
        ("http://", "(--url"),
        ("http://user:secret@host", "(--url"),
        (
            "http://127.0.0.1:99999",
            ": 99999 is no port, which is a number from 1 to 65535",
        ),
    ] {
        let mut refused = Publisher::start(&home, &["llm", "local", "--url", url, "--model", "m"]);
        assert_eq!(refused.code(), 2, "{}", refused.said());
        let said = refused.said();
        assert!(
            said.contains("is not the address of a model (--url") && said.contains(why) && !said.contains("daemon"),
            "{said}"
        );
    }
}

#[test]
fn a_credential_that_is_revoked_publishes_nothing_any_more() {
    let home = Home::new().with(&["--publisher-ping", "1s"]).started();
    let far = local_model();
    let token = machine(
        &home,
        "owner",
        &json!([{"roles": ["view", "create"], "resources": ["llms"]}]),
    );
    let url = far.url("");
    let arguments = [
        "llm",
        "local",
        "--url",
        &url,
        "--model",
        "late.60000",
        "--api-key-env",
        "LOCAL_KEY",
    ];
    let mut publisher = Publisher::start_as(&home, &token, &arguments);
    until(&home, "llms/local", "active");
    let request = home.http("POST", "/v1/chat/completions").json(&chat("local"));
    let asking = std::thread::spawn(move || request.send());
    crate::support::daemon::eventually("it is under way", || super::seen(&far)["underWay"] == 1);
    home.http("POST", "/api/v1/tokens/owner/revoke")
        .json(&json!({}))
        .send()
        .expect(200);
    asking.join().expect("an answer").expect(503);
    until(&home, "llms/local", "inactive");
    assert_eq!(publisher.code(), 5, "{}", publisher.said());
}
