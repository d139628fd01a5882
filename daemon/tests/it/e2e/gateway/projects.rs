//! What a project brings along itself, and what it makes of several servers: prompts, resources, templates, completion,
//! instructions, and long results in pages.

use serde_json::{Value, json};

use super::{manifest, raw};
use crate::support::client::{Client, ERAS, Era, LEGACY, abilities, text_of};
use crate::support::daemon::Home;

const PATH: &str = "/mcp/projects/shop";

/// A project of two servers with resources of their own, instructions and prompts.
fn shop(pages: &Value) -> Home {
    let home = Home::new().started();
    let mut manifests = raw("raw", &[]) + &manifest("Server", "other", &json!({"command": ["orch-conformance"]}));
    let spec = json!({"servers": ["raw", "other"], "instructions": "Count twice.", "pages": pages});
    manifests += &manifest("Project", "shop", &spec);
    for (name, spec) in [
        (
            "manners",
            json!({"content": "Be kind.", "summary": "How to behave.", "priority": 10}),
        ),
        (
            "rules",
            json!({"content": "Read this first:", "link": "shop/other:test://static-text", "priority": 90}),
        ),
    ] {
        manifests += &manifest("Prompt", name, &spec).replace(
            &format!("{{name: {name}}}"),
            &format!("{{name: {name}, project: shop}}"),
        );
    }
    home.apply(&manifests);
    home.until_ready(&["server/raw", "server/other"]);
    home
}

#[test]
fn instructions_reach_the_client() {
    let home = shop(&json!({}));
    let (_, hello) = Client::greeted(&home, PATH, LEGACY, &abilities());
    assert_eq!(hello["instructions"], "Count twice.");
    let discovered = Client::begin(&home, Era::Modern, PATH).result("server/discover", json!({}));
    assert_eq!(discovered["instructions"], "Count twice.");
}

