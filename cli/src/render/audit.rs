//! Entries of the audit log as people read them: rows of a table, and one entry with everything.

use orch_shared::audit::{Entry, Outcome, Row, Session};
use orch_shared::resource::Timestamp;
use serde_json::Value;

use super::age;
use super::cell::{NOTHING, one_line};
use super::table::{Piece, Style, draw};
use crate::ui::Tone;

/// How much of an entry a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What is asked most.
    Most,
    /// Everything.
    All,
}

/// An entry as machines read it.
pub(crate) fn value(entry: &Entry) -> Value {
    serde_json::to_value(entry).expect("entries are plain data")
}

/// Entries as a table.
pub(crate) fn table(now: Timestamp, entries: &[Entry], detail: Detail, style: Style<'_>) -> String {
    let titles: &[&str] = match detail {
        Detail::Most => &["WHEN", "WHO", "TOKEN", "VERB", "TARGET", "OUTCOME", "TOOK", "DETAIL"],
        Detail::All => &[
            "ID", "WHEN", "KIND", "WHO", "TOKEN", "PROJECT", "SESSION", "CLIENT", "VERB", "TARGET", "RULE", "OUTCOME",
            "STATUS", "TOOK", "REQUEST", "DETAIL",
        ],
    };
    let row = |entry: &Entry| {
        let row = &entry.row;
        let maybe = |text: &Option<String>| Piece::plain(one_line(text.as_deref().unwrap_or(NOTHING)));
        let when = Piece::plain(age::local(now, entry.at));
        let who = Piece::plain(who(row));
        let verb = Piece::plain(one_line(&row.verb));
        let target = Piece::plain(about(row));
        let outcome = Piece {
            text: row.outcome.to_string(),
            tone: tone(row.outcome),
        };
        let took = Piece::plain(took(row));
        let said = Piece::plain(one_line(&row.detail));
        match detail {
            Detail::Most => vec![when, who, maybe(&row.token), verb, target, outcome, took, said],
            Detail::All => vec![
                Piece::plain(entry.sequence.to_string()),
                when,
                Piece::plain(row.kind.as_str()),
                who,
                maybe(&row.token),
                maybe(&row.project),
                maybe(&row.session),
                maybe(&row.client),
                verb,
                target,
                Piece::plain(rule(row)),
                outcome,
                Piece::plain(
                    row.status
                        .map_or_else(|| NOTHING.to_owned(), |status| status.to_string()),
                ),
                took,
                maybe(&row.request_id),
                said,
            ],
        }
    };
    draw(titles, entries.iter().map(row).collect(), style)
}

/// Sessions as a table.
pub(crate) fn sessions(now: Timestamp, sessions: &[Session], style: Style<'_>) -> String {
    let titles = [
        "PROJECT", "WHO", "SESSION", "CLIENT", "FIRST", "LAST", "CALLS", "ERRORS", "ROWS",
    ];
    let row = |session: &Session| {
        let maybe = |text: &Option<String>| Piece::plain(one_line(text.as_deref().unwrap_or(NOTHING)));
        vec![
            maybe(&session.project),
            Piece::plain(name(&session.principal)),
            maybe(&session.session),
            maybe(&session.client),
            Piece::plain(age::local(now, session.first)),
            Piece::plain(age::local(now, session.last)),
            Piece::plain(session.calls.to_string()),
            Piece {
                text: session.errors.to_string(),
                tone: if session.errors > 0 { Tone::Warn } else { Tone::Plain },
            },
            Piece::plain(session.rows.to_string()),
        ]
    };
    draw(&titles, sessions.iter().map(row).collect(), style)
}

/// An entry in one line, for a narrow list.
pub(crate) fn line(now: Timestamp, entry: &Entry) -> String {
    let row = &entry.row;
    let sign = match row.outcome {
        Outcome::Allowed => " ",
        Outcome::Denied => "!",
        Outcome::Failed => "x",
    };
    let when = age::local(now, entry.at);
    format!(
        "{sign} {when} {} {} {} {}",
        who(row),
        one_line(&row.verb),
        about(row),
        took(row)
    )
}

