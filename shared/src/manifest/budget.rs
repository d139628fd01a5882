//! What an input may still take: values, repeated text, levels. Amounts come in; a problem goes out when there is too
//! much.

use serde_json::Value;

use super::{Limits, LocatedProblem, Position};
use crate::problem::Code;

/// One in so many values may be there because an alias repeats it. People repeat a few dozen; what repeats more does not
/// get the time that this many values written out would take.
const REPEATED_SHARE: usize = 10;

/// The limits, and how much of them is used up.
pub(super) struct Budget<'l> {
    limits: &'l Limits,
    values: usize,
    repeated: Size,
}

impl<'l> Budget<'l> {
    pub(super) const fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            values: 0,
            repeated: Size::NOTHING,
        }
    }

    /// So many values more.
    pub(super) fn values(&mut self, more: usize, at: Position) -> Result<(), LocatedProblem> {
        self.values = self.values.saturating_add(more);
        if self.values <= self.limits.nodes {
            return Ok(());
        }
        let message = format!("the manifest holds more than {} values", self.limits.nodes);
        Err(too_large(at, message, "split it into several files"))
    }

    /// A value of that size once more.
    pub(super) fn repeat(&mut self, size: Size, at: Position) -> Result<(), LocatedProblem> {
        let hint = "use fewer aliases, or split the manifest";
        self.repeated.values = self.repeated.values.saturating_add(size.values);
        self.repeated.bytes = self.repeated.bytes.saturating_add(size.bytes);
        let most = self.limits.nodes / REPEATED_SHARE;
        if self.repeated.values > most {
            let message = format!("anchors and aliases repeat more than {most} values");
            return Err(too_large(at, message, hint));
        }
        if self.repeated.bytes > self.limits.bytes {
            let message = format!("anchors and aliases repeat more than {} bytes", self.limits.bytes);
            return Err(too_large(at, message, hint));
        }
        self.values(size.values, at)
    }

    /// So many levels in all.
    pub(super) fn levels(&self, levels: usize, at: Position) -> Result<(), LocatedProblem> {
        if levels <= self.limits.depth {
            Ok(())
        } else {
            Err(self.too_deep(at))
        }
    }

    /// There are too many levels, however many there are.
    pub(super) fn too_deep(&self, at: Position) -> LocatedProblem {
        let message = format!("lists and mappings are nested more than {} deep", self.limits.depth);
        too_large(at, message, "no object needs to be that deep; is a bracket missing?")
    }
}

fn too_large(at: Position, message: String, hint: &str) -> LocatedProblem {
    LocatedProblem::new(Code::ManifestTooLarge, at, message).hint(hint)
}

/// What copying a value costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    values: usize,
    bytes: usize,
    pub(super) depth: usize,
}

impl Size {
    const NOTHING: Self = Self {
        values: 0,
        bytes: 0,
        depth: 0,
    };

    /// The recursion is as deep as the value, which the limits have bounded.
    pub(super) fn of(value: &Value) -> Self {
        let leaf = |bytes| Self {
            values: 1,
            bytes,
            depth: 0,
        };
        let branch = Self {
            values: 1,
            bytes: 0,
            depth: 1,
        };
        let within = |total: Self, part: Self| Self {
            values: total.values + part.values,
            bytes: total.bytes + part.bytes,
            depth: total.depth.max(part.depth + 1),
        };
        let member = |(name, member): (&String, &Value)| {
            let size = Self::of(member);
            Self {
                bytes: size.bytes + name.len(),
                ..size
            }
        };
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => leaf(0),
            Value::String(text) => leaf(text.len()),
            Value::Array(items) => items.iter().map(Self::of).fold(branch, within),
            Value::Object(members) => members.iter().map(member).fold(branch, within),
        }
    }
}
