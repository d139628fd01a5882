//! Values given in the open or taken from a Secret: environment variables, headers, keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::{Kind, Reference, Report};
use crate::name::Name;

/// One key of a Secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// The Secret's name.
    pub name: Name,
    /// The key in its `spec.data`.
    pub key: String,
}

impl SecretKeyRef {
    /// The reference this is, written at `path` below `spec`.
    #[must_use]
    pub fn reference(&self, path: &str) -> Reference {
        Reference::to(Kind::Secret, &self.name, path).key(&self.key)
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ValueFrom {
    /// A key of a Secret, opened only at the moment of use.
    pub secret_ref: SecretKeyRef,
}

/// A name with a value, or with the place its value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NamedValue {
    /// The variable's or header's name.
    pub name: String,
    /// The value, in the open. Exactly one of `value` and `valueFrom` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The place the value comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ValueFrom>,
}

/// What a list of [`NamedValue`]s is for; decides which names are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Environment variables: no `=`, no NUL, not empty, each name once.
    Environment,
    /// HTTP headers: RFC 9110 tokens, each name once whatever its case.
    Headers,
}

/// Headers that are about one connection or the body of one request (RFC 9110, RFC 9112).
const OF_THE_CONNECTION: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Checks a list of values written at `path` below `spec`.
pub fn validate(values: &[NamedValue], path: &str, purpose: Purpose, report: &mut Report) {
    let mut seen = std::collections::BTreeMap::new();
    for (index, entry) in values.iter().enumerate() {
        let at = format!("{path}[{index}]");
        match purpose {
            Purpose::Environment => {
                if entry.name.is_empty() || entry.name.contains(['=', '\0']) {
                    report
                        .invalid(
                            &format!("{at}.name"),
                            format!("`{}` cannot name an environment variable", entry.name),
                        )
                        .hint("a name is not empty and holds no `=`");
                } else if entry.name.starts_with("ORCHD_") {
                    report
                        .invalid(
                            &format!("{at}.name"),
                            "names that start with ORCHD_ are the daemon's own",
                        )
                        .hint("choose another prefix");
                }
            }
            Purpose::Headers => {
                let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
                if entry.name.is_empty() || !entry.name.chars().all(token) {
                    report.invalid(
                        &format!("{at}.name"),
                        format!("`{}` is not an HTTP header name", entry.name),
                    );
                } else if OF_THE_CONNECTION
                    .iter()
                    .any(|name| entry.name.eq_ignore_ascii_case(name))
                {
                    report
                        .invalid(
                            &format!("{at}.name"),
                            format!(
                                "`{}` says how a request is sent, which each request says for itself",
                                entry.name
                            ),
                        )
                        .hint("leave it out");
                }
            }
        }
        let folded = match purpose {
            Purpose::Environment => entry.name.clone(),
            Purpose::Headers => entry.name.to_lowercase(),
        };
        if let Some(first) = seen.insert(folded, index) {
            report
                .invalid(
                    &format!("{at}.name"),
                    format!("`{}` is already given at {path}[{first}]", entry.name),
                )
                .hint("keep one of the two");
        }
        match (&entry.value, &entry.value_from) {
            (Some(_), None) | (None, Some(_)) => {}
            (None, None) => {
                report
                    .missing(&at, format!("`{}` has neither `value` nor `valueFrom`", entry.name))
                    .hint("an empty value is written `value: \"\"`");
            }
            (Some(_), Some(_)) => {
                report
                    .invalid(&at, format!("`{}` has both `value` and `valueFrom`", entry.name))
                    .hint("keep one of the two");
            }
        }
        if entry.value.as_deref().is_some_and(|value| value.contains('\0')) {
            report.invalid(&format!("{at}.value"), "the value holds a NUL character");
        }
        if purpose == Purpose::Headers && entry.value.as_deref().is_some_and(|value| value.contains(['\r', '\n'])) {
            report.invalid(&format!("{at}.value"), "the value holds a line break");
        }
    }
}

/// The references in a list of values written at `path` below `spec`.
pub fn references(values: &[NamedValue], path: &str) -> Vec<Reference> {
    let from = values
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| Some((index, entry.value_from.as_ref()?)));
    from.map(|(index, from)| {
        from.secret_ref
            .reference(&format!("{path}[{index}].valueFrom.secretRef"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_headers_are_checked() {
        for (name, is_right) in [
            ("X-Api-Key", true),
            ("Host", true),
            ("", false),
            ("a b", false),
            ("Content-Length", false),
            ("transfer-encoding", false),
        ] {
            let value = NamedValue {
                name: name.to_owned(),
                value: Some("x".to_owned()),
                value_from: None,
            };
            let mut report = Report::default();
            validate(&[value], "remote.headers", Purpose::Headers, &mut report);
            let problems = report.into_problems();
            assert_eq!(problems.is_empty(), is_right, "{name}: {problems:?}");
        }
    }
}
