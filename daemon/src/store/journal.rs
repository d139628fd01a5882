//! What only accumulates during a transaction: entries of the change log, and generations for the history. Gathered in
//! memory, written once before the commit, however many writes share it.

use std::collections::HashMap;

use orch_shared::name::ObjectRef;
use orch_shared::resource::Timestamp;

use super::sql::{Rows, Statement};
use super::{Generation, Retention};

/// What accumulated so far.
#[derive(Debug, Default)]
pub(super) struct Journal {
    changes: Vec<LoggedChange>,
    generations: Vec<LoggedGeneration>,
    /// Objects that are gone again, and how many generations there were by then: their history went with them.
    removed: Vec<(String, usize)>,
}

/// A place to return to.
#[derive(Debug, Clone, Copy)]
pub(super) struct JournalMark {
    changes: usize,
    generations: usize,
    removed: usize,
}

/// An entry of the change log.
#[derive(Debug)]
pub(super) struct LoggedChange {
    pub(super) revision: i64,
    pub(super) created_revision: i64,
    pub(super) uid: String,
    pub(super) object: ObjectRef,
    pub(super) fate: Fate,
    /// The last wire text of an object that is gone.
    pub(super) removed: Option<String>,
}

/// What a write does to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It makes it.
    Made,
    /// It changes it.
    Changed,
    /// It removes it, or has it removed once it is cleaned up after.
    Gone,
}

/// A generation of an object.
#[derive(Debug)]
pub(super) struct LoggedGeneration {
    pub(super) uid: String,
    pub(super) generation: i64,
    pub(super) revision: i64,
    pub(super) by: String,
    pub(super) verb: String,
    pub(super) metadata: String,
    pub(super) spec: String,
}

impl Journal {
    pub(super) fn log(&mut self, change: LoggedChange) {
        if change.removed.is_some() {
            self.removed.push((change.uid.clone(), self.generations.len()));
        }
        self.changes.push(change);
    }

    pub(super) fn keep(&mut self, generation: LoggedGeneration) {
        self.generations.push(generation);
    }

    pub(super) fn mark(&self) -> JournalMark {
        JournalMark {
            changes: self.changes.len(),
            generations: self.generations.len(),
            removed: self.removed.len(),
        }
    }

    /// What has become of each object since, in the order in which they were first changed.
    pub(super) fn fates(&self, mark: JournalMark) -> Vec<(ObjectRef, Fate)> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut fates: Vec<(ObjectRef, Fate)> = Vec::new();
        for change in &self.changes[mark.changes..] {
            match places.get(change.uid.as_str()) {
                None => {
                    places.insert(&change.uid, fates.len());
                    fates.push((change.object.clone(), change.fate));
                }
                // What is made and then changed was made.
                Some(place) => match change.fate {
                    Fate::Made | Fate::Changed => {}
                    Fate::Gone => fates[*place].1 = Fate::Gone,
                },
            }
        }
        fates
    }

    pub(super) fn return_to(&mut self, mark: JournalMark) {
        self.changes.truncate(mark.changes);
        self.generations.truncate(mark.generations);
        self.removed.truncate(mark.removed);
    }

    /// A generation that is not written yet.
    pub(super) fn generation(&self, uid: &str, generation: i64, at: Timestamp) -> Option<Generation> {
        let mut lasting = self.lasting();
        let found = lasting.find(|kept| kept.uid == uid && kept.generation == generation)?;
        Some(Generation {
            generation: found.generation,
            revision: found.revision,
            at,
            by: found.by.clone(),
            verb: found.verb.clone(),
            metadata: found.metadata.clone(),
            spec: found.spec.clone(),
        })
    }

    /// The generations of objects that were not removed afterwards.
    fn lasting(&self) -> impl Iterator<Item = &LoggedGeneration> {
        let removed: HashMap<&str, usize> = self
            .removed
            .iter()
            .map(|(uid, by_then)| (uid.as_str(), *by_then))
            .collect();
        let lasts = move |index: usize, kept: &LoggedGeneration| {
            removed.get(kept.uid.as_str()).is_none_or(|by_then| index >= *by_then)
        };
        let numbered = self.generations.iter().enumerate();
        numbered
            .filter(move |(index, kept)| lasts(*index, kept))
            .map(|(_, kept)| kept)
    }

    /// The statements that write everything down.
    pub(super) fn statements(&self, at: Timestamp, keep: &Retention) -> Vec<Statement<'_>> {
        let mut history = Rows::of(8);
        let mut outgrown = Rows::of(2);
        for kept in self.lasting() {
            history.push([
                (&kept.uid).into(),
                kept.generation.into(),
                kept.revision.into(),
                at.millis().into(),
                (&kept.by).into(),
                (&kept.verb).into(),
                (&kept.metadata).into(),
                (&kept.spec).into(),
            ]);
            if kept.generation > keep.generations {
                outgrown.push([(&kept.uid).into(), (kept.generation - keep.generations).into()]);
            }
        }
        let mut changes = Rows::of(8);
        for change in &self.changes {
            changes.push([
                change.revision.into(),
                change.created_revision.into(),
                (&change.uid).into(),
                change.object.kind.as_str().into(),
                change.object.scope.to_column().into(),
                change.object.name.as_str().into(),
                at.millis().into(),
                change.removed.as_deref().into(),
            ]);
        }
        let history = history.statements(
            "INSERT INTO history (uid, generation, revision, made_at, made_by, verb, metadata, spec)",
            "",
        );
        let outgrown = outgrown.statements(
            "DELETE FROM history WHERE (uid, generation) IN (SELECT h.uid, h.generation FROM (",
            ") AS v CROSS JOIN history h WHERE h.uid = v.column1 AND h.generation <= v.column2)",
        );
        let changes = changes.statements(
            "INSERT INTO change (revision, created_revision, uid, kind, scope, name, made_at, removed)",
            "",
        );
        history.into_iter().chain(outgrown).chain(changes).collect()
    }
}
