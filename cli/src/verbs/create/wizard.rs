//! `create secretbackend NAME --wizard`: a server of OpenBao or Vault, set up by the daemon with a token that is used once.
//!
//! Every answer is also a flag; what is not given is asked for when somebody sits at the terminal. The token of whoever sets
//! it up comes from a file, standard input, the environment or the terminal; on the command line others would see it.

use std::io::Read as _;

use clap::{Arg, ArgAction, ArgMatches};
use orch_shared::kind::Kind;
use orch_shared::kinds::secret_backend::{MOUNT, PATH_PREFIX};
use orch_shared::route;
use orch_shared::wire::{BackendReady, BackendSetup};

use crate::client::Call;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};
use crate::verbs::password;

/// Where the token of whoever sets a backend up is looked for.
const VARIABLE: &str = "ORCHCTL_ADMIN_TOKEN";

/// The flags of the wizard, for the kind that has one.
pub(super) fn args(kind: Kind) -> Vec<Arg> {
    if kind != Kind::SecretBackend {
        return Vec::new();
    }
    let switch =
        |name: &'static str, about: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(about);
    let text = |name: &'static str, value: &'static str, about: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .requires("wizard")
            .help(about)
    };
    vec![
        switch(
            "wizard",
            "Set the server up with a token that may: engine, policy, token role, the daemon's own token",
        ),
        text(
            "admin-token",
            "TOKEN",
            "With --wizard: the token that may, where others may see it; rather --admin-token-file, or ORCHCTL_ADMIN_TOKEN",
        ),
        text(
            "admin-token-file",
            "FILE",
            "With --wizard: a file with the token that may, or `-` for standard input",
        )
        .conflicts_with("admin-token"),
        text(
            "policy-name",
            "NAME",
            "With --wizard: what to call the policy. Default: orchd-NAME",
        ),
        switch("no-promote-default", "With --wizard: leave the default where it is").requires("wizard"),
    ]
}

/// Whether the wizard is asked for.
pub(super) fn is_asked(kind: Kind, matches: &ArgMatches) -> bool {
    kind == Kind::SecretBackend && matches.get_flag("wizard")
}

fn given(matches: &ArgMatches, flag: &str) -> Option<String> {
    matches
        .try_get_one::<String>(flag)
        .ok()
        .flatten()
        .filter(|text| !text.is_empty())
        .cloned()
}

/// What is given, or answered, or usual.
fn answer(settings: &Settings, given: Option<String>, question: &str, usual: &str) -> Option<String> {
    if given.is_some() || !settings.ui.has_person() {
        return given;
    }
    let question = match usual {
        "" => format!("{question}:"),
        usual => format!("{question} [{usual}]:"),
    };
    settings
        .ui
        .ask(&question)
        .filter(|text| !text.trim().is_empty())
        .map(|text| text.trim().to_owned())
}

fn admin_token(settings: &Settings, matches: &ArgMatches) -> Result<String, Failure> {
    if let Some(token) = given(matches, "admin-token") {
        settings.ui.warn(
            "a token on a command line is seen by others and stays in the shell's history; rather: --admin-token-file, or \
             ORCHCTL_ADMIN_TOKEN",
        );
        return Ok(token);
    }
    let unreadable =
        |place: &str, error: std::io::Error| Failure::usage(format!("--admin-token-file: {place}: {error}"));
    let token = match given(matches, "admin-token-file").as_deref() {
        Some("-") => {
            let mut text = String::new();
            let read = std::io::stdin().lock().read_to_string(&mut text);
            read.map_err(|error| unreadable("standard input", error))?;
            Some(text)
        }
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| unreadable(path, error))?),
        None => std::env::var(VARIABLE).ok(),
    };
    let sound = |text: String| Some(text.trim().to_owned()).filter(|token| !token.is_empty());
    if let Some(token) = token.and_then(sound) {
        return Ok(token);
    }
    let instead = format!("--admin-token-file FILE (`-` for standard input), or {VARIABLE} in the environment");
    let missing = || Failure::usage("there is no token to set the server up with").hint(&instead);
    if !settings.ui.has_person() {
        return Err(missing());
    }
    settings
        .ui
        .tell("The token is used once, by the daemon, and kept nowhere.");
    let typed = password::ask(
        settings,
        "A token that may mount engines and write policies and token roles (not shown):",
        &instead,
    )?;
    sound(typed).ok_or_else(missing)
}

/// Sets a backend up.
pub(super) fn run(settings: &Settings, matches: &ArgMatches) -> Result<Outcome, Failure> {
    let name = matches
        .get_one::<String>("name")
        .map(String::as_str)
        .unwrap_or_default();
    let name = parse_name(name, "secretbackend")?;
    let spec = |flag: &str| given(matches, &format!("spec.{flag}"));
    if spec("type").is_some_and(|kind| kind != "openbao") {
        return Err(Failure::usage("--wizard sets up backends of type openbao"));
    }
    let url = answer(
        settings,
        spec("url"),
        "Where the server answers (https://bao.example.com:8200)",
        "",
    );
    let url = url.ok_or_else(|| Failure::usage("--wizard needs --url: where the server answers"))?;
    let token = admin_token(settings, matches)?;
    let usual = format!("orchd-{name}");
    let setup = BackendSetup {
        mount: answer(settings, spec("mount"), "Mount of the KV v2 engine", MOUNT),
        path_prefix: answer(settings, spec("path-prefix"), "What paths begin with", PATH_PREFIX),
        namespace: spec("namespace"),
        policy_name: answer(settings, given(matches, "policy-name"), "Name of the policy", &usual),
        token_role: answer(
            settings,
            given(matches, "short.token-role"),
            "Name of the token role",
            &usual,
        ),
        promote_default: Some(promotes(settings, matches)),
        admin_token: token,
        name: name.clone(),
        url,
    };
    // What was done stands at the server; who does not hear of it looks before doing it again.
    let call = Call::post(route::SET_UP_BACKEND, &setup).with_time().once();
    let ready: BackendReady = settings.client()?.send(&settings.ui, &call)?.json()?;
    for step in &ready.steps {
        settings.ui.line(&format!("  {step}"))?;
    }
    settings.ui.line(&format!("secretbackend/{name}   created"))?;
    let from = ready.former_default.as_ref().map_or("default", |name| name.as_str());
    settings.ui.line(&format!(
        "what to do next: orchctl migrate secrets --from {from} --to {name} --dry-run"
    ))?;
    Ok(Outcome::Done)
}

fn promotes(settings: &Settings, matches: &ArgMatches) -> bool {
    if matches.get_flag("no-promote-default") {
        return false;
    }
    let said = answer(
        settings,
        None,
        "Put new values there from now on: make it the default?",
        "yes",
    );
    said.is_none_or(|said| !said.to_ascii_lowercase().starts_with('n'))
}
