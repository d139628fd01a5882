//! `client install`: our entry goes into a client's file.

use std::path::Path;

use clap::{ArgAction, Args};

use super::{Consent, Which, file_of, is_wanted, may_be_written, places, replace, show, text_of, unfit};
use crate::clients::catalogue::{Client, Scope};
use crate::clients::edit::{self, Unfit};
use crate::clients::entry::{self, Addition, Gateway, TOKEN_VARIABLE, TokenSource, Way};
use crate::clients::ledger::{self, Ledger, Made, Record};
use crate::mcp::target::Target;
use crate::report::{Failure, Outcome};
use crate::settings::{Connection, Settings};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The client; may be several
    #[arg(required = true, value_name = "CLIENT")]
    clients: Vec<Client>,
    /// What the entry is called in its file. Default: orch- and the project or server
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How the client gets here. Default: the address, where it can keep the token out of its file
    #[arg(long, value_name = "WAY")]
    via: Option<Way>,
    /// Take the place of an entry of that name that is not ours
    #[arg(long, action = ArgAction::SetTrue)]
    replace: bool,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    consent: Consent,
}

/// Installs.
pub(super) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let target = Target::of(settings)?;
    let connection = settings.connection()?;
    let gateway = gateway(settings, &connection, &target, arguments.which.scope)?;
    if arguments.which.path.is_some() && arguments.clients.len() > 1 {
        return Err(Failure::usage(
            "--path is the file of one client, and several are named",
        ));
    }
    look(settings, &target)?;
    for client in &arguments.clients {
        one(arguments, settings, *client, &target, &gateway)?;
    }
    Ok(Outcome::Done)
}

/// Warns when there is no such project or server. A daemon that cannot be asked may still come.
fn look(settings: &Settings, target: &Target) -> Result<(), Failure> {
    let object = target.object();
    match settings.client()?.find(&settings.ui, &object) {
        Ok(Some(_)) => {}
        Ok(None) => settings.ui.warn(&format!("{object} does not exist yet")),
        Err(failure) => settings
            .ui
            .warn(&format!("whether there is a {object} is not known: {failure}")),
    }
    Ok(())
}

fn one(
    arguments: &Arguments,
    settings: &Settings,
    client: Client,
    target: &Target,
    gateway: &Gateway,
) -> Result<(), Failure> {
    let path = file_of(client, &arguments.which, &places()?)?;
    let name = arguments
        .name
        .clone()
        .unwrap_or_else(|| format!("orch-{}", target.name()));
    if name.is_empty() || name.contains(|c: char| c.is_control()) {
        return Err(Failure::usage(format!("`{name}` cannot name an entry")));
    }
    let way = arguments
        .via
        .unwrap_or_else(|| entry::usual(client, gateway.needs_token));
    let addition = entry::addition(client, way, gateway).ok_or_else(|| {
        Failure::usage(format!(
            "{} cannot be given an address without a token in its file",
            client.title()
        ))
        .hint("let it start orchctl: --via stdio")
    })?;
    let before = text_of(&path)?;
    let mut ledger = Ledger::read()?;
    let known = match &before {
        Some(text) => edit::entry(text, client, &name).map_err(|error| unfit(&path, &error))?,
        None => None,
    };
    let earlier = ledger.find(&path, &name).cloned();
    if known.is_some_and(|known| known != addition.entry) && earlier.is_none() && !arguments.replace {
        let detail = format!("{} has a server `{name}` already, which is not ours", path.display());
        return Err(Failure::usage(detail).hint("call ours otherwise: --name NAME; or --replace"));
    }
    let after = edit::with(before.as_deref(), client, &name, &addition).map_err(|error| unfit(&path, &error))?;
    if before.as_deref() == Some(&after) {
        return settings
            .ui
            .line(&format!("{}   unchanged   {}", client.as_str(), path.display()));
    }
    may_be_written(&path)?;
    show(settings, &path, before.as_deref().unwrap_or_default(), &after)?;
    if !is_wanted(
        settings,
        arguments.consent,
        &format!("Write this for {}?", client.title()),
    )? {
        return Ok(());
    }
    let made = made(client, before.as_deref(), &after).map_err(|error| unfit(&path, &error))?;
    let made = made.and(earlier.as_ref().map(|earlier| earlier.made.clone()).unwrap_or_default());
    let backup = backup(client, &path, &name, before.as_deref(), earlier.as_ref())?;
    replace(&path, before.as_deref(), Some(&after))?;
    ledger.put(Record {
        client: client.as_str().to_owned(),
        path: path.clone(),
        name: name.clone(),
        serves: target.to_string(),
        backup: backup.clone(),
        fingerprint: ledger::fingerprint(&after),
        made,
    });
    ledger.write()?;
    settings
        .ui
        .line(&format!("{}   installed   {}", client.as_str(), path.display()))?;
    tell(settings, client, &addition, backup.as_deref());
    Ok(())
}

