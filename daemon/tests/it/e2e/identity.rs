//! Who somebody is, on the command line: logging in and out, passwords, and below tokens and what may be done.

mod granted;
mod lockout;
mod pace;
mod tokens;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::daemon::{Home, Output};

const PASSWORD: &str = "correct horse battery";
const OTHER: &str = "staple of another kind";

/// Somebody with a configuration of their own, at the same machine.
struct Person<'h> {
    home: &'h Home,
    config: PathBuf,
}

impl<'h> Person<'h> {
    /// Somebody who knows where the daemon is, and nothing else.
    fn new(home: &'h Home, name: &str) -> Self {
        let context = format!(
            "currentContext: here\ncontexts:\n- name: here\n  server: http://{}\n",
            home.address()
        );
        let config = home.write(&format!("people/{name}.yaml"), &context);
        Self { home, config }
    }

    /// Somebody who shows that token.
    fn showing(home: &'h Home, name: &str, token: &str) -> Self {
        let person = Self::new(home, name);
        let context = fs::read_to_string(&person.config).expect("it was just written");
        fs::write(&person.config, format!("{context}  token: {token}\n")).expect("it can be written");
        person
    }

    /// Somebody who has a password and has logged in with it.
    fn logged_in(home: &'h Home, name: &str) -> Self {
        home.orchctl(&["create", "user", name]).expect(0);
        home.orchctl_reading(PASSWORD, &["passwd", name, "--password-stdin"])
            .expect(0);
        let person = Self::new(home, name);
        person.log_in(name, PASSWORD).expect(0);
        person
    }

    fn log_in(&self, name: &str, password: &str) -> Output {
        self.run_reading(password, &["login", "--user", name, "--password-stdin"])
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_reading("", arguments)
    }

    fn run_reading(&self, input: &str, arguments: &[&str]) -> Output {
        let config = self.config.to_str().expect("a plain path");
        self.home.orchctl_with(&[("ORCHCTL_CONFIG", config)], input, arguments)
    }

    /// What this one shows.
    fn token(&self) -> String {
        let kept = fs::read_to_string(&self.config).expect("a file");
        let token = kept.lines().find_map(|line| line.trim().strip_prefix("token: "));
        token.expect("a token").to_owned()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let told = self.run(arguments).expect(0);
        serde_json::from_str(&told.stdout).expect("JSON")
    }
}

/// The one line that a program wrote, which is a credential.
#[track_caller]
fn credential(told: &Output) -> String {
    let text = told.stdout.strip_suffix('\n').expect("a line");
    assert!(
        text.starts_with("orch_") && !text.contains(char::is_whitespace),
        "{text:?}"
    );
    assert!(!told.stderr.contains(text), "it is talked about");
    text.to_owned()
}

/// Grants roles on everything of a kind to a user.
fn grant(home: &Home, user: &str, role: &str, resource: &str) {
    let name = format!("{user}-{role}-{resource}");
    let made = [
        "create",
        "rolebinding",
        &name,
        "--user",
        user,
        "--role",
        role,
        "--resource",
        resource,
    ];
    home.orchctl(&made).expect(0);
}

#[test]
fn somebody_logs_in_and_out_and_changes_a_password() {
    let home = Home::new().started();
    let ann = Person::logged_in(&home, "ann");
    let mode = || fs::metadata(&ann.config).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    let me = ann.json(&["whoami", "-o", "json"]);
    assert_eq!((&me["principal"], &me["login"].is_string()), (&json!("ann"), &true));
    ann.run(&["whoami"])
        .expect(0)
        .saying(&["Name:", "ann", "Credential:", "login "]);
    let token = &ann.token();
    let shown = ann.run(&["config", "view"]).expect(0);
    assert!(!shown.stdout.contains(token), "{}", shown.stdout);

    // A password of one's own is changed with the one until now; whoever changes it stays logged in here, and only here.
    let elsewhere = Person::new(&home, "ann-elsewhere");
    elsewhere.log_in("ann", PASSWORD).expect(0);
    let wrong = format!("not {PASSWORD}\n{OTHER}\n");
    ann.run_reading(&wrong, &["passwd", "--password-stdin"]).expect(5);
    let right = format!("{PASSWORD}\n{OTHER}\n");
    ann.run_reading(&right, &["passwd", "--password-stdin"]).expect(0);
    ann.run(&["whoami"]).expect(0);
    let ended = elsewhere.run(&["whoami"]).expect(5);
    assert!(ended.stderr.contains("orchctl login"), "{}", ended.stderr);
    elsewhere
        .log_in("ann", PASSWORD)
        .expect(5)
        .saying(&["do not belong together"]);
    elsewhere.log_in("ann", OTHER).expect(0);

    ann.run(&["logout"])
        .expect(0)
        .saying(&["ann is logged out of context here"]);
    let out = ann.run(&["whoami"]).expect(5);
    assert!(out.stderr.contains("orchctl login"), "{}", out.stderr);
    home.http("GET", "/api/v1/whoami").token(token).send().expect(401);
    ann.run(&["logout"]).expect(0).saying(&["there is no login"]);
    // Somebody who was never there is told the same as somebody whose password is wrong.
    ann.log_in("nobody", PASSWORD)
        .expect(5)
        .saying(&["do not belong together"]);

    let logs = home.logs();
    for secret in [PASSWORD, OTHER, token] {
        assert!(!logs.contains(secret), "a secret is in the log");
    }
}

