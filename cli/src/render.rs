//! Drawing: from objects and documents to text. Everything here takes values and gives text; time is an argument, and
//! nothing is written.

pub(crate) mod age;
pub(crate) mod audit;
pub(crate) mod cell;
pub(crate) mod describe;
pub(crate) mod document;
pub(crate) mod events;
pub(crate) mod fields;
pub(crate) mod jsonpath;
pub(crate) mod listing;
pub(crate) mod markdown;
pub(crate) mod output;
pub(crate) mod rights;
pub(crate) mod schema;
pub(crate) mod table;
pub(crate) mod threads;
pub(crate) mod usage;
