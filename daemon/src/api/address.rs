//! What an address means: `/api/v1/{plural}/{name}[/{action}]` and the same below a project or an agent. Pure.

use orch_shared::kind::{Action, Kind, ScopeType};
use orch_shared::name::{Name, Scope};
use orch_shared::route;

use super::body;
use super::publishers::Deed;
use crate::admission::Target;

/// What an address names.
#[derive(Debug, Clone)]
pub(super) enum Address {
    /// All objects of a kind in a scope.
    Collection(Kind, Scope),
    /// One object.
    Object(Target),
    /// Something done to one object.
    Action(Target, Action),
    /// The generations of one object.
    History(Target),
    /// Who refers to one object.
    Dependents(Target),
    /// What an instance wrote.
    Logs(Target),
    /// A set of objects, applied as one.
    Apply,
    /// Several objects, deleted as one.
    Delete,
    /// Sealing values without storing them.
    Seal,
    /// Moving values of Secrets from one backend to another.
    Migrate,
    /// Setting a backend up.
    SetUp,
    /// What happened lately.
    Events,
    /// How the daemon fares.
    Status,
    /// Who did what.
    Audit,
    /// What was done in each session.
    AuditSessions,
    /// Whether all of that is as it was written.
    AuditVerify,
    /// What was asked of models, summed up.
    Usage,
    /// Where a name and a password become a credential.
    Login,
    /// Who is asking.
    WhoAmI,
    /// The logins that are open.
    Logins,
    /// One of them, by its id.
    OneLogin(String),
    /// Whether somebody may do something.
    AccessReview,
    /// What a credential opens.
    Introspect,
    /// The password of a user.
    Password(Target),
    /// Where publishers speak and listen.
    Publishers(Deed),
}

impl Address {
    /// The methods it is there for, as the `Allow` header has them.
    pub(super) const fn methods(&self) -> &'static str {
        match self {
            Self::Collection(..) => "GET, HEAD, POST",
            Self::Object(_) => "GET, HEAD, PUT, PATCH, DELETE",
            Self::History(_)
            | Self::Dependents(_)
            | Self::Logs(_)
            | Self::Events
            | Self::Status
            | Self::Audit
            | Self::AuditSessions
            | Self::AuditVerify
            | Self::Usage
            | Self::WhoAmI
            | Self::Logins => "GET, HEAD",
            Self::Action(..)
            | Self::Apply
            | Self::Delete
            | Self::Seal
            | Self::Migrate
            | Self::SetUp
            | Self::Login
            | Self::AccessReview
            | Self::Introspect
            | Self::Publishers(Deed::Register | Deed::Heartbeat | Deed::Answer(_)) => "POST",
            Self::Publishers(Deed::Listen) => "GET, HEAD",
            Self::OneLogin(_) => "DELETE",
            Self::Password(_) => "PUT",
        }
    }

    /// How many bytes of a body are taken there at most, before anything is done; nothing where it is taken as it comes.
    pub(super) const fn takes(&self) -> Option<usize> {
        match self {
            Self::Publishers(Deed::Answer(_)) => None,
            Self::Apply | Self::Delete => Some(body::APPLY),
            Self::Collection(..)
            | Self::Object(_)
            | Self::Action(..)
            | Self::History(_)
            | Self::Dependents(_)
            | Self::Logs(_)
            | Self::Seal
            | Self::Migrate
            | Self::SetUp
            | Self::Events
            | Self::Status
            | Self::Audit
            | Self::AuditSessions
            | Self::AuditVerify
            | Self::Usage
            | Self::Login
            | Self::WhoAmI
            | Self::Logins
            | Self::OneLogin(_)
            | Self::AccessReview
            | Self::Introspect
            | Self::Password(_)
            | Self::Publishers(Deed::Register | Deed::Listen | Deed::Heartbeat) => Some(body::OTHER),
        }
    }
}

