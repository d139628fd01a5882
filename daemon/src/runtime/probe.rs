//! Checks of running copies: a call of a tool, or a list of its tools, through the conversation that clients share.
//!
//! Flow: each copy has one loop, from its start to its end. While it runs, a check is due every `interval`, a little more or
//! less, so that many copies are not checked at once.
//!
//! A server that does not answer a check in time, and says something else meanwhile, is at work and not dead: that counts as an
//! answer to the list of tools. For a tool it counts as none: only that tool can show that it answers; nor does it count
//! against the copy, as long as it answers nobody else either.
//!
//! Guarantees: a copy is never checked twice at a time, and so many at most are checked at the same time in all. A check that
//! takes too long is cancelled, which tells the server that nobody waits. What a check says moves the health of the copy; it
//! ends nothing.

use std::sync::Arc;
use std::time::Duration;

use orch_shared::jsonrpc::{Members, Outcome};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use super::health::Source;
use super::instance::Desk;
use super::launch::{Era, Probe};
use super::link::{Call, Link, Said, greeting};
use super::observation::{HealthState, Observation, State};

/// So many copies are checked at the same time.
pub(super) const AT_ONCE: usize = 8;

/// Checks a copy until it is over.
pub(super) async fn attend(desk: Desk, gate: Arc<Semaphore>) {
    let mut seen = desk.observed.subscribe();
    let mut round = 0;
    loop {
        match seen.wait_for(|seen| is_running(seen) || seen.state.is_over()).await {
            Ok(seen) if is_running(&seen) => {}
            Ok(_) | Err(_) => return,
        }
        let mut ended = desk.observed.subscribe();
        tokio::select! {
            _ = ended.wait_for(|seen| !is_running(seen)) => {}
            () = check_on(&desk, &gate, &mut round) => {}
        }
    }
}

const fn is_running(seen: &Observation) -> bool {
    matches!(seen.state, State::Running(_))
}

/// Checks a running copy, over and over.
async fn check_on(desk: &Desk, gate: &Semaphore, round: &mut u64) {
    let probe = &desk.care.probe;
    // What the handshake has not shown is to be shown at once.
    let is_open = desk
        .observed
        .borrow()
        .health
        .as_ref()
        .is_some_and(|health| health.state == HealthState::Unknown);
    let mut pause = match is_open {
        true => Duration::ZERO,
        false => spread(probe.interval, &desk.uid, *round),
    };
    loop {
        tokio::time::sleep(pause).await;
        let asked = {
            let _place = gate.acquire().await;
            let before = desk.link().map(|link| link.said()).unwrap_or_default();
            let asked = tokio::time::timeout(probe.timeout, ask(desk, probe)).await;
            asked.map_err(|_| desk.link().map_or(Sign::None, |link| Sign::of(before, link.said())))
        };
        match (asked, &probe.tool) {
            (Ok(Ok(())), _) | (Err(Sign::Answers | Sign::Words), None) => desk.fares(Source::Check, Ok(())),
            (Ok(Err(error)), _) => desk.fares(Source::Check, Err(&error)),
            (Err(Sign::Words), Some(_)) => {}
            (Err(Sign::None), _) | (Err(Sign::Answers), Some(_)) => {
                let error = format!("no answer within {} s", probe.timeout.as_secs_f64());
                desk.fares(Source::Check, Err(&error));
            }
        }
        *round += 1;
        pause = spread(probe.interval, &desk.uid, *round);
    }
}

/// What a copy has said while a check waited in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Nothing.
    None,
    /// It has answered somebody else.
    Answers,
    /// It has answered nobody, but said something.
    Words,
}

impl Sign {
    fn of(before: Said, after: Said) -> Self {
        if after.answers != before.answers {
            Self::Answers
        } else if after.other != before.other {
            Self::Words
        } else {
            Self::None
        }
    }
}

/// Asks once. An error says why there is no good answer.
async fn ask(desk: &Desk, probe: &Probe) -> Result<(), String> {
    let nobody = || "there is no conversation with it".to_owned();
    let link = desk.link().ok_or_else(nobody)?;
    let call = question(&link, probe);
    let method = call.method.clone();
    let exchange = link.request(call).await.map_err(|error| error.to_string())?;
    let outcome = exchange.outcome().await.map_err(|error| error.to_string())?;
    match &outcome {
        Outcome::Error(_) => {
            let (code, message) = (
                outcome.code().unwrap_or_default(),
                outcome.message().unwrap_or_default(),
            );
            Err(format!("error {code}: {message}"))
        }
        Outcome::Result(result) => {
            let members = Members::of(result).ok_or_else(|| format!("its answer to {method} is no object"))?;
            let is_error = members.get("isError").is_some_and(|value| value.get() == "true");
            match &probe.tool {
                Some(tool) if is_error => Err(format!("the tool `{tool}` has failed: {}", text_of(&members))),
                Some(_) | None => Ok(()),
            }
        }
    }
}

/// What is asked: the tool, else for the tools; of a server that has none, what every server of its era answers.
fn question(link: &Link, probe: &Probe) -> Call {
    match &probe.tool {
        Some(tool) => {
            let params = json!({"name": tool, "arguments": probe.arguments});
            greeting::own("tools/call", Some(&params))
        }
        None if link.hello().offers("tools") => greeting::own("tools/list", None),
        None => match link.hello().era {
            Era::Legacy => greeting::own("ping", None),
            Era::Modern => greeting::discover(),
        },
    }
}

/// The first text of a tool's result.
fn text_of(result: &Members<'_>) -> String {
    let content = result.get("content").map_or("[]", RawValue::get);
    let content: Vec<serde_json::Value> = serde_json::from_str(content).unwrap_or_default();
    let mut texts = content.iter().filter_map(|block| block["text"].as_str());
    texts.next().unwrap_or("it does not say why").to_owned()
}

/// The time to the next check: up to a tenth less or more, the same for the same copy and round.
fn spread(interval: Duration, uid: &str, round: u64) -> Duration {
    let hash = uid
        .bytes()
        .chain(round.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    interval * (900 + u32::try_from(hash % 200).unwrap_or(0)) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_meanwhile_is_a_sign_of_life() {
        let said = |answers, other| Said { answers, other };
        for (after, sign) in [
            (said(3, 5), Sign::None),
            (said(3, 6), Sign::Words),
            (said(4, 5), Sign::Answers),
            (said(4, 6), Sign::Answers),
        ] {
            assert_eq!(Sign::of(said(3, 5), after), sign, "{after:?}");
        }
    }

    #[test]
    fn checks_are_spread() {
        let interval = Duration::from_secs(30);
        let mut waits: Vec<_> = (0..100).map(|round| spread(interval, "0193-0001", round)).collect();
        assert!(
            waits
                .iter()
                .all(|wait| *wait >= interval * 9 / 10 && *wait <= interval * 11 / 10)
        );
        waits.sort();
        waits.dedup();
        assert!(waits.len() > 30, "{waits:?}");
    }
}
