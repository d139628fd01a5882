//! Reading single objects, their history, and who depends on them. What a transaction and a plain read have in common
//! takes a [`Session`] and stands at the end.

use std::collections::{BTreeMap, HashMap};

use orch_shared::access::Visibility;
use orch_shared::kind::Kind;
use orch_shared::kinds::API_VERSION;
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::path::FieldPath;
use orch_shared::query::HistoryEntry;
use orch_shared::resource::Timestamp;
use serde_json::{Value, json};

use super::row::COLUMNS;
use super::sql::{Builder, Record, Rows, Session, Statement, sql};
use super::{Error, Row, Store, filter};

/// One generation of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// The generation.
    pub generation: i64,
    /// Position in the change log of the change that made it.
    pub revision: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// How.
    pub verb: String,
    /// JSON text of the metadata.
    pub metadata: String,
    /// JSON text of the spec.
    pub spec: String,
}

impl Generation {
    /// The generation as the API tells it.
    #[must_use]
    pub fn entry(&self, kind: Kind) -> HistoryEntry {
        let stored = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        HistoryEntry {
            generation: self.generation,
            revision: self.revision,
            at: self.at,
            by: self.by.clone(),
            verb: self.verb.clone(),
            manifest: json!({
                "apiVersion": API_VERSION,
                "kind": kind,
                "metadata": stored(&self.metadata),
                "spec": stored(&self.spec),
            }),
        }
    }
}

/// An object that names another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// The object that names.
    pub object: ObjectRef,
    /// Its uid.
    pub uid: String,
    /// Where the name is written.
    pub path: FieldPath,
    /// Since when it is being deleted itself.
    pub deleting_since: Option<Timestamp>,
}

impl Store {
    /// One object, by name or uid. What may not be seen is not there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn get(
        &self,
        visibility: &Visibility,
        kind: Kind,
        scope: &Scope,
        name_or_uid: &str,
    ) -> Result<Option<Row>, Error> {
        let scope = scope.to_column();
        let by = |column: &str| {
            let mut builder = Builder::default();
            builder
                .push(&format!("SELECT {COLUMNS} FROM resource r WHERE r.kind = "))
                .place(kind.as_str());
            builder.push(" AND r.scope = ").place(scope.clone());
            builder.push(&format!(" AND r.{column} = ")).place(name_or_uid);
            filter::visible(&mut builder, "r", Some(kind), visibility);
            builder.finish()
        };
        let found = self.observed("get", async {
            let mut reader = self.readers().acquire().await?;
            let mut session = reader.session();
            match session.first(by("name"), |record| Row::read(&record, 0)).await? {
                Some(row) => Ok(Some(row)),
                // A uid is a valid name; a name comes first.
                None if uuid::Uuid::try_parse(name_or_uid).is_ok() => {
                    session.first(by("uid"), |record| Row::read(&record, 0)).await
                }
                None => Ok(None),
            }
        });
        found.await
    }

    /// The generations of an object that are kept, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn history(&self, visibility: &Visibility, uid: &str) -> Result<Vec<Generation>, Error> {
        let mut builder = history_of(visibility, uid);
        builder.push(" ORDER BY h.generation DESC");
        let statement = builder.finish();
        self.observed("history", async {
            self.readers()
                .acquire()
                .await?
                .session()
                .all(statement, generation)
                .await
        })
        .await
    }

    /// One generation of an object, when it is kept.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn generation(
        &self,
        visibility: &Visibility,
        uid: &str,
        number: i64,
    ) -> Result<Option<Generation>, Error> {
        let mut builder = history_of(visibility, uid);
        builder.push(" AND h.generation = ").place(number);
        let statement = builder.finish();
        self.observed("history", async {
            self.readers()
                .acquire()
                .await?
                .session()
                .first(statement, generation)
                .await
        })
        .await
    }

    /// The objects that name `object`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn dependents(&self, visibility: &Visibility, object: &ObjectRef) -> Result<Vec<Dependent>, Error> {
        let found = self.observed("dependents", async {
            let mut reader = self.readers().acquire().await?;
            let mut session = reader.session();
            let mut found = dependents(&mut session, std::slice::from_ref(object)).await?;
            if *visibility != Visibility::Everything {
                let mut builder = Builder::default();
                builder.push("SELECT r.uid FROM resource r JOIN reference f ON f.uid = r.uid WHERE f.target_kind = ");
                builder.place(object.kind.as_str());
                builder.push(" AND f.target_scope = ").place(object.scope.to_column());
                builder.push(" AND f.target_name = ").place(object.name.as_str());
                filter::visible(&mut builder, "r", None, visibility);
                let seen = session
                    .all(builder.finish(), |record| Ok(record.text(0)?.to_owned()))
                    .await?;
                found.retain(|(_, dependent)| seen.contains(&dependent.uid));
            }
            Ok(found)
        });
        Ok(found.await?.into_iter().map(|(_, dependent)| dependent).collect())
    }

    /// How many objects there are of each kind; kinds without any are not among them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn counts(&self, visibility: &Visibility) -> Result<BTreeMap<Kind, i64>, Error> {
        let mut builder = Builder::default();
        builder.push("SELECT r.kind, COUNT(*) FROM resource r WHERE 1 = 1");
        filter::visible(&mut builder, "r", None, visibility);
        builder.push(" GROUP BY r.kind");
        let statement = builder.finish();
        let read = |record: Record<'_>| Ok((record.parsed(0)?, record.integer(1)?));
        let counted = self.observed("count", async {
            self.readers().acquire().await?.session().all(statement, read).await
        });
        Ok(counted.await?.into_iter().collect())
    }

    /// The newest revision.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn revision(&self) -> Result<i64, Error> {
        self.observed("revision", async {
            revision(&mut self.readers().acquire().await?.session()).await
        })
        .await
    }
}

