//! Documents that are no objects (events, history, status) in the forms machines read.

use orch_shared::manifest::to_yaml;
use serde::Serialize;

/// How a document is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// The document's text, or nothing when it is to be drawn for people.
pub(crate) fn text(format: Format, document: &impl Serialize) -> Option<String> {
    let value = || serde_json::to_value(document).expect("documents are plain data");
    match format {
        Format::Table => None,
        Format::Json => Some(json(&value())),
        Format::Yaml => Some(to_yaml(&value())),
    }
}

/// Indented JSON that ends in a line break.
pub(crate) fn json(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("values are plain data");
    text.push('\n');
    text
}
