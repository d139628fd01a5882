//! Numbers with their units, and what stands for many of them.

use std::time::{Duration, Instant};

/// Runs something and tells how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let started = Instant::now();
    let made = work();
    (started.elapsed(), made)
}

/// The value that half of them do not exceed.
pub(crate) fn median(times: &[Duration]) -> Duration {
    percentile(times, 0.5)
}

/// The value that this share of them does not exceed.
pub(crate) fn percentile(times: &[Duration], share: f64) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    let most = times.len().saturating_sub(1);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among some thousand"
    )]
    let place = (most as f64 * share).ceil() as usize;
    times[place]
}

/// How many there were in a second.
pub(crate) fn rate(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).expect("no bench counts further")) / took.as_secs_f64()
}

/// `12.3 ms`.
pub(crate) fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// `1234/s`.
pub(crate) fn per_second(rate: f64) -> String {
    format!("{rate:.0}/s")
}

/// `31.5 MiB`, of kibibytes.
pub(crate) fn mebibytes(kibibytes: u32) -> String {
    format!("{:.1} MiB", f64::from(kibibytes) / 1024.0)
}
