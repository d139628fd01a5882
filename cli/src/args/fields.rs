//! Fields as people name them on the command line, `status.phase` or `metadata.labels.team`, looked up in the schemas.
//!
//! Enters: kinds and a path. Leaves: nothing, or that there is no such field and which was probably meant.

use orch_shared::kind::Kind;
use orch_shared::manifest::{envelope_schema, identity_schema};
use orch_shared::path::{FieldPath, Segment};
use orch_shared::problem::near_miss;
use serde_json::Value;

use crate::render::schema::Field;
use crate::report::Failure;

/// Refuses a path that objects of none of these kinds have: nothing would ever be found there.
pub(crate) fn check(kinds: &[Kind], path: &FieldPath) -> Result<(), Failure> {
    let mut refused = Ok(());
    for kind in kinds {
        match check_one(*kind, path) {
            Ok(()) => return Ok(()),
            Err(failure) => refused = Err(failure),
        }
    }
    refused
}

fn check_one(kind: Kind, path: &FieldPath) -> Result<(), Failure> {
    let definition = kind.definition();
    let segments = path.segments();
    let (roots, below): (Vec<&Value>, &[Segment]) = match segments.split_first() {
        None => return Ok(()),
        Some((Segment::Key(head), below)) if head == "spec" => (vec![definition.spec_schema()], below),
        // What the store says of every object, and what is said of this kind.
        Some((Segment::Key(head), below)) if head == "status" => {
            (vec![identity_schema(), definition.status_schema()], below)
        }
        Some(_) => (vec![envelope_schema()], segments),
    };
    let below = below.iter().fold(FieldPath::root(), |path, segment| match segment {
        Segment::Key(key) => path.key(key),
        Segment::Index(index) => path.index(*index),
    });
    let mut unknown = None;
    for root in roots {
        match Field::root(root).find(&below) {
            Ok(_) => return Ok(()),
            Err(found) => unknown = Some(found),
        }
    }
    match unknown {
        Some((name, within)) => Err(no_field(&name, within, &format!("{path} of {}", kind.meta().plural))),
        None => Ok(()),
    }
}

/// That there is no field of that name where it was looked for, and which there are.
pub(crate) fn no_field(name: &str, within: Field<'_>, what: &str) -> Failure {
    let names: Vec<&str> = within.fields().into_iter().map(|(name, _)| name).collect();
    let failure = Failure::usage(format!("there is no field `{name}` in {what}"));
    match (near_miss(name, names.iter().copied()), names.is_empty()) {
        (Some(near), _) => failure.hint(format!("did you mean `{near}`? there are {}", names.join(", "))),
        (None, false) => failure.hint(format!("there are {}", names.join(", "))),
        (None, true) => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_looked_up_before_anything_is_asked() {
        for (kinds, path, said) in [
            (&[Kind::Server][..], "status.phase", ""),
            (&[Kind::Server], "status.owner.uid", ""),
            (&[Kind::Server], "status.replicas.ready", ""),
            (&[Kind::Server], "metadata.labels.team", ""),
            (&[Kind::Server], "metadata.name", ""),
            (&[Kind::Server], "kind", ""),
            (&[Kind::Secret, Kind::Server], "status.restarts", ""),
            (&[Kind::Server], "status.phaze", "there is no field `phaze`"),
            (&[Kind::Server], "metadata.nope", "there is no field `nope`"),
            (&[Kind::Server], "spec.replcas", "there is no field `replcas`"),
            (&[Kind::Server], "nonsense", "there is no field `nonsense`"),
        ] {
            match check(kinds, &FieldPath::parse(path)) {
                Ok(()) => assert_eq!(said, "", "{path}"),
                Err(failure) => assert!(
                    !said.is_empty() && failure.to_string().starts_with(said),
                    "{path}: {failure}"
                ),
            }
        }
    }
}
