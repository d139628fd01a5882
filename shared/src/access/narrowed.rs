//! What the bounds of somebody leave of one another, for whoever is told: no more than they allow together, as far as grants can
//! say it. Nothing is decided by it.

use super::{Grant, Grants, Reach, Rights};
use crate::kind::Kind;

impl Rights {
    /// The layers, each with what the others leave of it. What none of them leaves anything of is not told at all.
    #[must_use]
    pub fn narrowed(&self) -> Vec<Grants> {
        let layers = self.layers();
        let left = |(index, layer): (usize, &std::sync::Arc<Grants>)| {
            let others = layers.iter().enumerate().filter(|(other, _)| *other != index);
            others.fold(Grants::clone(layer), |left, (_, other)| left.within(other))
        };
        layers.iter().enumerate().map(left).collect()
    }
}

impl Grants {
    fn within(self, bound: &Self) -> Self {
        let mut left: Vec<Grant> = Vec::new();
        for grant in self.on_objects {
            let is_whole = bound.on_objects.iter().any(|bound| bound.leaves_whole(&grant));
            let parts = match is_whole {
                true => vec![grant],
                false => bound
                    .on_objects
                    .iter()
                    .filter_map(|bound| grant.within(bound))
                    .collect(),
            };
            for part in parts {
                let is_told =
                    |told: &Grant| told.leaves_whole(&part) && told.rule == part.rule && told.tools == part.tools;
                if !left.iter().any(is_told) {
                    left.push(part);
                }
            }
        }
        let mut operations = self.operations;
        operations.retain(|(operation, _)| bound.allows_operation(*operation).is_some());
        Self {
            on_objects: left,
            operations,
        }
    }
}

impl Grant {
    /// Whether all that another one grants is within what this one does, but for tools.
    fn leaves_whole(&self, other: &Self) -> bool {
        other.roles.iter().all(|role| self.roles.contains(role)) && self.reach.includes(&other.reach)
    }

    fn within(&self, bound: &Self) -> Option<Self> {
        let roles = self.roles.iter().copied();
        let roles: Vec<_> = roles.filter(|role| bound.roles.contains(role)).collect();
        let reach = self.reach.within(&bound.reach).filter(|_| !roles.is_empty())?;
        Some(Self {
            roles,
            reach,
            tools: self.tools.clone(),
            rule: self.rule.clone(),
        })
    }
}

impl Reach {
    /// What is among the objects of both; nothing where that can be none. Of labels those of this one are told, the others are
    /// told with the other one.
    fn within(&self, other: &Self) -> Option<Self> {
        let kind = match (self.kind, other.kind) {
            // Copies go with their server.
            (Some(Kind::Server), Some(Kind::Instance)) | (Some(Kind::Instance), Some(Kind::Server)) => {
                Some(Kind::Instance)
            }
            (Some(one), Some(other)) if one != other => return None,
            (one, other) => one.or(other),
        };
        let name = match (&self.name, &other.name) {
            // One may be the server of the other.
            (Some(one), Some(other)) if one != other && kind.is_some_and(|kind| kind != Kind::Instance) => return None,
            (one, other) => one.as_ref().or(other.as_ref()).cloned(),
        };
        let project = match (&self.project, &other.project) {
            (Some(one), Some(other)) if one != other => return None,
            (one, other) => one.as_ref().or(other.as_ref()).cloned(),
        };
        let reach = Self {
            kind,
            name,
            labels: self.labels.clone().or_else(|| other.labels.clone()),
            project,
        };
        let is_possible = kind.is_none_or(|kind| reach.may_cover(kind, None));
        is_possible.then_some(reach)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::access::{Operation, Role};

    fn grant(roles: &[Role], kind: Option<Kind>, project: Option<&str>) -> Grant {
        Grant {
            roles: roles.to_vec(),
            reach: Reach {
                kind,
                project: project.map(|project| project.parse().unwrap()),
                ..Reach::default()
            },
            tools: None,
            rule: "rolebinding/x".into(),
        }
    }

    #[test]
    fn a_layer_tells_what_the_others_leave_of_it() {
        let all = [Role::View, Role::Run, Role::Reveal];
        let owner = Grants {
            on_objects: vec![
                grant(&all, None, None),
                grant(&[Role::View], Some(Kind::Secret), None),
                grant(&[Role::View, Role::Run], Some(Kind::Server), Some("web")),
                grant(&[Role::View], Some(Kind::Prompt), Some("ops")),
            ],
            operations: vec![(Operation::Logs, "x".into()), (Operation::Audit, "x".into())],
        };
        let own = Grants {
            on_objects: vec![grant(&[Role::View], None, None)],
            operations: vec![(Operation::Logs, "y".into())],
        };
        let projects = Grants {
            on_objects: vec![grant(&Role::ALL, None, Some("web"))],
            operations: vec![(Operation::Logs, "its projects".into())],
        };
        let rights = Rights::Layers(vec![Arc::new(owner.clone()), Arc::new(own), Arc::new(projects)]);
        let told: Vec<Vec<String>> = rights
            .narrowed()
            .iter()
            .map(|layer| {
                let words = |grant: &Grant| format!("{:?} {}", grant.roles, grant.reach);
                layer.on_objects.iter().map(words).collect()
            })
            .collect();
        let left = ["[View] everything in project web"];
        assert_eq!(told, [left, left, left]);
        assert!(rights.narrowed().iter().all(|layer| layer.operations.len() == 1));
        // Alone, a layer is whole.
        let alone = Rights::Layers(vec![Arc::new(owner.clone())]);
        assert_eq!(alone.narrowed(), [owner]);
    }
}
