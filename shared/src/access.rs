//! Who may see what. Every read of the store takes a [`Visibility`]; the check of one object and the filter of a list
//! consume the same value, so that they cannot disagree.

use crate::kind::Kind;
use crate::name::{ObjectRef, Scope};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The name that history, events and audit show: `admin`, `daemon`.
    pub name: String,
    /// What this principal may see.
    pub visibility: Visibility,
}

impl Principal {
    /// Whoever reaches a door that was opened to everybody on the machine.
    #[must_use]
    pub fn anybody() -> Self {
        Self {
            name: "anybody".to_owned(),
            visibility: Visibility::Everything,
        }
    }

    /// The daemon itself, when it acts on its own.
    #[must_use]
    pub fn daemon() -> Self {
        Self {
            name: "daemon".to_owned(),
            visibility: Visibility::Everything,
        }
    }
}

/// Which objects somebody may see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Visibility {
    /// All of them.
    Everything,
    /// Those that at least one grant covers.
    Granted(Vec<Grant>),
    /// None.
    #[default]
    Nothing,
}

/// Objects that somebody may see. An absent field does not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    /// Only objects of this kind.
    pub kind: Option<Kind>,
    /// Only objects of this scope.
    pub scope: Option<Scope>,
    /// Only objects of this name.
    pub name: Option<String>,
}

impl Grant {
    /// Whether the grant covers that object.
    #[must_use]
    pub fn covers(&self, object: &ObjectRef) -> bool {
        self.kind.is_none_or(|kind| kind == object.kind)
            && self.scope.as_ref().is_none_or(|scope| *scope == object.scope)
            && self.name.as_ref().is_none_or(|name| *name == object.name.as_str())
    }
}

impl Visibility {
    /// Whether that object may be seen.
    #[must_use]
    pub fn covers(&self, object: &ObjectRef) -> bool {
        match self {
            Self::Everything => true,
            Self::Granted(grants) => grants.iter().any(|grant| grant.covers(object)),
            Self::Nothing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_narrow_by_what_they_name() {
        let files = ObjectRef::cluster(Kind::Server, "files".parse().unwrap());
        let grant = |kind, name: Option<&str>| {
            Visibility::Granted(vec![Grant {
                kind,
                scope: None,
                name: name.map(str::to_owned),
            }])
        };
        assert!(Visibility::Everything.covers(&files));
        assert!(!Visibility::Nothing.covers(&files));
        assert!(grant(Some(Kind::Server), None).covers(&files));
        assert!(grant(Some(Kind::Server), Some("files")).covers(&files));
        assert!(!grant(Some(Kind::Server), Some("other")).covers(&files));
        assert!(!grant(Some(Kind::Secret), None).covers(&files));
    }
}
