//! How objects are changed: in bulk, a few statements for any number of them, each checking in the statement what the
//! change relies on.
//!
//! Neighbouring mutations of one class become one run; an object is in a run only once, so that the order in which
//! mutations were given is the order in which they happen.

use std::collections::{BTreeMap, HashMap, HashSet};

use orch_shared::name::ObjectRef;
use orch_shared::resource::Timestamp;

use super::journal::{Fate, LoggedChange, LoggedGeneration};
use super::mutation::{Create, Declared, Generations, Update};
use super::sql::{Record, Rows, Statement};
use super::{Error, Mutation, Transaction};

/// Neighbouring mutations that the same statements do.
#[derive(Debug)]
enum Run {
    Create(Vec<Create>),
    Update(Vec<Update>),
    Touch(Vec<Touch>),
    Remove(Vec<String>),
}

/// A change of what the daemon owns of an object.
#[derive(Debug)]
struct Touch {
    uid: String,
    change: TouchChange,
}

#[derive(Debug)]
enum TouchChange {
    Status(String),
    MarkDeleting,
    Restart(Timestamp),
    ApplySet(Option<String>),
    Announce,
}

fn runs(mutations: Vec<Mutation>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut uids: HashSet<String> = HashSet::new();
    for mutation in mutations {
        let run = single(mutation);
        let apart = run.uids().any(|uid| uids.contains(uid));
        if apart {
            uids.clear();
        }
        uids.extend(run.uids().map(str::to_owned));
        match (runs.last_mut(), run) {
            (Some(Run::Create(run)), Run::Create(more)) if !apart => run.extend(more),
            (Some(Run::Update(run)), Run::Update(more)) if !apart => run.extend(more),
            (Some(Run::Touch(run)), Run::Touch(more)) if !apart => run.extend(more),
            (Some(Run::Remove(run)), Run::Remove(more)) if !apart => run.extend(more),
            (_, run) => runs.push(run),
        }
    }
    runs
}

fn single(mutation: Mutation) -> Run {
    let touch = |uid, change| Run::Touch(vec![Touch { uid, change }]);
    match mutation {
        Mutation::Create(create) => Run::Create(vec![*create]),
        Mutation::Update(update) => Run::Update(vec![*update]),
        Mutation::Status { uid, status } => touch(uid, TouchChange::Status(status)),
        Mutation::MarkDeleting { uid } => touch(uid, TouchChange::MarkDeleting),
        Mutation::Restart { uid, at } => touch(uid, TouchChange::Restart(at)),
        Mutation::ApplySet { uid, apply_set } => touch(uid, TouchChange::ApplySet(apply_set)),
        Mutation::Announce { uid } => touch(uid, TouchChange::Announce),
        Mutation::Remove { uid } => Run::Remove(vec![uid]),
    }
}

impl Run {
    fn uids(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Create(run) => Box::new(run.iter().map(|create| create.uid.as_str())),
            Self::Update(run) => Box::new(run.iter().map(|update| update.uid.as_str())),
            Self::Touch(run) => Box::new(run.iter().map(|touch| touch.uid.as_str())),
            Self::Remove(run) => Box::new(run.iter().map(String::as_str)),
        }
    }
}

/// What the change log needs to know of an object.
struct Head {
    object: ObjectRef,
    created_revision: i64,
}

impl Head {
    /// Reads uid, kind, scope, name, created_revision.
    fn read(record: Record<'_>) -> Result<(String, Self), Error> {
        let head = Self {
            object: record.object(1)?,
            created_revision: record.integer(4)?,
        };
        Ok((record.text(0)?.to_owned(), head))
    }

    fn changed(self, uid: String, revision: i64, fate: Fate) -> LoggedChange {
        LoggedChange {
            fate,
            revision,
            created_revision: self.created_revision,
            uid,
            object: self.object,
            removed: None,
        }
    }
}

