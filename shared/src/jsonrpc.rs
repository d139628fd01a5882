//! JSON-RPC 2.0 messages with their payload left as it came.
//!
//! Whoever relays a message reads its envelope and hands its payload on byte for byte, so that nothing a peer says is lost:
//! fields and methods that we know nothing of included. Ids are kept as the text that was sent, for the same reason: `1`,
//! `1.0` and `"1"` are three ids.

use std::borrow::Cow;
use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A payload, as it came.
pub type Raw = Box<RawValue>;

/// Why text is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is not JSON (the code is -32700).
    #[error("not JSON: {0}")]
    Syntax(String),
    /// It is JSON, but no message (the code is -32600).
    #[error("not a JSON-RPC message: {0}")]
    Shape(&'static str),
}

/// The id of a request: the JSON text of a number or a string.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(Box<str>);

impl Id {
    /// The id that has this number.
    #[must_use]
    pub fn number(number: u64) -> Self {
        Self(number.to_string().into())
    }

    /// The id that is this text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self(serde_json::Value::from(text).to_string().into())
    }

    /// The id as JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// The id that this JSON value is; nothing when it is neither a number nor a string.
    #[must_use]
    pub fn from_raw(raw: &RawValue) -> Option<Self> {
        let text = raw.get();
        let first = text.bytes().next()?;
        (first == b'"' || first == b'-' || first.is_ascii_digit()).then(|| Self(text.into()))
    }

    /// The number, when it is a plain one.
    #[must_use]
    pub fn as_number(&self) -> Option<u64> {
        self.0.parse().ok()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// One message.
#[derive(Debug, Clone)]
pub enum Message {
    /// Asks for an answer.
    Request(Request),
    /// Tells something, and wants no answer.
    Notification(Notification),
    /// Answers a request.
    Response(Response),
}

/// A question.
#[derive(Debug, Clone)]
pub struct Request {
    /// What the answer is to carry.
    pub id: Id,
    /// What is asked.
    pub method: String,
    /// With which parameters.
    pub params: Option<Raw>,
}

/// A piece of news.
#[derive(Debug, Clone)]
pub struct Notification {
    /// What it is about.
    pub method: String,
    /// Its content.
    pub params: Option<Raw>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// Of the request it answers; nothing when the peer could not read it.
    pub id: Option<Id>,
    /// What it says.
    pub outcome: Outcome,
}

/// What an answer says.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was done; the payload.
    Result(Raw),
    /// It was not; the error object as it came, `data` and unknown members included.
    Error(Raw),
}

impl Outcome {
    /// An error of our own.
    #[must_use]
    pub fn error(code: i64, message: &str) -> Self {
        Self::Error(raw(&serde_json::json!({"code": code, "message": message})))
    }

    /// An error of our own with data.
    #[must_use]
    pub fn error_with(code: i64, message: &str, data: &serde_json::Value) -> Self {
        Self::Error(raw(
            &serde_json::json!({"code": code, "message": message, "data": data}),
        ))
    }

    /// The code, when it is an error that has one.
    #[must_use]
    pub fn code(&self) -> Option<i64> {
        #[derive(Deserialize)]
        struct Coded {
            code: i64,
        }
        match self {
            Self::Result(_) => None,
            Self::Error(error) => serde_json::from_str::<Coded>(error.get()).ok().map(|coded| coded.code),
        }
    }

    /// The message, when it is an error that has one.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Worded {
            message: String,
        }
        match self {
            Self::Result(_) => None,
            Self::Error(error) => serde_json::from_str::<Worded>(error.get())
                .ok()
                .map(|worded| worded.message),
        }
    }
}

/// The envelope as it stands on the wire.
#[derive(Deserialize)]
struct Wire<'w> {
    #[serde(borrow, default)]
    jsonrpc: Option<&'w RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'w RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'w, str>>,
    #[serde(borrow, default)]
    params: Option<&'w RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'w RawValue>,
    #[serde(borrow, default)]
    error: Option<&'w RawValue>,
}

