//! Publishing: models and agents that a client offers from where it runs, such as behind a firewall.
//!
//! A publisher registers what it offers, keeps a stream open on which it is given tasks, answers each by a request of its
//! own, and says now and then that it is still there. Which session of a publisher a request belongs to stands in the header
//! [`SESSION`]; the id is a secret like a credential, and only its SHA-256 is kept. Here are the words of all that, and what
//! the status of a published object tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::apply::Verdict;
use crate::kind::{AnySpec, downcast};
use crate::kinds::agent::Agent;
use crate::kinds::llm::Llm;
use crate::name::{Name, ObjectRef};
use crate::resource::{Condition, Phase, Timestamp};

/// The header that says which session of a publisher a request belongs to.
pub const SESSION: &str = "x-orch-publisher";

/// The longest first line of the answer to a task, in bytes, its line end included.
pub const LONGEST_HEAD: usize = 64 << 10;

/// The longest data of an event that a publisher is told, in bytes; a request that would take more is refused.
///
/// A request is JSON text within a JSON string. There each quotation mark, backslash and line end takes two bytes, and other
/// control characters do not stand in JSON text: so it takes twice its own length at most, and the door to the models takes
/// 64 MiB. The rest is for the headers, and for what the daemon adds to a request (`extra` of the model).
pub const LONGEST_TOLD: usize = 2 * (64 << 20) + (4 << 20);

/// The longest event of a stream to a publisher, in bytes: [`LONGEST_TOLD`], and what stands around the data.
pub const LONGEST_EVENT: usize = LONGEST_TOLD + (1 << 10);

/// Where a published object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PublicationState {
    /// Its publisher is there and takes tasks.
    Active,
    /// Its publisher is away.
    Inactive,
    /// Its publisher is there, and has to wake it before it takes tasks.
    Hibernating,
}

impl PublicationState {
    /// The word it goes by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Hibernating => "hibernating",
        }
    }

    /// The state that goes by that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Inactive, Self::Hibernating]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// Where a published object stands as long as its publisher is there: what a publisher says of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Readiness {
    /// It takes tasks.
    Active,
    /// It has to be woken first.
    Hibernating,
}

impl Readiness {
    /// The state that this is.
    #[must_use]
    pub const fn state(self) -> PublicationState {
        match self {
            Self::Active => PublicationState::Active,
            Self::Hibernating => PublicationState::Hibernating,
        }
    }
}

/// The life of a published object, as its status tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Publication {
    /// Where it stands.
    pub state: PublicationState,
    /// The principal that publishes it. Nobody else takes it up again once it is inactive.
    pub publisher: String,
    /// The publisher's session, by a short name that opens nothing.
    pub session: String,
    /// When its publisher was last heard of, give or take a minute.
    pub last_heartbeat_at: Timestamp,
    /// Since when its publisher is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactive_since: Option<Timestamp>,
    /// Projects whose sessions wake it when they begin, beside those of agents that name it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warm_projects: Vec<Name>,
}

/// The status of kinds that can be published: conditions, and the life of what is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishedStatus {
    /// How far the object is from what is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The generation this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, ReferencesResolved, Implemented.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Who publishes it and whether they are there; only of what is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication: Option<Publication>,
}

/// Whether a spec says that the object is published by a client.
#[must_use]
pub fn is_published(spec: &dyn AnySpec) -> bool {
    let llm = downcast::<Llm>(spec).and_then(|llm| llm.published);
    let agent = downcast::<Agent>(spec).and_then(|agent| agent.published);
    llm.or(agent) == Some(true)
}

/// `POST /api/v1/publishers`: what a publisher offers. Without the header [`SESSION`] it begins a session; with it, what the
/// session had is taken up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Registration {
    /// The objects, all or none of them.
    #[schemars(length(min = 1, max = 100))]
    pub objects: Vec<Offer>,
}

/// One object that is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Offer {
    /// Its manifest: an Llm or an Agent whose spec says `published: true`.
    pub manifest: Value,
    /// Whether it takes tasks at once. Default: active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Readiness>,
    /// Of an Llm: projects whose sessions wake it when they begin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warm_projects: Vec<Name>,
}

/// The answer to a registration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// The id of the session: a secret, and to be shown with everything that follows.
    pub session: String,
    /// The name under which status tells the session.
    pub name: String,
    /// After so many seconds without a heartbeat its objects are taken to be away.
    pub heartbeat_timeout_seconds: u64,
    /// What became of each object, in the order in which they were offered.
    pub objects: Vec<Taken>,
}

/// What became of one object that was offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    /// Which.
    pub object: ObjectRef,
    /// Whether it is new, changed, or as it was.
    pub verdict: Verdict,
}

/// `POST /api/v1/publishers/heartbeat`: the publisher is still there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Heartbeat {
    /// Where its models stand, by name; what is left out stands where it stood.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub llms: BTreeMap<Name, Readiness>,
}

/// The answer to a heartbeat: what the session publishes. What somebody has deleted meanwhile is not among it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Heard {
    /// Each object.
    pub objects: Vec<Standing>,
}

/// Where one published object stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Which.
    pub object: ObjectRef,
    /// Where it stands.
    pub state: PublicationState,
}

/// What a publisher is told on its stream. On the wire each is a server-sent event whose type is [`Told::event`] and whose
/// data is the JSON of what it holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// The stream has begun.
    Hello(Hello),
    /// A request for one of its models; to be answered at [`crate::route::publisher_task`].
    Task(Task),
    /// One of its models is to take tasks; to be answered there, too: with status 200 once it does.
    Wake(Wake),
    /// Nobody waits any more for the answer to that task.
    Cancel(Cancel),
}