impl Transaction {
    /// Changes objects, all or none; answers with the revision at which each stands after its change.
    ///
    /// # Errors
    /// What [`Mutation`] says of each, or when the database fails.
    pub async fn mutate(&mut self, mutations: Vec<Mutation>, by: &str) -> Result<Vec<i64>, Error> {
        let mut revisions = Vec::with_capacity(mutations.len());
        for run in runs(mutations) {
            let done = match run {
                Run::Create(run) => self.create(run, by).await,
                Run::Update(run) => self.update(run, by).await,
                Run::Touch(run) => self.touch(run).await,
                Run::Remove(run) => self.remove(run).await,
            };
            revisions.extend(self.noted(done)?);
        }
        Ok(revisions)
    }

    fn next_revision(&mut self) -> i64 {
        self.state.counts.revision += 1;
        self.state.counts.revision
    }

    async fn create(&mut self, run: Vec<Create>, by: &str) -> Result<Vec<i64>, Error> {
        let revisions: Vec<i64> = run.iter().map(|_| self.next_revision()).collect();
        let mut rows = Rows::of(16);
        for (create, revision) in run.iter().zip(&revisions) {
            let owner = create.owner.as_ref();
            rows.push([
                (&create.uid).into(),
                create.object.kind.as_str().into(),
                create.object.scope.to_column().into(),
                create.object.name.as_str().into(),
                1_i64.into(),
                (*revision).into(),
                (*revision).into(),
                (&create.declared.metadata).into(),
                (&create.declared.spec).into(),
                "{}".into(),
                create.apply_set.as_deref().into(),
                owner.map(|owner| owner.uid.as_str()).into(),
                owner.map(|owner| owner.kind.as_str()).into(),
                owner.map(|owner| owner.name.as_str()).into(),
                self.now.millis().into(),
                self.now.millis().into(),
            ]);
        }
        let statements = rows.statements(
            "INSERT INTO resource (uid, kind, scope, name, generation, revision, created_revision, metadata, spec, \
             status, apply_set, owner_uid, owner_kind, owner_name, created_at, updated_at)",
            "ON CONFLICT (kind, scope, name) DO NOTHING RETURNING uid",
        );
        let made: HashSet<String> = self.change(statements, |record| Ok(record.text(0)?.to_owned())).await?;
        if let Some(taken) = run.iter().find(|create| !made.contains(&create.uid)) {
            return Err(Error::Taken {
                object: Box::new(taken.object.clone()),
            });
        }
        self.insert_marks(run.iter().map(|create| (create.uid.as_str(), &create.declared)))
            .await?;
        for (create, revision) in run.into_iter().zip(&revisions) {
            self.note_generation(&create.uid, 1, *revision, create.declared, (by, create.verb));
            self.state.journal.log(LoggedChange {
                revision: *revision,
                created_revision: *revision,
                uid: create.uid,
                object: create.object,
                fate: Fate::Made,
                removed: None,
            });
        }
        Ok(revisions)
    }

    async fn update(&mut self, run: Vec<Update>, by: &str) -> Result<Vec<i64>, Error> {
        let revisions: Vec<i64> = run.iter().map(|_| self.next_revision()).collect();
        let generation = |update: &Update| match update.generation {
            Generations::Next => update.expect_generation + 1,
            Generations::Same => update.expect_generation,
        };
        let mut rows = Rows::of(8);
        for (update, revision) in run.iter().zip(&revisions) {
            rows.push([
                (&update.uid).into(),
                update.expect_generation.into(),
                generation(update).into(),
                (*revision).into(),
                (&update.declared.metadata).into(),
                (&update.declared.spec).into(),
                update.apply_set.as_deref().into(),
                self.now.millis().into(),
            ]);
        }
        let statements = rows.statements(
            "UPDATE resource SET generation = v.column3, revision = v.column4, metadata = v.column5, spec = v.column6, \
             apply_set = v.column7, updated_at = v.column8 FROM (",
            ") AS v WHERE resource.uid = v.column1 AND resource.generation = v.column2 \
             RETURNING uid, kind, scope, name, created_revision",
        );
        let mut heads: HashMap<String, Head> = self.change(statements, Head::read).await?;
        if let Some(lost) = run.iter().find(|update| !heads.contains_key(&update.uid)) {
            let uid = lost.uid.clone();
            return Err(match self.load_uid(&uid).await? {
                Some(_) => Error::Conflict { uid },
                None => Error::Gone { uid },
            });
        }
        self.replace_marks(&run).await?;
        for (update, revision) in run.into_iter().zip(&revisions) {
            let generation = generation(&update);
            match update.generation {
                Generations::Next => {
                    self.note_generation(&update.uid, generation, *revision, update.declared, (by, update.verb));
                }
                Generations::Same => {}
            }
            if let Some(head) = heads.remove(&update.uid) {
                self.state
                    .journal
                    .log(head.changed(update.uid, *revision, Fate::Changed));
            }
        }
        Ok(revisions)
    }

