//! Why nobody can say whose a message is that does not say it, and what a server is told whose question cannot be handed on
//! therefore.

use std::time::Duration;

use orch_shared::jsonrpc::Outcome;
use serde_json::json;

/// Why nobody can say whose a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// No call of a client is under way.
    Idle,
    /// Several are.
    Several,
    /// The server was asked for another principal, and that counts for so long yet.
    Others(Duration),
}

impl Doubt {
    /// The answer to a question.
    pub(super) fn refusal(self) -> Outcome {
        let why = match self {
            Self::Idle => "no call of a client is under way that it could belong to",
            Self::Several => "several calls are under way, and it may belong to any of them",
            Self::Others(_) => {
                "the server was asked for somebody else within the last five minutes, and it may be about that"
            }
        };
        let mut data =
            json!({"hint": "set `sessions: isolated` for this server; then each session has a copy for itself"});
        if let Self::Others(left) = self {
            data["retryAfterMs"] = json!(u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        }
        let message = format!(
            "this question cannot be handed on: {why}; with `sessions: isolated` each session has a copy of its own"
        );
        Outcome::error_with(-32600, &message, &data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_true_cause_is_told() {
        for (doubt, why, retry) in [
            (Doubt::Idle, "no call", false),
            (Doubt::Several, "several calls", false),
            (Doubt::Others(Duration::from_secs(7)), "somebody else", true),
        ] {
            let Outcome::Error(error) = doubt.refusal() else {
                panic!("{doubt:?} is refused");
            };
            assert!(error.get().contains(why), "{error}");
            assert_eq!(error.get().contains(r#""retryAfterMs":7000"#), retry, "{error}");
        }
    }
}
