//! Cassettes: what went between an agent, its models and its tools in a thread, in a form that can be kept beside the manifests
//! and run again without any of them.
//!
//! A text that comes often, such as the system block, stands in a cassette once, by the SHA-256 of its JSON, and two requests are
//! alike when their hashes are. Everything else stands where people look for it, and its hashes beside it, part by part
//! ([`Seal`]). So what was changed by hand is noticed, and which part it is. Keys are taken out before anything is hashed, and
//! each leaves a mark that is made with the salt of the cassette ([`secrecy::redact_marked`]): what is replayed is compared in the
//! same form, and what is masked in it cannot be read, but differs where the keys do.

mod results;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::chat::{CallState, MOST_MESSAGE, MOST_TURNS, TurnState};
use crate::diff;
use crate::digest::sha256;
use crate::kinds::agent::Params;
use crate::name::Name;
use crate::problem::{Code, Problem};
use crate::secrecy;

pub use results::Results;

/// How a cassette is written.
pub const FORMAT: &str = "orchctl.dev/cassette/v4";
/// What comes before the number of a format.
const NUMBERED: &str = "orchctl.dev/cassette/v";
/// The largest cassette that is replayed, in bytes.
pub const LARGEST: usize = 64 << 20;
/// So many requests to its model a turn has at most.
const MOST_EXCHANGES: usize = 50;
/// So many calls of tools.
const MOST_CALLS: usize = 5000;

/// What was recorded of a thread: the answer of `GET /api/v1/threads/{id}/cassette`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Cassette {
    /// How it is written: `orchctl.dev/cassette/v4`.
    pub format: String,
    /// What the marks of masked texts are made with: 32 hexadecimal digits, others for each thread. A mark is the beginning of the
    /// SHA-256 of this, a line break and the text that is masked.
    pub salt: String,
    /// The agent.
    pub agent: Name,
    /// The turns, in order, those alone that are over.
    pub turns: Vec<Turn>,
    /// What was said: JSON, each by the SHA-256 of its compact form, in hex.
    pub contents: BTreeMap<String, Value>,
    /// The SHA-256 of the agent, of the salt and of what the turns say of themselves, in hex.
    pub seal: String,
}

/// A turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "RecordedTurn")]
pub struct Turn {
    /// What was said to the agent.
    pub message: String,
    /// The personality that it took on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personality: Option<Name>,
    /// What the request told the model last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_append: Option<String>,
    /// Parameters of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Params>,
    /// How it ended.
    pub state: TurnState,
    /// What went to the model and came back, in order.
    pub exchanges: Vec<Exchange>,
    /// Where older turns were summed up, because all of it had become too long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub summaries: Vec<Summary>,
    /// The tools that were called, in the order in which the model wanted them.
    pub calls: Vec<Call>,
    /// What all of that is.
    pub seal: Seal,
}

/// What a turn is, part by part: the SHA-256 of the compact JSON of each, in hex.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "RecordedSeal")]
pub struct Seal {
    /// What was said to the agent: `message`, `personality`, `systemAppend` and `params`, in an object of these four.
    pub said: String,
    /// `state`.
    pub state: String,
    /// Each of `exchanges`.
    pub exchanges: Vec<String>,
    /// Each of `summaries`.
    pub summaries: Vec<String>,
    /// Each of `calls`.
    pub calls: Vec<String>,
}

/// A request to the model, and its answer. Each text is a hash in [`Cassette::contents`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "RecordedExchange")]
pub struct Exchange {
    /// The Llm that answered.
    pub llm: String,
    /// What it was told first: a text.
    pub system: String,
    /// The definitions of tools: a list. Beside what the model was told, each says in `server` and `tool` what is behind it.
    pub tools: String,
    /// The parameters: an object.
    pub params: String,
    /// So many messages stand first that stood first in the request before, in the same order.
    #[serde(default, skip_serializing_if = "is_none")]
    pub same: u32,
    /// The messages behind them, in the words of chat completions.
    pub messages: Vec<String>,
    /// The answer: `text`, `toolCalls`, `finishReason` and more.
    pub answer: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_none(count: &u32) -> bool {
    *count == 0
}

/// What stands for older turns from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "RecordedSummary")]
pub struct Summary {
    /// Behind so many answers of the turn.
    pub after: u32,
    /// The first turn that it stands for.
    pub from: u32,
    /// The last one.
    pub to: u32,
    /// What is told instead of them.
    pub text: String,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "RecordedCall")]