    fn note_generation(
        &mut self,
        uid: &str,
        generation: i64,
        revision: i64,
        declared: Declared,
        (by, verb): (&str, String),
    ) {
        self.state.journal.keep(LoggedGeneration {
            uid: uid.to_owned(),
            generation,
            revision,
            by: by.to_owned(),
            verb,
            metadata: declared.metadata,
            spec: declared.spec,
        });
    }

    /// Changes only what differs from what is stored; the statement checks that it is still what was compared with.
    async fn touch(&mut self, run: Vec<Touch>) -> Result<Vec<i64>, Error> {
        let uids: Vec<&str> = run.iter().map(|touch| touch.uid.as_str()).collect();
        let mut stored: HashMap<String, super::Row> = self
            .load_uids(&uids)
            .await?
            .into_iter()
            .map(|row| (row.uid.clone(), row))
            .collect();
        let mut revisions = Vec::with_capacity(run.len());
        let mut rows = Rows::of(8);
        let mut logged = Vec::new();
        for Touch { uid, change } in run {
            let Some(mut row) = stored.remove(&uid) else {
                return Err(Error::Gone { uid });
            };
            let fate = change.fate();
            if !change.apply(&mut row, self.now) {
                revisions.push(row.revision);
                continue;
            }
            let revision = self.next_revision();
            revisions.push(revision);
            rows.push([
                uid.into(),
                row.revision.into(),
                revision.into(),
                row.status.into(),
                row.apply_set.into(),
                row.deleting_since.map(Timestamp::millis).into(),
                row.restarted_at.map(Timestamp::millis).into(),
                self.now.millis().into(),
            ]);
            let head = Head {
                object: row.object,
                created_revision: row.created_revision,
            };
            logged.push(head.changed(row.uid, revision, fate));
        }
        let statements = rows.statements(
            "UPDATE resource SET revision = v.column3, status = v.column4, apply_set = v.column5, \
             deleting_since = v.column6, restarted_at = v.column7, updated_at = v.column8 FROM (",
            ") AS v WHERE resource.uid = v.column1 AND resource.revision = v.column2 RETURNING uid",
        );
        if statements.is_empty() {
            return Ok(revisions);
        }
        let touched: HashSet<String> = self.change(statements, |record| Ok(record.text(0)?.to_owned())).await?;
        for change in logged {
            if !touched.contains(&change.uid) {
                return Err(Error::Conflict { uid: change.uid });
            }
            self.state.journal.log(change);
        }
        Ok(revisions)
    }

    async fn remove(&mut self, run: Vec<String>) -> Result<Vec<i64>, Error> {
        let uids: Vec<&str> = run.iter().map(String::as_str).collect();
        let mut stored: HashMap<String, super::Row> = self
            .load_uids(&uids)
            .await?
            .into_iter()
            .map(|row| (row.uid.clone(), row))
            .collect();
        let mut revisions = Vec::with_capacity(run.len());
        let one_column = || {
            let mut rows = Rows::of(1);
            uids.iter().for_each(|uid| rows.push([(*uid).into()]));
            rows
        };
        let labels = one_column().statements("DELETE FROM resource WHERE uid IN (", ")");
        let events = one_column().statements("UPDATE event SET orphaned = 1 WHERE uid IN (", ")");
        for statement in labels.into_iter().chain(events) {
            self.run(statement).await?;
        }
        for uid in run {
            let Some(row) = stored.remove(&uid) else {
                return Err(Error::Gone { uid });
            };
            let revision = self.next_revision();
            revisions.push(revision);
            self.state.journal.log(LoggedChange {
                revision,
                created_revision: row.created_revision,
                uid,
                fate: Fate::Gone,
                removed: Some(row.wire()),
                object: row.object,
            });
        }
        Ok(revisions)
    }

