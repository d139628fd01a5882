//! The one way to speak SQL to two databases: a statement is a text with `$1` places and values for them, and a value is
//! TEXT or BIGINT, since the schema has no other types.
//!
//! Everything above is written once. Only this file, `connection.rs` and `schema.rs` tell SQLite and PostgreSQL apart.

use std::borrow::Cow;
use std::fmt::Write;
use std::str::FromStr;
use std::sync::Arc;

use futures_util::TryStreamExt;
use orch_shared::name::ObjectRef;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _, SqlSafeStr, SqlStr};

use super::Error;

/// What goes into a place of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'v> {
    Text(Option<Cow<'v, str>>),
    Integer(Option<i64>),
}

macro_rules! value_from {
    ($($from:ty => |$given:ident| $value:expr;)*) => {
        $(impl<'v> From<$from> for Value<'v> {
            fn from($given: $from) -> Self {
                $value
            }
        })*
    };
}

value_from! {
    &'v str => |text| Self::Text(Some(text.into()));
    &'v String => |text| Self::Text(Some(text.into()));
    String => |text| Self::Text(Some(text.into()));
    Option<&'v str> => |text| Self::Text(text.map(Cow::Borrowed));
    Option<String> => |text| Self::Text(text.map(Cow::Owned));
    i64 => |number| Self::Integer(Some(number));
    Option<i64> => |number| Self::Integer(number);
}

/// A statement with the values for its places. Connections keep it prepared for the next time.
#[derive(Debug)]
pub(super) struct Statement<'v> {
    text: Text,
    values: Vec<Value<'v>>,
}

/// What a statement says.
#[derive(Debug)]
enum Text {
    /// The same to either database.
    Plain(SqlStr),
    /// `{before} VALUES (…), (…) {after}`, with so many rows of so many places.
    Rows {
        before: Cow<'static, str>,
        rows: usize,
        width: usize,
        after: Cow<'static, str>,
    },
}

/// A statement whose text is always the same.
pub(super) fn sql<'v>(text: &'static str) -> Statement<'v> {
    Statement {
        text: Text::Plain(text.into_sql_str()),
        values: Vec::new(),
    }
}

impl<'v> Statement<'v> {
    /// Puts a value into the next place.
    pub(super) fn bind(mut self, value: impl Into<Value<'v>>) -> Self {
        self.values.push(value.into());
        self
    }
}

/// How many places one statement of [`Rows`] has at most: so many that what a statement costs by itself does not count, and
/// so few that one that is kept prepared is small.
const PLACES_PER_STATEMENT: usize = 256;

/// Rows of values for a statement that handles many at once.
#[derive(Debug)]
pub(super) struct Rows<'v> {
    width: usize,
    values: Vec<Value<'v>>,
}

impl<'v> Rows<'v> {
    /// No rows yet, of so many columns.
    pub(super) const fn of(width: usize) -> Self {
        Self {
            width,
            values: Vec::new(),
        }
    }

    pub(super) fn push<const N: usize>(&mut self, row: [Value<'v>; N]) {
        debug_assert_eq!(N, self.width, "a row has as many values as the statement has columns");
        self.values.extend(row);
    }

    /// The statements `{before} VALUES (…), (…) {after}` that together take all rows. Values in `after` stand behind the
    /// rows' own, so they are written as literals.
    ///
    /// A statement takes as many rows as fit, or half of that, or a quarter, and so on: so there are few texts that come again
    /// and again, and all of them are kept prepared. To prepare one takes longer than to run it.
    pub(super) fn statements(
        self,
        before: impl Into<Cow<'static, str>>,
        after: impl Into<Cow<'static, str>>,
    ) -> Vec<Statement<'v>> {
        let (before, after) = (before.into(), after.into());
        let Self { width, values } = self;
        let mut left = values.len() / width;
        let mut most = PLACES_PER_STATEMENT / width;
        let mut values = values.into_iter();
        let mut statements = Vec::new();
        while left > 0 {
            let rows = most.max(1);
            if rows > left {
                most /= 2;
                continue;
            }
            left -= rows;
            statements.push(Statement {
                text: Text::Rows {
                    before: before.clone(),
                    rows,
                    width,
                    after: after.clone(),
                },
                values: values.by_ref().take(rows * width).collect(),
            });
        }
        statements
    }
}

