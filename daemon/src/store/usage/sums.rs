//! Calls summed up by who, where, what and when.

use std::collections::BTreeMap;

use orch_shared::allowance::start_of;
use orch_shared::money::Money;
use orch_shared::resource::Timestamp;
use orch_shared::usage::{By, Group, Key, Latency, Sums, Tokens};

use crate::store::sql::{Builder, Record};
use crate::store::{Error, Store};

/// Which calls are summed up, and by what. An absent field does not narrow.
#[derive(Debug, Clone, Default)]
pub struct UsageQuery {
    /// By what; by nothing, there is one group of all of them.
    pub by: Vec<By>,
    /// Who asked.
    pub user: Option<String>,
    /// With which token.
    pub token: Option<String>,
    /// For which project.
    pub project: Option<String>,
    /// Only for one of these projects.
    pub within: Option<Vec<String>>,
    /// Which Llm answered.
    pub llm: Option<String>,
    /// Which agent asked.
    pub agent: Option<String>,
    /// From then on.
    pub from: Option<Timestamp>,
    /// Before then.
    pub to: Option<Timestamp>,
}

/// The column that a group has in common; a day is a number, as in both databases division of whole numbers is.
const fn column(by: By) -> &'static str {
    match by {
        By::User => "u.principal",
        By::Token => "u.token",
        By::Project => "u.project",
        By::Llm => "u.llm",
        By::Agent => "u.agent",
        By::Day => "u.made_at / 86400000",
    }
}

/// Sums in the making: those of each currency come in a row of their own.
#[derive(Debug, Default)]
struct Making {
    sums: Sums,
    latency: Ranks,
    first_token: Ranks,
}

/// How long calls took, in the making.
#[derive(Debug, Default)]
struct Ranks {
    p50_us: Option<i64>,
    p95_us: Option<i64>,
    max_us: Option<i64>,
}

impl Store {
    /// Sums of the calls that fit, one group for each combination of what they are summed up by: by day, oldest first, then by
    /// tokens, most first. Without calls, there is no group.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn usage(&self, query: &UsageQuery) -> Result<Vec<Group>, Error> {
        let statement = select(query).finish();
        let mut groups: BTreeMap<Key, Making> = BTreeMap::new();
        self.observed("usage", async {
            let mut reader = self.readers().acquire().await?;
            let mut session = reader.session();
            session
                .each(statement, |record| {
                    let making = groups.entry(key(&record, &query.by)?).or_default();
                    making.add(&record, query.by.len())
                })
                .await
        })
        .await?;
        let mut groups: Vec<Group> = groups
            .into_iter()
            .map(|(key, making)| Group {
                key,
                sums: making.made(),
            })
            .collect();
        groups.sort_by(|one, other| {
            let tokens = |group: &Group| group.sums.tokens.input + group.sums.tokens.output;
            let by_day = one.key.day.cmp(&other.key.day);
            by_day.then_with(|| tokens(other).cmp(&tokens(one)))
        });
        Ok(groups)
    }
}

