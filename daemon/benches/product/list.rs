//! The list of many objects as JSON, over HTTP, beside reading the same rows with the same driver and joining their texts.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _};

use crate::amount::{median, timed};
use crate::ask::Effort;
use crate::objects::home_with;
use crate::report::{Holds, Line, Report};

const MOST: f64 = 3.0;

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let (count, rounds) = (effort.pick(10_000, 20), effort.pick(15, 1));
    let home = home_with(count + 1, &[]);
    let file = home.path("data/orchd.db");
    let request = home.http("GET", "/api/v1/servers");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");

    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (took, answer) = timed(|| request.send().expect(200));
        ours.push(took);
        let (took, text) = runtime.block_on(concatenate(&file));
        floor.push(took);
        assert_eq!(answer.json()["metadata"]["total"], count);
        let least = text.len();
        assert!(
            answer.body.len() > least && answer.body.len() < 2 * least,
            "{least} bytes"
        );
    }
    let (ours, floor) = (median(&ours), median(&floor));
    report.tell(
        Line::of(format!("list of {count} objects as JSON | their rows concatenated"))
            .times(ours, floor)
            .target(
                format!("<= {MOST}x"),
                ours.as_secs_f64() <= MOST * floor.as_secs_f64(),
                Holds::Anywhere,
            ),
    );
}

async fn concatenate(file: &Path) -> (Duration, String) {
    let options = SqliteConnectOptions::new()
        .filename(file)
        // Far more than the driver's default, which would make a slow floor.
        .row_buffer_size(512)
        .disable_statement_logging();
    let mut connection = options.connect().await.expect("the database opens");
    let started = Instant::now();
    let select = "SELECT uid, metadata, spec, status, generation, revision, created_at, updated_at FROM resource \
                  WHERE kind = 'Server' ORDER BY scope, name";
    let rows = sqlx::query(select).fetch_all(&mut connection).await.expect("rows");
    let mut text = String::new();
    for row in &rows {
        (0..4).for_each(|column| text.push_str(row.get(column)));
        (4..8).for_each(|column| text.push_str(&row.get::<i64, _>(column).to_string()));
    }
    (started.elapsed(), text)
}
