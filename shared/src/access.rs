//! Who may do what: the one decision of the whole system, pure.
//!
//! What enters: a [`Principal`] with its [`Rights`], and what is asked: a [`Role`] on an object, or an [`Operation`]. What
//! leaves: a [`Decision`] that names its rule. Nothing is granted unless something grants it, there are no denials, and no
//! role implies another: who may edit an object may not therefore run it, or see it.
//!
//! Rights are layers, and what is allowed is what every layer allows: whom a token belongs to, what the token itself was
//! given, and the projects it is confined to. Each request is decided by the rights of that moment.
//!
//! The check of one object and the filter of a list consume the same value, a [`Visibility`], so that they cannot disagree.

mod grant;
mod narrowed;
mod words;

use std::fmt;
use std::sync::Arc;

pub use grant::{Belongs, Facts, Grant, Reach};
pub use words::{Operation, Role, Subject, SubjectKind};

use crate::kind::Kind;
use crate::kinds::token::Surface;
use crate::name::Name;
use crate::tools::Filter;

/// Who asks, and what that entails at this moment. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// The name that history, events and audit show: `ann`, `serviceaccount/ci`, `daemon`.
    pub name: Arc<str>,
    /// Whose rights these are.
    pub subject: Arc<Subject>,
    /// How the principal was told.
    pub credential: Credential,
    /// Who asks in the place of this principal, when somebody does.
    pub impersonator: Option<Arc<str>>,
    /// What is allowed.
    pub rights: Arc<Rights>,
    /// What may be seen, by the same rights.
    pub visibility: Arc<Visibility>,
    /// Which doors the credential opens.
    pub surface: Surface,
}

/// How a principal was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing was shown: the daemon itself, or a door that was opened to everybody.
    None,
    /// A session that began with a login, or the credential of the first start.
    Session {
        /// Its id.
        id: Arc<str>,
        /// `login`, `bootstrap`.
        name: Arc<str>,
    },
    /// A token; `name`, or `project/name` when it lives in a project.
    Token(Arc<str>),
}

impl Principal {
    /// Somebody with these rights.
    #[must_use]
    pub fn new(subject: Subject, credential: Credential, rights: Rights) -> Self {
        let visibility = rights.visibility();
        Self {
            name: subject.principal_name().into(),
            subject: Arc::new(subject),
            credential,
            impersonator: None,
            rights: Arc::new(rights),
            visibility: Arc::new(visibility),
            surface: Surface::Any,
        }
    }

    /// Whoever reaches a door that was opened to everybody on the machine.
    #[must_use]
    pub fn anybody() -> Self {
        Self::new(Subject::Anybody, Credential::None, Rights::Unbounded)
    }

    /// The daemon itself, when it acts on its own.
    #[must_use]
    pub fn daemon() -> Self {
        Self::new(Subject::Daemon, Credential::None, Rights::Unbounded)
    }

    /// Tells apart who asks, with which token and in whose place: what was handed to one of them is not there for another,
    /// who may do less.
    #[must_use]
    pub fn caller(&self) -> String {
        let mut caller = self.name.to_string();
        for part in [self.token(), self.impersonator.as_deref()] {
            caller.push(' ');
            caller.push_str(part.unwrap_or("-"));
        }
        caller
    }

    /// The name of who really asks: what is asked in the place of others counts for whoever asks.
    #[must_use]
    pub fn actor(&self) -> &str {
        self.impersonator.as_deref().unwrap_or(&self.name)
    }

    /// Whether it is the principal who asks, by a login: neither somebody in its place, nor a token that may do less.
    #[must_use]
    pub const fn is_in_person(&self) -> bool {
        matches!(self.credential, Credential::Session { .. }) && self.impersonator.is_none()
    }

