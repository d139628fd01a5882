//! What changes behind an address without anybody asking: what is declared of it, and which servers can be asked. Whoever
//! sees it is told, and what was remembered of a server that could not be asked is forgotten.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::kind::Kind as ObjectKind;
use orch_shared::name::ObjectRef;

use super::Gateway;
use super::view::{Member, Target, generations_of};
use crate::runtime::link::Link;

/// So long copies that come up are waited for before anybody is told of them.
const TOGETHER: Duration = Duration::from_millis(250);

impl Gateway {
    /// Sees when a server can be asked that could not be before, until the end: that it could not is forgotten, and who sees
    /// it is told that there may be more now.
    pub(super) async fn watch_copies(&self) {
        let mut known: HashMap<Arc<str>, Link> = HashMap::new();
        loop {
            let stirred = self.0.stirred.notified();
            tokio::pin!(stirred);
            stirred.as_mut().enable();
            for server in self.come_up(&mut known) {
                self.0.surfaces.drop_unsaid(&server);
                let gateway = self.clone();
                let come = Arc::clone(&server);
                tokio::spawn(async move {
                    let object = gateway.0.store.snapshot().by_uid(&come).cloned();
                    if let Some(object) = object {
                        let member = Member::of_everybody(object.object.name.clone(), object);
                        gateway.get_to_know(&member).await;
                    }
                    gateway.ask_again(Some(&*come)).await;
                });
                self.welcome(&server);
            }
            if self.0.shutdown.run_until_cancelled(stirred).await.is_none() {
                return;
            }
            // Copies often come up together.
            tokio::time::sleep(TOGETHER).await;
        }
    }

    /// The servers of which a copy can be asked that could not be when this was called last.
    fn come_up(&self, known: &mut HashMap<Arc<str>, Link>) -> BTreeSet<Arc<str>> {
        let mut come = BTreeSet::new();
        let mut links = HashMap::new();
        for copy in self.0.store.snapshot().of_kind(ObjectKind::Instance) {
            let Some(link) = self.0.runtime.link(&copy.uid) else {
                continue;
            };
            if let (false, Some(owner)) = (known.get(&copy.uid).is_some_and(|known| known.is(&link)), &copy.owner) {
                come.insert(Arc::from(owner.uid.as_str()));
            }
            links.insert(Arc::clone(&copy.uid), link);
        }
        *known = links;
        come
    }

    /// Listens to a server that has come up, if somebody sees it, and tells them.
    fn welcome(&self, server: &str) {
        let sessions = self.0.registry.all();
        let is_seen = sessions
            .iter()
            .any(|session| self.is_behind(&session.target, &Principal::daemon(), server))
            || self
                .waiting()
                .values()
                .any(|one| self.is_behind(&one.target, &one.principal, server));
        if !is_seen {
            return;
        }
        let snapshot = self.0.store.snapshot();
        if let Some(object) = snapshot.by_uid(server) {
            let member = Member::of_everybody(object.object.name.clone(), Arc::clone(object));
            self.attend_to_all(&member);
        }
        for list in ["tools", "prompts", "resources"] {
            self.tell_list_changed(server, list);
        }
    }

    /// Tells clients when what is declared of their address has changed, until the end.
    pub(super) async fn watch_declared(&self) {
        let mut generations: HashMap<Arc<str>, (i64, i64)> = HashMap::new();
        while !self.0.shutdown.is_cancelled() {
            let snapshot = self.0.store.snapshot();
            for object in snapshot.iter() {
                generations.insert(Arc::clone(&object.uid), generations_of(object));
            }
            let Ok(mut watch) = self.0.store.watch(Some(snapshot.revision())).await else {
                let pause = tokio::time::sleep(Duration::from_secs(1));
                self.0.shutdown.run_until_cancelled(pause).await;
                continue;
            };
            while let Some(Ok(change)) = self.0.shutdown.run_until_cancelled(watch.next()).await {
                let entry = &change.entry;
                let snapshot = self.0.store.snapshot();
                let now = snapshot.by_uid(&entry.uid).map(|object| generations_of(object));
                let before = match now {
                    Some(now) => generations.insert(Arc::clone(&entry.uid), now),
                    None => {
                        self.0.registry.end_with(&entry.uid).await;
                        generations.remove(&entry.uid)
                    }
                };
                if before != now {
                    self.declared(&entry.object, &entry.uid);
                }
            }
        }
    }

    /// What is declared has changed.
    fn declared(&self, object: &ObjectRef, uid: &Arc<str>) {
        let all = ["tools", "prompts", "resources"];
        match object.kind {
            ObjectKind::Project => {
                for list in all {
                    self.tell_lists(list, |_, target, _| target.object() == *object);
                }
            }
            ObjectKind::Server => {
                for list in all {
                    self.tell_list_changed(uid, list);
                }
            }
            ObjectKind::Prompt => {
                self.0.links.look_soon();
                for list in ["prompts", "resources"] {
                    self.tell_lists(list, |_, target, _| matches!(target, Target::Project(_)));
                }
            }
            // An agent is a tool of its project.
            ObjectKind::Agent => self.tell_lists("tools", |_, target, _| matches!(target, Target::Project(_))),
            ObjectKind::Group | ObjectKind::RoleBinding => {
                // Whoever may call more now, or less, asks again.
                for list in all {
                    self.tell_lists(list, |_, _, _| true);
                }
            }
            ObjectKind::User | ObjectKind::ServiceAccount | ObjectKind::Token => {}
            // The session that it is of is told by itself.
            ObjectKind::PromptRequest => {}
            // Servers that are made from it are told of when what came of it is known.
            ObjectKind::Template
            | ObjectKind::Secret
            | ObjectKind::SecretBackend
            | ObjectKind::Llm
            | ObjectKind::Personality
            | ObjectKind::Instance => {}
        }
    }
}
