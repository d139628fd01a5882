//! What the life of a published object means for whoever wants to use it.

use orch_shared::publishing::{Publication, PublicationState};
use orch_shared::resource::{ConditionStatus, Phase};

/// The same as a status tells it.
pub(super) struct Life {
    pub(super) phase: Phase,
    /// Whether it can be used.
    pub(super) status: ConditionStatus,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// Where a published object stands; one of which nothing is known has no publisher.
pub(super) fn life(publication: Option<&Publication>) -> Life {
    let state = publication.map_or(PublicationState::Inactive, |publication| publication.state);
    match state {
        PublicationState::Active => Life {
            phase: Phase::Ready,
            status: ConditionStatus::True,
            reason: "Published",
            message: String::new(),
        },
        PublicationState::Hibernating => Life {
            phase: Phase::Suspended,
            status: ConditionStatus::True,
            reason: "Hibernating",
            message: "it is woken when it is used".to_owned(),
        },
        PublicationState::Inactive => {
            let publisher = publication.map_or("nobody", |publication| publication.publisher.as_str());
            Life {
                phase: Phase::Degraded,
                status: ConditionStatus::False,
                reason: "PublisherAway",
                message: format!("its publisher, {publisher}, is away"),
            }
        }
    }
}
