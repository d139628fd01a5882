//! What the daemon writes down of who did what: the rows, how they are asked for, and what checking their chain tells.
//!
//! A [`Row`] says who asked for what and what came of it. Stored, it has a place in a chain of hashes and is an [`Entry`]. No
//! row holds a secret: neither bodies nor arguments, results, headers or queries are part of one.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::sha256;
use crate::kind::Kind;
use crate::name::{ObjectRef, Scope};
use crate::resource::Timestamp;

/// Declares an enumeration whose values go by one word, in JSON, in the database and on the command line.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$of])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word it goes by.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                let known = Self::ALL.iter().copied().find(|known| known.as_str() == text);
                known.ok_or_else(|| UnknownWord {
                    given: text.to_owned(),
                    allowed: Self::ALL.iter().map(|known| known.as_str()).collect(),
                })
            }
        }
    };
}

pub(crate) use words;

/// A word that is none of those there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is none of {}", allowed.join(", "))]
pub struct UnknownWord {
    pub(crate) given: String,
    pub(crate) allowed: Vec<&'static str>,
}

words! {
    /// What a row is about.
    RowKind {
        /// A request of the API, or one of an MCP client that no server answers.
        Request = "request",
        /// A request that was refused for want of a right.
        RbacDecision = "rbac_decision",
        /// A call of a tool, or whatever else was asked of an MCP server.
        ToolCall = "tool_call",
        /// An MCP client has begun a session, or ended one.
        SessionBind = "session_bind",
        /// Somebody has logged in or out, or has tried to.
        Login = "login",
        /// A call of a model.
        LlmInferenceCall = "llm_inference_call",
    }
}

words! {
    /// What came of it.
    Outcome {
        /// It was done.
        Allowed = "allowed",
        /// It was refused to whoever asked.
        Denied = "denied",
        /// It could have been done, and was not.
        Failed = "failed",
    }
}

words! {
    /// What is written down at all.
    #[derive(Default)]
    Extent {
        /// Every request and every call.
        #[default]
        All = "all",
        /// What changes something, is refused or fails; not what was read or called.
        Changes = "changes",
    }
}

/// What was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The kind, as in manifests.
    pub kind: String,
    /// The name, or the uid, as it was asked for; absent when all objects of the kind were meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it lives, when not in the cluster: `project/web`, `agent/x`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

impl Target {
    /// An object.
    #[must_use]
    pub fn of(object: &ObjectRef) -> Self {
        Self {
            kind: object.kind.as_str().to_owned(),
            name: Some(object.name.to_string()),
            scope: object.scope.to_column(),
        }
    }

    /// The project that it lives in, or is.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        let is_project = self.kind == "Project";
        let itself = self.name.as_deref().filter(|_| is_project);
        self.scope.strip_prefix("project/").or(itself)
    }
}

/// As people write it: `server/files`, `prompt/tone (project/web)`, `servers`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meta = self.kind.parse().ok().map(Kind::meta);
        match &self.name {
            Some(name) => {
                let noun = meta.map_or(self.kind.as_str(), |meta| meta.singular);
                write!(f, "{noun}/{name}")?;
            }
            None => f.write_str(meta.map_or(self.kind.as_str(), |meta| meta.plural))?,
        }
        match self.scope.as_str() {
            "" => Ok(()),
            scope => write!(f, " ({scope})"),
        }
    }
}

/// What the rules said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Whether it was allowed.
    pub allowed: bool,
    /// The name of the binding that allows it; of a refusal, what was missing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rule: String,
}

/// Who asked for what, and what came of it. Its JSON form is what the chain of hashes covers: a field that is added to it
/// later is left out of the form while it is empty, so that old rows keep their hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What the row is about.
    pub kind: RowKind,
    /// Who asked; empty when nobody knows.
    pub principal: String,
    /// The name of the token that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Who has really asked, when in the name of the principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The session of an MCP client, by the short name that nobody can use it with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// What was asked for: `get`, `apply`, `reveal`, `tools/call`.
    pub verb: String,
    /// What about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The tool, prompt or resource of the server, as the server calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The project that it happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// What the rules said, when they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// What came of it.
    pub outcome: Outcome,
    /// The HTTP status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long it took until the answer was known, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<i64>,
    /// What the request is called in the log and in its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The program that asked, as it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Anything else, in a clause.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Row {
    /// A row about something that was done, by nobody so far.
    #[must_use]
    pub fn new(kind: RowKind, verb: impl Into<String>) -> Self {
        Self {
            kind,
            principal: String::new(),
            token: None,
            via: None,
            session: None,
            verb: verb.into(),
            target: None,
            item: None,
            project: None,
            decision: None,
            outcome: Outcome::Allowed,
            status: None,
            duration_us: None,
            request_id: None,
            client: None,
            detail: String::new(),
        }
    }

    /// The hash of this row at its place in the chain: SHA-256 in lower-case hex over the JSON array
    /// `[before, sequence, millis, row]`.
    #[must_use]
    pub fn hash_after(&self, before: &str, sequence: i64, at: Timestamp) -> String {
        hash_of(&(before, sequence, at.millis(), self))
    }

    /// The hash as daemons before 0.2 made it, over `[before, sequence, millis, principal, verb, object, outcome, detail]`.
    /// Nothing when the row says what those could not say, and the hash would not cover.
    #[must_use]
    pub fn first_hash_after(&self, before: &str, sequence: i64, at: Timestamp) -> Option<String> {
        let object = match &self.target {
            None => None,
            Some(target) => Some(ObjectRef {
                kind: target.kind.parse().ok()?,
                scope: target.scope.parse::<Scope>().ok()?,
                name: target.name.as_deref()?.parse().ok()?,
            }),
        };
        let told = Self {
            principal: self.principal.clone(),
            target: self.target.clone(),
            outcome: self.outcome,
            detail: self.detail.clone(),
            ..Self::new(RowKind::Request, self.verb.as_str())
        };
        let outcome = self.outcome.as_str();
        let fields = (
            before,
            sequence,
            at.millis(),
            &self.principal,
            &self.verb,
            object,
            outcome,
            &self.detail,
        );
        (told == *self).then(|| hash_of(&fields))
    }
}

