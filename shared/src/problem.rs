//! What went wrong, for people and machines: RFC 9457 problem details with stable codes.
//!
//! A library error becomes a [`Problem`] at the rim (admission, the API, the command line); nothing here decides an HTTP
//! status or an exit code. Each [`Code`] has a page in `codes/`, shown by `orchctl explain CODE`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::excerpt::printable;
use crate::path::FieldPath;

macro_rules! codes {
    ($($variant:ident = $id:literal, $title:literal;)*) => {
        /// A stable name for one way in which something can go wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum Code {
            $(#[doc = $title] #[serde(rename = $id)] $variant,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The text that stands for the code everywhere, such as `ORCH2101`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// One line that says what this code means, whatever the occasion.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// The page a person reads: what happened, why, what to do. Markdown.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("codes/", $id, ".md"))),* }
            }
        }
    };
}

codes! {
    // Reading a manifest.
    ManifestSyntax = "ORCH1001", "the text is not valid YAML or JSON";
    ManifestEncoding = "ORCH1002", "the text is not UTF-8, or holds characters that no manifest may hold";
    ManifestTooLarge = "ORCH1003", "the manifest is larger, deeper or more entangled than allowed";
    DuplicateKey = "ORCH1004", "a mapping has the same key twice";
    DuplicateObject = "ORCH1005", "the same object is declared twice";
    UnknownField = "ORCH1101", "the field does not exist";
    WrongType = "ORCH1102", "the value is of another type";
    MissingField = "ORCH1103", "a required field is missing";
    InvalidValue = "ORCH1104", "the value is not allowed here";
    UnknownKind = "ORCH1105", "the kind does not exist";
    WrongScope = "ORCH1106", "the kind does not live in that scope";
    InvalidName = "ORCH1107", "the name is not allowed";

    // Admission.
    InvalidObject = "ORCH2001", "one or more objects are not valid; nothing was applied";
    ReferenceMissing = "ORCH2101", "an object refers to one that does not exist";
    InUse = "ORCH2102", "the object is still referred to";
    SealedValue = "ORCH2103", "a sealed value cannot be opened here";
    DaemonOwned = "ORCH2104", "objects of this kind are made by the daemon";
    Immutable = "ORCH2105", "the object does not change once it is made";
    DefaultBackend = "ORCH2110", "exactly one secret backend is the default";
    OwnToken = "ORCH2111", "a secret backend would be locked out of its own token";
    KeyRefused = "ORCH2112", "a provider of models does not take the key";

    // Finding and changing objects.
    NotFound = "ORCH3001", "there is no such object";
    AlreadyExists = "ORCH3002", "an object of that name exists";
    Stale = "ORCH3003", "the object has changed since it was read";
    Terminating = "ORCH3004", "an object of that name is still being deleted";
    OtherSet = "ORCH3005", "the object belongs to another apply set";
    PlanMoved = "ORCH3006", "objects have changed since the plan was made";
    Compacted = "ORCH3007", "the change log no longer reaches back that far";
    NoGeneration = "ORCH3008", "there is no such generation in the object's history";
    NoAction = "ORCH3009", "the kind has no such action";
    Decided = "ORCH3020", "the proposal was decided about already";
    Full = "ORCH3021", "as many as are allowed are there already";
    TurnUnderWay = "ORCH3022", "a turn of the thread is under way";
    NoTurn = "ORCH3023", "the thread has no turn of which this could be asked";
    Published = "ORCH3024", "the object is published by a client, or would be";

    // Who you are, and how you ask.
    Unauthenticated = "ORCH4001", "no valid credential was given";
    Forbidden = "ORCH4002", "the credential does not allow this";
    HostRefused = "ORCH4003", "the request names a host or origin that the daemon does not serve";
    TooMany = "ORCH4004", "too much was asked in too short a time";
    Ceiling = "ORCH4005", "nobody grants what they do not have";
    BadRequest = "ORCH4101", "the request cannot be understood";
    BodyTooLarge = "ORCH4102", "the request body is larger than allowed";
    NoRoute = "ORCH4103", "there is nothing at that address";
    MediaType = "ORCH4104", "the request body is of a type that is not understood here";
    Timeout = "ORCH4105", "the request took too long";
    NoMethod = "ORCH4106", "the address is there, but not for that method";

    // The daemon itself.
    StoreUnavailable = "ORCH5001", "the database cannot be reached or is locked";
    StoreReadOnly = "ORCH5002", "the database cannot be written: disk full or read-only";
    ShuttingDown = "ORCH5003", "the daemon is shutting down";
    LeaderUnavailable = "ORCH5004", "the daemon that runs the servers cannot be reached";
    NoAnswer = "ORCH5005", "the daemon did not answer in time; the outcome is not known";
    Internal = "ORCH5101", "the daemon has met a case that it does not know";

    // Running servers.
    ToolMissing = "ORCH6001", "a program needed to install packages is missing";
    InstallFailed = "ORCH6002", "the package could not be installed";
    CommandNotFound = "ORCH6003", "the command cannot be started";
    StartupDeadline = "ORCH6004", "the server did not answer the MCP handshake in time";
    HandshakeFailed = "ORCH6005", "the server answered, but not as an MCP server";
    CrashLoop = "ORCH6006", "the server keeps exiting";
    RemoteUnreachable = "ORCH6007", "the remote server cannot be reached";
    NotImplemented = "ORCH6008", "a field is understood but not yet acted on";
    ReferenceBroken = "ORCH6009", "something the object refers to has gone or cannot be resolved";
    LimitExceeded = "ORCH6010", "the server went over one of its resource limits";
    Unhealthy = "ORCH6020", "the server runs, but does not answer its health checks";
    EngineUnavailable = "ORCH6021", "the container engine cannot be reached";
    ImageUnavailable = "ORCH6022", "the container image cannot be had";
    ContainerRefused = "ORCH6023", "the container cannot be made or started as declared";
    RolloutStuck = "ORCH6024", "a changed server does not become ready; what ran before still serves";
    WakeFailed = "ORCH6025", "a suspended server was used and could not be started";
    SessionsFull = "ORCH6026", "as many sessions as are allowed have a copy of the server";

    // Turns of agents.
    ModelFailed = "ORCH6040", "the model of the agent has not answered";
    TooManyIterations = "ORCH6041", "the turn would ask the model more often than it may";
    TurnBudget = "ORCH6042", "the turn would use more than it may";
    TurnCancelled = "ORCH6043", "the turn was cancelled";
    ContextFull = "ORCH6044", "what was said does not fit into the context of the model";

    // Where values of Secrets live.
    BackendUnavailable = "ORCH6030", "a secret backend cannot be asked";
    BackendRefused = "ORCH6031", "a secret backend refuses what is asked of it";

    // The command line.
    DaemonUnreachable = "ORCH7001", "the daemon cannot be reached";
    NoContext = "ORCH7002", "no daemon is configured";
    WaitTimeout = "ORCH7003", "the wait ended before the condition was met";
    BadArgument = "ORCH7004", "the command line cannot be understood";
    LocalFile = "ORCH7005", "a local file cannot be read or written";
    CertificateRefused = "ORCH7006", "the daemon's certificate cannot be trusted";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl std::str::FromStr for Code {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.id().eq_ignore_ascii_case(text))
            .ok_or(())
    }
}

