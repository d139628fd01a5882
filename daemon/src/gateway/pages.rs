//! Results that are too large for a model at once: handed out page by page.
//!
//! A text that is longer than the project wants is cut at line ends into pages. The client gets the first one, with what to
//! call for the next; nothing is left out. The pages are kept, by the hash of the text, for the principal that they were
//! made for, until there are too many or they are too old; then the call has to be made again, which is said. A result
//! with structured content is left whole: its schema says what it must be.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_shared::digest::sha256;
use orch_shared::jsonrpc::{Members, Outcome, Raw, raw};
use orch_shared::system::{self, Text as Wording};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::pump::Relay;
use super::thinking::Behalf;

/// The tool that hands out pages.
pub(super) const TOOL: &str = "orch_read_page";
/// How many bytes of texts are kept.
const KEPT: usize = 64 << 20;
/// For how long.
const FRESH: Duration = Duration::from_secs(30 * 60);

/// The texts that are kept. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Pages(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    texts: HashMap<(String, String), Text>,
    order: VecDeque<(String, String)>,
    bytes: usize,
}

struct Text {
    text: Arc<str>,
    size: usize,
    since: Instant,
    /// A title for each page, where a model has found them.
    titles: Option<Arc<[String]>>,
}

/// A result that was cut.
pub(super) struct Cut {
    pub(super) result: Raw,
    /// The texts of it that were, by their ids.
    pub(super) ids: Vec<String>,
}

/// What the tool says of itself.
pub(super) fn tool() -> Value {
    json!({
        "name": TOOL,
        "description": "Reads a further page of a result that was too long to be shown at once. \
            The result says which id and page to ask for.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "id": {"type": "string", "description": "The id that the result gave"},
                "page": {"type": "integer", "minimum": 1, "description": "Which page, counted from 1"},
            },
            "required": ["id", "page"],
        },
        "annotations": {"readOnlyHint": true, "openWorldHint": false},
    })
}

impl Pages {
    /// A result of a tool with its long texts cut down to their first pages; nothing when it is short enough.
    pub(super) fn cut(&self, result: &RawValue, size: usize, principal: &str, wording: &str) -> Option<Cut> {
        if result.get().len() <= size {
            return None;
        }
        let mut members = Members::of(result)?;
        if members
            .get("structuredContent")
            .is_some_and(|content| content.get() != "null")
        {
            return None;
        }
        let blocks: Vec<&RawValue> = serde_json::from_str(members.get("content")?.get()).ok()?;
        let mut ids = Vec::new();
        let mut shown: Vec<Raw> = Vec::with_capacity(blocks.len() + 1);
        for block in blocks {
            let mut parts = Members::of(block)?;
            let long = parts
                .text("text")
                .filter(|text| text.len() > size && parts.text("type").as_deref() == Some("text"));
            let Some(text) = long else {
                shown.push(block.to_owned());
                continue;
            };
            let (id, titles) = self.keep(principal, &text, size);
            let pages = pages(&text, size);
            parts.set("text", raw(&text[pages[0].clone()]));
            shown.push(parts.to_raw());
            shown.push(raw(
                &json!({"type": "text", "text": footer(wording, &id, (1, pages.len()), titles.as_deref())}),
            ));
            ids.push(id);
        }
        if ids.is_empty() {
            return None;
        }
        members.set("content", raw(&shown));
        let result = members.to_raw();
        Some(Cut { result, ids })
    }

