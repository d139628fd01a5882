//! What is granted: bindings from flags, in words, in lists, and in answers to questions about it.

use serde_json::{Value, json};

use super::{PASSWORD, Person, credential, grant};
use crate::e2e::{manifest, server_with};
use crate::support::daemon::Home;
use crate::support::database;

#[test]
fn questions_about_rights_are_answered() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"replicas": 0})));
    let ann = Person::logged_in(&home, "ann");
    grant(&home, "ann", "view", "servers");
    let made = [
        "create",
        "rolebinding",
        "ann-run",
        "--user",
        "ann",
        "--role",
        "run",
        "--resource",
        "server",
        "--name",
        "files",
        "--tool",
        "read_*",
        "--operation",
        "logs",
    ];
    home.orchctl(&made).expect(0);
    for (question, answer) in [
        (&["view", "servers"][..], 0),
        (&["get", "server/files"], 0),
        (&["view", "server", "files"], 0),
        (&["edit", "server/files"], 1),
        (&["run", "server/files", "--tool", "read_file"], 0),
        (&["run", "server/files", "--tool", "write_file"], 1),
        (&["create", "secrets"], 1),
        (&["logs"], 0),
        (&["backup"], 1),
    ] {
        let asked = [&["auth", "can-i"], question].concat();
        let word = ["yes\n", "no\n"][usize::from(answer == 1)];
        assert_eq!(ann.run(&asked).expect(answer).stdout, word, "{question:?}");
        let quiet = ann.run(&[&asked[..], &["-q"]].concat()).expect(answer);
        assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
        // The admin may ask in ann's place, and is told the same.
        let in_place = home.orchctl(&[&asked[..], &["--as", "ann"]].concat());
        assert_eq!(in_place.expect(answer).stdout, word, "{question:?}");
    }
    // What is no answer does not look like one.
    ann.run(&["auth", "can-i", "veiw", "servers"])
        .expect(2)
        .saying(&["did you mean `view`?"]);
    ann.run(&["auth", "can-i", "logs", "server/files"]).expect(2);
    ann.run(&["auth", "can-i", "view"]).expect(2);
    ann.run(&["auth", "can-i", "view", "servers", "--as", "admin"])
        .expect(5)
        .saying(&["impersonate"]);
    home.orchctl(&["get", "servers", "--as", "nobody"])
        .expect(3)
        .saying(&["nobody"]);
    home.orchctl(&["delete", "server", "files", "--as", "ann"]).expect(5);

    ann.run(&["auth", "can-i", "--list"]).expect(0).saying(&[
        "MAY",
        "rolebinding/ann-run",
        "read_*",
        "server/files",
        "the daemon",
    ]);
    let why = ann
        .run(&["auth", "why", "run", "server/files", "--tool", "read_file"])
        .expect(0);
    let why = why.saying(&["ann may run server/files", "What ann was granted: rolebinding/ann-run"]);
    assert_eq!(why.stderr, "");
    let told = ann.run(&["auth", "why", "edit", "server/files"]).expect(0);
    let told = told.saying(&["ann may not edit server/files", "nothing in it allows that"]);
    // What it says would help does.
    let advice = told
        .stderr
        .trim()
        .strip_prefix("what would grant it: orchctl ")
        .expect("advice")
        .to_owned();
    let advice = advice.replace("NAME", "ann-edit");
    home.orchctl(&advice.split(' ').collect::<Vec<_>>()).expect(0);
    ann.run(&["auth", "can-i", "edit", "server/files"]).expect(0);
    // A token is bounded twice, and both are told.
    grant(&home, "ann", "view", "tokens");
    grant(&home, "ann", "create", "tokens");
    let token = credential(
        &ann.run(&["create", "token", "small", "--bind", "role:view,resource:servers"])
            .expect(0),
    );
    let small = Person::showing(&home, "small", &token);
    small.run(&["auth", "why", "edit", "server/files"]).expect(0).saying(&[
        "What ann was granted: rolebinding/ann-edit",
        "What token/small was given: nothing",
    ]);
    small
        .run(&["whoami"])
        .expect(0)
        .saying(&["what all of these allow", "token/small"]);
}