fn history_of<'v>(visibility: &'v Visibility, uid: &'v str) -> Builder<'v> {
    let mut builder = Builder::default();
    builder
        .push(
            "SELECT h.generation, h.revision, h.made_at, h.made_by, h.verb, h.metadata, h.spec \
             FROM history h JOIN resource r ON r.uid = h.uid WHERE h.uid = ",
        )
        .place(uid);
    filter::visible(&mut builder, "r", None, visibility);
    builder
}

/// Reads a row of the history.
pub(super) fn generation(record: Record<'_>) -> Result<Generation, Error> {
    Ok(Generation {
        generation: record.integer(0)?,
        revision: record.integer(1)?,
        at: Timestamp::from_millis(record.integer(2)?),
        by: record.text(3)?.to_owned(),
        verb: record.text(4)?.to_owned(),
        metadata: record.text(5)?.to_owned(),
        spec: record.text(6)?.to_owned(),
    })
}

/// One generation, for [`generation`].
pub(super) fn select_generation(uid: &str, number: i64) -> Statement<'_> {
    sql(
        "SELECT generation, revision, made_at, made_by, verb, metadata, spec FROM history \
         WHERE uid = $1 AND generation = $2",
    )
    .bind(uid)
    .bind(number)
}

/// Objects by one condition, for [`Row::read`].
pub(super) fn select_rows<'v>(condition: &str, value: &'v str) -> Statement<'v> {
    let mut builder = Builder::default();
    builder
        .push(&format!("SELECT {COLUMNS} FROM resource r WHERE {condition}"))
        .place(value);
    builder.push(" ORDER BY r.kind, r.scope, r.name");
    builder.finish()
}

/// The newest revision.
pub(super) async fn revision(session: &mut Session<'_>) -> Result<i64, Error> {
    let revision = session
        .first(sql("SELECT revision FROM meta WHERE id = 1"), |record| {
            record.integer(0)
        })
        .await?;
    revision.ok_or_else(|| Error::broken("table `meta` is empty"))
}

/// The objects of those names, in the order asked for.
pub(super) async fn load(session: &mut Session<'_>, objects: &[ObjectRef]) -> Result<Vec<Option<Row>>, Error> {
    let mut found: HashMap<ObjectRef, Row> = HashMap::with_capacity(objects.len());
    let before = format!("SELECT {COLUMNS} FROM (");
    let after = ") AS v CROSS JOIN resource r WHERE r.kind = v.column1 AND r.scope = v.column2 AND r.name = v.column3";
    for statement in named(objects).statements(before, after) {
        let rows = session.all(statement, |record| Row::read(&record, 0)).await?;
        found.extend(rows.into_iter().map(|row| (row.object.clone(), row)));
    }
    Ok(objects.iter().map(|object| found.get(object).cloned()).collect())
}

/// The objects that name any of `objects`, each after the one it names.
pub(super) async fn dependents(
    session: &mut Session<'_>,
    objects: &[ObjectRef],
) -> Result<Vec<(ObjectRef, Dependent)>, Error> {
    let mut found = Vec::new();
    let statements = named(objects).statements(
        "SELECT f.target_kind, f.target_scope, f.target_name, r.kind, r.scope, r.name, r.uid, f.path, r.deleting_since \
         FROM (",
        ") AS v CROSS JOIN reference f CROSS JOIN resource r WHERE f.target_kind = v.column1 \
         AND f.target_scope = v.column2 AND f.target_name = v.column3 AND r.uid = f.uid \
         ORDER BY r.kind, r.scope, r.name, f.path",
    );
    for statement in statements {
        let read = |record: Record<'_>| {
            let dependent = Dependent {
                object: record.object(3)?,
                uid: record.text(6)?.to_owned(),
                path: FieldPath::from_pointer(record.text(7)?),
                deleting_since: record.maybe_integer(8)?.map(Timestamp::from_millis),
            };
            Ok((record.object(0)?, dependent))
        };
        found.extend(session.all(statement, read).await?);
    }
    Ok(found)
}

fn named(objects: &[ObjectRef]) -> Rows<'_> {
    let mut rows = Rows::of(3);
    for object in objects {
        rows.push([
            object.kind.as_str().into(),
            object.scope.to_column().into(),
            object.name.as_str().into(),
        ]);
    }
    rows
}
