//! Cutting a result that is too long: which texts of it are cut, and what of them stands on which page.
//!
//! Counted are the texts of a result together: those of text blocks, of embedded resources, and of what is read of a
//! resource. Whatever else it holds cannot be cut, and is handed out whole with the first page. A text that fits on one
//! page is not cut; a page holds as many of them as it has room for, in their order.

use std::ops::Range;

use orch_shared::jsonrpc::{Members, Raw, raw};
use serde_json::json;
use serde_json::value::RawValue;

/// Where the text of a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the block: one of a tool.
    Block,
    /// In the resource that a block of a tool embeds.
    Resource,
    /// In the content of a resource that is read.
    Content,
}

/// A text, and the block around it.
#[derive(Debug)]
struct Piece {
    /// Which block of the result.
    index: usize,
    place: Place,
    /// The block without its text.
    shell: Raw,
    text: Box<str>,
}

/// What of a piece stands on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    piece: usize,
    range: Range<usize>,
}

/// The texts of a result, and their pages.
#[derive(Debug)]
pub(super) struct Document {
    pieces: Vec<Piece>,
    pages: Vec<Vec<Part>>,
}

/// A result that is longer than a page.
pub(super) struct Long<'r> {
    /// The member that holds its blocks.
    pub(super) member: &'static str,
    blocks: Vec<&'r RawValue>,
    pub(super) document: Document,
}

impl<'r> Long<'r> {
    /// Reads a result; nothing when its texts fit on one page together, or may not be cut: the schema of structured content
    /// says what it must be.
    pub(super) fn read(members: &'r Members<'_>, size: usize) -> Option<Self> {
        let structured = members.get("structuredContent");
        if structured.is_some_and(|content| content.get() != "null") {
            return None;
        }
        let member = ["content", "contents"]
            .into_iter()
            .find(|name| members.get(name).is_some())?;
        let blocks: Vec<&RawValue> = serde_json::from_str(members.get(member)?.get()).ok()?;
        let texts: Vec<_> = blocks.iter().map(|block| text_of(member, block)).collect();
        let total: usize = texts.iter().flatten().map(|(_, text)| text.len()).sum();
        if total <= size {
            return None;
        }
        let mut pieces = Vec::new();
        for (index, (block, found)) in blocks.iter().zip(texts).enumerate() {
            if let Some((place, text)) = found
                && let Some(shell) = with_text(place, block, "")
            {
                let text = text.into();
                pieces.push(Piece {
                    index,
                    place,
                    shell,
                    text,
                });
            }
        }
        let texts: Vec<&str> = pieces.iter().map(|piece| &*piece.text).collect();
        let pages = lay_out(&texts, size);
        let document = Document { pieces, pages };
        Some(Self {
            member,
            blocks,
            document,
        })
    }

    /// The first page, with all that cannot be cut in its place, and what is said below it.
    pub(super) fn first(&self, footer: &str) -> Vec<Raw> {
        let Document { pieces, pages } = &self.document;
        let mut shown = Vec::new();
        let mut pieces = pieces.iter().enumerate().peekable();
        for (index, block) in self.blocks.iter().enumerate() {
            let Some((number, piece)) = pieces.next_if(|(_, piece)| piece.index == index) else {
                shown.push((*block).to_owned());
                continue;
            };
            // The first page begins with the first piece, and leaves none out.
            let part = pages[0].get(number);
            match part.map(|part| &piece.text[part.range.clone()]) {
                Some(text) if text.len() == piece.text.len() => shown.push((*block).to_owned()),
                Some(text) => shown.extend(with_text(piece.place, &piece.shell, text)),
                None => {}
            }
        }
        shown.push(match self.document.uri() {
            Some(uri) => raw(&json!({"uri": uri, "mimeType": "text/plain", "text": footer})),
            None => said(footer),
        });
        shown
    }
}

impl Document {
    /// How many pages there are.
    pub(super) fn count(&self) -> usize {
        self.pages.len()
    }

    /// How much memory it takes, more or less.
    pub(super) fn weight(&self) -> usize {
        let pieces = self.pieces.iter();
        pieces.map(|piece| piece.text.len() + piece.shell.get().len()).sum()
    }

    /// The texts of each page.
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |part: &Part| &self.pieces[part.piece].text[part.range.clone()];
        let pages = self.pages.iter();
        pages.map(|page| page.iter().map(text).collect()).collect()
    }

    /// A page as blocks of a tool, with what is said below it.
    pub(super) fn page(&self, index: usize, footer: &str) -> Vec<Raw> {
        let parts = self.pages.get(index).into_iter().flatten();
        let blocks = parts.filter_map(|part| {
            let piece = &self.pieces[part.piece];
            let block = with_text(piece.place, &piece.shell, &piece.text[part.range.clone()])?;
            Some(match piece.place {
                Place::Block | Place::Resource => block,
                Place::Content => raw(&json!({"type": "resource", "resource": block})),
            })
        });
        blocks.chain([said(footer)]).collect()
    }

    /// Of a resource that was read: which it is.
    fn uri(&self) -> Option<String> {
        let first = self.pieces.first().filter(|piece| piece.place == Place::Content)?;
        Some(Members::of(&first.shell)?.text("uri").unwrap_or_default())
    }
}

