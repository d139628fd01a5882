//! Single objects written by many clients at once: how many share a commit, and what that is worth.
//!
//! Over HTTP, against the real daemon, every commit counts that happens meanwhile, the reconciler's included. Against a
//! commit that takes 2 ms longer, many clients are compared with one, through the admission: the command line cannot make a
//! disk slow.

use std::time::Duration;

use futures_util::future::join_all;
use orch_daemon::admission::{self, Admission, AuthCheck, Existing};
use orch_daemon::store::Database;
use orch_shared::access::Principal;
use serde_json::{Value, json};

use crate::amount::{per_second, rate, timed};
use crate::ask::Effort;
use crate::ground::Ground;
use crate::objects::{at_rest, metric};
use crate::report::{Holds, Line, Report};
use crate::support::daemon::Home;
use crate::support::postgres;

const MOST_COMMITS: f64 = 0.2;
const TIMES: f64 = 5.0;
const SYNC: Duration = Duration::from_millis(2);

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let clients = effort.pick(64, 4);
    let each = effort.pick(25, 2);
    for home in std::iter::once(Home::new()).chain(Home::on_postgres()) {
        over_http(home.with(&["--log", "info"]).started(), clients, each, report);
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        slow_disk(None, "SQLite", clients, each, report).await;
        if let Some(server) = postgres::server() {
            let database = Database::Postgres(server.database());
            slow_disk(Some(database), "PostgreSQL", clients, each, report).await;
        }
    });
}

fn over_http(home: Home, clients: usize, each: usize, report: &mut Report) {
    let database = home.get("status")["database"].as_str().expect("a name").to_owned();
    let create = |client: usize, number: usize| {
        let request = home.http("POST", "/api/v1/prompts");
        request.json(&prompt(client, number)).send().expect(201);
    };
    let alone = timed(|| (0..each).for_each(|number| create(clients, number))).0;
    at_rest(&home);
    let before = metric(&home, "orchd_store_commits");
    let (together, ()) = timed(|| {
        std::thread::scope(|scope| {
            for client in 0..clients {
                scope.spawn(move || (0..each).for_each(|number| create(client, number)));
            }
        });
    });
    let commits = metric(&home, "orchd_store_commits") - before;
    let writes = clients * each;
    let (alone, together) = (rate(each, alone), rate(writes, together));
    let per_write = f64::from(u32::try_from(commits).expect("few")) / f64::from(u32::try_from(writes).expect("few"));
    report.tell(
        Line::of(format!("commits per write, {clients} HTTP clients, {database}"))
            .ours(format!("{per_write:.3}"))
            .target(format!("<= {MOST_COMMITS}"), per_write <= MOST_COMMITS, Holds::Anywhere),
    );
    report.tell(
        Line::of(format!("writes, {clients} HTTP clients | one, {database}"))
            .ours(per_second(together))
            .floor(per_second(alone))
            .ratio(together / alone),
    );
}

async fn slow_disk(elsewhere: Option<Database>, name: &str, clients: usize, each: usize, report: &mut Report) {
    let ground = Ground::open(elsewhere, SYNC).await;
    let admission = &ground.admission;
    let one_after_the_other = async |client: usize| {
        for number in 0..each {
            create(admission, &prompt(client, number)).await;
        }
    };
    let started = tokio::time::Instant::now();
    one_after_the_other(clients).await;
    let alone = rate(each, started.elapsed());
    let started = tokio::time::Instant::now();
    join_all((0..clients).map(one_after_the_other)).await;
    let together = rate(clients * each, started.elapsed());
    ground.close().await;
    report.tell(
        Line::of(format!("writes, {clients} clients | one, a sync 2 ms slower, {name}"))
            .ours(per_second(together))
            .floor(per_second(alone))
            .ratio(together / alone)
            .target(format!(">= {TIMES}x"), together >= TIMES * alone, Holds::Anywhere),
    );
}

async fn create(admission: &Admission, manifest: &Value) {
    let created = admission::create(
        admission,
        &Principal::daemon().into(),
        manifest,
        Existing::Kept,
        AuthCheck::Made,
    )
    .await;
    created.expect("the object is admitted");
}

fn prompt(client: usize, number: usize) -> Value {
    json!({
        "apiVersion": "orchctl.dev/v1",
        "kind": "Prompt",
        "metadata": {"name": format!("prompt-{client}-{number}"), "labels": {"client": client.to_string()}},
        "spec": {"content": "Answer in one sentence.", "priority": 50},
    })
}