    /// The name of the token that was shown, when one was.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        match &self.credential {
            Credential::Token(name) => Some(name),
            Credential::Session { .. } | Credential::None => None,
        }
    }

    /// The same principal, as somebody else sees it who asks in its place: at most what that one may do.
    #[must_use]
    pub fn impersonated_by(self, other: &Self) -> Self {
        let bounds = other.rights.layers().iter().cloned();
        let rights = bounds.fold((*self.rights).clone(), Rights::within);
        Self {
            visibility: Arc::new(rights.visibility()),
            rights: Arc::new(rights),
            credential: other.credential.clone(),
            surface: other.surface,
            impersonator: Some(Arc::clone(&other.name)),
            ..self
        }
    }

    /// Whether that may be done with such an object.
    #[must_use]
    pub fn may(&self, role: Role, facts: &Facts<'_>) -> Decision {
        self.rights.decide(|grants| grants.allows(role, facts))
    }

    /// Whether that tool of a server may be called.
    #[must_use]
    pub fn may_call(&self, facts: &Facts<'_>, tool: &str) -> Decision {
        self.rights.decide(|grants| grants.allows_tool(facts, tool))
    }

    /// Whether that may be done with the daemon.
    #[must_use]
    pub fn may_operate(&self, operation: Operation) -> Decision {
        self.rights.decide(|grants| grants.allows_operation(operation))
    }
}

/// What somebody may do.
#[derive(Debug, Clone, PartialEq)]
pub enum Rights {
    /// Anything: the daemon's own. No credential leads here.
    Unbounded,
    /// What all of these allow; without any, nothing.
    Layers(Vec<Arc<Grants>>),
}

/// What one source of rights allows, all of its grants together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grants {
    /// On objects.
    pub on_objects: Vec<Grant>,
    /// On the daemon, and by which rule.
    pub operations: Vec<(Operation, Arc<str>)>,
}

impl Grants {
    /// Whether everything that `others` allow is allowed by these alone, whatever objects there are; or one that is not.
    #[must_use]
    pub fn lacks<'o>(&self, others: &'o Self) -> Option<Lacking<'o>> {
        let operation = others.operations.iter().map(|(operation, _)| *operation);
        let mut operation = operation.filter(|operation| self.allows_operation(*operation).is_none());
        if let Some(operation) = operation.next() {
            return Some(Lacking::Operation(operation));
        }
        others.on_objects.iter().find_map(|wanted| {
            let held = |role: &Role| {
                self.on_objects.iter().any(|grant| {
                    grant.roles.contains(role)
                        && grant.reach.includes(&wanted.reach)
                        && (*role != Role::Run || grant.tools.is_none() || grant.tools == wanted.tools)
                })
            };
            let role = wanted.roles.iter().find(|role| !held(role))?;
            Some(Lacking::Role(*role, &wanted.reach))
        })
    }

    /// Whether that role is granted on every object there is, and by which rule.
    fn everywhere(&self, role: Role) -> Option<&Arc<str>> {
        let everywhere =
            |grant: &&Grant| grant.roles.contains(&role) && grant.tools.is_none() && grant.reach == Reach::default();
        self.on_objects.iter().find(everywhere).map(|grant| &grant.rule)
    }

    fn allows(&self, role: Role, facts: &Facts<'_>) -> Option<&Arc<str>> {
        let grants = self.on_objects.iter().filter(|grant| grant.roles.contains(&role));
        first(grants, |grant| grant.reach.covers(facts))
    }

    fn allows_tool(&self, facts: &Facts<'_>, tool: &str) -> Option<&Arc<str>> {
        let grants = self.on_objects.iter().filter(|grant| grant.roles.contains(&Role::Run));
        first(grants, |grant| grant.admits_tool(tool) && grant.reach.covers(facts))
    }

    /// What is allowed with an object as it is to be, and not as it is.
    fn gain(&self, before: &Facts<'_>, after: &Facts<'_>) -> Option<Gain> {
        let is_gained = |role: &Role| self.allows(*role, after).is_some() && self.allows(*role, before).is_none();
        if let Some(role) = Role::ALL.into_iter().find(is_gained) {
            return Some(Gain::Role(role));
        }
        let now = self.filters(after)?;
        let known = self.filters(before).unwrap_or_default();
        let is_new = |filter: &Option<&Filter>| !known.contains(&None) && !known.contains(filter);
        now.iter().any(is_new).then_some(Gain::Tools)
    }

    /// What narrows the tools of a server that may be run, grant by grant; nothing when it may not be run at all.
    fn filters(&self, facts: &Facts<'_>) -> Option<Vec<Option<&Filter>>> {
        let runs = |grant: &&Grant| grant.roles.contains(&Role::Run) && grant.reach.covers(facts);
        let found: Vec<_> = self
            .on_objects
            .iter()
            .filter(runs)
            .map(|grant| grant.tools.as_ref())
            .collect();
        (!found.is_empty()).then_some(found)
    }

    fn allows_operation(&self, operation: Operation) -> Option<&Arc<str>> {
        let granted = self.operations.iter().find(|(granted, _)| *granted == operation);
        granted.map(|(_, rule)| rule)
    }
}

