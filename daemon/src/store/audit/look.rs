//! Looking at the audit log: entries by who, where, what and when, and what was done in each session.

use orch_shared::audit::{Decision, Entry, Outcome, Row, RowKind, Session, Target};
use orch_shared::kind::Kind;
use orch_shared::resource::Timestamp;

use super::{COLUMNS, DECISIONS};
use crate::store::sql::{Builder, Record};
use crate::store::{Error, Store};

/// Which entries are wanted. An absent field does not narrow.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Who asked, in its own name or in another one.
    pub user: Option<String>,
    /// By which token.
    pub token: Option<String>,
    /// In which project.
    pub project: Option<String>,
    /// In which session.
    pub session: Option<String>,
    /// What the row is about.
    pub kind: Option<RowKind>,
    /// What was asked for.
    pub verb: Option<String>,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// About which kind, and which object of it.
    pub target: Option<(Kind, Option<String>)>,
    /// From then on.
    pub from: Option<Timestamp>,
    /// Before then.
    pub to: Option<Timestamp>,
    /// Before that entry.
    pub before: Option<i64>,
    /// Behind that entry.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// Which sessions are wanted.
#[derive(Debug, Clone, Default)]
pub struct SessionQuery {
    /// Of which principal.
    pub user: Option<String>,
    /// In which project.
    pub project: Option<String>,
    /// By what happened from then on.
    pub from: Option<Timestamp>,
    /// By what happened before then.
    pub to: Option<Timestamp>,
    /// At most so many.
    pub limit: u32,
}

/// Which end of what fits is told when not all of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Oldest,
    Newest,
}

impl Store {
    /// The newest entries that fit, oldest first; behind a given one, the oldest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<Entry>, Error> {
        let end = match query.after {
            Some(_) => End::Oldest,
            None => End::Newest,
        };
        let account = query.user.as_deref().map(account);
        let mut builder = Builder::default();
        builder.push(&format!("SELECT {COLUMNS} FROM audit a WHERE 1 = 1"));
        if let (Some(user), Some(account)) = (&query.user, &account) {
            builder.push(" AND (a.principal = ").place(user);
            builder.push(" OR a.principal = ").place(account);
            builder.push(" OR a.via = ").place(user);
            builder.push(" OR a.via = ").place(account).push(")");
        }
        let words = [
            ("a.token", query.token.as_deref()),
            ("a.project", query.project.as_deref()),
            ("a.session", query.session.as_deref()),
            ("a.row_kind", query.kind.map(RowKind::as_str)),
            ("a.action", query.verb.as_deref()),
            ("a.outcome", query.outcome.map(Outcome::as_str)),
            ("a.kind", query.target.as_ref().map(|(kind, _)| kind.as_str())),
            ("a.name", query.target.as_ref().and_then(|(_, name)| name.as_deref())),
        ];
        equal(&mut builder, &words);
        between(&mut builder, query.from, query.to);
        if let Some(before) = query.before {
            builder.push(" AND a.sequence < ").place(before);
        }
        if let Some(after) = query.after {
            builder.push(" AND a.sequence > ").place(after);
        }
        builder.push(match end {
            End::Oldest => " ORDER BY a.sequence LIMIT ",
            End::Newest => " ORDER BY a.sequence DESC LIMIT ",
        });
        builder.place(i64::from(query.limit));
        let statement = builder.finish();
        let mut entries = self
            .observed("audit", async {
                let mut reader = self.readers().acquire().await?;
                reader.session().all(statement, |record| legible(&record)).await
            })
            .await?;
        if end == End::Newest {
            entries.reverse();
        }
        Ok(entries)
    }

    /// What was done in each session, and outside of any, by project and principal; those used last first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit_sessions(&self, query: &SessionQuery) -> Result<Vec<Session>, Error> {
        let account = query.user.as_deref().map(account);
        let mut builder = Builder::default();
        builder.push(
            "SELECT a.project, a.principal, a.session, MAX(a.client), MIN(a.made_at), MAX(a.made_at), COUNT(*), \
             COUNT(CASE WHEN a.row_kind IN ('tool_call', 'llm_inference_call') THEN 1 END), \
             COUNT(CASE WHEN a.outcome <> 'allowed' THEN 1 END) FROM audit a WHERE 1 = 1",
        );
        // Nothing was begun by a login that failed; whose name was tried may be nobody.
        builder.push(" AND NOT (a.row_kind = 'login' AND a.action = 'login' AND a.outcome <> 'allowed')");
        if let (Some(user), Some(account)) = (&query.user, &account) {
            builder.push(" AND (a.principal = ").place(user);
            builder.push(" OR a.principal = ").place(account).push(")");
        }
        equal(&mut builder, &[("a.project", query.project.as_deref())]);
        between(&mut builder, query.from, query.to);
        builder.push(" GROUP BY a.project, a.principal, a.session ORDER BY MAX(a.made_at) DESC LIMIT ");
        builder.place(i64::from(query.limit));
        let statement = builder.finish();
        let read = |record: Record<'_>| {
            Ok(Session {
                project: record.maybe_text(0)?.map(str::to_owned),
                principal: record.text(1)?.to_owned(),
                session: record.maybe_text(2)?.map(str::to_owned),
                client: record.maybe_text(3)?.map(str::to_owned),
                first: Timestamp::from_millis(record.integer(4)?),
                last: Timestamp::from_millis(record.integer(5)?),
                rows: record.integer(6)?,
                calls: record.integer(7)?,
                errors: record.integer(8)?,
            })
        };
        self.observed("audit", async {
            self.readers().acquire().await?.session().all(statement, read).await
        })
        .await
    }
}

