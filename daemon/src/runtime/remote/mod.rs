//! Servers that run elsewhere: reachable or not, found out by speaking MCP with them.
//!
//! An exchange greets the server, lists its tools and says goodbye; nothing stays open. What answers is kept in mind: a
//! server that answered in one way is asked in that way first. A failure is told in people's words, and never with what is
//! in a header.

mod client;
mod reason;
mod sse;
mod typed;

use std::time::Duration;

use rmcp::RoleClient;
use rmcp::service::ClientServiceExt as _;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, Transport};
use tokio::sync::mpsc;

use super::instance::{Check, Desk, masked};
use super::launch::{Era, Launch, Remote, RemoteTransport};
use super::log::Log;
use super::observation::{Answer, Failure, State};
use reason::Trouble;
use typed::{self as handshake, Ears};

/// How long an exchange may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a server of unknown era is given to answer the question of the newer one.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// A way of speaking with a remote server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Http(Era),
    Sse,
}

/// Ties a copy to a remote server: finds out whether it answers, now and whenever asked. Returns when it does not.
pub(super) async fn tie(
    remote: &Remote,
    launch: &Launch,
    hint: Option<Era>,
    desk: &Desk,
    log: &Log,
    mut checks: mpsc::Receiver<Check>,
) -> Failure {
    let patience = launch.startup_deadline.min(PATIENCE);
    let failure = |trouble: &Trouble| {
        let reason = log
            .mask()
            .text(&format!("{} {}", client::shown(&remote.url), trouble.clause()));
        Failure::RemoteUnreachable {
            reason,
            hint: trouble.hint(),
        }
    };
    let client = match client::build(remote) {
        Ok(client) => client,
        Err(trouble) => return failure(&trouble),
    };
    let mut ways = ways(remote.transport, hint);
    match exchange(&client, remote, &ways, patience).await {
        Ok((answer, way)) => {
            prefer(&mut ways, way);
            desk.learn(era(way));
            desk.enter(State::Running(masked(answer, log.mask())));
        }
        Err(trouble) => return failure(&trouble),
    }
    while let Some(reply) = checks.recv().await {
        match exchange(&client, remote, &ways, PATIENCE).await {
            Ok((answer, way)) => {
                prefer(&mut ways, way);
                desk.answered(masked(answer, log.mask()));
                let _ = reply.send(Ok(()));
            }
            Err(trouble) => {
                let failure = failure(&trouble);
                let _ = reply.send(Err(failure.clone()));
                return failure;
            }
        }
    }
    std::future::pending().await
}

/// The ways to try, in order.
fn ways(transport: RemoteTransport, hint: Option<Era>) -> Vec<Way> {
    let http = match hint {
        None | Some(Era::Modern) => [Way::Http(Era::Modern), Way::Http(Era::Legacy)],
        Some(Era::Legacy) => [Way::Http(Era::Legacy), Way::Http(Era::Modern)],
    };
    match transport {
        RemoteTransport::StreamableHttp => http.to_vec(),
        RemoteTransport::Sse => vec![Way::Sse],
        RemoteTransport::Auto => [&http[..], &[Way::Sse]].concat(),
    }
}

/// Puts the way that has worked first.
fn prefer(ways: &mut [Way], way: Way) {
    if let Some(at) = ways.iter().position(|one| *one == way) {
        ways[..=at].rotate_right(1);
    }
}

const fn era(way: Way) -> Option<Era> {
    match way {
        Way::Http(era) => Some(era),
        Way::Sse => Some(Era::Legacy),
    }
}

