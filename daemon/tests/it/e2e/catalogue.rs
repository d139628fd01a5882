//! Templates: those that every daemon brings along, and Servers made from one on the command line.

use orch_daemon::catalogue;
use orch_shared::manifest::to_yaml;
use orch_shared::{seeded, system};
use serde_json::{Value, json};

use super::manifest;
use crate::support::daemon::{Home, eventually, on_each_database};

on_each_database!(
    what_is_brought_along_is_the_users_to_keep,
    servers_are_made_from_templates
);

fn generation(home: &Home, name: &str) -> i64 {
    let template = home.get(&format!("templates/{name}"));
    template["status"]["generation"].as_i64().expect("a number")
}

/// The names of the templates that are there.
fn names(home: &Home) -> Vec<String> {
    let items = home.get("templates")["items"].as_array().cloned().unwrap_or_default();
    let name = |item: &Value| item["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    items.iter().map(name).collect()
}

fn what_is_brought_along_is_the_users_to_keep(home: Home) {
    let mut home = home.started();
    let ours = catalogue::objects();
    assert!(ours.len() >= 12);
    assert_eq!(names(&home).len(), ours.len());
    eventually("they are ready", || {
        home.get("templates/git")["status"]["phase"] == "Ready"
    });
    home.orchctl(&["history", "template/git"])
        .expect(0)
        .saying(&["seed", "orchd"]);

    // The Templates, and the place in the daemon's own store where values of Secrets live.
    // What nobody has touched is no part of what is kept elsewhere, and applied again it is no change.
    let export = home.orchctl(&["get", "all", "-A", "-o", "yaml"]).expect(0).stdout;
    assert_eq!(export, "", "a daemon to which nothing was said has nothing to keep");
    let whole = home
        .orchctl(&["get", "all", "-A", "-o", "yaml", "--with-seeded"])
        .expect(0)
        .stdout;
    let all = ours.len() + system::objects().len() + 3;
    home.apply(&whole).saying(&[&format!("0 changed, {all} unchanged")]);

    // One is changed, one is deleted, and one is as an older daemon would have brought it.
    let mut changed = home.get("templates/git");
    changed["spec"]["description"] = json!("ours");
    home.apply(&changed.to_string());
    home.orchctl(&["delete", "template", "time"]).expect(0);
    let mut older = ours
        .iter()
        .find(|one| one.metadata.name.as_str() == "fetch")
        .expect("an entry")
        .manifest();
    older["spec"]["description"] = json!("as it was");
    older["metadata"] = json!({"name": "fetch"});
    let mut older = orch_shared::manifest::resource(&older).expect("a template");
    seeded::mark(&mut older);
    home.apply(&to_yaml(&older.manifest()));
    let before = names(&home);
    home.stop();
    home.start();
    assert_eq!(
        names(&home),
        before,
        "what was deleted stays away, and nothing else went"
    );
    assert_eq!(home.get("templates/git")["spec"]["description"], "ours");
    assert_ne!(home.get("templates/fetch")["spec"]["description"], "as it was");
    assert_eq!(
        [
            generation(&home, "git"),
            generation(&home, "fetch"),
            generation(&home, "memory")
        ],
        [2, 3, 1]
    );

    // What is changed is the user's, and is kept; what was deleted can be had again.
    let export = home.orchctl(&["get", "all", "-A", "-o", "yaml"]).expect(0).stdout;
    assert!(export.contains("name: git\n") && !export.contains("---"), "{export}");
    let again = home.orchd_alone(&["catalogue", "time"]).expect(0).stdout;
    home.apply(&again).saying(&["template/time", "created"]);
    home.orchd_alone(&["catalogue", "tiem"])
        .expect(1)
        .saying(&["`tiem`", "time"]);
    let revision = home.get("status")["revision"].clone();
    home.stop();
    home.start();
    assert_eq!(names(&home).len(), ours.len());
    eventually("all is as it was", || {
        home.get("templates/time")["status"]["phase"] == "Ready"
    });
    assert!(home.get("status")["revision"].as_i64() >= revision.as_i64());
    assert_eq!(generation(&home, "time"), 1);
}

fn servers_are_made_from_templates(home: Home) {
    let home = home.started();
    let template = json!({
        "description": "Says something",
        "parameters": [
            {"name": "greeting", "description": "What to say", "required": true},
            {"name": "number", "type": "integer", "default": 3},
            {"name": "mood", "choices": ["good", "bad"], "default": "good"},
            {"name": "token", "secret": true, "required": false},
        ],
        "server": {
            "command": ["orch-fixture", "--say", "${greeting} ${number} ${mood}"],
            "env": [{"name": "TOKEN", "value": "${token}"}],
        },
    });
    home.apply(&manifest("Template", "greeter", &template));
    home.apply(&manifest(
        "Secret",
        "keys",
        &json!({"data": {"token": "hush-hush-hush"}}),
    ));
    home.orchctl(&["get", "template", "greeter"])
        .expect(0)
        .saying(&["4", "Says something"]);
    home.orchctl(&["describe", "template", "greeter"]).expect(0).saying(&[
        "NAME       TYPE      REQUIRED   DEFAULT   CHOICES    SECRET   DESCRIPTION",
        "greeting   string    true       -         -          false    What to say",
        "number     integer   false      3         -          false    -",
        "mood       string    false      good      good,bad   false    -",
        "token      string    false      -         -          true     -",
    ]);

    let create = |more: &[&str]| {
        let base = ["create", "server", "hello", "--from-template", "greeter"];
        home.orchctl(&[&base, more].concat())
    };
    for (flags, texts) in [
        (&[][..], &["the parameter `greeting` is required", "What to say"][..]),
        (
            &["--param", "greeting=hi", "--param", "nubmer=4"],
            &[
                "no parameter `nubmer`",
                "did you mean `number`?",
                "greeting, number, mood, token",
            ],
        ),
        (
            &["--param", "greeting=hi", "--param", "number=four"],
            &["`number` is a whole number"],
        ),
        (
            &["--param", "greeting=hi", "--param", "mood=odd"],
            &["`mood` is one of good, bad"],
        ),
        (
            &["--param", "greeting=hi", "--param", "token=x"],
            &["`token` is a secret"],
        ),
    ] {
        for place in [&[][..], &["--dry-run=server"], &["--dry-run=client"]] {
            create(&[flags, place].concat()).expect(2).saying(texts);
        }
    }
    home.orchctl(&[
        "create",
        "server",
        "hello",
        "--from-template",
        "greetr",
        "--param",
        "a=b",
    ])
    .expect(1)
    .saying(&["template `greetr` does not exist", "did you mean `greeter`?"]);

    // What looks like a number is text where the template wants text.
    let flags = [
        "--param",
        "greeting=42",
        "--param",
        "number=7",
        "--param-secret",
        "token=keys/token",
    ];
    let shown = create(&[&flags[..], &["--dry-run=client", "-o", "yaml"]].concat()).expect(0);
    shown.saying(&["greeting: \"42\"", "number: 7", "secretRef:"]);
    create(&flags).expect(0).saying(&["server/hello   created"]);
    home.until_ready(&["server/hello"]);
    eventually("it says what it was told to", || {
        home.orchctl(&["logs", "hello"]).stdout.contains("42 7 good")
    });
    home.orchctl(&["delete", "template", "greeter"])
        .expect(4)
        .saying(&["template/greeter is used by server/hello"]);

    // One that comes from elsewhere.
    let document = json!({
        "name": "com.acme/mcp", "description": "Acme", "version": "1.2.0",
        "packages": [{
            "registryType": "npm", "identifier": "@acme/mcp", "version": "1.2.0", "transport": {"type": "stdio"},
            "environmentVariables": [{"name": "ACME_KEY", "isRequired": true, "isSecret": true}],
        }],
    });
    home.orchctl_reading(
        &document.to_string(),
        &["create", "template", "acme", "--from-server-json", "-"],
    )
    .expect(0)
    .saying(&["template/acme   created"]);
    home.apply(&server_with_template(
        "mine",
        "acme",
        &json!({"ACME_KEY": {"secretRef": {"name": "keys", "key": "token"}}}),
    ));
    eventually("it is told what comes of it", || {
        let described = home.orchctl(&["describe", "server", "mine"]).expect(0);
        described.stdout.contains("npm @acme/mcp 1.2.0")
    });
}

/// A Server that is made from a Template and not run.
fn server_with_template(name: &str, template: &str, parameters: &Value) -> String {
    manifest(
        "Server",
        name,
        &json!({"template": {"name": template, "parameters": parameters}, "replicas": 0}),
    )
}
