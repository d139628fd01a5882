//! A model: whether it can be asked.
//!
//! Two things say so. Whoever asks it learns at once when it fails, and leaves it alone after several failures in a row; and now
//! and then somebody looks whether its provider answers, which costs nothing. What the former say comes first: a provider
//! that lists its models may still fail to answer with them.

use std::time::Duration;

use orch_shared::inference::probe::Found;
use orch_shared::publishing::Publication;
use orch_shared::resource::{Condition, ConditionStatus, Phase, PlainStatus, Timestamp};

use super::conditions::{Conditions, find, news_of_references};
use super::publication::life;
use super::{Action, Broken, Happening, Plan};

/// The condition that says whether a model can be asked.
pub const AVAILABLE: &str = "Available";

/// How much sooner than others a model is looked at that does not answer.
const SOONER: u32 = 10;

/// What is known of a model.
#[derive(Debug)]
pub struct World<'w> {
    /// Its generation.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The status it has.
    pub status: &'w PlainStatus,
    /// What it refers to and is not there.
    pub broken: &'w [Broken],
    /// Who answers for it.
    pub behind: Behind<'w>,
}

/// Who answers for a model.
#[derive(Debug, Clone, Copy)]
pub enum Behind<'w> {
    /// Its script.
    Script,
    /// A provider.
    Provider {
        /// Why it failed last, when it failed so often that it is left alone, or was until lately.
        failing: Option<&'w str>,
        /// How it was found last; nothing when nobody has looked since it was declared so.
        found: Option<&'w Found>,
    },
    /// A client that publishes it, and where it stands.
    Publisher(Option<&'w Publication>),
}

/// How soon a model is looked at again that was found so.
#[must_use]
pub fn good_for(found: &Found, interval: Duration, uid: &str) -> Duration {
    let plain = match found {
        Found::Well | Found::Odd(..) => interval,
        Found::KeyRefused(..)
        | Found::KeyMissing(..)
        | Found::Failing(..)
        | Found::Unreachable(_)
        | Found::Unfit(_) => interval / SOONER,
    };
    // Spread by up to a tenth either way, so that many models are not all looked at together.
    super::backoff(plain, Duration::MAX, 1, uid)
}

/// What is said of a model.
struct Statement {
    status: ConditionStatus,
    reason: &'static str,
    message: String,
}

impl Statement {
    fn new(status: ConditionStatus, reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status,
            reason,
            message,
        }
    }

    /// Nothing more than is known already.
    fn of(condition: &Condition, reason: &'static str) -> Self {
        Self::new(condition.status, reason, condition.message.clone())
    }
}

/// Reasons that may be said again from what was said before.
const REASONS: [&str; 8] = [
    "Answers",
    "KeyRefused",
    "KeyMissing",
    "ProviderFails",
    "OddAnswer",
    "Unreachable",
    "CannotBeAsked",
    LEFT_ALONE,
];

/// A model that kept failing.
const LEFT_ALONE: &str = "LeftAlone";

/// Whether it can be asked, as far as anybody knows.
fn available(world: &World<'_>) -> Statement {
    use ConditionStatus::{False, True, Unknown};
    let before = find(&world.status.conditions, AVAILABLE);
    let before = before.filter(|before| before.observed_generation == world.generation);
    match world.behind {
        Behind::Script => Statement::new(True, "Scripted", ""),
        Behind::Publisher(publication) => {
            let life = life(publication);
            Statement::new(life.status, life.reason, life.message)
        }
        Behind::Provider { failing: Some(why), .. } => match before {
            // Each failure has words of its own; one of them is enough.
            Some(before) if before.reason == LEFT_ALONE => Statement::of(before, LEFT_ALONE),
            Some(_) | None => Statement::new(
                False,
                LEFT_ALONE,
                format!("it kept failing when it was asked: it {why}"),
            ),
        },
        Behind::Provider {
            failing: None,
            found: Some(found),
        } => {
            let message = || format!("its provider {}", found.clause());
            match found {
                Found::Well => Statement::new(True, found.reason(), ""),
                Found::Odd(..) => Statement::new(Unknown, found.reason(), message()),
                Found::KeyRefused(..)
                | Found::KeyMissing(..)
                | Found::Failing(..)
                | Found::Unreachable(_)
                | Found::Unfit(_) => Statement::new(False, found.reason(), message()),
            }
        }
        // Under this daemon nobody has looked yet; what was seen under an earlier one stands.
        Behind::Provider {
            failing: None,
            found: None,
        } => {
            let known = before.and_then(|before| {
                let reason = REASONS.into_iter().find(|reason| *reason == before.reason)?;
                Some(Statement::of(before, reason))
            });
            known.unwrap_or_else(|| Statement::new(Unknown, "NotLookedAt", ""))
        }
    }
}

