//! What enters the audit log: no keys, no control characters, nothing without end. Pure.

use std::collections::HashSet;

use orch_shared::audit::Row;
use orch_shared::secrecy;

/// So long a name may be, in bytes.
const NAME: usize = 256;
/// So long what a client calls itself may be.
const CLIENT: usize = 128;
/// So long a clause may be.
const CLAUSE: usize = 512;
/// What is shorter is no key.
const KEY: usize = 8;
/// What stands in the place of a key.
const MASK: &str = "***";

/// So many texts are remembered.
const REMEMBERED: usize = 256;

/// Makes rows fit to be kept for ever. Rows that are written together say the same again and again, and looking for keys takes
/// longer than all else: so texts that hold none are remembered.
#[derive(Debug, Default)]
pub(super) struct Tidy {
    harmless: HashSet<String>,
}

impl Tidy {
    /// Makes a row fit.
    pub(super) fn row(&mut self, row: &mut Row) {
        let Row {
            kind: _,
            principal,
            token,
            via,
            session,
            verb,
            target,
            item,
            project,
            decision,
            outcome: _,
            status: _,
            duration_us: _,
            request_id,
            client,
            detail,
        } = row;
        bound(principal, NAME);
        self.strange(verb, NAME);
        // What a request is called is whoever asks to choose, and often as mixed as a key.
        for text in [token, via, project, request_id].into_iter().flatten() {
            bound(text, NAME);
        }
        if let Some(session) = session {
            self.strange(session, NAME);
        }
        if let Some(decision) = decision {
            bound(&mut decision.rule, NAME);
        }
        if let Some(target) = target {
            bound(&mut target.kind, NAME);
            bound(&mut target.scope, NAME);
            if let Some(name) = &mut target.name {
                self.strange(name, NAME);
            }
        }
        if let Some(item) = item {
            self.strange(item, NAME);
        }
        if let Some(client) = client {
            self.strange(client, CLIENT);
        }
        self.strange(detail, CLAUSE);
    }

    /// A text that a stranger may have written.
    fn strange(&mut self, text: &mut String, most: usize) {
        if text.len() >= KEY && !self.harmless.contains(text.as_str()) {
            if secrecy::is_key_by_itself(text) {
                MASK.clone_into(text);
            } else if self.harmless.len() < REMEMBERED && text.len() <= most {
                self.harmless.insert(text.clone());
            }
        }
        bound(text, most);
    }
}

/// Escapes what no terminal should be shown, and cuts.
fn bound(text: &mut String, most: usize) {
    let is_plain = text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    if !is_plain && text.chars().any(is_odd) {
        let escaped = |c: char| match is_odd(c) {
            true => c.escape_unicode().to_string(),
            false => c.to_string(),
        };
        *text = text.chars().map(escaped).collect();
    }
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most - '…'.len_utf8()));
        text.push('…');
    }
}

/// Control characters, and those that turn the direction of a line.
fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::audit::RowKind;

    #[test]
    fn texts_are_bounded() {
        let mut tidy = Tidy::default();
        for (given, most, kept) in [
            ("echo", 256, "echo"),
            ("a\u{1b}[2Jb\0\n", 256, "a\\u{1b}[2Jb\\u{0}\\u{a}"),
            ("a\u{202e}b", 256, "a\\u{202e}b"),
            ("ééééé", 7, "éé…"),
            ("Bearer orch_0123456789abcdef0123456789abcdef", 256, "***"),
            ("https://user:hunter2@host/x", 256, "***"),
            ("file:///srv/a.md", 256, "file:///srv/a.md"),
        ] {
            let mut text = given.to_owned();
            tidy.strange(&mut text, most);
            assert_eq!(text, kept, "{given:?}");
            let once = text.clone();
            tidy.strange(&mut text, most);
            assert_eq!(text, once, "tidying again changes nothing");
        }
    }

    #[test]
    fn every_text_of_a_row_is_bounded() {
        let long = || "x\n".repeat(1000);
        let mut row = Row {
            principal: long(),
            token: Some(long()),
            via: Some(long()),
            session: Some(long()),
            target: Some(orch_shared::audit::Target {
                kind: long(),
                name: Some(long()),
                scope: long(),
            }),
            item: Some(long()),
            project: Some(long()),
            decision: Some(orch_shared::audit::Decision {
                allowed: true,
                rule: long(),
            }),
            request_id: Some(long()),
            client: Some(long()),
            detail: long(),
            ..Row::new(RowKind::Request, long())
        };
        Tidy::default().row(&mut row);
        let text = serde_json::to_string(&row).unwrap();
        assert!(text.len() < 20 * NAME && !text.contains("\\n"), "{text}");
    }
}
