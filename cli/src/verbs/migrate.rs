//! `migrate secrets`: values of Secrets, moved from one backend to another, one Secret after the other.
//!
//! The daemon is asked first which Secrets there are to move, and then for each of them; so each line stands when it is done,
//! and a migration that is stopped is taken up by the next.

use clap::{Args, Subcommand};
use orch_shared::name::Name;
use orch_shared::route;
use orch_shared::wire::{Migrated, MigratedSecret, Migration, MigrationOutcome};

use crate::client::Call;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};

/// Move what is kept in one place to another
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl migrate secrets --from default --to bao --dry-run
  orchctl migrate secrets --from default --to bao
  orchctl migrate secrets --from bao --to default --names gitea,jira
")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

/// What is moved.
#[derive(Debug, Subcommand)]
enum What {
    Secrets(Secrets),
}

/// Values of Secrets, from one backend to another
#[derive(Debug, Args)]
#[command(
    visible_alias = "secret",
    before_help = "\
Examples:
  orchctl migrate secrets --from default --to bao --dry-run
  orchctl migrate secrets --from default --to bao --keep-source
  orchctl migrate secrets --from bao --to default --names gitea,jira
"
)]
struct Secrets {
    /// The SecretBackend that they leave
    #[arg(long, value_name = "BACKEND")]
    from: String,
    /// The SecretBackend that they are moved to
    #[arg(long, value_name = "BACKEND")]
    to: String,
    /// Only these Secrets. Default: all, without those that hold the token of a backend
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    names: Option<Vec<String>>,
    /// Leave the values where they were, too
    #[arg(long)]
    keep_source: bool,
    /// Only say what would be moved
    #[arg(long)]
    dry_run: bool,
}

/// Migrates.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let What::Secrets(secrets) = &arguments.what;
    let names = secrets.names.as_ref().map(|names| {
        let given = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
        given
            .map(|name| parse_name(name, "secret"))
            .collect::<Result<Vec<Name>, _>>()
    });
    let migration = Migration {
        from: parse_name(&secrets.from, "secretbackend")?,
        to: parse_name(&secrets.to, "secretbackend")?,
        names: names.transpose()?,
        keep_source: secrets.keep_source,
        dry_run: true,
    };
    let planned = ask(settings, &migration)?;
    let (mut moved, mut failed) = (0, 0);
    for item in planned.items {
        let item = match item.outcome {
            MigrationOutcome::Moved if !secrets.dry_run => {
                let one = Migration {
                    names: Some(vec![item.name.clone()]),
                    dry_run: false,
                    ..migration.clone()
                };
                ask(settings, &one)?.items.pop().unwrap_or(item)
            }
            MigrationOutcome::Moved | MigrationOutcome::Skipped | MigrationOutcome::Failed => item,
        };
        match item.outcome {
            MigrationOutcome::Moved => moved += 1,
            MigrationOutcome::Skipped => {}
            MigrationOutcome::Failed => failed += 1,
        }
        settings.ui.line(&said(&item, secrets.dry_run))?;
        settings.ui.flush()?;
    }
    let verb = if secrets.dry_run { "would be moved" } else { "moved" };
    settings
        .ui
        .say(&format!("{moved} {verb} from {} to {}", migration.from, migration.to));
    if failed > 0 {
        let failure = Failure::usage(format!("{failed} could not be moved, and are as they were"));
        return Err(failure.hint("mend what stands above and do the same again: what has moved is left out"));
    }
    Ok(Outcome::Done)
}

fn ask(settings: &Settings, migration: &Migration) -> Result<Migrated, Failure> {
    let call = Call::post(route::MIGRATE_SECRETS, migration).with_time();
    settings.client()?.send(&settings.ui, &call)?.json()
}

fn said(item: &MigratedSecret, is_rehearsal: bool) -> String {
    let outcome = match item.outcome {
        MigrationOutcome::Moved if is_rehearsal => "would be moved",
        MigrationOutcome::Moved => "moved",
        MigrationOutcome::Skipped => "left",
        MigrationOutcome::Failed => "failed",
    };
    match &item.message {
        Some(message) => format!("secret/{}   {outcome}   {message}", item.name),
        None => format!("secret/{}   {outcome}", item.name),
    }
}