fn first<'g>(mut grants: impl Iterator<Item = &'g Grant>, covers: impl Fn(&Grant) -> bool) -> Option<&'g Arc<str>> {
    grants.find(|grant| covers(grant)).map(|grant| &grant.rule)
}

impl Rights {
    /// No rights at all.
    #[must_use]
    pub const fn none() -> Self {
        Self::Layers(Vec::new())
    }

    /// Whether everything that the other ones allow is allowed by these for sure, whatever objects there are.
    #[must_use]
    pub fn includes(&self, others: &Self) -> bool {
        match (self, others) {
            (Self::Unbounded, _) => true,
            (Self::Layers(_), Self::Unbounded) => false,
            (Self::Layers(own), Self::Layers(others)) => {
                let is_wide = |layer: &Arc<Grants>| others.iter().any(|other| layer.lacks(other).is_none());
                others.is_empty() || (!own.is_empty() && own.iter().all(is_wide))
            }
        }
    }

    /// The same rights, within another bound.
    #[must_use]
    pub fn within(self, bound: Arc<Grants>) -> Self {
        match self {
            Self::Unbounded => Self::Layers(vec![bound]),
            Self::Layers(mut layers) => {
                // Nothing stays nothing.
                if !layers.is_empty() {
                    layers.push(bound);
                }
                Self::Layers(layers)
            }
        }
    }

    /// Whether everything that `wanted` allows is allowed here for sure; or something that is not.
    #[must_use]
    pub fn lack<'w>(&self, wanted: &'w Grants) -> Option<Lacking<'w>> {
        match self {
            Self::Unbounded => None,
            Self::Layers(layers) if layers.is_empty() => Grants::default().lacks(wanted),
            Self::Layers(layers) => layers.iter().find_map(|layer| layer.lacks(wanted)),
        }
    }

    /// What any one of the bounds would allow with an object as it is to be, and does not as it is. Each bound counts alone:
    /// what a narrow credential does not get, whoever it belongs to does.
    #[must_use]
    pub fn gain(&self, before: &Facts<'_>, after: &Facts<'_>) -> Option<Gain> {
        self.layers().iter().find_map(|layer| layer.gain(before, after))
    }

    /// Whether that role is granted on every object there is, so that nobody needs to look at one.
    #[must_use]
    pub fn is_everywhere(&self, role: Role) -> bool {
        self.everywhere(role).is_allowed
    }

    /// Whether that role is granted on every object there is, and by which rule.
    #[must_use]
    pub fn everywhere(&self, role: Role) -> Decision {
        self.decide(|grants| grants.everywhere(role))
    }

    /// Which tools of a server that may be run may be called.
    #[must_use]
    pub fn tools(&self, facts: &Facts<'_>) -> ToolBounds {
        let runs = |grant: &&Grant| grant.roles.contains(&Role::Run) && grant.reach.covers(facts);
        let bound = |layer: &Arc<Grants>| {
            let grants = layer.on_objects.iter().filter(runs);
            grants.map(|grant| grant.tools.clone()).collect::<Option<Vec<Filter>>>()
        };
        ToolBounds(self.layers().iter().filter_map(bound).collect())
    }

    /// For each layer, what allows that; nothing where nothing does.
    #[must_use]
    pub fn explain(&self, role: Role, facts: &Facts<'_>) -> Vec<Option<String>> {
        self.explained(|grants| grants.allows(role, facts))
    }

    /// For each layer, what allows that tool to be called.
    #[must_use]
    pub fn explain_tool(&self, facts: &Facts<'_>, tool: &str) -> Vec<Option<String>> {
        self.explained(|grants| grants.allows_tool(facts, tool))
    }

    /// For each layer, what allows that operation.
    #[must_use]
    pub fn explain_operation(&self, operation: Operation) -> Vec<Option<String>> {
        self.explained(|grants| grants.allows_operation(operation))
    }

    /// For each layer, what allows that with some objects of a kind, in a project if one is named.
    #[must_use]
    pub fn explain_kind(&self, role: Role, kind: Kind, project: Option<&Name>) -> Vec<Option<String>> {
        self.explained(|grants| {
            let some = |grant: &&Grant| grant.roles.contains(&role) && grant.reach.may_cover(kind, project);
            grants.on_objects.iter().find(some).map(|grant| &grant.rule)
        })
    }

    fn explained<'r>(&'r self, allowed_by: impl Fn(&'r Grants) -> Option<&'r Arc<str>>) -> Vec<Option<String>> {
        let layers = self.layers().iter();
        layers.map(|layer| allowed_by(layer).map(ToString::to_string)).collect()
    }

    /// The layers; none when there are no bounds.
    #[must_use]
    pub fn layers(&self) -> &[Arc<Grants>] {
        match self {
            Self::Unbounded => &[],
            Self::Layers(layers) => layers,
        }
    }

    fn decide<'r>(&'r self, allowed_by: impl Fn(&'r Grants) -> Option<&'r Arc<str>>) -> Decision {
        let Self::Layers(layers) = self else {
            return Decision::allowed("the daemon itself".into());
        };
        let mut rule = None;
        for layer in layers {
            match allowed_by(layer) {
                // What somebody was granted tells more than what confines it.
                Some(by) => rule = rule.or(Some(by)),
                None => return Decision::denied(),
            }
        }
        rule.map_or_else(Decision::denied, |rule| Decision::allowed(Arc::clone(rule)))
    }

    fn visibility(&self) -> Visibility {
        let Self::Layers(layers) = self else {
            return Visibility::Everything;
        };
        let seen = |layer: &Arc<Grants>| -> Vec<Reach> {
            let grants = layer
                .on_objects
                .iter()
                .filter(|grant| grant.roles.contains(&Role::View));
            grants.map(|grant| grant.reach.clone()).collect()
        };
        let mut seen: Vec<Vec<Reach>> = layers.iter().map(seen).collect();
        if seen.is_empty() || seen.iter().any(Vec::is_empty) {
            return Visibility::Nothing;
        }
        // What covers everything bounds nothing.
        seen.retain(|reaches| !reaches.contains(&Reach::default()));
        match seen.is_empty() {
            true => Visibility::Everything,
            false => Visibility::Within(seen),
        }
    }
}

