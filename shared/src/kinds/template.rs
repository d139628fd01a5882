//! Template: a Server spec with places to fill in, for catalogues.

mod parameter;
mod places;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use parameter::is_name;
pub use parameter::{Parameter, ParameterType};
pub use places::literal;
use places::{Place, fill, places};

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
    /// The Server spec. `${name}` stands for a parameter's value; what holds one that is not given is left out. `$${`
    /// stands for a literal `${`.
    pub server: Box<Server>,
}

impl Template {
    /// The parameter of that name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .flatten()
            .find(|parameter| parameter.name == name)
    }

    /// What to give instead of a name that is no parameter's.
    fn instead_of(&self, name: &str) -> String {
        let names: Vec<&str> = self.parameters.iter().flatten().map(|one| one.name.as_str()).collect();
        match near_miss(name, names.iter().copied()) {
            _ if names.is_empty() => "it has none".to_owned(),
            Some(near) => format!("did you mean `{near}`? it has {}", names.join(", ")),
            None => format!("it has {}", names.join(", ")),
        }
    }

    /// What a Server that is made from this template amounts to: its parameters filled in, and whatever it says itself
    /// standing before what the template says.
    ///
    /// # Errors
    /// What is wrong with the values, and with what comes of it all; paths are below the Server's own spec
    /// (`template.parameters.x`).
    pub fn resolve(&self, own: &Server, usage: &TemplateUse) -> Result<Server, Report> {
        let Some(server) = own.clone().before(self.fill_in(usage)?) else {
            let mut report = Report::default();
            report
                .invalid(
                    "tools.allow",
                    "what it has in common with what the template allows takes too many patterns",
                )
                .hint("name the tools, or give simpler patterns");
            return Err(report);
        };
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
                report
                    .invalid(&at, format!("the template has no parameter `{name}`"))
                    .hint(self.instead_of(name));
                continue;
            };
            if parameter.is_secret() {
                if secret_of(value).is_none() {
                    report
                        .invalid(&at, format!("`{name}` is a secret and is not given in the open"))
                        .hint("give {secretRef: {name: <secret>, key: <key>}}");
                }
            } else if let Some(objection) = parameter.objection(value) {
                report.invalid(&at, format!("`{name}` {objection}"));
            }
        }
        for parameter in self.parameters.iter().flatten() {
            match given.get(&parameter.name).or(parameter.default.as_ref()) {
                Some(value) => {
                    values.insert(&parameter.name, value.clone());
                }
                None if parameter.is_required() => {
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
            if !is_name(&parameter.name) {
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
            match &parameter.default {
                Some(_) if parameter.is_secret() => {
                    report.invalid(&at("default"), "a secret has no default in the open");
                }
                Some(value) if parameter.objection(value).is_some() => {
                    let objection = parameter.objection(value).unwrap_or_default();
                    report.invalid(
                        &at("default"),
                        format!("the default is none: `{}` {objection}", parameter.name),
                    );
                }
                Some(_) if parameter.required == Some(true) => {
                    report
                        .invalid(&at("default"), "a required parameter needs no default")
                        .hint("remove one of the two");
                }
                Some(_) | None => {}
            }
            match &parameter.choices {
                Some(_) if parameter.is_secret() => {
                    report.invalid(&at("choices"), "a secret is not chosen from a list");
                }
                Some(choices) if choices.is_empty() => {
                    report.invalid(&at("choices"), "there is nothing to choose from");
                }
                Some(_) | None => {}
            }
        }
        let mut found = Vec::new();
        places(
            &serde_json::to_value(&self.server).expect("a spec is plain data"),
            &mut found,
        );
        for Place { name, is_value } in &found {
            match self.parameter(name) {
                None => {
                    report.invalid("server", format!("the place `${{{name}}}` has no parameter"));
                    let near = near_miss(name, seen.iter().copied());
                    report.hint(match near {
                        Some(near) => format!("did you mean `${{{near}}}`?"),
                        None => "declare it under parameters; a literal `${` is written `$${`".to_owned(),
                    });
                }
                Some(parameter) if parameter.is_secret() && !is_value => {
                    report
                        .invalid("server", format!("the secret `${{{name}}}` stands where others see it"))
                        .hint("let it be the whole value of an environment variable or a header");
                }
                Some(_) => {}
            }
        }
        for parameter in self.parameters.iter().flatten() {
            if is_name(&parameter.name) && !found.iter().any(|place| place.name == parameter.name) {
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
            let is_secret = *parameter.secret.get_or_insert(false);
            parameter.required.get_or_insert(is_secret);
        }
        full
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template() -> Template {
        serde_json::from_value(json!({
            "parameters": [
                {"name": "repository", "required": true},
                {"name": "depth", "type": "integer", "default": 3},
                {"name": "token", "secret": true},
                {"name": "more", "secret": true, "required": false},
                {"name": "mode"},
            ],
            "server": {
                "command": ["git-mcp", "--repository=${repository}", "${mode}", "--mode=${mode}"],
                "env": [
                    {"name": "DEPTH", "value": "${depth}"},
                    {"name": "TOKEN", "value": "${token}"},
                    {"name": "MORE", "value": "${more}"},
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
    fn of_tools_both_have_their_say() {
        for (template, own, both) in [
            (
                json!({"allow": ["read"], "prefix": "t", "describe": false}),
                json!({"deny": ["env"], "prefix": "o"}),
                json!({"allow": ["read"], "deny": ["env"], "prefix": "o", "describe": false}),
            ),
            (
                json!({"deny": ["a", "b"]}),
                json!({"deny": ["b", "c"]}),
                json!({"deny": ["b", "c", "a"]}),
            ),
            (
                json!({"allow": ["read_*", "stat"]}),
                json!({"allow": ["*_file", "write"]}),
                json!({"allow": ["read_*_file", "read_file"]}),
            ),
            (json!({"allow": ["a"]}), json!({"allow": ["b"]}), json!({"allow": []})),
        ] {
            let template: Template =
                serde_json::from_value(json!({"server": {"command": ["x"], "tools": template}})).unwrap();
            let own: Server = serde_json::from_value(json!({"tools": own})).unwrap();
            let server = template.resolve(&own, &usage(&json!({}))).unwrap();
            let mut tools = serde_json::to_value(&server.tools).unwrap();
            if let Some(allow) = tools.get_mut("allow").and_then(|allow| allow.as_array_mut()) {
                allow.sort_by_key(ToString::to_string);
            }
            assert_eq!(tools, both);
        }
        let many = "*?".repeat(40);
        let template: Template = serde_json::from_value(
            json!({"server": {"command": ["x"], "tools": {"allow": [format!("{many}a*b*c*d*e*f*g")]}}}),
        )
        .unwrap();
        let own: Server = serde_json::from_value(json!({"tools": {"allow": ["*1*2*3*4*5*6*7*8*"]}})).unwrap();
        let problems = template.resolve(&own, &usage(&json!({}))).unwrap_err().into_problems();
        assert_eq!(problems[0].pointer.to_string(), "spec.tools.allow");
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
    fn templates_that_cannot_be_used_are_refused() {
        let server = json!({"command": ["x", "${a}"], "env": [{"name": "A", "value": "${a}"}]});
        let only_env = json!({"command": ["x"], "env": [{"name": "A", "value": "${a}"}]});
        let longer = json!({"command": ["x"], "env": [{"name": "A", "value": "Bearer ${a}"}]});
        for (parameter, server, message) in [
            (json!({"name": "a"}), &server, None),
            (json!({"name": "a", "secret": true}), &only_env, None),
            (json!({"name": "a", "type": "number", "default": 0.5}), &server, None),
            (
                json!({"name": "a", "choices": ["x", "y"], "default": "y"}),
                &server,
                None,
            ),
            (
                json!({"name": "a", "secret": true}),
                &server,
                Some("where others see it"),
            ),
            (
                json!({"name": "a", "secret": true}),
                &longer,
                Some("where others see it"),
            ),
            (
                json!({"name": "a", "type": "integer", "default": 0.5}),
                &server,
                Some("is a whole number"),
            ),
            (
                json!({"name": "a", "choices": ["x"], "default": "y"}),
                &server,
                Some("is one of x"),
            ),
            (
                json!({"name": "a", "choices": []}),
                &server,
                Some("nothing to choose from"),
            ),
            (
                json!({"name": "a", "secret": true, "choices": ["x"]}),
                &only_env,
                Some("not chosen from a list"),
            ),
            (
                json!({"name": "a", "secret": true, "default": "x"}),
                &only_env,
                Some("no default in the open"),
            ),
            (
                json!({"name": "a", "required": true, "default": "x"}),
                &server,
                Some("needs no default"),
            ),
            (json!({"name": "a-b"}), &only_env, Some("cannot name a parameter")),
            (json!({"name": "b"}), &only_env, Some("has no parameter")),
        ] {
            let spec = json!({"parameters": [parameter], "server": server});
            let problems = Kind::Template.definition().parse(&spec).err().unwrap_or_default();
            let found = problems.first().map(|problem| problem.message.as_str());
            match message {
                None => assert_eq!(found, None, "{spec}"),
                Some(message) => assert!(found.is_some_and(|found| found.contains(message)), "{spec}: {found:?}"),
            }
        }
    }

    #[test]
    fn typed_texts_are_read_by_their_type() {
        let template = template();
        for (name, text, value) in [
            ("repository", "3", json!("3")),
            ("depth", "3", json!(3)),
            ("depth", "deep", json!("deep")),
        ] {
            assert_eq!(template.parameter(name).unwrap().read(text), value);
        }
        assert_eq!(
            template.instead_of("repositroy"),
            "did you mean `repository`? it has repository, depth, token, more, mode"
        );
        assert_eq!(Template::default().instead_of("x"), "it has none");
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