/// The figures of half and of nineteen in twenty are those of the call at that rank, among those of its group that did not
/// fail, and of the streams among them whose first token was seen: both databases count ranks alike.
fn select(query: &UsageQuery) -> Builder<'_> {
    let failed = "CASE WHEN u.status >= 400 THEN 1 ELSE 0 END";
    let timed = "CASE WHEN u.status < 400 AND u.first_token_us IS NOT NULL THEN 1 ELSE 0 END";
    let columns: Vec<&str> = query.by.iter().copied().map(column).collect();
    let named = |(index, column): (usize, &&str)| format!("{column} AS k{index}, ");
    let inner: String = columns.iter().enumerate().map(named).collect();
    let outer: String = (0..columns.len()).map(|index| format!("w.k{index}, ")).collect();
    let ranked: String = columns.iter().map(|column| format!("{column}, ")).collect();
    let mut builder = Builder::default();
    builder.push(&format!(
        "SELECT {outer}w.currency, COUNT(*), CAST(SUM(w.failed) AS BIGINT), CAST(SUM(w.input_tokens) AS BIGINT), \
         CAST(SUM(w.cached_tokens) AS BIGINT), CAST(SUM(w.output_tokens) AS BIGINT), CAST(SUM(w.cost) AS BIGINT), \
         MIN(CASE WHEN w.failed = 0 AND w.place * 100 >= w.places * 50 THEN w.latency_us END), \
         MIN(CASE WHEN w.failed = 0 AND w.place * 100 >= w.places * 95 THEN w.latency_us END), \
         MAX(CASE WHEN w.failed = 0 THEN w.latency_us END), \
         MIN(CASE WHEN w.timed = 1 AND w.first_place * 100 >= w.first_places * 50 THEN w.first_token_us END), \
         MIN(CASE WHEN w.timed = 1 AND w.first_place * 100 >= w.first_places * 95 THEN w.first_token_us END), \
         MAX(CASE WHEN w.timed = 1 THEN w.first_token_us END) FROM \
         (SELECT {inner}u.currency, u.input_tokens, u.cached_tokens, u.output_tokens, u.cost, u.latency_us, \
         u.first_token_us, {failed} AS failed, {timed} AS timed, \
         ROW_NUMBER() OVER (PARTITION BY {ranked}{failed} ORDER BY u.latency_us) AS place, \
         COUNT(*) OVER (PARTITION BY {ranked}{failed}) AS places, \
         ROW_NUMBER() OVER (PARTITION BY {ranked}{timed} ORDER BY u.first_token_us) AS first_place, \
         COUNT(*) OVER (PARTITION BY {ranked}{timed}) AS first_places FROM inference_usage u WHERE 1 = 1"
    ));
    for (column, word) in [
        ("u.principal", &query.user),
        ("u.token", &query.token),
        ("u.project", &query.project),
        ("u.llm", &query.llm),
        ("u.agent", &query.agent),
    ] {
        if let Some(word) = word {
            builder.push(&format!(" AND {column} = ")).place(word);
        }
    }
    if let Some(projects) = &query.within {
        // None of no projects.
        builder.push(" AND (1 = 0");
        for project in projects {
            builder.push(" OR u.project = ").place(project);
        }
        builder.push(")");
    }
    if let Some(from) = query.from {
        builder.push(" AND u.made_at >= ").place(from.millis());
    }
    if let Some(to) = query.to {
        builder.push(" AND u.made_at < ").place(to.millis());
    }
    builder.push(&format!(") AS w GROUP BY {outer}w.currency"));
    builder
}

fn key(record: &Record<'_>, by: &[By]) -> Result<Key, Error> {
    let mut key = Key::default();
    for (column, by) in by.iter().enumerate() {
        *key.place(*by) = match by {
            By::Day => record.maybe_integer(column)?.map(date),
            By::User | By::Token | By::Project | By::Llm | By::Agent => record.maybe_text(column)?.map(str::to_owned),
        };
    }
    Ok(key)
}

/// A day as people write it: what stands before the time of the instant at which it begins.
fn date(day: i64) -> String {
    let mut text = start_of(day).to_string();
    text.truncate(text.find('T').unwrap_or(text.len()));
    text
}

impl Making {
    /// Adds a row, whose sums begin at that column.
    fn add(&mut self, record: &Record<'_>, at: usize) -> Result<(), Error> {
        self.sums.requests += record.integer(at + 1)?;
        self.sums.failed += record.integer(at + 2)?;
        self.sums.tokens = Tokens {
            input: self.sums.tokens.input + record.integer(at + 3)?,
            cached: self.sums.tokens.cached + record.integer(at + 4)?,
            output: self.sums.tokens.output + record.integer(at + 5)?,
        };
        if let Some(currency) = record.maybe_text(at)? {
            self.sums.cost.push(Money {
                nanos: record.integer(at + 6)?,
                currency: currency.to_owned(),
            });
        }
        self.latency.add(record, at + 7)?;
        self.first_token.add(record, at + 10)
    }

    fn made(mut self) -> Sums {
        self.sums.cost.sort_by(|one, other| one.currency.cmp(&other.currency));
        self.sums.latency = self.latency.made();
        self.sums.first_token = self.first_token.made();
        self.sums
    }
}

impl Ranks {
    /// Adds those of a row, which begin at that column. Ranks are counted without regard to currencies, so that the least of
    /// all rows is that of the group.
    fn add(&mut self, record: &Record<'_>, at: usize) -> Result<(), Error> {
        let least = |known: Option<i64>, found: Option<i64>| known.into_iter().chain(found).min();
        self.p50_us = least(self.p50_us, record.maybe_integer(at)?);
        self.p95_us = least(self.p95_us, record.maybe_integer(at + 1)?);
        self.max_us = self.max_us.max(record.maybe_integer(at + 2)?);
        Ok(())
    }

    fn made(self) -> Option<Latency> {
        let Self { p50_us, p95_us, max_us } = self;
        Some(Latency {
            p50_us: p50_us?,
            p95_us: p95_us?,
            max_us: max_us?,
        })
    }
}