/// What there is after it and was not before, besides the entry.
fn made(client: Client, before: Option<&str>, after: &str) -> Result<Made, Unfit> {
    let known = edit::containers(before.unwrap_or_default(), client)?;
    let mut members = edit::containers(after, client)?;
    members.retain(|member| !known.contains(member));
    Ok(Made {
        file: before.is_none(),
        members,
    })
}

/// Keeps the file as it is to be again: as it was before our first entry, as far as that is known.
fn backup(
    client: Client,
    path: &Path,
    name: &str,
    before: Option<&str>,
    earlier: Option<&Record>,
) -> Result<Option<std::path::PathBuf>, Failure> {
    let Some(before) = before else { return Ok(None) };
    let without = match earlier {
        Some(earlier) if ledger::fingerprint(before) == earlier.fingerprint => return Ok(earlier.backup.clone()),
        Some(earlier) => {
            edit::without(before, client, name, &earlier.made.members).map_err(|error| unfit(path, &error))?
        }
        None => None,
    };
    ledger::keep(client.as_str(), path, without.as_deref().unwrap_or(before)).map(Some)
}

fn tell(settings: &Settings, client: Client, addition: &Addition, backup: Option<&Path>) {
    let ui = &settings.ui;
    if let Some(backup) = backup {
        ui.say(&format!("as it was before: {}", backup.display()));
    }
    match addition.token {
        TokenSource::None | TokenSource::Context => {}
        TokenSource::Environment => ui.say(&format!(
            "next: {} finds the token in the variable {TOKEN_VARIABLE} of its environment; without one: --via stdio",
            client.title()
        )),
        TokenSource::Asked => ui.say(&format!(
            "next: {} asks for the token once, and keeps it",
            client.title()
        )),
    }
    ui.say(&format!("next: {}", client.next()));
}

/// Where the gateway is for a client.
fn gateway(settings: &Settings, connection: &Connection, target: &Target, scope: Scope) -> Result<Gateway, Failure> {
    let flags = match (&settings.flags().context, &connection.context, scope) {
        // A file that is shared cannot know what others call their contexts.
        (None, Some(_), Scope::Project) => Vec::new(),
        (_, Some(context), _) => vec!["--context".to_owned(), context.clone()],
        (_, None, _) => {
            return Err(
                Failure::usage("clients find the daemon by a context, and this address has none")
                    .hint("keep it as one: orchctl config set-context NAME --server URL --token-file FILE"),
            );
        }
    };
    let environment = match (std::env::var("ORCHCTL_CONFIG"), scope) {
        (Ok(config), Scope::User) if !config.is_empty() => {
            let config = std::path::absolute(&config).map_or(config, |path| path.display().to_string());
            vec![("ORCHCTL_CONFIG".to_owned(), config)]
        }
        (Ok(_) | Err(_), _) => Vec::new(),
    };
    Ok(Gateway {
        url: format!("{}{}", connection.server, target.path()),
        needs_token: connection.token.is_some(),
        program: program(scope),
        flags,
        target: target.flags(),
        environment,
    })
}

/// This program, as a client is to start it: clients with windows do not know the user's PATH, and a file that is shared
/// does not know this machine.
fn program(scope: Scope) -> String {
    let here = std::env::current_exe().ok().filter(|_| scope == Scope::User);
    here.map_or_else(|| "orchctl".to_owned(), |path| path.display().to_string())
}
