//! Template: a Server spec with places to fill in, for catalogues.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Reference, Removal, Report, ScopeType, Spec};
use crate::kinds::server::{Server, TemplateUse};
use crate::name::Name;
use crate::problem::near_miss;
use crate::resource::PlainStatus;
use crate::value::SecretKeyRef;

/// A catalogue entry that Servers are made from: a Server spec with `${parameter}` places.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Template {
    /// What the template is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What a Server that uses it may or must give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Vec<Parameter>>,
    /// The Server spec. `${name}` stands for a parameter's value; `$${` for a literal `${`.
    pub server: Box<Server>,
}

/// Something a Server that uses the template may or must give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Parameter {
    /// The name of the place: letters, digits and `_`.
    pub name: String,
    /// What to give, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The type of the value. Default: string.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub value_type: Option<ParameterType>,
    /// Whether it must be given. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// The value when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether the value is a secret: then it is given as `{secretRef: {name, key}}` and stands alone in an `env` value or
    /// a header. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<bool>,
}

/// The type of a parameter's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParameterType {
    /// Text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// true or false.
    Boolean,
}

impl ParameterType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Integer => "a whole number",
            Self::Boolean => "true or false",
        }
    }

    fn admits(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Boolean => value.is_boolean(),
        }
    }
}

impl Parameter {
    fn is_secret(&self) -> bool {
        self.secret.unwrap_or(false)
    }
}

impl Template {
    fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .flatten()
            .find(|parameter| parameter.name == name)
    }

    /// What a Server that is made from this template amounts to: its parameters filled in, and whatever it says itself
    /// standing before what the template says.
    ///
    /// # Errors
    /// What is wrong with the values, and with what comes of it all; paths are below the Server's own spec
    /// (`template.parameters.x`).
    pub fn resolve(&self, own: &Server, usage: &TemplateUse) -> Result<Server, Report> {
        let server = own.clone().before(self.fill_in(usage)?);
        let (mut problems, mut report) = (Report::default(), Report::default());
        server.validate_below("", &mut problems);
        for problem in problems.into_problems() {
            report.invalid(
                "template",
                format!("filled in, {}: {}", problem.pointer, problem.message),
            );
            if let Some(hint) = problem.hint {
                report.hint(hint);
            }
        }
        if report.is_empty() { Ok(server) } else { Err(report) }
    }

    /// The Server spec of this template with those values in their places.
    fn fill_in(&self, usage: &TemplateUse) -> Result<Server, Report> {
        let mut report = Report::default();
        let mut values: BTreeMap<&str, Value> = BTreeMap::new();
        let given = usage.parameters.clone().unwrap_or_default();
        for (name, value) in &given {
            let at = format!("template.parameters[{name:?}]");
            let Some(parameter) = self.parameter(name) else {
                report.invalid(&at, format!("the template has no parameter `{name}`"));
                let names = self
                    .parameters
                    .iter()
                    .flatten()
                    .map(|parameter| parameter.name.as_str());
                if let Some(near) = near_miss(name, names) {
                    report.hint(format!("did you mean `{near}`?"));
                }
                continue;
            };
            let wanted = parameter.value_type.unwrap_or_default();
            if parameter.is_secret() {
                if secret_of(value).is_none() {
                    report
                        .invalid(&at, format!("`{name}` is a secret and is not given in the open"))
                        .hint("give {secretRef: {name: <secret>, key: <key>}}");
                }
            } else if !wanted.admits(value) {
                report.invalid(&at, format!("`{name}` is {}", wanted.as_str()));
            }
        }
        for parameter in self.parameters.iter().flatten() {
            match given.get(&parameter.name).or(parameter.default.as_ref()) {
                Some(value) => {
                    values.insert(&parameter.name, value.clone());
                }
                None if parameter.required.unwrap_or(false) || parameter.is_secret() => {
                    report.missing(
                        "template.parameters",
                        format!("the parameter `{}` is required", parameter.name),
                    );
                    if let Some(description) = &parameter.description {
                        report.hint(description.clone());
                    }
                }
                None => {}
            }
        }
        if !report.is_empty() {
            return Err(report);
        }
        let mut spec = serde_json::to_value(&self.server).expect("a spec is plain data");
        fill(&mut spec, &values);
        serde_json::from_value(spec).map_err(|error| {
            let mut report = Report::default();
            report.invalid(
                "template",
                format!("the filled-in template is no valid Server: {error}"),
            );
            report
        })
    }
}

/// The Secret key a parameter's value refers to, when it does.
fn secret_of(value: &Value) -> Option<SecretKeyRef> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    serde_json::from_value(members.get("secretRef")?.clone()).ok()
}

/// The references among the values given to a template, written at `path` below `spec`.
#[must_use]
pub fn references(usage: &TemplateUse, path: &str) -> Vec<Reference> {
    let given = usage.parameters.iter().flatten();
    let secrets = given.filter_map(|(name, value)| Some((name, secret_of(value)?)));
    secrets
        .map(|(name, secret)| secret.reference(&format!("{path}.parameters[{name:?}].secretRef")))
        .collect()
}

