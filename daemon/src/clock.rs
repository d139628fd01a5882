//! Time and chance, as arguments: whoever needs the hour or a fresh name is handed a [`Clock`] or [`Ids`].
//!
//! The daemon hands out [`SystemClock`] and [`RandomIds`]; tests hand out [`ManualClock`] and [`CountedIds`], so that a
//! test never waits for an hour to pass and never meets the same name twice.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use orch_shared::resource::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The instant it is.
    fn now(&self) -> Timestamp;
}

/// Makes names that nothing else has.
pub trait Ids: Send + Sync + 'static {
    /// A UUIDv7: grows with time, in milliseconds.
    fn uid(&self) -> String;
    /// Five characters of `a-z0-9`, for the names of instances.
    fn suffix(&self) -> String;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the daemon asks for the time"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.millis()))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.0.store(self.now().after(by).millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Ids from a clock and the kernel's random bytes.
pub struct RandomIds {
    clock: Arc<dyn Clock>,
    /// Random bytes that nobody has had: every request has an id, and asking the kernel for each is felt.
    unused: Mutex<Vec<u8>>,
}

/// How many random bytes are asked for at once.
const SUPPLY: usize = 1024;

impl RandomIds {
    /// Ids whose time is that of `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let unused = Mutex::default();
        Self { clock, unused }
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut unused = self.unused.lock().unwrap_or_else(PoisonError::into_inner);
        if unused.len() < N {
            unused.resize(SUPPLY.max(N), 0);
            getrandom::fill(&mut unused).expect("the kernel hands out random bytes");
        }
        let rest = unused.len() - N;
        let taken = unused[rest..].try_into().expect("as many as were asked for");
        unused.truncate(rest);
        taken
    }
}

const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

impl Ids for RandomIds {
    fn uid(&self) -> String {
        uuid_at(self.clock.now(), &self.random())
    }

    fn suffix(&self) -> String {
        let mut suffix = String::with_capacity(5);
        while suffix.len() < 5 {
            // 252 is the largest multiple of 36 in a byte; what lies above would favour the first letters.
            let fair = self.random::<16>().into_iter().filter(|byte| *byte < 252);
            suffix.extend(
                fair.take(5 - suffix.len())
                    .map(|byte| char::from(LETTERS[usize::from(byte % 36)])),
            );
        }
        suffix
    }
}

fn uuid_at(instant: Timestamp, rest: &[u8; 10]) -> String {
    let millis = u64::try_from(instant.millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, rest)
        .into_uuid()
        .to_string()
}

/// Ids that count, so that a test knows what it will see.
#[derive(Debug, Default)]
pub struct CountedIds(AtomicU64);

impl Ids for CountedIds {
    fn uid(&self) -> String {
        let count = self.0.fetch_add(1, Ordering::SeqCst);
        let mut rest = [0; 10];
        rest[2..].copy_from_slice(&count.to_be_bytes());
        uuid_at(Timestamp::from_millis(0), &rest)
    }

    fn suffix(&self) -> String {
        let mut count = self.0.fetch_add(1, Ordering::SeqCst);
        let mut suffix = [b'a'; 5];
        for place in suffix.iter_mut().rev() {
            *place = LETTERS[usize::try_from(count % 36).unwrap_or(0)];
            count /= 36;
        }
        suffix.into_iter().map(char::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_valid_and_grow_with_time() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_790_000_000_000)));
        let ids = RandomIds::new(clock.clone());
        let early = ids.uid();
        clock.advance(Duration::from_millis(1));
        let late = ids.uid();
        assert!(early < late, "{early} {late}");
        for uid in [early, late, CountedIds::default().uid()] {
            let parsed: uuid::Uuid = uid.parse().unwrap();
            assert_eq!(parsed.get_version_num(), 7, "{uid}");
        }
    }

    #[test]
    fn suffixes_are_five_letters_or_digits() {
        let counted = CountedIds::default();
        let random = RandomIds::new(Arc::new(SystemClock));
        for suffix in (0..100).flat_map(|_| [counted.suffix(), random.suffix()]) {
            assert!(
                suffix.len() == 5 && suffix.bytes().all(|byte| LETTERS.contains(&byte)),
                "{suffix}"
            );
        }
        assert_ne!(counted.suffix(), counted.suffix());
    }
}
