//! A grant: some roles on some objects. What an object must be like to be among them is its [`Reach`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Role;
use crate::kind::{Kind, ScopeType};
use crate::name::{Name, ObjectRef, Scope};
use crate::query::LabelSelector;
use crate::tools::Filter;

/// Some roles on some objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// What may be done.
    pub roles: Vec<Role>,
    /// With which objects.
    pub reach: Reach,
    /// Which tools of servers may be called; all of them, when nothing is said.
    pub tools: Option<Filter>,
    /// What grants it: `rolebinding/admin`.
    pub rule: Arc<str>,
}

impl Grant {
    /// Whether the grant lets that tool be called, where it lets the server be run at all.
    #[must_use]
    pub fn admits_tool(&self, tool: &str) -> bool {
        self.tools.as_ref().is_none_or(|tools| tools.admits(tool))
    }
}

/// Which objects. An absent field does not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Only objects of this kind.
    pub kind: Option<Kind>,
    /// Only the object of this name.
    pub name: Option<Name>,
    /// Only objects with these labels.
    pub labels: Option<LabelSelector>,
    /// Only what is in this project.
    pub project: Option<Name>,
}

impl Reach {
    /// Whether such an object is among them. What belongs to an object goes with it, and is labelled as that is.
    #[must_use]
    pub fn covers(&self, facts: &Facts<'_>) -> bool {
        self.covers_itself(facts) || facts.owner.known().is_some_and(|owner| self.covers_itself(owner))
    }

    fn covers_itself(&self, facts: &Facts<'_>) -> bool {
        let owner = facts.owner.known();
        self.kind.is_none_or(|kind| kind == facts.object.kind)
            && self.name.as_ref().is_none_or(|name| *name == facts.object.name)
            && self.labels.as_ref().is_none_or(|labels| facts.has(labels))
            && self
                .project
                .as_ref()
                .is_none_or(|project| facts.is_in(project) || owner.is_some_and(|owner| owner.is_in(project)))
    }

    /// Whether objects of that kind may be among them, in that project if one is named; whatever else narrows it.
    #[must_use]
    pub fn may_cover(&self, kind: Kind, project: Option<&Name>) -> bool {
        // Instances go with their Server.
        let is_meant = |only: Kind| only == kind || (only == Kind::Server && kind == Kind::Instance);
        let lives_in_projects = kind.meta().scopes.iter().any(|scope| *scope != ScopeType::Cluster);
        let is_in_projects =
            lives_in_projects || matches!(kind, Kind::Project | Kind::Server | Kind::Instance | Kind::Agent);
        let is_there = |within: &Name| is_in_projects && project.is_none_or(|project| project == within);
        self.kind.is_none_or(is_meant) && self.project.as_ref().is_none_or(is_there)
    }

    /// Whether everything that the other one covers is covered here for sure, whatever it is.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        fn at_most<T: PartialEq>(bound: Option<&T>, other: Option<&T>) -> bool {
            bound.is_none() || bound == other
        }
        at_most(self.kind.as_ref(), other.kind.as_ref())
            && at_most(self.name.as_ref(), other.name.as_ref())
            && at_most(self.labels.as_ref(), other.labels.as_ref())
            && at_most(self.project.as_ref(), other.project.as_ref())
    }
}

/// Which objects, as part of a sentence: `servers`, `server/files in project web`.
impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.name) {
            (Some(kind), Some(name)) => write!(f, "{}/{name}", kind.meta().singular)?,
            (Some(kind), None) => f.write_str(kind.meta().plural)?,
            (None, Some(name)) => write!(f, "everything called {name}")?,
            (None, None) => f.write_str("everything")?,
        }
        if let Some(labels) = &self.labels {
            write!(f, " with {labels}")?;
        }
        match &self.project {
            Some(project) => write!(f, " in project {project}"),
            None => Ok(()),
        }
    }
}

/// What a decision about an object depends on.
#[derive(Clone, Copy)]
pub struct Facts<'f> {
    /// Which it is.
    pub object: &'f ObjectRef,
    /// Its labels. Of what belongs to another object those of the other one count.
    pub labels: &'f BTreeMap<String, String>,
    /// Which projects list it or are named by it; those it lives in need not be told.
    pub listed_in: &'f dyn Fn(&Name) -> bool,
    /// What it belongs to.
    pub owner: Belongs<'f>,
}

/// What an object belongs to.
#[derive(Debug, Clone, Copy)]
pub enum Belongs<'f> {
    /// To no other object.
    ToNone,
    /// To this one.
    To(&'f Facts<'f>),
    /// To one that is gone, and with it what is known of its labels.
    ToGone,
}

impl<'f> Belongs<'f> {
    /// The object that it belongs to, when that is there.
    const fn known(self) -> Option<&'f Facts<'f>> {
        match self {
            Self::To(owner) => Some(owner),
            Self::ToNone | Self::ToGone => None,
        }
    }
}

impl fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("object", self.object)
            .field("labels", self.labels)
            .finish_non_exhaustive()
    }
}

impl<'f> Facts<'f> {
    /// An object that belongs to no other.
    #[must_use]
    pub fn new(
        object: &'f ObjectRef,
        labels: &'f BTreeMap<String, String>,
        listed_in: &'f dyn Fn(&Name) -> bool,
    ) -> Self {
        Self {
            object,
            labels,
            listed_in,
            owner: Belongs::ToNone,
        }
    }

    /// Whether it has such labels. The copies that an object was made with say nothing once those of its owner change.
    fn has(&self, selector: &LabelSelector) -> bool {
        let labels = match self.owner {
            Belongs::ToNone => self.labels,
            Belongs::To(owner) => owner.labels,
            Belongs::ToGone => return false,
        };
        selector.matches(|name| labels.get(name).map(String::as_str))
    }