pub struct Call {
    /// The tool as the model knows it: `files__read_file`.
    pub name: String,
    /// The server that has the tool; absent when there was no such tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Name>,
    /// The tool as its server calls it; absent when there was no such tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// What became of it.
    pub state: CallState,
    /// What the model was told.
    pub result: String,
}

impl Call {
    /// The server and the tool that are behind it.
    #[must_use]
    pub fn origin(&self) -> Option<(&str, &str)> {
        Some((self.server.as_ref()?.as_str(), self.tool.as_deref()?))
    }
}

/// The server and the tool that are behind a definition of [`Exchange::tools`].
#[must_use]
pub fn origin(definition: &Value) -> Option<(&str, &str)> {
    Some((definition["server"].as_str()?, definition["tool"].as_str()?))
}

/// Says in a definition which server and which tool are behind it.
pub fn say_origin(definition: &mut Value, server: &str, tool: &str) {
    definition["server"] = json!(server);
    definition["tool"] = json!(tool);
}

impl Turn {
    /// That no more is said to the agent than somebody could say in a chat.
    fn is_short(&self, number: usize) -> Result<(), Problem> {
        let said = [
            ("message", Some(&self.message)),
            ("systemAppend", self.system_append.as_ref()),
        ];
        let is_long = |text: Option<&String>| text.is_some_and(|text| text.len() > MOST_MESSAGE);
        match said.into_iter().find(|(_, text)| is_long(*text)) {
            None => Ok(()),
            Some((field, _)) => {
                let detail = format!(
                    "`{field}` of turn {number} of the cassette is longer than {} KiB",
                    MOST_MESSAGE >> 10
                );
                Err(Problem::new(Code::BodyTooLarge, detail))
            }
        }
    }

    /// What its parts are now, whatever it says of them.
    fn parts(&self) -> Seal {
        let said = json!({
            "message": self.message,
            "personality": self.personality,
            "systemAppend": self.system_append,
            "params": self.params,
        });
        Seal {
            said: hash_of(&said),
            state: hash_of(&json!(self.state)),
            exchanges: self
                .exchanges
                .iter()
                .map(|exchange| hash_of(&json!(exchange)))
                .collect(),
            summaries: self.summaries.iter().map(|summary| hash_of(&json!(summary))).collect(),
            calls: self.calls.iter().map(|call| hash_of(&json!(call))).collect(),
        }
    }

    /// The first part that is another than the turn says, in words; nothing when all are the same.
    fn changed(&self) -> Option<String> {
        let (told, found) = (&self.seal, self.parts());
        if told.said != found.said {
            return Some("what was said to the agent".to_owned());
        }
        let listed = [
            (("request to the model", "requests"), &told.exchanges, &found.exchanges),
            (("summary", "summaries"), &told.summaries, &found.summaries),
            (("call", "calls"), &told.calls, &found.calls),
        ];
        for ((what, all), told, found) in listed {
            if told.len() != found.len() {
                return Some(format!("how many {all} there are"));
            }
            if let Some(place) = told.iter().zip(found).position(|(told, found)| told != found) {
                let number = place + 1;
                let name = self.calls.get(place).filter(|_| what == "call");
                return Some(match name {
                    Some(call) => format!("{what} {number} ({})", crate::excerpt::short(&call.name)),
                    None => format!("{what} {number}"),
                });
            }
        }
        (told.state != found.state).then(|| "how it ended".to_owned())
    }
}

impl Cassette {
    /// An empty one of that thread.
    #[must_use]
    pub fn of(agent: Name, thread: &str) -> Self {
        Self {
            format: FORMAT.to_owned(),
            salt: salt(thread),
            agent,
            turns: vec![],
            contents: BTreeMap::new(),
            seal: String::new(),
        }
        .sealed()
    }

