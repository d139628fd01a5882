//! Contexts: which daemons a user talks to, and how. The daemon writes one at its first start, the command line reads
//! and edits them; this is the type of the file that both share.
//!
//! Nothing here touches the file. A member that this version does not know is kept, so that an older program does not
//! destroy what a newer one wrote.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::name::Name;
use crate::resource::Timestamp;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContextFile {
    /// The context used when none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_context: Option<String>,
    /// The contexts, in the order they were added.
    #[serde(default)]
    pub contexts: Vec<Context>,
    /// What this version does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// One daemon, and how to talk to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// What the user calls it.
    pub name: String,
    /// Where the daemon answers: `http://127.0.0.1:7420`.
    pub server: String,
    /// The token to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// A file that holds the token; `token` wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<String>,
    /// What `orchctl login` was given. It wins over `token` and `tokenFile`, which it leaves as they are: they are shown
    /// again after `orchctl logout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
    /// The project that commands work in unless told otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Name>,
    /// Certificates (PEM) to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Which daemon wrote this context; absent when a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemon_id: Option<String>,
    /// What this version does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl Context {
    /// A context that knows no more than where the daemon answers.
    #[must_use]
    pub fn new(name: impl Into<String>, server: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            server: server.into(),
            token: None,
            token_file: None,
            login: None,
            project: None,
            ca_file: None,
            daemon_id: None,
            other: BTreeMap::new(),
        }
    }
}

/// A login that somebody began with a name and a password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// Who has logged in.
    pub user: Name,
    /// The token to show.
    pub token: Token,
    /// Until when it is good; absent is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A token. It is written to the file and sent to the daemon, and never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// The token in that text; surrounding white space, such as a file's last line break, is no part of it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text to send.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

impl ContextFile {
    /// The context of that name.
    #[must_use]
    pub fn context(&self, name: &str) -> Option<&Context> {
        self.contexts.iter().find(|context| context.name == name)
    }

    /// The context used when none is asked for.
    #[must_use]
    pub fn current(&self) -> Option<&Context> {
        self.context(self.current_context.as_deref()?)
    }

    /// Puts in the context that a daemon wrote for itself, and gives the name it ended up under.
    ///
    /// The daemon's earlier context is brought up to date, keeping the name and project its user chose. A login is
    /// forgotten, since it would hide the token that the daemon has just made. A context of
    /// anybody else is never touched: a name that is taken gets a number. The file's first context becomes the current.
    pub fn adopt(&mut self, mut context: Context) -> String {
        let earlier = self
            .contexts
            .iter_mut()
            .find(|known| known.daemon_id.is_some() && known.daemon_id == context.daemon_id);
        if let Some(known) = earlier {
            context.name.clone_from(&known.name);
            context.project = known.project.take().or(context.project);
            context.other = std::mem::take(&mut known.other);
            known.clone_from(&context);
        } else {
            let wanted = context.name.clone();
            let mut number = 1;
            while self.context(&context.name).is_some() {
                number += 1;
                context.name = format!("{wanted}-{number}");
            }
            self.contexts.push(context.clone());
        }
        self.current_context.get_or_insert_with(|| context.name.clone());
        context.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn daemon(id: &str, server: &str) -> Context {
        Context {
            daemon_id: Some(id.to_owned()),
            ..Context::new("local", server)
        }
    }

    #[test]
    fn a_daemon_updates_its_own_context_and_no_other() {
        let mut file = ContextFile::default();
        assert_eq!(file.adopt(daemon("a", "http://one")), "local");
        assert_eq!(file.adopt(daemon("b", "http://two")), "local-2");
        file.contexts[0].name = "mine".to_owned();
        file.contexts[0].project = Some("web".parse().unwrap());
        file.contexts[0].login = Some(Login {
            user: "ann".parse().unwrap(),
            token: Token::new("orch_x"),
            expires_at: None,
        });
        assert_eq!(file.adopt(daemon("a", "http://three")), "mine");
        assert_eq!(file.contexts.len(), 2);
        assert_eq!(file.contexts[0].server, "http://three");
        assert_eq!(file.contexts[0].login, None, "it would hide the daemon's new token");
        assert_eq!(file.contexts[0].project, Some("web".parse().unwrap()));
        assert_eq!(file.current_context.as_deref(), Some("local"));
    }

    #[test]
    fn a_context_of_a_person_is_never_taken_for_a_daemons() {
        let mut file = ContextFile::default();
        file.contexts.push(Context::new("local", "http://elsewhere"));
        let nameless = Context::new("local", "http://here");
        assert_eq!(file.adopt(nameless), "local-2");
        assert_eq!(file.contexts[0].server, "http://elsewhere");
    }

    #[test]
    fn unknown_members_survive() {
        let text = json!({
            "currentContext": "a", "later": 1,
            "contexts": [{"name": "a", "server": "http://x", "token": "t", "proxy": "p"}],
        });
        let file: ContextFile = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(&file).unwrap(), text);
        assert_eq!(file.current().unwrap().token.as_ref().unwrap().reveal(), "t");
        assert!(!format!("{file:?}").contains("\"t\""));
    }
}
