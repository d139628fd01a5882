//! From what is declared to what somebody may do: pure, over one snapshot.

use std::collections::HashMap;
use std::sync::Arc;

use orch_shared::access::{Credential, Grant, Grants, Operation, Principal, Reach, Rights, Role, Subject};
use orch_shared::kind::Kind;
use orch_shared::kinds::group::Group;
use orch_shared::kinds::role_binding::{self, RoleBinding};
use orch_shared::kinds::service_account::ServiceAccount;
use orch_shared::kinds::token::{Rbac, Token, TokenPhase, TokenStatus};
use orch_shared::kinds::user::User;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::resource::Timestamp;

use crate::store::{Object, Snapshot};

/// The kinds of which rights are made.
pub const KINDS: [Kind; 5] = [
    Kind::User,
    Kind::Group,
    Kind::ServiceAccount,
    Kind::RoleBinding,
    Kind::Token,
];

/// Operations that a token which is confined to projects may still have: those that reach no further than what it sees.
const WITHIN_PROJECTS: [Operation; 2] = [Operation::Logs, Operation::Trigger];

/// Tells states of everything that rights are made of apart.
pub(super) type Epoch = [i64; KINDS.len()];

pub(super) fn epoch(snapshot: &Snapshot) -> Epoch {
    KINDS.map(|kind| snapshot.state_of(kind))
}

/// What each subject was granted by bindings.
#[derive(Debug, Default)]
pub(super) struct Bindings(HashMap<ObjectRef, Grants>);

impl Bindings {
    /// Reads all bindings.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self::naming(snapshot, |_| true)
    }

    /// Reads what bindings give to some of their subjects.
    fn naming(snapshot: &Snapshot, is_wanted: impl Fn(&ObjectRef) -> bool) -> Self {
        let mut granted: HashMap<ObjectRef, Grants> = HashMap::new();
        for object in present(snapshot, Kind::RoleBinding) {
            let Some(binding) = object.spec::<RoleBinding>() else {
                continue;
            };
            let subjects = binding.subjects.iter().flatten().map(role_binding::Subject::object);
            let mut subjects = subjects.filter(&is_wanted).peekable();
            if subjects.peek().is_none() {
                continue;
            }
            let rule: Arc<str> = format!("rolebinding/{}", object.object.name).into();
            let rights = role_binding::rights(binding.grants.as_deref(), binding.operations.as_deref(), &rule);
            for subject in subjects {
                add(granted.entry(subject).or_default(), &rights);
            }
        }
        Self(granted)
    }

    /// What a subject was granted: itself, and by its groups.
    pub(super) fn granted_to(&self, subject: &Subject, snapshot: &Snapshot) -> Grants {
        let mut granted = Grants::default();
        let groups = groups_with(subject, snapshot).map(|group| group.object.clone());
        for object in subject.object().into_iter().chain(groups) {
            if let Some(more) = self.0.get(&object) {
                add(&mut granted, more);
            }
        }
        granted
    }

    /// What an object was granted as a subject, without what it is a member of.
    pub(super) fn granted_to_object(&self, object: &ObjectRef) -> Grants {
        self.0.get(object).cloned().unwrap_or_default()
    }
}

fn add(granted: &mut Grants, more: &Grants) {
    granted.on_objects.extend(more.on_objects.iter().cloned());
    granted.operations.extend(more.operations.iter().cloned());
}

fn present(snapshot: &Snapshot, kind: Kind) -> impl Iterator<Item = &Arc<Object>> {
    let objects = snapshot.of_kind(kind);
    objects.filter(|object| object.deleting_since.is_none())
}

/// Whether a subject is there and may do anything.
pub(super) fn is_active(subject: &Subject, snapshot: &Snapshot) -> bool {
    let found = |object: ObjectRef| snapshot.get(&object).filter(|object| object.deleting_since.is_none());
    match subject {
        Subject::User(_) => subject
            .object()
            .and_then(found)
            .and_then(|object| object.spec::<User>())
            .is_some_and(User::is_active),
        Subject::ServiceAccount(_) => subject
            .object()
            .and_then(found)
            .and_then(|object| object.spec::<ServiceAccount>())
            .is_some_and(ServiceAccount::is_active),
        Subject::Daemon | Subject::Anybody => false,
    }
}

fn groups_with<'s>(subject: &Subject, snapshot: &'s Snapshot) -> impl Iterator<Item = &'s Arc<Object>> {
    let holds = move |group: &&Arc<Object>| group.spec::<Group>().is_some_and(|group| group.holds(subject));
    present(snapshot, Kind::Group).filter(holds)
}

