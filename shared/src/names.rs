//! Lists of names in a spec, each of which names an object of one kind, and none twice.

use crate::kind::{Kind, Reference, Report};
use crate::name::Name;

/// A list of names in a spec.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'s> {
    field: &'static str,
    kind: Kind,
    names: &'s [Name],
}

impl<'s> Names<'s> {
    /// The list in the field of that path below `spec`, of objects of that kind in the cluster scope.
    pub(crate) fn new(field: &'static str, kind: Kind, names: Option<&'s Vec<Name>>) -> Self {
        let names = names.map_or(&[][..], Vec::as_slice);
        Self { field, kind, names }
    }

    /// Notes each name that comes a second time.
    pub(crate) fn refuse_repeated(self, report: &mut Report) {
        for (index, name) in self.names.iter().enumerate() {
            if let Some(first) = self.names[..index].iter().position(|other| other == name) {
                let message = format!("`{name}` is already listed at {}[{first}]", self.field);
                report.invalid(&format!("{}[{index}]", self.field), message);
            }
        }
    }

    /// What is named.
    pub(crate) fn references(self) -> impl Iterator<Item = Reference> {
        let names = self.names.iter().enumerate();
        names.map(move |(index, name)| Reference::to(self.kind, name, &format!("{}[{index}]", self.field)))
    }
}
