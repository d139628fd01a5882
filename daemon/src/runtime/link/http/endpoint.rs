//! A server that is reached over HTTP, and in which way.
//!
//! What enters: an address, and how a conversation is to be opened. What leaves: a [`Link`], or why there is none. How the
//! server wants to be spoken to is found out by speaking with it, the newer way first, and kept in mind. What a server that
//! was merely out of order has answered, or has not, says nothing about how it wants to be spoken to: what is concluded from
//! that holds for a while only.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::super::super::launch::{Era, Remote, RemoteTransport};
use super::super::{Link, Opening};
use super::client::Clients;
use super::target::Target;
use super::trouble::Miss;
use super::{legacy, modern, sse};

/// How long a server of unknown era is given to answer the question of the newer one.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

/// How long a way is tried first that has worked, but was not the only one that might have.
const FOR_NOW: Duration = Duration::from_secs(60);

/// A way of speaking with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Http(Era),
    Sse,
}

impl Way {
    const fn era(self) -> Era {
        match self {
            Self::Http(era) => era,
            Self::Sse => Era::Legacy,
        }
    }
}

/// What is known of how a server wants to be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Nothing.
    Nothing,
    /// This way has worked, but others could not be told to be worse.
    ForNow(Way, Instant),
    /// This way.
    Way(Way),
}

/// A server, and how it wants to be spoken to.
pub(in crate::runtime) struct Endpoint {
    target: Arc<Target>,
    transport: RemoteTransport,
    known: Mutex<Known>,
}

impl Endpoint {
    /// A server that can be asked; or why it cannot, as the rest of a sentence that begins with its address.
    pub(in crate::runtime) fn new(remote: &Remote, hint: Option<Era>, clients: &Clients) -> Result<Self, String> {
        let known = match (remote.transport, hint) {
            (RemoteTransport::Sse, _) => Known::Way(Way::Sse),
            (RemoteTransport::Auto | RemoteTransport::StreamableHttp, Some(era)) => Known::Way(Way::Http(era)),
            (RemoteTransport::Auto | RemoteTransport::StreamableHttp, None) => Known::Nothing,
        };
        Ok(Self {
            target: Arc::new(Target::new(remote, clients)?),
            transport: remote.transport,
            known: Mutex::new(known),
        })
    }

    /// The era that the server is known to speak.
    pub(in crate::runtime) fn era(&self) -> Option<Era> {
        match *self.known() {
            Known::Nothing | Known::ForNow(..) => None,
            Known::Way(way) => Some(way.era()),
        }
    }

    /// Whether it is worth asking again which era the server speaks.
    pub(in crate::runtime) fn is_in_doubt(&self) -> bool {
        match *self.known() {
            Known::Nothing => true,
            Known::ForNow(_, until) => until <= Instant::now(),
            Known::Way(_) => false,
        }
    }

    /// Something went wrong with what is known; whoever opens the next conversation is to find out anew.
    pub(in crate::runtime) fn doubt(&self) {
        *self.known() = match self.transport {
            RemoteTransport::Sse => Known::Way(Way::Sse),
            RemoteTransport::Auto | RemoteTransport::StreamableHttp => Known::Nothing,
        };
    }

    /// Opens a conversation, in the first way that works. How long to wait is the caller's to say.
    pub(in crate::runtime) async fn open(&self, opening: &Opening) -> Result<Link, Miss> {
        let before = *self.known();
        let ways = ways(self.transport, before);
        let mut told: Option<Miss> = None;
        let mut verdict = Verdict::Sure;
        for &way in &ways {
            let tried = match way {
                // Some servers of the older era do not answer at all what they do not know.
                Way::Http(Era::Modern) if ways.len() > 1 => {
                    tokio::time::timeout(PROBE_PATIENCE, self.greet(way, opening))
                        .await
                        .unwrap_or(Err(Miss::Silent))
                }
                Way::Http(_) | Way::Sse => self.greet(way, opening).await,
            };
            match tried {
                Ok(link) => {
                    self.learn(way, verdict, before);
                    return Ok(link);
                }
                Err(miss) if miss.is_final() => return Err(miss),
                Err(miss) => {
                    verdict = verdict.max(Verdict::of(&miss));
                    told = Some(more_telling(told, way, miss));
                }
            }
        }
        Err(told.unwrap_or(Miss::Silent))
    }

    async fn greet(&self, way: Way, opening: &Opening) -> Result<Link, Miss> {
        match way {
            Way::Http(Era::Modern) => {
                let hello = modern::greet(&self.target).await?;
                Ok(modern::open(&self.target, hello))
            }
            Way::Http(Era::Legacy) => legacy::open(&self.target, opening).await,
            Way::Sse => sse::open(&self.target, opening).await,
        }
    }

