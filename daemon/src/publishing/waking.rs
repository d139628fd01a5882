//! Waking models that hibernate: once for everybody who waits, and before anybody has to.
//!
//! Flow: whoever asks one that hibernates joins the wake that is under way, or begins one. The publisher is told, and
//! answers once the model takes tasks; then the row says so, and all go on.
//!
//! Guarantees: nobody who stops waiting takes the wake with them. When it fails, all who wait are told why, the model goes
//! on hibernating, and the next one who asks tries again.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use orch_shared::access::{Principal, Role};
use orch_shared::kind::Kind;
use orch_shared::kinds::agent::Agent;
use orch_shared::kinds::llm::Llm;
use orch_shared::name::Name;
use orch_shared::publishing::{PublicationState, Readiness, Told, Wake};
use tokio::sync::watch;

use super::Publishers;
use super::asking::Away;
use crate::admission;
use crate::store::{Object, Snapshot};

/// What becomes of a wake, once that is known.
pub(super) type Outcome = watch::Receiver<Option<Result<(), Away>>>;

impl Publishers {
    /// Sees to it that a model takes tasks.
    pub(super) async fn wake(&self, llm: &Arc<Object>) -> Result<(), Away> {
        let mut outcome = self.join(llm);
        let known = outcome.wait_for(Option::is_some).await;
        match known {
            Ok(outcome) => outcome.clone().unwrap_or(Ok(())),
            Err(_) => Err(Away("cannot be woken: the daemon is shutting down".to_owned())),
        }
    }

    /// The outcome of the wake that is under way; of a new one when there is none.
    fn join(&self, llm: &Arc<Object>) -> Outcome {
        let mut wakes = self.0.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = wakes.get(&*llm.uid) {
            return outcome.clone();
        }
        let (tell, outcome) = watch::channel(None);
        wakes.insert(llm.uid.to_string(), outcome.clone());
        let (publishers, llm) = (self.clone(), Arc::clone(llm));
        tokio::spawn(async move {
            let said = publishers.rouse(&llm).await;
            if let Err(Away(why)) = &said {
                tracing::warn!(llm = %llm.object.name, why, "a published model could not be woken");
            }
            let mut wakes = publishers.0.wakes.lock().unwrap_or_else(PoisonError::into_inner);
            wakes.remove(&*llm.uid);
            tell.send_replace(Some(said));
        });
        outcome
    }

    async fn rouse(&self, llm: &Arc<Object>) -> Result<(), Away> {
        let publication = self.publication(llm).await?;
        if publication.state == PublicationState::Active {
            return Ok(());
        }
        let line = self.open_line(&publication).await?;
        let name = &llm.object.name;
        tracing::info!(llm = %name, "a published model is woken");
        let wake = |id: &str| {
            Told::Wake(Wake {
                id: id.to_owned(),
                llm: name.clone(),
            })
        };
        let patience = self.0.terms.wake;
        let given = tokio::time::timeout(patience, self.give(&publication, line, wake)).await;
        let status = match given {
            Ok(Ok(answer)) => {
                // What follows the status says nothing, and a publisher that has answered is not told that nobody waits.
                tokio::spawn(tokio::time::timeout(patience, answer.body.finish()));
                answer.status
            }
            Ok(Err(Away(why))) => return Err(Away(format!("{why} (when it was to be woken)"))),
            Err(_) => return Err(Away(format!("does not wake within {} s", patience.as_secs()))),
        };
        if !(200..300).contains(&status) {
            return Err(Away(format!("does not wake: its publisher answers {status}")));
        }
        let said = BTreeMap::from([(name.clone(), Readiness::Active)]);
        let written = admission::heard(&self.0.admission, self.0.claim.as_ref(), &publication.publisher, said);
        let (_, revision) = written
            .await
            .map_err(|error| Away(format!("is awake, and the database does not take it: {error}")))?;
        self.0.admission.store.wait_for(revision).await;
        Ok(())
    }

    /// Wakes what a session with a project may need: models that its agents name, and those that are published for it; of
    /// them, those that whoever begins it may ask.
    pub fn warm(&self, principal: &Principal, project: &Name) {
        if !self.leads() {
            return;
        }
        let snapshot = self.0.admission.store.snapshot();
        for llm in snapshot
            .of_kind(Kind::Llm)
            .filter(|llm| is_wanted(llm, project, &snapshot))
        {
            if snapshot.decide(principal, Role::Run, llm).is_allowed {
                // Whoever waits for it joins.
                drop(self.join(llm));
            }
        }
    }
}

/// Whether a model hibernates, and a session with that project may need it.
fn is_wanted(llm: &Object, project: &Name, snapshot: &Snapshot) -> bool {
    let status = llm.status::<Llm>().and_then(|status| status.publication.as_ref());
    let Some(publication) = status.filter(|known| known.state == PublicationState::Hibernating) else {
        return false;
    };
    publication.warm_projects.contains(project)
        || snapshot.of_kind(Kind::Agent).any(|agent| {
            let agent = agent.spec::<Agent>();
            agent.is_some_and(|agent| agent.llm == llm.object.name && agent.project.as_ref() == Some(project))
        })
}
