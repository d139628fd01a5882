//! What is said before anything else, in either era, and what is understood of the answer.
//!
//! What enters: for whom a conversation is opened. What leaves: the calls that greet, and a [`Hello`], or a clause that says
//! why what came is none. Nothing here sends anything.

use std::sync::{Arc, OnceLock};

use orch_shared::jsonrpc::{Members, Outcome, Raw, raw};
use rmcp::model::{ErrorCode, ProtocolVersion};
use serde_json::{Value, json};

use super::super::launch::Era;
use super::meta::SERVER_INFO;
use super::{Call, Client, Hello, Opening, Purpose};

/// The revision that servers of the newer era are spoken to in.
pub(in crate::runtime) const MODERN: &str = "2026-07-28";

/// The revision that servers of the older era are offered.
const OFFERED: &str = "2025-11-25";

fn info() -> Raw {
    raw(&json!({"name": "orchd", "version": env!("CARGO_PKG_VERSION")}))
}

/// The daemon, when it asks for itself. It answers nothing.
pub(in crate::runtime) fn ourselves() -> Arc<Client> {
    static CLIENT: OnceLock<Arc<Client>> = OnceLock::new();
    let client = || Client {
        info: info(),
        capabilities: raw(&json!({})),
        log_level: None,
    };
    Arc::clone(CLIENT.get_or_init(|| Arc::new(client())))
}

/// How the conversation is opened that all clients of a copy share: it can do what any of them may be able to do.
pub(in crate::runtime) fn shared() -> Opening {
    let capabilities = json!({
        "sampling": {},
        "elicitation": {"form": {}, "url": {}},
        "roots": {"listChanged": true},
    });
    let client = Client {
        info: info(),
        capabilities: raw(&capabilities),
        log_level: None,
    };
    Opening {
        client: Arc::new(client),
        asks: None,
    }
}

/// A call of the daemon's own.
pub(in crate::runtime) fn own(method: &str, params: Option<&Value>) -> Call {
    Call {
        method: method.to_owned(),
        params: params.map(raw),
        client: ourselves(),
        purpose: Purpose::Own,
        about: None,
        schema: None,
    }
}

/// The greeting of the newer era.
pub(in crate::runtime) fn discover() -> Call {
    own("server/discover", None)
}

/// The greeting of the older era.
pub(in crate::runtime) fn initialize(client: &Client) -> Call {
    let params = json!({
        "protocolVersion": OFFERED,
        "capabilities": client.capabilities,
        "clientInfo": client.info,
    });
    own("initialize", Some(&params))
}

/// What a server of the older era is told once it was understood.
pub(in crate::runtime) const INITIALIZED: &str = "notifications/initialized";

/// What was answered to the greeting of an era; why it is no greeting, in a clause that is not masked.
pub(in crate::runtime) fn understand(era: Era, outcome: &Outcome) -> Result<Hello, String> {
    let result = match outcome {
        Outcome::Result(result) => result,
        Outcome::Error(error) => return Err(declined(outcome, error)),
    };
    let members = Members::of(result).ok_or_else(no_greeting)?;
    match era {
        Era::Legacy => initialized(&members),
        Era::Modern => discovered(&members),
    }
}

fn initialized(members: &Members<'_>) -> Result<Hello, String> {
    let version = members.text("protocolVersion").ok_or_else(no_greeting)?;
    let known = |known: &&ProtocolVersion| known.has_initialize() && known.as_str() == version;
    if !ProtocolVersion::KNOWN_VERSIONS.iter().any(|version| known(&version)) {
        return Err(speaks_only(&[version]));
    }
    Ok(Hello {
        era: Era::Legacy,
        protocol_version: version,
        capabilities: capabilities(members),
        server_info: members.get("serverInfo").map(ToOwned::to_owned),
        instructions: members.text("instructions"),
    })
}

fn discovered(members: &Members<'_>) -> Result<Hello, String> {
    let versions = members.get("supportedVersions").ok_or_else(no_greeting)?;
    let versions: Vec<String> = serde_json::from_str(versions.get()).map_err(|_| no_greeting())?;
    if !versions.iter().any(|version| version == MODERN) {
        return Err(speaks_only(&versions));
    }
    let meta = members.members("_meta").unwrap_or_default();
    let info = meta.get(SERVER_INFO).or_else(|| members.get("serverInfo"));
    Ok(Hello {
        era: Era::Modern,
        protocol_version: MODERN.to_owned(),
        capabilities: capabilities(members),
        server_info: info.map(ToOwned::to_owned),
        instructions: members.text("instructions"),
    })
}