fn said(footer: &str) -> Raw {
    raw(&json!({"type": "text", "text": footer}))
}

/// The text of a block that can be cut.
fn text_of(member: &str, block: &RawValue) -> Option<(Place, String)> {
    let block = Members::of(block)?;
    if member == "contents" {
        return Some((Place::Content, block.text("text")?));
    }
    match block.text("type")?.as_str() {
        "text" => Some((Place::Block, block.text("text")?)),
        "resource" => Some((Place::Resource, block.members("resource")?.text("text")?)),
        _ => None,
    }
}

/// A block with another text; all else of it stays as it is.
fn with_text(place: Place, block: &RawValue, text: &str) -> Option<Raw> {
    let mut block = Members::of(block)?;
    match place {
        Place::Block | Place::Content => block.set("text", raw(text)),
        Place::Resource => {
            let mut resource = block.members("resource")?;
            resource.set("text", raw(text));
            let resource = resource.to_raw();
            block.set("resource", resource);
        }
    }
    Some(block.to_raw())
}

/// What stands on which page, at most `size` bytes on each. A text that is longer than a page begins on one that is more
/// than half empty.
fn lay_out(texts: &[&str], size: usize) -> Vec<Vec<Part>> {
    let mut pages = Vec::new();
    let (mut page, mut room) = (Vec::new(), size);
    for (piece, text) in texts.iter().enumerate() {
        let is_too_much = text.len() > room && (text.len() <= size || room <= size / 2);
        if is_too_much && !page.is_empty() {
            pages.push(std::mem::take(&mut page));
            room = size;
        }
        if text.is_empty() {
            page.push(Part { piece, range: 0..0 });
        }
        for (number, range) in ranges(text, room, size).into_iter().enumerate() {
            if number > 0 {
                pages.push(std::mem::take(&mut page));
                room = size;
            }
            room = room.saturating_sub(range.len());
            page.push(Part { piece, range });
        }
    }
    pages.push(page);
    pages
}

/// Where a text is cut: into at most `room` bytes, and `size` bytes from then on, behind a line end where there is one in
/// the second half.
fn ranges(text: &str, room: usize, size: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut room) = (0, room);
    while start < text.len() {
        let mut end = (start + room).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        if end < text.len()
            && let Some(line) = text[start..end].rfind('\n').filter(|line| *line > (end - start) / 2)
        {
            end = start + line + 1;
        }
        // A single character may be larger than a page.
        if end == start {
            end = start + text[start..].chars().next().map_or(1, char::len_utf8);
        }
        ranges.push(start..end);
        (start, room) = (end, size);
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_make_up_the_whole_text() {
        for (text, size, count) in [
            ("", 4, 0),
            ("abcdefgh", 4, 2),
            ("abc\ndefgh", 6, 2),
            ("ééé", 3, 3),
            ("é", 1, 1),
            ("a\nbbbbbbbb", 8, 2),
        ] {
            let pages = ranges(text, size, size);
            let joined: String = pages.iter().map(|range| &text[range.clone()]).collect();
            assert_eq!((joined.as_str(), pages.len()), (text, count), "{text:?} {size}");
        }
    }

    /// The pages of texts, their parts joined by a bar.
    fn laid_out(texts: &[&str], size: usize) -> Vec<String> {
        let pages = lay_out(texts, size).into_iter();
        pages
            .map(|page| {
                let parts = page.iter().map(|part| &texts[part.piece][part.range.clone()]);
                parts.collect::<Vec<_>>().join("|")
            })
            .collect()
    }

    #[test]
    fn a_page_holds_what_it_has_room_for() {
        for (texts, pages) in [
            (&["abc", "de", "fgh"][..], &["abc|de", "fgh"][..]),
            (&["abcd", "efgh"], &["abcd", "efgh"]),
            (&["a", "bcdefghijkl"], &["a|bcdef", "ghijkl"]),
            (&["abcd", "efghijklmn"], &["abcd", "efghij", "klmn"]),
            (&["", "abcdef", "", "g"], &["|abcdef|", "g"]),
            (&["abcdefgh", "i"], &["abcdef", "gh|i"]),
        ] {
            assert_eq!(laid_out(texts, 6), pages, "{texts:?}");
        }
        assert_eq!(laid_out(&["é", "é"], 1), ["é", "é"]);
    }
}
