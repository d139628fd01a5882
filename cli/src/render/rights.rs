//! Rights in words: what somebody may do, with what, and what grants it.
//!
//! Enters: what the daemon tells of somebody ([`WhoAmI`]), or what a kind declares. Leaves: rows and tables.

use std::sync::Arc;

use orch_shared::access::{Operation, Role};
use orch_shared::identity::{Bound, Granted, WhoAmI};
use orch_shared::kinds::role_binding::{self, Grant};

use super::cell::NOTHING;
use super::table::{Heading, Piece, Style, draw, terminal_width};
use crate::ui::{Stream, Ui};

/// The columns of a [`Right`].
pub(crate) const TITLES: [&str; 4] = ["MAY", "WITH", "TOOLS", "BY"];

/// One thing that somebody may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Right {
    may: String,
    with: String,
    tools: String,
    by: String,
}

impl Right {
    fn on_objects(granted: &Granted) -> Self {
        let roles = &granted.grant.roles;
        let may = match Role::ALL.iter().all(|role| roles.contains(role)) {
            true => "all roles".to_owned(),
            false => roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(","),
        };
        let tools = granted.grant.tools.as_ref();
        Self {
            may,
            with: granted.grant.reach.clone(),
            tools: tools.map_or_else(|| NOTHING.to_owned(), |tools| tools.join(",")),
            by: granted.rule.clone(),
        }
    }

    fn on_daemon(operations: impl IntoIterator<Item = Operation>, by: &str) -> Option<Self> {
        let mut words: Vec<&str> = operations.into_iter().map(Operation::as_str).collect();
        words.sort_unstable();
        words.dedup();
        let may = match words.len() == Operation::ALL.len() {
            true => "all operations".to_owned(),
            false => words.join(","),
        };
        (!words.is_empty()).then(|| Self {
            may,
            with: "the daemon".to_owned(),
            tools: NOTHING.to_owned(),
            by: by.to_owned(),
        })
    }

    /// What it says, column by column.
    pub(crate) fn cells(self) -> [String; 4] {
        [self.may, self.with, self.tools, self.by]
    }
}

/// What a spec grants, by that rule.
pub(crate) fn declared(grants: Option<&[Grant]>, operations: Option<&[Operation]>, rule: &str) -> Vec<Right> {
    let by: Arc<str> = rule.into();
    let rights = role_binding::rights(grants, operations, &by);
    let on_objects = rights
        .on_objects
        .iter()
        .map(|grant| Right::on_objects(&Granted::of(grant)));
    let on_daemon = Right::on_daemon(rights.operations.iter().map(|(operation, _)| *operation), rule);
    on_objects.chain(on_daemon).collect()
}

/// What a bound allows, as a table.
pub(crate) fn table(bound: &Bound, ui: &Ui) -> String {
    let on_objects = bound.grants.iter().map(Right::on_objects);
    let on_daemon = Right::on_daemon(bound.operations.iter().copied(), NOTHING);
    let rows: Vec<Vec<Piece>> = on_objects
        .chain(on_daemon)
        .map(|right| right.cells().into_iter().map(Piece::plain).collect())
        .collect();
    if rows.is_empty() {
        return "nothing\n".to_owned();
    }
    let style = Style {
        heading: Heading::Shown,
        color: ui.has_color(Stream::Data),
        width: terminal_width(),
        columns: None,
    };
    draw(&TITLES, rows, style)
}

/// Where the bound with that number comes from.
pub(crate) fn source(me: &WhoAmI, index: usize) -> String {
    let of_projects = |bound: &Bound| {
        let mut rules = bound.grants.iter().map(|granted| granted.rule.as_str()).peekable();
        rules.peek().is_some() && rules.all(|rule| rule.starts_with("project/"))
    };
    let is_of_projects = me.bounds.get(index).is_some_and(of_projects);
    // Where its maker had several bounds, so has what it was given.
    let is_further = me.bounds.iter().take(index).skip(1).any(|bound| !of_projects(bound));
    match (index, &me.impersonated_by, &me.token) {
        (0, _, _) => format!("What {} was granted", me.principal),
        (_, Some(other), _) => format!("What {other} may do, who asks"),
        (_, None, Some(token)) if is_of_projects => format!("What token/{token} is confined to"),
        (_, None, Some(token)) if is_further => format!("What whoever made token/{token} was bound to"),
        (_, None, Some(token)) => format!("What token/{token} was given"),
        (_, None, None) => "A further bound".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_told_in_words() {
        let grant = Grant {
            roles: vec![Role::View, Role::Run],
            resources: vec!["servers".to_owned()],
            names: Some(vec!["files".parse().unwrap()]),
            tools: Some(vec!["read_*".to_owned()]),
            ..Grant::default()
        };
        let operations = [Operation::Logs, Operation::Audit];
        let told = declared(Some(&[grant]), Some(&operations), "rolebinding/x");
        let told: Vec<String> = told.into_iter().map(|right| right.cells().join(" | ")).collect();
        assert_eq!(
            told,
            [
                "view,run | server/files | read_* | rolebinding/x",
                "audit,logs | the daemon | - | rolebinding/x"
            ]
        );
    }
}
