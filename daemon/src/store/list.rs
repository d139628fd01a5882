//! Lists: filtered, counted and cut into pages by the database, as one consistent state of it.

use orch_shared::access::Visibility;
use orch_shared::kind::Kind;
use orch_shared::name::{Name, Scope};
use orch_shared::query::LabelSelector;

use super::row::{COLUMNS, SCOPE, WIRE_COLUMNS, WIRE_SCOPE, write_wire};
use super::sql::{Builder, Record};
use super::{Error, Row, Store, filter, read};

/// Which objects to list. Ordered by scope and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Of this kind.
    pub kind: Kind,
    /// In these scopes.
    pub scopes: Scopes,
    /// With these labels.
    pub labels: LabelSelector,
    /// Behind this place, where an earlier page ended.
    pub after: Option<Position>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// In which scopes to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scopes {
    /// In all of them.
    All,
    /// In this one.
    One(Scope),
}

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The scope of the last object before it.
    pub scope: Scope,
    /// The name of the last object before it.
    pub name: Name,
}

/// About a list as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// How many objects match, on all pages together.
    pub total: i64,
    /// The revision the list shows.
    pub revision: i64,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Position>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The objects.
    pub rows: Vec<Row>,
    /// About the list as a whole.
    pub extent: Extent,
}

impl Store {
    /// One page of objects.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list(&self, visibility: &Visibility, query: &ListQuery) -> Result<Page, Error> {
        let mut rows = Vec::new();
        let extent = self.page(visibility, query, (COLUMNS, SCOPE), |record| {
            rows.push(Row::read(&record, 0)?);
            Ok(())
        });
        let extent = extent.await?;
        Ok(Page { rows, extent })
    }

    /// One page of objects as the API serves them, appended to `out` with commas between. No object is built on the way.
    ///
    /// # Errors
    /// When the database cannot be read; `out` may then hold some of the objects.
    pub async fn list_wire(
        &self,
        visibility: &Visibility,
        query: &ListQuery,
        out: &mut String,
    ) -> Result<Extent, Error> {
        let start = out.len();
        let page = self.page(visibility, query, (WIRE_COLUMNS, WIRE_SCOPE), |record| {
            if out.len() > start {
                out.push(',');
            }
            write_wire(query.kind, &record, out)
        });
        page.await
    }

    async fn page(
        &self,
        visibility: &Visibility,
        query: &ListQuery,
        (columns, scope): (&str, usize),
        mut take: impl FnMut(Record<'_>) -> Result<(), Error> + Send,
    ) -> Result<Extent, Error> {
        let limit = query.limit.filter(|limit| *limit > 0).map(i64::from);
        let mut builder = Builder::default();
        builder.push("SELECT ").push(columns);
        matching(&mut builder, visibility, query);
        if let Some(Position { scope, name }) = &query.after {
            builder.push(" AND (r.scope, r.name) > (").place(scope.to_column());
            builder.push(", ").place(name.as_str()).push(")");
        }
        builder.push(" ORDER BY r.scope, r.name");
        if let Some(limit) = limit {
            // One more tells whether there is another page.
            builder.push(" LIMIT ").place(limit + 1);
        }
        let select = builder.finish();
        let count = (limit.is_some() || query.after.is_some()).then(|| {
            let mut builder = Builder::default();
            builder.push("SELECT COUNT(*)");
            matching(&mut builder, visibility, query);
            builder.finish()
        });
        self.observed("list", async {
            let mut reader = self.readers().begin().await?;
            let mut session = reader.session();
            let revision = read::revision(&mut session).await?;
            let (mut taken, mut more, mut last) = (0, false, None);
            let rows = session.each(select, |record| {
                if limit.is_some_and(|limit| taken == limit) {
                    more = true;
                    return Ok(());
                }
                taken += 1;
                if limit == Some(taken) {
                    last = Some(Position {
                        scope: record.parsed(scope)?,
                        name: record.parsed(scope + 1)?,
                    });
                }
                take(record)
            });
            rows.await?;
            let total = match count {
                Some(count) => session
                    .first(count, |record| record.integer(0))
                    .await?
                    .unwrap_or_default(),
                None => taken,
            };
            Ok(Extent {
                total,
                revision,
                next: last.filter(|_| more),
            })
        })
        .await
    }
}

/// Appends what all pages of a list have in common.
fn matching<'v>(builder: &mut Builder<'v>, visibility: &'v Visibility, query: &'v ListQuery) {
    builder
        .push(" FROM resource r WHERE r.kind = ")
        .place(query.kind.as_str());
    match &query.scopes {
        Scopes::All => {}
        Scopes::One(scope) => {
            builder.push(" AND r.scope = ").place(scope.to_column());
        }
    }
    filter::visible(builder, "r", Some(query.kind), visibility);
    filter::labelled(builder, "r", &query.labels);
}
