//! Which lists of servers are missing where clients look for them.
//!
//! Flow: whoever asks servers for their lists says what came of it; when that is news, the reconciler looks at the server and
//! says it in its status, as the condition `Listed`. What was said under an earlier daemon stands until it is known better.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orch_shared::excerpt::printable;
use tokio::sync::mpsc::UnboundedSender;

/// So many characters of a reason are told.
const LONGEST: usize = 300;

/// What came of asking for lists. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lists(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Rings for a key.
    bell: UnboundedSender<String>,
    /// Of each server that was asked: which lists are missing, and why.
    missing: Mutex<HashMap<Arc<str>, Missing>>,
}

/// Lists that are missing, by the method that asks for them, and why each is, in a clause.
type Missing = BTreeMap<&'static str, String>;

/// Whether two reasons are one: what differs in nothing but numbers (how often, how long, when next) tells nothing new.
#[must_use]
pub fn is_the_same(one: &str, other: &str) -> bool {
    let words = |text| str::split(text, |c: char| c.is_ascii_digit()).filter(|part| !part.is_empty());
    words(one).eq(words(other))
}

impl Lists {
    /// Rings that bell with the uid of a server of which there is news.
    #[must_use]
    pub fn new(bell: UnboundedSender<String>) -> Self {
        Self(Arc::new(Shared {
            bell,
            missing: Mutex::default(),
        }))
    }

    fn missing(&self) -> MutexGuard<'_, HashMap<Arc<str>, Missing>> {
        self.0.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A server did not give a list: why, in a clause.
    pub fn lacks(&self, server: &Arc<str>, list: &'static str, reason: &str) {
        let reason: String = printable(reason).chars().take(LONGEST).collect();
        let mut missing = self.missing();
        let known = missing.entry(Arc::clone(server)).or_default();
        if !known.get(list).is_some_and(|known| is_the_same(known, &reason)) {
            known.insert(list, reason);
            self.ring(server);
        }
    }

    /// A server gave a list.
    pub fn has(&self, server: &Arc<str>, list: &'static str) {
        let mut missing = self.missing();
        match missing.get_mut(server) {
            Some(known) => {
                if known.remove(list).is_some() {
                    self.ring(server);
                }
            }
            None => {
                missing.insert(Arc::clone(server), Missing::default());
                self.ring(server);
            }
        }
    }

    /// Why lists of a server are missing, in a sentence, which is empty when none is; nothing when it was not asked yet.
    pub(super) fn of(&self, server: &str) -> Option<String> {
        let missing = self.missing();
        let reasons = missing.get(server)?.iter();
        let reasons: Vec<_> = reasons.map(|(list, reason)| format!("{list}: {reason}")).collect();
        Some(reasons.join("; "))
    }

    /// Forgets a server that is gone.
    pub(super) fn forget(&self, server: &str) {
        self.missing().remove(server);
    }

    fn ring(&self, server: &str) {
        // Without a reconciler there is nobody to tell.
        let _ = self.0.bell.send(server.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_news_ring() {
        let (bell, mut rung) = tokio::sync::mpsc::unbounded_channel();
        let lists = Lists::new(bell);
        let server: Arc<str> = "u1".into();
        let mut rings = || std::iter::from_fn(|| rung.try_recv().ok()).count();
        assert_eq!(lists.of("u1"), None);
        lists.has(&server, "tools/list");
        lists.has(&server, "prompts/list");
        assert_eq!((lists.of("u1").as_deref(), rings()), (Some(""), 1));
        for _ in 0..3 {
            lists.lacks(&server, "tools/list", "it\nis slow");
            lists.has(&server, "prompts/list");
        }
        assert_eq!(
            (lists.of("u1").as_deref(), rings()),
            (Some("tools/list: it\\nis slow"), 1)
        );
        lists.lacks(&server, "resources/list", &"x".repeat(1000));
        assert!(lists.of("u1").is_some_and(|said| said.len() < 400) && rings() == 1);
        for attempt in 9..12 {
            lists.lacks(&server, "resources/list", &format!("it crashed {attempt} times"));
        }
        assert_eq!(rings(), 1, "another count is no news");
        lists.has(&server, "tools/list");
        lists.has(&server, "resources/list");
        assert_eq!((lists.of("u1").as_deref(), rings()), (Some(""), 2));
        lists.forget("u1");
        assert_eq!(lists.of("u1"), None);
    }
}
