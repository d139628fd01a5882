//! The document as far as it matters here. Members that are not named change nothing about how a server is run.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A `server.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    #[expect(dead_code, reason = "every server.json has a name; what has none is something else")]
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) packages: Vec<Package>,
    #[serde(default)]
    pub(super) remotes: Vec<Remote>,
}

/// One way to run the server oneself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Package {
    pub(super) registry_type: String,
    pub(super) registry_base_url: Option<String>,
    pub(super) identifier: String,
    pub(super) version: Option<String>,
    pub(super) file_sha256: Option<String>,
    pub(super) transport: Transport,
    #[serde(default)]
    pub(super) runtime_arguments: Vec<Argument>,
    #[serde(default)]
    pub(super) package_arguments: Vec<Argument>,
    #[serde(default)]
    pub(super) environment_variables: Vec<Named>,
}

/// How a package is talked to.
#[derive(Debug, Deserialize)]
pub(super) struct Transport {
    #[serde(rename = "type")]
    pub(super) form: Form,
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) headers: Vec<Named>,
}

/// One place where somebody else runs the server.
#[derive(Debug, Deserialize)]
pub(super) struct Remote {
    #[serde(rename = "type")]
    pub(super) form: Form,
    pub(super) url: String,
    #[serde(default)]
    pub(super) headers: Vec<Named>,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, Input>,
}

/// The transports that the registry knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Form {
    Stdio,
    StreamableHttp,
    Sse,
}

/// An argument of a command line.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Argument {
    Positional {
        value_hint: Option<String>,
        #[serde(default)]
        is_repeated: bool,
        #[serde(flatten)]
        input: Input,
    },
    Named {
        name: String,
        value_hint: Option<String>,
        #[serde(default)]
        is_repeated: bool,
        #[serde(flatten)]
        input: Input,
    },
}

/// A variable of the environment, or a header.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) input: Input,
}

/// A value that is given, fixed, or made of variables.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) is_required: bool,
    #[serde(default)]
    pub(super) is_secret: bool,
    #[serde(default)]
    pub(super) format: Format,
    pub(super) value: Option<String>,
    pub(super) default: Option<String>,
    pub(super) placeholder: Option<String>,
    #[serde(default)]
    pub(super) choices: Vec<String>,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, Input>,
}

impl Input {
    /// Whether nothing is said about a value.
    pub(super) fn says_nothing(&self) -> bool {
        let texts = [&self.description, &self.value, &self.default, &self.placeholder];
        texts.iter().all(|text| text.is_none())
            && !self.is_required
            && !self.is_secret
            && self.format == Format::String
            && self.choices.is_empty()
    }
}

/// What a value is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    #[default]
    String,
    Number,
    Boolean,
    Filepath,
}
