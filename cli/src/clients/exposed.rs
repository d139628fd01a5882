//! Texts that everybody may see, without the keys in them: arguments, lines of a shell, addresses.
//!
//! Enters: a text as a client's file has it. Leaves: the text with [`PLACEHOLDER`] in the place of each key, if there was
//! one. What stands beside a key stays, as far as it can be told apart; where it cannot, the whole text is replaced.

use std::borrow::Cow;

use orch_shared::secrecy::names_key;

use super::launch::base;
use super::secrecy::{is_key, is_key_by_itself, is_place};
use super::shell::{Piece, pieces, quoted, unquoted};

/// What stands where a value is not known, to be replaced by a person.
pub(crate) const PLACEHOLDER: &str = "REPLACE-ME";
/// Programs that take a line of commands as an argument.
const SHELLS: [&str; 10] = [
    "ash",
    "bash",
    "cmd",
    "dash",
    "fish",
    "ksh",
    "powershell",
    "pwsh",
    "sh",
    "zsh",
];
/// Words before a key that are none.
const SCHEMES: [&str; 3] = ["bearer", "basic", "token"];
/// So many letters and digits in a row may be a key.
const RUN: usize = 16;

/// The words of a command without keys, and whether there were any. `program` is what they are given to, when it is not the
/// first of them.
pub(crate) fn words(program: Option<&str>, given: Vec<String>) -> (Vec<String>, bool) {
    let mut walk = Walk {
        is_shell: program.is_some_and(is_shell),
        before: String::new(),
    };
    let mut had_key = false;
    let without = given.into_iter().map(|word| {
        let hidden = walk.next(&word);
        had_key |= hidden.is_some();
        hidden.unwrap_or(word)
    });
    (without.collect(), had_key)
}

/// Goes from word to word: what one means depends on those before it.
struct Walk {
    is_shell: bool,
    before: String,
}

impl Walk {
    /// The word without keys, if it has any.
    fn next(&mut self, word: &str) -> Option<String> {
        let hidden = match self.is_shell && takes_line(&self.before) {
            true => line(word),
            false => argument(self.name(word), word),
        };
        self.is_shell |= is_shell(word);
        word.clone_into(&mut self.before);
        hidden
    }

    /// What the next word is the value of; nothing when it stands for itself.
    fn name(&self, word: &str) -> &str {
        match self.before.starts_with('-') && !word.starts_with('-') {
            true => &self.before,
            false => "",
        }
    }
}

fn is_shell(word: &str) -> bool {
    SHELLS.contains(&base(word).to_ascii_lowercase().as_str())
}

/// `-c`, `-lc`, `/c`, `-Command`: a line of commands follows.
fn takes_line(flag: &str) -> bool {
    let lower = flag.to_ascii_lowercase();
    let is_short = lower.starts_with('-') && !lower.starts_with("--") && lower.ends_with('c');
    is_short || ["/c", "/k", "-command"].contains(&lower.as_str())
}

/// An argument without the key in it. `name` says what it is the value of.
fn argument(name: &str, word: &str) -> Option<String> {
    let (scheme, bare) = scheme(word);
    // A shell puts in what follows `$`.
    if is_place(bare) || bare == "$" {
        return None;
    }
    if names_key(name) && is_key(name, word) {
        return Some(format!("{scheme}{PLACEHOLDER}"));
    }
    let hidden = match head(word) {
        Some((head, name)) => argument(name, &word[head.len()..]).map(|hidden| format!("{head}{hidden}")),
        None => address(word),
    };
    proved(word, hidden, scheme)
}

/// What was made of a text, once nothing in it looks like a key any more.
fn proved(text: &str, hidden: Option<String>, scheme: &str) -> Option<String> {
    // What stands in the place of a key is none, whatever it is called.
    let password = format!(":{PLACEHOLDER}@");
    let is_key_still = |text: &str| is_key_by_itself(&text.replace(&password, "@").replace(PLACEHOLDER, "$X"));
    match hidden {
        Some(hidden) if is_key_still(&hidden) => Some(PLACEHOLDER.to_owned()),
        Some(hidden) => Some(hidden),
        None => is_key_by_itself(text).then(|| format!("{scheme}{PLACEHOLDER}")),
    }
}