/// The stream has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The name under which status tells the session.
    pub session: String,
}

/// A request for a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Its id.
    pub id: String,
    /// The model.
    pub llm: Name,
    /// Where it is asked, such as `/v1/chat/completions`.
    pub path: String,
    /// Headers of the client that are for the model. No credential is among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body: JSON text, in the words that the model understands.
    pub body: String,
}

/// A model is to take tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Wake {
    /// The id under which it is answered.
    pub id: String,
    /// The model.
    pub llm: Name,
}

/// Nobody waits any more for the answer to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cancel {
    /// The task.
    pub id: String,
}

impl Told {
    /// The type of the event.
    #[must_use]
    pub const fn event(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Task(_) => "task",
            Self::Wake(_) => "wake",
            Self::Cancel(_) => "cancel",
        }
    }

    /// The data of the event: JSON text on one line.
    #[must_use]
    pub fn data(&self) -> String {
        let json = match self {
            Self::Hello(hello) => serde_json::to_string(hello),
            Self::Task(task) => serde_json::to_string(task),
            Self::Wake(wake) => serde_json::to_string(wake),
            Self::Cancel(cancel) => serde_json::to_string(cancel),
        };
        json.expect("what a publisher is told is plain data")
    }

    /// How long [`Self::data`] is, in bytes, without making all of it.
    #[must_use]
    pub fn length(&self) -> usize {
        match self {
            Self::Task(Task {
                id,
                llm,
                path,
                headers,
                body,
            }) => {
                let bare = Self::Task(Task {
                    id: id.clone(),
                    llm: llm.clone(),
                    path: path.clone(),
                    headers: headers.clone(),
                    body: String::new(),
                });
                bare.data().len() + body.bytes().map(within_json).sum::<usize>()
            }
            Self::Hello(_) | Self::Wake(_) | Self::Cancel(_) => self.data().len(),
        }
    }

    /// Reads an event; nothing for one of a type that is not known here, or that cannot be read.
    #[must_use]
    pub fn read(event: &str, data: &str) -> Option<Self> {
        match event {
            "hello" => serde_json::from_str(data).ok().map(Self::Hello),
            "task" => serde_json::from_str(data).ok().map(Self::Task),
            "wake" => serde_json::from_str(data).ok().map(Self::Wake),
            "cancel" => serde_json::from_str(data).ok().map(Self::Cancel),
            _ => None,
        }
    }
}

/// So many bytes a byte of a text takes within a JSON string (RFC 8259, section 7), in the shortest form there is.
const fn within_json(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

/// The first line of the answer to a task; what follows that line is the body of the model's answer, as it comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Head {
    /// The model answers.
    Answer {
        /// The HTTP status of its answer.
        status: u16,
        /// The headers of its answer.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// It cannot be asked.
    Error {
        /// Why, in a clause.
        error: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_publisher_is_told_is_read_as_it_was_said() {
        let llm: Name = "local".parse().unwrap();
        for told in [
            Told::Hello(Hello {
                session: "ab12".to_owned(),
            }),
            Told::Task(Task {
                id: "1".to_owned(),
                llm: llm.clone(),
                path: "/v1/chat/completions".to_owned(),
                headers: BTreeMap::from([("accept".to_owned(), "*/*".to_owned())]),
                body: "{\"model\": \"a\nb\"}".to_owned(),
            }),
            Told::Wake(Wake {
                id: "2".to_owned(),
                llm,
            }),
            Told::Cancel(Cancel { id: "1".to_owned() }),
        ] {
            assert!(!told.data().contains('\n'), "{told:?}");
            assert_eq!(Told::read(told.event(), &told.data()), Some(told));
        }
        assert_eq!(Told::read("news", "{}"), None);
    }

    #[test]
    fn how_long_something_is_is_known_before_it_is_written() {
        let every: String = (0..=0x17f).filter_map(char::from_u32).collect();
        let json = serde_json::to_string_pretty(&json!({"a\\\"": [every.clone(), "\u{1f600}"]})).unwrap();
        let headers = BTreeMap::from([("accept".to_owned(), "a \"b\"\t".to_owned())]);
        for (body, headers) in [
            (String::new(), BTreeMap::new()),
            (every, headers.clone()),
            (json.clone(), headers),
            // The worst that JSON text can be is twice as long.
            (format!("\"{}\"", "\\\\".repeat(1 << 10)), BTreeMap::new()),
        ] {
            let told = Told::Task(Task {
                id: "1".to_owned(),
                llm: "local".parse().unwrap(),
                path: "/v1/chat/completions".to_owned(),
                headers,
                body,
            });
            assert_eq!(told.length(), told.data().len(), "{told:?}");
        }
        assert!(json.bytes().map(within_json).sum::<usize>() <= 2 * json.len());
        let hello = Told::Hello(Hello {
            session: "ab\"12".to_owned(),
        });
        assert_eq!(hello.length(), hello.data().len());
        // What a reader measures is within its bound, whatever is told.
        let around = "event: cancel\ndata: \n\n".len();
        assert!(LONGEST_TOLD + around <= LONGEST_EVENT);
    }

    #[test]
    fn an_answer_begins_with_what_it_is() {
        for (line, expected) in [
            (
                json!({"status": 200}),
                Some(Head::Answer {
                    status: 200,
                    headers: BTreeMap::new(),
                }),
            ),
            (
                json!({"error": "it has crashed"}),
                Some(Head::Error {
                    error: "it has crashed".to_owned(),
                }),
            ),
            (json!({"status": 200, "error": "both"}), None),
            (json!({}), None),
        ] {
            assert_eq!(serde_json::from_value(line.clone()).ok(), expected, "{line}");
        }
    }
}