/// The groups of a subject, in order.
pub(super) fn groups_of(subject: &Subject, snapshot: &Snapshot) -> Vec<Name> {
    let groups = groups_with(subject, snapshot);
    let mut names: Vec<Name> = groups.map(|group| group.object.name.clone()).collect();
    names.sort();
    names
}

/// The name of a token, behind its project if it lives in one.
pub(super) fn token_name(object: &ObjectRef) -> String {
    match &object.scope {
        Scope::Project(project) => format!("{project}/{}", object.name),
        Scope::Cluster | Scope::Agent(_) => object.name.to_string(),
    }
}

/// Who a token speaks for and what it may do, at that instant, and until when that is so; nothing when it opens nothing.
pub(super) fn of_token(
    object: &Object,
    bindings: &Bindings,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Option<(Principal, Option<Timestamp>)> {
    let (spec, status) = (object.spec::<Token>()?, object.status::<Token>()?);
    let usable = object.deleting_since.is_none() && status.phase_at(now) == TokenPhase::Active;
    let owner = status.owner().filter(|owner| usable && is_active(owner, snapshot))?;
    if !snapshot.was_there(&owner, object.created_at) {
        return None;
    }
    let of_owner = Arc::new(bindings.granted_to(&owner, snapshot));
    let mut rights = Rights::Layers(vec![of_owner]);
    let by_bindings = bindings.granted_to_object(&object.object);
    for layer in own_layers(spec, status, &object.object, &by_bindings) {
        rights = rights.within(Arc::new(layer));
    }
    let mut until = status.expires_at;
    let makers = makers(status, snapshot, now)?;
    for (spec, object) in std::iter::once((spec, &object.object)).chain(makers) {
        let Some(projects) = confined_to(spec, object) else {
            continue;
        };
        let (open, over): (Vec<_>, Vec<_>) = projects
            .into_iter()
            .partition(|(_, end)| end.is_none_or(|end| now < end));
        drop(over);
        let ends = open.iter().filter_map(|(_, end)| *end);
        until = until.into_iter().chain(ends).min();
        rights = rights.within(Arc::new(within(open.into_iter().map(|(project, _)| project))));
    }
    let credential = Credential::Token(token_name(&object.object).into());
    let mut principal = Principal::new(owner, credential, rights);
    principal.surface = spec.surface.unwrap_or_default();
    Some((principal, until))
}

/// The tokens that a token was made with, the nearest first; nothing when one of them is gone or opens nothing any more, and
/// with it those that were made with it. They end no later than they do by their own statuses.
fn makers<'s>(status: &TokenStatus, snapshot: &'s Snapshot, now: Timestamp) -> Option<Vec<(&'s Token, &'s ObjectRef)>> {
    let mut found: Vec<(&Token, &ObjectRef)> = Vec::new();
    let mut next = status.made_with.as_deref();
    while let Some(uid) = next {
        let maker = snapshot.by_uid(uid).filter(|maker| maker.deleting_since.is_none())?;
        let (spec, status) = (maker.spec::<Token>()?, maker.status::<Token>()?);
        // None was made with itself, whatever a database says.
        let is_known = found.iter().any(|(_, known)| **known == maker.object);
        if is_known || status.phase_at(now) != TokenPhase::Active {
            return None;
        }
        found.push((spec, &maker.object));
        next = status.made_with.as_deref();
    }
    Some(found)
}

/// What a token itself was given, also by bindings; one list for each bound, none when it is whatever its owner may do.
fn own_layers(spec: &Token, status: &TokenStatus, object: &ObjectRef, by_bindings: &Grants) -> Vec<Grants> {
    let rule: Arc<str> = format!("token/{}", token_name(object)).into();
    let mut own = role_binding::rights(spec.grants.as_deref(), spec.operations.as_deref(), &rule);
    add(&mut own, by_bindings);
    match spec.rbac.unwrap_or_default() {
        // What whoever made it for somebody else could do themselves.
        Rbac::Owner => status
            .cloned
            .iter()
            .map(|made_by| role_binding::rights(Some(&made_by.grants), Some(&made_by.operations), &rule))
            .collect(),
        Rbac::Empty => vec![own],
        Rbac::Clone if status.cloned.is_empty() => vec![own],
        Rbac::Clone => {
            let cloned = status.cloned.iter();
            cloned
                .map(|cloned| {
                    let mut layer = role_binding::rights(Some(&cloned.grants), Some(&cloned.operations), &rule);
                    add(&mut layer, &own);
                    layer
                })
                .collect()
        }
    }
}

