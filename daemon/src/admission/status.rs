//! Parts of status that are written with what they tell about, and not by the reconciler: marks of values, how the
//! replacing of a token went, and the life of what is published. Whoever writes the rest keeps them, inside of the write.

use std::collections::BTreeMap;

use orch_shared::kind::Kind;
use orch_shared::publishing::Publication;
use serde_json::{Map, Value, json};

use crate::store::{Error, Transaction};

/// What rotation tells of a token.
const OF_ROTATION: [&str; 3] = ["failedAt", "lastError", "superseded"];

fn read(status: &str) -> Map<String, Value> {
    serde_json::from_str(status).unwrap_or_default()
}

/// A status with those marks.
pub(super) fn with_marks(status: &str, marks: &BTreeMap<String, String>) -> String {
    let mut status = read(status);
    if marks.is_empty() {
        status.shift_remove("marks");
    } else {
        status.insert("marks".to_owned(), json!(marks));
    }
    Value::Object(status).to_string()
}

/// A status that says that of a token.
pub(super) fn with_token(status: &str, told: Map<String, Value>) -> String {
    let mut status = read(status);
    let token = status.entry("token").or_insert_with(|| json!({"health": "healthy"}));
    if let Some(token) = token.as_object_mut() {
        for (name, value) in told {
            if value.is_null() {
                token.shift_remove(&name);
            } else {
                token.insert(name, value);
            }
        }
    }
    Value::Object(status).to_string()
}

/// A status that tells that of the life of what is published.
pub(super) fn with_publication(status: &str, publication: &Publication) -> String {
    let mut status = read(status);
    status.insert("publication".to_owned(), json!(publication));
    Value::Object(status).to_string()
}

/// What a status tells of the life of what is published.
pub(super) fn publication(status: &str) -> Option<Publication> {
    serde_json::from_value(read(status).shift_remove("publication")?).ok()
}

/// The reconciler's status, with the parts that are not its own as they are stored.
///
/// # Errors
/// When the database fails.
pub async fn keep(transaction: &mut Transaction, uid: &str, status: String) -> Result<String, Error> {
    let Some(row) = transaction.load_uid(uid).await? else {
        return Ok(status);
    };
    let (stored, mut kept) = (read(&row.status), read(&status));
    match row.object.kind {
        Kind::Secret => {
            if let Some(marks) = stored.get("marks") {
                kept.insert("marks".to_owned(), marks.clone());
            }
        }
        Kind::SecretBackend => {
            let Some(token) = kept.get_mut("token").and_then(Value::as_object_mut) else {
                return Ok(status);
            };
            for name in OF_ROTATION {
                match stored.get("token").and_then(|token| token.get(name)) {
                    Some(value) => drop(token.insert(name.to_owned(), value.clone())),
                    None => drop(token.shift_remove(name)),
                }
            }
        }
        Kind::Llm | Kind::Agent => match stored.get("publication") {
            Some(publication) => drop(kept.insert("publication".to_owned(), publication.clone())),
            None => drop(kept.shift_remove("publication")),
        },
        Kind::Server
        | Kind::Instance
        | Kind::Template
        | Kind::Project
        | Kind::Prompt
        | Kind::PromptRequest
        | Kind::Personality
        | Kind::User
        | Kind::Group
        | Kind::ServiceAccount
        | Kind::RoleBinding
        | Kind::Token => return Ok(status),
    }
    Ok(Value::Object(kept).to_string())
}
