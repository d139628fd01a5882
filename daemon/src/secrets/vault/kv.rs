//! Documents of the KV v2 engine: one per Secret, all of its values in it, each state a version.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Connection, Error, Question, Vault};
use crate::secrets::Plaintext;

/// So many versions are kept where nothing else is said, by every server.
const USUALLY_KEPT: u64 = 10;

/// One version of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Which.
    pub version: u64,
    /// Its values by key.
    pub data: BTreeMap<String, Plaintext>,
}

/// Which versions of a document there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The newest; 0 before anything was written.
    pub newest: u64,
    /// How many are kept.
    pub most: u64,
}

impl Kept {
    /// Whether one more version leaves that one in place.
    #[must_use]
    pub const fn has_room_beside(&self, version: u64) -> bool {
        self.newest + 1 < version.saturating_add(self.most)
    }
}

impl Vault {
    fn at(&self, part: &str, name: &str) -> String {
        let Connection { mount, path_prefix, .. } = &self.connection;
        format!("{mount}/{part}/{path_prefix}/{name}")
    }

    /// One version of a document, or the newest; nothing when there is none, or it was deleted.
    ///
    /// # Errors
    /// When the backend cannot be asked, refuses, or answers with anything but a whole document of texts.
    pub async fn read(&self, name: &str, version: Option<u64>) -> Result<Option<Document>, Error> {
        let mut path = self.at("data", name);
        if let Some(version) = version {
            path.push_str(&format!("?version={version}"));
        }
        let answer = self.ask_as_daemon(|| Question::new("GET", path.clone())).await?;
        match answer.status {
            200 => {}
            // With data: the version was deleted or destroyed. Without, and without a complaint: there is nothing there.
            404 if answer.data().is_some() || answer.complaint.is_empty() => return Ok(None),
            _ => return Err(answer.refusal()),
        }
        let half = Error::Garbled("the answer holds no whole document");
        let data = answer.data().ok_or_else(|| half.clone())?;
        let found = data["metadata"]["version"].as_u64().ok_or_else(|| half.clone())?;
        if version.is_some_and(|version| version != found) {
            return Err(Error::Garbled("the answer is another version than was asked for"));
        }
        let values = data["data"].as_object().ok_or(half)?;
        let text = |(key, value): (&String, &Value)| {
            let value = value
                .as_str()
                .ok_or(Error::Garbled("a value of the document is no text"))?;
            Ok((key.clone(), Plaintext::new(value.to_owned())))
        };
        Ok(Some(Document {
            version: found,
            data: values.iter().map(text).collect::<Result<_, _>>()?,
        }))
    }

    /// One value of one version.
    ///
    /// # Errors
    /// As [`Vault::read`], and when it is not there.
    pub async fn value(&self, name: &str, key: &str, version: u64) -> Result<Plaintext, Error> {
        let document = self.read(name, Some(version)).await?.ok_or(Error::Gone(version))?;
        let value = document.data.get(key).cloned();
        value.ok_or_else(|| Error::NoKey {
            key: key.to_owned(),
            version,
        })
    }

    /// Writes the next version after `newest`, and only that one; 0 when there is none yet. Answers with its number.
    ///
    /// # Errors
    /// [`Error::Overtaken`] when another version is the newest by now; otherwise when it cannot be asked, or refuses.
    pub async fn write(&self, name: &str, data: &BTreeMap<String, Plaintext>, newest: u64) -> Result<u64, Error> {
        let values: Map<String, Value> = data
            .iter()
            .map(|(key, value)| (key.clone(), value.reveal().into()))
            .collect();
        let body = json!({"options": {"cas": newest}, "data": values});
        let path = self.at("data", name);
        let question = || {
            let mut question = Question::new("POST", path.clone()).saying(body.clone());
            question.hidden = data.values().map(Plaintext::reveal).collect();
            question
        };
        let answer = self.ask_as_daemon(question).await?;
        if answer.status == 400 && answer.complaint.contains("check-and-set") {
            return Err(Error::Overtaken);
        }
        // An engine that was mounted a moment ago is not ready at once.
        if answer.status == 400 && answer.complaint.contains("pgrading from non-versioned") {
            return Err(Error::Failing {
                status: 400,
                complaint: answer.complaint,
            });
        }
        if answer.status != 200 {
            return Err(answer.refusal());
        }
        let version = answer.data().and_then(|data| data["version"].as_u64());
        version
            .filter(|version| *version > 0)
            .ok_or(Error::Garbled("the answer to a write names no version"))
    }

    /// Which versions of a document there are.
    ///
    /// # Errors
    /// When the backend cannot be asked, refuses, or answers with something else.
    pub async fn kept(&self, name: &str) -> Result<Kept, Error> {
        let path = self.at("metadata", name);
        let answer = self.ask_as_daemon(|| Question::new("GET", path.clone())).await?;
        match answer.status {
            200 => {}
            404 if answer.complaint.is_empty() => {
                return Ok(Kept {
                    newest: 0,
                    most: USUALLY_KEPT,
                });
            }
            _ => return Err(answer.refusal()),
        }
        let half = Error::Garbled("the answer holds no metadata");
        let data = answer.data().ok_or_else(|| half.clone())?;
        let newest = data["current_version"].as_u64().ok_or(half)?;
        let most = data["max_versions"].as_u64().filter(|most| *most > 0);
        Ok(Kept {
            newest,
            most: most.unwrap_or(USUALLY_KEPT),
        })
    }

    /// Deletes a document with all of its versions. It is no error when there is none.
    ///
    /// # Errors
    /// When the backend cannot be asked, or refuses.
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        let path = self.at("metadata", name);
        let answer = self.ask_as_daemon(|| Question::new("DELETE", path.clone())).await?;
        match answer.status {
            200 | 204 => Ok(()),
            404 if answer.complaint.is_empty() => Ok(()),
            _ => Err(answer.refusal()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stays_as_long_as_there_is_room() {
        for (newest, most, live, expected) in [
            (1, 10, 1, true),
            (9, 10, 1, true),
            (10, 10, 1, false),
            (10, 10, 2, true),
            (3, 1, 3, false),
            (3, 2, 3, true),
        ] {
            let kept = Kept { newest, most };
            assert_eq!(kept.has_room_beside(live), expected, "{kept:?} {live}");
        }
    }
}
