//! Apply of many new objects in one set, from the request to the whole answer, beside inserting the very same rows into the
//! very same tables: one transaction, many rows to a statement, one sync.

use std::path::Path;
use std::time::{Duration, Instant};

use orch_daemon::admission;
use orch_shared::access::Principal;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, SqliteTransaction, TypeInfo as _, ValueRef as _,
};

use crate::amount::{median, timed};
use crate::ask::Effort;
use crate::ground::Ground;
use crate::objects::{self, servers, set_of};
use crate::report::{Holds, Line, Report};
use crate::support::daemon::Home;

const MOST: f64 = 5.0;
/// As many as the store puts into a statement.
const ROWS_PER_STATEMENT: usize = 128;

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let (count, rounds) = (effort.pick(1000, 10), effort.pick(7, 1));
    let request = set_of(servers("server", count));
    let body = serde_json::to_vec(&request).expect("plain data");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let tables = runtime.block_on(async {
        let ground = Ground::open(None, Duration::ZERO).await;
        let applied = admission::apply(&ground.admission, &Principal::daemon().into(), request).await;
        assert_eq!(applied.expect("the set is admitted").results.len(), count);
        Table::all(&ground.close().await.file()).await
    });
    let rows: usize = tables.iter().map(|table| table.rows.len()).sum();
    assert!(rows > 3 * count, "{rows} rows");

    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let home = Home::new().with(&["--log", "info"]).started();
        let sent = body.clone();
        ours.push(timed(|| objects::apply(&home, sent)).0);
        floor.push(runtime.block_on(insert(&tables)));
    }
    let (ours, floor) = (median(&ours), median(&floor));
    report.tell(
        Line::of(format!("apply of {count} new objects | insert of their {rows} rows"))
            .times(ours, floor)
            .target(
                format!("<= {MOST}x"),
                ours.as_secs_f64() <= MOST * floor.as_secs_f64(),
                Holds::Anywhere,
            ),
    );
}

/// A table's rows.
struct Table {
    name: String,
    rows: Vec<Vec<Value>>,
}

enum Value {
    Text(Option<String>),
    Integer(i64),
}

impl Table {
    /// Every table that an object has rows in, those first that others point at.
    async fn all(file: &Path) -> Vec<Self> {
        let mut connection = connect(file).await;
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('meta', '_sqlx_migrations')";
        let names = sqlx::query(names).fetch_all(&mut connection).await.expect("tables");
        let mut tables = Vec::new();
        for name in names.iter().map(|row| row.get::<String, _>(0)) {
            let select = AssertSqlSafe(format!("SELECT * FROM {name}"));
            let rows = sqlx::query(select).fetch_all(&mut connection).await.expect("rows");
            let rows = rows
                .iter()
                .map(|row| (0..row.len()).map(|column| Value::read(row, column)).collect());
            tables.push(Self {
                name,
                rows: rows.collect(),
            });
        }
        tables.retain(|table| !table.rows.is_empty());
        tables
    }

    async fn insert(&self, transaction: &mut SqliteTransaction<'_>) {
        for rows in self.rows.chunks(ROWS_PER_STATEMENT) {
            let row = format!("({})", vec!["?"; rows[0].len()].join(", "));
            let text = format!("INSERT INTO {} VALUES {}", self.name, vec![row; rows.len()].join(", "));
            let mut query = sqlx::query(AssertSqlSafe(text));
            for value in rows.iter().flatten() {
                query = match value {
                    Value::Text(text) => query.bind(text.as_deref()),
                    Value::Integer(number) => query.bind(number),
                };
            }
            query.execute(&mut **transaction).await.expect("the rows fit");
        }
    }
}

impl Value {
    fn read(row: &SqliteRow, column: usize) -> Self {
        let raw = row.try_get_raw(column).expect("a column");
        if raw.type_info().name() == "INTEGER" {
            Self::Integer(row.get(column))
        } else {
            Self::Text(row.get(column))
        }
    }
}

/// Inserts those rows into an empty database, as durably as the daemon does.
async fn insert(tables: &[Table]) -> Duration {
    let empty = Ground::open(None, Duration::ZERO).await.close().await;
    let mut connection = connect(&empty.file()).await;
    let started = Instant::now();
    let mut transaction = connection.begin().await.expect("a transaction");
    for table in tables {
        table.insert(&mut transaction).await;
    }
    transaction.commit().await.expect("a commit");
    started.elapsed()
}

async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .disable_statement_logging();
    options.connect().await.expect("the database opens")
}