    /// The same, saying of itself what is in it now.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        for turn in &mut self.turns {
            turn.seal = turn.parts();
        }
        self.seal = self.whole();
        self
    }

    /// What it is as a whole.
    fn whole(&self) -> String {
        let turns: Vec<&Seal> = self.turns.iter().map(|turn| &turn.seal).collect();
        hash_of(&json!({"agent": self.agent, "salt": self.salt, "turns": turns}))
    }

    /// Where a content is told first, in words.
    fn place_of(&self, hash: &str) -> Option<String> {
        let numbered = (1..).zip(&self.turns);
        let mut exchanges = numbered
            .flat_map(|(turn, recorded)| (1..).zip(&recorded.exchanges).map(move |(step, one)| (turn, step, one)));
        exchanges.find_map(|(turn, step, exchange)| {
            let named = [
                ("what the model is told first", &exchange.system),
                ("the tools", &exchange.tools),
                ("the parameters", &exchange.params),
                ("the answer", &exchange.answer),
            ];
            let message = || exchange.messages.iter().any(|message| message == hash);
            let what = named
                .into_iter()
                .find(|(_, known)| *known == hash)
                .map(|(what, _)| what);
            let what: &str = what.or_else(|| message().then_some("a message"))?;
            Some(format!("{what} of request {step} of turn {turn}"))
        })
    }

    /// Keeps a content, without the keys in it; its hash.
    pub fn keep(&mut self, content: Value) -> String {
        let (hash, content) = self.kept(content);
        self.contents.entry(hash.clone()).or_insert(content);
        hash
    }

    /// A content as this cassette keeps it, and its hash.
    #[must_use]
    pub fn kept(&self, content: Value) -> (String, Value) {
        kept(content, &self.salt)
    }

    /// A text that stands by itself as this cassette keeps it.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        match self.kept(Value::from(text)).1 {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// What goes by that hash.
    #[must_use]
    pub fn content(&self, hash: &str) -> &Value {
        self.contents.get(hash).unwrap_or(&Value::Null)
    }

    /// Holds a cassette against what it says of itself.
    ///
    /// # Errors
    /// When it is written in a way that is not known here, lacks a content, or anything in it is another than its hash says.
    pub fn check(&self) -> Result<(), Problem> {
        check_format(&self.format, "program")?;
        let damaged = |detail: String| {
            Err(Problem::new(Code::BadRequest, detail)
                .suggest("export the thread again: a cassette goes by its hashes and cannot be changed by hand"))
        };
        if self.salt.len() != SALT || !self.salt.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return damaged(format!("`salt` of the cassette is not {SALT} hexadecimal digits"));
        }
        let most = usize::try_from(MOST_TURNS).unwrap_or(usize::MAX);
        let too_many = |turn: &Turn| turn.exchanges.len() > MOST_EXCHANGES || turn.calls.len() > MOST_CALLS;
        if self.turns.len() > most || self.turns.iter().any(too_many) {
            let detail =
                format!("the cassette has more than {MOST_TURNS} turns, or a turn has more than anybody records");
            return Err(Problem::new(Code::BadRequest, detail));
        }
        let mut sizes: HashMap<&str, usize> = HashMap::new();
        for (hash, content) in &self.contents {
            let written = content.to_string();
            sizes.insert(hash, written.len());
            if *hash != sha256(&written) {
                let short: String = hash.chars().take(12).collect();
                let place = self.place_of(hash).unwrap_or_else(|| "nothing refers to it".to_owned());
                return damaged(format!("the content {short} of the cassette was changed: {place}"));
            }
        }
        for (index, turn) in self.turns.iter().enumerate() {
            turn.is_short(index + 1)?;
            for (step, exchange) in (1..).zip(&turn.exchanges) {
                let texts = [&exchange.system, &exchange.tools, &exchange.params, &exchange.answer];
                let mut named = texts.into_iter().chain(&exchange.messages);
                if let Some(hash) = named.find(|hash| !self.contents.contains_key(*hash)) {
                    let short: String = hash.chars().take(12).collect();
                    return damaged(format!(
                        "turn {} refers to the content {short}, which is not there",
                        index + 1
                    ));
                }
                // What stands there once can be referred to without end.
                let told = texts.into_iter().chain(&exchange.messages);
                let size = told.fold(0_usize, |size, hash| size.saturating_add(sizes[hash.as_str()]));
                if size > LARGEST {
                    let detail = format!(
                        "request {step} of turn {} is larger than {} MiB: no model was told that",
                        index + 1,
                        LARGEST >> 20
                    );
                    return Err(Problem::new(Code::BodyTooLarge, detail));
                }
            }
            if let Some(part) = turn.changed() {
                return damaged(format!("turn {} of the cassette was changed: {part}", index + 1));
            }
        }
        if self.seal != self.whole() {
            return damaged("the cassette was changed: its agent, its salt, or which turns there are".to_owned());
        }
        Ok(())
    }
}