#[test]
fn a_login_leaves_the_token_of_the_context_as_it_is() {
    let home = Home::new().started();
    let bootstrap = home.token();
    // The admin has no password until one is set.
    home.orchctl_reading(PASSWORD, &["passwd", "--password-stdin"])
        .expect(0);
    home.orchctl_reading(PASSWORD, &["login", "--user", "admin", "--password-stdin"])
        .expect(0);
    let file = fs::read_to_string(home.path("orchctl.yaml")).expect("the contexts");
    assert!(file.contains(&bootstrap), "the token is lost");
    home.orchctl(&["config", "get-contexts"])
        .expect(0)
        .saying(&["login of admin"]);
    let logins = |home: &Home| -> Value {
        let told = home.orchctl(&["auth", "logins", "-o", "json"]).expect(0).stdout;
        serde_json::from_str(&told).expect("JSON")
    };
    let this = |logins: &Value| {
        let items = logins["items"].as_array().expect("a list").clone();
        items
            .into_iter()
            .find(|login| login["isThis"] == true)
            .expect("this one")["name"]
            .clone()
    };
    assert_eq!(this(&logins(&home)), "login");
    // Another login takes the place of the first, which does not stay open.
    let open = logins(&home)["items"].as_array().expect("a list").len();
    home.orchctl_reading(PASSWORD, &["login", "--user", "admin", "--password-stdin"])
        .expect(0);
    assert_eq!(logins(&home)["items"].as_array().expect("a list").len(), open);
    home.orchctl(&["logout"])
        .expect(0)
        .saying(&["the token that the context holds is shown"]);
    assert_eq!(this(&logins(&home)), "bootstrap");

    // What would hide a login is told before anybody types a password.
    let hidden = home.orchctl_with(
        &[("ORCHCTL_TOKEN", &bootstrap)],
        PASSWORD,
        &["login", "--user", "admin", "--password-stdin"],
    );
    hidden.expect(2).saying(&["ORCHCTL_TOKEN"]);
    home.orchctl_reading(
        PASSWORD,
        &["login", "--user", "admin", "--password-stdin", "--as", "admin"],
    )
    .expect(2);
    home.orchctl(&["login", "--user", "admin"])
        .expect(2)
        .saying(&["--password-stdin"]);
    let flag = home
        .orchctl(&["login", "--user", "admin", "--password", PASSWORD])
        .expect(2);
    assert!(!flag.stderr.contains(PASSWORD), "{}", flag.stderr);
}

#[test]
fn logins_are_seen_and_ended() {
    let home = Home::new().started();
    let (ann, bob) = (Person::logged_in(&home, "ann"), Person::logged_in(&home, "bob"));
    let other = Person::new(&home, "ann-other");
    other.log_in("ann", PASSWORD).expect(0);
    let own = ann.json(&["auth", "logins", "-o", "json"]);
    let own = own["items"].as_array().expect("a list");
    assert!(
        own.len() == 2 && own.iter().all(|login| login["principal"] == "ann"),
        "{own:?}"
    );
    let id = |person: &Person<'_>| {
        person.json(&["whoami", "-o", "json"])["login"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    ann.run(&["auth", "logins"])
        .expect(0)
        .saying(&["THIS", "*", "ENDS IN", &id(&ann), &id(&other)]);
    // Those of others are not there.
    ann.run(&["auth", "logins", "end", &id(&bob)]).expect(3);
    ann.run(&["auth", "logins", "end", &id(&other)])
        .expect(0)
        .saying(&["ended"]);
    other.run(&["whoami"]).expect(5);
    // Unless one has the operation for it.
    home.orchctl(&["auth", "logins", "end", &id(&bob)]).expect(0);
    bob.run(&["whoami"]).expect(5);
    ann.run(&["whoami"]).expect(0);
    let pasted = ann.run(&["auth", "logins", "end", &home.token()]).expect(2);
    assert!(!pasted.stderr.contains(&home.token()), "{}", pasted.stderr);
}
