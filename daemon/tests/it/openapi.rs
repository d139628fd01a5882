//! `docs/openapi.json`: fresh, complete, and sound in itself.

use std::fs;

use orch_daemon::api::openapi;
use orch_shared::kind::{Kind, Maker, ScopeType};
use serde_json::Value;

use crate::house::source::root;

/// Writes itself; with `CI` set it is compared instead.
#[test]
fn the_checked_in_description_is_fresh() {
    let path = root().join("docs/openapi.json");
    let fresh = format!("{:#}\n", openapi::document());
    if fs::read_to_string(&path).unwrap_or_default() == fresh {
        return;
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "docs/openapi.json is stale; write it anew: cargo test -p orch-daemon --test it openapi"
    );
    fs::write(&path, fresh).unwrap();
}

#[test]
fn every_kind_and_action_is_described() {
    let document = openapi::document();
    let has = |path: &str, method: &str| document["paths"][path][method].is_object();
    for kind in Kind::ALL {
        let meta = kind.meta();
        for scope in meta.scopes {
            let home = match scope {
                ScopeType::Cluster => "/api/v1",
                ScopeType::Project => "/api/v1/projects/{project}",
                ScopeType::Agent => "/api/v1/agents/{agent}",
            };
            let many = format!("{home}/{}", meta.plural);
            let one = format!("{many}/{{name}}");
            for (path, method) in [(&many, "get"), (&one, "get"), (&one, "head"), (&one, "delete")] {
                assert!(has(path, method), "{method} {path}");
            }
            for (path, method) in [(&many, "post"), (&one, "put"), (&one, "patch")] {
                assert_eq!(has(path, method), meta.maker == Maker::User, "{method} {path}");
            }
            for action in meta.actions {
                let path = format!("{one}/{}", action.as_str());
                assert!(has(&path, "post"), "post {path}");
            }
        }
    }
    for (path, method) in [
        ("/api/v1/apply", "post"),
        ("/api/v1/seal", "post"),
        ("/api/v1/events", "get"),
        ("/readyz", "get"),
    ] {
        assert!(has(path, method), "{method} {path}");
    }
}

#[test]
fn every_reference_resolves() {
    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = openapi::document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "{} references", found.len());
    for reference in found {
        let target = reference
            .strip_prefix('#')
            .and_then(|pointer| document.pointer(pointer));
        assert!(target.is_some(), "{reference} points nowhere");
    }
}

/// Placeholders of a path and its declared parameters are the same.
#[test]
fn every_placeholder_is_a_parameter() {
    let document = openapi::document();
    let mut placeholders = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let expected: Vec<_> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        placeholders += expected.len();
        assert_eq!(methods.get("head").is_some(), methods.get("get").is_some(), "{path}");
        for (method, operation) in methods.as_object().unwrap() {
            let declared = operation["parameters"].as_array().unwrap().iter();
            let declared: Vec<_> = declared
                .filter(|one| one["in"] == "path")
                .map(|one| one["name"].as_str().unwrap())
                .collect();
            assert_eq!(declared, expected, "{method} {path}");
            assert!(
                operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()),
                "{method} {path} has no summary"
            );
        }
    }
    assert!(placeholders > 20, "{placeholders}");
}
