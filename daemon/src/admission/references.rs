//! Whether everything that is named is there: in the store or in the same set, with the key that is asked for, in no circle.

use std::collections::{BTreeMap, BTreeSet};

use orch_shared::access::{Principal, Role};
use orch_shared::kind::{AnySpec, Kind, Lookup, Reference, Report};
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, FieldProblem, near_miss};
use orch_shared::resource::Resource;

use super::circles::circles;
use super::{admitted, permission, personal};
use crate::store::{Object, Transaction};

/// For so many missing names the one that was probably meant is looked for.
const LOOKED_FOR: usize = 100;
/// So many names of a circle are told.
const TOLD: usize = 8;

/// The world as it will be when the set is written: the set itself over what is stored, without what goes.
pub(super) struct World {
    specs: BTreeMap<ObjectRef, Box<dyn AnySpec>>,
    /// On their way out: they are there, but nothing may begin to name them.
    going: BTreeMap<ObjectRef, Departure>,
    /// Named and not there, each with the name that was probably meant.
    near: BTreeMap<ObjectRef, String>,
    /// Secrets, servers and models that may be seen, and not used.
    locked: BTreeSet<ObjectRef>,
    /// Templates that hand out Secrets which somebody may not use.
    lent: BTreeSet<ObjectRef>,
}

/// Why an object will not stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    /// It is being deleted.
    Deleted,
    /// This very apply prunes it.
    Pruned,
}

impl Lookup for World {
    fn spec(&self, object: &ObjectRef) -> Option<&dyn AnySpec> {
        self.specs.get(object).map(AsRef::as_ref)
    }
}

impl World {
    /// Loads what the set names and does not hold itself.
    pub(super) async fn load(
        transaction: &mut Transaction,
        set: &[&Resource],
        pruned: BTreeSet<ObjectRef>,
        principal: &Principal,
    ) -> Result<Self, crate::store::Error> {
        let mut world = Self {
            specs: BTreeMap::new(),
            going: pruned.into_iter().map(|object| (object, Departure::Pruned)).collect(),
            near: BTreeMap::new(),
            locked: BTreeSet::new(),
            lent: BTreeSet::new(),
        };
        for resource in set {
            world.specs.insert(resource.reference(), resource.spec.clone());
        }
        let named = |resource: &Resource| {
            admitted::references(resource)
                .into_iter()
                .map(|reference| reference.target)
        };
        let mut wanted: BTreeSet<ObjectRef> = set.iter().flat_map(|resource| named(resource)).collect();
        let asked = wanted.clone();
        // References lead on within a kind (a fallback has fallbacks), so that circles are seen whole.
        while !wanted.is_empty() {
            let missing: Vec<_> = wanted
                .into_iter()
                .filter(|target| !world.specs.contains_key(target))
                .collect();
            wanted = BTreeSet::new();
            for row in transaction.load(&missing).await?.into_iter().flatten() {
                let object = Object::parse(&row)?;
                if world.going.contains_key(&object.object) {
                    continue;
                }
                if object.deleting_since.is_some() {
                    world.going.insert(object.object, Departure::Deleted);
                    continue;
                }
                let onward = object.spec.references().into_iter().map(|reference| reference.target);
                wanted.extend(onward.filter(|target| target.kind == object.object.kind));
                world.specs.insert(object.object, object.spec);
            }
        }
        world.load_chosen(transaction, set).await?;
        let missing: Vec<_> = asked
            .into_iter()
            .filter(|target| !world.specs.contains_key(target) && !world.going.contains_key(target))
            .collect();
        for missing in missing.into_iter().take(LOOKED_FOR) {
            world.look_beside(transaction, missing, principal).await?;
        }
        Ok(world)
    }

    /// Loads the Prompts that Personalities may mean, wherever those may be.
    async fn load_chosen(
        &mut self,
        transaction: &mut Transaction,
        set: &[&Resource],
    ) -> Result<(), crate::store::Error> {
        let places = set.iter().flat_map(|resource| personal::places(resource, self));
        let missing: Vec<ObjectRef> = places
            .filter(|place| !self.specs.contains_key(place) && !self.going.contains_key(place))
            .collect();
        for row in transaction.load(&missing).await?.into_iter().flatten() {
            let object = Object::parse(&row)?;
            if object.deleting_since.is_none() {
                self.specs.insert(object.object, object.spec);
            }
        }
        Ok(())
    }

