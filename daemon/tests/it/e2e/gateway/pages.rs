//! Results that are too long for a model at once: what is handed out page by page is all that the server has said.

use serde_json::{Value, json};

use super::{manifest, raw};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, eventually};

/// Numbered lines, as the server makes them.
fn lines(bytes: usize) -> String {
    let mut text: String = (1..=bytes)
        .map(|number| format!("line {number}\n"))
        .take(bytes / 6 + 1)
        .collect();
    text.truncate(bytes);
    text
}

/// Two projects that hand out pages of different sizes, of the same server.
fn home() -> Home {
    let home = Home::new().started();
    let paged =
        |name: &str, size: &str| manifest("Project", name, &json!({"servers": ["raw"], "pages": {"size": size}}));
    home.apply(
        &[
            raw("raw", &[]),
            paged("small", "2Ki"),
            paged("large", "5Ki"),
            paged("whole", "0"),
        ]
        .concat(),
    );
    home.until_ready(&["server/raw", "project/small", "project/large", "project/whole"]);
    home
}

/// What stands below a page, and what is above.
fn apart(blocks: &Value) -> (String, Vec<Value>) {
    let (footer, above) = blocks
        .as_array()
        .and_then(|blocks| blocks.split_last())
        .expect("blocks");
    (footer["text"].as_str().expect("a text").to_owned(), above.to_vec())
}

/// The id that a first page says.
fn id_of(footer: &str) -> String {
    footer.split('"').nth(3).expect("an id").to_owned()
}

/// All that comes behind a first page. No page is larger than it may be.
fn rest(client: &Client, footer: &str, most: usize) -> Vec<Value> {
    let id = id_of(footer);
    let mut rest = Vec::new();
    for page in 2.. {
        let told = client.call("orch_read_page", json!({"id": id, "page": page}));
        let (footer, blocks) = apart(&told["content"]);
        let size: usize = blocks.iter().map(|block| text(block).len()).sum();
        assert!(size <= most && size > 0, "{size} bytes on page {page}");
        rest.extend(blocks);
        if footer.ends_with("the last one]") {
            break;
        }
    }
    rest
}

/// The text of a block, or of what it embeds.
fn text(block: &Value) -> &str {
    let text = block["text"].as_str().or_else(|| block["resource"]["text"].as_str());
    text.unwrap_or_else(|| panic!("no text: {block}"))
}

fn joined<'b>(blocks: impl IntoIterator<Item = &'b Value>) -> String {
    blocks.into_iter().map(text).collect()
}

/// The size of a result counts as a whole, whatever its texts stand in.
#[test]
fn a_long_result_comes_in_pages_whatever_it_is_made_of() {
    let home = home();
    let whole = Client::begin(&home, Era::Modern, "/mcp/projects/whole");
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/small");
        // Many blocks that are short enough, each alone.
        let many = json!({"blocks": 200, "bytes": 1500, "lines": true});
        let expected = whole.call("raw__big", many.clone())["content"].clone();
        assert_eq!(expected.as_array().map(Vec::len), Some(200));
        let told = client.call("raw__big", many);
        let (footer, mut all) = apart(&told["content"]);
        assert_eq!(all.len(), 1, "{footer}");
        all.extend(rest(&client, &footer, 2048));
        assert_eq!(Value::from(all), expected, "{era:?}: every block comes as it was");

        // One long text in an embedded resource, and one that is read.
        let told = client.call("raw__big", json!({"bytes": 400_000, "lines": true, "embedded": true}));
        let (footer, first) = apart(&told["content"]);
        let behind = rest(&client, &footer, 2048);
        assert!(behind.iter().all(|block| block["resource"]["uri"] == "raw://block-0"));
        assert_eq!(joined(first.iter().chain(&behind)), lines(400_000), "{era:?}");

        let told = client.result("resources/read", json!({"uri": "raw://lines-400000"}));
        let (footer, first) = apart(&told["contents"]);
        assert_eq!((first.len(), &first[0]["mimeType"]), (1, &json!("text/plain")));
        let behind = rest(&client, &footer, 2048);
        assert!(
            behind
                .iter()
                .all(|block| block["resource"]["uri"] == "raw://lines-400000")
        );
        assert_eq!(joined(first.iter().chain(&behind)), lines(400_000), "{era:?}");

        eventually("pages are noted as calls of the tool", || {
            let rows = home.get("audit?kind=tool_call&limit=1000");
            let mut rows = rows["items"].as_array().expect("items").iter();
            rows.any(|row| row["item"] == "orch_read_page" && row["target"]["name"] == "small")
        });

        // What is short comes as it is.
        let told = client.result("resources/read", json!({"uri": "raw://lines-1500"}));
        assert_eq!(told["contents"].as_array().map(Vec::len), Some(1));
        let told = client.call("raw__big", json!({"blocks": 2, "bytes": 1000}));
        assert_eq!(told["content"].as_array().map(Vec::len), Some(2));
    }
}

/// The same result is kept once for each size of pages that it was handed out in.
#[test]
fn projects_with_other_pages_do_not_move_each_others() {
    let home = home();
    let small = Client::begin(&home, Era::Legacy, "/mcp/projects/small");
    let large = Client::begin(&home, Era::Legacy, "/mcp/projects/large");
    let long = json!({"bytes": 20_000, "lines": true});
    let [(footer, first), (other_footer, other_first)] =
        [&small, &large].map(|client| apart(&client.call("raw__big", long.clone())["content"]));
    assert_ne!(id_of(&footer), id_of(&other_footer));
    let behind = rest(&small, &footer, 2048);
    assert_eq!(joined(first.iter().chain(&behind)), lines(20_000));
    let other_behind = rest(&large, &other_footer, 5120);
    assert_eq!(joined(other_first.iter().chain(&other_behind)), lines(20_000));
    assert!(behind.len() > other_behind.len());
}
