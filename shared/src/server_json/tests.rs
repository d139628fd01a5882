//! Documents as publishers write them, and what becomes of each.

use serde_json::{Value, json};

use super::*;

/// The Template's spec and the notes, or where the problems are and what they say.
type Expected<'e> = Result<(Value, &'e [&'e str]), &'e [(&'e str, &'e str)]>;

/// What a document becomes.
fn check(document: &Value, choice: Option<&str>, expected: Expected<'_>) {
    let choice: Option<Choice> = choice.map(|text| text.parse().unwrap());
    match (import(document, choice.as_ref()), expected) {
        (Ok(import), Ok((spec, notes))) => {
            assert_eq!(serde_json::to_value(&import.template).unwrap(), spec);
            assert_eq!(import.notes, notes);
        }
        (Err(problems), Err(expected)) => {
            let found: Vec<(String, String)> = problems
                .iter()
                .map(|problem| (problem.pointer.to_string(), problem.message.clone()))
                .collect();
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for ((path, message), (at, said)) in found.iter().zip(expected) {
                assert!(path == at && message.contains(said), "{path}: {message}");
            }
            // The Template's own rules speak for themselves.
            let own = |problem: &&FieldProblem| !problem.pointer.to_string().starts_with("spec");
            assert!(problems.iter().filter(own).all(|problem| problem.hint.is_some()));
        }
        (found, expected) => panic!("{found:?}\nis not\n{expected:?}"),
    }
}

/// A document with one package.
fn package(fields: Value) -> Value {
    let mut package = json!({"registryType": "npm", "identifier": "@acme/mcp", "version": "1.2.0",
                             "transport": {"type": "stdio"}});
    package
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    json!({"name": "com.acme/mcp", "description": "Acme", "version": "1.2.0", "packages": [package]})
}

/// A document with one remote.
fn remote(fields: Value) -> Value {
    let mut remote = json!({"type": "streamable-http", "url": "https://mcp.acme.example/mcp"});
    remote
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    json!({"name": "com.acme/mcp", "title": "Acme", "version": "1.2.0", "remotes": [remote]})
}

#[test]
fn a_package_with_variables() {
    let document = json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": "io.github.acme/weather", "title": "Weather", "description": "Weather and forecasts", "version": "2.0.1",
        "repository": {"url": "https://git.example/acme/weather", "source": "github"},
        "packages": [{
            "registryType": "npm", "registryBaseUrl": "https://registry.npmjs.org", "identifier": "@acme/weather-mcp",
            "version": "2.0.1", "runtimeHint": "npx", "transport": {"type": "stdio"},
            "runtimeArguments": [{"type": "named", "name": "-y"}],
            "packageArguments": [
                {"type": "positional", "value": "serve"},
                {"type": "named", "name": "--units", "description": "Units", "choices": ["metric", "imperial"],
                 "default": "metric"},
                {"type": "named", "name": "--cache-ttl", "description": "Seconds", "format": "number"},
                {"type": "named", "name": "--quiet"},
            ],
            "environmentVariables": [
                {"name": "WEATHER_API_KEY", "description": "A key.", "isRequired": true, "isSecret": true,
                 "placeholder": "wk_..."},
                {"name": "WEATHER_PROXY_PASSWORD", "isSecret": true},
                {"name": "WEATHER_HOST", "isRequired": true},
                {"name": "WEATHER_LOG", "default": ""},
                {"name": "WEATHER_TELEMETRY", "value": "off ${HOME} {x}"},
                {"name": "WEATHER_DEBUG", "format": "boolean", "default": "false", "isRequired": true},
            ],
        }],
        "_meta": {},
    });
    let expected = json!({
        "description": "Weather and forecasts",
        "parameters": [
            {"name": "WEATHER_API_KEY", "description": "A key; such as wk_...", "secret": true},
            {"name": "WEATHER_PROXY_PASSWORD", "required": false, "secret": true},
            {"name": "WEATHER_HOST", "required": true},
            {"name": "WEATHER_LOG"},
            {"name": "WEATHER_DEBUG", "type": "boolean", "default": false},
            {"name": "units", "description": "Units", "default": "metric", "choices": ["metric", "imperial"]},
            {"name": "cache_ttl", "description": "Seconds", "type": "number"},
        ],
        "server": {
            "package": {
                "registry": "npm", "name": "@acme/weather-mcp", "version": "2.0.1",
                "args": ["serve", "--units=${units}", "--cache-ttl=${cache_ttl}", "--quiet"],
            },
            "env": [
                {"name": "WEATHER_API_KEY", "value": "${WEATHER_API_KEY}"},
                {"name": "WEATHER_PROXY_PASSWORD", "value": "${WEATHER_PROXY_PASSWORD}"},
                {"name": "WEATHER_HOST", "value": "${WEATHER_HOST}"},
                {"name": "WEATHER_LOG", "value": "${WEATHER_LOG}"},
                {"name": "WEATHER_TELEMETRY", "value": "off $${HOME} {x}"},
                {"name": "WEATHER_DEBUG", "value": "${WEATHER_DEBUG}"},
            ],
        },
    });
    check(&document, None, Ok((expected.clone(), &[])));
    // As the registry's API answers.
    check(
        &json!({"server": document, "_meta": {}}),
        Some("npm"),
        Ok((expected, &[])),
    );
}