/// `"result": null` is a result, and `"id": null` stands there.
fn present<'de: 'w, 'w, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'w RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Message {
    /// Reads one message.
    ///
    /// # Errors
    /// Text that is no JSON, or JSON that is no message. A batch is no message.
    pub fn parse(text: &[u8]) -> Result<Self, Invalid> {
        Wire::read(text)?.message()
    }

    /// Reads one message of a peer that is held to the letter of JSON-RPC 2.0: it says which version it speaks, and what has
    /// a method has no `null` for an id.
    ///
    /// # Errors
    /// As of [`Message::parse`], and what keeps to another version or none.
    pub fn parse_strictly(text: &[u8]) -> Result<Self, Invalid> {
        let wire = Wire::read(text)?;
        let is_numbered_null = wire.id.is_some_and(|id| id.get() == "null") && wire.method.is_some();
        let version = wire.jsonrpc.map(RawValue::get);
        let message = wire.message()?;
        match version {
            Some(r#""2.0""#) if is_numbered_null => {
                Err(Invalid::Shape("its id is null, and nobody could tell its answer"))
            }
            Some(r#""2.0""#) => Ok(message),
            Some(_) | None => Err(Invalid::Shape(r#"its `jsonrpc` is not "2.0""#)),
        }
    }

    /// The message as JSON text, without a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a message is plain data")
    }
}

impl<'w> Wire<'w> {
    fn read(text: &'w [u8]) -> Result<Self, Invalid> {
        let text = std::str::from_utf8(text).map_err(|error| Invalid::Syntax(error.to_string()))?;
        serde_json::from_str(text).map_err(|error| {
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            if is_json {
                Invalid::Shape("it is not an object with the members of a message")
            } else {
                Invalid::Syntax(error.to_string())
            }
        })
    }

    fn message(self) -> Result<Message, Invalid> {
        let id = match self.id.filter(|id| id.get() != "null") {
            None => None,
            Some(raw) => Some(Id::from_raw(raw).ok_or(Invalid::Shape("its id is neither a number nor a string"))?),
        };
        let outcome = match (self.result, self.error.filter(|error| error.get() != "null")) {
            (_, Some(error)) => Some(Outcome::Error(error.to_owned())),
            (Some(result), None) => Some(Outcome::Result(result.to_owned())),
            (None, None) => None,
        };
        let params = self.params.map(ToOwned::to_owned);
        match (self.method.map(Cow::into_owned), id, outcome) {
            (Some(method), Some(id), None) => Ok(Message::Request(Request { id, method, params })),
            (Some(method), None, None) => Ok(Message::Notification(Notification { method, params })),
            (None, id, Some(outcome)) => Ok(Message::Response(Response { id, outcome })),
            (Some(_), _, Some(_)) => Err(Invalid::Shape("it is both a request and an answer")),
            (None, _, None) => Err(Invalid::Shape("it has neither a method nor a result nor an error")),
        }
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("jsonrpc", "2.0")?;
        match self {
            Self::Request(request) => {
                map.serialize_entry("id", &request.id)?;
                map.serialize_entry("method", &request.method)?;
                if let Some(params) = &request.params {
                    map.serialize_entry("params", params)?;
                }
            }
            Self::Notification(notification) => {
                map.serialize_entry("method", &notification.method)?;
                if let Some(params) = &notification.params {
                    map.serialize_entry("params", params)?;
                }
            }
            Self::Response(response) => {
                map.serialize_entry("id", &response.id)?;
                match &response.outcome {
                    Outcome::Result(result) => map.serialize_entry("result", result)?,
                    Outcome::Error(error) => map.serialize_entry("error", error)?,
                }
            }
        }
        map.end()
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Notification> for Message {
    fn from(notification: Notification) -> Self {
        Self::Notification(notification)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

/// Any plain value as a payload.
///
/// # Panics
/// When the value cannot be written as JSON: a map whose keys are no strings.
#[must_use]
pub fn raw<T: Serialize + ?Sized>(value: &T) -> Raw {
    serde_json::value::to_raw_value(value).expect("plain data")
}

/// An object read one level deep: names in their order, values as they came. Setting and removing members leaves all
/// others as they are, byte for byte. What was read is borrowed from the text that it was read from.
#[derive(Debug, Clone, Default)]
pub struct Members<'m>(Vec<(Cow<'m, str>, Cow<'m, RawValue>)>);

impl<'m> Members<'m> {
    /// Reads an object; nothing when the payload is none. Of members that stand twice, all are kept.
    #[must_use]
    pub fn of(raw: &'m RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    /// Whether a payload is an object; told by how it begins, without reading it.
    #[must_use]
    pub fn are_in(raw: &RawValue) -> bool {
        raw.get().starts_with('{')
    }

    /// Reads parameters; absent ones have no members, and neither have those that are no object.
    #[must_use]
    pub fn of_params(params: Option<&'m RawValue>) -> Self {
        params.and_then(Self::of).unwrap_or_default()
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| &**value)
    }

    /// The member of that name, when it is a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// The member of that name, when it is an object.
    #[must_use]
    pub fn members(&self, name: &str) -> Option<Members<'_>> {
        Members::of(self.get(name)?)
    }

    /// Whether exactly one member has that name.
    #[must_use]
    pub fn has_once(&self, name: &str) -> bool {
        self.0.iter().filter(|(known, _)| known == name).count() == 1
    }

    /// A member that another reader might take for one of `names` where this one does not: its name differs from that name in
    /// nothing but case, or that name stands there twice. Given are the name as it is written, and the one it is near to.
    ///
    /// Readers differ here: some fold case (Go's `encoding/json` by Unicode, to which `ſ` is an `s`), and of a name that
    /// stands twice some take the first. Who decides by a member must know that all after them read the same one.
    #[must_use]
    pub fn ambiguous<'n>(&self, names: &[&'n str]) -> Option<(&str, &'n str)> {
        self.0.iter().find_map(|(written, _)| {
            let near = names.iter().find(|name| is_spelling_of(written, name))?;
            (written != near || !self.has_once(near)).then_some((&**written, *near))
        })
    }

    /// Sets a member: in its place, or at the end. One that stood there more than once stands there once.
    pub fn set(&mut self, name: &str, value: Raw) {
        let value = Cow::Owned(value);
        match self.0.iter().position(|(known, _)| known == name) {
            Some(at) => {
                let mut place = 0;
                self.0.retain(|(known, _)| {
                    place += 1;
                    place - 1 == at || known != name
                });
                self.0[at].1 = value;
            }
            None => self.0.push((name.to_owned().into(), value)),
        }
    }

    /// Removes a member, wherever it stands; says whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(known, _)| known != name);
        self.0.len() != before
    }

    /// Keeps the members whose names pass.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.0.retain(|(name, _)| keep(name));
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The object as a payload.
    #[must_use]
    pub fn to_raw(&self) -> Raw {
        raw(self)
    }
}

/// Whether a name is another in upper and lower case as they come.
fn is_spelling_of(written: &str, name: &str) -> bool {
    if written.is_ascii() {
        return written.eq_ignore_ascii_case(name);
    }
    let folded = |character: char| character.to_uppercase().flat_map(char::to_lowercase);
    written.chars().flat_map(folded).eq(name.chars().flat_map(folded))
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de: 'm, 'm> Deserialize<'de> for Members<'m> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// A name, borrowed where it is written without escapes.
        #[derive(Deserialize)]
        struct Name<'n>(#[serde(borrow)] Cow<'n, str>);

        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(4);
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name, Cow::Borrowed(value)));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> String {
        Message::parse(text.as_bytes()).expect("a message").to_json()
    }

    #[test]
    fn payloads_stay_as_they_came() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","x":1.0,"y":[ 1,2 ],"big":123456789012345678901234567890}}"#,
            r#"{"jsonrpc":"2.0","id":"a\u0041","method":"x/unknown"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/odd","params":{"b":1,"a":2,"b":3}}"#,
            r#"{"jsonrpc":"2.0","id":1.0,"result":null}"#,
            r#"{"jsonrpc":"2.0","id":-7,"error":{"code":-32000,"message":"no","data":{"z":[]},"more":true}}"#,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}"#,
        ] {
            assert_eq!(round(text), text);
        }
    }

    #[test]
    fn what_is_no_message() {
        for (text, syntax) in [
            ("", true),
            ("{", true),
            ("[]", false),
            ("7", false),
            ("{}", false),
            (r#"{"id":1}"#, false),
            (r#"{"id":{},"method":"a"}"#, false),
            (r#"{"id":true,"method":"a"}"#, false),
            (r#"{"id":1,"method":7}"#, false),
            (r#"{"id":1,"method":"a","result":1}"#, false),
        ] {
            let error = Message::parse(text.as_bytes()).expect_err(text);
            assert_eq!(matches!(error, Invalid::Syntax(_)), syntax, "{text}: {error}");
        }
        assert!(matches!(Message::parse(b"\xff{}"), Err(Invalid::Syntax(_))));
    }

    #[test]
    fn the_letter_is_kept_where_it_is_asked_for() {
        for (text, strictly) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#, true),
            (r#"{"jsonrpc":"2.0","method":"a"}"#, true),
            (
                r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}"#,
                true,
            ),
            (r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#, false),
            (r#"{"jsonrpc":"1.0","id":1,"method":"a"}"#, false),
            (r#"{"jsonrpc":2.0,"id":1,"method":"a"}"#, false),
            (r#"{"id":1,"method":"a"}"#, false),
        ] {
            assert!(Message::parse(text.as_bytes()).is_ok(), "{text}");
            let read = Message::parse_strictly(text.as_bytes());
            assert_eq!(read.is_ok(), strictly, "{text}: {read:?}");
        }
    }

    #[test]
    fn members_change_one_by_one() {
        let text = r#"{"name":"a__b","arguments":{"n": 1.50},"_meta":{"progressToken":7}}"#;
        let mut members: Members<'_> = serde_json::from_str(text).expect("an object");
        members.set("name", raw("b"));
        assert_eq!(
            members.to_raw().get(),
            r#"{"name":"b","arguments":{"n": 1.50},"_meta":{"progressToken":7}}"#
        );
        assert!(members.remove("_meta") && !members.remove("_meta"));
        members.set("z", raw(&true));
        assert_eq!(
            members.to_raw().get(),
            r#"{"name":"b","arguments":{"n": 1.50},"z":true}"#
        );
        assert_eq!(members.text("name").as_deref(), Some("b"));
        let mut twice: Members<'_> = serde_json::from_str(r#"{"a":1,"b":2,"a":3,"c":4,"a":5}"#).expect("an object");
        assert_eq!(twice.get("a").map(RawValue::get), Some("5"));
        assert!(twice.has_once("b") && !twice.has_once("a") && !twice.has_once("z"));
        twice.set("a", raw(&6));
        assert_eq!(twice.to_raw().get(), r#"{"a":6,"b":2,"c":4}"#);
        assert!(Members::of(&raw(&[1])).is_none() && !Members::are_in(&raw(&[1])) && Members::are_in(&twice.to_raw()));
    }

    #[test]
    fn a_member_that_others_read_otherwise_is_found() {
        for (text, expected) in [
            (r#"{"name":"a","uri":"b","Other":1,"other":2}"#, None),
            (r#"{"name":"a","name":"b"}"#, Some(("name", "name"))),
            (r#"{"name":"a","Name":"b"}"#, Some(("Name", "name"))),
            (r#"{"URI":"b"}"#, Some(("URI", "uri"))),
            (r#"{"tas\u212aId":"b"}"#, Some(("tas\u{212a}Id", "taskId"))),
            ("{\"taſkId\":1}", Some(("taſkId", "taskId"))),
            ("{\"tàskId\":1,\"names\":2}", None),
        ] {
            let members: Members<'_> = serde_json::from_str(text).expect("an object");
            assert_eq!(members.ambiguous(&["name", "uri", "taskId"]), expected, "{text}");
        }
    }
}
