//! What sessions have at the servers of a project: given back when it was not used for too long, or has lasted too long, as the
//! server says (`sessionLimits`), and begun anew with the next use. The session itself goes on.

use std::sync::Arc;
use std::time::Duration;

use super::Gateway;
use super::registry::millis;
use super::session::{Session, Stay};
use super::view::{Member, Target};

/// How often it is looked for what is to be given back.
const LOOK: Duration = Duration::from_secs(1);
/// How much longer than it should something lasts for a request that is under way.
const LAST_CALLS: Duration = Duration::from_secs(120);

impl Gateway {
    /// Gives back what sessions have had at servers for too long, until the end.
    pub(super) async fn watch_stays(&self) {
        while self
            .0
            .shutdown
            .run_until_cancelled(tokio::time::sleep(LOOK))
            .await
            .is_some()
        {
            let sessions = self.0.registry.all();
            // One with a single server ends as a whole.
            let of_projects = sessions.iter().filter(|session| match session.target {
                Target::Server(_) => false,
                Target::Project(_) => true,
            });
            for session in of_projects {
                let now = self.0.store.clock().now().millis();
                for (server, stay) in session.stays(now) {
                    self.look_at(session, &server, stay, now).await;
                }
            }
        }
    }

    async fn look_at(&self, session: &Arc<Session>, server: &Arc<str>, stay: Stay, now: i64) {
        let object = self.0.store.snapshot().by_uid(server).cloned();
        let Some(object) = object else {
            return self.give_back(session, server).await;
        };
        let patience = self.0.registry.patience_of(&object);
        let lasts = now - stay.since;
        let is_worn = lasts > millis(patience.lifetime)
            && (!stay.is_busy || lasts > millis(patience.lifetime.saturating_add(LAST_CALLS)));
        let is_idle = now - stay.used > millis(patience.idle);
        if !is_worn && !is_idle {
            return;
        }
        tracing::debug!(session = session.short(), server = %object.object.name, "a session gives back what it has at a server");
        if stay.is_busy {
            self.give_back(session, server).await;
        } else {
            let Some(left) = session.leave_if_idle(server) else {
                return;
            };
            self.0.registry.clear_away(session, left).await;
        }
        // Who waits for news of a resource must not miss them.
        if stay.is_followed {
            let (gateway, session) = (self.clone(), Arc::clone(session));
            let name = object.object.name.clone();
            tokio::spawn(async move {
                let begun = gateway.upstream_of(&Member::of_everybody(name, object), &session).await;
                if let Err(why) = begun {
                    tracing::debug!(session = session.short(), %why, "a session has nothing at a server that it wants news of");
                }
            });
        }
    }

    async fn give_back(&self, session: &Session, server: &str) {
        let left = session.leave(server);
        self.0.registry.clear_away(session, left).await;
    }
}
