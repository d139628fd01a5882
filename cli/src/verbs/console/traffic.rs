//! What was said in a session, as far back as there is room.

use std::collections::VecDeque;

use orch_shared::session::{Direction, Traffic};
use serde_json::Value;

/// Messages that are kept.
const MESSAGES: usize = 1000;
/// Characters that are kept of all of them together.
const CHARACTERS: usize = 4 << 20;

/// The last messages, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Ring {
    messages: VecDeque<Traffic>,
    size: usize,
    /// Messages that are no longer here.
    pub(super) gone: u64,
}

impl Ring {
    /// Takes in a message, and lets go of the oldest where there is no room.
    pub(super) fn push(&mut self, message: Traffic) {
        self.size += message.text.len();
        self.messages.push_back(message);
        while self.messages.len() > MESSAGES || (self.size > CHARACTERS && self.messages.len() > 1) {
            if let Some(oldest) = self.messages.pop_front() {
                self.size -= oldest.text.len();
                self.gone += 1;
            }
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// The message at that place.
    pub(super) fn get(&self, at: usize) -> Option<&Traffic> {
        self.messages.get(at)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Traffic> {
        self.messages.iter()
    }
}

/// A message in a line.
pub(super) fn line(message: &Traffic) -> String {
    let at = message.at.to_string();
    let time = at.get(11..23).unwrap_or_default();
    let server = message.server.as_deref().unwrap_or("?");
    let way = match message.direction {
        Direction::FromClient => "client -> ".to_owned(),
        Direction::ToClient => "client <- ".to_owned(),
        Direction::ToServer => format!("       -> {server} "),
        Direction::FromServer => format!("       <- {server} "),
    };
    format!("{time} {way}{} {} B", what(&message.text), message.size)
}

/// What a message is, by its outermost members. Of one that was cut, what can still be read.
fn what(text: &str) -> String {
    let text_of = |name: &str| {
        let start = text.find(&format!("\"{name}\":"))? + name.len() + 3;
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        values.next()?.ok()
    };
    let (method, id) = match serde_json::from_str::<Value>(text) {
        Ok(message) => (message.get("method").cloned(), message.get("id").cloned()),
        Err(_) => (text_of("method"), text_of("id")),
    };
    let method = method.as_ref().and_then(Value::as_str).unwrap_or("answer").to_owned();
    match id.filter(|id| !id.is_null()) {
        Some(id) => format!("{method} id={id}"),
        None => method,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use orch_shared::resource::Timestamp;

    pub(in crate::verbs::console) fn message(number: u64, text: &str) -> Traffic {
        Traffic {
            at: Timestamp::from_millis(1_700_000_000_123),
            direction: Direction::FromServer,
            server: Some("files".to_owned()),
            size: 12,
            text: format!("{{\"id\":{number},\"result\":\"{text}\"}}"),
        }
    }

    #[test]
    fn the_oldest_give_way() {
        let mut ring = Ring::default();
        for number in 0..1500 {
            ring.push(message(number, "x"));
        }
        assert_eq!((ring.len(), ring.gone), (1000, 500));
        let oldest = ring.get(0).map(|message| what(&message.text));
        assert_eq!(oldest.as_deref(), Some("answer id=500"));
        ring.push(message(2000, &"x".repeat(CHARACTERS * 2)));
        assert_eq!(ring.len(), 1, "one message is kept, however long");
    }

    #[test]
    fn a_message_is_a_line() {
        assert_eq!(line(&message(7, "")), "22:13:20.123        <- files answer id=7 12 B");
        for (text, expected) in [
            ("{\"id\":1,\"method\":\"tools/list\"}", "client -> tools/list id=1 12 B"),
            ("{\"method\":\"notifications/x\"}", "client -> notifications/x 12 B"),
            (
                "{\"id\":\"a\",\"method\":\"tools/call\",\"params\":{\"na… (9 bytes more)",
                "client -> tools/call id=\"a\" 12 B",
            ),
        ] {
            let asked = Traffic {
                direction: Direction::FromClient,
                server: None,
                text: text.to_owned(),
                ..message(1, "")
            };
            assert_eq!(line(&asked), format!("22:13:20.123 {expected}"));
        }
    }
}
