//! Who may see what, and which labels are wanted, as SQL conditions. The point check and the list consume the same
//! [`Visibility`], so they cannot disagree.

use orch_shared::access::{Grant, Visibility};
use orch_shared::query::{Demand, LabelSelector};

use super::sql::Builder;

/// Appends the condition that the object in the table `table` (with columns kind, scope and name) may be seen.
pub(super) fn visible<'v>(builder: &mut Builder<'v>, table: &str, visibility: &'v Visibility) {
    match visibility {
        Visibility::Everything => {}
        Visibility::Nothing => {
            builder.push(" AND 1 = 0");
        }
        Visibility::Granted(grants) => {
            builder.push(" AND (1 = 0");
            for grant in grants {
                builder.push(" OR (1 = 1");
                granted(builder, table, grant);
                builder.push(")");
            }
            builder.push(")");
        }
    }
}

fn granted<'v>(builder: &mut Builder<'v>, table: &str, grant: &'v Grant) {
    let Grant { kind, scope, name } = grant;
    if let Some(kind) = kind {
        builder.push(&format!(" AND {table}.kind = ")).place(kind.as_str());
    }
    if let Some(scope) = scope {
        builder.push(&format!(" AND {table}.scope = ")).place(scope.to_column());
    }
    if let Some(name) = name {
        builder.push(&format!(" AND {table}.name = ")).place(name);
    }
}

/// Appends the condition that the object `r` has such labels.
pub(super) fn labelled<'v>(builder: &mut Builder<'v>, selector: &'v LabelSelector) {
    for requirement in selector.requirements() {
        let (there, values) = match &requirement.demand {
            Demand::Exists => (" AND EXISTS", None),
            Demand::Absent => (" AND NOT EXISTS", None),
            Demand::In(values) => (" AND EXISTS", Some(values)),
            Demand::NotIn(values) => (" AND NOT EXISTS", Some(values)),
        };
        builder
            .push(there)
            .push(" (SELECT 1 FROM label l WHERE l.uid = r.uid AND l.name = ");
        builder.place(&requirement.key);
        if let Some(values) = values {
            builder.push(" AND l.value IN ").places(values);
        }
        builder.push(")");
    }
}