    /// Looks for the name that was probably meant by one that nothing bears.
    async fn look_beside(
        &mut self,
        transaction: &mut Transaction,
        missing: ObjectRef,
        principal: &Principal,
    ) -> Result<(), crate::store::Error> {
        // Names of what somebody may not see are not for guessing at.
        let stored = match principal.rights.is_everywhere(Role::View) {
            true => transaction.names_beside(&missing).await?,
            false => Vec::new(),
        };
        let in_set = self
            .specs
            .keys()
            .filter(|object| object.kind == missing.kind && object.scope == missing.scope);
        let names = stored
            .iter()
            .map(String::as_str)
            .chain(in_set.map(|object| object.name.as_str()));
        if let Some(near) = near_miss(missing.name.as_str(), names).map(str::to_owned) {
            self.near.insert(missing, near);
        }
        Ok(())
    }

    /// Takes out what an object names anew and somebody may not see: for them it is not there. What they may see and may not
    /// lend is noted. A Secret is asked for each time: what it is handed to may be another program by now.
    pub(super) async fn hide(
        &mut self,
        transaction: &mut Transaction,
        principal: &Principal,
        resource: &Resource,
        before: Option<&Resource>,
    ) -> Result<(), crate::store::Error> {
        let named_before = before.map(admitted::references).unwrap_or_default();
        for reference in admitted::references(resource) {
            let target = reference.target;
            // Whoever is granted something in a project is granted it on the servers that the project lists.
            let is_lent = resource.kind == Kind::Project && target.kind == Kind::Server;
            // Whoever may run an agent has its model asked.
            let is_asked = resource.kind == Kind::Agent && target.kind == Kind::Llm;
            let is_used = target.kind == Kind::Secret || is_lent || is_asked;
            if resource.kind == Kind::Server && target.kind == Kind::Template {
                self.hide_template(transaction, principal, &target).await?;
            }
            if target.kind != Kind::Secret && named_before.iter().any(|before| before.target == target) {
                continue;
            }
            let is_free =
                principal.rights.is_everywhere(Role::View) && (!is_used || principal.rights.is_everywhere(Role::Run));
            if is_free || !self.specs.contains_key(&target) {
                continue;
            }
            // What is made in the same set is whoever's who makes it.
            let Some(row) = transaction.load(std::slice::from_ref(&target)).await?.pop().flatten() else {
                continue;
            };
            let known = transaction.known(&row, &principal.rights).await?;
            if !permission::may(principal, Role::View, &known) {
                self.specs.remove(&target);
            } else if is_used && !permission::may(principal, Role::Run, &known) {
                self.locked.insert(target);
            }
        }
        self.hide_chosen(transaction, principal, resource).await
    }

    /// Takes out Prompts that a Personality may mean and somebody may not see.
    async fn hide_chosen(
        &mut self,
        transaction: &mut Transaction,
        principal: &Principal,
        resource: &Resource,
    ) -> Result<(), crate::store::Error> {
        if principal.rights.is_everywhere(Role::View) {
            return Ok(());
        }
        for place in personal::places(resource, self) {
            let Some(row) = transaction.load(std::slice::from_ref(&place)).await?.pop().flatten() else {
                continue;
            };
            let known = transaction.known(&row, &principal.rights).await?;
            if !permission::may(principal, Role::View, &known) {
                self.specs.remove(&place);
            }
        }
        Ok(())
    }

    /// Notes a Template that hands out a Secret which somebody may not use: what it is handed to is theirs to say.
    async fn hide_template(
        &mut self,
        transaction: &mut Transaction,
        principal: &Principal,
        template: &ObjectRef,
    ) -> Result<(), crate::store::Error> {
        if principal.rights.is_everywhere(Role::Run) {
            return Ok(());
        }
        let lent = self
            .specs
            .get(template)
            .map(|spec| spec.references())
            .unwrap_or_default();
        for reference in lent
            .into_iter()
            .filter(|reference| reference.target.kind == Kind::Secret)
        {
            let rows = transaction.load(std::slice::from_ref(&reference.target)).await?;
            let Some(row) = rows.into_iter().next().flatten() else {
                continue;
            };
            let known = transaction.known(&row, &principal.rights).await?;
            if !permission::may(principal, Role::Run, &known) {
                self.lent.insert(template.clone());
            }
        }
        Ok(())
    }