/// Holds the format that a document says against the one that is read here. It goes before everything else: what another
/// format has or lacks says nothing about a cassette. `reader` is the program that reads it, in a word.
///
/// # Errors
/// When it is another one.
pub fn check_format(format: &str, reader: &str) -> Result<(), Problem> {
    if format == FORMAT {
        return Ok(());
    }
    let number = |format: &str| format.strip_prefix(NUMBERED)?.parse::<u32>().ok();
    let (detail, suggestion) = match (number(format), number(FORMAT)) {
        (Some(told), Some(known)) => (
            format!("this cassette is of format {told}; this {reader} reads format {known}"),
            match told < known {
                true => "export the thread again: orchctl thread export ID -f FILE",
                false => "read it with a version that is as new as the one that wrote it",
            },
        ),
        (None, _) | (_, None) => (
            format!(
                "the cassette is written as `{}`, and `{FORMAT}` is known here",
                crate::excerpt::short(format)
            ),
            "make one: orchctl thread export ID -f FILE",
        ),
    };
    Err(Problem::new(Code::BadRequest, detail).suggest(suggestion))
}

/// So many hexadecimal digits a salt has.
const SALT: usize = 32;

/// The salt of the cassettes of a thread: the same each time, so that a cassette is made anew without another difference than what
/// was said since.
fn salt(thread: &str) -> String {
    let mut salt = sha256(format!("the cassette of {thread}"));
    salt.truncate(SALT);
    salt
}

/// A content as a cassette with that salt keeps it, and its hash.
fn kept(mut content: Value, salt: &str) -> (String, Value) {
    secrecy::redact_marked(&mut content, salt);
    (hash_of(&content), content)
}

fn hash_of(content: &Value) -> String {
    sha256(content.to_string())
}

/// The body of `POST /api/v1/replays`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Replay {
    /// What is run again.
    pub cassette: Cassette,
    /// What is asked instead of the cassette. Default: nothing; the agent of the cassette, as it is declared now, hears the
    /// answers that were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
}

/// What is asked instead of the cassette. Tools are never called: what they answered is on the cassette.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReplayAgainst")]
pub enum Against {
    /// Another model, for the same agent.
    Llm(Name),
    /// Another agent, with its own model.
    Agent(Name),
}

/// What came of it: the answer of `POST /api/v1/replays`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReplayReport")]
pub struct Report {
    /// The agent that was run.
    pub agent: Name,
    /// How many turns were replayed.
    pub turns: u32,
    /// What was different, in order; nothing when everything was the same.
    pub differences: Vec<Difference>,
}

/// Something that was different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReplayDifference")]
pub struct Difference {
    /// The turn, from 1.
    pub turn: u32,
    /// Which of the turn's requests to the model, from 1; absent of what is not about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// What.
    pub part: Part,
    /// A unified diff from what was recorded to what is now; or a sentence.
    pub diff: String,
}

/// What can be different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ReplayPart")]
pub enum Part {
    /// What the model is told first.
    System,
    /// The definitions of tools.
    Tools,
    /// The parameters of the request.
    Params,
    /// The messages before the answer.
    Messages,
    /// The tools that the model wants to be called.
    Calls,
    /// What the model says.
    Answer,
    /// How the turn ends.
    End,
}