    /// The pages of a text that have no titles yet.
    pub(super) fn untitled(&self, principal: &str, id: &str) -> Option<Vec<String>> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = shelf.texts.get(&(principal.to_owned(), id.to_owned()))?;
        let ranges = kept.titles.is_none().then(|| pages(&kept.text, kept.size))?;
        Some(ranges.into_iter().map(|range| kept.text[range].to_owned()).collect())
    }

    /// Titles were found for the pages of a text.
    pub(super) fn entitle(&self, principal: &str, id: &str, titles: Vec<String>) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = shelf.texts.get_mut(&(principal.to_owned(), id.to_owned())) {
            kept.titles = Some(titles.into());
        }
    }

    /// Keeps a text; its id, and the titles of its pages as far as they are known.
    fn keep(&self, principal: &str, text: &str, size: usize) -> (String, Option<Arc<[String]>>) {
        let mut id = sha256(text);
        id.truncate(20);
        let key = (principal.to_owned(), id.clone());
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shelf.texts.get(&key).filter(|before| before.size == size);
        let titles = before.and_then(|before| before.titles.clone());
        let kept = Text {
            text: text.into(),
            size,
            since: Instant::now(),
            titles: titles.clone(),
        };
        shelf.bytes += text.len();
        if let Some(before) = shelf.texts.insert(key.clone(), kept) {
            shelf.bytes -= before.text.len();
            shelf.order.retain(|known| *known != key);
        }
        shelf.order.push_back(key);
        while shelf.bytes > KEPT && shelf.order.len() > 1 {
            shelf.drop_oldest();
        }
        (id, titles)
    }

    /// What the tool answers: a page, or why there is none.
    pub(super) fn read(&self, arguments: Option<&RawValue>, principal: &str, wording: &str) -> Value {
        let refused = |text: String| json!({"content": [{"type": "text", "text": text}], "isError": true});
        let arguments = Members::of_params(arguments);
        let page = arguments.get("page").and_then(|page| page.get().parse::<usize>().ok());
        let (Some(id), Some(page)) = (arguments.text("id"), page) else {
            return refused("`id` (a string) and `page` (a number from 1 on) are needed".to_owned());
        };
        let key = (principal.to_owned(), id.clone());
        let found = {
            let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let text = shelf.texts.get(&key).filter(|text| text.since.elapsed() < FRESH);
            text.map(|text| (Arc::clone(&text.text), text.size, text.titles.clone()))
        };
        let Some((text, size, titles)) = found else {
            return refused(format!(
                "the result {id} is not kept any more; call the tool again that gave it"
            ));
        };
        let pages = pages(&text, size);
        match page.checked_sub(1).and_then(|index| pages.get(index)) {
            Some(range) => json!({"content": [
                {"type": "text", "text": &text[range.clone()]},
                {"type": "text", "text": footer(wording, &id, (page, pages.len()), titles.as_deref())},
            ]}),
            None => refused(format!("the result {id} has {} pages", pages.len())),
        }
    }

    /// Drops what is too old.
    pub(super) fn sweep(&self) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(oldest) = shelf.order.front()
            && shelf.texts.get(oldest).is_none_or(|text| text.since.elapsed() >= FRESH)
        {
            shelf.drop_oldest();
        }
    }
}

/// How long texts may be, and for whom titles of their pages are found.
#[derive(Debug)]
pub(super) struct Paging {
    pub(super) size: usize,
    pub(super) behalf: Behalf,
}

/// An answer of which no text is longer than the project wants. Its pages have titles, where a model finds them soon.
pub(super) async fn in_pages(relay: &Relay, outcome: Outcome) -> Outcome {
    let (Some(Paging { size, behalf }), Outcome::Result(result)) = (&relay.paging, &outcome) else {
        return outcome;
    };
    let gateway = &relay.gateway;
    let (pages, caller) = (&gateway.0.pages, relay.note.caller());
    let wording = gateway.wording(Wording::PageFooter);
    let Some(mut cut) = pages.cut(result, *size, caller, &wording) else {
        return outcome;
    };
    let mut are_found = false;
    for id in &cut.ids {
        let Some(untitled) = pages.untitled(caller, id) else {
            continue;
        };
        let texts: Vec<&str> = untitled.iter().map(String::as_str).collect();
        if let Some(titles) = gateway.titles(behalf, &texts).await {
            pages.entitle(caller, id, titles);
            are_found = true;
        }
    }
    if are_found && let Some(entitled) = pages.cut(result, *size, caller, &wording) {
        cut = entitled;
    }
    Outcome::Result(cut.result)
}

