//! Tokens: what is known of one, its successor, and its end.

use std::time::Duration;

use orch_shared::resource::Timestamp;
use serde_json::json;

use super::login::seconds;
use super::{Error, Question, Vault};
use crate::secrets::Plaintext;

/// A token, and what is known of it.
#[derive(Debug, Clone)]
pub struct Minted {
    /// The token itself.
    pub token: Plaintext,
    /// What it can be revoked by.
    pub accessor: String,
    /// How long it lives.
    pub lease: Duration,
}

/// What a server knows of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What it can be revoked by.
    pub accessor: String,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// When it ends; nothing when it does not.
    pub expires: Option<Timestamp>,
}

impl Vault {
    /// What the server knows of the backend's own token; also whether it accepts it.
    ///
    /// # Errors
    /// When it does not, or cannot be asked.
    pub async fn look_up_self(&self) -> Result<Known, Error> {
        let path = "auth/token/lookup-self";
        let answer = self.ask_as_daemon(|| Question::new("GET", path.to_owned())).await?;
        if answer.status != 200 {
            return Err(answer.refusal());
        }
        let half = Error::Garbled("the answer does not say what the token is");
        let data = answer.data().ok_or_else(|| half.clone())?;
        Ok(Known {
            accessor: data["accessor"].as_str().ok_or(half)?.to_owned(),
            created: data["creation_time"].as_i64().unwrap_or_default(),
            expires: data["expire_time"].as_str().and_then(|text| text.parse().ok()),
        })
    }

    /// Makes a token by a token role: with the backend's own token, its successor.
    ///
    /// # Errors
    /// When the backend cannot be asked, refuses, or answers with no token.
    pub async fn mint(&self, role: &str) -> Result<Minted, Error> {
        let path = format!("auth/token/create/{role}");
        let question = || Question::new("POST", path.clone()).saying(json!({}));
        let answer = self.ask_as_daemon(question).await?;
        if answer.status != 200 {
            return Err(answer.refusal());
        }
        let auth = &answer.body["auth"];
        let text = |name: &str| auth[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let half = || Error::Garbled("the answer holds no token");
        Ok(Minted {
            token: Plaintext::new(text("client_token").ok_or_else(half)?),
            accessor: text("accessor").ok_or_else(half)?,
            lease: Duration::from_secs(seconds(&auth["lease_duration"])),
        })
    }

    /// Ends the token with that accessor. One that has ended already is no error.
    ///
    /// # Errors
    /// When the backend cannot be asked, or refuses.
    pub async fn revoke(&self, accessor: &str) -> Result<(), Error> {
        let body = json!({"accessor": accessor});
        let question = || Question::new("POST", "auth/token/revoke-accessor".to_owned()).saying(body.clone());
        let answer = self.ask_as_daemon(question).await?;
        match answer.status {
            200 | 204 => Ok(()),
            400 | 403 | 404 if answer.complaint.contains("invalid accessor") => Ok(()),
            _ => Err(answer.refusal()),
        }
    }
}
