//! Reads YAML 1.2, document after document, into a [`Tree`].
//!
//! The events and their places come from `saphyr-parser`; what the words mean is decided in [`scalar`](super::scalar),
//! what is said about broken text in [`syntax`]. A parser stops at the first error, so the documents after it are read
//! by another one: `---` at the beginning of a line starts a document wherever it stands.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::meter::{Meter, Metered};
use super::syntax;
use super::tree::{Anchor, Scalar, Shape, Stop, Tree};
use super::{Limits, LocatedProblem, Parsed, Position};
use crate::excerpt::quoted;
use crate::problem::Code;

/// Reads a stream of YAML documents.
pub(super) fn read(text: &str, limits: &Limits) -> Parsed {
    let mut tree = Tree::new(limits);
    let mut rest = text;
    let mut lines_before = 0;
    loop {
        match stream(rest, lines_before, &mut tree) {
            Ok(End::Stream) | Err(Stop) => return tree.into_parsed(),
            Ok(End::Broken { resume }) => match next_document(rest, resume) {
                Some((lines, following)) => {
                    lines_before += lines;
                    rest = following;
                }
                None => return tree.into_parsed(),
            },
        }
    }
}

/// How far a stream could be read.
enum End {
    /// To its end.
    Stream,
    /// To an error, which has been noted.
    Broken {
        /// The first line, from 1 within the stream, on which a document may start that has not been begun.
        resume: u32,
    },
}

fn stream(text: &str, lines_before: u32, tree: &mut Tree<'_>) -> Result<End, Stop> {
    let meter = Meter::default();
    let place = |marker: Marker| Position {
        line: narrow(marker.line()).saturating_add(lines_before),
        column: narrow(marker.col()).saturating_add(1),
    };
    let mut begun = 1;
    for event in Parser::new(Metered::new(text, &meter)) {
        if meter.exceeded() {
            let at = event.as_ref().map_or_else(ScanError::marker, |(_, span)| &span.start);
            let message = "a collection in brackets is longer than can be read";
            let problem = LocatedProblem::new(Code::ManifestTooLarge, place(*at), message).hint(
                "write it in block style (one `key: value` or `- element` per line), or the whole file as strict JSON",
            );
            return Err(tree.stop(problem));
        }
        let (event, span) = match event {
            Ok(found) => found,
            // The scanner counts open brackets in a byte.
            Err(error) if error.info() == "recursion limit exceeded" => {
                return Err(tree.too_deep(place(*error.marker())));
            }
            Err(error) => {
                let line = narrow(error.marker().line());
                let mut problem = syntax::explain(text, error.info(), place_in(*error.marker()));
                problem.position.line = problem.position.line.saturating_add(lines_before);
                tree.abandon();
                tree.problem(problem)?;
                let resume = if line > begun { line } else { begun + 1 };
                return Ok(End::Broken { resume });
            }
        };
        meter.event();
        let at = place(span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = match style {
                    ScalarStyle::Plain => tagged_word(&text, tag.as_deref(), at, tree)?,
                    ScalarStyle::SingleQuoted
                    | ScalarStyle::DoubleQuoted
                    | ScalarStyle::Literal
                    | ScalarStyle::Folded => tagged_text(&text, tag.as_deref(), at, tree)?,
                };
                // The text of a block starts on the line after its `|`, where its span starts, too.
                tree.scalar(scalar, at, name(anchor))?;
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), "seq", at, tree)?;
                tree.open(Shape::List, at, name(anchor))?;
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), "map", at, tree)?;
                tree.open(Shape::Mapping, at, name(anchor))?;
            }
            Event::SequenceEnd | Event::MappingEnd => tree.close()?,
            Event::Alias(anchor) => tree.alias(anchor, at)?,
            Event::DocumentEnd => tree.finish(),
            Event::DocumentStart(_) => begun = narrow(span.start.line()),
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
        }
    }
    Ok(End::Stream)
}

/// An unquoted word: what it means depends on its tag.
fn tagged_word<'t>(word: &'t str, tag: Option<&Tag>, at: Position, tree: &mut Tree<'_>) -> Result<Scalar<'t>, Stop> {
    match tag.map(kind_of_tag) {
        None => Ok(Scalar::word(word)),
        Some(TagKind::Core("str") | TagKind::NonSpecific) => Ok(Scalar::text(word)),
        Some(TagKind::Core(_) | TagKind::Other) => {
            check_tag(tag, "null bool int float", at, tree)?;
            Ok(Scalar::word(word))
        }
    }
}

/// Quoted text, which a tag may make something else: `!!int "12"`.
fn tagged_text<'t>(text: &'t str, tag: Option<&Tag>, at: Position, tree: &mut Tree<'_>) -> Result<Scalar<'t>, Stop> {
    match tag.map(kind_of_tag) {
        None | Some(TagKind::Core("str") | TagKind::NonSpecific) => Ok(Scalar::text(text)),
        Some(TagKind::Core(_) | TagKind::Other) => {
            check_tag(tag, "null bool int float", at, tree)?;
            Ok(Scalar::word(text))
        }
    }
}

enum TagKind<'t> {
    /// `!!int`.
    Core(&'t str),
    /// `!`.
    NonSpecific,
    /// `!anything`.
    Other,
}

fn kind_of_tag(tag: &Tag) -> TagKind<'_> {
    if tag.is_yaml_core_schema() {
        TagKind::Core(&tag.suffix)
    } else if let Some(name) = tag
        .suffix
        .strip_prefix("tag:yaml.org,2002:")
        .filter(|_| tag.handle.is_empty())
    {
        TagKind::Core(name)
    } else if tag.handle.is_empty() && tag.suffix == "!" {
        TagKind::NonSpecific
    } else {
        TagKind::Other
    }
}

/// Notes a tag that is not one of those allowed here.
fn check_tag(tag: Option<&Tag>, allowed: &str, at: Position, tree: &mut Tree<'_>) -> Result<(), Stop> {
    let Some(tag) = tag else { return Ok(()) };
    match kind_of_tag(tag) {
        TagKind::NonSpecific => Ok(()),
        TagKind::Core(name) if allowed.split(' ').any(|allowed| allowed == name) => Ok(()),
        TagKind::Core(name) => unknown_tag(&format!("!!{name}"), at, tree),
        TagKind::Other => unknown_tag(&tag.to_string(), at, tree),
    }
}

fn unknown_tag(tag: &str, at: Position, tree: &mut Tree<'_>) -> Result<(), Stop> {
    let message = format!("the tag {} means nothing here", quoted(tag));
    let problem = LocatedProblem::new(Code::ManifestSyntax, at, message);
    tree.problem(problem.hint("remove it; text that starts with `!` must be quoted"))
}

/// Anchors are numbered from 1.
fn name(anchor: usize) -> Option<Anchor> {
    (anchor > 0).then_some(anchor)
}

/// The text from the first document that starts on that line or a later one, and how many lines come before it.
fn next_document(text: &str, resume: u32) -> Option<(u32, &str)> {
    let mut offset = 0;
    for (lines, part) in (0..).zip(text.split_inclusive('\n')) {
        let starts = part
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if lines + 1 >= resume && starts {
            return Some((lines, &text[offset..]));
        }
        offset += part.len();
    }
    None
}

fn place_in(marker: Marker) -> Position {
    Position {
        line: narrow(marker.line()),
        column: narrow(marker.col()).saturating_add(1),
    }
}

fn narrow(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