/// Which tools of a server somebody may call: those that one filter of each bound admits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ToolBounds(Vec<Vec<Filter>>);

impl ToolBounds {
    /// Whether that tool may be called.
    #[must_use]
    pub fn admit(&self, tool: &str) -> bool {
        let admits = |bound: &Vec<Filter>| bound.iter().any(|filter| filter.admits(tool));
        self.0.iter().all(admits)
    }

    /// Whether all of them may.
    #[must_use]
    pub const fn are_open(&self) -> bool {
        self.0.is_empty()
    }
}

/// Something that may be done with an object as it is to be, and may not be done as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gain {
    /// A role on it.
    Role(Role),
    /// To call tools of it that may not be called now.
    Tools,
}

/// What may be done, as part of a sentence that names the object next: `run`, `call more tools of`.
impl fmt::Display for Gain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "{role}"),
            Self::Tools => f.write_str("call more tools of"),
        }
    }
}

/// Something that is wanted and not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking<'r> {
    /// A role on such objects.
    Role(Role, &'r Reach),
    /// An operation.
    Operation(Operation),
}

impl fmt::Display for Lacking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role, reach) => write!(f, "{role} {reach}"),
            Self::Operation(operation) => write!(f, "the operation {operation}"),
        }
    }
}

/// What was decided, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may be done.
    pub is_allowed: bool,
    /// What allows it: `rolebinding/admin`. Nothing denies; what nothing allows has no rule.
    pub rule: Option<Arc<str>>,
}

impl Decision {
    /// That rule allows it.
    #[must_use]
    pub const fn allowed(rule: Arc<str>) -> Self {
        Self {
            is_allowed: true,
            rule: Some(rule),
        }
    }

    /// Nothing allows it.
    #[must_use]
    pub const fn denied() -> Self {
        Self {
            is_allowed: false,
            rule: None,
        }
    }
}

/// Which objects somebody may see.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Visibility {
    /// All of them.
    Everything,
    /// Those that at least one reach of each list covers.
    Within(Vec<Vec<Reach>>),
    /// None.
    #[default]
    Nothing,
}

