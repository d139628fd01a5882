//! Results that are too large for a model at once: handed out page by page.
//!
//! A result whose texts are longer than the project wants is cut into pages, as [`super::cutting`] says. The client gets the
//! first one, with what to call for the next; nothing is left out. The pages are kept, by the hash of the content and the
//! size of a page, for the principal that they were made for, until there are too many or they are too old; then the call
//! has to be made again, which is said.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orch_shared::digest::sha256;
use orch_shared::jsonrpc::{Members, Outcome, Raw, raw};
use orch_shared::system::{self, Text as Wording};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::cutting::{Document, Long};
use super::pump::Relay;
use super::thinking::Behalf;

/// The tool that hands out pages.
pub(super) const TOOL: &str = "orch_read_page";
/// How many bytes of results are kept.
const KEPT: usize = 64 << 20;
/// For how long.
const FRESH: Duration = Duration::from_secs(30 * 60);

/// The results that are kept. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Pages(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    results: HashMap<(String, String), Kept>,
    order: VecDeque<(String, String)>,
    bytes: usize,
}

struct Kept {
    document: Arc<Document>,
    since: Instant,
    /// A title for each page, where a model has found them.
    titles: Option<Arc<[String]>>,
}

/// A result that was cut.
pub(super) struct Cut {
    pub(super) result: Raw,
    /// What it is kept by.
    pub(super) id: String,
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
    /// A result cut down to its first page; nothing when it is short enough.
    pub(super) fn cut(&self, result: &RawValue, size: usize, principal: &str, wording: &str) -> Option<Cut> {
        if result.get().len() <= size {
            return None;
        }
        let members = Members::of(result)?;
        let long = Long::read(&members, size)?;
        let mut id = sha256(members.get(long.member)?.get());
        id.truncate(20);
        id = format!("{id}-{size}");
        let titles = self.titles(principal, &id);
        let shown = raw(&long.first(&footer(wording, &id, (1, long.document.count()), titles.as_deref())));
        let member = long.member;
        self.keep((principal.to_owned(), id.clone()), long.document, titles);
        let mut members = members;
        members.set(member, shown);
        let result = members.to_raw();
        Some(Cut { result, id })
    }

    /// The pages of a result that have no titles yet.
    pub(super) fn untitled(&self, principal: &str, id: &str) -> Option<Vec<String>> {
        let shelf = self.shelf();
        let kept = shelf.results.get(&(principal.to_owned(), id.to_owned()))?;
        let document = kept.titles.is_none().then(|| Arc::clone(&kept.document))?;
        drop(shelf);
        Some(document.texts())
    }

    /// Titles were found for the pages of a result.
    pub(super) fn entitle(&self, principal: &str, id: &str, titles: Vec<String>) {
        if let Some(kept) = self.shelf().results.get_mut(&(principal.to_owned(), id.to_owned())) {
            kept.titles = Some(titles.into());
        }
    }

    /// The titles of the pages of a result, where they are known.
    fn titles(&self, principal: &str, id: &str) -> Option<Arc<[String]>> {
        let shelf = self.shelf();
        shelf
            .results
            .get(&(principal.to_owned(), id.to_owned()))?
            .titles
            .clone()
    }

    /// Keeps a result.
    fn keep(&self, key: (String, String), document: Document, titles: Option<Arc<[String]>>) {
        let mut shelf = self.shelf();
        shelf.bytes += document.weight();
        let kept = Kept {
            document: Arc::new(document),
            since: Instant::now(),
            titles,
        };
        if let Some(before) = shelf.results.insert(key.clone(), kept) {
            shelf.bytes -= before.document.weight();
            shelf.order.retain(|known| *known != key);
        }
        shelf.order.push_back(key);
        while shelf.bytes > KEPT && shelf.order.len() > 1 {
            shelf.drop_oldest();
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the tool answers: a page, or why there is none.
    pub(super) fn read(&self, arguments: Option<&RawValue>, principal: &str, wording: &str) -> Raw {
        let refused = |text: String| raw(&json!({"content": [{"type": "text", "text": text}], "isError": true}));
        let arguments = Members::of_params(arguments);
        let page = arguments.get("page").and_then(|page| page.get().parse::<usize>().ok());
        let (Some(id), Some(page)) = (arguments.text("id"), page) else {
            return refused("`id` (a string) and `page` (a number from 1 on) are needed".to_owned());
        };
        let key = (principal.to_owned(), id.clone());
        let found = {
            let shelf = self.shelf();
            let kept = shelf.results.get(&key).filter(|kept| kept.since.elapsed() < FRESH);
            kept.map(|kept| (Arc::clone(&kept.document), kept.titles.clone()))
        };
        let Some((document, titles)) = found else {
            return refused(format!(
                "the result {id} is not kept any more; call the tool again that gave it"
            ));
        };
        let count = document.count();
        match page.checked_sub(1).filter(|index| *index < count) {
            Some(index) => {
                let footer = footer(wording, &id, (page, count), titles.as_deref());
                let mut told = Members::default();
                told.set("content", raw(&document.page(index, &footer)));
                told.to_raw()
            }
            None => refused(format!("the result {id} has {count} pages")),
        }
    }

    /// Drops what is too old.
    pub(super) fn sweep(&self) {
        let mut shelf = self.shelf();
        while let Some(oldest) = shelf.order.front()
            && shelf
                .results
                .get(oldest)
                .is_none_or(|kept| kept.since.elapsed() >= FRESH)
        {
            shelf.drop_oldest();
        }
    }
}

/// How long the texts of a result may be, and for whom titles of their pages are found.
#[derive(Debug)]
pub(super) struct Paging {
    pub(super) size: usize,
    pub(super) behalf: Behalf,
}

/// An answer of which no more is handed out at once than the project wants. Its pages have titles, where a model finds them soon.
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
    if let Some(untitled) = pages.untitled(caller, &cut.id) {
        let texts: Vec<&str> = untitled.iter().map(String::as_str).collect();
        if let Some(titles) = gateway.titles(behalf, &texts).await {
            pages.entitle(caller, &cut.id, titles);
            if let Some(entitled) = pages.cut(result, *size, caller, &wording) {
                cut = entitled;
            }
        }
    }
    Outcome::Result(cut.result)
}

impl Shelf {
    fn drop_oldest(&mut self) {
        let oldest = self.order.pop_front().and_then(|key| self.results.remove(&key));
        self.bytes -= oldest.map_or(0, |kept| kept.document.weight());
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

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::system::Text as Wording;

    const WORDING: &str = Wording::PageFooter.wording();

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
        let told = kept.read(Some(&raw(&json!({"id": id, "page": page}))), principal, WORDING);
        serde_json::from_str(told.get()).expect("JSON")
    }

