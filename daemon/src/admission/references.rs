//! Whether everything that is named is there: in the store or in the same set, with the key that is asked for, in no circle.

use std::collections::{BTreeMap, BTreeSet};

use orch_shared::kind::{AnySpec, Lookup, Reference, Report};
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, FieldProblem, near_miss};
use orch_shared::resource::Resource;

use super::admitted;
use crate::store::{Object, Transaction};

/// The world as it will be when the set is written: the set itself over what is stored, without what goes.
pub(super) struct World {
    specs: BTreeMap<ObjectRef, Box<dyn AnySpec>>,
    /// On their way out: they are there, but nothing may begin to name them.
    going: BTreeSet<ObjectRef>,
    /// Named and not there, each with the name that was probably meant.
    near: BTreeMap<ObjectRef, String>,
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
        going: BTreeSet<ObjectRef>,
    ) -> Result<Self, crate::store::Error> {
        let mut world = Self {
            specs: BTreeMap::new(),
            going,
            near: BTreeMap::new(),
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
                if object.deleting_since.is_some() || world.going.contains(&object.object) {
                    world.going.insert(object.object);
                    continue;
                }
                let onward = object.spec.references().into_iter().map(|reference| reference.target);
                wanted.extend(onward.filter(|target| target.kind == object.object.kind));
                world.specs.insert(object.object, object.spec);
            }
        }
        for missing in asked {
            if !world.specs.contains_key(&missing) && !world.going.contains(&missing) {
                world.look_beside(transaction, missing).await?;
            }
        }
        Ok(world)
    }

    /// Looks for the name that was probably meant by one that nothing bears.
    async fn look_beside(
        &mut self,
        transaction: &mut Transaction,
        missing: ObjectRef,
    ) -> Result<(), crate::store::Error> {
        let stored = transaction.names_beside(&missing).await?;
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

    /// What is wrong with what an object names.
    pub(super) fn check(&self, resource: &Resource) -> Vec<FieldProblem> {
        let references = admitted::references(resource);
        let mut problems: Vec<_> = references
            .iter()
            .filter_map(|reference| self.check_one(reference))
            .collect();
        if problems.is_empty() {
            let mut report = Report::default();
            resource.spec.validate_with(self, &mut report);
            problems.extend(report.into_problems());
            problems.extend(self.circle(&resource.reference(), &references));
        }
        problems
    }

    fn check_one(&self, reference: &Reference) -> Option<FieldProblem> {
        let Reference { target, key, path } = reference;
        let noun = target.kind.meta().singular;
        let Some(spec) = self.specs.get(target) else {
            let message = if self.going.contains(target) {
                format!("{noun} `{}` is being deleted", target.name)
            } else {
                format!("{noun} `{}` does not exist", target.name)
            };
            let problem = FieldProblem::new(Code::ReferenceMissing, path.clone(), message);
            return Some(match self.near.get(target) {
                Some(near) => problem.hint(format!("did you mean `{near}`? or apply it in the same set")),
                None => problem.hint("apply it first, or in the same set"),
            });
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

    /// A circle of objects of one kind that begins with this one.
    fn circle(&self, start: &ObjectRef, references: &[Reference]) -> Option<FieldProblem> {
        references
            .iter()
            .filter(|reference| reference.target.kind == start.kind)
            .find_map(|reference| {
                let mut way = vec![start.clone()];
                self.leads_to(&reference.target, start, &mut way).then(|| {
                    let names: Vec<_> = way.iter().chain([start]).map(|object| object.name.as_str()).collect();
                    let message = format!("the references go in a circle: {}", names.join(" -> "));
                    FieldProblem::new(Code::InvalidValue, reference.path.clone(), message).hint("take one of them out")
                })
            })
    }

    fn leads_to(&self, from: &ObjectRef, end: &ObjectRef, way: &mut Vec<ObjectRef>) -> bool {
        if from == end {
            return true;
        }
        if way.contains(from) {
            return false;
        }
        way.push(from.clone());
        let onward = self.specs.get(from).map(|spec| spec.references()).unwrap_or_default();
        let found = onward
            .iter()
            .filter(|reference| reference.target.kind == end.kind)
            .any(|reference| self.leads_to(&reference.target, end, way));
        if !found {
            way.pop();
        }
        found
    }
}
