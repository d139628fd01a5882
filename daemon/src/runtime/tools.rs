//! Counting a server's tools, and telling whether they have changed.

use std::collections::HashSet;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{PaginatedRequestParams, Tool};
use rmcp::service::{Peer, ServiceError};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::observation::Tools;

/// A server that lists more pages than this is not listed to the end.
const PAGES: usize = 100;

/// How long a listing may take, all pages together.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Lists the tools of a server. A server that has no tools is not asked.
pub(super) async fn list(peer: &Peer<RoleClient>) -> Result<Tools, ServiceError> {
    let offers = peer.peer_info().is_some_and(|info| info.capabilities.tools.is_some());
    let mut tools = Vec::new();
    if offers {
        let listing = async {
            let mut cursor: Option<String> = None;
            let mut seen = HashSet::new();
            for _ in 0..PAGES {
                let params = PaginatedRequestParams::default().with_cursor(cursor.take());
                let page = peer.list_tools(Some(params)).await?;
                tools.extend(page.tools);
                // The same page again would go on for ever.
                match page.next_cursor {
                    Some(next) if seen.insert(next.clone()) => cursor = Some(next),
                    Some(_) | None => break,
                }
            }
            Ok(())
        };
        tokio::time::timeout(PATIENCE, listing)
            .await
            .map_err(|_| ServiceError::Timeout { timeout: PATIENCE })??;
    }
    Ok(Tools {
        count: tools.len(),
        digest: digest(&tools),
    })
}

/// A hash over the tools in canonical form: in the order of their names, keys in the order of theirs.
fn digest(tools: &[Tool]) -> String {
    let mut texts: Vec<_> = tools
        .iter()
        .map(|tool| {
            (
                tool.name.to_string(),
                canonical(serde_json::to_value(tool).unwrap_or_default()),
            )
        })
        .collect();
    texts.sort();
    let mut hash = Sha256::new();
    for (_, text) in texts {
        hash.update(text.as_bytes());
        hash.update(b"\n");
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn canonical(value: Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            let entries: Vec<_> = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key), canonical(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(items) => format!("[{}]", items.into_iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(text: &str) -> Tool {
        serde_json::from_str(text).expect("a tool")
    }

    #[test]
    fn order_does_not_matter_and_content_does() {
        let a = tool(r#"{"name":"a","description":"x","inputSchema":{"type":"object","properties":{"p":{},"q":{}}}}"#);
        let same =
            tool(r#"{"inputSchema":{"properties":{"q":{},"p":{}},"type":"object"},"name":"a","description":"x"}"#);
        let other = tool(r#"{"name":"a","description":"y","inputSchema":{"type":"object"}}"#);
        let b = tool(r#"{"name":"b","inputSchema":{"type":"object"}}"#);
        assert_eq!(digest(&[a.clone(), b.clone()]), digest(&[b.clone(), same]));
        assert_ne!(digest(std::slice::from_ref(&a)), digest(&[other]));
        assert_ne!(digest(std::slice::from_ref(&a)), digest(&[a, b]));
        assert!(digest(&[]).starts_with("sha256:") && digest(&[]).len() == 71);
    }
}