/// Which end of a field a problem is about; decides where in a manifest the finger points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// The key: it should not be there, or is there twice.
    Key,
    /// The value (the default).
    #[default]
    Value,
}

/// One thing wrong with one field of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldProblem {
    /// Position in the submitted set, from 0.
    #[serde(default)]
    pub object: usize,
    /// JSON pointer into that object.
    pub pointer: FieldPath,
    /// Whether the key or the value is meant.
    #[serde(default)]
    pub part: Part,
    /// Stable code.
    pub code: Code,
    /// What is wrong, in one clause without the path: `unknown field`.
    pub message: String,
    /// What to do about it, in a form that can be typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl FieldProblem {
    /// A problem with the value at `path` of the first object.
    #[must_use]
    pub fn new(code: Code, path: FieldPath, message: impl Into<String>) -> Self {
        Self {
            object: 0,
            pointer: path,
            part: Part::Value,
            code,
            message: printable(message),
            hint: None,
        }
    }

    /// The same problem with a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(printable(hint));
        self
    }

    /// The same problem, about the key.
    #[must_use]
    pub fn at_key(mut self) -> Self {
        self.part = Part::Key;
        self
    }

    /// The same problem, in the object at `index` of the set.
    #[must_use]
    pub fn in_object(mut self, index: usize) -> Self {
        self.object = index;
        self
    }
}

