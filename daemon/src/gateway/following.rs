//! Resources that clients want news of: asking the servers that have them to tell, and asking again when a server, or the
//! daemon itself, has started anew.
//!
//! What enters: who wants to hear of which URI. What leaves: news, to the session or the clients that asked for them. A
//! server that refuses to tell is not asked again.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::jsonrpc::{Message, Notification, Outcome, raw};
use serde_json::json;
use tokio::time::Instant;

use super::protocol::{code, error, result};
use super::session::{Session, Subscription};
use super::surface::Kind;
use super::upstream::COMING_UP;
use super::view::{Member, View};
use super::{Gateway, asking};
use crate::runtime::launch::Era;
use crate::runtime::link::{Call, Client, Exchange, Frame, Link, Purpose};

/// The shortest and the longest wait before a server is asked again.
const AGAIN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(60));

/// Who is told.
#[derive(Debug, Clone, Copy)]
enum Whose<'s> {
    /// One client with a session.
    Session(&'s Arc<Session>),
    /// Everybody who has asked for it.
    Everybodys,
}

impl Gateway {
    /// Subscribes a session to a resource.
    pub(super) async fn subscribe_session(&self, member: &Member, session: &Arc<Session>, uri: &str) -> Outcome {
        let upstream = match self.upstream_of(member, session).await {
            Ok(upstream) => upstream,
            Err(unavailable) => return unavailable.outcome(member.name.as_str()),
        };
        let listening = match upstream.link.hello().era {
            Era::Legacy => {
                match self
                    .ask(&upstream.link, "resources/subscribe", json!({"uri": uri}))
                    .await
                {
                    Ok(Outcome::Result(_)) => {}
                    Ok(refused @ Outcome::Error(_)) => return refused,
                    Err(error) => return super::pump::failed(member.name.as_str(), &error),
                }
                None
            }
            Era::Modern => {
                let stop = session.over.child_token();
                let exchange = match self.listen_at(&upstream.link, &session.client(), uri).await {
                    Ok(exchange) => exchange,
                    Err(error) => return super::pump::failed(member.name.as_str(), &error),
                };
                let (gateway, member) = (self.clone(), member.clone());
                let (session, uri) = (Arc::clone(session), uri.to_owned());
                tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
                    let client = session.client();
                    let whose = Whose::Session(&session);
                    gateway.follow(&member, &uri, &client, whose, Some(exchange)).await;
                }));
                Some(stop.drop_guard())
            }
        };
        let subscription = Subscription {
            server: Arc::clone(&member.object.uid),
            listening,
        };
        session.subscribe(uri, subscription);
        result(&json!({}))
    }

    /// Asks a server of the newer era for news of a resource.
    async fn listen_at(
        &self,
        link: &Link,
        client: &Arc<Client>,
        uri: &str,
    ) -> Result<Exchange, crate::runtime::link::Error> {
        let call = Call {
            method: "subscriptions/listen".to_owned(),
            params: Some(raw(&json!({"notifications": {"resourceSubscriptions": [uri]}}))),
            client: Arc::clone(client),
            purpose: Purpose::Own,
            about: None,
            schema: None,
        };
        link.request(call).await
    }

    /// Ends a session's subscription.
    pub(super) async fn unsubscribe_session(&self, view: &View, session: &Arc<Session>, uri: &str) {
        let Some(server) = session.unsubscribe(uri) else { return };
        let Some(member) = view.members.iter().find(|member| member.object.uid == server) else {
            return;
        };
        let Ok(upstream) = self.upstream_of(member, session).await else {
            return;
        };
        let is_own = session.link(&upstream.copy).is_some();
        let others = self.0.registry.all();
        let is_wanted = others.iter().any(|other| other.is_subscribed(&server, uri));
        if upstream.link.hello().era == Era::Legacy && (is_own || !is_wanted) {
            drop(
                self.ask(&upstream.link, "resources/unsubscribe", json!({"uri": uri}))
                    .await,
            );
        }
    }

    /// Sees to it that the servers behind a view tell what somebody waits for. Who goes over a limit with that waits until it
    /// would not.
    pub(super) async fn listen_everywhere(
        &self,
        view: &View,
        principal: &Principal,
        uris: &BTreeSet<String>,
        client: &Arc<Client>,
    ) {
        self.attend_everywhere(view).await;
        let listening = uris.iter().map(|uri| async move {
            let Some((member, _)) = self.find(view, Kind::Resources, uri).await else {
                return;
            };
            while let Err(over) = self.enter(principal, &[member]) {
                tokio::time::sleep(over.retry_after).await;
            }
            // Who asks for news has use for the server; later it may rest again, and then tells nothing.
            if self.rests(member)
                && let Err(unavailable) = self.upstream(member, COMING_UP).await
            {
                tracing::debug!(server = %member.name, uri, %unavailable, "a server does not wake to tell news");
            }
            self.follow(member, uri, client, Whose::Everybodys, None).await;
        });
        futures_util::future::join_all(listening).await;
    }

    /// Sees to it that the servers behind a view are listened to: whose lists are to be told of must be.
    pub(super) async fn attend_everywhere(&self, view: &View) {
        let attending = view.members.iter().map(|member| self.awake(member, COMING_UP));
        let _ = futures_util::future::join_all(attending).await;
    }

    /// Sees to it that a server tells of a resource for as long as this is awaited, also after it has started anew.
    async fn follow(
        &self,
        member: &Member,
        uri: &str,
        client: &Arc<Client>,
        whose: Whose<'_>,
        mut begun: Option<Exchange>,
    ) {
        let mut wait = AGAIN.0;
        loop {
            let began = Instant::now();
            let exchange = match begun.take() {
                Some(exchange) => Some(exchange),
                None => self.ask_to_tell(member, uri, client, whose).await,
            };
            if let Some(exchange) = exchange {
                let tell = |news: Notification| match whose {
                    Whose::Session(session) => self.tell(session, &Message::Notification(news)),
                    Whose::Everybodys => self.tell_updated(&member.object.uid, uri, &news),
                };
                if forward(exchange, tell).await.is_break() {
                    return;
                }
            }
            if began.elapsed() > AGAIN.1 {
                wait = AGAIN.0;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(AGAIN.1);
        }
    }

    /// Asks a server to tell of a resource. One of the older era tells everybody who listens to the conversation; returns
    /// when that is over, for such a server.
    async fn ask_to_tell(
        &self,
        member: &Member,
        uri: &str,
        client: &Arc<Client>,
        whose: Whose<'_>,
    ) -> Option<Exchange> {
        // What rests tells nothing, and is not woken to do so.
        if self.is_suspended(member) {
            return None;
        }
        let upstream = match whose {
            Whose::Session(session) => self.upstream_of(member, session).await.ok()?,
            Whose::Everybodys => self.awake(member, COMING_UP).await.ok()?,
        };
        match upstream.link.hello().era {
            Era::Legacy => {
                drop(
                    self.ask(&upstream.link, "resources/subscribe", json!({"uri": uri}))
                        .await,
                );
                upstream.link.closed().await;
                None
            }
            Era::Modern => self.listen_at(&upstream.link, client, uri).await.ok(),
        }
    }

    /// Takes up what a session had subscribed to before the daemon ended.
    pub(super) fn take_up(&self, session: &Arc<Session>, principal: &Principal) {
        let uris = session.left_over();
        if uris.is_empty() {
            return;
        }
        let Some(view) = View::of(&session.target, &self.0.store.snapshot(), principal) else {
            return;
        };
        let (gateway, session) = (self.clone(), Arc::clone(session));
        let over = session.over.clone();
        tokio::spawn(over.run_until_cancelled_owned(async move {
            for uri in uris {
                let Some((member, _)) = gateway.find(&view, Kind::Resources, &uri).await else {
                    continue;
                };
                let subscribed = gateway.subscribe_session(member, &session, &uri).await;
                if let Outcome::Error(_) = subscribed {
                    tracing::debug!(
                        session = session.short(),
                        uri,
                        code = subscribed.code(),
                        "a subscription was not taken up"
                    );
                }
            }
        }));
    }
}

/// Hands on what a server tells in an exchange that is about nothing else. Breaks when it refuses to.
async fn forward(mut exchange: Exchange, tell: impl Fn(Notification)) -> ControlFlow<()> {
    loop {
        match exchange.next().await {
            Ok(Frame::Notification(news)) if news.method == "notifications/resources/updated" => {
                tell(Notification {
                    params: asking::without_reserved(news.params),
                    ..news
                });
            }
            Ok(Frame::Notification(_)) => {}
            Ok(Frame::Ask(ask)) => {
                tokio::spawn(ask.answer(error(code::METHOD_NOT_FOUND, "nobody is there to answer")));
            }
            Ok(Frame::Done(Outcome::Error(_))) => return ControlFlow::Break(()),
            Ok(Frame::Done(Outcome::Result(_))) | Err(_) => return ControlFlow::Continue(()),
        }
    }
}