/// One exchange, in the first way that works.
async fn exchange(
    client: &reqwest::Client,
    remote: &Remote,
    ways: &[Way],
    patience: Duration,
) -> Result<(Answer, Way), Trouble> {
    let trying = async {
        let mut told: Option<Trouble> = None;
        for &way in ways {
            let tried = match way {
                // Some servers of the older era do not answer at all what they do not know.
                Way::Http(Era::Modern) if ways.len() > 1 => {
                    tokio::time::timeout(PROBE_PATIENCE, greet_http(client, remote, Era::Modern))
                        .await
                        .unwrap_or(Err(Trouble::Silent))
                }
                Way::Http(era) => greet_http(client, remote, era).await,
                Way::Sse => match sse::connect(client, &remote.url).await {
                    Ok(transport) => greet(transport, Era::Legacy).await,
                    Err(trouble) => Err(trouble),
                },
            };
            match tried {
                Ok(answer) => return Ok((answer, way)),
                Err(trouble) if trouble.is_final() => return Err(trouble),
                Err(trouble) => told = Some(more_telling(told, way, trouble)),
            }
        }
        Err(told.unwrap_or(Trouble::Silent))
    };
    tokio::time::timeout(patience, trying)
        .await
        .unwrap_or(Err(Trouble::Silent))
}

/// Of what several ways have met with, what is worth telling: what the older greeting met with, since anything that speaks
/// HTTP has an answer to it; else the first that is not mere silence.
fn more_telling(before: Option<Trouble>, way: Way, trouble: Trouble) -> Trouble {
    match (before, way) {
        (None | Some(Trouble::Silent), _) | (Some(_), Way::Http(Era::Legacy)) => trouble,
        (Some(before), Way::Http(Era::Modern) | Way::Sse) => before,
    }
}

async fn greet_http(client: &reqwest::Client, remote: &Remote, era: Era) -> Result<Answer, Trouble> {
    let config = StreamableHttpClientTransportConfig::with_uri(remote.url.as_str()).reinit_on_expired_session(false);
    greet(StreamableHttpClientTransport::with_client(client.clone(), config), era).await
}

async fn greet<T>(transport: T, era: Era) -> Result<Answer, Trouble>
where
    T: Transport<RoleClient> + 'static,
{
    let lifecycle = handshake::lifecycle(era);
    let opened = Ears::default().serve_with_lifecycle(transport, lifecycle).await;
    let mut conversation = opened.map_err(|error| Trouble::of_greeting(&error))?;
    let listed = typed::list(conversation.peer()).await;
    let answer = handshake::answer(&conversation);
    let _ = conversation.close_with_timeout(GOODBYE).await;
    Ok(Answer {
        tools: listed.ok(),
        ..answer
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_worked_is_tried_first() {
        use RemoteTransport::{Auto, Sse, StreamableHttp};
        let (modern, legacy) = (Way::Http(Era::Modern), Way::Http(Era::Legacy));
        for (transport, hint, expected) in [
            (Auto, None, vec![modern, legacy, Way::Sse]),
            (Auto, Some(Era::Legacy), vec![legacy, modern, Way::Sse]),
            (StreamableHttp, Some(Era::Modern), vec![modern, legacy]),
            (Sse, None, vec![Way::Sse]),
        ] {
            assert_eq!(ways(transport, hint), expected, "{transport:?} {hint:?}");
        }
        let mut all = ways(Auto, None);
        prefer(&mut all, Way::Sse);
        assert_eq!(all, [Way::Sse, modern, legacy]);
    }

    #[test]
    fn the_more_telling_trouble_is_told() {
        let (modern, legacy) = (Way::Http(Era::Modern), Way::Http(Era::Legacy));
        let declined = || Trouble::Declined("error -32600".to_owned());
        for (met, told) in [
            (
                vec![
                    (modern, declined()),
                    (legacy, Trouble::Status(404)),
                    (Way::Sse, Trouble::Status(405)),
                ],
                Trouble::Status(404),
            ),
            (
                vec![
                    (modern, Trouble::Status(400)),
                    (legacy, declined()),
                    (Way::Sse, Trouble::Status(404)),
                ],
                declined(),
            ),
            (vec![(legacy, Trouble::NotMcp), (modern, declined())], Trouble::NotMcp),
            (
                vec![
                    (modern, Trouble::Silent),
                    (legacy, Trouble::Silent),
                    (Way::Sse, Trouble::NotMcp),
                ],
                Trouble::NotMcp,
            ),
        ] {
            let seen = met
                .into_iter()
                .fold(None, |before, (way, trouble)| Some(more_telling(before, way, trouble)));
            assert_eq!(seen, Some(told));
        }
    }
}
