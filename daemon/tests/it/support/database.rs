//! What a daemon has written into its SQLite database, read from beside it: for what no API tells.

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::daemon::Home;

/// The first column of a query's rows, as text.
pub(crate) fn texts(home: &Home, query: &str) -> Vec<String> {
    let options = SqliteConnectOptions::new()
        .filename(home.path("data/orchd.db"))
        .read_only(true);
    let reading = async {
        let mut shell = options.connect().await.expect("the database opens");
        sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(query.to_owned()))
            .fetch_all(&mut shell)
            .await
            .expect("the query is right")
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().expect("a runtime").block_on(reading)
}

/// How many sessions of clients are written down.
pub(crate) fn sessions(home: &Home) -> usize {
    texts(home, "SELECT id_hash FROM gateway_session").len()
}
