//! What looks like a key. People keep keys in the files of their clients, and hand them to tools; what is printed and logged
//! shows none.
//!
//! Enters: a name and a value. Leaves: whether it looks like a key. It would rather hide too much.

mod redaction;

use std::borrow::Cow;

use serde_json::Value;

pub use redaction::{redact, redact_marked};

/// What stands in the place of a key.
pub const MASK: &str = "***";

/// Words in the names of variables and headers that hold keys.
const WORDS: [&str; 24] = [
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "credentials",
    "cred",
    "creds",
    "dsn",
    "jwt",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "pat",
    "pw",
    "pwd",
    "secret",
    "secrets",
    "signature",
    "token",
    "webhook",
];
/// How words in such names end.
const ENDINGS: [&str; 7] = ["token", "apikey", "password", "passwd", "pass", "secret", "passcode"];
/// Words that say that a variable is about a key, and does not hold it.
const ABOUT: [&str; 8] = ["file", "path", "dir", "name", "id", "url", "type", "public"];
/// How the daemon's own tokens begin; what follows are hexadecimal digits.
const OWN: &str = "orch_";
/// How keys of known makers begin.
const BEGINNINGS: [&str; 24] = [
    "sk-",
    "sk_",
    "pk_live",
    "rk_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xox",
    "hf_",
    "AKIA",
    "ASIA",
    "AIza",
    "eyJ",
    OWN,
    "ya29.",
    "npm_",
    "pypi-",
    "dop_v1_",
    "SG.",
    "-----BEGIN",
];
/// What has no maker, but is as long and as mixed as a key.
const LONG: usize = 28;

/// Whether a value looks like a key, by the name it goes under or by itself.
#[must_use]
pub fn is_key(name: &str, value: &str) -> bool {
    if value.is_empty() {
        return false;
    }
    if is_key_by_itself(value) {
        return true;
    }
    let is_plain = matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "none" | "null")
        || (value.len() < 6 && value.parse::<i64>().is_ok());
    names_key(name) && !is_plain
}

/// Whether what goes under a name is a key.
#[must_use]
pub fn names_key(name: &str) -> bool {
    let words = words(name);
    let is_about = words.last().is_some_and(|last| ABOUT.contains(&last.as_str()));
    let is_one = |word: &String| {
        WORDS.contains(&word.as_str())
            || ENDINGS.iter().any(|ending| word.ends_with(ending))
            || (word.ends_with("key") && word.len() > 3)
    };
    words.iter().any(is_one) && !is_about
}

/// So often a text is read that may be written for addresses over and over.
const READ: usize = 8;

/// A text of an address as it is read: without `%6f` and the like, also where that was written so more than once.
#[must_use]
pub fn decoded(text: &str) -> Cow<'_, str> {
    let mut read = Cow::Borrowed(text);
    for _ in 0..READ {
        match decoded_once(&read) {
            Some(once) => read = Cow::Owned(once),
            None => break,
        }
    }
    read
}