#[test]
fn prompts_of_the_project_and_of_its_servers() {
    let home = shop(&json!({}));
    for era in ERAS {
        let client = Client::begin(&home, era, PATH);
        let names = client.names("prompts/list");
        assert_eq!(names[..3], ["rules", "manners", "raw__echo"], "{era:?}");
        assert!(
            names.contains(&"other__test_simple_prompt".to_owned()),
            "{era:?}: {names:?}"
        );
        let text = |name: &str| {
            let result = client.result("prompts/get", json!({"name": name}));
            result["messages"][0]["content"]["text"]
                .as_str()
                .expect("a text")
                .to_owned()
        };
        assert_eq!(text("manners"), "Be kind.");
        let linked = text("rules");
        assert!(
            linked.starts_with("Read this first:\n\n") && linked.len() > 30,
            "{era:?}: {linked}"
        );
        assert!(
            text("raw__echo").contains(r#""name":"echo""#),
            "{era:?}: the server's own name"
        );
        let resources = client.names("resources/list");
        assert!(
            resources.contains(&"orch://prompts/manners".to_owned()),
            "{era:?}: {resources:?}"
        );
        let read = client.result("resources/read", json!({"uri": "orch://prompts/manners"}));
        assert_eq!(read["contents"][0]["text"], "Be kind.", "{era:?}");
        let unknown = client.ask("prompts/get", json!({"name": "nobody"}));
        assert_eq!(unknown.answer["error"]["code"], -32602, "{era:?}: {unknown:?}");
    }
}

/// A prompt of neither project nor agent is in every project, unless that has one of the same name; one of another project, or of an
/// agent, is in none. They come in order of priority, then of their names.
#[test]
fn prompts_of_everybody_are_offered_everywhere() {
    let home = shop(&json!({}));
    let prompt = |name: &str, place: &str, spec: &Value| {
        let marked = format!("{{name: {name}{place}}}");
        manifest("Prompt", name, spec).replace(&format!("{{name: {name}}}"), &marked)
    };
    let agent = manifest(
        "Llm",
        "demo",
        &json!({"provider": "scripted", "model": "demo", "script": [{"text": "hi"}]}),
    ) + &manifest("Agent", "reviewer", &json!({"llm": "demo"}));
    let manifests = agent
        + &manifest("Project", "empty", &json!({}))
        + &prompt("manners", "", &json!({"content": "Anybody's.", "priority": 95}))
        + &prompt("beta", "", &json!({"content": "b", "priority": 20}))
        + &prompt("alpha", "", &json!({"content": "a", "priority": 20}))
        + &prompt("private", ", agent: reviewer", &json!({"content": "p"}))
        + &prompt("elsewhere", ", project: empty", &json!({"content": "e"}));
    home.apply(&manifests);
    for era in ERAS {
        let client = Client::begin(&home, era, PATH);
        let names = client.names("prompts/list");
        assert_eq!(names[..4], ["rules", "alpha", "beta", "manners"], "{era:?}");
        let manners = client.result("prompts/get", json!({"name": "manners"}));
        assert_eq!(
            manners["messages"][0]["content"]["text"], "Be kind.",
            "{era:?}: the project's own"
        );
        let empty = Client::begin(&home, era, "/mcp/projects/empty");
        assert_eq!(
            empty.names("prompts/list"),
            ["manners", "elsewhere", "alpha", "beta"],
            "{era:?}"
        );
    }
}

#[test]
fn resources_and_templates_of_two_servers() {
    let home = shop(&json!({}));
    for era in ERAS {
        let client = Client::begin(&home, era, PATH);
        let resources = client.names("resources/list");
        for uri in ["raw://echo", "test://static-text"] {
            assert!(resources.contains(&uri.to_owned()), "{era:?}: {resources:?}");
        }
        let templates = client.names("resources/templates/list");
        assert_eq!(templates, ["raw://{name}", "test://template/{id}/data"], "{era:?}");
        for (uri, said) in [
            ("raw://echo", "resources/read"),
            ("raw://anything/at/all", "resources/read"),
            ("test://static-text", ""),
            ("test://template/7/data", "7"),
        ] {
            let read = client.result("resources/read", json!({"uri": uri}));
            assert_eq!(read["contents"][0]["uri"], uri, "{era:?}: {read}");
            assert!(
                read["contents"][0]["text"]
                    .as_str()
                    .is_some_and(|text| text.contains(said)),
                "{era:?}: {read}"
            );
        }
        let missing = client.ask("resources/read", json!({"uri": "nobody://knows"}));
        let code = match era {
            Era::Legacy => -32002,
            Era::Modern => -32602,
        };
        assert_eq!(missing.answer["error"]["code"], code, "{era:?}: {missing:?}");
    }
}

#[test]
fn completion_finds_its_server() {
    let home = shop(&json!({}));
    for era in ERAS {
        let client = Client::begin(&home, era, PATH);
        let complete = |reference: Value| {
            let params = json!({"ref": reference, "argument": {"name": "name", "value": "r"}});
            client.ask("completion/complete", params)
        };
        for reference in [
            json!({"type": "ref/prompt", "name": "raw__echo"}),
            json!({"type": "ref/resource", "uri": "raw://{name}"}),
        ] {
            let told = complete(reference);
            assert_eq!(
                told.answer["result"]["completion"]["values"],
                json!(["raw"]),
                "{era:?}: {told:?}"
            );
        }
        let own = complete(json!({"type": "ref/prompt", "name": "manners"}));
        assert_eq!(
            own.answer["result"]["completion"]["values"],
            json!([]),
            "{era:?}: {own:?}"
        );
        let unknown = complete(json!({"type": "ref/prompt", "name": "nobody"}));
        assert_eq!(unknown.answer["error"]["code"], -32602, "{era:?}: {unknown:?}");
    }
}

/// A long text comes in pages, all of it; one that is short, and where nobody wants pages, as it is.
#[test]
fn long_results_come_in_pages() {
    let home = shop(&json!({"size": "1Ki"}));
    for era in ERAS {
        let client = Client::begin(&home, era, PATH);
        assert!(
            client.names("tools/list").contains(&"orch_read_page".to_owned()),
            "{era:?}"
        );
        assert_eq!(client.said("raw__big", json!({"bytes": 1024})).len(), 1024, "{era:?}");
        let first = client.call("raw__big", json!({"bytes": 5000}));
        let mut all = text_of(&first);
        let footer = first["content"][1]["text"].as_str().expect("what to call").to_owned();
        assert!(
            footer.contains("Page 1 of 5") && footer.contains("orch_read_page"),
            "{era:?}: {footer}"
        );
        assert_eq!(
            first["content"][0]["x-vendor"]["nested"][1]["deep"], true,
            "{era:?}: all else stays"
        );
        let id = footer.split('"').nth(3).expect("an id").to_owned();
        for page in 2..=5 {
            let next = client.call("orch_read_page", json!({"id": id, "page": page}));
            all += &text_of(&next);
        }
        assert_eq!(all, "x".repeat(5000), "{era:?}");
        let none = client.call("orch_read_page", json!({"id": id, "page": 6}));
        assert_eq!(none["isError"], true, "{era:?}: {none}");
        // What has a schema stays whole.
        let stats = client.call("raw__stats", json!({}));
        assert!(stats["structuredContent"].is_object(), "{era:?}");
        // At its own address, a server's results are its own.
        let single = Client::begin(&home, era, "/mcp/servers/raw");
        assert_eq!(single.said("big", json!({"bytes": 5000})).len(), 5000, "{era:?}");
        assert!(
            !single.names("tools/list").contains(&"orch_read_page".to_owned()),
            "{era:?}"
        );
    }
    let whole = shop(&json!({"size": "0"}));
    let client = Client::begin(&whole, Era::Modern, PATH);
    assert_eq!(client.said("raw__big", json!({"bytes": 500_000})).len(), 500_000);
}
