//! What a client tells without wanting an answer: for the gateway itself, or for the servers that it can be meant for. What
//! reaches a server counts like a request.

use std::sync::Arc;
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::jsonrpc::{Id, Members, Message, Notification};

use super::Gateway;
use super::session::Session;
use super::view::{Member, View};
use crate::limits::Over;
use crate::runtime::link::Link;

impl Gateway {
    /// Passes news of a client of the newer era on to the only server they can be meant for. A request is cancelled there by
    /// hanging up, and nobody has to be told that the client is ready.
    pub(super) async fn pass_news(&self, view: &View, principal: &Principal, news: &Notification) -> Result<(), Over> {
        let is_ours = matches!(
            news.method.as_str(),
            "notifications/cancelled" | "notifications/initialized"
        );
        let Some(member) = view.single().filter(|_| !is_ours) else {
            return Ok(());
        };
        match self.awake(member, Duration::ZERO).await {
            Ok(upstream) => self.notify(principal, &[(member, upstream.link)], news).await,
            Err(_) => Ok(()),
        }
    }

    /// Takes what wants no answer.
    pub(super) async fn note(
        &self,
        view: &View,
        principal: &Principal,
        session: &Arc<Session>,
        message: Message,
    ) -> Result<(), Over> {
        let news = match message {
            Message::Response(response) => {
                if let Some(id) = &response.id {
                    session.answered(id, response.outcome);
                }
                return Ok(());
            }
            Message::Request(_) => return Ok(()),
            Message::Notification(news) => news,
        };
        match news.method.as_str() {
            "notifications/initialized" => Ok(()),
            "notifications/cancelled" => {
                let params = Members::of_params(news.params.as_deref());
                if let Some(id) = params.get("requestId").and_then(Id::from_raw) {
                    session.cancel(&id);
                }
                Ok(())
            }
            _ => {
                // Only a conversation of its own, or with the only server there is, is meant for sure.
                let own = view.members.iter().filter_map(|member| {
                    let copy = session.copy(&member.object.uid)?;
                    Some((member, session.link(&copy)?))
                });
                let mut meant: Vec<_> = own.collect();
                if meant.is_empty()
                    && let Some(member) = view.single()
                    && let Some(copy) = session.copy(&member.object.uid)
                {
                    meant.extend(self.0.runtime.link(&copy).map(|link| (member, link)));
                }
                self.notify(principal, &meant, &news).await
            }
        }
    }

    /// Tells servers, within the limits.
    async fn notify(&self, principal: &Principal, meant: &[(&Member, Link)], news: &Notification) -> Result<(), Over> {
        if meant.is_empty() {
            return Ok(());
        }
        let members: Vec<_> = meant.iter().map(|(member, _)| *member).collect();
        let _place = self.enter(principal, &members)?;
        for (_, link) in meant {
            if let Err(error) = link.notify(&news.method, news.params.as_deref()).await {
                tracing::debug!(method = news.method, %error, "news of a client did not reach a server");
            }
        }
        Ok(())
    }
}