impl Visibility {
    /// Whether such an object may be seen. What belongs to an object is seen with it.
    #[must_use]
    pub fn covers(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Within(all) => all
                .iter()
                .all(|reaches| reaches.iter().any(|reach| reach.covers(facts))),
            Self::Nothing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::name::ObjectRef;

    fn grants(roles: &[Role], reach: Reach) -> Arc<Grants> {
        let grant = Grant {
            roles: roles.to_vec(),
            reach,
            tools: None,
            rule: "rolebinding/x".into(),
        };
        let operations = vec![(Operation::Logs, "rolebinding/x".into())];
        let on_objects = vec![grant];
        Arc::new(Grants { on_objects, operations })
    }

    fn principal(layers: Vec<Arc<Grants>>) -> Principal {
        let subject = Subject::User("ann".parse().unwrap());
        Principal::new(subject, Credential::None, Rights::Layers(layers))
    }

    fn servers() -> Reach {
        Reach {
            kind: Some(Kind::Server),
            ..Reach::default()
        }
    }

    #[test]
    fn nothing_is_allowed_that_a_layer_does_not_allow() {
        let files = ObjectRef::cluster(Kind::Server, "files".parse().unwrap());
        let (labels, nowhere) = (BTreeMap::new(), |_: &Name| false);
        let facts = Facts::new(&files, &labels, &nowhere);
        let all = grants(&Role::ALL, Reach::default());
        for (layers, view, run, logs) in [
            (vec![], false, false, false),
            (vec![all.clone()], true, true, true),
            (vec![grants(&[Role::View], servers())], true, false, true),
            (vec![grants(&[Role::Edit], servers())], false, false, true),
            (vec![all.clone(), grants(&[Role::View], servers())], true, false, true),
            (vec![all.clone(), grants(&[Role::Run], servers())], false, true, true),
            (vec![all.clone(), Arc::default()], false, false, false),
            (vec![Arc::default(), all], false, false, false),
        ] {
            let who = principal(layers);
            assert_eq!(who.may(Role::View, &facts).is_allowed, view, "{who:?}");
            assert_eq!(who.visibility.covers(&facts), view, "{who:?}");
            assert_eq!(who.may(Role::Run, &facts).is_allowed, run, "{who:?}");
            assert_eq!(who.may_operate(Operation::Logs).is_allowed, logs, "{who:?}");
            assert!(!who.may_operate(Operation::Backup).is_allowed);
        }
        assert!(Principal::daemon().may(Role::Reveal, &facts).is_allowed);
    }

    #[test]
    fn rights_include_what_is_allowed_by_them_for_sure() {
        let all = || grants(&Role::ALL, Reach::default());
        let of = |role: Role| grants(&[role], servers());
        let layers = |layers: &[Arc<Grants>]| Rights::Layers(layers.to_vec());
        for (own, others, includes) in [
            (layers(&[all()]), layers(&[of(Role::View)]), true),
            (layers(&[of(Role::View)]), layers(&[all()]), false),
            (layers(&[of(Role::View)]), layers(&[of(Role::View)]), true),
            (layers(&[of(Role::View)]), layers(&[of(Role::Run)]), false),
            // Each layer bounds, and one that is not wider than any bounds more.
            (layers(&[all(), of(Role::View)]), layers(&[all()]), false),
            (layers(&[all()]), layers(&[all(), of(Role::View)]), true),
            (layers(&[]), layers(&[of(Role::View)]), false),
            (layers(&[of(Role::View)]), layers(&[]), true),
            (Rights::Unbounded, layers(&[all()]), true),
            (layers(&[all()]), Rights::Unbounded, false),
        ] {
            assert_eq!(own.includes(&others), includes, "{own:?} {others:?}");
        }
    }

    #[test]
    fn tools_are_bounded_by_each_layer() {
        let files = ObjectRef::cluster(Kind::Server, "files".parse().unwrap());
        let (labels, nowhere) = (BTreeMap::new(), |_: &Name| false);
        let facts = Facts::new(&files, &labels, &nowhere);
        let layer = |patterns: &[Option<&str>]| {
            let grant = |pattern: &Option<&str>| Grant {
                roles: vec![Role::Run],
                reach: servers(),
                tools: pattern.map(|pattern| Filter::parse(Some(&[pattern.to_owned()]), None).unwrap()),
                rule: "x".into(),
            };
            Arc::new(Grants {
                on_objects: patterns.iter().map(grant).collect(),
                operations: vec![],
            })
        };
        for (layers, open, read, write) in [
            (vec![layer(&[None])], true, true, true),
            (vec![layer(&[Some("read_*")])], false, true, false),
            (vec![layer(&[Some("read_*"), Some("write_*")])], false, true, true),
            (vec![layer(&[Some("read_*"), None])], true, true, true),
            (vec![layer(&[None]), layer(&[Some("write_*")])], false, false, true),
            (
                vec![layer(&[Some("read_*")]), layer(&[Some("write_*")])],
                false,
                false,
                false,
            ),
        ] {
            let who = principal(layers);
            let bounds = who.rights.tools(&facts);
            assert_eq!(bounds.are_open(), open, "{bounds:?}");
            for (tool, may) in [("read_file", read), ("write_file", write)] {
                assert_eq!(bounds.admit(tool), may, "{tool} {bounds:?}");
                assert_eq!(who.may_call(&facts, tool).is_allowed, may, "{tool} {bounds:?}");
            }
        }
    }

    #[test]
    fn what_labels_would_give_is_told_for_each_bound() {
        let files = ObjectRef::cluster(Kind::Server, "files".parse().unwrap());
        let nowhere = |_: &Name| false;
        let labelled = |env: &str| BTreeMap::from([("env".to_owned(), env.to_owned())]);
        let layer = |grants: &[(Role, Option<&str>, Option<&str>)]| {
            let grant = |(role, labels, tools): &(Role, Option<&str>, Option<&str>)| Grant {
                roles: vec![*role],
                reach: Reach {
                    labels: labels.map(|labels| labels.parse().unwrap()),
                    ..servers()
                },
                tools: tools.map(|tools| Filter::parse(Some(&[tools.to_owned()]), None).unwrap()),
                rule: "x".into(),
            };
            Arc::new(Grants {
                on_objects: grants.iter().map(grant).collect(),
                operations: vec![],
            })
        };
        let (edit, run) = ((Role::Edit, None, None), (Role::Run, Some("env=prod"), None));
        for (layers, gained) in [
            (vec![layer(&[edit])], None),
            (vec![layer(&[edit, run])], Some(Gain::Role(Role::Run))),
            (
                vec![layer(&[edit, (Role::View, Some("env!=dev"), None)])],
                Some(Gain::Role(Role::View)),
            ),
            // What is held anyway is not gained, and neither is what is lost.
            (vec![layer(&[edit, run, (Role::Run, None, None)])], None),
            (vec![layer(&[edit, (Role::Run, Some("env=dev"), None)])], None),
            // A narrow token gets nothing; its owner would.
            (vec![layer(&[edit, run]), layer(&[edit])], Some(Gain::Role(Role::Run))),
            (vec![layer(&[edit]), layer(&[edit, run])], Some(Gain::Role(Role::Run))),
            (
                vec![layer(&[(Role::Run, None, Some("read_*")), run])],
                Some(Gain::Tools),
            ),
            (
                vec![layer(&[
                    (Role::Run, None, Some("read_*")),
                    (Role::Run, Some("env=prod"), Some("write_*")),
                ])],
                Some(Gain::Tools),
            ),
            (
                vec![layer(&[
                    (Role::Run, None, Some("read_*")),
                    (Role::Run, Some("env=prod"), Some("read_*")),
                ])],
                None,
            ),
            (
                vec![layer(&[
                    (Role::Run, None, None),
                    (Role::Run, Some("env=prod"), Some("read_*")),
                ])],
                None,
            ),
        ] {
            let (dev, prod) = (labelled("dev"), labelled("prod"));
            let before = Facts::new(&files, &dev, &nowhere);
            let after = Facts::new(&files, &prod, &nowhere);
            let told = format!("{layers:?}");
            assert_eq!(Rights::Layers(layers).gain(&before, &after), gained, "{told}");
            assert_eq!(Rights::Unbounded.gain(&before, &after), None);
        }
    }

    #[test]
    fn nothing_stays_nothing_within_any_bound() {
        let all = grants(&Role::ALL, Reach::default());
        assert_eq!(Rights::none().within(Arc::clone(&all)), Rights::none());
        assert_eq!(Rights::Unbounded.within(Arc::clone(&all)), Rights::Layers(vec![all]));
    }
}