#[test]
fn bindings_are_made_from_flags_and_described_in_words() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"replicas": 0})));
    home.apply(&manifest("Project", "web", &json!({"servers": ["files"]})));
    for made in [
        &["create", "user", "ann", "--display-name", "Ann"][..],
        &["create", "serviceaccount", "ci"],
        &["create", "group", "devs", "--users", "ann", "--service-accounts", "ci"],
    ] {
        home.orchctl(made).expect(0);
    }
    home.orchctl(&["create", "token", "x"]).expect(0);
    let made = [
        "create",
        "rolebinding",
        "devs",
        "--group",
        "devs",
        "--token",
        "x",
        "--role",
        "view",
        "--role",
        "run",
        "--resource",
        "server",
        "--name",
        "files",
        "--selector",
        "team=core",
        "-p",
        "web",
        "--tool",
        "read_*",
        "--bind",
        "role:view,resource:projects,name:web",
        "--operation",
        "logs",
    ];
    home.orchctl(&made).expect(0);
    let spec = home.get("rolebindings/devs")["spec"].clone();
    let expected = json!({
        "subjects": [{"kind": "Group", "name": "devs"}, {"kind": "Token", "name": "x"}],
        "grants": [
            {"roles": ["view", "run"], "resources": ["servers"], "names": ["files"], "selector": "team=core", "project": "web",
             "tools": ["read_*"]},
            {"roles": ["view"], "resources": ["projects"], "names": ["web"]},
        ],
        "operations": ["logs"],
    });
    assert_eq!(spec, expected);
    home.orchctl(&[
        "create",
        "rolebinding",
        "x",
        "--user",
        "ann",
        "--role",
        "veiw",
        "--resource",
        "servers",
    ])
    .expect(2)
    .saying(&["did you mean `view`?"]);
    grant(&home, "ann", "edit", "servers");

    let words = [
        "view,run",
        "server/files with team=core in project web",
        "read_*",
        "rolebinding/devs",
    ];
    let ann = home.orchctl(&["describe", "user", "ann"]).expect(0).saying(&words);
    ann.saying(&[
        "In groups:",
        "group/devs",
        "edit",
        "rolebinding/ann-edit-servers",
        "THROUGH",
        "the daemon",
    ]);
    let devs = home.orchctl(&["describe", "group", "devs"]).expect(0).saying(&words);
    assert!(!devs.stdout.contains("ann-edit"), "{}", devs.stdout);
    home.orchctl(&["describe", "serviceaccount", "ci"])
        .expect(0)
        .saying(&words)
        .saying(&["group/devs"]);
    home.orchctl(&["describe", "token", "x"])
        .expect(0)
        .saying(&words)
        .saying(&["At most:", "what admin may do"]);
    home.orchctl(&["get", "users,groups,serviceaccounts,rolebindings,tokens"])
        .expect(0)
        .saying(&["SUBJECTS", "group/devs,token/x", "ACTIVE", "Ann"]);
}

