//! Hearing of changes from a server of the newer era.
//!
//! Such a server tells of changes only on a request that asks for them, `subscriptions/listen`. One is kept open for a
//! conversation as long as somebody listens to its news; when it breaks off it is made again, and what may have been missed
//! meanwhile is told as changed.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use orch_shared::jsonrpc::{Members, Notification, Outcome};
use serde_json::{Map, Value, json};
use tokio::sync::broadcast;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Carrier, Exchange, Frame, Hello, News, greeting};

/// How often it is looked whether anybody still listens.
const LOOK: Duration = Duration::from_secs(30);

/// The shortest and the longest wait before it is asked again.
const BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What there is to hear, and whether somebody does.
pub(super) struct Listening {
    shared: Arc<Shared>,
}

struct Shared {
    carrier: Weak<dyn Carrier>,
    kinds: Vec<&'static str>,
    news: broadcast::Sender<News>,
    closed: CancellationToken,
    running: AtomicBool,
}

impl Listening {
    pub(super) fn new(
        carrier: Weak<dyn Carrier>,
        hello: &Hello,
        news: broadcast::Sender<News>,
        closed: CancellationToken,
    ) -> Self {
        let capabilities = Members::of(&hello.capabilities).unwrap_or_default();
        let tells = |kind: &&str| {
            let capability = capabilities.members(kind).unwrap_or_default();
            capability.get("listChanged").is_some_and(|told| told.get() == "true")
        };
        let shared = Shared {
            carrier,
            kinds: ["tools", "prompts", "resources"].into_iter().filter(tells).collect(),
            news,
            closed,
            running: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Somebody listens now.
    pub(super) fn begin(&self) {
        if !self.shared.kinds.is_empty() && !self.shared.running.swap(true, Ordering::AcqRel) {
            let shared = Arc::clone(&self.shared);
            tokio::spawn(async move {
                let closed = shared.closed.clone();
                tokio::select! {
                    () = closed.cancelled() => {}
                    () = shared.keep() => {}
                }
            });
        }
    }
}

impl Shared {
    /// Asks, and asks again, until nobody listens or the server cannot tell.
    async fn keep(&self) {
        let mut wait = BOUNDS.0;
        loop {
            let Some(carrier) = self.carrier.upgrade() else { return };
            let asked = carrier
                .request(greeting::own("subscriptions/listen", Some(&self.wanted())))
                .await;
            drop(carrier);
            let began = Instant::now();
            if let Ok(exchange) = asked
                && self.hear(exchange).await.is_break()
            {
                return;
            }
            if began.elapsed() > BOUNDS.1 {
                wait = BOUNDS.0;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(BOUNDS.1);
            self.may_have_changed();
        }
    }

    fn wanted(&self) -> Value {
        let kinds = self
            .kinds
            .iter()
            .map(|kind| (format!("{kind}ListChanged"), Value::from(true)));
        json!({"notifications": kinds.collect::<Map<_, _>>()})
    }

    /// Hands on what is told. Breaks when it is not to be asked again.
    async fn hear(&self, mut exchange: Exchange) -> ControlFlow<()> {
        loop {
            match tokio::time::timeout(LOOK, exchange.next()).await {
                Ok(Ok(Frame::Notification(notification))) => {
                    if notification.method != "notifications/subscriptions/acknowledged" {
                        // Without listeners it is lost, as it should be.
                        let _ = self.news.send(News::of(notification));
                    }
                }
                // Dropped, and so refused.
                Ok(Ok(Frame::Ask(_))) => {}
                // A server that cannot tell is not asked again.
                Ok(Ok(Frame::Done(Outcome::Error(_)))) => return ControlFlow::Break(()),
                Ok(Ok(Frame::Done(Outcome::Result(_))) | Err(_)) => return ControlFlow::Continue(()),
                Err(_) => {}
            }
            if self.news.receiver_count() == 0 {
                self.running.store(false, Ordering::Release);
                // Unless somebody has come in between, and has seen it running.
                let nobody = self.news.receiver_count() == 0 || self.running.swap(true, Ordering::AcqRel);
                if nobody {
                    return ControlFlow::Break(());
                }
            }
        }
    }

    fn may_have_changed(&self) {
        for kind in &self.kinds {
            let notification = Notification {
                method: format!("notifications/{kind}/list_changed"),
                params: None,
            };
            let _ = self.news.send(News::ListChanged(kind, notification));
        }
    }
}
