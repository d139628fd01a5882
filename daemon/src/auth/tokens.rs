//! What happens to Tokens with time: that they were used, and that their time is over.

use std::time::Duration;

use orch_shared::kind::Kind;
use orch_shared::kinds::token::{Token, TokenStatus};
use tokio_util::sync::CancellationToken;

use crate::store::{Error, Mutation, Object, Store, Transaction};

/// How exactly a Token's status tells its last use.
const USED_EVERY: Duration = Duration::from_secs(600);
/// How often it is looked whether the time of any is over, and when that of the next one will be. Whether it opens a door does
/// not wait for that.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Changes what is reported of a token, as it is by now. A token that is gone is left alone.
pub(crate) async fn report(
    transaction: &mut Transaction,
    uid: &str,
    change: impl FnOnce(&mut TokenStatus) + Send,
) -> Result<(), Error> {
    let Some(row) = transaction.load_uid(uid).await? else {
        return Ok(());
    };
    let object = Object::parse(&row)?;
    let Some(before) = object.status::<Token>() else {
        return Ok(());
    };
    let mut after = before.clone();
    change(&mut after);
    if after == *before {
        return Ok(());
    }
    let status = Mutation::Status {
        uid: uid.to_owned(),
        status: serde_json::to_string(&after).expect("a status is plain data"),
    };
    transaction.mutate(vec![status], "daemon").await?;
    Ok(())
}

/// Notes that a token was used, at some time soon.
pub(super) fn note_use(store: &Store, uid: &str) {
    let uid = uid.to_owned();
    store.write_later(move |transaction| {
        Box::pin(async move {
            let now = transaction.now();
            let note = |status: &mut TokenStatus| {
                let is_news = status.last_used_at.is_none_or(|last| now.since(last) >= USED_EVERY);
                if is_news {
                    status.last_used_at = Some(now);
                }
            };
            report(transaction, &uid, note).await
        })
    });
}

/// Until the time of the next one is over, or until it is to be looked again.
fn until_next(store: &Store) -> Duration {
    let (snapshot, now) = (store.snapshot(), store.clock().now());
    let ends = snapshot
        .of_kind(Kind::Token)
        .filter_map(|object| object.status::<Token>()?.expires_at);
    let next = ends.filter(|end| now < *end).min();
    next.map_or(LOOK_EVERY, |end| end.since(now).min(LOOK_EVERY))
}

/// Says of tokens that their time is over, when it is, until `stop`.
pub(super) async fn expire(store: Store, stop: CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(until_next(&store)))
        .await
        .is_some()
    {
        let (snapshot, now) = (store.snapshot(), store.clock().now());
        let over = snapshot.of_kind(Kind::Token).filter(|object| {
            let status = object.status::<Token>();
            status.is_some_and(|status| status.phase.is_some_and(|phase| phase != status.phase_at(now)))
        });
        let over: Vec<String> = over.map(|object| object.uid.to_string()).collect();
        for uid in over {
            let told = store.write(move |transaction| {
                Box::pin(async move {
                    let now = transaction.now();
                    let tell = |status: &mut TokenStatus| status.phase = Some(status.phase_at(now));
                    report(transaction, &uid, tell).await
                })
            });
            if let Err(error) = told.await {
                tracing::debug!(%error, "the end of a token cannot be told yet");
                break;
            }
        }
    }
}
