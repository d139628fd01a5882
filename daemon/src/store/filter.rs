//! Who may see what, and which labels are wanted, as SQL conditions. The point check and the list consume the same
//! [`Visibility`], so they cannot disagree: each condition here says what [`Reach::covers`] says.

use orch_shared::access::{Reach, Visibility};
use orch_shared::kind::{Kind, Maker};
use orch_shared::name::{Name, Scope};
use orch_shared::query::{Demand, LabelSelector};

use super::sql::Builder;

/// Whether the objects that rows tell of are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// They are, and belong to none.
    Free,
    /// They are, and may belong to others.
    Owned,
    /// Some are gone, and may have belonged to others.
    Past,
}

/// Appends the condition that the object in the table `table` (with columns uid, owner_uid, kind, scope and name) may be
/// seen. Of a list of one kind it is known which grants can matter.
pub(super) fn visible<'v>(builder: &mut Builder<'v>, table: &str, kind: Option<Kind>, visibility: &'v Visibility) {
    let rows = match kind {
        Some(kind) if kind.meta().maker != Maker::Daemon => Rows::Free,
        Some(_) | None => Rows::Owned,
    };
    seen(builder, table, kind, visibility, rows);
}

/// Appends the condition that the object may be seen, or might have been, of which a row in such a table tells. What is gone
/// has no labels that anybody knows: it is told of to those whose grants no label narrows.
pub(super) fn visible_past<'v>(builder: &mut Builder<'v>, table: &str, visibility: &'v Visibility) {
    seen(builder, table, None, visibility, Rows::Past);
}

fn seen<'v>(builder: &mut Builder<'v>, table: &str, kind: Option<Kind>, visibility: &'v Visibility, rows: Rows) {
    match visibility {
        Visibility::Everything => {}
        Visibility::Nothing => {
            builder.push(" AND 1 = 0");
        }
        Visibility::Within(all) => {
            for reaches in all {
                builder.push(" AND (1 = 0");
                for reach in reaches {
                    covered(builder, table, kind, reach, rows);
                    // What belongs to an object is seen with it.
                    if rows != Rows::Free {
                        builder.push(" OR ");
                        owner(builder, table, |builder| {
                            builder.push(" AND (1 = 0");
                            covered(builder, "o", None, reach, Rows::Free);
                            builder.push(")");
                        });
                    }
                }
                builder.push(")");
            }
        }
    }
}

/// Appends the condition that the object belongs to one, called `o`, of which more is said.
fn owner<'v>(builder: &mut Builder<'v>, table: &str, more: impl FnOnce(&mut Builder<'v>)) {
    builder.push(&format!(
        "EXISTS (SELECT 1 FROM resource o WHERE o.uid = {table}.owner_uid"
    ));
    more(builder);
    builder.push(")");
}

/// Appends `OR`, and the condition that the reach covers the object itself.
fn covered<'v>(builder: &mut Builder<'v>, table: &str, kind: Option<Kind>, reach: &'v Reach, rows: Rows) {
    let Reach {
        kind: only,
        name,
        labels,
        project,
    } = reach;
    match (kind, only) {
        (Some(kind), Some(only)) if kind != *only => return,
        (None, Some(only)) => {
            builder.push(&format!(" OR ({table}.kind = ")).place(only.as_str());
        }
        (Some(_), _) | (None, None) => {
            builder.push(" OR (1 = 1");
        }
    }
    if let Some(name) = name {
        builder.push(&format!(" AND {table}.name = ")).place(name.as_str());
    }
    match (labels, rows) {
        (None, _) => {}
        (Some(labels), Rows::Free) => labelled(builder, table, labels),
        // It is labelled as its owner is; the copies that it was made with say nothing once those change.
        (Some(labels), Rows::Owned | Rows::Past) => {
            builder.push(&format!(" AND (({table}.owner_uid IS NULL"));
            if rows == Rows::Past {
                builder.push(&format!(
                    " AND EXISTS (SELECT 1 FROM resource x WHERE x.uid = {table}.uid)"
                ));
            }
            labelled(builder, table, labels);
            builder.push(") OR ");
            owner(builder, table, |builder| labelled(builder, "o", labels));
            builder.push(")");
        }
    }
    match (project, rows) {
        (None, _) => {}
        (Some(project), Rows::Free) => {
            builder.push(" AND ");
            in_project(builder, table, kind.or(*only), project);
        }
        (Some(project), Rows::Owned | Rows::Past) => {
            builder.push(" AND (");
            in_project(builder, table, kind.or(*only), project);
            builder.push(" OR ");
            owner(builder, table, |builder| {
                builder.push(" AND ");
                in_project(builder, "o", None, project);
            });
            builder.push(")");
        }
    }
    builder.push(")");
}

/// Appends the condition that the object is in a project: is it, lives in it or with one of its agents, is one of the
/// servers it lists or one of the agents that name it.
fn in_project<'v>(builder: &mut Builder<'v>, table: &str, kind: Option<Kind>, project: &'v Name) {
    let may_be = |wanted| kind.is_none_or(|kind| kind == wanted);
    builder.push(&format!("({table}.scope = "));
    builder.place(Scope::Project(project.clone()).to_column());
    if may_be(Kind::Project) {
        builder.push(&format!(" OR ({table}.kind = 'Project' AND {table}.name = "));
        builder.place(project.as_str()).push(")");
    }
    if may_be(Kind::Server) {
        builder.push(&format!(
            " OR ({table}.kind = 'Server' AND EXISTS (SELECT 1 FROM reference f JOIN resource p ON p.uid = f.uid \
             WHERE f.target_kind = 'Server' AND f.target_scope = {table}.scope AND f.target_name = {table}.name \
             AND p.kind = 'Project' AND p.name = "
        ));
        builder.place(project.as_str()).push("))");
    }
    if may_be(Kind::Agent) {
        builder.push(&format!(
            " OR ({table}.kind = 'Agent' AND EXISTS (SELECT 1 FROM reference f \
             WHERE f.uid = {table}.uid AND f.target_kind = 'Project' AND f.target_name = "
        ));
        builder.place(project.as_str()).push("))");
    }
    builder.push(&format!(
        " OR EXISTS (SELECT 1 FROM resource a JOIN reference f ON f.uid = a.uid \
         WHERE a.kind = 'Agent' AND {table}.scope = 'agent/' || a.name AND f.target_kind = 'Project' AND f.target_name = "
    ));
    builder.place(project.as_str()).push("))");
}

/// Appends the condition that the object has such labels.
pub(super) fn labelled<'v>(builder: &mut Builder<'v>, table: &str, selector: &'v LabelSelector) {
    for requirement in selector.requirements() {
        let (there, values) = match &requirement.demand {
            Demand::Exists => ("IN", None),
            Demand::Absent => ("NOT IN", None),
            Demand::In(values) => ("IN", Some(values)),
            Demand::NotIn(values) => ("NOT IN", Some(values)),
        };
        // The few that have the label are found by it, instead of looking at the labels of every object.
        builder.push(&format!(
            " AND {table}.uid {there} (SELECT l.uid FROM label l WHERE l.name = "
        ));
        builder.place(&requirement.key);
        if let Some(values) = values {
            builder.push(" AND l.value IN ").places(values);
        }
        builder.push(")");
    }
}
