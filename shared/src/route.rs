//! The addresses of the API, built in one place for both ends.

use crate::kind::{Action, Kind};
use crate::name::{Name, ObjectRef, Scope};

/// What every address of the API starts with.
pub const PREFIX: &str = "/api/v1";

/// The collection of a kind in a scope: `/api/v1/servers`, `/api/v1/projects/web/prompts`.
#[must_use]
pub fn collection(kind: Kind, scope: &Scope) -> String {
    let plural = kind.meta().plural;
    match scope {
        Scope::Cluster => format!("{PREFIX}/{plural}"),
        Scope::Project(name) => format!("{PREFIX}/projects/{name}/{plural}"),
        Scope::Agent(name) => format!("{PREFIX}/agents/{name}/{plural}"),
    }
}

/// One object.
#[must_use]
pub fn object(object: &ObjectRef) -> String {
    format!("{}/{}", collection(object.kind, &object.scope), object.name)
}

/// Something done to one object.
#[must_use]
pub fn action(target: &ObjectRef, action: Action) -> String {
    format!("{}/{}", object(target), action.as_str())
}

/// What one object was: its generations.
#[must_use]
pub fn history(target: &ObjectRef) -> String {
    format!("{}/history", object(target))
}

/// Who refers to one object.
#[must_use]
pub fn dependents(target: &ObjectRef) -> String {
    format!("{}/dependents", object(target))
}

/// What an instance wrote.
#[must_use]
pub fn logs(instance: &ObjectRef) -> String {
    format!("{}/logs", object(instance))
}

/// Where a name and a password become a credential.
pub const LOGIN: &str = "/api/v1/login";

/// Who is asking.
pub const WHOAMI: &str = "/api/v1/whoami";

/// The logins that are open.
pub const LOGINS: &str = "/api/v1/logins";

/// Whether somebody may do something.
pub const ACCESS_REVIEW: &str = "/api/v1/access-review";

/// What a credential opens.
pub const INTROSPECT: &str = "/api/v1/introspect";

/// One login.
#[must_use]
pub fn login(id: &str) -> String {
    format!("{LOGINS}/{id}")
}

/// The password of a user.
#[must_use]
pub fn password(user: &Name) -> String {
    format!("{PREFIX}/users/{user}/password")
}

/// Where the gateway serves all servers of a project to MCP clients.
#[must_use]
pub fn mcp_project(name: &Name) -> String {
    format!("/mcp/projects/{name}")
}

/// Where the gateway serves one server to MCP clients, its names as they are.
#[must_use]
pub fn mcp_server(name: &Name) -> String {
    format!("/mcp/servers/{name}")
}

/// The sessions that MCP clients have with a project.
#[must_use]
pub fn sessions(project: &Name) -> String {
    format!("{PREFIX}/projects/{project}/sessions")
}

/// What is said in one of them, as a stream of server-sent events.
#[must_use]
pub fn traffic(project: &Name, session: &str) -> String {
    format!("{PREFIX}/projects/{project}/sessions/{session}/traffic")
}

/// Where an agent is spoken to.
#[must_use]
pub fn chat(agent: &Name) -> String {
    format!("{PREFIX}/agents/{agent}/chat")
}

/// The threads that one has with an agent.
#[must_use]
pub fn threads(agent: &Name) -> String {
    format!("{PREFIX}/agents/{agent}/threads")
}

/// The tools that an agent may call for whoever asks.
#[must_use]
pub fn agent_tools(agent: &Name) -> String {
    format!("{PREFIX}/agents/{agent}/tools")
}

/// One thread.
#[must_use]
pub fn thread(id: &str) -> String {
    format!("{PREFIX}/threads/{id}")
}

/// What was said in a thread.
#[must_use]
pub fn messages(thread: &str) -> String {
    format!("{PREFIX}/threads/{thread}/messages")
}

/// Where a thread begins that holds what was said in another.
#[must_use]
pub fn fork(thread: &str) -> String {
    format!("{PREFIX}/threads/{thread}/fork")
}

/// Where the turn that is under way in a thread is cancelled.
#[must_use]
pub fn cancel(thread: &str) -> String {
    format!("{PREFIX}/threads/{thread}/cancel")
}

/// Where a turn that was interrupted is gone on with.
#[must_use]
pub fn resume(thread: &str) -> String {
    format!("{PREFIX}/threads/{thread}/resume")
}

/// What went between the agent, its model and its tools in a thread.
#[must_use]
pub fn cassette(thread: &str) -> String {
    format!("{PREFIX}/threads/{thread}/cassette")
}

/// Where a cassette is run once more.
pub const REPLAYS: &str = "/api/v1/replays";
/// Where a publisher says what it offers.
pub const PUBLISHERS: &str = "/api/v1/publishers";
/// Where a publisher is told what to do, as a stream of server-sent events.
pub const PUBLISHER_STREAM: &str = "/api/v1/publishers/stream";
/// Where a publisher says that it is still there.
pub const PUBLISHER_HEARTBEAT: &str = "/api/v1/publishers/heartbeat";

/// Where a publisher answers a task.
#[must_use]
pub fn publisher_task(id: &str) -> String {
    format!("{PUBLISHERS}/tasks/{id}")
}

/// A set of objects, applied as one.
pub const APPLY: &str = "/api/v1/apply";
/// Several objects, deleted as one.
pub const DELETE: &str = "/api/v1/delete";
/// Seals values without storing them.
pub const SEAL: &str = "/api/v1/seal";
/// Moves values of Secrets from one backend to another.
pub const MIGRATE_SECRETS: &str = "/api/v1/migrate-secrets";
/// Sets a backend up, with the token of somebody who may.
pub const SET_UP_BACKEND: &str = "/api/v1/set-up-secretbackend";
/// What happened lately.
pub const EVENTS: &str = "/api/v1/events";
/// What the daemon is and how it fares.
pub const STATUS: &str = "/api/v1/status";
/// Who did what.
pub const AUDIT: &str = "/api/v1/audit";
/// What was done in each session.
pub const AUDIT_SESSIONS: &str = "/api/v1/audit/sessions";
/// Whether the audit log is as it was written.
pub const AUDIT_VERIFY: &str = "/api/v1/audit/verify";
/// What was asked of models, summed up.
pub const USAGE: &str = "/api/v1/usage";