impl Shelf {
    fn drop_oldest(&mut self) {
        let oldest = self.order.pop_front().and_then(|key| self.texts.remove(&key));
        self.bytes -= oldest.map_or(0, |text| text.text.len());
    }
}

/// What stands below a page.
fn footer(wording: &str, id: &str, (page, pages): (usize, usize), titles: Option<&[String]>) -> String {
    let contents: String = (1..)
        .zip(titles.unwrap_or_default())
        .map(|(number, title)| format!("\nPage {number}: {title}"))
        .collect();
    if page >= pages {
        return format!("[Page {page} of {pages}, the last one]{contents}");
    }
    let [this, next, count] = [page, page + 1, pages].map(|number| number.to_string());
    let values = [
        ("page", &*this),
        ("pageCount", &count),
        ("tool", TOOL),
        ("id", id),
        ("next", &next),
        ("contents", &contents),
    ];
    system::fill(wording, &values)
}

/// Where the pages of a text are: at most `size` bytes each, cut behind a line end where there is one in the second half.
fn pages(text: &str, size: usize) -> Vec<Range<usize>> {
    let mut pages = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let mut end = (start + size).min(text.len());
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
        pages.push(start..end);
        start = end;
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::system::Text as Wording;

    const WORDING: &str = Wording::PageFooter.wording();

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
            let pages = pages(text, size);
            let joined: String = pages.iter().map(|range| &text[range.clone()]).collect();
            assert_eq!((joined.as_str(), pages.len()), (text, count), "{text:?} {size}");
        }
    }

    fn texts(value: &Value) -> Vec<String> {
        let blocks = value["content"].as_array().expect("blocks");
        blocks
            .iter()
            .map(|block| block["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_left_out() {
        let kept = Pages::default();
        let long = "line of text\n".repeat(20);
        let result =
            json!({"content": [{"type": "image", "data": "x"}, {"type": "text", "text": long, "x": 1}], "y": 2});
        let cut = kept.cut(&raw(&result), 100, "ann", WORDING).expect("too long");
        let cut: Value = serde_json::from_str(cut.result.get()).expect("JSON");
        assert_eq!(
            (&cut["y"], &cut["content"][1]["x"], &cut["content"][0]["data"]),
            (&json!(2), &json!(1), &json!("x"))
        );
        let footer = cut["content"][2]["text"].as_str().expect("a text");
        let id = footer.split('"').nth(3).expect("an id").to_owned();
        let mut all = texts(&cut)[1].clone();
        let mut page = 1;
        while !texts(&read(&kept, &id, page, "ann"))[1].ends_with("the last one]") {
            page += 1;
            all.push_str(&texts(&read(&kept, &id, page, "ann"))[0]);
        }
        assert_eq!(all, long);
        assert_eq!(read(&kept, &id, page + 1, "ann")["isError"], true);
        assert_eq!(
            read(&kept, &id, 1, "bob")["isError"],
            true,
            "a result is its principal's alone"
        );
        tokio::time::advance(FRESH).await;
        kept.sweep();
        assert_eq!(read(&kept, &id, 1, "ann")["isError"], true);
        assert_eq!(kept.0.lock().expect("no panic").bytes, 0);

        assert!(
            kept.cut(
                &raw(&json!({"content": [{"type": "text", "text": "short"}]})),
                100,
                "ann",
                WORDING
            )
            .is_none()
        );
        let structured = json!({"content": [{"type": "text", "text": long}], "structuredContent": {"a": 1}});
        assert!(kept.cut(&raw(&structured), 100, "ann", WORDING).is_none());
    }

    fn read(kept: &Pages, id: &str, page: usize, principal: &str) -> Value {
        kept.read(Some(&raw(&json!({"id": id, "page": page}))), principal, WORDING)
    }
}
