//! What happens to Tokens with time: that they were used, that their time is over, and that what they were made with has ended.

use std::time::Duration;

use orch_shared::kind::Kind;
use orch_shared::kinds::token::{Token, TokenPhase, TokenStatus};
use tokio_util::sync::CancellationToken;

use crate::store::{Error, Mutation, Object, Snapshot, Store, Transaction};

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

/// Whether the token that one was made with was revoked or is gone: whoever ended it could not know of one that was being made.
fn is_left_behind(status: &TokenStatus, snapshot: &Snapshot) -> bool {
    let Some(maker) = status.made_with.as_deref() else {
        return false;
    };
    let maker = snapshot.by_uid(maker).and_then(|maker| maker.status::<Token>());
    maker.is_none_or(|maker| maker.revoked_at.is_some())
}

/// Says of tokens that their time is over, when it is, until `stop`.
pub(super) async fn expire(store: Store, stop: CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(until_next(&store)))
        .await
        .is_some()
    {
        let (snapshot, now) = (store.snapshot(), store.clock().now());
        let over = snapshot.of_kind(Kind::Token).filter_map(|object| {
            let status = object.status::<Token>()?;
            let is_left = status.phase == Some(TokenPhase::Active) && is_left_behind(status, &snapshot);
            let has_changed = status.phase.is_some_and(|phase| phase != status.phase_at(now));
            (is_left || has_changed).then(|| (object.uid.to_string(), is_left))
        });
        let over: Vec<(String, bool)> = over.collect();
        for (uid, is_left) in over {
            let told = store.write(move |transaction| {
                Box::pin(async move {
                    let now = transaction.now();
                    let tell = |status: &mut TokenStatus| {
                        if is_left {
                            status.revoked_at.get_or_insert(now);
                        }
                        status.phase = Some(status.phase_at(now));
                    };
                    if is_left {
                        transaction.revoke_token(&uid).await?;
                    }
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
