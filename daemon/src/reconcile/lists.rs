//! Which lists of servers are missing where clients look for them; and which texts that Prompts link to, by the same rules.
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

/// What numbers are followed by that only say how often, how long, or when next.
const COUNTED: [&str; 8] = ["h", "min", "ms", "s", "seconds", "time", "times", "restarts"];

/// Whether two reasons are one: another count, or another time, tells nothing new. Another status or exit code does.
#[must_use]
pub fn is_the_same(one: &str, other: &str) -> bool {
    essence(one) == essence(other)
}

/// The words of a reason without counts and times.
fn essence(reason: &str) -> Vec<&str> {
    let words: Vec<&str> = reason.split_whitespace().collect();
    let is_counted = |next: &&str| COUNTED.contains(&next.trim_matches(|c: char| !c.is_ascii_alphanumeric()));
    let is_count = |at: usize, word: &str| {
        word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && words.get(at + 1).is_some_and(is_counted)
    };
    let kept = words.iter().enumerate().filter(|(at, word)| !is_count(*at, word));
    kept.map(|(_, word)| *word).collect()
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
        let before = known.insert(list, reason.clone());
        if !before.is_some_and(|before| is_the_same(&before, &reason)) {
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
        for (status, news) in [(500, 1), (403, 1), (403, 0)] {
            lists.lacks(&server, "resources/list", &format!("HTTP status {status}"));
            assert_eq!(rings(), news, "another status is");
        }
        lists.has(&server, "tools/list");
        lists.has(&server, "resources/list");
        assert_eq!((lists.of("u1").as_deref(), rings()), (Some(""), 2));
        lists.forget("u1");
        assert_eq!(lists.of("u1"), None);
    }
}