/// All of an entry: titles and what they say.
pub(crate) fn fields(now: Timestamp, entry: &Entry) -> Vec<(&'static str, String)> {
    let row = &entry.row;
    let maybe = |text: &Option<String>| text.as_deref().map(one_line).unwrap_or_default();
    let all = [
        ("Entry", entry.sequence.to_string()),
        ("When", format!("{} ({})", age::local(now, entry.at), entry.at)),
        ("Kind", row.kind.to_string()),
        ("Who", name(&row.principal)),
        ("Via", maybe(&row.via)),
        ("Token", maybe(&row.token)),
        ("Verb", one_line(&row.verb)),
        (
            "Target",
            row.target
                .as_ref()
                .map(|target| one_line(&target.to_string()))
                .unwrap_or_default(),
        ),
        ("Item", maybe(&row.item)),
        ("Project", maybe(&row.project)),
        ("Session", maybe(&row.session)),
        ("Client", maybe(&row.client)),
        ("Outcome", row.outcome.to_string()),
        ("Rule", row.decision.as_ref().map(|_| rule(row)).unwrap_or_default()),
        (
            "Status",
            row.status.map(|status| status.to_string()).unwrap_or_default(),
        ),
        ("Took", row.duration_us.map(|_| took(row)).unwrap_or_default()),
        ("Request", maybe(&row.request_id)),
        ("Detail", one_line(&row.detail)),
        ("Hash", one_line(&entry.hash)),
    ];
    all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// Whether it is good news.
const fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Allowed => Tone::Plain,
        Outcome::Denied => Tone::Bad,
        Outcome::Failed => Tone::Warn,
    }
}

/// A principal's name; nobody has none.
pub(crate) fn name(principal: &str) -> String {
    match principal {
        "" => NOTHING.to_owned(),
        name => one_line(name),
    }
}

/// Who asked, and in whose name.
fn who(row: &Row) -> String {
    match &row.via {
        None => name(&row.principal),
        Some(via) => format!("{} as {}", one_line(via), name(&row.principal)),
    }
}

/// What about: the object, and the tool or whatever else of it.
fn about(row: &Row) -> String {
    let target = row.target.as_ref().map(ToString::to_string);
    let parts: Vec<&str> = target.as_deref().into_iter().chain(row.item.as_deref()).collect();
    match parts[..] {
        [] => NOTHING.to_owned(),
        [..] => one_line(&parts.join(" ")),
    }
}

fn rule(row: &Row) -> String {
    match &row.decision {
        None => NOTHING.to_owned(),
        Some(decision) if decision.rule.is_empty() => {
            let word = if decision.allowed { "allowed" } else { "denied" };
            word.to_owned()
        }
        Some(decision) => one_line(&decision.rule),
    }
}

/// How long it took, with its unit.
fn took(row: &Row) -> String {
    let micros = row.duration_us.and_then(|micros| u64::try_from(micros).ok());
    micros.map_or_else(|| NOTHING.to_owned(), age::took)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::render::table::Heading;
    use orch_shared::audit::{Decision, RowKind, Target};

    /// An entry of a call.
    pub(crate) fn sample(sequence: i64) -> Entry {
        Entry {
            sequence,
            at: Timestamp::from_millis(1_764_000_000_000 + sequence * 1000),
            row: Row {
                principal: "anna".to_owned(),
                token: Some("ci".to_owned()),
                session: Some("0a1b2c3d4e5f".to_owned()),
                target: Some(Target {
                    kind: "Server".to_owned(),
                    name: Some("files".to_owned()),
                    scope: String::new(),
                }),
                item: Some("read_file".to_owned()),
                project: Some("web".to_owned()),
                client: Some("claude-code/2".to_owned()),
                duration_us: Some(1234),
                ..Row::new(RowKind::ToolCall, "tools/call")
            },
            hash: "5f".repeat(32),
        }
    }

    #[test]
    fn entries_are_told_in_rows() {
        let refused = Entry {
            row: Row {
                via: Some("root".to_owned()),
                decision: Some(Decision {
                    allowed: false,
                    rule: "needs reveal on secret/gitea".to_owned(),
                }),
                outcome: Outcome::Denied,
                status: Some(404),
                detail: "\u{1b}[2J".to_owned(),
                ..Row::new(RowKind::RbacDecision, "reveal")
            },
            ..sample(2)
        };
        let style = Style {
            heading: Heading::Hidden,
            color: false,
            width: None,
            columns: None,
        };
        let now = Timestamp::from_millis(1_764_000_000_000);
        let told = table(now, &[sample(1), refused.clone()], Detail::Most, style);
        assert!(
            told.contains("anna        ci   tools/call   server/files read_file   allowed   1.2 ms"),
            "{told}"
        );
        assert!(
            told.contains("root as -   -    reveal       -                        denied    -"),
            "{told}"
        );
        assert!(!told.contains('\u{1b}'), "{told:?}");
        let fields = fields(now, &refused);
        let rule = fields.iter().find(|(title, _)| *title == "Rule").unwrap();
        assert_eq!(rule.1, "needs reveal on secret/gitea");
    }
}