/// How places are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Places {
    /// `?`. SQLite's driver asks for the name of each place, and SQLite looks for a name among all of them; these have none.
    Nameless,
    /// `$1`.
    Numbered,
}

impl Text {
    fn written(self, places: Places) -> SqlStr {
        match self {
            Self::Plain(text) => text,
            Self::Rows {
                before,
                rows,
                width,
                after,
            } => AssertSqlSafe(values_text(&before, (rows, width), &after, places)).into_sql_str(),
        }
    }
}

fn values_text(before: &str, (rows, width): (usize, usize), after: &str, places: Places) -> String {
    let mut text = String::with_capacity(before.len() + after.len() + 10 + rows * width * 7);
    text.push_str(before);
    text.push_str(" VALUES ");
    let mut place = 0;
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..width {
            place += 1;
            text.push_str(if column == 0 { "" } else { ", " });
            match places {
                Places::Nameless => text.push('?'),
                Places::Numbered => write!(text, "${place}").expect("a String takes everything"),
            }
        }
        text.push(')');
    }
    text.push(' ');
    text.push_str(after);
    text
}

/// A statement put together from conditions, for lists.
#[derive(Debug, Default)]
pub(super) struct Builder<'v> {
    text: String,
    values: Vec<Value<'v>>,
}

impl<'v> Builder<'v> {
    /// Appends literal SQL.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a place with its value.
    pub(super) fn place(&mut self, value: impl Into<Value<'v>>) -> &mut Self {
        self.values.push(value.into());
        write!(self.text, "${}", self.values.len()).expect("a String takes everything");
        self
    }

    /// Appends `(…, …)` with a place for each value; `(NULL)`, which nothing is in, when there are none.
    pub(super) fn places<V: Into<Value<'v>>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        self.push("(");
        let before = self.values.len();
        for value in values {
            if self.values.len() > before {
                self.push(", ");
            }
            self.place(value);
        }
        let end = if self.values.len() == before { "NULL)" } else { ")" };
        self.push(end)
    }

    pub(super) fn finish(self) -> Statement<'v> {
        Statement {
            text: Text::Plain(AssertSqlSafe(self.text).into_sql_str()),
            values: self.values,
        }
    }
}

/// A connection, borrowed for some statements.
#[derive(Debug)]
pub(super) enum Session<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// Runs the same body for either database; `$record` makes a [`Record`] of its rows.
macro_rules! on {
    ($session:expr, |$connection:ident, $places:ident $(, $record:ident)?| $body:expr) => {
        match $session {
            Session::Sqlite($connection) => {
                let $places = Places::Nameless;
                $(use Record::Sqlite as $record;)?
                $body
            }
            Session::Postgres($connection) => {
                let $places = Places::Numbered;
                $(use Record::Postgres as $record;)?
                $body
            }
        }
    };
}

/// Binds the values of a statement for whichever database the connection is to.
macro_rules! bound {
    ($statement:expr, $places:expr) => {{
        let statement = $statement;
        let mut query = sqlx::query(statement.text.written($places));
        for value in statement.values {
            query = match value {
                Value::Text(text) => query.bind(text.map(Arc::<str>::from)),
                Value::Integer(number) => query.bind(number),
            };
        }
        query
    }};
}