/// `Bearer ` and what follows it.
fn scheme(text: &str) -> (&str, &str) {
    match text.split_once(' ') {
        Some((scheme, bare)) if SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) && !bare.trim().is_empty() => {
            (&text[..=scheme.len()], bare)
        }
        Some(_) | None => ("", text),
    }
}

/// What stands before a value, and the value's name: `--token=`, `TOKEN=`, `X-Token: `.
fn head(word: &str) -> Option<(&str, &str)> {
    let is_name = |name: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:$\"'".contains(c);
        !name.is_empty() && name.chars().all(fits) && !is_key_by_itself(name)
    };
    // Padding ends in these, too.
    let assigned = word
        .split_once('=')
        .filter(|(name, value)| is_name(name) && !value.trim_matches('=').is_empty());
    if let Some((name, _)) = assigned {
        return Some((&word[..=name.len()], name));
    }
    let (name, value) = word.split_once(':')?;
    let value = value.trim_start();
    (is_name(name) && !value.is_empty() && !value.starts_with("//")).then(|| (&word[..word.len() - value.len()], name))
}

/// A line of a shell without the keys in it.
fn line(text: &str) -> Option<String> {
    let mut walk = Walk {
        is_shell: false,
        before: String::new(),
    };
    let mut out = String::new();
    let mut had_key = false;
    for piece in pieces(text) {
        match piece {
            Piece::Gap(gap) => {
                if !gap.trim().is_empty() {
                    walk.is_shell = false;
                    walk.before.clear();
                }
                out.push_str(gap);
            }
            Piece::Word(raw) => {
                let word = unquoted(raw);
                // `set -x API_KEY value`, as some shells have it.
                let is_variable = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                let name = walk.before.clone();
                let is_value = !name.is_empty() && name.chars().all(is_variable);
                let hidden = match walk.next(&word) {
                    None if is_value => argument(&name, &word),
                    hidden => hidden,
                };
                had_key |= hidden.is_some();
                out.push_str(&hidden.map_or(Cow::Borrowed(raw), |hidden| {
                    quoted(raw, hidden).unwrap_or(PLACEHOLDER.into())
                }));
            }
        }
    }
    proved(text, had_key.then_some(out), "")
}

/// An address without the keys in it: those in its path, its query and behind `#`, and a password. What would have to be
/// filled in is no address yet, either.
pub(crate) fn address(url: &str) -> Option<String> {
    let (protocol, rest) = url.split_once("://")?;
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (rest, fragment) = parted(rest, '#');
    let (path, query) = parted(rest, '?');
    let login = authority.rsplit_once('@');
    let authority = match login {
        Some((login, host)) => format!("{}@{host}", without_password(login)),
        None => authority.to_owned(),
    };
    let mut before = "";
    let path = path.split('/').map(|segment| {
        let is_hidden = is_secret(segment) || is_named(before, segment);
        before = segment;
        if is_hidden { PLACEHOLDER } else { segment }
    });
    let path = path.collect::<Vec<_>>().join("/");
    let query = query.map(|query| {
        let fields = query.split('&').map(|field| match field.split_once('=') {
            Some((name, value)) if is_secret(value) || is_key(&decoded(name), &decoded(value)) => {
                format!("{name}={PLACEHOLDER}")
            }
            None if is_secret(field) => PLACEHOLDER.to_owned(),
            Some(_) | None => field.to_owned(),
        });
        format!("?{}", fields.collect::<Vec<_>>().join("&"))
    });
    let fragment = fragment.map(|fragment| match is_secret(fragment) {
        true => format!("#{PLACEHOLDER}"),
        false => format!("#{fragment}"),
    });
    let (query, fragment) = (query.unwrap_or_default(), fragment.unwrap_or_default());
    let without = format!("{protocol}://{authority}{path}{query}{fragment}");
    (without != url).then_some(without)
}

