//! Which endpoint of the gateway is meant: a project's, or one server's.
//!
//! Enters: `--project` (or the context's) and `--server NAME`. Leaves: a [`Target`].

use std::fmt;

use orch_shared::kind::Kind;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::route;

use crate::report::Failure;
use crate::settings::Settings;

/// What the gateway serves under one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// All servers of a project, and its prompts.
    Project(Name),
    /// One server, its names as they are.
    Server(Name),
}

impl Target {
    /// What the flags and the context mean.
    pub(crate) fn of(settings: &Settings) -> Result<Self, Failure> {
        let project_flag = settings.flags().project.as_deref().filter(|name| !name.is_empty());
        match (&settings.flags().mcp_server, project_flag) {
            (Some(_), Some(_)) => Err(Failure::usage("a project or a server is meant, not both")
                .hint("leave out -p or --server; a project serves the tools of all its servers")),
            (Some(server), None) => Ok(Self::Server(server.clone())),
            (None, _) => match settings.project()? {
                Some(project) => Ok(Self::Project(project)),
                None => Err(Failure::usage("nothing says whose tools are meant")
                    .hint("name a project: -p PROJECT; or a server: --server NAME")),
            },
        }
    }

    /// The object that is meant.
    pub(crate) fn object(&self) -> ObjectRef {
        let (kind, name) = match self {
            Self::Project(name) => (Kind::Project, name),
            Self::Server(name) => (Kind::Server, name),
        };
        ObjectRef {
            kind,
            scope: Scope::Cluster,
            name: name.clone(),
        }
    }

    /// Its name.
    pub(crate) const fn name(&self) -> &Name {
        match self {
            Self::Project(name) | Self::Server(name) => name,
        }
    }

    /// Where the gateway serves it.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Project(name) => route::mcp_project(name),
            Self::Server(name) => route::mcp_server(name),
        }
    }

    /// The flags that mean it.
    pub(crate) fn flags(&self) -> Vec<String> {
        let (flag, name) = match self {
            Self::Project(name) => ("--project", name),
            Self::Server(name) => ("--server", name),
        };
        vec![flag.to_owned(), name.to_string()]
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}