fn hash_of(fields: &impl Serialize) -> String {
    // As long as rows usually are: each time that it grows it is copied.
    let mut text = Vec::with_capacity(1024);
    serde_json::to_writer(&mut text, fields).expect("plain data");
    sha256(text)
}

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Counts all entries, from 1.
    pub sequence: i64,
    /// When the answer was known.
    pub at: Timestamp,
    /// Who asked for what, and what came of it.
    #[serde(flatten)]
    pub row: Row,
    /// The hash of the row, which covers the hash of the one before.
    pub hash: String,
}

/// The query of `GET /api/v1/audit`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Parameters {
    /// Only what this principal asked for, or somebody in its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only what was asked with the token of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Only what happened in this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only what happened in this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Only rows of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RowKind>,
    /// Only this verb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<String>,
    /// Only what ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Only about this: a kind (`secrets`), or an object (`secret/gitea`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Only from then on: a duration ago (`2h`), or an RFC 3339 instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Only before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Only entries before this one; for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// Only entries behind this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The newest so many. Default 100, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `1`: go on as a stream of server-sent events, whose `id:` is the entry's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<String>,
}

/// The answer of `GET /api/v1/audit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entries {
    /// Oldest first.
    pub items: Vec<Entry>,
    /// `before` for the page of the entries before these; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
}

/// The query of `GET /api/v1/audit/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SessionParameters {
    /// Only of this principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only in this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only what happened from then on: a duration ago (`2h`), or an RFC 3339 instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Only what happened before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Those used last, so many. Default 200, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What one principal did in one session, or in a project without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The project; absent for what belongs to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Whose it is.
    pub principal: String,
    /// The session of an MCP client; absent for requests that are complete in themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The program, as it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// When the first of it happened.
    pub first: Timestamp,
    /// When the last of it happened.
    pub last: Timestamp,
    /// How many rows there are.
    pub rows: i64,
    /// How many of them are calls.
    pub calls: i64,
    /// How many failed, or were refused.
    pub errors: i64,
}

/// The answer of `GET /api/v1/audit/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sessions {
    /// Those used last first.
    pub items: Vec<Session>,
}

/// A place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// The number of the last entry before it; 0 for the beginning.
    pub sequence: i64,
    /// That entry's hash; empty for the beginning.
    pub hash: String,
}

/// As it is kept and given back: `1284:5f0c…`.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.hash)
    }
}

impl FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let (sequence, hash) = text.split_once(':').ok_or(NoMark)?;
        let sequence = sequence.parse().ok().filter(|sequence| *sequence >= 0).ok_or(NoMark)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_beginning = sequence == 0 && hash.is_empty();
        if !(is_hash || is_beginning) {
            return Err(NoMark);
        }
        Ok(Self {
            sequence,
            hash: hash.to_owned(),
        })
    }
}

/// A text that is no place in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a place in the audit log is NUMBER:HASH, as `audit verify` tells it")]
pub struct NoMark;

/// The query of `GET /api/v1/audit/verify`, which checks one stretch of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VerifyParameters {
    /// Where to begin: `to` of the stretch before. Default: the oldest entry there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// A place that was kept elsewhere; the entry of that number must still have that hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// The answer of `GET /api/v1/audit/verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Where the stretch began.
    pub from: Mark,
    /// How far it is whole.
    pub to: Mark,
    /// Where the chain ends, as the daemon has noted it.
    pub head: Mark,
    /// How many entries were checked.
    pub checked: i64,
    /// Whether there is nothing more to check.
    pub complete: bool,
    /// What is wrong with the first entry that is not as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<Broken>,
}

