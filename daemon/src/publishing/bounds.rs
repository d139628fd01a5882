//! What a publisher is given: so many tasks, so many bytes of them, and nothing that is longer than it reads at once.
//!
//! What enters: what is to be told, and what waits already. What leaves: whether that may be, or why not. Nothing here waits.

use std::collections::BTreeMap;

use orch_shared::inference::Dialect;
use orch_shared::inference::errors::Fault;
use orch_shared::publishing::{LONGEST_TOLD, Told};

use super::asking::{Answer, Away, Pieces};

/// So many tasks a publisher is given at the same time.
const MOST: usize = 256;
/// So many bytes of tasks wait for a publisher that has not read them yet: two of the largest.
const HEAVIEST: usize = 128 << 20;
/// The HTTP status of a request that is too large.
const TOO_LARGE: u16 = 413;

/// The refusal of a request that is longer than a publisher reads at once. It would end the stream, and with that everything
/// else that is under way on it.
pub(super) fn too_long(told: &Told) -> Option<Answer> {
    let length = told.length();
    let task = match told {
        Told::Task(task) if length > LONGEST_TOLD => task,
        Told::Task(_) | Told::Hello(_) | Told::Wake(_) | Told::Cancel(_) => return None,
    };
    let message = format!(
        "the request is too large for llm/{}, which somebody publishes: in the model's words, and written as its publisher is \
         told, it has {} MiB, and {} MiB are the most",
        task.llm,
        length.div_ceil(1 << 20),
        LONGEST_TOLD >> 20
    );
    let fault = Fault {
        status: TOO_LARGE,
        message: &message,
        param: None,
        code: Some("request_too_large"),
    };
    let dialect = Dialect::ALL.into_iter().find(|dialect| dialect.path() == task.path);
    Some(Answer {
        status: TOO_LARGE,
        headers: BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]),
        body: Pieces::of(fault.body(dialect.unwrap_or(Dialect::Chat)).to_string()),
    })
}

/// Whether a publisher can be given one more task, beside those that it has; of each what it is to be told, and nothing once
/// that has begun.
pub(super) fn room_for<'t>(told: &Told, given: impl Iterator<Item = Option<&'t Told>>) -> Result<(), Away> {
    let (mut tasks, mut bytes) = (0, weight(told));
    for task in given {
        tasks += 1;
        bytes += task.map_or(0, weight);
    }
    if tasks >= MOST {
        return Err(Away(format!(
            "cannot be asked: its publisher has {MOST} requests to answer already"
        )));
    }
    if bytes > HEAVIEST {
        let most = HEAVIEST >> 20;
        return Err(Away(format!(
            "cannot be asked: its publisher has not read the requests that wait for it, and {most} MiB may wait"
        )));
    }
    Ok(())
}

/// How much of the memory something takes that waits to be told, in bytes: what whoever asks can make large.
fn weight(told: &Told) -> usize {
    match told {
        Told::Task(task) => {
            let headers = task.headers.iter().map(|(name, value)| name.len() + value.len());
            task.body.len() + headers.sum::<usize>()
        }
        Told::Hello(_) | Told::Wake(_) | Told::Cancel(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use orch_shared::publishing::Task;

    use super::*;

    fn task(length: usize) -> Told {
        Told::Task(Task {
            id: "t".to_owned(),
            llm: "local".parse().unwrap(),
            path: "/v1/chat/completions".to_owned(),
            headers: BTreeMap::new(),
            body: " ".repeat(length),
        })
    }

    #[tokio::test]
    async fn what_is_too_long_to_be_told_is_refused_in_the_words_of_whoever_is_asked() {
        let around = task(0).length();
        assert!(too_long(&task(LONGEST_TOLD - around)).is_none());
        for (path, kind) in [
            ("/v1/chat/completions", "invalid_request_error"),
            ("/v1/messages", "request_too_large"),
        ] {
            let Told::Task(mut task) = task(0) else {
                panic!("a task")
            };
            path.clone_into(&mut task.path);
            // Half as long, and each character of it takes two.
            task.body = "\\".repeat(LONGEST_TOLD / 2);
            let refused = too_long(&Told::Task(task)).expect("it is too long");
            assert_eq!(
                (refused.status, refused.headers["content-type"].as_str()),
                (413, "application/json")
            );
            let mut body = refused.body;
            let mut next = async || std::future::poll_fn(|context| body.poll_next(context)).await;
            let said = next().await.expect("a piece").expect("it is whole");
            let said: serde_json::Value = serde_json::from_slice(&said).expect("JSON");
            assert_eq!(said["error"]["type"], kind, "{said}");
            let message = said["error"]["message"].as_str().expect("a text");
            assert!(
                message.contains("llm/local") && message.contains("132 MiB are the most"),
                "{message}"
            );
            for _ in 0..2 {
                assert!(next().await.is_none());
            }
        }
    }

    #[test]
    fn what_waits_for_a_publisher_is_bounded() {
        const MIB: usize = 1 << 20;
        let unread = |count: usize, length| (0..count).map(|_| Some(task(length))).collect::<Vec<_>>();
        let read = |count: usize| vec![None; count];
        for (given, length, refused) in [
            (vec![], 64 * MIB, None),
            (unread(1, 64 * MIB), 64 * MIB, None),
            (unread(1, 64 * MIB), 64 * MIB + 1, Some("has not read")),
            (unread(16, 8 * MIB), 1, Some("has not read")),
            // What was told is not kept here any more.
            (read(MOST - 1), 64 * MIB, None),
            (read(MOST), 1, Some("256 requests")),
            (unread(MOST, 1), 1, Some("256 requests")),
        ] {
            let (count, told) = (given.len(), room_for(&task(length), given.iter().map(Option::as_ref)));
            let why = told.err().map(|Away(why)| why);
            let is_right = match (&why, refused) {
                (None, None) => true,
                (Some(why), Some(refused)) => why.contains(refused),
                (None, Some(_)) | (Some(_), None) => false,
            };
            assert!(is_right, "{count} and {length}: {why:?}");
        }
    }
}