#[test]
fn what_is_narrowed_is_seen_alike_by_name_by_uid_and_in_lists() {
    let home = Home::new().started();
    for (name, team) in [("files", "core"), ("git", "core"), ("mail", "ops")] {
        home.apply(&format!(
            "---\napiVersion: orchctl.dev/v1\nkind: Server\nmetadata: {{name: {name}, labels: {{team: {team}}}}}\nspec: {{command: \
             [orch-fixture], replicas: 0}}\n"
        ));
    }
    home.apply(&(manifest("Project", "web", &json!({"servers": ["mail"]})) + &manifest("Project", "ops", &json!({}))));
    let uid = |name: &str| {
        home.get(&format!("servers/{name}"))["status"]["uid"]
            .as_str()
            .expect("a uid")
            .to_owned()
    };
    for (user, narrowed, seen) in [
        ("by-name", &["--name", "files"][..], &["files"][..]),
        ("by-label", &["--selector", "team=core"], &["files", "git"]),
        ("by-project", &["--in-project", "web"], &["mail"]),
    ] {
        let person = Person::logged_in(&home, user);
        let made = [
            "create",
            "rolebinding",
            user,
            "--user",
            user,
            "--role",
            "view",
            "--resource",
            "servers",
        ];
        home.orchctl(&[&made[..], &["--resource", "projects"], narrowed].concat())
            .expect(0);
        let list = home
            .http("GET", "/api/v1/servers")
            .token(&person.token())
            .send()
            .expect(200)
            .json();
        let items = list["items"].as_array().expect("a list");
        let names: Vec<&str> = items
            .iter()
            .filter_map(|item| item["metadata"]["name"].as_str())
            .collect();
        assert_eq!(
            (names, &list["metadata"]["total"]),
            (seen.to_vec(), &json!(seen.len())),
            "{user}"
        );
        for name in ["files", "git", "mail"] {
            let code = if seen.contains(&name) { 0 } else { 3 };
            let absent = person.run(&["get", "server", "absent", "-o", "name"]).expect(3).stderr;
            for called in [name, &uid(name)] {
                let told = person.run(&["get", "server", called, "-o", "name"]).expect(code).stderr;
                // What may not be read is told like what is not there.
                assert!(code == 0 || told.replace(called, "absent") == absent, "{told}");
            }
        }
    }
    let web = Person::new(&home, "web");
    web.log_in("by-project", PASSWORD).expect(0);
    assert_eq!(
        web.run(&["get", "projects", "-o", "name"]).expect(0).stdout,
        "project/web\n"
    );
}

#[test]
fn the_administrator_gets_the_operations_that_a_later_version_adds() {
    let mut home = Home::new().started();
    let operations = |home: &Home| -> Vec<String> {
        let binding = home.get("rolebindings/admin");
        let words = binding["spec"]["operations"].as_array().expect("a list").clone();
        words.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let all = operations(&home);
    assert!(all.len() > 5, "{all:?}");
    // A version that knew less, of which somebody has taken a part away.
    let rest: Vec<&String> = all
        .iter()
        .filter(|word| !["backup", "trigger"].contains(&word.as_str()))
        .collect();
    let known: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "trigger")
        .collect();
    let earlier = format!(
        "UPDATE resource SET metadata = json_set(metadata, '$.annotations.\"orchctl.dev/operations\"', '{}'), \
         spec = json_set(spec, '$.operations', json('{}')) WHERE kind = 'RoleBinding' AND name = 'admin'",
        known.join(","),
        json!(rest)
    );
    home.stop();
    database::run(&home, &earlier);
    home.start();
    let grown = operations(&home);
    assert!(
        grown.iter().any(|word| word == "trigger"),
        "what is new is there: {grown:?}"
    );
    assert!(
        !grown.iter().any(|word| word == "backup"),
        "what was taken away is not: {grown:?}"
    );
    let generation = |home: &Home| home.get("rolebindings/admin")["status"]["generation"].clone();
    let before = generation(&home);
    home.stop();
    home.start();
    assert_eq!(generation(&home), before, "nothing is written where nothing changes");

    // Where others are bound as well, nobody but those who bound them knows what they are to get.
    home.orchctl(&["create", "user", "carl"]).expect(0);
    let joined = json!({"spec": {"subjects": [{"kind": "User", "name": "admin"}, {"kind": "User", "name": "carl"}]}});
    home.http("PATCH", "/api/v1/rolebindings/admin")
        .json(&joined)
        .send()
        .expect(200);
    home.stop();
    database::run(&home, &earlier);
    home.start();
    assert_eq!(operations(&home), rest.into_iter().cloned().collect::<Vec<_>>());
    assert!(
        home.logs().contains("is not the administrator's alone"),
        "{}",
        home.logs()
    );
}
