//! The words in which rights are granted: roles on objects, operations on the daemon, and whom they are granted to.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::Kind;
use crate::name::{Name, ObjectRef};
use crate::problem::near_miss;

macro_rules! words {
    ($(#[$about:meta])* $type:ident, $noun:literal: $($(#[$doc:meta])* $variant:ident = $word:literal),* $(,)?) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $type {
            $($(#[$doc])* #[serde(rename = $word)] $variant),*
        }

        impl $type {
            /// All of them.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            /// The word for it in manifests and on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
                known.ok_or_else(|| UnknownWord::new($noun, text, &Self::ALL.map(Self::as_str)))
            }
        }
    };
}

words! {
    /// What may be done with an object. None implies another.
    Role, "role":
    /// To read it. What may not be read is not there.
    View = "view",
    /// To make one.
    Create = "create",
    /// To change what is declared: replace, patch, apply, scale, roll back, restart.
    Edit = "edit",
    /// To delete it.
    Delete = "delete",
    /// To use it: call a server's tools, ask an llm, hand a secret to a program.
    Run = "run",
    /// To see secret values in the open.
    Reveal = "reveal",
}

words! {
    /// What may be done with the daemon as a whole.
    Operation, "operation":
    /// To read the audit log.
    Audit = "audit",
    /// To make backups.
    Backup = "backup",
    /// To act in the place of somebody else.
    Impersonate = "impersonate",
    /// To read what servers that one may see have written.
    Logs = "logs",
    /// To read the daemon's figures.
    Metrics = "metrics",
    /// To move secrets from one backend to another.
    MigrateSecrets = "migrate-secrets",
    /// To restore a backup.
    Restore = "restore",
    /// To renew a secret backend's own credential.
    RotateSecretBackend = "rotate-secretbackend",
    /// To see and end the logins and gateway sessions of others.
    Sessions = "sessions",
    /// To let tokens start builds.
    Trigger = "trigger",
    /// To see what everybody has asked of models, and what it cost.
    Usage = "usage",
}

words! {
    /// What sort of subject rights are granted to.
    SubjectKind, "kind of subject":
    /// A User.
    User = "User",
    /// A Group: all of its members.
    Group = "Group",
    /// A ServiceAccount.
    ServiceAccount = "ServiceAccount",
    /// A Token, beside what its own spec says.
    Token = "Token",
}

impl SubjectKind {
    /// The kind of object that it is.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::User => Kind::User,
            Self::Group => Kind::Group,
            Self::ServiceAccount => Kind::ServiceAccount,
            Self::Token => Kind::Token,
        }
    }
}

/// There is no such word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {noun} `{given}`")]
pub struct UnknownWord {
    noun: &'static str,
    given: String,
    /// What to write instead.
    pub hint: String,
}

impl UnknownWord {
    fn new(noun: &'static str, given: &str, known: &[&'static str]) -> Self {
        let hint = match near_miss(given, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", known.join(", ")),
        };
        let given = crate::excerpt::short(given);
        Self { noun, given, hint }
    }
}

/// Somebody who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A person.
    User(Name),
    /// A machine.
    ServiceAccount(Name),
    /// The daemon itself.
    Daemon,
    /// Whoever reaches a door that was opened to everybody on the machine.
    Anybody,
}

impl Subject {
    /// Names under which the daemon speaks of itself and of strangers: no person may bear one of them.
    pub const RESERVED: [&str; 3] = ["anybody", "daemon", "orchd"];

    /// The name that history, events and audit show: a person's own, a machine's behind its kind.
    #[must_use]
    pub fn principal_name(&self) -> String {
        match self {
            Self::User(name) => name.to_string(),
            Self::ServiceAccount(name) => format!("serviceaccount/{name}"),
            Self::Daemon => "daemon".to_owned(),
            Self::Anybody => "anybody".to_owned(),
        }
    }

    /// The subject that a principal's name stands for.
    #[must_use]
    pub fn of_principal(name: &str) -> Option<Self> {
        match name.split_once('/') {
            Some(("serviceaccount", name)) => name.parse().ok().map(Self::ServiceAccount),
            Some(_) => None,
            None => name.parse().ok().map(Self::User),
        }
    }

    /// The subject that an object stands for, if it does.
    #[must_use]
    pub fn of_object(object: &ObjectRef) -> Option<Self> {
        match object.kind {
            Kind::User => Some(Self::User(object.name.clone())),
            Kind::ServiceAccount => Some(Self::ServiceAccount(object.name.clone())),
            Kind::Server
            | Kind::Instance
            | Kind::Template
            | Kind::Secret
            | Kind::SecretBackend
            | Kind::Llm
            | Kind::Agent
            | Kind::Project
            | Kind::Prompt
            | Kind::PromptRequest
            | Kind::Personality
            | Kind::Group
            | Kind::RoleBinding
            | Kind::Token => None,
        }
    }

    /// The object that stands for the subject.
    #[must_use]
    pub fn object(&self) -> Option<ObjectRef> {
        match self {
            Self::User(name) => Some(ObjectRef::cluster(Kind::User, name.clone())),
            Self::ServiceAccount(name) => Some(ObjectRef::cluster(Kind::ServiceAccount, name.clone())),
            Self::Daemon | Self::Anybody => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        let error = "veiw".parse::<Role>().expect_err("no role");
        assert_eq!(
            (error.to_string().as_str(), error.hint.as_str()),
            ("there is no role `veiw`", "did you mean `view`?")
        );
        let error = "everything".parse::<Operation>().expect_err("no operation");
        assert!(error.hint.starts_with("there are: audit, backup"), "{}", error.hint);
    }

    #[test]
    fn nobody_is_called_as_those_who_are_no_users() {
        for subject in [Subject::Daemon, Subject::Anybody] {
            assert!(
                Subject::RESERVED.contains(&subject.principal_name().as_str()),
                "{subject:?}"
            );
        }
    }

    #[test]
    fn subjects_are_found_again_by_their_principals_name() {
        for subject in [
            Subject::User("ann".parse().unwrap()),
            Subject::ServiceAccount("ci".parse().unwrap()),
        ] {
            assert_eq!(Subject::of_principal(&subject.principal_name()), Some(subject));
        }
        assert_eq!(Subject::of_principal("group/x"), None);
    }
}