/// Decides.
#[must_use]
pub fn plan(world: &World<'_>, now: Timestamp) -> Plan<PlainStatus> {
    if world.deleting {
        return Plan {
            actions: vec![Action::Remove],
            status: world.status.clone(),
            events: vec![],
            look_again: None,
        };
    }
    let said = available(world);
    let mut conditions = Conditions::from(&world.status.conditions, world.generation, now);
    let phase = match (world.broken.first(), said.status) {
        (Some(Broken(first)), _) => {
            let message = format!("{first} (ORCH6009)");
            conditions.set("Ready", ConditionStatus::False, "ReferenceMissing", message);
            Phase::Degraded
        }
        (None, ConditionStatus::False) => {
            conditions.set("Ready", ConditionStatus::False, said.reason, said.message.clone());
            Phase::Degraded
        }
        (None, ConditionStatus::Unknown) if said.reason == "NotLookedAt" => {
            conditions.set("Ready", ConditionStatus::Unknown, said.reason, "");
            Phase::Progressing
        }
        (None, ConditionStatus::True | ConditionStatus::Unknown) => match world.behind {
            Behind::Publisher(publication) => {
                conditions.set("Ready", ConditionStatus::True, said.reason, said.message.clone());
                life(publication).phase
            }
            Behind::Script | Behind::Provider { .. } => {
                conditions.set("Ready", ConditionStatus::True, "Accepted", "");
                Phase::Ready
            }
        },
    };
    let events = events(world, &said);
    conditions.set(AVAILABLE, said.status, said.reason, said.message);
    conditions.references(world.broken);
    Plan {
        actions: vec![],
        status: PlainStatus {
            phase: Some(phase),
            observed_generation: Some(world.generation),
            conditions: conditions.into_inner(),
        },
        events,
        look_again: None,
    }
}

