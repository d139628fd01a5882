//! The messages of a session, for whoever watches it: what was said by whom, with secrets left out: what looks like one, and
//! what is known to be one.
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

    /// Shows a message, if anybody watches. `hide` leaves out what is known to be a secret: it is given a text, and how much of it
    /// is shown, and answers with that, and how much stands behind it.
    pub(super) fn show(
        &self,
        at: Timestamp,
        direction: Direction,
        server: Option<&str>,
        message: &str,
        hide: impl FnOnce(&str, usize) -> (String, usize),
    ) {
        if self.is_open() {
            let said = Traffic {
                at,
                direction,
                server: server.map(str::to_owned),
                size: message.len() as u64,
                text: cut(&redacted(message), hide),
            };
            // Whoever watched may just have gone.
            let _ = self.0.send(said);
        }
    }
}

/// A message without what looks like a secret.
fn redacted(message: &str) -> String {
    match serde_json::from_str::<Value>(message) {
        Ok(mut value) => {
            secrecy::mask(&mut value);
            value.to_string()
        }
        Err(_) => message.to_owned(),
    }
}

/// As much of a text as is shown.
fn cut(text: &str, hide: impl FnOnce(&str, usize) -> (String, usize)) -> String {
    let mut end = SHOWN.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (mut shown, more) = hide(text, end);
    if more > 0 {
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
        let plain = |text: &str, most: usize| (text[..most].to_owned(), text.len() - most);
        assert_eq!(cut("short", plain), "short");
        let long = cut(&redacted(&Value::from("é".repeat(SHOWN)).to_string()), plain);
        assert!(long.len() < SHOWN + 40 && long.ends_with("bytes more)"), "{long}");
    }
}
