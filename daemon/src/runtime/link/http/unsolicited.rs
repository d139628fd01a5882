//! The stream on which a server of the older era says what belongs to no request.
//!
//! It is kept open as long as the session is, where the server has one: taken up where it ended, more and more slowly when
//! that fails. A server that forgets the session meanwhile is greeted anew.

use std::sync::Weak;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::pipe;
use super::events::{Events, message_in};
use super::exchange::{Place, is_stream};
use super::legacy::{Session, wait};

/// How many failures in a row make the wait no longer.
const SLOWEST: u32 = 5;

/// A stream that was open for so long did not fail.
const GOOD: Duration = Duration::from_secs(5);

/// Listens until the session is over, or the server turns out to have no such stream.
pub(super) async fn listen(session: Weak<Session>, closed: CancellationToken) {
    tokio::select! {
        () = closed.cancelled() => {}
        () = keep_listening(&session) => {}
    }
}

async fn keep_listening(session: &Weak<Session>) {
    let mut place = Place::default();
    let mut failures = 0;
    // The session in which the server last turned out to have such a stream.
    let mut had_one = None;
    loop {
        if let Some(session) = session.upgrade()
            && had_one.is_some_and(|epoch| epoch != session.headers().0)
        {
            // Places are of one session.
            place.last = None;
        }
        let Some((epoch, opening)) = session.upgrade().map(|session| session.stream(place.last.as_deref())) else {
            return;
        };
        let began = Instant::now();
        match opening.await {
            Ok(response) if is_stream(&response) => {
                had_one = Some(epoch);
                take_in(session, Events::new(response.into_body()), &mut place).await;
                failures = if began.elapsed() > GOOD { 0 } else { failures + 1 };
            }
            Ok(response) => match response.status().as_u16() {
                // It had one a moment ago; so it is the session that it does not know.
                404 if had_one == Some(epoch) => {
                    let Some(session) = session.upgrade().filter(|session| session.is_named()) else {
                        return;
                    };
                    if session.renew(epoch).await.is_err() {
                        failures += 1;
                    }
                }
                500 | 502..=504 | 408 | 429 => failures += 1,
                _ => return,
            },
            Err(_) => failures += 1,
        }
        tokio::time::sleep(wait(place.retry, failures.min(SLOWEST))).await;
    }
}

/// Hands on what comes, to the end.
async fn take_in(session: &Weak<Session>, mut events: Events, place: &mut Place) {
    while let Some(Ok(event)) = events.next().await {
        place.note(&event);
        let Some(messages) = message_in(&event).and_then(|text| pipe::messages(text.as_bytes())) else {
            continue;
        };
        let Some(session) = session.upgrade() else { return };
        for message in messages {
            session.board.receive(message, None);
        }
    }
}