fn capabilities(members: &Members<'_>) -> Raw {
    members
        .get("capabilities")
        .map_or_else(|| raw(&json!({})), ToOwned::to_owned)
}

fn no_greeting() -> String {
    "its answer to the greeting is no answer to a greeting".to_owned()
}

fn speaks_only(versions: &[String]) -> String {
    format!("it speaks none of our protocol versions, only {}", versions.join(", "))
}

fn declined(outcome: &Outcome, error: &Raw) -> String {
    let supported = || {
        let error = Members::of(error)?;
        let data = error.members("data")?;
        serde_json::from_str::<Vec<String>>(data.get("supported")?.get()).ok()
    };
    match (outcome.code(), supported()) {
        (Some(code), Some(versions)) if code == i64::from(ErrorCode::UNSUPPORTED_PROTOCOL_VERSION.0) => {
            speaks_only(&versions)
        }
        (Some(code), _) => format!("error {code}: {}", outcome.message().unwrap_or_default()),
        (None, _) => no_greeting(),
    }
}

/// Whether a refusal could only come from a server of the newer era.
pub(in crate::runtime) fn is_modern_refusal(outcome: &Outcome) -> bool {
    [
        ErrorCode::UNSUPPORTED_PROTOCOL_VERSION,
        ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY,
        ErrorCode::HEADER_MISMATCH,
    ]
    .iter()
    .any(|known| outcome.code() == Some(i64::from(known.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_are_understood_or_told_why_not() {
        use Era::{Legacy, Modern};
        let result = |value: Value| Outcome::Result(raw(&value));
        let only = "it speaks none of our protocol versions, only";
        let none = no_greeting();
        for (era, outcome, expected) in [
            (
                Legacy,
                result(json!({"protocolVersion": "2025-11-25", "capabilities": {}})),
                Ok("2025-11-25"),
            ),
            (
                Legacy,
                result(json!({"protocolVersion": "2024-11-05"})),
                Ok("2024-11-05"),
            ),
            (
                Legacy,
                result(json!({"protocolVersion": "1999-01-01"})),
                Err(format!("{only} 1999-01-01")),
            ),
            (
                Legacy,
                result(json!({"protocolVersion": MODERN})),
                Err(format!("{only} {MODERN}")),
            ),
            (Legacy, result(json!([])), Err(none.clone())),
            (
                Modern,
                result(json!({"supportedVersions": [OFFERED, MODERN]})),
                Ok(MODERN),
            ),
            (
                Modern,
                result(json!({"supportedVersions": ["2099-01-01"]})),
                Err(format!("{only} 2099-01-01")),
            ),
            (Modern, result(json!({"supportedVersions": "x"})), Err(none.clone())),
            (
                Modern,
                Outcome::error(-32601, "no such method"),
                Err("error -32601: no such method".to_owned()),
            ),
            (
                Modern,
                Outcome::error_with(-32022, "no", &json!({"supported": ["2099-01-01"]})),
                Err(format!("{only} 2099-01-01")),
            ),
        ] {
            let understood = understand(era, &outcome).map(|hello| hello.protocol_version);
            assert_eq!(understood, expected.map(str::to_owned), "{era:?} {outcome:?}");
        }
    }

    #[test]
    fn what_a_server_says_of_itself_is_kept_as_it_is() {
        let capabilities = r#"{"tools":{ },"x/unknown":[1.0]}"#;
        let info = r#"{"name":"a","icons":[ ]}"#;
        for (era, text) in [
            (
                Era::Legacy,
                format!(
                    r#"{{"protocolVersion":"2025-06-18","capabilities":{capabilities},"serverInfo":{info},"instructions":"i"}}"#
                ),
            ),
            (
                Era::Modern,
                format!(
                    r#"{{"supportedVersions":["{MODERN}"],"capabilities":{capabilities},"instructions":"i","_meta":{{"{SERVER_INFO}":{info}}}}}"#
                ),
            ),
        ] {
            let result: Raw = serde_json::from_str(&text).expect("JSON");
            let hello = understand(era, &Outcome::Result(result)).expect("understood");
            assert_eq!(hello.capabilities.get(), capabilities);
            assert_eq!(hello.server_info.as_ref().map(|info| info.get()), Some(info));
            assert_eq!(hello.instructions.as_deref(), Some("i"));
            assert!(hello.offers("tools") && !hello.offers("prompts"));
        }
    }
}