fn parted(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn without_password(login: &str) -> String {
    let is_hidden = |text: &str| !is_place(text) && is_secret(text);
    match login.split_once(':') {
        Some((user, password)) if is_place(password) || password.is_empty() => match is_hidden(user) {
            true => format!("{PLACEHOLDER}:{password}"),
            false => login.to_owned(),
        },
        Some((user, _)) if !is_hidden(user) => format!("{user}:{PLACEHOLDER}"),
        None if !is_hidden(login) => login.to_owned(),
        Some(_) | None => PLACEHOLDER.to_owned(),
    }
}

/// Whether a part of an address is a key, or a place where one is to be put.
fn is_secret(part: &str) -> bool {
    let part = decoded(part);
    part.contains("${") || is_key_by_itself(&part) || is_unguessable(&part)
}

/// Whether a segment of a path is a key by what stands before it: `/token/abc123`.
fn is_named(before: &str, segment: &str) -> bool {
    let has_digit = segment.bytes().any(|byte| byte.is_ascii_digit());
    names_key(before) && has_digit && segment.len() >= 6
}

/// Whether nobody would call anything so. Who knows such a part of an address is let in; names in it are shorter, or words.
fn is_unguessable(part: &str) -> bool {
    let lengths = part.split('-').map(str::len);
    let is_uuid = lengths.eq([8, 4, 4, 4, 12]) && part.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    is_uuid || part.split(|c: char| !c.is_ascii_alphanumeric()).any(is_varied)
}

/// Whether capitals, small letters and digits change more often than they do in words.
fn is_varied(run: &str) -> bool {
    let sort = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let changes = run.as_bytes().windows(2);
    let changes = changes.filter(|pair| sort(pair[0]) != sort(pair[1])).count();
    let has_digit = run.bytes().any(|byte| byte.is_ascii_digit());
    run.len() >= RUN && changes >= run.len() / if has_digit { 6 } else { 3 }
}

/// A part of an address with `%20` and the like read.
fn decoded(part: &str) -> Cow<'_, str> {
    if !part.contains('%') {
        return part.into();
    }
    let mut out = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        let byte = match (digit(0), digit(1)) {
            (Some(high), Some(low)) if first == b'%' => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        out.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&out).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_keep_what_is_no_key() {
        for (given, expected) in [
            ("--api-key sesame --mode fast", "--api-key REPLACE-ME --mode fast"),
            ("--token=sesame1234", "--token=REPLACE-ME"),
            ("--token=$TOKEN --auth ${input:a}", "--token=$TOKEN --auth ${input:a}"),
            ("--token --verbose", "--token --verbose"),
            ("A_B2=x x=y host:8080", "A_B2=x x=y host:8080"),
            ("API_KEY=b=c", "API_KEY=REPLACE-ME"),
            ("--env=API_KEY=b", "--env=API_KEY=REPLACE-ME"),
            ("KEEP=ghp_0123456789", "KEEP=REPLACE-ME"),
            ("sk-ant-0123456789", "REPLACE-ME"),
            ("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk==", "REPLACE-ME"),
            ("Server=db;Password=x;", "Server=REPLACE-ME"),
            ("postgres://u:sesame@h/db", "postgres://u:REPLACE-ME@h/db"),
            (
                "ssh://git@h/a/b C:\\x ghcr.io/a/b:1",
                "ssh://git@h/a/b C:\\x ghcr.io/a/b:1",
            ),
        ] {
            let given: Vec<String> = given.split(' ').map(str::to_owned).collect();
            let (found, had_key) = words(None, given.clone());
            assert_eq!(found.join(" "), expected);
            assert_eq!(had_key, found != given, "{expected}");
        }
        for (given, expected) in [
            (
                "Authorization: Bearer abcdefgh",
                Some("Authorization: Bearer REPLACE-ME"),
            ),
            ("Authorization: Bearer ${TOKEN}", None),
            ("--header=X-Api-Key:abc", Some("--header=X-Api-Key:REPLACE-ME")),
            ("--header=X-Team: core", None),
            (r#"{"Authorization": "Bearer abcdefgh"}"#, Some(PLACEHOLDER)),
            (r#"CONFIG={"password": "x"}"#, Some("CONFIG=REPLACE-ME")),
            ("API_KEY=ab;cd ef", Some("API_KEY=REPLACE-ME")),
        ] {
            assert_eq!(argument("", given).as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn lines_of_a_shell_stay_lines() {
        for (given, expected) in [
            ("API_KEY=s3cr3tvalue npx foo", "API_KEY=REPLACE-ME npx foo"),
            (
                "export API_KEY=abc;npx foo --mode fast",
                "export API_KEY=REPLACE-ME;npx foo --mode fast",
            ),
            ("API_KEY='a b'c D=e npx foo", "API_KEY=REPLACE-ME D=e npx foo"),
            (r"API_KEY=a\ b npx foo", "API_KEY=REPLACE-ME npx foo"),
            ("set -x API_KEY abc; npx foo", "set -x API_KEY REPLACE-ME; npx foo"),
            ("set API_KEY=abc&& npx foo", "set API_KEY=REPLACE-ME&& npx foo"),
            ("npx foo --token abc | cat", "npx foo --token REPLACE-ME | cat"),
            (
                "npx foo -H \"Authorization: Bearer abcdefgh\" -v",
                "npx foo -H \"Authorization: Bearer REPLACE-ME\" -v",
            ),
            (
                "cd /x && npx foo 'https://h/mcp?key=abc&a=b'",
                "cd /x && npx foo 'https://h/mcp?key=REPLACE-ME&a=b'",
            ),
            ("sh -c 'API_KEY=abc npx foo'", "sh -c 'API_KEY=REPLACE-ME npx foo'"),
            ("npx foo '{\"token\": \"abc\"}'", "npx foo REPLACE-ME"),
        ] {
            let (found, had_key) = words(None, vec!["/bin/bash".into(), "-lc".into(), given.into()]);
            assert_eq!((found[2].as_str(), had_key), (expected, true), "{given}");
            // A shell that an image starts is one, too.
            assert_eq!(words(Some("sh"), vec!["-c".into(), given.into()]).0[1], expected);
        }
        for given in [
            "API_KEY=$(cat /x) npx foo",
            "npx foo -H \"Authorization: Bearer $T\"",
            "don't",
        ] {
            assert_eq!(line(given), None, "{given}");
        }
    }

    #[test]
    fn addresses_carry_no_keys() {
        let mixed = "MzA5ZDk3YjQtMmYxNy00Y2E4LWJhZTktN2QxYzU4ZmIxYTBl";
        for (given, expected) in [
            (
                "https://x.example/mcp/sk-ant-REDACTME0123456789/sse?key=K123456",
                "https://x.example/mcp/REPLACE-ME/sse?key=REPLACE-ME",
            ),
            (
                &format!("https://mcp.example/api/mcp/s/{mixed}/mcp"),
                "https://mcp.example/api/mcp/s/REPLACE-ME/mcp",
            ),
            (&format!("https://h/s/{mixed}%3D%3D"), "https://h/s/REPLACE-ME"),
            ("https://h/s/aB3dE5gH7jK9mN1p/mcp", "https://h/s/REPLACE-ME/mcp"),
            ("https://h/s/QwErTyUiOpAsDfGhJk", "https://h/s/REPLACE-ME"),
            (
                "https://h/f81d4fae-7dec-11d0-a765-00a0c91e6bf6/mcp",
                "https://h/REPLACE-ME/mcp",
            ),
            ("https://h/sk%2Dant%2D0123456789", "https://h/REPLACE-ME"),
            ("https://h/token/abc123/mcp", "https://h/token/REPLACE-ME/mcp"),
            (
                "https://h/${input:key}/mcp?a=${B}",
                "https://h/REPLACE-ME/mcp?a=REPLACE-ME",
            ),
            (
                "https://h/mcp?api%5Fkey=abc&page=2",
                "https://h/mcp?api%5Fkey=REPLACE-ME&page=2",
            ),
            ("https://h/mcp?ghp_0123456789", "https://h/mcp?REPLACE-ME"),
            ("https://h/mcp#access_token=abc", "https://h/mcp#REPLACE-ME"),
            ("https://ghp_0123456789@h/mcp", "https://REPLACE-ME@h/mcp"),
            ("https://h", "https://h"),
            ("https://h:8080/v1/mcp/?page=2#top", "https://h:8080/v1/mcp/?page=2#top"),
            ("https://h/oauth/token/mcp", "https://h/oauth/token/mcp"),
            (
                "https://h/getCustomerInformationService/sse",
                "https://h/getCustomerInformationService/sse",
            ),
            (
                "https://h/modelcontextprotocol-2025",
                "https://h/modelcontextprotocol-2025",
            ),
            (
                "https://h/projects/1234567890123456/mcp",
                "https://h/projects/1234567890123456/mcp",
            ),
        ] {
            assert_eq!(address(given).as_deref().unwrap_or(given), expected);
        }
        assert_eq!(address("no address"), None);
    }
}
