//! Rights from flags: `--role view --resource servers`, or a whole grant in one word,
//! `--bind role:view,resource:servers,name:files`.
//!
//! Enters: texts. Leaves: members of the spec, in the form in which a manifest would say them.

use orch_shared::access::{Operation, Role};
use orch_shared::kind::Kind;
use orch_shared::path::FieldPath;
use orch_shared::problem::near_miss;
use orch_shared::quantity::Span;
use orch_shared::resource::Timestamp;
use serde_json::{Value, json};

use super::values;
use crate::report::Failure;

/// What stands for every kind.
const ALL_KINDS: &str = "*";
/// What a `--bind` may say.
const PARTS: [&str; 7] = ["role", "resource", "name", "selector", "project", "tool", "operation"];

/// Adds a role to the grant that single flags make.
pub(super) fn role(spec: &mut Value, text: &str) -> Result<(), String> {
    flag(spec, "roles", role_word(text)?)
}

/// Adds a kind to the grant that single flags make.
pub(super) fn resource(spec: &mut Value, text: &str) -> Result<(), String> {
    flag(spec, "resources", resource_word(text)?)
}

/// Adds a name to the grant that single flags make.
pub(super) fn name(spec: &mut Value, text: &str) -> Result<(), String> {
    flag(spec, "names", text.to_owned())
}

/// Adds a pattern of tools to the grant that single flags make.
pub(super) fn tool(spec: &mut Value, text: &str) -> Result<(), String> {
    flag(spec, "tools", text.to_owned())
}

/// Narrows the grant that single flags make to objects with these labels.
pub(super) fn selector(spec: &mut Value, text: &str) -> Result<(), String> {
    values::put(spec, &FieldPath::parse("grants[0].selector"), text.into())
}

/// Narrows the grant that single flags make to a project.
pub(super) fn project(spec: &mut Value, text: &str) -> Result<(), String> {
    values::put(spec, &FieldPath::parse("grants[0].project"), text.into())
}

fn flag(spec: &mut Value, field: &str, word: String) -> Result<(), String> {
    values::append(spec, &FieldPath::parse("grants[0]").key(field), word.into())
}

/// Adds an operation.
pub(super) fn operation(spec: &mut Value, text: &str) -> Result<(), String> {
    let word = text
        .parse::<Operation>()
        .map_err(|error| format!("{error}; {}", error.hint))?;
    values::append(spec, &FieldPath::parse("operations"), word.as_str().into())
}

/// Adds somebody who is granted the rights; a token that lives in a project is `PROJECT/NAME`.
pub(super) fn subject(kind: &str, spec: &mut Value, text: &str) -> Result<(), String> {
    let subject = match text.split_once('/') {
        Some((project, name)) => json!({"kind": kind, "name": name, "project": project}),
        None => json!({"kind": kind, "name": text}),
    };
    values::append(spec, &FieldPath::parse("subjects"), subject)
}

/// `role:view,resource:servers[,name:x][,project:p][,selector:team=core][,tool:read_*]`, or `operation:logs`. What has no
/// word before it goes on with the one before: `role:view,run`.
pub(super) fn bind(spec: &mut Value, text: &str) -> Result<(), String> {
    let mut grant = json!({});
    let mut part = "";
    for piece in text.split(',') {
        let (word, value) = match piece.split_once(':') {
            Some((word, value)) => (word, value),
            None if part.is_empty() => return Err(format!("`{piece}` does not say what it is; such as role:{piece}")),
            None => (part, piece),
        };
        // In the plural, as manifests have it, it means the same.
        let known = PARTS
            .into_iter()
            .find(|known| word == *known || word.strip_suffix('s') == Some(known));
        part = known.ok_or_else(|| unknown_part(word))?;
        if value.is_empty() {
            return Err(format!("`{word}:` says nothing"));
        }
        let list = |grant: &mut Value, field: &str, word: String| {
            values::append(grant, &FieldPath::root().key(field), word.into())
        };
        match part {
            "role" => list(&mut grant, "roles", role_word(value)?)?,
            "resource" => list(&mut grant, "resources", resource_word(value)?)?,
            "name" => list(&mut grant, "names", value.to_owned())?,
            "tool" => list(&mut grant, "tools", value.to_owned())?,
            "selector" => {
                let so_far = grant.get("selector").and_then(Value::as_str);
                let all = so_far.map_or_else(|| value.to_owned(), |so_far| format!("{so_far},{value}"));
                grant["selector"] = all.into();
            }
            "project" if grant.get("project").is_some() => {
                return Err("a grant is about one project; give each a --bind of its own".to_owned());
            }
            "project" => grant["project"] = value.into(),
            _ => operation(spec, value)?,
        }
    }
    match grant.as_object().is_some_and(serde_json::Map::is_empty) {
        true => Ok(()),
        false => values::append(spec, &FieldPath::parse("grants"), grant),
    }
}

fn unknown_part(word: &str) -> String {
    match near_miss(word, PARTS) {
        Some(near) => format!("there is no `{word}:`; did you mean `{near}:`?"),
        None => format!("there is no `{word}:`; there are {}", PARTS.join(", ")),
    }
}

fn role_word(text: &str) -> Result<String, String> {
    let role = text
        .parse::<Role>()
        .map_err(|error| format!("{error}; {}", error.hint))?;
    Ok(role.as_str().to_owned())
}

