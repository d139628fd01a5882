//! Where every field of a document stands.
//!
//! One flat list in document order, each entry knowing how many follow that lie within it: one allocation however large
//! the document, and a copy of any part is a slice. Lookups walk the children, which only happens when there is
//! something to complain about.

use std::sync::Arc;

use super::Position;
use crate::path::{FieldPath, Segment};
use crate::problem::Part;

/// One value of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Where its key's text lies in the names; empty for elements of lists.
    pub(super) name: (u32, u32),
    /// Where its key stands; where the value stands for elements of lists.
    pub(super) key: Position,
    /// Where it starts.
    pub(super) value: Position,
    /// How many entries it takes up, its own included.
    pub(super) size: u32,
}

impl Place {
    pub(super) fn size(&self) -> usize {
        self.size as usize
    }
}

/// Where every field of one document or object stands.
#[derive(Debug, Clone)]
pub struct Spans {
    places: Vec<Place>,
    names: Arc<str>,
}

impl Spans {
    pub(super) const fn new(places: Vec<Place>, names: Arc<str>) -> Self {
        Self { places, names }
    }

    /// Where the field at `path` stands: its key or its value. For a field that is not there, the nearest enclosing
    /// value that is.
    #[must_use]
    pub fn position(&self, path: &FieldPath, part: Part) -> Position {
        let (place, rest) = self.nearest(path);
        match (self.places.get(place), part) {
            (None, _) => Position::START,
            (Some(place), Part::Key) if rest.is_empty() => place.key,
            (Some(place), Part::Key | Part::Value) => place.value,
        }
    }

    /// The spans of each element of the list at `path`, in order.
    pub(super) fn elements(&self, path: &FieldPath) -> impl Iterator<Item = Self> + '_ {
        let (list, _) = self.nearest(path);
        children(&self.places, list).map(|child| Self {
            places: self.places[child..child + self.places[child].size()].to_vec(),
            names: Arc::clone(&self.names),
        })
    }

    /// The innermost place on the way to `path`, and what is left of the path there.
    fn nearest<'p>(&self, path: &'p FieldPath) -> (usize, &'p [Segment]) {
        let mut place = 0;
        let mut rest = path.segments();
        while let [segment, below @ ..] = rest {
            let children = children(&self.places, place);
            let child = match segment {
                Segment::Key(key) => children.into_iter().find(|child| self.name(*child) == key),
                // A JSON pointer cannot tell a position in a list from a key made of digits.
                Segment::Index(index) => {
                    let key = index.to_string();
                    let by_name = children.clone().find(|child| self.name(*child) == key);
                    by_name.or_else(|| {
                        children
                            .clone()
                            .nth(*index)
                            .filter(|child| self.name(*child).is_empty())
                    })
                }
            };
            match child {
                Some(child) => (place, rest) = (child, below),
                None => break,
            }
        }
        (place, rest)
    }

    fn name(&self, place: usize) -> &str {
        name_of(&self.places[place], &self.names)
    }
}

/// The text of a place's key.
pub(super) fn name_of<'n>(place: &Place, names: &'n str) -> &'n str {
    let (start, length) = place.name;
    names
        .get(start as usize..start as usize + length as usize)
        .unwrap_or_default()
}

/// The places directly within the place at `parent`.
pub(super) fn children(places: &[Place], parent: usize) -> impl Iterator<Item = usize> + Clone + '_ {
    let end = places.get(parent).map_or(0, |place| parent + place.size());
    let first = (parent + 1 < end).then_some(parent + 1);
    std::iter::successors(first, move |child| {
        let next = child + places[*child].size();
        (next < end).then_some(next)
    })
}
