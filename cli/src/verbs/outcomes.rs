//! What apply did or would do, drawn alike for `apply`, `plan` and `diff`.

use std::collections::HashMap;

use orch_shared::apply::{Outcome, Verdict};
use orch_shared::name::ObjectRef;
use serde_json::Value;

use crate::render::fields;
use crate::render::table::{Heading, Piece, Style, draw};
use crate::report::Failure;
use crate::settings::Settings;
use crate::ui::{Stream, Tone};

/// Whether something was done, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// It was done.
    Done,
    /// It would be.
    Would,
}

/// Writes a line per object, and what the user should know about it.
pub(super) fn show(
    settings: &Settings,
    outcomes: &[Outcome],
    manifests: &HashMap<ObjectRef, Value>,
) -> Result<(), Failure> {
    let rows = outcomes.iter().map(|outcome| {
        let changes = match outcome.verdict {
            Verdict::Configured => fields::changes(&outcome.changes, manifests.get(&outcome.object)),
            Verdict::Created | Verdict::Unchanged | Verdict::Pruned => String::new(),
        };
        let verdict = Piece {
            text: word(outcome.verdict).to_owned(),
            tone: tone(outcome.verdict),
        };
        vec![Piece::plain(outcome.object.to_string()), verdict, Piece::plain(changes)]
    });
    let style = Style {
        heading: Heading::Hidden,
        color: settings.ui.has_color(Stream::Data),
        width: None,
        columns: None,
    };
    settings.ui.write(&draw(&["", "", ""], rows.collect(), style))?;
    warn(settings, outcomes);
    Ok(())
}

/// Says what the user should know about objects.
pub(super) fn warn(settings: &Settings, outcomes: &[Outcome]) {
    for outcome in outcomes {
        for warning in &outcome.warnings {
            settings.ui.warn(&format!("{}: {warning}", outcome.object));
        }
    }
}

/// `4 changed, 1 unchanged`, or `1 to change, 0 to create, 4 unchanged`.
pub(super) fn summary(outcomes: &[Outcome], mood: Mood) -> String {
    let count = |verdict: Verdict| outcomes.iter().filter(|outcome| outcome.verdict == verdict).count();
    let (created, configured, unchanged, pruned) = (
        count(Verdict::Created),
        count(Verdict::Configured),
        count(Verdict::Unchanged),
        count(Verdict::Pruned),
    );
    match mood {
        Mood::Done => format!("{} changed, {unchanged} unchanged", created + configured + pruned),
        Mood::Would => {
            let pruned = if pruned > 0 {
                format!("{pruned} to prune, ")
            } else {
                String::new()
            };
            format!("{configured} to change, {created} to create, {pruned}{unchanged} unchanged")
        }
    }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Created => "created",
        Verdict::Configured => "configured",
        Verdict::Unchanged => "unchanged",
        Verdict::Pruned => "pruned",
    }
}

const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Created => Tone::Good,
        Verdict::Configured => Tone::Warn,
        Verdict::Unchanged => Tone::Dim,
        Verdict::Pruned => Tone::Bad,
    }
}
