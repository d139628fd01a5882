//! `client uninstall`: our entries go out of a client's file. A file that nobody has changed since is byte for byte what
//! it was; of any other, only our entry goes, and what we made to put it in when nothing else is in there.

use clap::Args;

use super::{Consent, Which, file_of, is_wanted, may_be_written, places, replace, show, text_of, unfit};
use crate::clients::catalogue::Client;
use crate::clients::edit;
use crate::clients::ledger::{self, Ledger, Made, Record};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The client; may be several
    #[arg(required = true, value_name = "CLIENT")]
    clients: Vec<Client>,
    /// Only the entry of that name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    consent: Consent,
}

/// Uninstalls.
pub(super) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let flags = settings.flags();
    let serves = match (&flags.mcp_server, flags.project.as_deref()) {
        (Some(server), _) => Some(format!("server/{server}")),
        (None, Some(project)) if !project.is_empty() => Some(format!("project/{project}")),
        (None, _) => None,
    };
    for client in &arguments.clients {
        let path = file_of(*client, &arguments.which, &places()?)?;
        let is_meant = |record: &&Record| {
            record.client == client.as_str()
                && record.path == path
                && arguments.name.as_ref().is_none_or(|name| *name == record.name)
                && serves.as_ref().is_none_or(|serves| *serves == record.serves)
        };
        let ledger = Ledger::read()?;
        // The newest first: each leads back to what the one before it left.
        let records: Vec<Record> = ledger.records.iter().filter(is_meant).cloned().rev().collect();
        if records.is_empty() {
            return Err(Failure::usage(format!("nothing of ours is in {}", path.display()))
                .hint("what is where: orchctl client list"));
        }
        for record in records {
            one(arguments, settings, *client, &record)?;
        }
    }
    Ok(Outcome::Done)
}

fn one(arguments: &Arguments, settings: &Settings, client: Client, record: &Record) -> Result<(), Failure> {
    let path = &record.path;
    let before = text_of(path)?;
    let after = match &before {
        Some(text) if ledger::fingerprint(text) == record.fingerprint => original(record)?,
        Some(text) => edit::without(text, client, &record.name, &record.made.members)
            .map_err(|error| unfit(path, &error))?
            .or_else(|| before.clone()),
        None => None,
    };
    // A file that we made and that says nothing any more goes, too.
    let after = after.filter(|text| !record.made.file || !edit::is_empty(text, client.format()));
    if before != after {
        may_be_written(path)?;
        let shown = |text: &Option<String>| text.clone().unwrap_or_default();
        show(settings, path, &shown(&before), &shown(&after))?;
        if !is_wanted(
            settings,
            arguments.consent,
            &format!("Take this out of {}?", client.title()),
        )? {
            return Ok(());
        }
        replace(path, before.as_deref(), after.as_deref())?;
    } else if arguments.consent.dry_run {
        settings.ui.say("nothing was written");
        return Ok(());
    }
    let mut ledger = Ledger::read()?;
    let members = match &after {
        Some(text) => edit::containers(text, client).map_err(|error| unfit(path, &error))?,
        None => Vec::new(),
    };
    let still_there = Made {
        file: record.made.file && after.is_some(),
        members: members
            .into_iter()
            .filter(|member| record.made.members.contains(member))
            .collect(),
    };
    let superseded = match (&before, &after) {
        (Some(text), Some(left)) => ledger.hand_on(record, text, left),
        (Some(_) | None, Some(_) | None) => None,
    };
    ledger.forget(record, still_there);
    ledger.write()?;
    for backup in record.backup.iter().chain(&superseded) {
        if !ledger.records.iter().any(|other| other.backup.as_ref() == Some(backup)) {
            // It has served; that it cannot be removed hurts nobody.
            let _ = std::fs::remove_file(backup);
        }
    }
    let verdict = if before == after { "gone already" } else { "uninstalled" };
    settings
        .ui
        .line(&format!("{}   {verdict}   {}", client.as_str(), path.display()))
}

/// The file as it was before; nothing when there was none.
fn original(record: &Record) -> Result<Option<String>, Failure> {
    match &record.backup {
        Some(backup) => match text_of(backup)? {
            Some(text) => Ok(Some(text)),
            None => Err(
                Failure::local(format!("the copy {} is gone", backup.display())).hint(format!(
                    "remove the entry `{}` of {} by hand",
                    record.name,
                    record.path.display()
                )),
            ),
        },
        None => Ok(None),
    }
}
