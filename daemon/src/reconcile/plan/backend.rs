//! A place where values live: whether it can be worked with, and when its token is to be replaced.
//!
//! A token that the daemon replaces is a day old when its time comes, give or take ten minutes, so that many backends do not
//! all do it at once. Whether that is due follows from when the token was made, which the backend itself tells; a daemon that
//! was down for long therefore finds it overdue at its start. After a failure the token stays, and is tried again a while later.

use std::time::Duration;

use orch_shared::kinds::secret_backend::{BackendType, SecretBackend, SecretBackendStatus, TokenHealth, TokenStatus};
use orch_shared::resource::{ConditionStatus, Phase, Timestamp};

use super::conditions::{Conditions, find};
use super::{Action, Broken, Happening, Plan};

/// How old a token is when it is replaced.
pub const AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// How far from that it may be, either way.
pub const JITTER: Duration = Duration::from_secs(10 * 60);
/// How long after a failure it is tried again.
pub const RETRY: Duration = Duration::from_secs(15 * 60);
/// How long after its time a token that was not replaced is called stale.
const STALE: Duration = Duration::from_secs(2 * 60 * 60);
/// How often a backend that is well is looked at.
const WELL: Duration = Duration::from_secs(30);
/// How often one that is not.
const UNWELL: Duration = Duration::from_secs(5);
/// How soon it is looked again whether anything still lives in a backend that is to go.
const EMPTYING: Duration = Duration::from_millis(500);

/// What is known of a backend.
#[derive(Debug)]
pub struct World<'w> {
    /// Its uid.
    pub uid: &'w str,
    /// Its generation.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Its spec.
    pub spec: &'w SecretBackend,
    /// The status it has.
    pub status: &'w SecretBackendStatus,
    /// What it refers to and is not there.
    pub broken: &'w [Broken],
    /// How many Secrets have values there.
    pub secrets: u32,
    /// What was seen of it last; nothing when nobody has looked.
    pub seen: Option<&'w Seen>,
}

/// What is seen of a backend that is somewhere else.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// It can be worked with.
    Well {
        /// What it says it is.
        version: String,
        /// What it knows of the daemon's token; nothing where the daemon logs in.
        token: Option<Token>,
    },
    /// It cannot.
    Unwell {
        /// Why, in one word.
        reason: &'static str,
        /// In a sentence.
        message: String,
        /// What is the matter, as far as it decides anything.
        trouble: Trouble,
    },
}

/// What is the matter with a backend, as far as it decides anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It is out of reach: it need not be asked for anything until it answers again.
    Away,
    /// It does not accept the token.
    Denied,
    /// Something else that it says at once.
    Other,
}

/// What a backend knows of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// When it was made.
    pub generated_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// How long what was seen is good for.
#[must_use]
pub const fn good_for(seen: &Seen) -> Duration {
    match seen {
        Seen::Well { .. } => WELL,
        Seen::Unwell { .. } => UNWELL,
    }
}