/// Reads a path; nothing when it is no address of the API.
pub(super) fn parse(path: &str) -> Option<Address> {
    match path {
        route::APPLY => return Some(Address::Apply),
        route::DELETE => return Some(Address::Delete),
        route::SEAL => return Some(Address::Seal),
        route::MIGRATE_SECRETS => return Some(Address::Migrate),
        route::SET_UP_BACKEND => return Some(Address::SetUp),
        route::EVENTS => return Some(Address::Events),
        route::STATUS => return Some(Address::Status),
        route::AUDIT => return Some(Address::Audit),
        route::AUDIT_SESSIONS => return Some(Address::AuditSessions),
        route::AUDIT_VERIFY => return Some(Address::AuditVerify),
        route::USAGE => return Some(Address::Usage),
        route::LOGIN => return Some(Address::Login),
        route::WHOAMI => return Some(Address::WhoAmI),
        route::LOGINS => return Some(Address::Logins),
        route::ACCESS_REVIEW => return Some(Address::AccessReview),
        route::INTROSPECT => return Some(Address::Introspect),
        route::PUBLISHERS => return Some(Address::Publishers(Deed::Register)),
        route::PUBLISHER_STREAM => return Some(Address::Publishers(Deed::Listen)),
        route::PUBLISHER_HEARTBEAT => return Some(Address::Publishers(Deed::Heartbeat)),
        _ => {}
    }
    let rest = path.strip_prefix(route::PREFIX)?.strip_prefix('/')?;
    let segments: Vec<&str> = rest.split('/').collect();
    if let ["logins", id] = segments[..]
        && !id.is_empty()
    {
        return Some(Address::OneLogin(id.to_owned()));
    }
    if let ["publishers", "tasks", id] = segments[..]
        && !id.is_empty()
    {
        return Some(Address::Publishers(Deed::Answer(id.to_owned())));
    }
    // `projects/web/prompts` begins a scope; `projects/web/history` is about the project: no plural is an action.
    let scoped = match segments[..] {
        [home @ ("projects" | "agents"), name, plural, ..] => kind_of(plural).map(|kind| (home, name, kind)),
        _ => None,
    };
    let (kind, scope, below) = match scoped {
        Some((home, name, kind)) => {
            let name: Name = name.parse().ok()?;
            let scope = if home == "projects" {
                Scope::Project(name)
            } else {
                Scope::Agent(name)
            };
            (kind, scope, &segments[3..])
        }
        None => (kind_of(segments.first()?)?, Scope::Cluster, &segments[1..]),
    };
    if scope != Scope::Cluster && !kind.meta().scopes.contains(&ScopeType::of(&scope)) {
        return None;
    }
    let target = |name: &str| Target {
        kind,
        scope: scope.clone(),
        name: name.to_owned(),
    };
    match below {
        [] => Some(Address::Collection(kind, scope)),
        [name] if !name.is_empty() => Some(Address::Object(target(name))),
        [name, "history"] => Some(Address::History(target(name))),
        [name, "dependents"] => Some(Address::Dependents(target(name))),
        [name, "password"] if kind == Kind::User => Some(Address::Password(target(name))),
        [name, "logs"] if kind == Kind::Instance => Some(Address::Logs(target(name))),
        [name, action] => {
            let action = Action::ALL
                .iter()
                .copied()
                .find(|candidate| candidate.as_str() == *action)?;
            Some(Address::Action(target(name), action))
        }
        [..] => None,
    }
}

fn kind_of(plural: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|kind| kind.meta().plural == plural)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (path, expected) in [
            ("/api/v1/servers", "Collection(Server, Cluster)"),
            ("/api/v1/servers/files", "Object server/files"),
            ("/api/v1/servers/files/scale", "Action server/files scale"),
            ("/api/v1/projects/web", "Object project/web"),
            ("/api/v1/projects/web/rollback", "Action project/web rollback"),
            ("/api/v1/projects/web/history", "History project/web"),
            (
                "/api/v1/projects/web/prompts",
                "Collection(Prompt, Project(Name(\"web\")))",
            ),
            ("/api/v1/projects/web/prompts/tone", "Object prompt/tone in project/web"),
            (
                "/api/v1/agents/x/prompts/tone/dependents",
                "Dependents prompt/tone in agent/x",
            ),
            ("/api/v1/instances/a-1/logs", "Logs instance/a-1"),
            ("/api/v1/apply", "Apply"),
            ("/api/v1/servers/files/logs", "-"),
            ("/api/v1/projects/web/servers", "-"),
            ("/api/v1/server", "-"),
            ("/api/v1/servers/", "-"),
            ("/api/v1/servers/a/b/c", "-"),
            ("/api/v2/servers", "-"),
        ] {
            let of = |target: &Target| {
                let place = match &target.scope {
                    Scope::Cluster => String::new(),
                    scope @ (Scope::Project(_) | Scope::Agent(_)) => format!(" in {scope}"),
                };
                format!("{}/{}{place}", target.kind.meta().singular, target.name)
            };
            let told = match parse(path) {
                None => "-".to_owned(),
                Some(Address::Object(target)) => format!("Object {}", of(&target)),
                Some(Address::Action(target, action)) => format!("Action {} {}", of(&target), action.as_str()),
                Some(Address::History(target)) => format!("History {}", of(&target)),
                Some(Address::Dependents(target)) => format!("Dependents {}", of(&target)),
                Some(Address::Logs(target)) => format!("Logs {}", of(&target)),
                Some(other) => format!("{other:?}"),
            };
            assert_eq!(told, expected, "{path}");
        }
    }
}