/// Any noun of a kind means its plural.
fn resource_word(text: &str) -> Result<String, String> {
    if text == ALL_KINDS || text == "all" {
        return Ok(ALL_KINDS.to_owned());
    }
    match Kind::from_noun(text) {
        Some(kind) => Ok(kind.meta().plural.to_owned()),
        None => Err(match Kind::near_noun(text) {
            Some(near) => format!("there is no kind `{text}`; did you mean `{near}`?"),
            None => format!("there is no kind `{text}`; `*` stands for all of them"),
        }),
    }
}

/// `30d`, `never`, or a day or an instant at which it ends. A day ends it as it begins, in UTC.
pub(super) fn ttl(spec: &mut Value, text: &str) -> Result<(), String> {
    if text == "never" {
        return Ok(());
    }
    match text.parse::<Span>() {
        Ok(_) => values::put(spec, &FieldPath::parse("ttl"), text.into()),
        Err(_) => {
            let end = instant(text).ok_or_else(|| format!("`{text}` is no time to live: 30d, never or 2027-01-31"))?;
            values::put(spec, &FieldPath::parse("expiresAt"), end.to_string().into())
        }
    }
}

/// `web`, or `web=2027-01-31`: a project that a token is confined to, and until when.
pub(super) fn project_scope(spec: &mut Value, text: &str) -> Result<(), String> {
    let scope = match text.split_once('=') {
        None => json!({"name": text}),
        Some((name, end)) => {
            let end = instant(end).ok_or_else(|| format!("`{end}` is no day, such as 2027-01-31"))?;
            json!({"name": name, "expiresAt": end})
        }
    };
    values::append(spec, &FieldPath::parse("projects"), scope)
}

/// Refuses a binding that would grant nothing. A manifest may say so, for rights that are taken away for a while; whoever
/// types it has forgotten something.
pub(super) fn refuse_nothing(kind: Kind, spec: &Value) -> Result<(), Failure> {
    let is_empty = |field: &str| spec.get(field).and_then(Value::as_array).is_none_or(Vec::is_empty);
    if kind != Kind::RoleBinding || !is_empty("grants") || !is_empty("operations") {
        return Ok(());
    }
    Err(Failure::usage("the binding would grant nothing")
        .hint("say what: --role ROLE --resource KIND, or --operation OPERATION"))
}

/// A day, at its beginning, or an instant.
fn instant(text: &str) -> Option<Timestamp> {
    let of_day = || format!("{text}T00:00:00Z").parse().ok();
    text.parse().ok().or_else(of_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_one_word() {
        for (text, expected) in [
            (
                "role:view,resource:servers",
                Ok(json!({"grants": [{"roles": ["view"], "resources": ["servers"]}]})),
            ),
            (
                "role:view,run,resource:srv,name:files,name:git,project:web,tools:read_*",
                Ok(
                    json!({"grants": [{"roles": ["view", "run"], "resources": ["servers"], "names": ["files", "git"],
                          "project": "web", "tools": ["read_*"]}]}),
                ),
            ),
            (
                "roles:edit,resources:*,selector:team=core,tier!=test",
                Ok(json!({"grants": [{"roles": ["edit"], "resources": ["*"], "selector": "team=core,tier!=test"}]})),
            ),
            ("operation:logs", Ok(json!({"operations": ["logs"]}))),
            ("role:veiw", Err("there is no role `veiw`; did you mean `view`?")),
            ("rule:view", Err("there is no `rule:`; did you mean `role:`?")),
            ("view", Err("`view` does not say what it is; such as role:view")),
            ("role:", Err("`role:` says nothing")),
            (
                "role:view,resource:serverz",
                Err("there is no kind `serverz`; did you mean `servers`?"),
            ),
        ] {
            let mut spec = json!({});
            let made = bind(&mut spec, text).map(|()| spec);
            assert_eq!(made, expected.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_binding_that_grants_nothing_is_not_made() {
        let subjects = json!({"subjects": [{"kind": "User", "name": "ann"}]});
        for (kind, more, refused) in [
            (Kind::RoleBinding, json!({}), true),
            (Kind::RoleBinding, json!({"grants": [], "operations": []}), true),
            (Kind::RoleBinding, json!({"grants": [{"roles": ["view"]}]}), false),
            (Kind::RoleBinding, json!({"operations": ["logs"]}), false),
            (Kind::Token, json!({}), false),
        ] {
            let mut spec = subjects.clone();
            let more = more.as_object().unwrap().clone();
            spec.as_object_mut().unwrap().extend(more);
            assert_eq!(refuse_nothing(kind, &spec).is_err(), refused, "{kind} {spec}");
        }
    }

    #[test]
    fn how_long_a_token_lives_is_said_in_three_ways() {
        for (text, expected) in [
            ("30d", Some(json!({"ttl": "30d"}))),
            ("never", Some(json!({}))),
            ("2027-01-31", Some(json!({"expiresAt": "2027-01-31T00:00:00.000Z"}))),
            (
                "2027-01-31T12:00:00Z",
                Some(json!({"expiresAt": "2027-01-31T12:00:00.000Z"})),
            ),
            ("soon", None),
        ] {
            let mut spec = json!({});
            assert_eq!(ttl(&mut spec, text).ok().map(|()| spec), expected, "{text}");
        }
        let mut spec = json!({});
        project_scope(&mut spec, "web").unwrap();
        project_scope(&mut spec, "ops=2027-01-31").unwrap();
        let scopes = json!([{"name": "web"}, {"name": "ops", "expiresAt": "2027-01-31T00:00:00.000Z"}]);
        assert_eq!(spec["projects"], scopes);
    }
}
