//! Doing what a plan says. Dull on purpose: every decision has been taken.

use std::sync::Arc;
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::kind::Kind;
use serde::Serialize;

use super::driver::Outcome;
use super::plan::{Action, Plan};
use crate::admission::{admit_instance, keep_status};
use crate::runtime::{Launch, Runtime};
use crate::store::{Claim, Error, Mutation, NewEvent, Object, Store, Transaction};

/// How long a process has to end by itself before it is killed.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// What doing needs.
#[derive(Clone)]
pub(super) struct Hands {
    pub(super) store: Store,
    pub(super) runtime: Runtime,
    /// The lease without which nothing may be written, where daemons share a database.
    pub(super) lease: Option<Arc<Claim>>,
}

impl Hands {
    /// Does what a plan for `object` says: first the world, then what is written about it.
    pub(super) async fn act<S: Serialize>(self, object: Arc<Object>, plan: Plan<S>, launch: Option<Launch>) -> Outcome {
        let status = serde_json::to_string(&plan.status).expect("a status is plain data");
        let mut launch = launch;
        let mut mutations = Vec::new();
        let mut removed = false;
        for action in plan.actions {
            match action {
                Action::CreateInstance(instance) => {
                    mutations.push(admit_instance(self.store.ids().as_ref(), &object, *instance));
                }
                Action::DeleteInstance { uid } => mutations.push(Mutation::MarkDeleting { uid }),
                Action::Start => {
                    if let Some(launch) = launch.take() {
                        self.runtime.start(launch);
                    }
                }
                Action::Stop => self.runtime.stop(&object.uid, GRACE).await,
                Action::GiveUp { reason } => self.runtime.give_up(&object.uid, &reason, GRACE).await,
                Action::Remove => {
                    self.runtime.forget(&object.uid).await;
                    removed = true;
                }
            }
        }
        if removed {
            mutations.push(Mutation::Remove {
                uid: object.uid.to_string(),
            });
        } else if status != object.status_text {
            mutations.push(Mutation::Status {
                uid: object.uid.to_string(),
                status,
            });
        }
        let events: Vec<_> = plan
            .events
            .into_iter()
            .map(|happening| NewEvent {
                object: object.object.clone(),
                uid: object.uid.to_string(),
                severity: happening.severity,
                reason: happening.reason.to_owned(),
                message: happening.message,
            })
            .collect();
        match self.write(object.object.kind, mutations, events).await {
            Ok(()) => Outcome::Done(plan.look_again),
            // Somebody else has removed or changed it; what there is now has its own wake-up.
            Err(Error::Gone { .. } | Error::Conflict { .. } | Error::Taken { .. }) => {
                Outcome::Done(Some(Duration::ZERO))
            }
            Err(error) => {
                tracing::warn!(kind = %object.object.kind, name = %object.object.name, %error, "what was done cannot be written down");
                Outcome::Failed
            }
        }
    }

    async fn write(&self, kind: Kind, mutations: Vec<Mutation>, events: Vec<NewEvent>) -> Result<(), Error> {
        if mutations.is_empty() && events.is_empty() {
            return Ok(());
        }
        let lease = self.lease.clone();
        let keeps = matches!(kind, Kind::Secret | Kind::SecretBackend | Kind::Llm | Kind::Agent);
        let written = self.store.write(move |transaction| {
            Box::pin(async move {
                if let Some(lease) = &lease {
                    transaction.must_hold(lease).await?;
                }
                let mutations = if keeps {
                    kept(transaction, mutations).await?
                } else {
                    mutations
                };
                transaction.mutate(mutations, &Principal::daemon().name).await?;
                for event in &events {
                    transaction.event(event).await?;
                }
                Ok::<_, Error>(transaction.revision())
            })
        });
        let revision = written.await?;
        // Whoever looks next must see what was just done, or it would be done twice.
        self.store.wait_for(revision).await;
        Ok(())
    }
}

/// The same changes, each status with what only others write into it.
async fn kept(transaction: &mut Transaction, mutations: Vec<Mutation>) -> Result<Vec<Mutation>, Error> {
    let mut kept = Vec::with_capacity(mutations.len());
    for mutation in mutations {
        kept.push(if let Mutation::Status { uid, status } = mutation {
            let status = keep_status(transaction, &uid, status).await?;
            Mutation::Status { uid, status }
        } else {
            mutation
        });
    }
    Ok(kept)
}
