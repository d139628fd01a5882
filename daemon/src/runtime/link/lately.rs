//! For whom a server was asked lately.
//!
//! What enters: principals, whenever a call of theirs begins and whenever it is over. What leaves: whether anybody but one of
//! them was among them within the time in which a server may still be busy with a call, be it answered. Two of them are all
//! that has to be remembered: the last one, and the last one but for that one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// How long a server may go on with a call that is over: it may not have heard that the call was cancelled, or have answered
/// and work on in the background.
pub(super) const AFTERMATH: Duration = Duration::from_secs(300);

/// For whom a server was asked last, and for whom before that; never the same.
#[derive(Debug, Default)]
pub(super) struct Lately {
    last: Option<(Arc<str>, Instant)>,
    other: Option<(Arc<str>, Instant)>,
}

impl Lately {
    /// Something was asked for that principal, or has come to its end.
    pub(super) fn note(&mut self, principal: &Arc<str>) {
        let now = Instant::now();
        match &mut self.last {
            Some((last, at)) if last == principal => *at = now,
            last => self.other = last.replace((Arc::clone(principal), now)),
        }
    }

    /// Whether anybody but that principal was among them.
    pub(super) fn has_others(&self, principal: &str) -> bool {
        self.others_for(principal).is_some()
    }

    /// For how long somebody but that principal still counts as having asked lately; nothing when nobody does.
    pub(super) fn others_for(&self, principal: &str) -> Option<Duration> {
        let known = [&self.last, &self.other];
        let others = known.into_iter().flatten().filter(|(one, _)| **one != *principal);
        let left = others.filter_map(|(_, at)| AFTERMATH.checked_sub(at.elapsed()));
        left.filter(|left| !left.is_zero()).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn others_count_for_a_while() {
        let [ann, bob, eve]: [Arc<str>; 3] = ["ann", "bob", "eve"].map(Arc::from);
        let mut lately = Lately::default();
        assert!(!lately.has_others("ann"));
        lately.note(&ann);
        lately.note(&Arc::from("ann"));
        assert!(!lately.has_others("ann") && lately.has_others("bob"));

        tokio::time::advance(AFTERMATH / 2).await;
        for principal in [&bob, &ann, &ann] {
            lately.note(principal);
        }
        assert!(lately.has_others("ann") && lately.has_others("bob"));
        tokio::time::advance(AFTERMATH / 2).await;
        lately.note(&ann);
        assert!(lately.has_others("ann"), "bob was there not long ago");
        tokio::time::advance(AFTERMATH / 2).await;
        assert!(!lately.has_others("ann") && lately.has_others("bob"));

        // Of three, too, it is the last of the others that counts.
        for principal in [&eve, &bob, &ann] {
            lately.note(principal);
        }
        tokio::time::advance(AFTERMATH / 2).await;
        lately.note(&ann);
        assert!(lately.has_others("ann"));
        tokio::time::advance(AFTERMATH / 2).await;
        assert!(!lately.has_others("ann"));
        tokio::time::advance(AFTERMATH / 2).await;
        assert!(!lately.has_others("bob"), "all are long gone");
    }
}
