//! Durations and instants as a person would say them: `8s`, `4m`, `3d`; `2026-11-21 04:12:09` in local time.

use std::time::Duration;

use orch_shared::quantity::Span;
use orch_shared::resource::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// The duration in one unit, coarse enough to be read at a glance.
pub(crate) fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (amount, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7_200 => (seconds / MINUTE, "m"),
        7_200..172_800 => (seconds / HOUR, "h"),
        172_800..63_072_000 => (seconds / DAY, "d"),
        63_072_000.. => (seconds / YEAR, "y"),
    };
    format!("{amount}{unit}")
}

/// What lies ahead, to the nearest of its unit: what was just given for 12 hours lasts 12, though a moment of them has passed.
pub(crate) fn ahead(duration: Duration) -> String {
    let nearest = |unit: u64| (duration + Duration::from_millis(unit * 500)).as_secs() / unit;
    let units = [(1, 120), (MINUTE, 120), (HOUR, 48), (DAY, 730), (YEAR, u64::MAX)];
    let fits = |(unit, end): &(u64, u64)| nearest(*unit) < *end;
    // In the unit in which that number is told.
    let unit = units.into_iter().find(fits).map_or(YEAR, |(unit, _)| unit);
    short(Duration::from_secs(nearest(unit) * unit))
}

/// How long ago an instant was.
pub(crate) fn since(now: Timestamp, then: Timestamp) -> String {
    short(now.since(then))
}

/// A short run time with as much precision as is of interest: `0.4 s`, `12 s`, `4m`.
pub(crate) fn run_time(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..120 => format!("{} s", duration.as_secs()),
        120.. => short(duration),
    }
}

/// So many microseconds, in the unit in which they are read best: `340 us`, `1.2 ms`, `800 ms`, `12 s`.
pub(crate) fn took(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..10_000 => format!("{:.1} ms", Duration::from_micros(micros).as_secs_f64() * 1e3),
        10_000..10_000_000 => format!("{} ms", micros / 1_000),
        10_000_000.. => run_time(Duration::from_micros(micros)),
    }
}

/// The instant on the user's clock. Today's is told by its time alone.
pub(crate) fn local(now: Timestamp, then: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::system();
    let at = |instant: Timestamp| {
        jiff::Timestamp::from_millisecond(instant.millis()).map(|instant| instant.to_zoned(zone.clone()))
    };
    match (at(now), at(then)) {
        (Ok(now), Ok(then)) if now.date() == then.date() => then.strftime("%H:%M:%S").to_string(),
        (_, Ok(then)) => then.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        (_, Err(_)) => then.to_string(),
    }
}

/// A point in time as the daemon reads it, of what a person types: `2h` ago, which stays as it is, `today`, a date or an
/// instant on the user's clock. Nothing when it is none of these.
pub(crate) fn point(now: Timestamp, text: &str) -> Option<String> {
    let text = text.trim();
    if text.parse::<Timestamp>().is_ok() || text.parse::<Span>().is_ok() {
        return Some(text.to_owned());
    }
    let zone = jiff::tz::TimeZone::system();
    let zoned = match text {
        "today" | "yesterday" => {
            let today = jiff::Timestamp::from_millisecond(now.millis())
                .ok()?
                .to_zoned(zone)
                .date();
            let day = if text == "today" {
                today
            } else {
                today.yesterday().ok()?
            };
            day.to_zoned(jiff::tz::TimeZone::system()).ok()?
        }
        text => text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(zone).ok()?,
    };
    Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()).to_string())
}

/// The text with the instants in it said as a person would: `next try at 2026-11-21T05:38:15.395Z` becomes `next try in
/// 48s`, and what is past becomes the time on the user's clock.
pub(crate) fn spoken(now: Timestamp, text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches([',', ';', '.', ')']);
        match bare.parse::<Timestamp>() {
            Ok(instant) => (Some(instant), &word[bare.len()..], word),
            Err(_) => (None, "", word),
        }
    });
    let mut out: Vec<String> = Vec::new();
    for (instant, tail, word) in words {
        match instant {
            None => out.push(word.to_owned()),
            Some(instant) if instant > now => {
                if out.last().is_some_and(|before| before == "at") {
                    out.pop();
                }
                out.push(format!("in {}{tail}", ahead(instant.since(now))));
            }
            Some(instant) => out.push(format!("{}{tail}", local(now, instant))),
        }
    }
    out.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_in_texts_are_spoken() {
        let now: Timestamp = "2026-11-21T05:38:00.000Z".parse().unwrap();
        for (text, said) in [
            (
                "exited, next try at 2026-11-21T05:38:48.395Z",
                "exited, next try in 48s",
            ),
            (
                "next try at 2026-11-21T05:48:00.000Z (ORCH6006)",
                "next try in 10m (ORCH6006)",
            ),
            ("(until 2026-11-21T05:48:00.000Z)", "(until in 10m)"),
            ("version 2026-11-21 at 5", "version 2026-11-21 at 5"),
            ("", ""),
        ] {
            assert_eq!(spoken(now, text), said);
        }
    }

    #[test]
    fn points_in_time_are_read() {
        let now: Timestamp = "2026-11-21T05:38:00.000Z".parse().unwrap();
        for same in ["2h", "2026-11-21T05:38:48.395Z"] {
            assert_eq!(point(now, same).as_deref(), Some(same));
        }
        for local in [
            "today",
            "yesterday",
            "2026-11-20",
            "2026-11-20T04:12",
            "2026-11-20 04:12:09",
        ] {
            let read = point(now, local).and_then(|text| text.parse::<Timestamp>().ok());
            assert!(read.is_some_and(|read| read < now), "{local}");
        }
        for wrong in ["", "soon", "2026-13-01", "2"] {
            assert_eq!(point(now, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_are_said_in_one_unit() {
        for (seconds, said) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (7_199, "119m"),
            (7_200, "2h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (63_072_000, "2y"),
        ] {
            assert_eq!(short(Duration::from_secs(seconds)), said);
        }
    }

    #[test]
    fn what_lies_ahead_is_told_to_the_nearest() {
        for (millis, said) in [
            (0, "0s"),
            (47_600, "48s"),
            (119_400, "119s"),
            (119_600, "2m"),
            (89_000 + 3_600_000, "61m"),
            (12 * 3_600_000 - 40, "12h"),
            (12 * 3_600_000 - 1_900_000, "11h"),
            (2 * 86_400_000 - 40, "2d"),
            (30 * 86_400_000 - 40, "30d"),
            (30 * 86_400_000 - 50_000_000, "29d"),
            (730 * 86_400_000 - 40, "2y"),
        ] {
            assert_eq!(ahead(Duration::from_millis(millis)), said, "{millis}");
        }
    }

    #[test]
    fn run_times_keep_tenths_while_they_matter() {
        for (millis, said) in [(400, "0.4 s"), (12_300, "12 s"), (300_000, "5m")] {
            assert_eq!(run_time(Duration::from_millis(millis)), said);
        }
    }
}
