//! What becomes of published objects, as values: who may offer what, and where an object stands after something has
//! happened. No clock, no store: the same row, the same event and the same instant give the same answer.

use std::time::Duration;

use orch_shared::publishing::{PublicationState, Readiness};
use orch_shared::resource::Timestamp;

use crate::store::Publication;

/// Who offers an object: a session, by the SHA-256 of its id, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offerer<'o> {
    pub(super) publisher: &'o str,
    pub(super) owner: &'o str,
}

/// What bears the name of an object that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Live<'l> {
    /// Nothing.
    Absent,
    /// An object that somebody has declared.
    Declared,
    /// An object that is published.
    Published(&'l Publication),
}

/// What an offer comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is made.
    Made,
    /// The session has it already, and goes on with it.
    Resumed,
    /// It was left by another session of the same owner, and is taken up again.
    Adopted,
}

/// Why an offer is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Somebody has declared an object of that name.
    Declared,
    /// Another session publishes it, and is there.
    Active,
    /// Somebody else has published it. What is left of it is theirs.
    Foreign,
}

/// Whether an object may be offered under a name that is so.
pub(super) fn claim(live: Live<'_>, offerer: Offerer<'_>) -> Result<Claim, Refusal> {
    match live {
        Live::Absent => Ok(Claim::Made),
        Live::Declared => Err(Refusal::Declared),
        Live::Published(row) if row.owner != offerer.owner => Err(match row.state {
            PublicationState::Inactive => Refusal::Foreign,
            PublicationState::Active | PublicationState::Hibernating => Refusal::Active,
        }),
        Live::Published(row) if row.publisher == offerer.publisher => Ok(Claim::Resumed),
        Live::Published(row) => match row.state {
            PublicationState::Inactive => Ok(Claim::Adopted),
            PublicationState::Active | PublicationState::Hibernating => Err(Refusal::Active),
        },
    }
}

/// How long what is published lives without its publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Without a heartbeat for so long it is inactive.
    pub heartbeat: Duration,
    /// Inactive for so long, it is deleted.
    pub retention: Duration,
}

/// Something that happens to a published object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happening {
    /// Its publisher was heard of, and says where the object stands, or nothing about that.
    Heard(Option<Readiness>),
    /// Its publisher has gone.
    Left,
    /// Nothing but time has passed.
    Time,
}

/// What a published object is from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// What it was.
    Same,
    /// That.
    Is(Publication),
    /// Nothing: it is deleted, unless somebody uses it.
    Deleted,
}

