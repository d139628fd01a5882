//! Publishers: clients that offer models and agents from where they run, and are given what somebody asks of those.
//!
//! What enters: what publishers say, by way of the API, and requests for their models, by way of the door to the models. What
//! leaves: tasks on the streams of publishers, and their answers, as they come. What it never does: open a connection to a
//! publisher, or hand a task to anybody but the session that offers the model.
//!
//! Flow: a publisher registers ([`Publishers::register`]), listens ([`Publishers::listen`]), answers what it is told
//! ([`Publishers::answer`]), and says now and then that it is there ([`Publishers::heartbeat`]). Where each object stands is
//! a row ([`crate::admission`]); only streams and what is under way on them live here, at the daemon that leads.
//!
//! Guarantees: a task is told once and never again, so nothing is done twice (whoever asks may ask anew, which is another
//! task). When a stream ends, everything that was under way on it fails at once. Whoever stops waiting takes the task back: a
//! publisher that it is not yet on its way to does not hear of it. What waits to be read is bounded, in number and in bytes.
//! Wakes of one model at the same time are one, with one outcome for all who wait.

mod asking;
mod bounds;
mod lines;
mod terms;
mod waking;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::digest::sha256;
use orch_shared::problem::{Code, Problem};
use orch_shared::publishing::{Heard, Heartbeat, Registered, Registration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use asking::{Answer, Asked, Away, Broken, Pieces};
pub use lines::Listening;
pub use terms::{Config, Terms};

use crate::admission::{self, Admission};
use crate::store::{Claim, Standing};

/// The room of the publishers; cheap to clone.
#[derive(Clone)]
pub struct Publishers(Arc<Shared>);

struct Shared {
    admission: Admission,
    terms: Terms,
    claim: Option<Claim>,
    standing: watch::Receiver<Standing>,
    lines: Mutex<lines::Lines>,
    /// Counts up with each line that is opened, for those who wait for one.
    opened: watch::Sender<u64>,
    tasks: Mutex<HashMap<String, asking::Waiting>>,
    wakes: Mutex<HashMap<String, waking::Outcome>>,
    shutdown: CancellationToken,
}

impl Publishers {
    /// Opens the room; what is returned beside it looks after what nobody publishes any more, until the end.
    pub fn open(config: Config) -> (Self, impl Future<Output = ()> + Send) {
        let Config {
            admission,
            terms,
            claim,
            standing,
            shutdown,
        } = config;
        let publishers = Self(Arc::new(Shared {
            admission,
            terms,
            claim,
            standing,
            lines: Mutex::default(),
            opened: watch::Sender::new(0),
            tasks: Mutex::default(),
            wakes: Mutex::default(),
            shutdown,
        }));
        let background = publishers.clone();
        (publishers, async move { background.sweep().await })
    }

    /// Whether publishers are served here, and not by another daemon.
    #[must_use]
    pub fn leads(&self) -> bool {
        matches!(*self.0.standing.borrow(), Standing::Leads)
    }

    /// So often a stream says that it lives.
    #[must_use]
    pub fn ping(&self) -> Duration {
        self.0.terms.ping
    }

    /// Takes up what a publisher offers; begins its session, or goes on with the one that it shows.
    ///
    /// # Errors
    /// When it may not publish that, or shows the session of somebody else.
    pub async fn register(
        &self,
        principal: &Principal,
        session: Option<&str>,
        registration: Registration,
    ) -> Result<Registered, Problem> {
        let store = &self.0.admission.store;
        // One that is forgotten by now is begun anew.
        let known = match session {
            None => None,
            Some(session) => store.publisher(&hash(session)).await?.map(|known| (session, known)),
        };
        let session = match known {
            Some((session, known)) if *known.principal == *principal.name => session.to_owned(),
            Some(_) => return Err(no_session()),
            None => format!("pub_{}{}", store.ids().uid(), store.ids().uid()).replace('-', ""),
        };
        let publisher = hash(&session);
        // Whatever becomes of an earlier stream of the session does not count from here on.
        let was_open = self.cut(&publisher);
        let published = admission::publish(&self.0.admission, principal, &publisher, registration.objects).await;
        let published = match published {
            Ok(published) => published,
            Err(problem) => {
                if was_open {
                    self.gone(&publisher).await;
                }
                return Err(problem);
            }
        };
        store.wait_for(published.revision).await;
        Ok(Registered {
            name: admission::short_name(&publisher),
            session,
            heartbeat_timeout_seconds: self.0.terms.life.heartbeat.as_secs(),
            objects: published.objects,
        })
    }

    /// Notes that a publisher is there, and where its models stand.
    ///
    /// # Errors
    /// When there is no such session, or the database cannot be written.
    pub async fn heartbeat(
        &self,
        principal: &Principal,
        session: &str,
        heartbeat: Heartbeat,
    ) -> Result<Heard, Problem> {
        let publisher = self.session(principal, session).await?;
        let heard = admission::heard(&self.0.admission, self.0.claim.as_ref(), &publisher, heartbeat.llms);
        let (objects, revision) = heard.await?;
        self.0.admission.store.wait_for(revision).await;
        Ok(Heard { objects })
    }

    /// Whether there is such a session.
    ///
    /// # Errors
    /// When there is none, or the database cannot be read.
    pub async fn know(&self, principal: &Principal, session: &str) -> Result<(), Problem> {
        self.session(principal, session).await.map(drop)
    }

    /// The session of a publisher, by the SHA-256 of its id.
    async fn session(&self, principal: &Principal, session: &str) -> Result<String, Problem> {
        let publisher = hash(session);
        let known = self.0.admission.store.publisher(&publisher).await?;
        match known {
            Some(known) if *known.principal == *principal.name => Ok(publisher),
            Some(_) | None => Err(no_session()),
        }
    }

    /// A publisher has gone: what it offers is inactive.
    async fn gone(&self, publisher: &str) {
        let left = admission::left(&self.0.admission, self.0.claim.as_ref(), publisher);
        if let Err(error) = left.await {
            // It is silent from now on, and found out by that.
            tracing::debug!(%error, "it cannot be written down that a publisher has gone");
        }
    }

    /// Looks after what nobody publishes any more, as long as this daemon leads.
    async fn sweep(&self) {
        let Shared { shutdown, terms, .. } = &*self.0;
        while shutdown
            .run_until_cancelled(tokio::time::sleep(terms.sweep))
            .await
            .is_some()
        {
            if !self.leads() {
                continue;
            }
            match admission::sweep(&self.0.admission, self.0.claim.as_ref(), terms.life).await {
                Ok(swept) => {
                    for publisher in &swept.silent {
                        tracing::info!(
                            session = admission::short_name(publisher),
                            "nothing was heard of a publisher"
                        );
                    }
                    for object in &swept.deleted {
                        tracing::info!(kind = %object.kind, name = %object.name, "deleted what nobody publishes any more");
                    }
                }
                Err(error) => tracing::warn!(%error, "what is published cannot be looked after now"),
            }
        }
    }
}

/// What a session is known by: nobody who reads it here can show it.
fn hash(session: &str) -> String {
    sha256(session)
}

/// There is no such session, or it is somebody else's.
fn no_session() -> Problem {
    Problem::new(Code::NotFound, "there is no such session of a publisher").suggest("register again")
}