/// The same, once; nothing where nothing of it is written so.
fn decoded_once(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut is_other = false;
    while let [first, more @ ..] = rest {
        let pair = more
            .get(..2)
            .filter(|pair| *first == b'%' && pair.iter().all(u8::is_ascii_hexdigit));
        let byte = pair.and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                is_other = true;
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    is_other.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a value looks like a key, whatever it is called, and however it is written in an address.
#[must_use]
pub fn is_key_by_itself(value: &str) -> bool {
    let value = decoded(value.trim());
    let value = value.trim();
    let bare = ["Bearer ", "bearer ", "Basic ", "Token ", "token "]
        .iter()
        .find_map(|scheme| value.strip_prefix(scheme));
    let is_masked = |bare: &str| bare.split_whitespace().next().is_some_and(is_mark);
    if bare.is_some_and(|bare| !bare.trim().is_empty() && !is_place(bare) && !is_masked(bare)) {
        return true;
    }
    holds_known(value) || has_password(value) || is_mixed(value) || holds_key(value)
}

/// Whether a key of a known maker stands somewhere in a text, whatever stands round about it.
fn holds_known(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    BEGINNINGS.iter().any(|start| {
        text.match_indices(start).any(|(at, _)| {
            let before = text.as_bytes()[..at].last();
            let is_begun = before.is_none_or(|byte| !byte.is_ascii_alphanumeric());
            let rest = text.as_bytes()[at + start.len()..].iter();
            let length = match *start {
                // Tools of the daemon's own begin so, too.
                OWN => rest.take_while(|byte| byte.is_ascii_hexdigit()).count(),
                _ => rest.take_while(|byte| is_part(**byte)).count(),
            };
            is_begun && (length > 6 || start.starts_with("-----"))
        })
    })
}

/// Whether something stands between the names and values of a text.
fn is_between(c: char) -> bool {
    c.is_whitespace() || "\"',;&?#()[]".contains(c)
}

/// What is shown behind [`is_scheme`] in the middle of a text has so many bytes; what is shorter is a word of a sentence.
const SHORTEST: usize = 8;

/// Whether a word says how somebody shows who they are, and what they show follows.
fn is_scheme(part: &str) -> bool {
    ["bearer", "basic"].contains(&part.to_ascii_lowercase().as_str())
}

/// Whether a value is given, and not masked; what only says where to look begins with other characters.
fn is_given(part: &str) -> bool {
    !part.starts_with(['$', '{', '}']) && !is_mark(part.trim_end_matches('\\'))
}

/// Whether a text is what stands in the place of a key, with or without a mark of that.
fn is_mark(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    match text.strip_prefix(MASK) {
        None => false,
        Some("") => true,
        Some(rest) => rest
            .strip_prefix(redaction::BEFORE_MARK)
            .is_some_and(|mark| [redaction::FEW, redaction::MORE].contains(&mark.len()) && mark.bytes().all(is_digit)),
    }
}

/// Whether a key stands somewhere in a text: `Authorization: Bearer ...`, `password=...`, `"token": "..."`, `?key=...`.
fn holds_key(text: &str) -> bool {
    let parts: Vec<&str> = text.split(is_between).filter(|part| !part.is_empty()).collect();
    let is_given = |at: usize| {
        let is_escape = parts[at].bytes().all(|byte| byte == b'\\');
        let is_masked = is_escape
            && parts
                .get(at + 1)
                .is_some_and(|part| !is_given(part) && part.starts_with(MASK));
        is_given(parts[at]) && !is_masked
    };
    let value_at = |at: usize| match parts.get(at) {
        Some(scheme) if is_scheme(scheme) => parts.get(at + 1).filter(|_| is_given(at + 1)),
        other => other.filter(|_| is_given(at)),
    };
    parts.iter().enumerate().any(|(at, part)| {
        let is_named = |named: Option<(&str, &str)>| match named {
            Some(("", "")) => at > 0 && names_key(parts[at - 1]) && value_at(at + 1).is_some(),
            Some((name, "")) => names_key(name) && value_at(at + 1).is_some(),
            Some((name, value)) => names_key(name) && self::is_given(value) && !value.starts_with("//"),
            None => false,
        };
        let separators = [':', '='];
        is_named(part.split_once(separators))
            || is_named(part.rsplit_once(separators))
            || (is_scheme(part) && value_at(at + 1).is_some_and(|value| value.len() >= SHORTEST))
    })
}

/// What a name holds under which nothing is shown, however short it is.
const HIDDEN: [&str; 9] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "credential",
];

/// Whether nothing that goes under a name is shown.
fn hides(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    HIDDEN.iter().any(|word| lower.contains(word)) || names_key(name)
}

/// Masks what looks like a key anywhere in a JSON value, by the names of its members and by itself. Under a name that hints at
/// a key no text and no number is shown, be it `1234`.
pub fn mask(value: &mut Value) {
    mask_named("", value);
}

fn mask_named(name: &str, value: &mut Value) {
    match value {
        Value::String(text) if !text.is_empty() && (hides(name) || is_key_by_itself(text)) => MASK.clone_into(text),
        Value::Number(_) if hides(name) => *value = Value::from(MASK),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_named(name, item)),
        Value::Object(members) => {
            // `{"name": "TOKEN", "value": "…"}` names the value by its neighbour.
            let neighbour = members.get("name").and_then(Value::as_str).map(str::to_owned);
            for (key, member) in members {
                match (&neighbour, key.as_str()) {
                    (Some(neighbour), "value") => mask_named(neighbour, member),
                    // Tells messages of one request from those of another (MCP, progress).
                    (_, "progressToken") => {}
                    _ => mask_named(key, member),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What was said, without that key: neither as it was sent nor as JSON writes it. Nothing when the key does not stand there;
/// where it does, what is no text is lost.
#[must_use]
pub fn without(key: &str, said: &[u8]) -> Option<Vec<u8>> {
    let key = key.trim();
    if key.is_empty() {
        return None;
    }
    let quoted = Value::from(key).to_string();
    let spellings = [key, quoted.trim_matches('"')];
    let has = |spelling: &str| said.windows(spelling.len()).any(|part| part == spelling.as_bytes());
    if !spellings.into_iter().any(has) {
        return None;
    }
    let text = String::from_utf8_lossy(said).into_owned();
    let masked = spellings
        .into_iter()
        .fold(text, |text, spelling| text.replace(spelling, MASK));
    Some(masked.into_bytes())
}

/// Whether a value only says where to look: `${env:TOKEN}`, `$TOKEN`.
#[must_use]
pub fn is_place(value: &str) -> bool {
    let value = value.trim();
    let name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (value.starts_with("${") && value.ends_with('}')) || value.strip_prefix('$').is_some_and(name)
}

/// `scheme://user:password@host`.
fn has_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, password)| !password.is_empty()))
}

/// Long, without a blank, letters and digits among each other: nobody types that.
fn is_mixed(value: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_+=.".contains(c) || c == '/';
    if value.len() < LONG || !value.chars().all(fits) || value.starts_with(['/', '.', '@']) || value.contains("//") {
        return false;
    }
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let letters = value.chars().filter(char::is_ascii_alphabetic).count();
    let is_uuid = value.len() == 36 && value.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    // Paths and package names have few digits, and many words.
    let longest = value
        .split(['-', '_', '.', '/', '=', '+'])
        .map(str::len)
        .max()
        .unwrap_or(0);
    !is_uuid && digits >= 4 && letters >= 4 && longest >= 16
}

fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let is_break = !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && was_lower);
        if is_break {
            words.push(String::new());
        }
        was_lower = c.is_ascii_lowercase();
        if let Some(last) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            last.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_shown_without_keys() {
        let key = "orch_0123456789abcdef0123456789abcdef";
        for (given, shown) in [
            (
                serde_json::json!("What is in a.md?"),
                serde_json::json!("What is in a.md?"),
            ),
            (
                serde_json::json!(format!("Use {key} for it.\nThen stop.")),
                serde_json::json!("Use *** for it.\nThen stop."),
            ),
            (
                serde_json::json!("Authorization: Bearer abcdefgh12345678\nok"),
                serde_json::json!("Authorization: Bearer ***\nok"),
            ),
            (
                serde_json::json!("a\n-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----\nb"),
                serde_json::json!("a\n***\n***\n***\nb"),
            ),
            (
                serde_json::json!({"max_tokens": 9, "password": 1234, "function": {"arguments": "{\"token\":\"x\",\"path\":\"a\"}"}}),
                serde_json::json!({"max_tokens": 9, "password": "***", "function": {"arguments": "{\"token\":\"***\",\"path\":\"a\"}"}}),
            ),
        ] {
            let mut value = given.clone();
            redact(&mut value);
            assert_eq!(value, shown, "{given}");
            redact(&mut value);
            assert_eq!(value, shown, "redacting again changes nothing");
        }
    }

    #[test]
    fn a_key_is_one_however_it_is_written_in_an_address() {
        let body = "0123456789abcdef0123456789abcdef";
        for (text, is_key) in [
            (format!("orch_{body}"), true),
            (format!("%6frch_{body}"), true),
            (format!("%256Frch%255f{body}"), true),
            ("%6frchard".to_owned(), false),
            ("100%".to_owned(), false),
            ("%+f%zz%c3".to_owned(), false),
        ] {
            assert_eq!(is_key_by_itself(&text), is_key, "{text}");
        }
        assert_eq!(decoded("a%2525b%zz"), "a%b%zz");
    }

    #[test]
    fn values_are_masked_wherever_they_stand() {
        for (value, shown) in [
            (
                r#"{"params":{"apiKey":"x","name":"a"}}"#,
                r#"{"params":{"apiKey":"***","name":"a"}}"#,
            ),
            (
                r#"{"arguments":{"db_password":7,"rows":[{"token":"t"}]}}"#,
                r#"{"arguments":{"db_password":"***","rows":[{"token":"***"}]}}"#,
            ),
            (
                r#"{"env":[{"name":"TOKEN","value":"abc"},{"name":"MODE","value":"fast"}]}"#,
                r#"{"env":[{"name":"TOKEN","value":"***"},{"name":"MODE","value":"fast"}]}"#,
            ),
            (
                r#"{"_meta":{"progressToken":"p"}}"#,
                r#"{"_meta":{"progressToken":"p"}}"#,
            ),
            (r#"{"x":"Bearer abc","limit":4096}"#, r#"{"x":"***","limit":4096}"#),
            (
                r#"{"password":"1234","authorization":"true","secret_name":"a","token_id":"b","secretvalue":"c","passwords":["d"]}"#,
                r#"{"password":"***","authorization":"***","secret_name":"***","token_id":"***","secretvalue":"***","passwords":["***"]}"#,
            ),
            (r#"{"command":"curl -H 'X-Api-Key: abc' x"}"#, r#"{"command":"***"}"#),
        ] {
            let mut value: Value = serde_json::from_str(value).unwrap();
            mask(&mut value);
            assert_eq!(value, serde_json::from_str::<Value>(shown).unwrap());
        }
    }

    #[test]
    fn known_keys_are_found_inside_of_any_text() {
        let key = "orch_0123456789abcdef";
        for (text, expected) in [
            (format!("`{key}`"), true),
            (format!("<{key}>"), true),
            (format!("http://h/mcp/{key}"), true),
            (format!("use x={key} please"), true),
            (format!("k:v={key}"), true),
            (format!("\u{2039}{key}\u{203a}"), true),
            ("FOO=ghp_0123456789abcdef".to_owned(), true),
            ("task-force-and-more".to_owned(), false),
            ("orch_x".to_owned(), false),
            ("orch_read_page".to_owned(), false),
            ("orch_session".to_owned(), false),
            ("the prefix is orch_".to_owned(), false),
        ] {
            assert_eq!(is_key_by_itself(&text), expected, "{text}");
        }
    }

    #[test]
    fn keys_are_told_from_the_rest() {
        for (name, value, expected) in [
            ("PGPASSWORD", "hunter2", true),
            ("DBPASS", "hunter2", true),
            ("--header", "Authorization: Bearer abcdefgh", true),
            ("--header", "X-Api-Key: abc", true),
            ("--header", "Authorization: Bearer ${TOKEN}", false),
            ("", "--header=Authorization: Basic abcdefgh", true),
            ("", "API_KEY=abc npx server", true),
            ("-e", "TOKEN=abc", true),
            ("-e", "TOKEN=$TOKEN", false),
            ("CONN", "Server=db;Password=x;", true),
            ("HEADERS", r#"{"Authorization": "Bearer abcdefgh"}"#, true),
            ("HEADERS", r#"{"password": "x"}"#, true),
            ("", "https://x.example/mcp?token=abc", true),
            ("", "https://x.example/mcp?page=2", false),
            ("", "mode=fast", false),
            ("API_KEY", "hunter2", true),
            ("GITHUB_PERSONAL_ACCESS_TOKEN", "x", true),
            ("Authorization", "Bearer abc", true),
            ("X-Api-Key", "abcdef", true),
            ("apiKey", "abcdef", true),
            ("OPENAI_APIKEY", "abcdef", true),
            ("accessToken", "abc", true),
            ("DB_PASSWORD", "x", true),
            ("DATABASE_URL", "postgres://u:p@h/db", true),
            ("DATABASE_URL", "postgres://h/db", false),
            ("ANYTHING", "sk-ant-api03-xyzxyz", true),
            ("ANYTHING", "ghp_0123456789abcdef", true),
            ("ANYTHING", "9f86d081884c7d659a2feaa0c55ad015", true),
            ("ANYTHING", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", false),
            ("MODE", "fast", false),
            ("MAX_TOKENS", "4096", false),
            ("PASSWORD_FILE", "/run/secrets/x", false),
            ("KEYBOARD", "de", false),
            ("ROOT", "/srv/a/very/long/path/with/2024/numbers/1234", false),
            ("PACKAGE", "@modelcontextprotocol/server-filesystem", false),
            ("USE_AUTH", "true", false),
            ("TOKEN", "", false),
        ] {
            assert_eq!(is_key(name, value), expected, "{name}={value}");
        }
    }
}
