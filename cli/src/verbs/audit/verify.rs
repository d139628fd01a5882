//! Whether the log is as it was written: stretch by stretch, from its beginning to its end.

use clap::Args;
use orch_shared::audit::{Broken, Mark, Verification, VerifyParameters};
use orch_shared::route;

use crate::client::Call;
use crate::render::document::{self, Format};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::{Stream, Tone};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A mark that an earlier check has told and that was kept elsewhere: its entry must still be the same
    #[arg(long, value_name = "NUMBER:HASH")]
    kept: Option<Mark>,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Checks all of it.
pub(super) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let mut all = walk(settings, arguments.kept.as_ref())?;
    // The log ends before the entry of the mark: what there is may be whole all the same.
    let is_beyond = |broken: &Broken| broken.sequence > all.head.sequence;
    if all.checked == 0 && arguments.kept.is_some() && all.broken.as_ref().is_some_and(is_beyond) {
        let rest = walk(settings, None)?;
        all = Verification {
            broken: rest.broken.clone().or(all.broken),
            ..rest
        };
    }
    let ended = match all.broken {
        Some(_) => Outcome::Unwell,
        None => Outcome::Done,
    };
    match document::text(arguments.output, &all) {
        Some(text) => settings.ui.write(&text)?,
        None => page(settings, &all, arguments.kept.as_ref())?,
    }
    Ok(ended)
}

/// Checks stretch after stretch, until the end or until something is wrong.
fn walk(settings: &Settings, kept: Option<&Mark>) -> Result<Verification, Failure> {
    let client = settings.client()?;
    let progress = settings.ui.progress("checking the audit log");
    let kept = kept.map(ToString::to_string);
    let mut all: Option<Verification> = None;
    loop {
        let call = Call::get(route::AUDIT_VERIFY).query(&VerifyParameters {
            after: all.as_ref().map(|all| all.to.to_string()),
            kept: kept.clone(),
        });
        let next: Verification = client.send(&settings.ui, &call)?.json()?;
        let before = all.take();
        let sum = Verification {
            checked: next.checked + before.as_ref().map_or(0, |all| all.checked),
            from: before.map_or_else(|| next.from.clone(), |all| all.from),
            ..next
        };
        if sum.complete || sum.broken.is_some() {
            return Ok(sum);
        }
        progress.set(format!("checked up to {} of {}", sum.to.sequence, sum.head.sequence));
        all = Some(sum);
    }
}

fn page(settings: &Settings, all: &Verification, kept: Option<&Mark>) -> Result<(), Failure> {
    let ui = &settings.ui;
    let stretch = match all.checked {
        0 => "no entries".to_owned(),
        1 => format!("1 entry, {}", all.to.sequence),
        count => format!("{count} entries, {} to {}", all.from.sequence + 1, all.to.sequence),
    };
    match &all.broken {
        Some(broken) => {
            let sign = ui.paint(Stream::Data, Tone::Bad, "broken");
            ui.line(&format!("{sign} at entry {}: {}", broken.sequence, broken.reason))?;
            ui.line(&format!("whole before that: {stretch}"))?;
        }
        None => {
            let sign = ui.paint(Stream::Data, Tone::Good, "whole");
            ui.line(&format!("{sign}: {stretch}"))?;
            ui.line(&format!("mark:  {}", all.to))?;
            ui.say("keep the mark elsewhere, and check later that it still holds: orchctl audit verify --kept MARK");
        }
    }
    if let Some(kept) = kept.filter(|kept| kept.sequence < all.from.sequence) {
        ui.warn(&format!(
            "the entry of the mark, {}, was dropped since, as old enough; the mark says nothing any more",
            kept.sequence
        ));
    }
    Ok(())
}