impl Session<'_> {
    /// Runs a statement and tells how many rows it touched.
    pub(super) async fn run(&mut self, statement: Statement<'_>) -> Result<u64, Error> {
        on!(self, |connection, places| {
            Ok(bound!(statement, places)
                .execute(&mut **connection)
                .await?
                .rows_affected())
        })
    }

    /// Runs one or more statements without values, in one exchange.
    pub(super) async fn run_script(&mut self, script: &'static str) -> Result<(), Error> {
        on!(self, |connection, _places| {
            sqlx::raw_sql(script).execute(&mut **connection).await?;
            Ok(())
        })
    }

    /// Frees the pages that a connection keeps of the database and can read again. PostgreSQL's are its own affair.
    pub(super) async fn shrink(&mut self) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => self.run_script("PRAGMA shrink_memory").await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Hands each row to `take` as it comes.
    pub(super) async fn each(
        &mut self,
        statement: Statement<'_>,
        mut take: impl FnMut(Record<'_>) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        on!(self, |connection, places, record| {
            let mut rows = bound!(statement, places).fetch(&mut **connection);
            while let Some(row) = rows.try_next().await? {
                take(record(&row))?;
            }
            Ok(())
        })
    }

    /// Every row.
    pub(super) async fn all<T: Send>(
        &mut self,
        statement: Statement<'_>,
        mut read: impl FnMut(Record<'_>) -> Result<T, Error> + Send,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        self.each(statement, |record| {
            all.push(read(record)?);
            Ok(())
        })
        .await?;
        Ok(all)
    }

    /// The first row, when there is one.
    pub(super) async fn first<T: Send>(
        &mut self,
        statement: Statement<'_>,
        mut read: impl FnMut(Record<'_>) -> Result<T, Error> + Send,
    ) -> Result<Option<T>, Error> {
        let mut first = None;
        self.each(statement, |record| {
            if first.is_none() {
                first = Some(read(record)?);
            }
            Ok(())
        })
        .await?;
        Ok(first)
    }
}

/// One row of an answer. Columns are counted from 0.
#[derive(Clone, Copy)]
pub(super) enum Record<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

impl<'r> Record<'r> {
    pub(super) fn maybe_text(&self, column: usize) -> Result<Option<&'r str>, Error> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn text(&self, column: usize) -> Result<&'r str, Error> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn maybe_integer(&self, column: usize) -> Result<Option<i64>, Error> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn integer(&self, column: usize) -> Result<i64, Error> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// A kind, name or scope: text that was checked before it was stored.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(&self, column: usize) -> Result<T, Error> {
        let text = self.text(column)?;
        text.parse()
            .map_err(|error| Error::broken(format!("a stored row holds `{text}`: {error}")))
    }

    /// Kind, scope and name in three columns.
    pub(super) fn object(&self, at: usize) -> Result<ObjectRef, Error> {
        Ok(ObjectRef {
            kind: self.parsed(at)?,
            scope: self.parsed(at + 1)?,
            name: self.parsed(at + 2)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_statements() {
        let mut rows = Rows::of(2);
        for number in 0..300_i64 {
            rows.push([number.into(), "x".into()]);
        }
        let statements = rows.statements("INSERT INTO t (a, b)", "RETURNING a");
        let shape: Vec<_> = statements.iter().map(|statement| statement.values.len()).collect();
        assert_eq!(shape, [256, 256, 64, 16, 8]);
        for (places, text) in [
            (
                Places::Numbered,
                "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) RETURNING a",
            ),
            (
                Places::Nameless,
                "INSERT INTO t (a, b) VALUES (?, ?), (?, ?) RETURNING a",
            ),
        ] {
            assert_eq!(values_text("INSERT INTO t (a, b)", (2, 2), "RETURNING a", places), text);
        }
    }

    #[test]
    fn conditions_number_their_places() {
        let mut builder = Builder::default();
        builder
            .push("a = ")
            .place("x")
            .push(" AND b IN ")
            .places([1_i64, 2])
            .push(" AND c IN ")
            .places::<i64>([]);
        assert_eq!(builder.text, "a = $1 AND b IN ($2, $3) AND c IN (NULL)");
        assert_eq!(builder.finish().values, ["x".into(), 1_i64.into(), Value::from(2_i64)]);
    }
}
