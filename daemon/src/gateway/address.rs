//! The addresses of the gateway: what a path stands for, and which methods there are for it.

use orch_shared::name::Name;

use super::view::Target;

/// What stands at an address. Where what should be a name is none, there is nothing to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// Where messages are sent, in the transport of all revisions but the oldest.
    Messages(Option<Target>),
    /// The stream of the oldest revision.
    Stream(Option<Target>),
    /// Where a client of the oldest revision sends messages.
    Posted(Option<Target>),
    /// The sessions of a project that are in use.
    Sessions(Option<Name>),
    /// What is said in one of them, by its short id.
    Traffic(Option<Name>, String),
}

/// Reads a path.
pub(super) fn parse(path: &str) -> Option<Address> {
    let Parts { what, name, last, .. } = parts(path)?;
    let name: Option<Name> = name.parse().ok();
    let target = |of: fn(Name) -> Target| name.clone().map(of);
    Some(match what {
        What::Server => at(last, target(Target::Server)),
        What::Project => at(last, target(Target::Project)),
        What::Sessions => Address::Sessions(name),
        What::Traffic => Address::Traffic(name, last.to_owned()),
    })
}

fn at(last: &str, target: Option<Target>) -> Address {
    match last {
        "sse" => Address::Stream(target),
        "message" => Address::Posted(target),
        _ => Address::Messages(target),
    }
}

impl Address {
    /// The methods that there are, as `Allow` says it.
    pub(super) const fn methods(&self) -> &'static str {
        match self {
            Self::Messages(_) => "DELETE, GET, HEAD, POST",
            Self::Stream(_) | Self::Sessions(_) | Self::Traffic(..) => "GET, HEAD",
            Self::Posted(_) => "POST",
        }
    }
}

/// The pattern of an address of the gateway, for whoever counts requests.
pub(super) fn route(path: &str) -> Option<&'static str> {
    parts(path).map(|parts| parts.route)
}

enum What {
    Server,
    Project,
    Sessions,
    Traffic,
}

struct Parts<'p> {
    what: What,
    route: &'static str,
    name: &'p str,
    last: &'p str,
}

fn parts(path: &str) -> Option<Parts<'_>> {
    let (what, rest) = if let Some(rest) = path.strip_prefix("/mcp/servers/") {
        (What::Server, rest)
    } else if let Some(rest) = path.strip_prefix("/mcp/projects/") {
        (What::Project, rest)
    } else {
        (What::Sessions, path.strip_prefix("/api/v1/projects/")?)
    };
    let (name, last) = rest.split_once('/').unwrap_or((rest, ""));
    let is_bare = rest.len() == name.len();
    let (what, route, last) = match (what, last) {
        (what @ What::Server, "") if is_bare => (what, "/mcp/servers/{name}", last),
        (what @ What::Server, "sse") => (what, "/mcp/servers/{name}/sse", last),
        (what @ What::Server, "message") => (what, "/mcp/servers/{name}/message", last),
        (what @ What::Project, "") if is_bare => (what, "/mcp/projects/{name}", last),
        (what @ What::Project, "sse") => (what, "/mcp/projects/{name}/sse", last),
        (what @ What::Project, "message") => (what, "/mcp/projects/{name}/message", last),
        (what @ What::Sessions, "sessions") => (what, "/api/v1/projects/{name}/sessions", last),
        (What::Sessions, last) => {
            let id = last.strip_prefix("sessions/")?.strip_suffix("/traffic")?;
            let is_one = !id.is_empty() && !id.contains('/');
            is_one.then_some((What::Traffic, "/api/v1/projects/{name}/sessions/{id}/traffic", id))?
        }
        (What::Server | What::Project | What::Traffic, _) => return None,
    };
    (!name.is_empty()).then_some(Parts {
        what,
        route,
        name,
        last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        let name: Name = "a".parse().unwrap();
        let (server, project) = (Some(Target::Server(name.clone())), Some(Target::Project(name.clone())));
        for (path, address, route) in [
            (
                "/mcp/servers/a",
                Address::Messages(server.clone()),
                "/mcp/servers/{name}",
            ),
            ("/mcp/servers/A_", Address::Messages(None), "/mcp/servers/{name}"),
            (
                "/mcp/servers/a/sse",
                Address::Stream(server.clone()),
                "/mcp/servers/{name}/sse",
            ),
            (
                "/mcp/servers/a/message",
                Address::Posted(server),
                "/mcp/servers/{name}/message",
            ),
            (
                "/mcp/projects/a",
                Address::Messages(project.clone()),
                "/mcp/projects/{name}",
            ),
            (
                "/mcp/projects/a/sse",
                Address::Stream(project.clone()),
                "/mcp/projects/{name}/sse",
            ),
            (
                "/mcp/projects/a/message",
                Address::Posted(project),
                "/mcp/projects/{name}/message",
            ),
            (
                "/api/v1/projects/a/sessions",
                Address::Sessions(Some(name.clone())),
                "/api/v1/projects/{name}/sessions",
            ),
            (
                "/api/v1/projects/a/sessions/x1/traffic",
                Address::Traffic(Some(name), "x1".to_owned()),
                "/api/v1/projects/{name}/sessions/{id}/traffic",
            ),
        ] {
            assert_eq!(super::route(path), Some(route), "{path}");
            assert_eq!(parse(path), Some(address), "{path}");
        }
        for path in [
            "/mcp",
            "/mcp/servers",
            "/mcp/servers/",
            "/mcp/servers//sse",
            "/mcp/servers/a/",
            "/mcp/servers/a/sse/",
            "/mcp/prompts/a",
            "/api/v1/projects/a",
            "/api/v1/projects/a/sessions/",
            "/api/v1/projects/a/sessions/x1",
            "/api/v1/projects/a/sessions/x1/y/traffic",
            "/api/v1/projects/a/sessions//traffic",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
    }
}