    fn cut(kept: &Pages, result: &Value, size: usize) -> Value {
        let cut = kept.cut(&raw(result), size, "ann", WORDING).expect("too long");
        serde_json::from_str(cut.result.get()).expect("JSON")
    }

    /// The id that a result says below its first page.
    fn id_of(blocks: &Value) -> String {
        let footer = blocks.as_array().and_then(|blocks| blocks.last()).expect("a footer");
        let footer = footer["text"].as_str().expect("a text");
        footer.split('"').nth(3).expect("an id").to_owned()
    }

    /// All that comes behind the first page, but for what is said below.
    fn rest(kept: &Pages, id: &str) -> Vec<Value> {
        let mut rest = Vec::new();
        for page in 2.. {
            let told = read(kept, id, page, "ann");
            let (footer, blocks) = told["content"]
                .as_array()
                .and_then(|told| told.split_last())
                .expect("blocks");
            rest.extend_from_slice(blocks);
            if footer["text"].as_str().expect("a text").ends_with("the last one]") {
                break;
            }
        }
        rest
    }

    #[test]
    fn many_blocks_are_one_result() {
        let kept = Pages::default();
        let blocks: Vec<Value> = (0..200)
            .map(|number| json!({"type": "text", "text": format!("{number:01500}"), "_meta": {"n": number}}))
            .collect();
        let mut content = blocks.clone();
        content.insert(100, json!({"type": "image", "data": "x"}));
        let cut = cut(&kept, &json!({"content": content}), 4096);
        let shown = cut["content"].as_array().expect("blocks");
        assert_eq!(
            (shown.len(), &shown[2]["data"]),
            (4, &json!("x")),
            "what cannot be cut stays"
        );
        let mut all = shown[..2].to_vec();
        all.extend(rest(&kept, &id_of(&cut["content"])));
        assert_eq!(all, blocks);
    }

    #[test]
    fn texts_of_resources_are_cut() {
        let kept = Pages::default();
        let long = "0123456789".repeat(40);
        let resource = json!({"uri": "a://b", "mimeType": "text/x", "text": long});
        let joined = |first: &Value, rest: &[Value]| {
            let rest = rest.iter().map(|block| {
                assert_eq!(
                    (&block["type"], &block["resource"]["uri"]),
                    (&json!("resource"), &json!("a://b"))
                );
                block["resource"]["text"].as_str().expect("a text")
            });
            first["text"].as_str().into_iter().chain(rest).collect::<String>()
        };
        let embedded = json!({"content": [{"type": "resource", "resource": resource}]});
        let told = cut(&kept, &embedded, 100);
        let rest_of_it = rest(&kept, &id_of(&told["content"]));
        assert_eq!(joined(&told["content"][0]["resource"], &rest_of_it), long);
        assert_eq!(told["content"][0]["resource"]["mimeType"], "text/x");

        let told = cut(
            &kept,
            &json!({"contents": [{"uri": "a://c", "blob": "AA"}, resource]}),
            100,
        );
        assert_eq!(
            (&told["contents"][0]["blob"], &told["contents"][2]["uri"]),
            (&json!("AA"), &json!("a://b"))
        );
        let rest_of_it = rest(&kept, &id_of(&told["contents"]));
        assert_eq!(joined(&told["contents"][1], &rest_of_it), long);
        assert!(rest_of_it.len() >= 3);
    }

    #[test]
    fn pages_of_another_size_are_others() {
        let kept = Pages::default();
        let long = json!({"content": [{"type": "text", "text": "0123456789".repeat(100)}]});
        let small = cut(&kept, &long, 100);
        let large = cut(&kept, &long, 500);
        let second = |told: &Value| read(&kept, &id_of(&told["content"]), 2, "ann");
        let text = |told: Value| told["content"][0]["text"].as_str().map(str::len);
        assert_eq!((text(second(&small)), text(second(&large))), (Some(100), Some(500)));
        assert_eq!(rest(&kept, &id_of(&small["content"])).len(), 9);
    }
}
