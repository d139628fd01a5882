//! Counting a server's tools, and telling whether they have changed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use orch_shared::jsonrpc::{Members, Outcome, Raw};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::link::{Error, Link, PAGES, greeting};
use super::observation::Tools;

/// How long a listing may take, all pages together.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Why tools cannot be listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unlisted {
    /// The server did not answer.
    #[error("{0}")]
    Link(#[from] Error),
    /// The server said no.
    #[error("error {0}: {1}")]
    Declined(i64, String),
    /// The server answered something else.
    #[error("the answer is no list of tools")]
    Garbled,
    /// It took too long.
    #[error("there was no answer within {} s", .0.as_secs_f64())]
    Silent(Duration),
}

/// Lists the tools of a server. A server that has no tools is not asked.
pub(super) async fn list(link: &Link) -> Result<Tools, Unlisted> {
    if !link.hello().offers("tools") {
        return Ok(counted(&[]));
    }
    ask(link, PATIENCE).await
}

/// Asks a server for its tools, whether it has some or not.
pub(super) async fn ask(link: &Link, patience: Duration) -> Result<Tools, Unlisted> {
    let listing = async {
        let mut tools = Vec::new();
        let mut cursor: Option<String> = None;
        let mut seen = HashSet::new();
        for _ in 0..PAGES {
            let params = cursor.take().map(|cursor| json!({"cursor": cursor}));
            let page = page(link, params.as_ref()).await?;
            let page = Members::of(&page).ok_or(Unlisted::Garbled)?;
            let listed = page.get("tools").ok_or(Unlisted::Garbled)?;
            let listed: Vec<Value> = serde_json::from_str(listed.get()).map_err(|_| Unlisted::Garbled)?;
            tools.extend(listed);
            // The same page again would go on for ever.
            match page.text("nextCursor") {
                Some(next) if seen.insert(next.clone()) => cursor = Some(next),
                Some(_) | None => break,
            }
        }
        Ok(counted(&tools))
    };
    tokio::time::timeout(patience, listing)
        .await
        .unwrap_or(Err(Unlisted::Silent(patience)))
}

async fn page(link: &Link, params: Option<&Value>) -> Result<Raw, Unlisted> {
    let exchange = link.request(greeting::own("tools/list", params)).await?;
    let outcome = exchange.outcome().await?;
    match outcome {
        Outcome::Result(result) => Ok(result),
        Outcome::Error(_) => Err(Unlisted::Declined(
            outcome.code().unwrap_or_default(),
            outcome.message().unwrap_or_default(),
        )),
    }
}

/// Tells tools apart. One that has no name cannot be called, and of two that are called the same the first is.
pub(super) fn counted(tools: &[Value]) -> Tools {
    let mut each = BTreeMap::new();
    for tool in tools {
        if let Some(name) = tool["name"].as_str() {
            each.entry(name.to_owned())
                .or_insert_with(|| Sha256::digest(canonical(tool)).into());
        }
    }
    let each: Arc<[_]> = each.into_iter().collect();
    Tools {
        count: each.len(),
        digest: digest(&*each),
        each,
    }
}

/// A hash over tools, each in canonical form: in the order of their names, keys in the order of theirs.
pub(super) fn digest<'t>(tools: impl IntoIterator<Item = &'t (String, [u8; 32])>) -> String {
    let mut hash = Sha256::new();
    for (_, tool) in tools {
        hash.update(tool);
    }
    let hex = hex::encode(hash.finalize());
    format!("sha256:{hex}")
}

fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            let entries: Vec<_> = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(text: &str) -> Value {
        serde_json::from_str(text).expect("a tool")
    }

    #[test]
    fn order_does_not_matter_and_content_does() {
        let a = tool(r#"{"name":"a","description":"x","inputSchema":{"type":"object","properties":{"p":{},"q":{}}}}"#);
        let same =
            tool(r#"{"inputSchema":{"properties":{"q":{},"p":{}},"type":"object"},"name":"a","description":"x"}"#);
        let other = tool(r#"{"name":"a","description":"y","inputSchema":{"type":"object"}}"#);
        let b = tool(r#"{"name":"b","inputSchema":{"type":"object"}}"#);
        let all = |tools: &[&Value]| {
            let tools: Vec<Value> = tools.iter().map(|tool| (*tool).clone()).collect();
            counted(&tools).offered(|_| true)
        };
        assert_eq!(all(&[&a, &b]), all(&[&b, &same]));
        assert_ne!(all(&[&a]), all(&[&other]));
        assert_ne!(all(&[&a]), all(&[&a, &b]));
        let none = all(&[]);
        assert!(none.0 == 0 && none.1.starts_with("sha256:") && none.1.len() == 71);

        // What is not offered is as if it were not there; what is there twice, or has no name, is not called.
        let some = counted(&[a.clone(), b.clone()]).offered(|name| name == "a");
        assert_eq!(some, all(&[&a]));
        assert_eq!(all(&[&a, &other, &tool("{}")]), all(&[&a]));
    }
}