/// Where the chain breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Broken {
    /// The first entry that is not as it was written, or is missing.
    pub sequence: i64,
    /// What is wrong with it.
    pub reason: String,
}

/// How the audit log keeps up; part of `GET /api/v1/status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Rows that wait to be written.
    pub waiting: u64,
    /// Rows that were lost since the daemon started, because too many waited.
    pub dropped: u64,
    /// Whether rows cannot be written at the moment.
    pub stuck: bool,
    /// What is written down.
    #[serde(default)]
    pub extent: Extent,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Row {
        Row {
            principal: "eve".to_owned(),
            target: Some(Target {
                kind: "Prompt".to_owned(),
                name: Some("tone".to_owned()),
                scope: "project/web".to_owned(),
            }),
            outcome: Outcome::Denied,
            detail: "{}".to_owned(),
            ..Row::new(RowKind::Request, "delete")
        }
    }

    #[test]
    fn a_hash_covers_every_field() {
        let at = Timestamp::from_millis(1_000);
        let plain = sample();
        let hash = plain.hash_after("", 1, at);
        let text = || Some("x".to_owned());
        let changed = [
            Row {
                kind: RowKind::Login,
                ..plain.clone()
            },
            Row {
                principal: "adam".to_owned(),
                ..plain.clone()
            },
            Row {
                token: text(),
                ..plain.clone()
            },
            Row {
                via: text(),
                ..plain.clone()
            },
            Row {
                session: text(),
                ..plain.clone()
            },
            Row {
                verb: "get".to_owned(),
                ..plain.clone()
            },
            Row {
                target: None,
                ..plain.clone()
            },
            Row {
                item: text(),
                ..plain.clone()
            },
            Row {
                project: text(),
                ..plain.clone()
            },
            Row {
                decision: Some(Decision {
                    allowed: true,
                    rule: String::new(),
                }),
                ..plain.clone()
            },
            Row {
                outcome: Outcome::Allowed,
                ..plain.clone()
            },
            Row {
                status: Some(200),
                ..plain.clone()
            },
            Row {
                duration_us: Some(1),
                ..plain.clone()
            },
            Row {
                request_id: text(),
                ..plain.clone()
            },
            Row {
                client: text(),
                ..plain.clone()
            },
            Row {
                detail: String::new(),
                ..plain.clone()
            },
        ];
        let fields = serde_json::to_value(Row {
            token: text(),
            via: text(),
            session: text(),
            item: text(),
            project: text(),
            decision: changed[9].decision.clone(),
            status: Some(1),
            duration_us: Some(1),
            request_id: text(),
            client: text(),
            ..plain.clone()
        })
        .unwrap();
        assert_eq!(
            fields.as_object().unwrap().len(),
            changed.len(),
            "a field without a case"
        );
        for row in changed {
            assert_ne!(row.hash_after("", 1, at), hash, "{row:?}");
        }
        assert_ne!(plain.hash_after("x", 1, at), hash);
        assert_ne!(plain.hash_after("", 2, at), hash);
        assert_ne!(plain.hash_after("", 1, Timestamp::from_millis(1_001)), hash);
    }

    #[test]
    fn old_rows_keep_their_hash() {
        let at = Timestamp::from_millis(1_000);
        // As the first form was written down: sha256 of ["",1,1000,"eve","delete",{...},"denied","{}"].
        let known = "2f1a84f9016bf3cfb77a7b05f41ffc188614c5c2c65617246c2917b666b63f31";
        let hash = sample().first_hash_after("", 1, at).unwrap();
        assert_eq!(hash, known);
        // What it does not cover cannot be slipped in.
        let richer = Row {
            token: Some("ci".to_owned()),
            ..sample()
        };
        assert_eq!(richer.first_hash_after("", 1, at), None);
    }

    #[test]
    fn marks_are_read_back() {
        for text in ["0:", &format!("7:{}", "0a".repeat(32))] {
            assert_eq!(text.parse::<Mark>().unwrap().to_string(), *text);
        }
        for text in ["", "7", "7:", "x:00", "-1:", &format!("7:{}", "0A".repeat(32))] {
            assert_eq!(text.parse::<Mark>(), Err(NoMark), "{text}");
        }
    }

    #[test]
    fn targets_are_said_as_people_do() {
        let target = |kind: &str, name: Option<&str>, scope: &str| Target {
            kind: kind.to_owned(),
            name: name.map(str::to_owned),
            scope: scope.to_owned(),
        };
        for (target, said, project) in [
            (target("Server", Some("files"), ""), "server/files", None),
            (
                target("Prompt", Some("tone"), "project/web"),
                "prompt/tone (project/web)",
                Some("web"),
            ),
            (target("Secret", None, ""), "secrets", None),
            (target("Project", Some("web"), ""), "project/web", Some("web")),
            (target("Unheard", Some("x"), ""), "Unheard/x", None),
        ] {
            assert_eq!((target.to_string().as_str(), target.project()), (said, project));
        }
    }
}
