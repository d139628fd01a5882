//! The specs of past generations, for one purpose: a value that is sealed under an old key is sealed under a new one.
//! Everything else about the past stays as it was.

use orch_shared::access::Visibility;
use orch_shared::name::ObjectRef;

use super::sql::{Builder, Record, Rows};
use super::{Error, Store, Transaction, filter};

/// The spec of one generation of an object that is still there, the newest generation included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastSpec {
    /// The object.
    pub object: ObjectRef,
    /// Which generation of it.
    pub place: PastPlace,
    /// JSON text of the spec.
    pub spec: String,
}

/// A place in the history of all objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastPlace {
    /// The object's uid.
    pub uid: String,
    /// The generation.
    pub generation: i64,
}

impl Store {
    /// The next `limit` generations in the history of all objects, behind `after`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn past_specs(
        &self,
        visibility: &Visibility,
        after: Option<&PastPlace>,
        limit: u32,
    ) -> Result<Vec<PastSpec>, Error> {
        let mut builder = Builder::default();
        builder.push(
            "SELECT r.kind, r.scope, r.name, h.uid, h.generation, h.spec \
             FROM history h JOIN resource r ON r.uid = h.uid WHERE 1 = 1",
        );
        filter::visible(&mut builder, "r", None, visibility);
        if let Some(PastPlace { uid, generation }) = after {
            builder.push(" AND (h.uid, h.generation) > (").place(uid);
            builder.push(", ").place(*generation).push(")");
        }
        builder
            .push(" ORDER BY h.uid, h.generation LIMIT ")
            .place(i64::from(limit));
        let statement = builder.finish();
        let read = |record: Record<'_>| {
            Ok(PastSpec {
                object: record.object(0)?,
                place: PastPlace {
                    uid: record.text(3)?.to_owned(),
                    generation: record.integer(4)?,
                },
                spec: record.text(5)?.to_owned(),
            })
        };
        self.observed("history", async {
            self.readers().acquire().await?.session().all(statement, read).await
        })
        .await
    }
}

impl Transaction {
    /// Replaces the specs of generations that are there. Their meaning must be the same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rewrite_past(&mut self, specs: &[PastSpec]) -> Result<(), Error> {
        let mut rows = Rows::of(3);
        for PastSpec { place, spec, .. } in specs {
            rows.push([(&place.uid).into(), place.generation.into(), spec.into()]);
        }
        let statements = rows.statements(
            "UPDATE history SET spec = v.column3 FROM (",
            ") AS v WHERE history.uid = v.column1 AND history.generation = v.column2",
        );
        for statement in statements {
            self.run(statement).await?;
        }
        Ok(())
    }
}
