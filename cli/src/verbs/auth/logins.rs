//! `auth logins`: the logins that are open, and how they are ended.

use clap::{Args, Subcommand};
use orch_shared::identity::OpenLogins;
use orch_shared::resource::Timestamp;
use orch_shared::route;

use crate::client::Call;
use crate::render::age;
use crate::render::cell::NOTHING;
use crate::render::document::{self, Format};
use crate::render::table::{Heading, Piece, Style, draw};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::Tone;

/// The logins that are open.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum What {
    /// End logins: one's own, and those of others with the operation `sessions`
    End {
        /// Ids, as `auth logins` shows them
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
}

/// Shows or ends logins.
pub(super) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    match &arguments.what {
        Some(What::End { ids }) => {
            for id in ids {
                end(settings, id)?;
            }
        }
        None => list(arguments, settings)?,
    }
    Ok(Outcome::Done)
}

fn end(settings: &Settings, id: &str) -> Result<(), Failure> {
    // A credential that is pasted here by mistake is neither sent in an address nor repeated.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if id.is_empty() || !id.chars().all(is_plain) {
        return Err(Failure::usage("that is no id of a login").hint("see: orchctl auth logins"));
    }
    let call = Call::delete(route::login(id));
    settings.client()?.send(&settings.ui, &call)?;
    settings.ui.line(&format!("login {id}   ended"))
}

fn list(arguments: &Arguments, settings: &Settings) -> Result<(), Failure> {
    let answer = settings.client()?.send(&settings.ui, &Call::get(route::LOGINS))?;
    let open: OpenLogins = answer.json()?;
    if let Some(text) = document::text(arguments.output, &open) {
        return settings.ui.write(&text);
    }
    if open.items.is_empty() {
        settings.ui.say("no logins are open");
        return Ok(());
    }
    let now = settings.now();
    let ago = |then: Option<Timestamp>| then.map_or_else(|| NOTHING.to_owned(), |then| age::since(now, then));
    let rows = open.items.iter().map(|login| {
        let end = login.expires_at;
        vec![
            Piece {
                text: if login.is_this { "*" } else { "" }.to_owned(),
                tone: Tone::Good,
            },
            Piece::plain(&login.id),
            Piece::plain(&login.principal),
            Piece::plain(&login.name),
            Piece::plain(ago(Some(login.created_at))),
            Piece::plain(ago(login.last_used_at)),
            Piece::plain(end.map_or_else(|| "never".to_owned(), |end| age::ahead(end.since(now)))),
        ]
    });
    let style = Style::whole(&settings.ui, Heading::Shown);
    let titles = ["THIS", "ID", "WHO", "BY", "AGE", "LAST USED", "ENDS IN"];
    settings.ui.write(&draw(&titles, rows.collect(), style))
}