#[test]
fn packages_in_short() {
    let server = |document: &Value| {
        let import = import(document, None).unwrap();
        (serde_json::to_value(&import.template.server).unwrap(), import.notes)
    };
    for (fields, expected, notes) in [
        (
            json!({"registryType": "pypi", "identifier": "acme-mcp", "version": "latest", "fileSha256": "00"}),
            json!({"package": {"registry": "pypi", "name": "acme-mcp"}}),
            1,
        ),
        (
            json!({"packageArguments": [
                {"type": "positional", "valueHint": "directory", "isRequired": true, "isRepeated": true},
                {"type": "named", "name": "-p", "value": "80"},
                {"type": "named", "name": "--at", "value": "{host}:{port}", "variables": {
                    "host": {"default": "localhost"}, "port": {"isRequired": true, "format": "number"}}},
            ]}),
            json!({"package": {"registry": "npm", "name": "@acme/mcp", "version": "1.2.0",
                "args": ["${directory}", "-p", "80", "--at=${host}:${port}"]}}),
            1,
        ),
        (
            json!({"registryType": "oci", "identifier": "ghcr.io/acme/mcp:1.2.0", "version": null}),
            json!({"image": {"reference": "ghcr.io/acme/mcp:1.2.0"}, "network": {"mode": "egress"}}),
            1,
        ),
        // As it was written before identifiers were whole.
        (
            json!({"registryType": "oci", "registryBaseUrl": "https://ghcr.io", "identifier": "acme/mcp",
            "transport": {"type": "streamable-http", "url": "http://127.0.0.1:8080/api"},
            "runtimeArguments": [
                {"type": "named", "name": "--rm"},
                {"type": "named", "name": "-e", "value": "TOKEN={token}",
                 "variables": {"token": {"isSecret": true, "isRequired": true}}},
            ]}),
            json!({"image": {"reference": "ghcr.io/acme/mcp:1.2.0"}, "transport": "streamable-http",
                   "network": {"mode": "egress"},
                   "containerPort": 8080, "path": "/api", "env": [{"name": "TOKEN", "value": "${token}"}]}),
            1,
        ),
    ] {
        let (found, said) = server(&package(fields));
        assert_eq!(found, expected);
        assert_eq!(said.len(), notes, "{said:?}");
    }
}

#[test]
fn remotes() {
    let document = remote(json!({
        "url": "https://{tenant}.acme.example/mcp",
        "variables": {"tenant": {"description": "Your tenant", "isRequired": true}},
        "headers": [
            {"name": "Authorization", "value": "Bearer {key}",
             "variables": {"key": {"description": "A key", "isSecret": true, "isRequired": true}}},
            {"name": "X-Region", "choices": ["eu", "us"], "default": "eu"},
            {"name": "X-Tenant", "value": "{tenant}",
             "variables": {"tenant": {"description": "Your tenant", "isRequired": true}}},
            {"name": "X-Client", "value": "orchctl"},
        ],
    }));
    let expected = json!({
        "description": "Acme",
        "parameters": [
            {"name": "tenant", "description": "Your tenant", "required": true},
            {"name": "Authorization", "description": "A key; the whole value, in the form `Bearer {key}`", "secret": true},
            {"name": "X_Region", "default": "eu", "choices": ["eu", "us"]},
        ],
        "server": {"remote": {"url": "https://${tenant}.acme.example/mcp", "headers": [
            {"name": "Authorization", "value": "${Authorization}"},
            {"name": "X-Region", "value": "${X_Region}"},
            {"name": "X-Tenant", "value": "${tenant}"},
            {"name": "X-Client", "value": "orchctl"},
        ]}},
    });
    check(&document, None, Ok((expected, &[])));
    let older = json!({"server": {"remote": {"url": "https://mcp.acme.example/mcp"}, "transport": "sse"},
                       "description": "Acme"});
    check(&remote(json!({"type": "sse"})), None, Ok((older, &[])));
}

