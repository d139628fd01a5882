//! Events in every form of `-o`. They are no objects: they have no spec and no labels, and nobody declares them.

use orch_shared::kinds::API_VERSION;
use orch_shared::manifest::to_yaml_stream;
use orch_shared::query::{Event, Severity};
use serde_json::{Value, json};

use super::listing::{self, Number};
use super::output::Output;
use super::table::{Piece, draw};
use super::{age, cell, document};
use crate::ui::Tone;

/// The events' text. Of the view, what concerns only objects plays no part.
pub(crate) fn text(view: &listing::View<'_>, events: &[Event], number: Number) -> String {
    match view.output {
        Output::Table | Output::Wide => table(view, events),
        Output::Yaml => to_yaml_stream(&events.iter().map(value).collect::<Vec<_>>()),
        Output::Json => document::json(&list(events, number)),
        Output::Name => events.iter().map(|event| format!("event/{}\n", event.id)).collect(),
        Output::Jsonpath(template) => template.render(&list(events, number)),
        Output::Columns(columns) => {
            let values: Vec<Value> = events.iter().map(value).collect();
            listing::chosen(view, columns, values.iter())
        }
    }
}

/// An event as templates, columns and selectors see it.
pub(crate) fn value(event: &Event) -> Value {
    serde_json::to_value(event).expect("events are plain data")
}

fn list(events: &[Event], number: Number) -> Value {
    match (number, events) {
        (Number::One, [event]) => value(event),
        (Number::One | Number::Many, events) => json!({
            "apiVersion": API_VERSION,
            "kind": "List",
            "items": events.iter().map(value).collect::<Vec<_>>(),
        }),
    }
}

fn table(view: &listing::View<'_>, events: &[Event]) -> String {
    let is_wide = matches!(view.output, Output::Wide);
    let titles: &[&str] = match is_wide {
        true => &["WHEN", "TYPE", "OBJECT", "REASON", "ID", "COUNT", "FIRST", "MESSAGE"],
        false => &["WHEN", "TYPE", "OBJECT", "REASON", "MESSAGE"],
    };
    let row = |event: &Event| {
        let tone = match event.severity {
            Severity::Normal => Tone::Plain,
            Severity::Warning => Tone::Warn,
        };
        let message = age::spoken(view.now, &cell::one_line(&event.message));
        let repeated = match event.count {
            count if count > 1 && !is_wide => format!("{message} (x{count})"),
            _ => message,
        };
        let mut row = vec![
            Piece::plain(age::local(view.now, event.last_at)),
            Piece {
                text: event.severity.to_string(),
                tone,
            },
            Piece::plain(event.object.to_string()),
            Piece::plain(cell::one_line(&event.reason)),
        ];
        if is_wide {
            row.extend([
                Piece::plain(event.id.to_string()),
                Piece::plain(event.count.to_string()),
                Piece::plain(age::local(view.now, event.first_at)),
            ]);
        }
        row.push(Piece::plain(repeated));
        row
    };
    draw(titles, events.iter().map(row).collect(), view.style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::listing::{LabelColumn, ScopeColumn, StatusPart};
    use crate::render::table::{Heading, Style};

    fn check(output: &str, number: Number, expected: &str) {
        let event: Event = serde_json::from_value(json!({
            "id": 17, "ref": {"kind": "Server", "name": "files"}, "uid": "u", "severity": "Warning",
            "reason": "CrashLoop", "message": "exit 1\nand more", "count": 3,
            "firstAt": "2026-11-20T00:00:00.000Z", "lastAt": "2026-11-20T01:00:00.000Z",
        }))
        .unwrap();
        let view = listing::View {
            output: &output.parse().unwrap(),
            style: Style {
                heading: Heading::Hidden,
                color: false,
                width: None,
                columns: None,
            },
            scopes: ScopeColumn::Hidden,
            labels: LabelColumn::Hidden,
            status: StatusPart::Hidden,
            now: "2026-11-20T01:00:00.000Z".parse().unwrap(),
        };
        let found = text(&view, &[event], number);
        // Times of day are the reader's.
        assert!(found.ends_with(expected), "{output}: {found}");
    }

    #[test]
    fn events_have_every_form() {
        check(
            "table",
            Number::Many,
            "Warning   server/files   CrashLoop   exit 1 (x3)\n",
        );
        check("wide", Number::Many, "   exit 1\n");
        check("name", Number::Many, "event/17\n");
        check("jsonpath={.items[*].ref.name}", Number::Many, "files");
        check("jsonpath={.reason}", Number::One, "CrashLoop");
        check("custom-columns=O:.ref.kind,C:.count", Number::Many, "Server   3\n");
    }
}