    /// Whether it is in that project: the project itself, what lives in it, the servers it lists and the agents that name
    /// it.
    fn is_in(&self, project: &Name) -> bool {
        let lives_there = match &self.object.scope {
            Scope::Project(home) => home == project,
            Scope::Cluster => self.object.kind == Kind::Project && self.object.name == *project,
            Scope::Agent(_) => false,
        };
        lives_there || (self.listed_in)(project)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_reach_what_they_name() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let files = ObjectRef::cluster(Kind::Server, name("files"));
        let labels = BTreeMap::from([("team".to_owned(), "core".to_owned())]);
        let in_web = |project: &Name| project.as_str() == "web";
        let facts = Facts::new(&files, &labels, &in_web);
        let reach = |kind, name: Option<&str>, labels: Option<&str>, project: Option<&str>| Reach {
            kind,
            name: name.map(|name| name.parse().unwrap()),
            labels: labels.map(|labels| labels.parse().unwrap()),
            project: project.map(|project| project.parse().unwrap()),
        };
        for (reach, covers) in [
            (Reach::default(), true),
            (reach(Some(Kind::Server), None, None, None), true),
            (reach(Some(Kind::Secret), None, None, None), false),
            (reach(None, Some("files"), None, None), true),
            (reach(None, Some("other"), None, None), false),
            (reach(None, None, Some("team=core"), None), true),
            (reach(None, None, Some("team!=core"), None), false),
            (reach(None, None, None, Some("web")), true),
            (reach(None, None, None, Some("ops")), false),
            (
                reach(Some(Kind::Server), Some("files"), Some("team"), Some("web")),
                true,
            ),
            (
                reach(Some(Kind::Server), Some("files"), Some("team"), Some("ops")),
                false,
            ),
        ] {
            assert_eq!(reach.covers(&facts), covers, "{reach:?}");
            assert!(Reach::default().includes(&reach) && reach.includes(&reach));
        }
        let (one, all) = (reach(None, Some("files"), None, None), Reach::default());
        assert!(all.includes(&one) && !one.includes(&all));
    }

    #[test]
    fn projects_hold_themselves_and_what_lives_in_them() {
        let web: Name = "web".parse().unwrap();
        let (labels, nowhere) = (BTreeMap::new(), |_: &Name| false);
        let reach = Reach {
            project: Some(web.clone()),
            ..Reach::default()
        };
        let in_project = |project: &str| ObjectRef {
            kind: Kind::Prompt,
            scope: Scope::Project(project.parse().unwrap()),
            name: web.clone(),
        };
        for (object, covers) in [
            (ObjectRef::cluster(Kind::Project, web.clone()), true),
            (ObjectRef::cluster(Kind::Server, web.clone()), false),
            (in_project("web"), true),
            (in_project("ops"), false),
        ] {
            assert_eq!(
                reach.covers(&Facts::new(&object, &labels, &nowhere)),
                covers,
                "{object}"
            );
        }
    }

    #[test]
    fn what_belongs_to_an_object_goes_with_it() {
        let files = ObjectRef::cluster(Kind::Server, "files".parse().unwrap());
        let copy = ObjectRef::cluster(Kind::Instance, "files-a1b2c".parse().unwrap());
        let (labels, nowhere) = (BTreeMap::new(), |_: &Name| false);
        let owner = Facts::new(&files, &labels, &nowhere);
        let facts = Facts {
            owner: Belongs::To(&owner),
            ..Facts::new(&copy, &labels, &nowhere)
        };
        let reach = Reach {
            kind: Some(Kind::Server),
            name: Some(files.name.clone()),
            ..Reach::default()
        };
        assert!(reach.covers(&facts));
        for owner in [Belongs::ToNone, Belongs::ToGone] {
            assert!(!reach.covers(&Facts { owner, ..facts }));
        }
    }

    #[test]
    fn what_belongs_to_an_object_is_labelled_and_placed_as_that_is() {
        let files = ObjectRef::cluster(Kind::Server, "files".parse().unwrap());
        let copy = ObjectRef::cluster(Kind::Instance, "files-a1b2c".parse().unwrap());
        // The copy was made before its server became `core`.
        let now = BTreeMap::from([("team".to_owned(), "core".to_owned())]);
        let then = BTreeMap::from([("team".to_owned(), "edge".to_owned())]);
        let nowhere = |_: &Name| false;
        let in_web = |project: &Name| project.as_str() == "web";
        let owner = Facts::new(&files, &now, &in_web);
        let alone = Facts::new(&copy, &then, &nowhere);
        let reach = |kind, labels: Option<&str>, project: Option<&str>| Reach {
            kind,
            labels: labels.map(|labels| labels.parse().unwrap()),
            project: project.map(|project| project.parse().unwrap()),
            ..Reach::default()
        };
        for (reach, with_owner, alone_covers, without) in [
            (reach(None, Some("team=core"), None), true, false, false),
            (reach(None, Some("team=edge"), None), false, true, false),
            (reach(None, Some("team!=core"), None), false, true, false),
            (reach(Some(Kind::Instance), Some("team=core"), None), true, false, false),
            (reach(Some(Kind::Server), Some("team=core"), None), true, false, false),
            (reach(Some(Kind::Instance), None, Some("web")), true, false, false),
            (reach(Some(Kind::Instance), None, Some("ops")), false, false, false),
            (reach(Some(Kind::Instance), None, None), true, true, true),
        ] {
            for (owner, covers) in [
                (Belongs::To(&owner), with_owner),
                (Belongs::ToNone, alone_covers),
                (Belongs::ToGone, without),
            ] {
                assert_eq!(reach.covers(&Facts { owner, ..alone }), covers, "{reach:?} {owner:?}");
            }
        }
    }
}