    fn learn(&self, way: Way, verdict: Verdict, before: Known) {
        let verdict = if way == Way::Http(Era::Modern) {
            Verdict::Sure
        } else {
            verdict
        };
        *self.known() = match (before, verdict) {
            (Known::Way(known), _) if known == way => before,
            (_, Verdict::Sure) => Known::Way(way),
            (_, Verdict::AskAgain) => Known::Nothing,
            // Not for longer, however often it is used meanwhile.
            (Known::ForNow(known, until), Verdict::AskLater) if known == way && until > Instant::now() => before,
            (_, Verdict::AskLater) => Known::ForNow(way, Instant::now() + FOR_NOW),
        };
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be concluded from the ways that were tried in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Each was answered with a no.
    Sure,
    /// One met with a failure that says nothing; asking again costs little.
    AskAgain,
    /// One met with silence; asking again takes time.
    AskLater,
}

impl Verdict {
    fn of(miss: &Miss) -> Self {
        match miss {
            Miss::Silent => Self::AskLater,
            Miss::Link(_) | Miss::Declined(_) if miss.is_passing() => Self::AskAgain,
            Miss::Link(_) | Miss::Declined(_) => Self::Sure,
        }
    }
}

/// The ways to try, in order.
fn ways(transport: RemoteTransport, known: Known) -> Vec<Way> {
    let http = [Way::Http(Era::Modern), Way::Http(Era::Legacy)];
    let mut ways = match transport {
        RemoteTransport::StreamableHttp => http.to_vec(),
        RemoteTransport::Sse => vec![Way::Sse],
        RemoteTransport::Auto => [&http[..], &[Way::Sse]].concat(),
    };
    let first = match known {
        Known::Nothing => None,
        Known::ForNow(way, until) => Some(way).filter(|_| until > Instant::now()),
        Known::Way(way) => Some(way),
    };
    if let Some(at) = ways.iter().position(|way| Some(*way) == first) {
        ways[..=at].rotate_right(1);
    }
    ways
}

/// Of what several ways have met with, what is worth telling: what the older greeting met with, since anything that speaks
/// HTTP has an answer to it; else the first that is not mere silence.
fn more_telling(before: Option<Miss>, way: Way, miss: Miss) -> Miss {
    match (before, way) {
        (None | Some(Miss::Silent), _) | (Some(Miss::Link(_) | Miss::Declined(_)), Way::Http(Era::Legacy)) => miss,
        (Some(before @ (Miss::Link(_) | Miss::Declined(_))), Way::Http(Era::Modern) | Way::Sse) => before,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Error;
    use super::*;

    const MODERN: Way = Way::Http(Era::Modern);
    const LEGACY: Way = Way::Http(Era::Legacy);

    fn status(status: u16) -> Miss {
        let retry_after = None;
        Miss::Link(Error::Status { status, retry_after })
    }

    #[tokio::test(start_paused = true)]
    async fn what_worked_is_tried_first() {
        use RemoteTransport::{Auto, Sse, StreamableHttp};
        let later = Instant::now() + FOR_NOW;
        for (transport, known, expected) in [
            (Auto, Known::Nothing, vec![MODERN, LEGACY, Way::Sse]),
            (Auto, Known::Way(LEGACY), vec![LEGACY, MODERN, Way::Sse]),
            (Auto, Known::Way(Way::Sse), vec![Way::Sse, MODERN, LEGACY]),
            (Auto, Known::ForNow(LEGACY, later), vec![LEGACY, MODERN, Way::Sse]),
            (
                Auto,
                Known::ForNow(LEGACY, Instant::now()),
                vec![MODERN, LEGACY, Way::Sse],
            ),
            (StreamableHttp, Known::Way(MODERN), vec![MODERN, LEGACY]),
            (Sse, Known::Nothing, vec![Way::Sse]),
        ] {
            assert_eq!(ways(transport, known), expected, "{transport:?} {known:?}");
        }
    }

    #[test]
    fn the_more_telling_miss_is_told() {
        let declined = || Miss::Declined("error -32600".to_owned());
        let garbled = || Miss::Link(Error::Garbled("x".to_owned()));
        for (met, told) in [
            (
                vec![(MODERN, declined()), (LEGACY, status(404)), (Way::Sse, status(405))],
                status(404),
            ),
            (
                vec![(MODERN, status(400)), (LEGACY, declined()), (Way::Sse, status(404))],
                declined(),
            ),
            (vec![(LEGACY, garbled()), (MODERN, declined())], garbled()),
            (
                vec![(MODERN, Miss::Silent), (LEGACY, Miss::Silent), (Way::Sse, garbled())],
                garbled(),
            ),
        ] {
            let seen = met
                .into_iter()
                .fold(None, |before, (way, miss)| Some(more_telling(before, way, miss)));
            assert_eq!(seen, Some(told));
        }
    }
}