#[test]
fn one_of_several_is_chosen() {
    let mut document = package(json!({}));
    let more = [
        json!({"registryType": "pypi", "identifier": "acme", "transport": {"type": "stdio"}}),
        json!({"registryType": "npm", "identifier": "@acme/other", "transport": {"type": "stdio"}}),
        json!({"registryType": "mcpb", "identifier": "https://acme.example/x.mcpb", "transport": {"type": "stdio"}}),
    ];
    document["packages"].as_array_mut().unwrap().extend(more);
    document["remotes"] = json!([
        {"type": "sse", "url": "https://acme.example/sse"},
        {"type": "streamable-http", "url": "https://acme.example/mcp"},
    ]);
    let chosen = |choice: &str| {
        import(&document, Some(&choice.parse().unwrap()))
            .unwrap()
            .template
            .server
    };
    assert!(chosen("pypi").package.is_some_and(|package| package.name == "acme"));
    assert!(
        chosen("npm:@acme/other")
            .package
            .is_some_and(|package| package.name == "@acme/other")
    );
    assert!(
        chosen("remote")
            .remote
            .is_some_and(|remote| remote.url == "https://acme.example/mcp")
    );
    let all = "npm:@acme/mcp, pypi:acme, npm:@acme/other, remote:https://acme.example/mcp";
    check(&document, None, Err(&[("packages", all)]));
    check(&document, Some("npm"), Err(&[("packages", "several ways")]));
    check(&document, Some("oci"), Err(&[("packages", "does not offer `oci`")]));
    assert_eq!(
        "nuget".parse::<Choice>(),
        Err("`nuget` is none of npm, pypi, oci, remote".to_owned())
    );
}

#[test]
fn what_cannot_be_said_is_told() {
    let named = |more: Value| {
        let mut argument = json!({"type": "named", "name": "--key"});
        argument
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"packageArguments": [argument]})
    };
    let variable = |more: Value| {
        let mut variable = json!({"name": "KEY"});
        variable
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"environmentVariables": [variable]})
    };
    let two = json!({"a": {"isSecret": true}, "b": {}});
    for (document, expected) in [
        (json!([]), &[("", "no server.json")][..]),
        (json!({"packages": []}), &[("", "missing field `name`")]),
        (json!({"name": "a/b"}), &[("packages", "no package and no remote")]),
        (
            package(json!({"registryType": "nuget"})),
            &[("packages", "nothing here runs packages of nuget")],
        ),
        (
            package(json!({"registryBaseUrl": "https://npm.acme.example"})),
            &[(
                "packages[0].registryBaseUrl",
                "https://npm.acme.example is not the usual one",
            )],
        ),
        (
            package(named(json!({"isSecret": true, "isRequired": true}))),
            &[("packages[0].packageArguments[0]", "where others see it")],
        ),
        (
            package(json!({"packageArguments": [{"type": "named", "name": "-k", "description": "x"}]})),
            &[("packages[0].packageArguments[0]", "two arguments")],
        ),
        (
            package(variable(json!({"value": "{a}-{b}", "variables": two}))),
            &[("packages[0].environmentVariables[0].value", "inside a longer text")],
        ),
        (
            package(variable(json!({"isSecret": true, "default": "x"}))),
            &[("packages[0].environmentVariables[0].default", "a secret with a default")],
        ),
        (
            package(
                json!({"runtimeArguments": [{"type": "named", "name": "--mount", "value": "x"}],
                           "registryType": "oci"}),
            ),
            &[("packages[0].runtimeArguments[0]", "`--mount`")],
        ),
        (
            package(
                json!({"transport": {"type": "sse", "url": "http://localhost:{port}/sse", "headers": [{"name": "A"}]}}),
            ),
            &[
                ("packages[0].transport.headers", "remote servers only"),
                ("packages[0].transport.url", "on which port"),
            ],
        ),
        // What only the Template's own rules find.
        (
            package(json!({"identifier": "no name"})),
            &[("spec.server.package.name", "not a package name")],
        ),
        (
            package(variable(json!({"choices": ["a"], "default": "b"}))),
            &[("spec.parameters[0].default", "is one of a")],
        ),
    ] {
        check(&document, None, Err(expected));
    }
}