/// Puts the values into their places. `{name, value: "${secret}"}` becomes `{name, valueFrom: {secretRef}}`; an element
/// or member whose only place has no value is left out.
fn fill(value: &mut Value, values: &BTreeMap<&str, Value>) {
    match value {
        Value::String(text) => {
            if let Some(filled) = fill_text(text, values) {
                *value = filled;
            }
        }
        Value::Array(items) => {
            items.retain(|item| !is_empty_place(item, values));
            items.iter_mut().for_each(|item| fill(item, values));
        }
        Value::Object(members) => {
            let secret = members
                .get("value")
                .and_then(Value::as_str)
                .and_then(only_place)
                .and_then(|name| secret_of(values.get(name)?));
            if let Some(secret) = secret {
                members.shift_remove("value");
                members.insert("valueFrom".into(), json!({"secretRef": secret}));
            }
            members.retain(|_, member| !is_empty_place(member, values));
            members.values_mut().for_each(|member| fill(member, values));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_empty_place(value: &Value, values: &BTreeMap<&str, Value>) -> bool {
    let text = value.as_str().or_else(|| value.get("value").and_then(Value::as_str));
    text.and_then(only_place).is_some_and(|name| !values.contains_key(name))
}

/// `${name}` and nothing else.
fn only_place(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    is_parameter_name(name).then_some(name)
}

fn is_parameter_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The text with its places filled in; a place that is the whole text takes the value's own type where that is text.
fn fill_text(text: &str, values: &BTreeMap<&str, Value>) -> Option<Value> {
    if !text.contains("${") {
        return None;
    }
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Place(name) => match values.get(name) {
                Some(Value::String(value)) => out.push_str(value),
                Some(value) => out.push_str(&value.to_string()),
                None => {}
            },
        }
    }
    Some(Value::String(out))
}

enum Piece<'t> {
    Text(&'t str),
    Place(&'t str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if rest[..start].ends_with('$') {
            // `$${` is a literal `${`.
            pieces.push(Piece::Text(&rest[..start - 1]));
            pieces.push(Piece::Text("${"));
            rest = &rest[start + 2..];
            continue;
        }
        let end = rest[start + 2..].find('}').map(|end| start + 2 + end);
        match end {
            Some(end) if is_parameter_name(&rest[start + 2..end]) => {
                pieces.push(Piece::Text(&rest[..start]));
                pieces.push(Piece::Place(&rest[start + 2..end]));
                rest = &rest[end + 1..];
            }
            _ => {
                pieces.push(Piece::Text(&rest[..start + 2]));
                rest = &rest[start + 2..];
            }
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Every place in a value, with the texts they stand in.
fn places(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => {
            found.extend(pieces(text).into_iter().filter_map(|piece| match piece {
                Piece::Place(name) => Some((name.to_owned(), text.clone())),
                Piece::Text(_) => None,
            }));
        }
        Value::Array(items) => items.iter().for_each(|item| places(item, found)),
        Value::Object(members) => members.values().for_each(|member| places(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Spec for Template {
    type Status = PlainStatus;

    const META: Meta = Meta {
        singular: "template",
        plural: "templates",
        short: &["tpl"],
        scopes: &[ScopeType::Cluster],
        maker: Maker::User,
        columns: &[
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::new("PARAMETERS", Cell::Count("spec.parameters")),
            Column::new("DESCRIPTION", Cell::Field("spec.description")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[Kind::Secret],
    };

    fn validate(&self, report: &mut Report) {
        self.server.validate_below("server", report);
        if self.server.template.is_some() {
            report
                .invalid("server.template", "a template is not made from another")
                .hint("give the source itself");
        }
        let mut seen = BTreeSet::new();
        for (index, parameter) in self.parameters.iter().flatten().enumerate() {
            let at = |field: &str| format!("parameters[{index}].{field}");
            if !is_parameter_name(&parameter.name) {
                report
                    .invalid(&at("name"), format!("`{}` cannot name a parameter", parameter.name))
                    .hint("letters, digits and `_`");
            }
            if !seen.insert(parameter.name.as_str()) {
                report.invalid(
                    &at("name"),
                    format!("the parameter `{}` is declared twice", parameter.name),
                );
            }
            let wanted = parameter.value_type.unwrap_or_default();
            match &parameter.default {
                Some(_) if parameter.is_secret() => {
                    report.invalid(&at("default"), "a secret has no default in the open");
                }
                Some(value) if !wanted.admits(value) => {
                    report.invalid(&at("default"), format!("the default is not {}", wanted.as_str()));
                }
                Some(_) if parameter.required == Some(true) => {
                    report
                        .invalid(&at("default"), "a required parameter needs no default")
                        .hint("remove one of the two");
                }
                Some(_) | None => {}
            }
        }
        let mut found = Vec::new();
        places(
            &serde_json::to_value(&self.server).expect("a spec is plain data"),
            &mut found,
        );
        for (name, text) in &found {
            match self.parameter(name) {
                None => {
                    report.invalid("server", format!("the place `${{{name}}}` has no parameter"));
                    let near = near_miss(name, seen.iter().copied());
                    report.hint(match near {
                        Some(near) => format!("did you mean `${{{near}}}`?"),
                        None => "declare it under parameters; a literal `${` is written `$${`".to_owned(),
                    });
                }
                Some(parameter) if parameter.is_secret() && only_place(text).is_none() => {
                    report
                        .invalid(
                            "server",
                            format!("the secret `${{{name}}}` stands inside a longer text"),
                        )
                        .hint("let it be the whole value of an environment variable or a header");
                }
                Some(_) => {}
            }
        }
        for parameter in self.parameters.iter().flatten() {
            if is_parameter_name(&parameter.name) && !found.iter().any(|(name, _)| *name == parameter.name) {
                report.invalid(
                    "parameters",
                    format!("the parameter `{}` has no place in the server", parameter.name),
                );
            }
        }
    }

    fn references(&self) -> Vec<Reference> {
        self.server.references_below("server")
    }

    fn effective(&self) -> Self {
        let mut full = self.clone();
        for parameter in full.parameters.iter_mut().flatten() {
            parameter.value_type.get_or_insert_default();
            parameter.required.get_or_insert(false);
            parameter.secret.get_or_insert(false);
        }
        full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Template {
        serde_json::from_value(json!({
            "parameters": [
                {"name": "repository", "required": true},
                {"name": "depth", "type": "integer", "default": 3},
                {"name": "token", "secret": true},
                {"name": "mode"},
            ],
            "server": {
                "command": ["git-mcp", "--repository=${repository}", "${mode}"],
                "env": [
                    {"name": "DEPTH", "value": "${depth}"},
                    {"name": "TOKEN", "value": "${token}"},
                    {"name": "MODE", "value": "${mode}"},
                    {"name": "RAW", "value": "$${HOME}"},
                ],
            },
        }))
        .unwrap()
    }

    fn usage(parameters: &Value) -> TemplateUse {
        serde_json::from_value(json!({"name": "git", "parameters": parameters})).unwrap()
    }

    #[test]
    fn fills_in_places() {
        let usage = usage(&json!({"repository": "/srv/r", "token": {"secretRef": {"name": "gitea", "key": "t"}}}));
        let server = template().resolve(&Server::default(), &usage).unwrap();
        assert_eq!(
            serde_json::to_value(server).unwrap(),
            json!({
                "command": ["git-mcp", "--repository=/srv/r"],
                "env": [
                    {"name": "DEPTH", "value": "3"},
                    {"name": "TOKEN", "valueFrom": {"secretRef": {"name": "gitea", "key": "t"}}},
                    {"name": "RAW", "value": "${HOME}"},
                ],
            })
        );
    }

    #[test]
    fn what_the_server_says_itself_goes_first() {
        let own: Server = serde_json::from_value(json!({
            "template": {"name": "git"},
            "replicas": 2,
            "workingDirectory": "/srv",
            "env": [{"name": "RAW", "value": "mine"}, {"name": "MORE", "value": "1"}],
            "resources": {"pids": 20},
        }))
        .unwrap();
        let usage = usage(&json!({"repository": "/srv/r", "token": {"secretRef": {"name": "gitea", "key": "t"}}}));
        let server = template().resolve(&own, &usage).unwrap();
        assert_eq!(
            serde_json::to_value(server).unwrap(),
            json!({
                "command": ["git-mcp", "--repository=/srv/r"],
                "replicas": 2,
                "env": [
                    {"name": "DEPTH", "value": "3"},
                    {"name": "TOKEN", "valueFrom": {"secretRef": {"name": "gitea", "key": "t"}}},
                    {"name": "RAW", "value": "mine"},
                    {"name": "MORE", "value": "1"},
                ],
                "workingDirectory": "/srv",
                "resources": {"pids": 20},
            })
        );
    }

    #[test]
    fn what_comes_of_both_must_be_right() {
        let remote: Template =
            serde_json::from_value(json!({"server": {"remote": {"url": "https://mcp.example"}}})).unwrap();
        let own: Server = serde_json::from_value(json!({"workingDirectory": "/srv"})).unwrap();
        let problems = remote.resolve(&own, &usage(&json!({}))).unwrap_err().into_problems();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].pointer.to_string(), "spec.template");
        assert!(
            problems[0].message.contains("workingDirectory"),
            "{}",
            problems[0].message
        );
    }

    #[test]
    fn tells_what_is_missing_or_wrong() {
        for (parameters, messages) in [
            (
                json!({}),
                vec![
                    "the parameter `repository` is required",
                    "the parameter `token` is required",
                ],
            ),
            (
                json!({"repository": 3, "token": "x", "repositroy": "y"}),
                vec![
                    "`repository` is a string",
                    "the template has no parameter `repositroy`",
                    "`token` is a secret and is not given in the open",
                ],
            ),
        ] {
            let problems = template()
                .resolve(&Server::default(), &usage(&parameters))
                .unwrap_err()
                .into_problems();
            let found: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
            assert_eq!(found, messages);
        }
    }
}
