//! Log messages of servers: how severe they are, and who wants them.

use orch_shared::jsonrpc::{Members, Notification};

/// The severities of log messages, the least first (RFC 5424).
const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

/// Whether a log message of that level is wanted by who asked for `least`.
pub(super) fn is_wanted(level: &str, least: Option<&str>) -> bool {
    let rank = |level| LEVELS.iter().position(|known| *known == level);
    match (rank(level), least.and_then(rank)) {
        (Some(level), Some(least)) => level >= least,
        (Some(_) | None, _) => true,
    }
}

/// The severity of a log message; nothing for other news.
pub(super) fn level_of(news: &Notification) -> Option<String> {
    (news.method == "notifications/message").then(|| {
        Members::of_params(news.params.as_deref())
            .text("level")
            .unwrap_or_default()
    })
}

/// Whether that is a severity.
pub(super) fn is_level(level: &str) -> bool {
    LEVELS.contains(&level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered() {
        for (level, least, wanted) in [
            ("debug", None, true),
            ("debug", Some("info"), false),
            ("error", Some("info"), true),
            ("info", Some("info"), true),
            ("odd", Some("alert"), true),
        ] {
            assert_eq!(is_wanted(level, least), wanted, "{level} {least:?}");
        }
    }
}
