//! `status`: how the daemon fares.

use std::fmt::Write as _;

use clap::Args;
use orch_shared::route;
use orch_shared::wire::DaemonStatus;

use crate::client::Call;
use crate::render::age;
use crate::render::document::{self, Format};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::{Stream, Tone};

/// Show how the daemon fares
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl status
  orchctl status -o json
  orchctl --context staging status
")]
pub(crate) struct Arguments {
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Shows the daemon's state.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let client = settings.client()?;
    let status: DaemonStatus = client.send(&settings.ui, &Call::get(route::STATUS))?.json()?;
    let text = document::text(arguments.output, &status).unwrap_or_else(|| page(settings, client.server(), &status));
    settings.ui.write(&text)?;
    Ok(Outcome::Done)
}

fn page(settings: &Settings, server: &str, status: &DaemonStatus) -> String {
    let now = settings.now();
    let mut out = String::new();
    let mut entry = |title: &str, text: &str| {
        let title = if title.is_empty() {
            String::new()
        } else {
            format!("{title}:")
        };
        let _ = writeln!(out, "{title:14}{text}");
    };
    entry("Daemon", &format!("orchd {} at {server}", status.version));
    entry(
        "Up for",
        &format!(
            "{} (since {})",
            age::since(now, status.started_at),
            age::local(now, status.started_at)
        ),
    );
    entry(
        "Database",
        &format!("{} (revision {})", status.database, status.revision),
    );
    for (index, check) in status.checks.iter().enumerate() {
        let told = match (&check.message, check.ok) {
            (_, true) => settings.ui.paint(Stream::Data, Tone::Good, "ok"),
            (Some(message), false) => settings.ui.paint(Stream::Data, Tone::Bad, message),
            (None, false) => settings.ui.paint(Stream::Data, Tone::Bad, "not ok"),
        };
        entry(
            if index == 0 { "Checks" } else { "" },
            &format!("{}: {told}", check.name),
        );
    }
    entry("Objects", &counts(&status.objects));
    entry("Instances", &counts(&status.instances));
    out
}

fn counts(counts: &std::collections::BTreeMap<String, i64>) -> String {
    let told: Vec<String> = counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    if told.is_empty() {
        "none".to_owned()
    } else {
        told.join(", ")
    }
}