/// The projects that a token is confined to, and until when it opens each; nothing when it is not confined.
#[must_use]
pub fn confined_to(spec: &Token, object: &ObjectRef) -> Option<Vec<(Name, Option<Timestamp>)>> {
    let listed = spec.projects.as_ref();
    let listed = listed.map(|projects| {
        projects
            .iter()
            .map(|scope| (scope.name.clone(), scope.expires_at))
            .collect()
    });
    match &object.scope {
        Scope::Cluster | Scope::Agent(_) => listed,
        // Whatever it lists, it leaves its own project no more than others do.
        Scope::Project(home) => Some(match listed {
            None => vec![(home.clone(), None)],
            Some(projects) => {
                let projects: Vec<(Name, Option<Timestamp>)> = projects;
                projects.into_iter().filter(|(project, _)| project == home).collect()
            }
        }),
    }
}

/// The projects that the token of that name is confined to at that instant, by itself and by what it was made with; nothing when
/// it is not confined. One that is not there opens none.
pub(super) fn projects_of(token: &str, snapshot: &Snapshot, now: Timestamp) -> Option<Vec<Name>> {
    let found = Token::called(token).and_then(|object| snapshot.get(&object));
    let known = found.and_then(|object| Some((object, object.spec::<Token>()?, object.status::<Token>()?)));
    let known = known.and_then(|(object, spec, status)| Some((object, spec, makers(status, snapshot, now)?)));
    let Some((object, spec, makers)) = known else {
        return Some(Vec::new());
    };
    let bounds = std::iter::once((spec, &object.object)).chain(makers);
    let bounds = bounds.filter_map(|(spec, object)| confined_to(spec, object));
    let open = |(project, end): (Name, Option<Timestamp>)| end.is_none_or(|end| now < end).then_some(project);
    let bounds = bounds.map(|projects| projects.into_iter().filter_map(open).collect::<Vec<Name>>());
    bounds.reduce(|left, bound| left.into_iter().filter(|project| bound.contains(project)).collect())
}

/// The bound of some projects.
fn within(projects: impl Iterator<Item = Name>) -> Grants {
    let on_objects = projects.map(|project| Grant {
        roles: Role::ALL.to_vec(),
        rule: format!("project/{project}").into(),
        reach: Reach {
            project: Some(project),
            ..Reach::default()
        },
        tools: None,
    });
    let rule: Arc<str> = "its projects".into();
    Grants {
        on_objects: on_objects.collect(),
        operations: WITHIN_PROJECTS.map(|operation| (operation, Arc::clone(&rule))).to_vec(),
    }
}

/// What a subject may do by what is declared in that snapshot.
#[must_use]
pub fn granted_to_subject(subject: &Subject, snapshot: &Snapshot) -> Grants {
    let groups = groups_with(subject, snapshot).map(|group| group.object.clone());
    let named: Vec<ObjectRef> = subject.object().into_iter().chain(groups).collect();
    Bindings::naming(snapshot, |object| named.contains(object)).granted_to(subject, snapshot)
}

/// What an object was granted as a subject of bindings.
#[must_use]
pub fn granted_to_object(object: &ObjectRef, snapshot: &Snapshot) -> Grants {
    Bindings::naming(snapshot, |named| named == object).granted_to_object(object)
}

/// What a token that is to be made may do at most, apart from whom it belongs to: one list for each bound; nothing when it
/// is whatever its owner may do. What it is confined to is taken into account, and what bindings give to its name is not.
#[must_use]
pub fn token_bounds(spec: &Token, object: &ObjectRef) -> Option<Vec<Grants>> {
    if spec.rbac.unwrap_or_default() == Rbac::Owner {
        return None;
    }
    let mut bounds = own_layers(spec, &TokenStatus::default(), object, &Grants::default());
    if let Some(projects) = confined_to(spec, object) {
        for bound in &mut bounds {
            let confined = bound.on_objects.iter().flat_map(|grant| {
                let narrower = projects.iter().map(|(project, _)| project);
                let fits = narrower.filter(|project| grant.reach.project.as_ref().is_none_or(|own| own == *project));
                fits.map(|project| {
                    let mut grant = grant.clone();
                    grant.reach.project = Some(project.clone());
                    grant
                })
            });
            bound.on_objects = confined.collect();
        }
    }
    Some(bounds)
}
