//! Whether what prompts link to can be read: looked at now and then in the background, and whenever somebody reads it.
//!
//! What comes of it goes to whoever looks after the prompt's status; nobody who lists prompts waits for it. A server that
//! rests is not woken for it, and one that is being started is given time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use orch_shared::access::Principal;
use orch_shared::jsonrpc::Outcome;
use orch_shared::kind::Kind;
use orch_shared::kinds::prompt::Prompt;
use orch_shared::name::Scope;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::Gateway;
use super::protocol::code;
use super::surface::PATIENCE;
use super::view::{Target, View};
use crate::store::{Object, Standing};

/// How often it is seen which links are due.
const LOOK: Duration = Duration::from_secs(5);
/// A link that can be read is read again after so long.
const SOUND: Duration = Duration::from_secs(300);
/// One that cannot be, after so long.
const BROKEN: Duration = Duration::from_secs(15);
/// So many are read at the same time.
const AT_ONCE: usize = 8;
/// What is said of a prompt's link, among the lists that may be missing.
const LINK: &str = "link";

/// What is known of links.
#[derive(Default)]
pub(super) struct Links {
    /// Of each prompt, by uid: the generation whose link was read, when, and whether it could be.
    read: Mutex<HashMap<Arc<str>, (i64, Instant, bool)>>,
    /// Rung when a prompt has changed.
    changed: Notify,
}

impl Links {
    /// A prompt has changed; its link is read soon.
    pub(super) fn look_soon(&self) {
        self.changed.notify_one();
    }
}

impl Gateway {
    /// Reads links that are due, as long as this daemon is the one that runs the servers.
    pub(super) async fn watch_links(&self, standing: watch::Receiver<Standing>) {
        let shutdown = self.0.shutdown.clone();
        loop {
            let rung = tokio::time::timeout(LOOK, self.0.links.changed.notified());
            if shutdown.run_until_cancelled(rung).await.is_none() {
                return;
            }
            if *standing.borrow() == Standing::Leads {
                shutdown.run_until_cancelled(self.read_due()).await;
            }
        }
    }

    async fn read_due(&self) {
        let snapshot = self.0.store.snapshot();
        let linking: Vec<Arc<Object>> = snapshot
            .of_kind(Kind::Prompt)
            .filter(|prompt| prompt.spec::<Prompt>().is_some_and(|spec| spec.link.is_some()))
            .cloned()
            .collect();
        let due: Vec<Arc<Object>> = {
            let mut read = self.0.links.read.lock().unwrap_or_else(PoisonError::into_inner);
            read.retain(|uid, _| snapshot.by_uid(uid).is_some());
            let is_due = |prompt: &&Arc<Object>| match read.get(&prompt.uid) {
                Some((generation, at, sound)) if *generation == prompt.generation => {
                    at.elapsed() >= if *sound { SOUND } else { BROKEN }
                }
                Some(_) | None => true,
            };
            linking.iter().filter(is_due).cloned().collect()
        };
        let reading = due.into_iter().map(|prompt| {
            let gateway = self.clone();
            async move { gateway.read_link(&prompt).await }
        });
        stream::iter(reading)
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<()>>()
            .await;
    }

    async fn read_link(&self, prompt: &Object) {
        let Some(link) = prompt.spec::<Prompt>().and_then(Prompt::linked) else {
            return;
        };
        // As the daemon sees it: that it is sound does not mean that everybody may read it.
        let daemon = Principal::daemon();
        let target = match &prompt.object.scope {
            Scope::Project(project) => Target::Project(project.clone()),
            Scope::Cluster | Scope::Agent(_) => Target::Project(link.project.clone()),
        };
        let Some(view) = View::of(&target, &self.0.store.snapshot(), &daemon) else {
            return self.note_link(prompt, Err(&format!("project/{} is not there", link.project)));
        };
        let member = match self.linked_member(&view, &daemon, &link) {
            Ok(member) => member,
            Err(refused) => return self.note_link(prompt, Err(&refused.message().unwrap_or_default())),
        };
        if self.is_suspended(&member) {
            return;
        }
        let read = match self.awake(&member, PATIENCE).await {
            Ok(_) => self.linked_text(&member, &link).await.map(drop),
            Err(unavailable) => Err(unavailable.outcome(link.server.as_str())),
        };
        self.note_read(prompt, &read);
    }

    /// Somebody has read what a prompt links to, or could not.
    pub(super) fn note_read<T>(&self, prompt: &Object, read: &Result<T, Outcome>) {
        match read {
            Ok(_) => self.note_link(prompt, Ok(())),
            Err(refused) => {
                let link = prompt.spec::<Prompt>().and_then(Prompt::linked);
                let server = link.as_ref().map_or("", |link| link.server.as_str());
                self.note_link(prompt, Err(&told(server, refused)));
            }
        }
    }

    fn note_link(&self, prompt: &Object, read: Result<(), &str>) {
        let mut known = self.0.links.read.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(
            Arc::clone(&prompt.uid),
            (prompt.generation, Instant::now(), read.is_ok()),
        );
        drop(known);
        match read {
            Ok(()) => self.0.lists.has(&prompt.uid, LINK),
            Err(reason) => self.0.lists.lacks(&prompt.uid, LINK, reason),
        }
    }
}

/// Why a server does not read a resource. Some say no more than which method they do not have.
fn told(server: &str, refused: &Outcome) -> String {
    let said = refused.message().unwrap_or_default();
    let said = match refused.code() {
        Some(code::METHOD_NOT_FOUND) if !said.to_ascii_lowercase().contains("not found") => {
            format!("Method not found: {said}")
        }
        _ => said,
    };
    match said.contains(server) {
        true => said,
        false => format!("server {server}: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use orch_shared::jsonrpc::raw;
    use serde_json::json;

    use super::*;

    #[test]
    fn why_a_link_is_not_read_says_of_which_server() {
        for (code, message, expected) in [
            (
                -32601,
                "resources/read",
                "server notes: Method not found: resources/read",
            ),
            (-32601, "Method not found", "server notes: Method not found"),
            (-32602, "no such note", "server notes: no such note"),
            (-32000, "server notes is not ready", "server notes is not ready"),
        ] {
            let refused = Outcome::Error(raw(&json!({"code": code, "message": message})));
            assert_eq!(told("notes", &refused), expected);
        }
    }
}