    /// What is wrong with what an object names.
    pub(super) fn check(&self, resource: &Resource) -> Vec<FieldProblem> {
        let references = admitted::references(resource);
        let mut problems: Vec<_> = references
            .iter()
            .filter_map(|reference| self.check_one(reference))
            .collect();
        problems.extend(personal::check(resource, self));
        if problems.is_empty() {
            let mut report = Report::default();
            resource.spec.validate_with(self, &mut report);
            problems.extend(report.into_problems());
        }
        problems
    }

    fn check_one(&self, reference: &Reference) -> Option<FieldProblem> {
        let Reference { target, key, path } = reference;
        let noun = target.kind.meta().singular;
        if self.locked.contains(target) {
            let message = format!("{noun} `{}` may not be used by you", target.name);
            let problem = FieldProblem::new(Code::Forbidden, path.clone(), message);
            let why = "naming it here lets others, or a program, use it: that needs the role `run` on it";
            return Some(problem.hint(why));
        }
        if self.lent.contains(target) {
            let message = format!(
                "{noun} `{}` hands out a Secret that may not be used by you",
                target.name
            );
            let problem = FieldProblem::new(Code::Forbidden, path.clone(), message);
            return Some(problem.hint("that needs the role `run` on the Secret"));
        }
        let Some(spec) = self.specs.get(target) else {
            let (fate, hint) = match self.going.get(target) {
                Some(Departure::Pruned) => (
                    "would be pruned by this very apply",
                    "keep it in the files, or take this reference out".to_owned(),
                ),
                Some(Departure::Deleted) => ("is being deleted", "apply it again once it is gone".to_owned()),
                None => ("does not exist", self.instead_of(target)),
            };
            let message = format!("{noun} `{}` {fate}", target.name);
            return Some(FieldProblem::new(Code::ReferenceMissing, path.clone(), message).hint(hint));
        };
        let key = key.as_deref().filter(|key| !spec.has_key(key))?;
        let problem = FieldProblem::new(
            Code::ReferenceMissing,
            path.key("key"),
            format!("{noun} `{}` has no key `{key}`", target.name),
        );
        let keys = spec.keys();
        Some(match near_miss(key, keys.iter().copied()) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None if keys.is_empty() => problem.hint("it has no keys at all"),
            None => problem.hint(format!("it has: {}", keys.join(", "))),
        })
    }

    fn instead_of(&self, missing: &ObjectRef) -> String {
        match self.near.get(missing) {
            Some(near) => format!("did you mean `{near}`? or apply it in the same set"),
            None => "apply it first, or in the same set".to_owned(),
        }
    }

    /// The circles that objects of one kind make, each told at the first of `objects` on it, by its place among them.
    pub(super) fn check_circles(&self, objects: &[(usize, &Resource)]) -> Vec<FieldProblem> {
        let onward = |from: &ObjectRef| {
            let references = self.specs.get(from).map(|spec| spec.references()).unwrap_or_default();
            let targets = references.into_iter().map(|reference| reference.target);
            targets.filter(|target| target.kind == from.kind).collect()
        };
        let places: BTreeMap<ObjectRef, (usize, &Resource)> = objects
            .iter()
            .map(|(index, resource)| (resource.reference(), (*index, *resource)))
            .collect();
        let found = circles(objects.iter().map(|(_, resource)| resource.reference()), onward);
        found
            .into_iter()
            .filter_map(|mut circle| {
                let begins = (0..circle.len())
                    .filter(|at| places.contains_key(&circle[*at]))
                    .min_by_key(|at| places[&circle[*at]].0)?;
                circle.rotate_left(begins);
                let (index, resource) = places[&circle[0]];
                let next = circle.get(1).unwrap_or(&circle[0]);
                let reference = resource.spec.references().into_iter().find(|way| way.target == *next)?;
                let message = format!("the references go in a circle: {}", around(&circle));
                let problem = FieldProblem::new(Code::InvalidValue, reference.path, message);
                Some(problem.hint("take one of them out").in_object(index))
            })
            .collect()
    }
}

/// `a -> b -> a`.
fn around(circle: &[ObjectRef]) -> String {
    let mut names: Vec<&str> = circle.iter().take(TOLD).map(|object| object.name.as_str()).collect();
    let rest = circle.len() - names.len();
    let more = format!("({rest} more)");
    if rest > 0 {
        names.push(&more);
    }
    names.extend(circle.first().map(|object| object.name.as_str()));
    names.join(" -> ")
}
