//! `status`: how the daemon fares.

use std::fmt::Write as _;

use clap::Args;
use orch_shared::audit::{Extent, Standing};
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
    match (audit_trouble(&status.audit), status.audit.extent) {
        (Some(trouble), _) => entry("Audit", &settings.ui.paint(Stream::Data, Tone::Warn, &trouble)),
        (None, Extent::Changes) => entry("Audit", "changes alone; what is read or called is not noted"),
        (None, Extent::All) => {}
    }
    entry("Objects", &counts(&status.objects));
    entry("Instances", &counts(&status.instances));
    out
}

/// What is wrong with the audit log: rows that were lost, or that cannot be written; nothing when it keeps up.
pub(super) fn audit_trouble(standing: &Standing) -> Option<String> {
    let Standing {
        waiting,
        dropped,
        stuck,
        extent: _,
    } = standing;
    match (dropped, stuck) {
        (0, false) if *waiting < MANY => None,
        (0, false) => Some(format!("{waiting} rows wait to be written")),
        (0, true) => Some(format!("cannot be written; {waiting} rows wait")),
        (dropped, _) => Some(format!("{dropped} rows were lost since the start; {waiting} wait")),
    }
}

/// So many rows of the audit log wait only when it does not keep up.
const MANY: u64 = 10_000;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_log_that_does_not_keep_up_is_told() {
        for (waiting, dropped, stuck, told) in [
            (12, 0, false, None),
            (20_000, 0, false, Some("20000 rows wait to be written")),
            (12, 0, true, Some("cannot be written; 12 rows wait")),
            (0, 3, false, Some("3 rows were lost since the start; 0 wait")),
        ] {
            let standing = Standing {
                waiting,
                dropped,
                stuck,
                extent: Extent::All,
            };
            assert_eq!(audit_trouble(&standing).as_deref(), told);
        }
    }
}
