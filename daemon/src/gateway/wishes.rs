//! What a client with a session wants to hear of: log messages from a level on, and changes of resources. It is written down
//! with the session.

use std::sync::Arc;

use orch_shared::jsonrpc::{Members, Outcome};
use serde_json::json;

use super::methods::{Asked, Reply, no_resource, unknown_method};
use super::protocol::{code, error, result};
use super::pump::Side;
use super::relaying::over_limit;
use super::surface::{self, Kind};
use super::{Gateway, levels};

impl Gateway {
    /// Sets the least severity that a session wants to hear of.
    pub(super) async fn set_level(&self, asked: &Asked<'_>) -> Reply {
        let Side::Legacy(session) = &asked.side else {
            return Reply::Now(unknown_method("logging/setLevel"));
        };
        let level = Members::of_params(asked.request.params.as_deref()).text("level");
        let Some(level) = level.filter(|level| levels::is_level(level)) else {
            return Reply::Now(error(
                code::INVALID_PARAMS,
                "`level` is debug, info, notice, warning, error, critical, alert or emergency",
            ));
        };
        if let Some(member) = asked.view.single()
            && let Ok(upstream) = self.awake(member, surface::PATIENCE).await
            && !upstream.link.hello().offers("logging")
        {
            return Reply::Now(unknown_method("logging/setLevel"));
        }
        let used = asked.view.members.iter();
        let used: Vec<_> = used
            .filter(|member| session.copy(&member.object.uid).is_some())
            .collect();
        let _place = match self.enter(asked.principal, &used) {
            Ok(place) => place,
            Err(over) => {
                let (outcome, after) = over_limit(&over, None);
                return Reply::Limited(outcome, after);
            }
        };
        session.set_level(&level);
        if let Err(error) = self.0.registry.keep(session).await {
            tracing::debug!(%error, "the log level of a session cannot be written down");
        }
        self.pass_level(asked.view, session).await;
        Reply::Now(result(&json!({})))
    }

    /// A session wants news of a resource.
    pub(super) async fn subscribe(&self, asked: Asked<'_>) -> Reply {
        let params = Members::of_params(asked.request.params.as_deref());
        let (Some(uri), Side::Legacy(session)) = (params.text("uri"), &asked.side) else {
            return Reply::Now(error(code::INVALID_PARAMS, "resources/subscribe needs `uri`"));
        };
        let Some((member, _)) = self.find(asked.view, Kind::Resources, &uri).await else {
            return Reply::Now(no_resource(&asked.side, &uri));
        };
        let (member, session) = (member.clone(), Arc::clone(session));
        let _place = match self.enter(asked.principal, &[&member]) {
            Ok(place) => place,
            Err(over) => {
                let (outcome, after) = over_limit(&over, Some(&member));
                return Reply::Limited(outcome, after);
            }
        };
        let outcome = self.subscribe_session(&member, &session, &uri).await;
        if let (Outcome::Result(_), Err(error)) = (&outcome, self.0.registry.keep(&session).await) {
            tracing::debug!(%error, "the subscriptions of a session cannot be written down");
        }
        Reply::Now(outcome)
    }

    /// A session has enough of them, which takes no place: nobody is to go on hearing because of a limit.
    pub(super) async fn unsubscribe(&self, asked: &Asked<'_>) -> Outcome {
        let params = Members::of_params(asked.request.params.as_deref());
        let (Some(uri), Side::Legacy(session)) = (params.text("uri"), &asked.side) else {
            return error(code::INVALID_PARAMS, "resources/unsubscribe needs `uri`");
        };
        self.unsubscribe_session(asked.view, session, &uri).await;
        if let Err(error) = self.0.registry.keep(session).await {
            tracing::debug!(%error, "the subscriptions of a session cannot be written down");
        }
        result(&json!({}))
    }
}
