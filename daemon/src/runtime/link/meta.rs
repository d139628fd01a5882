//! The parameters of a request, as a server is to see them.
//!
//! What enters: the parameters as the caller gave them. What leaves: the same, byte for byte, but for two things in `_meta`:
//! the reserved members say what the server's era wants to hear and nothing that another hop has said, and the progress
//! token is one of the link's.

use std::borrow::Cow;

use orch_shared::jsonrpc::{Members, Raw, raw};
use serde_json::value::RawValue;

use super::super::launch::Era;
use super::{Client, Hello};

/// The reserved members of `_meta` begin so.
const RESERVED: &str = "io.modelcontextprotocol/";

/// The member that names the subscription that a notification belongs to.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// Where a server of the newer era puts its name and version.
pub(super) const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// The member of `_meta` that names the progress of a request.
const TOKEN: &str = "progressToken";

/// Whose requests are to look how.
#[derive(Debug, Clone, Copy)]
pub(super) enum Dress<'a> {
    /// For a server of the older era.
    Legacy,
    /// For a server of the newer era, with this revision.
    Modern(&'a str),
}

impl<'a> Dress<'a> {
    /// How requests to that server look.
    pub(super) fn of(hello: &'a Hello) -> Self {
        match hello.era {
            Era::Legacy => Self::Legacy,
            Era::Modern => Self::Modern(&hello.protocol_version),
        }
    }
}

/// The parameters as the server is to see them, and the caller's progress token, which was exchanged for `number`.
pub(super) fn outgoing(
    params: Option<Raw>,
    dress: Dress<'_>,
    client: &Client,
    number: u64,
) -> (Option<Raw>, Option<Raw>) {
    let untouched = params.as_ref().is_none_or(|params| !may_hold(params, "_meta"));
    match (untouched, dress) {
        (true, Dress::Legacy) => return (params, None),
        (true, Dress::Modern(version)) => {
            if let Some(params) = spliced(params.as_deref(), version, client) {
                return (Some(params), None);
            }
        }
        (false, Dress::Legacy | Dress::Modern(_)) => {}
    }
    let mut members = match params.as_deref().map(Members::of) {
        // Not an object; whatever it is, it is the server's to refuse.
        Some(None) => return (params, None),
        Some(Some(members)) => members,
        None => Members::default(),
    };
    let mut meta = members.members("_meta").unwrap_or_default();
    if let Dress::Modern(version) = dress
        && members.has_once("_meta")
        && meta.get(TOKEN).is_none()
        && says_so(&meta, version, client)
    {
        return (params, None);
    }
    let was_empty = meta.is_empty();
    meta.retain(|name| !name.starts_with(RESERVED));
    let token = meta.get(TOKEN).map(ToOwned::to_owned);
    if token.is_some() {
        meta.set(TOKEN, raw(&number));
    }
    if let Dress::Modern(version) = dress {
        for (name, value) in reserved(version, client) {
            meta.set(name, value.into_owned());
        }
    }
    if meta.is_empty() && !was_empty {
        // All that it said was about another hop.
        members.remove("_meta");
    } else if members.get("_meta").is_some() || !meta.is_empty() {
        // An empty one stays where there was one.
        members.set("_meta", meta.to_raw());
    }
    (Some(members.to_raw()), token)
}

/// Whether a name may stand in there, be it written with escapes.
fn may_hold(params: &RawValue, name: &str) -> bool {
    params.get().contains(name) || params.get().contains("\\u")
}