fn events(world: &World<'_>, said: &Statement) -> Vec<Happening> {
    let mut events = Vec::from_iter(news_of_references(&world.status.conditions, world.broken));
    let before = find(&world.status.conditions, AVAILABLE);
    let was_unavailable = before.is_some_and(|known| known.status == ConditionStatus::False);
    match (said.status, was_unavailable) {
        (ConditionStatus::False, false) => events.push(Happening::warning(said.reason, said.message.clone())),
        (ConditionStatus::True, true) => events.push(Happening::normal("Available", "it can be asked again")),
        (ConditionStatus::False | ConditionStatus::True, _) | (ConditionStatus::Unknown, _) => {}
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world<'w>(status: &'w PlainStatus, broken: &'w [Broken], behind: Behind<'w>) -> World<'w> {
        World {
            generation: 1,
            deleting: false,
            status,
            broken,
            behind,
        }
    }

    fn provider<'w>(failing: Option<&'w str>, found: Option<&'w Found>) -> Behind<'w> {
        Behind::Provider { failing, found }
    }

    #[test]
    fn a_model_is_what_is_known_of_it() {
        use ConditionStatus::{False, True, Unknown};
        let now = Timestamp::from_millis(5);
        let (well, refused, odd, away) = (
            Found::Well,
            Found::KeyRefused(401, Some("no".to_owned())),
            Found::Odd(404, None),
            Found::Unreachable("nobody listens".to_owned()),
        );
        let missing = [Broken("secret `keys` is gone".to_owned())];
        let none: &[Broken] = &[];
        for (behind, broken, available, reason, phase, events) in [
            (Behind::Script, none, True, "Scripted", Phase::Ready, 0),
            (
                provider(None, None),
                none,
                Unknown,
                "NotLookedAt",
                Phase::Progressing,
                0,
            ),
            (provider(None, Some(&well)), none, True, "Answers", Phase::Ready, 0),
            (
                provider(None, Some(&refused)),
                none,
                False,
                "KeyRefused",
                Phase::Degraded,
                1,
            ),
            (provider(None, Some(&odd)), none, Unknown, "OddAnswer", Phase::Ready, 0),
            (
                provider(None, Some(&away)),
                none,
                False,
                "Unreachable",
                Phase::Degraded,
                1,
            ),
            // Who asks knows better than who looks.
            (
                provider(Some("answers HTTP 500"), Some(&well)),
                none,
                False,
                "LeftAlone",
                Phase::Degraded,
                1,
            ),
            (
                provider(None, Some(&well)),
                &missing,
                True,
                "Answers",
                Phase::Degraded,
                1,
            ),
        ] {
            let blank = PlainStatus::default();
            let first = plan(&world(&blank, broken, behind), now);
            let said = find(&first.status.conditions, AVAILABLE).expect("said");
            assert_eq!((said.status, said.reason.as_str()), (available, reason), "{behind:?}");
            assert_eq!(
                (first.status.phase, first.events.len()),
                (Some(phase), events),
                "{behind:?}"
            );
            // Planning the planned world yields nothing.
            let again = plan(&world(&first.status, broken, behind), Timestamp::from_millis(9));
            assert_eq!((again.status, again.events), (first.status, vec![]), "{behind:?}");
        }
    }

    #[test]
    fn changes_are_told_and_words_that_change_are_none() {
        let now = Timestamp::from_millis(5);
        let (well, away) = (Found::Well, Found::Unreachable("nobody listens".to_owned()));
        let blank = PlainStatus::default();
        let mut status = plan(&world(&blank, &[], provider(None, Some(&well))), now).status;
        for (behind, told) in [
            (provider(Some("answers HTTP 500: a"), Some(&well)), Some("LeftAlone")),
            (provider(Some("answers HTTP 500: b"), Some(&well)), None),
            (provider(None, Some(&well)), Some("Available")),
            (provider(None, Some(&away)), Some("Unreachable")),
            // A new daemon has not looked yet, and says what was said.
            (provider(None, None), None),
            (provider(None, Some(&Found::Odd(404, None))), None),
            (provider(None, Some(&away)), Some("Unreachable")),
        ] {
            let planned = plan(&world(&status, &[], behind), now);
            let events: Vec<&str> = planned.events.iter().map(|event| event.reason).collect();
            assert_eq!(events, told.into_iter().collect::<Vec<_>>(), "{behind:?}");
            status = planned.status;
        }
        // Of another generation nothing is known.
        let other = World {
            generation: 2,
            ..world(&status, &[], provider(None, None))
        };
        let planned = plan(&other, now);
        assert_eq!(planned.status.phase, Some(Phase::Progressing));
    }

    #[test]
    fn what_does_not_answer_is_looked_at_sooner() {
        let interval = Duration::from_secs(300);
        let well = good_for(&Found::Well, interval, "u");
        let away = good_for(&Found::Unreachable(String::new()), interval, "u");
        assert!(well >= interval * 9 / 10 && well <= interval * 11 / 10, "{well:?}");
        assert!(away * 9 <= well, "{away:?}");
        assert_ne!(well, good_for(&Found::Well, interval, "v"));
    }
}