/// Where an object stands after something has happened at that instant.
pub(super) fn next(row: &Publication, happening: Happening, now: Timestamp, terms: Terms) -> Next {
    let inactive = || {
        Next::Is(Publication {
            state: PublicationState::Inactive,
            inactive_since: Some(now),
            ..row.clone()
        })
    };
    let is_there = row.state != PublicationState::Inactive;
    match happening {
        Happening::Heard(readiness) => {
            let state = match (readiness, row.state) {
                (Some(readiness), _) => readiness.state(),
                // What slept when its publisher was lost may have been woken since; a task tells.
                (None, PublicationState::Inactive) => PublicationState::Active,
                (None, state @ (PublicationState::Active | PublicationState::Hibernating)) => state,
            };
            Next::Is(Publication {
                state,
                heartbeat_at: row.heartbeat_at.max(now),
                inactive_since: None,
                ..row.clone()
            })
        }
        Happening::Left if is_there => inactive(),
        Happening::Left => Next::Same,
        Happening::Time if is_there && now.since(row.heartbeat_at) >= terms.heartbeat => inactive(),
        Happening::Time if is_there => Next::Same,
        Happening::Time => match row.inactive_since {
            Some(since) if now.since(since) < terms.retention => Next::Same,
            Some(_) | None => Next::Deleted,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TERMS: Terms = Terms {
        heartbeat: Duration::from_secs(90),
        retention: Duration::from_secs(4 * 60 * 60),
    };

    fn row(publisher: &str, owner: &str, state: PublicationState) -> Publication {
        Publication {
            uid: "u".to_owned(),
            publisher: publisher.to_owned(),
            owner: owner.to_owned(),
            state,
            heartbeat_at: Timestamp::from_millis(1_000_000),
            inactive_since: (state == PublicationState::Inactive).then_some(Timestamp::from_millis(1_000_000)),
            warm_projects: vec![],
        }
    }

    #[test]
    fn who_may_offer_what() {
        use PublicationState::{Active, Hibernating, Inactive};
        let offerer = Offerer {
            publisher: "mine",
            owner: "me",
        };
        assert_eq!(claim(Live::Absent, offerer), Ok(Claim::Made));
        assert_eq!(claim(Live::Declared, offerer), Err(Refusal::Declared));
        for (publisher, owner, state, expected) in [
            ("mine", "me", Active, Ok(Claim::Resumed)),
            ("mine", "me", Hibernating, Ok(Claim::Resumed)),
            ("mine", "me", Inactive, Ok(Claim::Resumed)),
            ("other", "me", Active, Err(Refusal::Active)),
            ("other", "me", Hibernating, Err(Refusal::Active)),
            ("other", "me", Inactive, Ok(Claim::Adopted)),
            ("other", "you", Active, Err(Refusal::Active)),
            ("other", "you", Hibernating, Err(Refusal::Active)),
            ("other", "you", Inactive, Err(Refusal::Foreign)),
            // A session whose principal is another one by now.
            ("mine", "you", Inactive, Err(Refusal::Foreign)),
        ] {
            let row = row(publisher, owner, state);
            assert_eq!(claim(Live::Published(&row), offerer), expected, "{row:?}");
        }
    }

    #[test]
    fn the_life_of_what_is_published() {
        use PublicationState::{Active, Hibernating, Inactive};
        let after = |seconds: u64| Timestamp::from_millis(1_000_000).after(Duration::from_secs(seconds));
        let day = 24 * 60 * 60;
        for (state, happening, seconds, expected) in [
            (Active, Happening::Time, 89, Some(Active)),
            (Active, Happening::Time, 90, Some(Inactive)),
            (Hibernating, Happening::Time, 90, Some(Inactive)),
            (Inactive, Happening::Time, 4 * 60 * 60 - 1, Some(Inactive)),
            (Inactive, Happening::Time, 4 * 60 * 60, None),
            (Active, Happening::Left, 1, Some(Inactive)),
            (Hibernating, Happening::Left, 1, Some(Inactive)),
            (Inactive, Happening::Left, day, Some(Inactive)),
            (Inactive, Happening::Heard(None), day, Some(Active)),
            (
                Inactive,
                Happening::Heard(Some(Readiness::Hibernating)),
                1,
                Some(Hibernating),
            ),
            (Hibernating, Happening::Heard(None), 1, Some(Hibernating)),
            (Hibernating, Happening::Heard(Some(Readiness::Active)), 1, Some(Active)),
            (
                Active,
                Happening::Heard(Some(Readiness::Hibernating)),
                1,
                Some(Hibernating),
            ),
        ] {
            let row = row("p", "o", state);
            let became = match next(&row, happening, after(seconds), TERMS) {
                Next::Same => Some(row.state),
                Next::Is(row) => Some(row.state),
                Next::Deleted => None,
            };
            assert_eq!(became, expected, "{state:?} {happening:?} {seconds} s");
        }
    }

    fn happenings() -> impl Strategy<Value = Vec<(Happening, u64)>> {
        let readiness = prop_oneof![
            Just(None),
            Just(Some(Readiness::Active)),
            Just(Some(Readiness::Hibernating))
        ];
        let happening = prop_oneof![
            readiness.prop_map(Happening::Heard),
            Just(Happening::Left),
            Just(Happening::Time)
        ];
        proptest::collection::vec((happening, 0_u64..20_000), 1..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// Whatever happens in whatever order: what is inactive says since when and nothing else does; nothing is deleted
        /// that was heard of within the terms; and looking again at the same instant changes nothing more.
        #[test]
        fn every_history_is_a_life(history in happenings()) {
            let mut now = Timestamp::from_millis(1_000_000);
            let mut row = row("p", "o", PublicationState::Active);
            let mut heard = now;
            for (happening, seconds) in history {
                now = now.after(Duration::from_secs(seconds));
                if let Happening::Heard(_) = happening {
                    heard = now;
                }
                match next(&row, happening, now, TERMS) {
                    Next::Same => {}
                    Next::Is(is) => row = is,
                    Next::Deleted => {
                        prop_assert!(now.since(heard) >= TERMS.retention);
                        break;
                    }
                }
                prop_assert_eq!(row.state == PublicationState::Inactive, row.inactive_since.is_some());
                prop_assert_eq!(row.heartbeat_at, heard);
                if let Next::Is(again) = next(&row, Happening::Time, now, TERMS) {
                    prop_assert_eq!(next(&again, Happening::Time, now, TERMS), Next::Same);
                }
            }
        }
    }
}