/// When a token is to be replaced that was made at that instant.
#[must_use]
pub fn renewal(uid: &str, generated_at: Timestamp) -> Timestamp {
    let hash = uid
        .bytes()
        .chain(generated_at.millis().to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let jitter = i64::try_from(JITTER.as_millis()).unwrap_or_default();
    let spread = i64::try_from(hash % (2 * JITTER.as_millis() as u64 + 1)).unwrap_or_default() - jitter;
    let age = i64::try_from(AGE.as_millis()).unwrap_or_default();
    Timestamp::from_millis(generated_at.millis() + age + spread)
}

/// Whether the token is to be replaced now.
#[must_use]
pub fn is_due(world: &World<'_>, now: Timestamp) -> bool {
    let is_rotated = world.spec.token().is_some_and(|token| token.token_role.is_some());
    let Some(Seen::Well { token: Some(token), .. }) = world.seen else {
        return false;
    };
    let failed = world.status.token.as_ref().and_then(|token| token.failed_at);
    let waits = failed.is_some_and(|failed| now.since(failed) < RETRY);
    is_rotated && !world.deleting && world.broken.is_empty() && !waits && now >= renewal(world.uid, token.generated_at)
}

/// Decides.
#[must_use]
pub fn plan(world: &World<'_>, now: Timestamp) -> Plan<SecretBackendStatus> {
    if world.deleting {
        let is_empty = world.secrets == 0;
        return Plan {
            actions: if is_empty { vec![Action::Remove] } else { vec![] },
            status: world.status.clone(),
            events: vec![],
            look_again: (!is_empty).then_some(EMPTYING),
        };
    }
    let mut conditions = Conditions::from(&world.status.conditions, world.generation, now);
    let mut events = Vec::new();
    let before = find(&world.status.conditions, "Ready").map(|ready| (ready.status, ready.reason.clone()));
    let phase = ready(world, before, &mut conditions, &mut events);
    conditions.references(world.broken);
    let status = SecretBackendStatus {
        phase: Some(phase),
        version: match world.seen {
            Some(Seen::Well { version, .. }) => Some(version.clone()),
            Some(Seen::Unwell { .. }) | None => world.status.version.clone(),
        },
        secrets: Some(world.secrets),
        token: token(world, now),
        observed_generation: Some(world.generation),
        conditions: conditions.into_inner(),
    };
    Plan {
        actions: vec![],
        status,
        events,
        look_again: match world.spec.backend_type {
            BackendType::Local => None,
            BackendType::Openbao => Some(world.seen.map_or(UNWELL, good_for)),
        },
    }
}

fn ready(
    world: &World<'_>,
    before: Option<(ConditionStatus, String)>,
    conditions: &mut Conditions<'_>,
    events: &mut Vec<Happening>,
) -> Phase {
    if let Some(Broken(first)) = world.broken.first() {
        let message = format!("{first} (ORCH6009)");
        conditions.set("Ready", ConditionStatus::False, "ReferenceMissing", message);
        return Phase::Degraded;
    }
    let was_unwell = matches!(&before, Some((ConditionStatus::False, _)));
    match (world.spec.backend_type, world.seen) {
        (BackendType::Local, _) => conditions.set("Ready", ConditionStatus::True, "Accepted", ""),
        (BackendType::Openbao, None) => {
            conditions.set(
                "Ready",
                ConditionStatus::Unknown,
                "NotAsked",
                "it has not been asked yet",
            );
            return Phase::Progressing;
        }
        (BackendType::Openbao, Some(Seen::Well { .. })) => {
            conditions.set("Ready", ConditionStatus::True, "Answers", "");
            if was_unwell {
                events.push(Happening::normal("BackendAnswers", "it can be worked with again"));
            }
        }
        (BackendType::Openbao, Some(Seen::Unwell { reason, message, .. })) => {
            conditions.set("Ready", ConditionStatus::False, reason, format!("{message} (ORCH6030)"));
            if before.is_none_or(|(status, known)| status != ConditionStatus::False || known != *reason) {
                events.push(Happening::warning(reason, message.clone()));
            }
            return Phase::Degraded;
        }
    }
    Phase::Ready
}

/// How the token fares that the daemon replaces; nothing when it replaces none.
fn token(world: &World<'_>, now: Timestamp) -> Option<TokenStatus> {
    world.spec.token()?.token_role.as_ref()?;
    let known = world.status.token.clone().unwrap_or_default();
    let mut told = match world.seen {
        Some(Seen::Well { token: Some(token), .. }) => TokenStatus {
            generated_at: Some(token.generated_at),
            renewal_at: Some(renewal(world.uid, token.generated_at)),
            expires_at: token.expires_at,
            ..known
        },
        Some(Seen::Well { token: None, .. } | Seen::Unwell { .. }) | None => known,
    };
    let is_denied = matches!(
        world.seen,
        Some(Seen::Unwell {
            trouble: Trouble::Denied,
            ..
        })
    );
    let has_ended = told.expires_at.is_some_and(|end| now >= end);
    let overdue = told
        .renewal_at
        .is_some_and(|renewal| now > renewal && now.since(renewal) > STALE);
    told.health = if is_denied || has_ended {
        TokenHealth::Error
    } else if told.last_error.is_some() {
        TokenHealth::Warning
    } else if overdue {
        TokenHealth::Stale
    } else {
        TokenHealth::Healthy
    };
    Some(told)
}

#[cfg(test)]
mod tests {
    use orch_shared::kinds::secret_backend::{Auth, TokenAuth};
    use orch_shared::value::SecretKeyRef;

    use super::*;

    const DAY: i64 = 86_400_000;

    fn backend() -> SecretBackend {
        SecretBackend {
            backend_type: BackendType::Openbao,
            auth: Some(Auth {
                token: Some(TokenAuth {
                    secret_ref: SecretKeyRef {
                        name: "bao".parse().unwrap(),
                        key: "token".to_owned(),
                    },
                    token_role: Some("orchd".to_owned()),
                }),
                kubernetes: None,
            }),
            ..SecretBackend::local()
        }
    }

    #[test]
    fn renewal_is_a_day_later_give_or_take_ten_minutes() {
        let made = Timestamp::from_millis(1_790_000_000_000);
        let mut all = std::collections::BTreeSet::new();
        for number in 0..500 {
            let renewal = renewal(&format!("uid-{number}"), made);
            let off = renewal.millis() - made.millis() - DAY;
            assert!(off.abs() <= 600_000, "{off}");
            all.insert(off);
        }
        assert!(all.len() > 400, "they are spread");
        assert!(*all.first().unwrap() < -500_000 && *all.last().unwrap() > 500_000);
        assert_eq!(renewal("x", made), renewal("x", made));
    }

    #[test]
    fn a_token_is_replaced_when_it_is_due_and_its_health_is_told() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let at = |days: i64| Timestamp::from_millis(now.millis() + days * DAY);
        let well = |generated: i64| Seen::Well {
            version: "1.8.0".to_owned(),
            token: Some(Token {
                generated_at: at(generated),
                expires_at: Some(at(generated + 30)),
            }),
        };
        let unwell = |trouble| Seen::Unwell {
            reason: "BackendSealed",
            message: "secretbackend `bao` is sealed".to_owned(),
            trouble,
        };
        let failed = |minutes: i64| TokenStatus {
            failed_at: Some(Timestamp::from_millis(now.millis() - minutes * 60_000)),
            last_error: Some("is sealed".to_owned()),
            ..TokenStatus::default()
        };
        for (seen, token, due, health) in [
            (Some(well(0)), None, false, TokenHealth::Healthy),
            (Some(well(-2)), None, true, TokenHealth::Stale),
            (Some(well(-2)), Some(failed(1)), false, TokenHealth::Warning),
            (Some(well(-2)), Some(failed(16)), true, TokenHealth::Warning),
            (Some(well(-31)), None, true, TokenHealth::Error),
            (Some(unwell(Trouble::Away)), None, false, TokenHealth::Healthy),
            (Some(unwell(Trouble::Denied)), None, false, TokenHealth::Error),
            (None, None, false, TokenHealth::Healthy),
        ] {
            let spec = backend();
            let status = SecretBackendStatus {
                token,
                ..SecretBackendStatus::default()
            };
            let world = World {
                uid: "u",
                generation: 1,
                deleting: false,
                spec: &spec,
                status: &status,
                broken: &[],
                secrets: 0,
                seen: seen.as_ref(),
            };
            assert_eq!(is_due(&world, now), due, "{seen:?}");
            let first = plan(&world, now);
            assert_eq!(first.status.token.as_ref().unwrap().health, health, "{seen:?}");
            // Planning the planned world yields nothing.
            let again = plan(
                &World {
                    status: &first.status,
                    ..world
                },
                now,
            );
            assert_eq!((again.status, again.events), (first.status, vec![]), "{seen:?}");
        }
    }

    #[test]
    fn a_backend_goes_when_nothing_lives_there_any_more() {
        let spec = backend();
        let status = SecretBackendStatus::default();
        let look = |secrets| {
            let world = World {
                uid: "u",
                generation: 1,
                deleting: true,
                spec: &spec,
                status: &status,
                broken: &[],
                secrets,
                seen: None,
            };
            plan(&world, Timestamp::from_millis(0))
        };
        assert_eq!((look(1).actions, look(1).look_again), (vec![], Some(EMPTYING)));
        assert_eq!(look(0).actions, [Action::Remove]);
    }
}
