//! Which objects the daemon has brought along, so that none of them comes back after somebody has deleted it.

use std::collections::BTreeSet;

use orch_shared::name::ObjectRef;

use super::sql::{Rows, sql};
use super::{Error, Transaction};

impl Transaction {
    /// The objects that were brought along at some time, whether they are still there or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seeded(&mut self) -> Result<BTreeSet<ObjectRef>, Error> {
        let all = sql("SELECT kind, scope, name FROM seeded");
        let found = self.all(vec![all], |record| record.object(0)).await?;
        Ok(found.into_iter().collect())
    }

    /// Notes objects as brought along, some of them perhaps again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_seeded(&mut self, objects: &[ObjectRef]) -> Result<(), Error> {
        let mut rows = Rows::of(3);
        for object in objects {
            let scope = object.scope.to_column();
            rows.push([object.kind.as_str().into(), scope.into(), object.name.as_str().into()]);
        }
        let into = "INSERT INTO seeded (kind, scope, name)";
        for statement in rows.statements(into, "ON CONFLICT (kind, scope, name) DO NOTHING") {
            self.run(statement).await?;
        }
        Ok(())
    }
}
