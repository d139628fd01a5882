//! Which tools of a Server clients see, and under what names.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Server;
use crate::kind::Report;
use crate::name::Name;
use crate::tools::{Filter, Pattern, PatternError, in_common};

/// Which tools clients may see and call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Tools {
    /// Patterns of tools to offer; absent offers all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
    /// Patterns of tools never to offer; stronger than `allow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny: Option<Vec<String>>,
    /// What stands before the `__` in the names clients see. Default: the server's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Name>,
    /// Whether descriptions seen through a project say which server a tool belongs to. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub describe: Option<bool>,
}

/// How much clients may ask of a server, all together. What goes over a limit is refused, with the time to wait.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Limits {
    /// Requests in a minute; they may come all at once. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Requests under way at the same time. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub concurrent: Option<NonZeroU32>,
}

impl Tools {
    /// What this and that say together: what both offer, and whatever either keeps out is out. Prefix and descriptions as
    /// this has them. Nothing when what both offer cannot be written down.
    pub(super) fn before(self, base: Self) -> Option<Self> {
        let read = |texts: &[String]| {
            texts
                .iter()
                .map(|text| text.parse())
                .collect::<Result<Vec<Pattern>, _>>()
        };
        let allow = match (self.allow, base.allow) {
            (Some(own), Some(base)) => Some(match (read(&own), read(&base)) {
                (Ok(own), Ok(base)) => in_common(&own, &base)?,
                // What is no pattern is found where the whole is checked.
                _ => own.into_iter().chain(base).collect(),
            }),
            (own, base) => own.or(base),
        };
        let deny = match (self.deny, base.deny) {
            (Some(mut own), Some(base)) => {
                let more = base.into_iter().filter(|pattern| !own.contains(pattern));
                let more: Vec<String> = more.collect();
                own.extend(more);
                Some(own)
            }
            (own, base) => own.or(base),
        };
        Some(Self {
            allow,
            deny,
            prefix: self.prefix.or(base.prefix),
            describe: self.describe.or(base.describe),
        })
    }

    pub(super) fn validate(&self, at: &str, report: &mut Report) {
        for (field, patterns) in [("allow", &self.allow), ("deny", &self.deny)] {
            for (index, pattern) in patterns.iter().flatten().enumerate() {
                if let Err(error) = pattern.parse::<Pattern>() {
                    report
                        .invalid(&format!("{at}.{field}[{index}]"), error.to_string())
                        .hint(error.hint());
                }
            }
        }
        if self
            .prefix
            .as_ref()
            .is_some_and(|prefix| prefix.as_str().contains("__"))
        {
            report.invalid(&format!("{at}.prefix"), "a prefix holds no `__`");
        }
    }
}

impl Server {
    /// Which tools are offered.
    ///
    /// # Errors
    /// When a list holds a text that is no pattern. Admission refuses those; a spec that was stored before it did must offer
    /// nothing.
    pub fn tool_filter(&self) -> Result<Filter, PatternError> {
        let tools = self.tools.as_ref();
        Filter::parse(
            tools.and_then(|tools| tools.allow.as_deref()),
            tools.and_then(|tools| tools.deny.as_deref()),
        )
    }

    /// What stands before the `__` in the names clients see, when this server is called so.
    #[must_use]
    pub fn tool_prefix<'s>(&'s self, name: &'s Name) -> &'s Name {
        self.tools
            .as_ref()
            .and_then(|tools| tools.prefix.as_ref())
            .unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kinds::Kind;

    #[test]
    fn patterns_are_checked() {
        for (tools, problem) in [
            (json!({"allow": ["read_*", "v[12]"], "deny": []}), None),
            (
                json!({"allow": ["ok", "read_["]}),
                Some(("spec.tools.allow[1]", "the `[` at character 6 is not closed")),
            ),
            (
                json!({"deny": [""]}),
                Some(("spec.tools.deny[0]", "the pattern is empty")),
            ),
        ] {
            let parsed = Kind::Server
                .definition()
                .parse(&json!({"command": ["x"], "tools": tools}));
            let found: Vec<_> = parsed
                .err()
                .into_iter()
                .flatten()
                .map(|problem| (problem.pointer.to_string(), problem.message))
                .collect();
            let wanted: Vec<_> = problem
                .into_iter()
                .map(|(at, message)| (at.to_owned(), message.to_owned()))
                .collect();
            assert_eq!(found, wanted);
        }
    }
}
