//! What is needed once, with the token of somebody who may: the engine, a narrow policy, a token role.

use serde_json::{Value, json};

use super::{Error, Question, Vault};

/// How long tokens of the role live, unless they are replaced: a month, so that a week of failures leaves three.
const PERIOD: &str = "720h";

/// What is to be set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What to call the policy.
    pub policy: String,
    /// What to call the token role.
    pub role: String,
}

/// What the daemon may do, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Where the engine is mounted.
    pub mount: String,
    /// What paths begin with, below the mount.
    pub path_prefix: String,
    /// The token role.
    pub role: String,
}

impl Policy {
    /// The policy as servers read it.
    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            mount,
            path_prefix,
            role,
        } = self;
        let rule = |path: &str, capabilities: &str| format!("path \"{path}\" {{ capabilities = [{capabilities}] }}\n");
        [
            rule(
                &format!("{mount}/data/{path_prefix}/*"),
                "\"create\", \"read\", \"update\", \"delete\"",
            ),
            rule(
                &format!("{mount}/metadata/{path_prefix}/*"),
                "\"read\", \"list\", \"delete\"",
            ),
            rule(&format!("auth/token/create/{role}"), "\"update\""),
            rule("auth/token/lookup-self", "\"read\""),
            rule("auth/token/renew-self", "\"update\""),
            rule("auth/token/revoke-accessor", "\"update\""),
        ]
        .concat()
    }
}

impl Vault {
    /// Whether the server can be worked with; answers with its version. Needs no token.
    ///
    /// # Errors
    /// When it cannot be reached, is sealed, or was never initialised.
    pub async fn health(&self) -> Result<String, Error> {
        let answer = self.ask(Question::new("GET", "sys/health".to_owned())).await?;
        let says = |name: &str| answer.body[name].as_bool();
        if says("initialized") == Some(false) {
            return Err(Error::Uninitialised);
        }
        if says("sealed") == Some(true) {
            return Err(Error::Sealed);
        }
        // A standby answers 429, 472 or 473, and passes on what it is asked.
        match answer.status {
            200 | 429 | 472 | 473 if says("sealed") == Some(false) => {
                Ok(answer.body["version"].as_str().unwrap_or_default().to_owned())
            }
            200 => Err(Error::Garbled("its health is not told")),
            _ => Err(answer.refusal()),
        }
    }

    /// Sees to it that a KV v2 engine is mounted; whether it was mounted just now.
    ///
    /// # Errors
    /// When something else is mounted there, or the token may not.
    pub async fn ensure_engine(&self) -> Result<bool, Error> {
        let mount = &self.connection.mount;
        let answer = self
            .ask_as_daemon(|| Question::new("GET", "sys/mounts".to_owned()))
            .await?;
        if answer.status != 200 {
            return Err(answer.refusal());
        }
        let mounts = answer.data().and_then(Value::as_object);
        let mounts = mounts.ok_or(Error::Garbled("the mounts are not told"))?;
        if let Some(known) = mounts.get(&format!("{mount}/")) {
            return is_kv_2(known).map(|()| false);
        }
        let path = format!("sys/mounts/{mount}");
        let question =
            || Question::new("POST", path.clone()).saying(json!({"type": "kv", "options": {"version": "2"}}));
        let answer = self.ask_as_daemon(question).await?;
        match answer.status {
            200 | 204 => Ok(true),
            // Somebody has mounted it meanwhile; the check at the end says whether it is the right one.
            400 if answer.complaint.contains("already in use") => Ok(false),
            _ => Err(answer.refusal()),
        }
    }

    /// Writes the policy.
    ///
    /// # Errors
    /// When the backend cannot be asked, or refuses.
    pub async fn write_policy(&self, name: &str, policy: &Policy) -> Result<(), Error> {
        let body = json!({"policy": policy.text()});
        self.put("PUT", format!("sys/policies/acl/{name}"), body).await
    }

    /// Writes the token role: tokens by it have that policy only, are nobody's children, and live a month from their last
    /// renewal.
    ///
    /// # Errors
    /// When the backend cannot be asked, or refuses.
    pub async fn write_role(&self, plan: &Plan) -> Result<(), Error> {
        let body = json!({
            "allowed_policies": [plan.policy],
            "orphan": true,
            "renewable": true,
            "token_period": PERIOD,
        });
        self.put("POST", format!("auth/token/roles/{}", plan.role), body).await
    }

    async fn put(&self, method: &'static str, path: String, body: Value) -> Result<(), Error> {
        let question = || Question::new(method, path.clone()).saying(body.clone());
        let answer = self.ask_as_daemon(question).await?;
        match answer.status {
            200 | 204 => Ok(()),
            _ => Err(answer.refusal()),
        }
    }
}

/// Whether a mount is an engine that we can use.
fn is_kv_2(mount: &Value) -> Result<(), Error> {
    let version = mount["options"]["version"].as_str();
    match (mount["type"].as_str(), version) {
        (Some("kv"), Some("2")) => Ok(()),
        (kind, version) => Err(Error::Refused {
            status: 400,
            complaint: format!(
                "what is mounted there is of type {} {}, not kv version 2",
                kind.unwrap_or("(none)"),
                version.unwrap_or_default()
            ),
        }),
    }
}
