//! `client list`: which clients there are, and what of ours is in their files.

use clap::Args;
use serde_json::json;

use super::{places, text_of};
use crate::clients::catalogue::{Client, Scope};
use crate::clients::edit;
use crate::clients::ledger::{self, Ledger, Record};
use crate::render::document;
use crate::render::table::{Heading, Piece, Style, draw};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::Tone;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Form: table or json
    #[arg(short, long, default_value = "table", value_parser = ["table", "json"])]
    output: String,
}

struct Row {
    client: String,
    entry: String,
    serves: String,
    state: &'static str,
    file: String,
}

/// Lists.
pub(super) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let ledger = Ledger::read()?;
    let places = places()?;
    let mut rows: Vec<Row> = ledger.records.iter().map(recorded).collect();
    for client in Client::ALL {
        for scope in [Scope::User, Scope::Project] {
            let Some(path) = client.file(scope, &places) else {
                continue;
            };
            let is_told = ledger.records.iter().any(|record| record.path == path);
            if path.exists() && !is_told {
                rows.push(Row {
                    client: client.as_str().to_owned(),
                    entry: "-".to_owned(),
                    serves: "-".to_owned(),
                    state: "not installed",
                    file: path.display().to_string(),
                });
            }
        }
    }
    if arguments.output == "json" {
        let items = rows.iter().map(|row| {
            json!({"client": row.client, "name": row.entry, "serves": row.serves, "state": row.state, "file": row.file})
        });
        let all = json!({"items": items.collect::<Vec<_>>()});
        settings.ui.write(&document::json(&all))?;
        return Ok(Outcome::Done);
    }
    if rows.is_empty() {
        let names = Client::ALL.map(Client::as_str).join(", ");
        settings.ui.say(&format!("no client was found; known are {names}"));
        return Ok(Outcome::Done);
    }
    let pieces = rows.into_iter().map(|row| {
        let tone = match row.state {
            "installed" => Tone::Good,
            "not installed" => Tone::Dim,
            _ => Tone::Warn,
        };
        vec![
            Piece::plain(row.client),
            Piece::plain(row.entry),
            Piece::plain(row.serves),
            Piece {
                text: row.state.to_owned(),
                tone,
            },
            Piece::plain(row.file),
        ]
    });
    let style = Style::whole(&settings.ui, Heading::Shown);
    let titles = ["CLIENT", "ENTRY", "SERVES", "STATE", "FILE"];
    settings.ui.write(&draw(&titles, pieces.collect(), style))?;
    Ok(Outcome::Done)
}

/// What has become of an entry of ours.
fn recorded(record: &Record) -> Row {
    let client = Client::named(&record.client);
    let state = match (text_of(&record.path), client) {
        (Ok(Some(text)), _) if ledger::fingerprint(&text) == record.fingerprint => "installed",
        (Ok(Some(text)), Some(client)) => match edit::entry(&text, client, &record.name) {
            Ok(Some(_)) => "installed",
            Ok(None) => "removed by hand",
            Err(_) => "cannot be read",
        },
        (Ok(None), _) => "removed by hand",
        (Ok(Some(_)) | Err(_), _) => "cannot be read",
    };
    Row {
        client: record.client.clone(),
        entry: record.name.clone(),
        serves: record.serves.clone(),
        state,
        file: record.path.display().to_string(),
    }
}