/// What a server of the newer era is told with every request.
fn reserved<'c>(version: &str, client: &'c Client) -> impl Iterator<Item = (&'static str, Cow<'c, RawValue>)> {
    let level = client.log_level.as_deref().map(raw);
    [
        (
            "io.modelcontextprotocol/protocolVersion",
            Some(Cow::Owned(raw(version))),
        ),
        ("io.modelcontextprotocol/clientInfo", Some(Cow::Borrowed(&*client.info))),
        (
            "io.modelcontextprotocol/clientCapabilities",
            Some(Cow::Borrowed(&*client.capabilities)),
        ),
        ("io.modelcontextprotocol/logLevel", level.map(Cow::Owned)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

/// Whether a `_meta` says already what it is to say: then it need not be written anew.
fn says_so(meta: &Members<'_>, version: &str, client: &Client) -> bool {
    let is_so = |(name, value): &(&str, Cow<'_, RawValue>)| {
        meta.has_once(name) && meta.get(name).is_some_and(|said| said.get() == value.get())
    };
    let said = meta.iter().filter(|(name, _)| name.starts_with(RESERVED)).count();
    let wanted: Vec<_> = reserved(version, client).collect();
    said == wanted.len() && wanted.iter().all(is_so)
}

/// Parameters that have no `_meta` get one in front, without being read. Nothing when they are no object.
fn spliced(params: Option<&RawValue>, version: &str, client: &Client) -> Option<Raw> {
    let rest = match params {
        None => "}",
        Some(params) => params.get().strip_prefix('{')?,
    };
    let mut text = String::with_capacity(rest.len() + 320);
    text.push_str("{\"_meta\":{");
    for (at, (name, value)) in reserved(version, client).enumerate() {
        let comma = if at == 0 { "\"" } else { ",\"" };
        text.extend([comma, name, "\":", value.get()]);
    }
    text.push('}');
    if !rest.trim_start().starts_with('}') {
        text.push(',');
    }
    text.push_str(rest);
    RawValue::from_string(text).ok()
}

/// Parameters of a notification that we send: without what another hop has said in reserved members.
pub(super) fn stripped(params: Option<Raw>) -> Option<Raw> {
    let params = params?;
    if !may_hold(&params, RESERVED) {
        return Some(params);
    }
    let Some(mut members) = Members::of(&params) else {
        return Some(params);
    };
    if let Some(mut meta) = members.members("_meta") {
        meta.retain(|name| !name.starts_with(RESERVED));
        members.set("_meta", meta.to_raw());
    }
    Some(members.to_raw())
}

/// The number of ours that the progress is of, and the parameters with the caller's token instead.
pub(super) fn progress_of(params: Option<&RawValue>) -> Option<(u64, Members<'_>)> {
    let members = Members::of(params?)?;
    let number = members.get(TOKEN)?.get().parse().ok()?;
    Some((number, members))
}

/// The progress as the caller is to see it.
pub(super) fn progress_for(mut members: Members<'_>, token: Raw) -> Raw {
    members.set(TOKEN, token);
    members.to_raw()
}

/// The request of ours that a notification belongs to because it subscribed to it.
pub(super) fn subscription_of(params: Option<&RawValue>) -> Option<u64> {
    let params = params?;
    if !params.get().contains(SUBSCRIPTION) {
        return None;
    }
    let members = Members::of(params)?;
    let meta = members.members("_meta")?;
    let id = meta.get(SUBSCRIPTION)?.get();
    id.trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(log_level: Option<&str>) -> Client {
        Client {
            info: raw(&serde_json::json!({"name": "c", "version": "1"})),
            capabilities: raw(&serde_json::json!({})),
            log_level: log_level.map(str::to_owned),
        }
    }

    fn parsed(text: &str) -> Raw {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn requests_are_dressed_for_their_server() {
        let ours = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}"#;
        let level = r#","io.modelcontextprotocol/logLevel":"info""#;
        let modern = Dress::Modern("2026-07-28");
        for (params, dress, log_level, expected, token) in [
            (None, Dress::Legacy, None, None, None),
            (
                Some(r#"{"b":1.0,"a":[ 1 ]}"#),
                Dress::Legacy,
                None,
                Some(r#"{"b":1.0,"a":[ 1 ]}"#.to_owned()),
                None,
            ),
            (
                Some(
                    r#"{"_meta":{"progressToken":"t","traceparent":"00","io.modelcontextprotocol/logLevel":"x"},"x":{ }}"#,
                ),
                Dress::Legacy,
                Some("info"),
                Some(r#"{"_meta":{"progressToken":7,"traceparent":"00"},"x":{ }}"#.to_owned()),
                Some(r#""t""#),
            ),
            (None, modern, None, Some(format!(r#"{{"_meta":{{{ours}}}}}"#)), None),
            (
                Some("{ }"),
                modern,
                None,
                Some(format!(r#"{{"_meta":{{{ours}}} }}"#)),
                None,
            ),
            (
                Some(r#"{"a":1}"#),
                modern,
                Some("info"),
                Some(format!(r#"{{"_meta":{{{ours}{level}}},"a":1}}"#)),
                None,
            ),
            (
                Some(
                    r#"{"a":1,"_meta":{"progressToken":1.50,"z":0,"io.modelcontextprotocol/clientInfo":{"name":"other"}}}"#,
                ),
                modern,
                None,
                Some(format!(r#"{{"a":1,"_meta":{{"progressToken":7,"z":0,{ours}}}}}"#)),
                Some("1.50"),
            ),
            (
                Some(r#"{"\u005fmeta":{"io.modelcontextprotocol/clientInfo":1},"a":1}"#),
                Dress::Legacy,
                None,
                Some(r#"{"a":1}"#.to_owned()),
                None,
            ),
            (Some("[1]"), modern, None, Some("[1]".to_owned()), None),
            // What says so already is sent as it came.
            (
                Some(&format!(r#"{{"a": 1, "_meta": {{"z":0, {ours} }} }}"#)),
                modern,
                None,
                Some(format!(r#"{{"a": 1, "_meta": {{"z":0, {ours} }} }}"#)),
                None,
            ),
            // But not what might be read in another way.
            (
                Some(&format!(
                    r#"{{"_meta":{{"io.modelcontextprotocol/x":1}},"_meta":{{{ours}}}}}"#
                )),
                modern,
                None,
                Some(format!(r#"{{"_meta":{{{ours}}}}}"#)),
                None,
            ),
            (
                Some(&format!(r#"{{"_meta":{{"io.modelcontextprotocol/x":1,{ours}}}}}"#)),
                modern,
                None,
                Some(format!(r#"{{"_meta":{{{ours}}}}}"#)),
                None,
            ),
        ] {
            let (sent, exchanged) = outgoing(params.map(parsed), dress, &client(log_level), 7);
            assert_eq!(
                sent.as_ref().map(|sent| sent.get().to_owned()),
                expected,
                "{params:?} {dress:?}"
            );
            assert_eq!(
                exchanged.as_ref().map(|token| token.get()),
                token,
                "{params:?} {dress:?}"
            );
        }
    }

    #[test]
    fn progress_gets_its_own_token_again() {
        let came = parsed(r#"{"progressToken":7,"progress":0.50,"more":true}"#);
        let (number, members) = progress_of(Some(&came)).expect("progress");
        assert_eq!(number, 7);
        let shown = progress_for(members, raw("t"));
        assert_eq!(shown.get(), r#"{"progressToken":"t","progress":0.50,"more":true}"#);
    }

    #[test]
    fn subscriptions_are_named_by_their_request() {
        for (params, expected) in [
            (r#"{"_meta":{"io.modelcontextprotocol/subscriptionId":4}}"#, Some(4)),
            (r#"{"_meta":{"io.modelcontextprotocol/subscriptionId":"4"}}"#, Some(4)),
            (r#"{"_meta":{"io.modelcontextprotocol/subscriptionId":"x"}}"#, None),
            (r#"{"io.modelcontextprotocol/subscriptionId":4}"#, None),
        ] {
            assert_eq!(subscription_of(Some(&parsed(params))), expected, "{params}");
        }
    }
}
