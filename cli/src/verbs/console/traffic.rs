//! What was said in a session, as far back as there is room.

use std::collections::VecDeque;

use orch_shared::session::{Direction, Traffic};

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
    let upstream = message.upstream.as_deref().unwrap_or("?");
    let way = match message.direction {
        Direction::FromClient => "client -> ".to_owned(),
        Direction::ToClient => "client <- ".to_owned(),
        Direction::ToServer => format!("       -> {upstream} "),
        Direction::FromServer => format!("       <- {upstream} "),
    };
    let what = message.method.as_deref().unwrap_or("answer");
    let id = message.id.as_ref().map(|id| format!(" id={id}")).unwrap_or_default();
    format!("{time} {way}{what}{id} {} B", message.size)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use orch_shared::resource::Timestamp;

    pub(in crate::verbs::console) fn message(number: u64, text: &str) -> Traffic {
        Traffic {
            at: Timestamp::from_millis(1_700_000_000_123),
            direction: Direction::FromServer,
            upstream: Some("files".to_owned()),
            method: None,
            id: Some(number.to_string()),
            size: 12,
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_oldest_give_way() {
        let mut ring = Ring::default();
        for number in 0..1500 {
            ring.push(message(number, "x"));
        }
        assert_eq!((ring.len(), ring.gone), (1000, 500));
        assert_eq!(
            ring.get(0).and_then(|message| message.id.clone()).as_deref(),
            Some("500")
        );
        ring.push(message(2000, &"x".repeat(CHARACTERS * 2)));
        assert_eq!(ring.len(), 1, "one message is kept, however long");
    }

    #[test]
    fn a_message_is_a_line() {
        assert_eq!(line(&message(7, "")), "22:13:20.123        <- files answer id=7 12 B");
        let asked = Traffic {
            direction: Direction::FromClient,
            upstream: None,
            method: Some("tools/list".to_owned()),
            ..message(1, "")
        };
        assert_eq!(line(&asked), "22:13:20.123 client -> tools/list id=1 12 B");
    }
}