/// What a service account of that name is called, which may be meant just as well as a user.
fn account(name: &str) -> String {
    format!("serviceaccount/{name}")
}

fn equal<'q>(builder: &mut Builder<'q>, words: &[(&str, Option<&'q str>)]) {
    for (column, word) in words {
        if let Some(word) = *word {
            builder.push(&format!(" AND {column} = ")).place(word);
        }
    }
}

fn between(builder: &mut Builder<'_>, from: Option<Timestamp>, to: Option<Timestamp>) {
    if let Some(from) = from {
        builder.push(" AND a.made_at >= ").place(from.millis());
    }
    if let Some(to) = to {
        builder.push(" AND a.made_at < ").place(to.millis());
    }
}

/// Reads an entry; one that somebody has spoilt hides no other.
fn legible(record: &Record<'_>) -> Result<Entry, Error> {
    match entry(record) {
        Err(Error::Broken { detail }) => Ok(Entry {
            sequence: record.integer(0)?,
            at: Timestamp::from_millis(record.integer(1)?),
            row: Row {
                outcome: Outcome::Failed,
                detail: format!("this entry cannot be read: {detail}"),
                ..Row::new(RowKind::Request, "unknown")
            },
            hash: record.text(21)?.to_owned(),
        }),
        read => read,
    }
}

/// Reads an entry from the columns of [`COLUMNS`].
pub(super) fn entry(record: &Record<'_>) -> Result<Entry, Error> {
    let text = |column: usize| Ok::<_, Error>(record.maybe_text(column)?.map(str::to_owned));
    let target = match text(8)? {
        None => None,
        Some(kind) => Some(Target {
            kind,
            name: text(9)?,
            scope: text(10)?.unwrap_or_default(),
        }),
    };
    let decision = match record.maybe_text(13)? {
        None => None,
        Some(word) => {
            let known = DECISIONS.iter().find(|(known, _)| *known == word);
            let (_, allowed) = known.ok_or_else(|| Error::broken(format!("an audit entry holds `{word}`")))?;
            let rule = text(14)?.unwrap_or_default();
            Some(Decision {
                allowed: *allowed,
                rule,
            })
        }
    };
    let row = Row {
        kind: record.parsed(2)?,
        principal: record.text(3)?.to_owned(),
        token: text(4)?,
        via: text(5)?,
        session: text(6)?,
        verb: record.text(7)?.to_owned(),
        target,
        item: text(11)?,
        project: text(12)?,
        decision,
        outcome: record.parsed(15)?,
        status: record.maybe_integer(16)?.and_then(|status| u16::try_from(status).ok()),
        duration_us: record.maybe_integer(17)?,
        request_id: text(18)?,
        client: text(19)?,
        detail: record.text(20)?.to_owned(),
    };
    Ok(Entry {
        sequence: record.integer(0)?,
        at: Timestamp::from_millis(record.integer(1)?),
        row,
        hash: record.text(21)?.to_owned(),
    })
}
