//! Bodies of requests, taken whole: not too large, and not for ever.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// How much is taken of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The largest, in bytes.
    pub(crate) largest: usize,
    /// So many bytes of one that is larger are read all the same, and not kept: whoever is still sending when the connection is
    /// closed does not get to read the answer.
    pub(crate) discarded: usize,
    /// How long it may take to arrive.
    pub(crate) patience: Duration,
}

/// Why there is no body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Untaken {
    #[error("it is too large")]
    TooLarge,
    #[error("it did not arrive in time")]
    Late,
    #[error("it broke off: {0}")]
    BrokeOff(Box<dyn std::error::Error + Send + Sync>),
}

/// Takes a body. Of one that is too large nothing is kept.
pub(crate) async fn take(body: Body, bounds: Bounds) -> Result<Bytes, Untaken> {
    let taken = tokio::time::timeout(bounds.patience, read(body, bounds)).await;
    taken.unwrap_or(Err(Untaken::Late))
}

async fn read(mut body: Body, bounds: Bounds) -> Result<Bytes, Untaken> {
    let Bounds { largest, discarded, .. } = bounds;
    if body.size_hint().lower() > largest as u64 {
        discard(body, discarded).await;
        return Err(Untaken::TooLarge);
    }
    match Limited::new(&mut body, largest).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            discard(body, discarded.saturating_sub(largest)).await;
            Err(Untaken::TooLarge)
        }
        Err(error) => Err(Untaken::BrokeOff(error)),
    }
}

/// Reads so many bytes more, at most. Whoever breaks off reads no answer, either.
async fn discard(body: Body, most: usize) {
    let mut rest = Limited::new(body, most);
    while let Some(Ok(_)) = rest.frame().await {}
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// A body of so many pieces of four bytes, which does not say how long it is.
    fn pieces(count: usize) -> Body {
        let pieces = (0..count).map(|_| Ok::<_, Infallible>("abcd"));
        Body::from_stream(futures_util::stream::iter(pieces))
    }

    #[tokio::test]
    async fn bodies_are_taken_within_bounds() {
        let bounds = Bounds {
            largest: 8,
            discarded: 16,
            patience: Duration::from_secs(60),
        };
        for (body, taken) in [
            (Body::empty(), Some("")),
            (Body::from("abcdabcd"), Some("abcdabcd")),
            (pieces(2), Some("abcdabcd")),
            (Body::from("abcdabcda"), None),
            (pieces(3), None),
            (pieces(100), None),
        ] {
            let found = take(body, bounds).await;
            match taken {
                Some(taken) => assert_eq!(found.unwrap(), taken),
                None => assert!(matches!(found, Err(Untaken::TooLarge)), "{found:?}"),
            }
        }
        let broken = futures_util::stream::iter([Ok("a"), Err(std::io::Error::other("cut"))]);
        let found = take(Body::from_stream(broken), bounds).await;
        assert!(matches!(found, Err(Untaken::BrokeOff(_))), "{found:?}");
        let endless = Body::from_stream(futures_util::stream::pending::<Result<Bytes, Infallible>>());
        let patience = Duration::from_millis(10);
        let found = take(endless, Bounds { patience, ..bounds }).await;
        assert!(matches!(found, Err(Untaken::Late)), "{found:?}");
    }
}