/// At most so many field problems are told at once; whoever finds more may stop looking.
pub const MOST_TOLD: usize = 100;

/// An `application/problem+json` document (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// URI that names the code.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// The code's one-line meaning.
    pub title: String,
    /// HTTP status, filled in by the API.
    #[serde(default)]
    pub status: u16,
    /// Stable code.
    pub code: Code,
    /// What happened this time.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// Every field that is wrong, when fields are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// The request this answers; also in the daemon's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Seconds after which trying again may help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// The media type of the document.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// A problem of that code.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            type_uri: format!("https://orchctl.dev/errors/{code}"),
            title: code.title().to_owned(),
            status: 0,
            code,
            detail: printable(detail),
            suggestion: None,
            errors: Vec::new(),
            request_id: None,
            retry_after: None,
        }
    }

    /// The same problem with a way out.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(printable(suggestion));
        self
    }

    /// The same problem, which may pass: try again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// One problem for a whole set of field problems, or none when there are none. Of very many, the first
    /// [`MOST_TOLD`] are told.
    #[must_use]
    pub fn of_fields(mut errors: Vec<FieldProblem>) -> Option<Self> {
        let detail = match errors.len() {
            0 => return None,
            1 => "1 problem; nothing was applied".to_owned(),
            n if n <= MOST_TOLD => format!("{n} problems; nothing was applied"),
            _ => format!("more than {MOST_TOLD} problems, of which these are the first; nothing was applied"),
        };
        errors.truncate(MOST_TOLD);
        Some(Self {
            errors,
            ..Self::new(Code::InvalidObject, detail)
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)
    }
}

impl std::error::Error for Problem {}

/// The candidate that was probably meant, when one is close enough to be worth saying.
///
/// Close means a Damerau-Levenshtein distance of at most a third of the longer name: what is further away was hardly
/// meant, and a wrong guess costs more than none.
#[must_use]
pub fn near_miss<'c>(given: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let given = given.to_lowercase();
    let length = |text: &str| text.chars().count();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let lower = candidate.to_lowercase();
            let distance = strsim::damerau_levenshtein(&given, &lower);
            (distance <= length(&given).max(length(&lower)) / 3).then_some((candidate, distance))
        })
        .min_by_key(|(_, distance)| *distance)
        .map(|(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_documented() {
        let ids: std::collections::BTreeSet<_> = Code::ALL.iter().map(|c| c.id()).collect();
        assert_eq!(ids.len(), Code::ALL.len());
        for code in Code::ALL {
            let page = code.page();
            assert!(
                page.starts_with(&format!("# {code}: ")),
                "{code}: the page starts with its title"
            );
            assert!(page.contains("## What to do"), "{code}: the page says what to do");
            assert_eq!(code.id().parse(), Ok(*code));
        }
    }

    #[test]
    fn what_others_said_does_nothing_to_a_terminal() {
        let evil = "\u{1b}]0;title\u{7}\nhint: run rm";
        let said = r"\u{1b}]0;title\u{7}\nhint: run rm";
        let problem = Problem::new(Code::BadRequest, evil).suggest(evil);
        assert_eq!(
            (problem.detail.as_str(), problem.suggestion.as_deref()),
            (said, Some(said))
        );
        let field = FieldProblem::new(Code::InvalidValue, FieldPath::root(), evil).hint(evil);
        assert_eq!((field.message.as_str(), field.hint.as_deref()), (said, Some(said)));
    }

    #[test]
    fn near_misses() {
        let words = [
            "replicas",
            "restart",
            "resources",
            "env",
            "command",
            "agents",
            "get",
            "ORCH6009",
        ];
        for (given, meant) in [
            ("replcas", Some("replicas")),
            ("Comand", Some("command")),
            ("gt", Some("get")),
            ("evn", Some("env")),
            ("zzz", None),
            ("gitea", None),
            ("ORCH9999", None),
            ("", None),
        ] {
            assert_eq!(near_miss(given, words), meant, "{given}");
        }
    }
}
