//! Who names whom, so that a change of an object is told to those who depend on it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use orch_shared::name::ObjectRef;

use super::agents;
use crate::store::{Object, Snapshot};

/// Who names whom.
#[derive(Default)]
pub(super) struct Referrers {
    by_target: HashMap<ObjectRef, HashSet<Arc<str>>>,
    by_uid: HashMap<Arc<str>, (i64, Vec<ObjectRef>)>,
}

impl Referrers {
    /// All of them.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut referrers = Self::default();
        for object in snapshot.iter() {
            referrers.note(&object.uid, Some(object));
        }
        referrers
    }

    /// Takes note of what an object names now; of nothing, when it is gone. Whether it says something new.
    pub(super) fn note(&mut self, uid: &Arc<str>, object: Option<&Object>) -> bool {
        let generation = object.map(|object| object.generation);
        if self
            .by_uid
            .get(uid)
            .is_some_and(|(known, _)| Some(*known) == generation)
        {
            return false;
        }
        for target in self.by_uid.remove(uid).map(|(_, targets)| targets).unwrap_or_default() {
            if let Some(known) = self.by_target.get_mut(&target) {
                known.remove(uid);
                if known.is_empty() {
                    self.by_target.remove(&target);
                }
            }
        }
        if let Some(object) = object {
            let targets: Vec<_> = object
                .spec
                .references()
                .into_iter()
                .map(|reference| reference.target)
                .chain(agents::followed(object))
                .collect();
            for target in &targets {
                self.by_target
                    .entry(target.clone())
                    .or_default()
                    .insert(Arc::clone(uid));
            }
            self.by_uid.insert(Arc::clone(uid), (object.generation, targets));
        }
        true
    }

    /// Who names that object.
    pub(super) fn to(&self, target: &ObjectRef) -> impl Iterator<Item = &Arc<str>> {
        self.by_target.get(target).into_iter().flatten()
    }
}