impl Part {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Tools => "tools",
            Self::Params => "params",
            Self::Messages => "messages",
            Self::Calls => "calls",
            Self::Answer => "answer",
            Self::End => "end",
        }
    }
}

/// How one content differs from another, line by line; nothing when it does not. What is not compared by then is told as
/// replaced.
#[must_use]
pub fn difference(before: &Value, after: &Value, patience: Duration) -> Option<String> {
    (before != after).then(|| diff::unified_within(&shown(before), &shown(after), patience))
}

/// A content on lines of its own: a text as it is, all else as JSON.
fn shown(content: &Value) -> String {
    let mut text = match content {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cassette() -> Cassette {
        let mut cassette = Cassette::of("reviewer".parse().unwrap(), "t-1");
        let [system, tools, params, message, answer] = [
            json!("Be kind."),
            json!([]),
            json!({"max_tokens": 9}),
            json!({"role": "user", "content": "hello"}),
            json!({"text": "hi", "toolCalls": [], "finishReason": "stop"}),
        ]
        .map(|content| cassette.keep(content));
        let call = |path: &str, result: &str| Call {
            name: "files__read".to_owned(),
            server: Some("files".parse().unwrap()),
            tool: Some("read".to_owned()),
            arguments: json!({"path": path}).as_object().cloned().unwrap(),
            state: CallState::Complete,
            result: result.to_owned(),
        };
        let turn = Turn {
            message: "hello".to_owned(),
            personality: None,
            system_append: None,
            params: None,
            state: TurnState::Complete,
            exchanges: vec![Exchange {
                llm: "fast".to_owned(),
                system,
                tools,
                params,
                same: 0,
                messages: vec![message],
                answer,
            }],
            summaries: vec![],
            calls: vec![call("a", "first"), call("a", "second"), call("b", "third")],
            seal: Seal::default(),
        };
        cassette.turns = vec![
            turn.clone(),
            Turn {
                calls: vec![call("a", "later")],
                ..turn
            },
        ];
        cassette.sealed()
    }

    #[test]
    fn a_cassette_says_whether_it_was_changed() {
        let whole = cassette();
        whole.check().unwrap();
        let text = serde_json::to_string(&whole).unwrap();
        let read: Cassette = serde_json::from_str(&text).unwrap();
        assert_eq!(read, whole);
        for (from, to, told) in [
            (
                "Be kind.",
                "Be rude.",
                "was changed: what the model is told first of request 1 of turn 1",
            ),
            (
                "cassette/v4",
                "cassette/v3",
                "is of format 3; this program reads format 4",
            ),
            (
                "cassette/v4",
                "cassette/v5",
                "is of format 5; this program reads format 4",
            ),
            ("cassette/v4", "cassette/new", "is known here"),
        ] {
            let changed: Cassette = serde_json::from_str(&text.replace(from, to)).unwrap();
            let problem = changed.check().unwrap_err();
            assert!(problem.detail.contains(told), "{}", problem.detail);
        }
        // Whatever is changed by hand, it is said which part it is.
        let changes: [(&str, Value, &str); 18] = [
            (
                "/turns/0/message",
                json!("bye"),
                "turn 1 of the cassette was changed: what was said",
            ),
            (
                "/turns/0/personality",
                json!("calm"),
                "turn 1 of the cassette was changed: what was said",
            ),
            (
                "/turns/1/systemAppend",
                json!("x"),
                "turn 2 of the cassette was changed: what was said",
            ),
            (
                "/turns/1/params",
                json!({"temperature": 0.5}),
                "turn 2 of the cassette was changed: what was said",
            ),
            ("/turns/0/state", json!("error"), "how it ended"),
            ("/turns/0/exchanges/0/llm", json!("slow"), "request to the model 1"),
            ("/turns/0/exchanges/0/messages", json!([]), "request to the model 1"),
            ("/turns/0/exchanges", json!([]), "how many requests there are"),
            (
                "/turns/0/calls/1/result",
                json!("other"),
                "turn 1 of the cassette was changed: call 2 (files__read)",
            ),
            ("/turns/0/calls/2/arguments/path", json!("c"), "call 3 (files__read)"),
            ("/turns/0/calls/2/name", json!("x__y"), "call 3 (x__y)"),
            ("/turns/0/calls/0/state", json!("error"), "call 1"),
            (
                "/turns/1/calls",
                json!([]),
                "turn 2 of the cassette was changed: how many calls there are",
            ),
            (
                "/turns/1/summaries",
                json!([{"after": 0, "from": 1, "to": 1, "text": "x"}]),
                "how many summaries there are",
            ),
            ("/agent", json!("other"), "its agent, its salt, or which turns"),
            ("/salt", json!("0".repeat(32)), "its agent, its salt, or which turns"),
            (
                "/salt",
                json!("other"),
                "`salt` of the cassette is not 32 hexadecimal digits",
            ),
            ("/turns", json!([]), "its agent, its salt, or which turns"),
        ];
        for (place, value, told) in changes {
            let mut document = json!(whole);
            let (parent, member) = place.rsplit_once('/').unwrap();
            document.pointer_mut(parent).unwrap()[member] = value;
            let changed: Cassette = serde_json::from_value(document).unwrap();
            let problem = changed.check().unwrap_err();
            assert!(problem.detail.contains(told), "{place}: {}", problem.detail);
        }
        let mut unsealed = json!(whole);
        unsealed["turns"][0].as_object_mut().unwrap().remove("seal");
        assert!(serde_json::from_value::<Cassette>(unsealed).is_err());
        let mut lacking = whole.clone();
        lacking.contents.remove(&whole.turns[0].exchanges[0].answer);
        assert!(lacking.check().unwrap_err().detail.contains("turn 1 refers to"));
    }

    #[test]
    fn keys_are_not_kept() {
        let mut cassette = cassette();
        let key = "orch_0123456789abcdef0123456789abcdef";
        let hash = cassette.keep(json!({"role": "user", "content": format!("my key is {key}")}));
        let shown = cassette.content(&hash)["content"].as_str().unwrap();
        assert_eq!(shown.strip_prefix("my key is ***~").map(str::len), Some(4), "{shown}");
        // Another key is another content, and what is kept already is kept as it is.
        let (other, _) = cassette.kept(json!({"role": "user", "content": format!("my key is {key}0")}));
        assert_ne!(other, hash);
        assert_eq!(cassette.kept(cassette.content(&hash).clone()).0, hash);
        // The same text is another one in the cassette of another thread.
        let elsewhere = Cassette::of("reviewer".parse().unwrap(), "t-2");
        assert_ne!(elsewhere.text(key), cassette.text(key));
        cassette.check().unwrap();
        assert!(!serde_json::to_string(&cassette).unwrap().contains(key));
    }

    #[test]
    fn results_are_handed_out_once() {
        let cassette = cassette();
        let mut results = Results::of(&cassette);
        let path = |path: &str| json!({"path": path}).as_object().cloned().unwrap();
        for (turn, name, arguments, told) in [
            (2, "files__read", path("a"), Some("later")),
            (2, "files__read", path("a"), Some("first")),
            (1, "files__read", path("b"), Some("third")),
            (1, "files__write", path("a"), None),
            (1, "files__read", path("a"), Some("second")),
            (1, "files__read", path("a"), None),
        ] {
            let taken = results.take(turn, name, &arguments).map(|call| call.result.as_str());
            assert_eq!(taken, told, "{turn} {name} {arguments:?}");
        }
    }

    #[test]
    fn contents_are_compared_line_by_line() {
        assert_eq!(difference(&json!("a"), &json!("a"), diff::PATIENCE), None);
        let told = difference(
            &json!("Be kind.\nBe brief."),
            &json!("Be kind.\nBe long."),
            diff::PATIENCE,
        )
        .unwrap();
        assert_eq!(told, "@@ -1,2 +1,2 @@\n Be kind.\n-Be brief.\n+Be long.\n");
        let told = difference(&json!({"a": 1}), &json!({"a": 2}), diff::PATIENCE).unwrap();
        assert!(told.contains("-  \"a\": 1\n+  \"a\": 2\n"), "{told}");
    }
}