    /// Runs statements that change something, and collects what they return.
    async fn change<T: Send, C: Default + Extend<T>>(
        &mut self,
        statements: Vec<Statement<'_>>,
        read: impl FnMut(Record<'_>) -> Result<T, Error> + Send,
    ) -> Result<C, Error> {
        self.state.touched = true;
        let mut collected = C::default();
        collected.extend(self.all(statements, read).await?);
        Ok(collected)
    }

    async fn insert_marks<'d>(&mut self, objects: impl Iterator<Item = (&'d str, &'d Declared)>) -> Result<(), Error> {
        let mut labels = Rows::of(3);
        let mut references = Rows::of(6);
        for (uid, declared) in objects {
            push_labels(&mut labels, uid, &declared.labels);
            for reference in &declared.references {
                references.push([
                    uid.into(),
                    reference.path.pointer().into(),
                    reference.target.kind.as_str().into(),
                    reference.target.scope.to_column().into(),
                    reference.target.name.as_str().into(),
                    reference.key.as_deref().into(),
                ]);
            }
        }
        let labels = labels.statements("INSERT INTO label (uid, name, value)", "");
        let references = references.statements(
            "INSERT INTO reference (uid, path, target_kind, target_scope, target_name, target_key)",
            "",
        );
        for statement in labels.into_iter().chain(references) {
            self.run(statement).await?;
        }
        Ok(())
    }

    async fn replace_marks(&mut self, run: &[Update]) -> Result<(), Error> {
        for before in [
            "DELETE FROM label WHERE uid IN (",
            "DELETE FROM reference WHERE uid IN (",
        ] {
            let mut rows = Rows::of(1);
            run.iter().for_each(|update| rows.push([(&update.uid).into()]));
            for statement in rows.statements(before, ")") {
                self.run(statement).await?;
            }
        }
        self.insert_marks(run.iter().map(|update| (update.uid.as_str(), &update.declared)))
            .await
    }
}

fn push_labels<'d>(rows: &mut Rows<'d>, uid: &'d str, labels: &'d BTreeMap<String, String>) {
    for (name, value) in labels {
        rows.push([uid.into(), name.into(), value.into()]);
    }
}

impl TouchChange {
    const fn fate(&self) -> Fate {
        match self {
            Self::Status(_) | Self::Restart(_) | Self::ApplySet(_) | Self::Announce => Fate::Changed,
            Self::MarkDeleting => Fate::Gone,
        }
    }

    /// Makes the change; tells whether anything differs from before, or is to be told.
    fn apply(self, row: &mut super::Row, now: Timestamp) -> bool {
        fn set<T: PartialEq>(place: &mut T, value: T) -> bool {
            let differs = *place != value;
            *place = value;
            differs
        }
        match self {
            Self::Status(status) => set(&mut row.status, status),
            Self::MarkDeleting => {
                let since = row.deleting_since.unwrap_or(now);
                set(&mut row.deleting_since, Some(since))
            }
            Self::Restart(at) => set(&mut row.restarted_at, Some(at)),
            Self::ApplySet(apply_set) => set(&mut row.apply_set, apply_set),
            Self::Announce => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_in_a_run_only_once() {
        let status = |uid: &str| Mutation::Status {
            uid: uid.to_owned(),
            status: "{}".to_owned(),
        };
        let mark = |uid: &str| Mutation::MarkDeleting { uid: uid.to_owned() };
        let remove = |uid: &str| Mutation::Remove { uid: uid.to_owned() };
        let shape = |mutations| -> Vec<Vec<String>> {
            runs(mutations)
                .iter()
                .map(|run| run.uids().map(str::to_owned).collect())
                .collect()
        };
        for (mutations, expected) in [
            (vec![], vec![]),
            (vec![status("a"), mark("b")], vec![vec!["a", "b"]]),
            (
                vec![status("a"), status("b"), mark("a"), mark("b")],
                vec![vec!["a", "b"], vec!["a", "b"]],
            ),
            (vec![remove("a"), remove("a")], vec![vec!["a"], vec!["a"]]),
            (
                vec![status("a"), remove("b"), status("c")],
                vec![vec!["a"], vec!["b"], vec!["c"]],
            ),
        ] {
            assert_eq!(shape(mutations), expected);
        }
    }
}
