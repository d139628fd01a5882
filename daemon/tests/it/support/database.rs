//! What a daemon has written into its SQLite database, read from beside it: for what no API tells. And a token for somebody
//! else than the administrator, for whom no API makes one.

use sha2::{Digest as _, Sha256};
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

/// Does something to the database that no daemon does.
pub(crate) fn run(home: &Home, script: &str) {
    let options = SqliteConnectOptions::new().filename(home.path("data/orchd.db"));
    let writing = async {
        let mut shell = options.connect().await.expect("the database opens");
        sqlx::raw_sql(sqlx::AssertSqlSafe(script.to_owned()))
            .execute(&mut shell)
            .await
            .expect("the script is right");
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().expect("a runtime").block_on(writing);
}

/// How many sessions of clients are written down.
pub(crate) fn sessions(home: &Home) -> usize {
    texts(home, "SELECT id_hash FROM gateway_session").len()
}

/// A token for a user who may do everything, and who is made for it: its text.
pub(crate) fn token(home: &Home, principal: &str) -> String {
    home.apply(&format!(
        "apiVersion: orchctl.dev/v1\nkind: User\nmetadata: {{name: {principal}}}\nspec: {{}}\n---\n\
         apiVersion: orchctl.dev/v1\nkind: RoleBinding\nmetadata: {{name: {principal}}}\nspec:\n  \
         subjects: [{{kind: User, name: {principal}}}]\n  \
         grants: [{{roles: [view, create, edit, delete, run, reveal], resources: ['*']}}]\n  operations: [logs, sessions]\n"
    ));
    let hex = |text: &str| -> String {
        let hash = Sha256::digest(text);
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let text = format!("orch_{}", hex(principal));
    let now = std::time::UNIX_EPOCH.elapsed().expect("a time after 1970");
    let options = SqliteConnectOptions::new().filename(home.path("data/orchd.db"));
    let writing = async {
        let mut shell = options.connect().await.expect("the database opens");
        let insert =
            "INSERT INTO token (id, name, principal, hash, prefix, scopes, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)";
        let prefix = &text[..12];
        sqlx::query(insert)
            .bind(format!("token of {principal}"))
            .bind("test")
            .bind(principal)
            .bind(hex(&text))
            .bind(prefix)
            .bind(r#"["*"]"#)
            // It is for whoever goes by the name from now on.
            .bind(i64::try_from(now.as_millis()).expect("this millennium"))
            .execute(&mut shell)
            .await
            .expect("the token can be written");
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().expect("a runtime").block_on(writing);
    text
}
