//! What a copy waits for before it can be started: why, and for how long until it is looked at again.

use std::time::Duration;

use orch_shared::problem::Code;

/// How long until it is looked at again whether a reference has been mended.
const HOLD: Duration = Duration::from_secs(30);
/// How soon a backend is asked again for a value that it did not give.
const ASK_AGAIN: Duration = Duration::from_secs(3);

/// What a copy cannot be started without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Why it is not there, in one word.
    pub reason: &'static str,
    /// In a sentence.
    pub message: String,
    /// Stable code.
    pub code: Code,
    /// When to look again.
    pub again: Duration,
}

impl Want {
    /// Something that is referred to is not there.
    #[must_use]
    pub const fn reference(message: String) -> Self {
        Self {
            reason: "ReferenceMissing",
            message,
            code: Code::ReferenceBroken,
            again: HOLD,
        }
    }

    /// A value that lives in a backend cannot be had.
    #[must_use]
    pub const fn value(reason: &'static str, message: String, code: Code) -> Self {
        Self {
            reason,
            message,
            code,
            again: ASK_AGAIN,
        }
    }
}
