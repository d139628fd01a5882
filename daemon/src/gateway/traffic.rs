//! The messages of a session, for whoever watches it: what was said by whom, with secrets left out.
//!
//! Nothing is kept, and nothing is prepared, unless somebody watches.

use orch_shared::resource::Timestamp;
use orch_shared::secrecy;
use orch_shared::session::{Direction, Traffic};
use serde_json::Value;
use tokio::sync::broadcast;

/// So much of a message is shown, in bytes.
const SHOWN: usize = 4 << 10;
/// So many messages wait for a watcher that reads slowly; then the oldest are dropped.
const WAITING: usize = 1024;
/// Where the messages of a session can be watched.
#[derive(Debug)]
pub(super) struct Tap(broadcast::Sender<Traffic>);

impl Default for Tap {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }
}

impl Tap {
    /// Whether anybody watches.
    pub(super) fn is_open(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// Begins to watch.
    pub(super) fn watch(&self) -> broadcast::Receiver<Traffic> {
        self.0.subscribe()
    }

    /// Shows a message, if anybody watches.
    pub(super) fn show(&self, at: Timestamp, direction: Direction, server: Option<&str>, message: &str) {
        if self.is_open() {
            let said = Traffic {
                at,
                direction,
                server: server.map(str::to_owned),
                size: message.len() as u64,
                text: redacted(message),
            };
            // Whoever watched may just have gone.
            let _ = self.0.send(said);
        }
    }
}

/// A message without secrets, cut to what is shown.
fn redacted(message: &str) -> String {
    let mut shown = match serde_json::from_str::<Value>(message) {
        Ok(mut value) => {
            secrecy::mask(&mut value);
            value.to_string()
        }
        Err(_) => message.to_owned(),
    };
    if shown.len() > SHOWN {
        let mut end = SHOWN;
        while !shown.is_char_boundary(end) {
            end -= 1;
        }
        let more = shown.len() - end;
        shown.truncate(end);
        shown.push_str(&format!("… ({more} bytes more)"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for (message, shown) in [
            (
                r#"{"params":{"apiKey":"x","name":"a"}}"#,
                r#"{"params":{"apiKey":"***","name":"a"}}"#,
            ),
            (r#"{"x":"Bearer abc"}"#, r#"{"x":"***"}"#),
            ("not JSON", "not JSON"),
        ] {
            assert_eq!(redacted(message), shown);
        }
        let long = redacted(&Value::from("é".repeat(SHOWN)).to_string());
        assert!(long.len() < SHOWN + 40 && long.ends_with("bytes more)"), "{long}");
    }
}
