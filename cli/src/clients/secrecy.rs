//! The texts of settings, as they are shown: people keep keys in the files of their clients; what we print and log shows none.

use std::borrow::Cow;

use orch_shared::secrecy::MASK;
pub(crate) use orch_shared::secrecy::{is_key, is_key_by_itself, is_place};

/// A text of lines (a settings file, a diff) with every quoted value masked that looks like a key.
pub(crate) fn masked(text: &str) -> String {
    text.split_inclusive('\n').map(masked_line).collect()
}

fn masked_line(line: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut name = String::new();
    let mut rest = line;
    let mut changed = false;
    while let Some(start) = rest.find(['"', '\'']) {
        let quote = &rest[start..=start];
        let inner = &rest[start + 1..];
        let Some(end) = closing(inner, quote) else { break };
        let value = &inner[..end];
        // What stands before `=` is a name without quotes, as TOML has it.
        if let Some((before, _)) = rest[..start].rsplit_once('=') {
            before
                .trim()
                .rsplit(['{', ',', ' '])
                .next()
                .unwrap_or_default()
                .clone_into(&mut name);
        }
        out.push_str(&rest[..=start]);
        let follows = inner[end + 1..].trim_start();
        if follows.starts_with(':') || (follows.starts_with('=') && !follows.starts_with("==")) {
            value.clone_into(&mut name);
            out.push_str(value);
        } else if is_key(&name, value) && !is_reference(value) {
            out.push_str(MASK);
            changed = true;
        } else {
            out.push_str(value);
        }
        out.push_str(quote);
        rest = &inner[end + 1..];
    }
    if !changed {
        return Cow::Borrowed(line);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Whether a value names the place of a key rather than the key: `Bearer ${env:X}`, or a variable's name.
fn is_reference(value: &str) -> bool {
    let bare = value.trim_start_matches("Bearer ").trim();
    is_place(bare) || bare == super::entry::TOKEN_VARIABLE || bare == super::entry::TOKEN_INPUT
}

fn closing(text: &str, quote: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == "\"" => escaped = true,
            c if quote.starts_with(c) => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_masked_and_stay_lines() {
        for (line, masked_line) in [
            ("  \"API_KEY\": \"hunter2\",\n", "  \"API_KEY\": \"***\",\n"),
            (
                "+ \"args\": [\"--token\", \"ghp_0123456789abcdef\"]",
                "+ \"args\": [\"--token\", \"***\"]",
            ),
            ("API_KEY = \"hunter2\" # mine", "API_KEY = \"***\" # mine"),
            (
                "env = { API_KEY = 'hunter2', MODE = \"fast\" }",
                "env = { API_KEY = '***', MODE = \"fast\" }",
            ),
            (
                "\"Authorization\": \"Bearer ${env:ORCHCTL_TOKEN}\"",
                "\"Authorization\": \"Bearer ${env:ORCHCTL_TOKEN}\"",
            ),
            (
                "bearer_token_env_var = \"ORCHCTL_TOKEN\"",
                "bearer_token_env_var = \"ORCHCTL_TOKEN\"",
            ),
            ("\"a\\\"b\": \"c\"", "\"a\\\"b\": \"c\""),
            ("no quotes", "no quotes"),
        ] {
            assert_eq!(masked(line), masked_line);
        }
    }
}
