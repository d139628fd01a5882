//! What instances wrote, as plain text.

use axum::body::Body;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use orch_shared::access::{Operation, Principal};
use orch_shared::problem::{Code, Problem};
use orch_shared::quantity::Span;
use orch_shared::resource::Timestamp;
use orch_shared::wire::LogParameters;

use super::problem::Refusal;
use super::stream::{Sink, respond};
use super::{Api, body, object};
use crate::admission::{self, Target};
use crate::audit::Tenure;
use crate::runtime::log::{Follower, Line, Which, Window};

const TEXT: &str = "text/plain; charset=utf-8";

/// Answers with the lines of an instance's log, or follows it.
pub(super) async fn logs(api: &Api, principal: &Principal, target: Target, parts: &Parts) -> Result<Response, Refusal> {
    let parameters: LogParameters = body::query(&parts.uri)?;
    let row = object::find(api, principal, &target).await?;
    admission::operate(principal, Operation::Logs)?;
    let window = Window {
        tail: parameters.tail.map(|tail| tail as usize),
        since: parameters
            .since
            .as_deref()
            .map(|since| since_of(since, api))
            .transpose()?,
    };
    let form = Form {
        timestamps: parameters.timestamps == Some(true),
    };
    let follow = parameters.follow == Some(true);
    let which = match (parameters.previous == Some(true), follow) {
        (true, true) => return Err(Problem::new(Code::BadRequest, "a run that is over cannot be followed").into()),
        (true, false) => Which::Previous,
        (false, _) => Which::Current,
    };
    match api.runtime.follow(&row.uid, window).filter(|_| follow) {
        Some(follower) => {
            let mut response = respond(TEXT, api.shutdown.clone(), move |sink| go_on(follower, form, sink));
            response
                .extensions_mut()
                .insert(Tenure::new(move |principal, snapshot| {
                    let instance = snapshot.by_uid(&row.uid);
                    principal.may_operate(Operation::Logs).is_allowed
                        && instance.is_none_or(|instance| snapshot.shows(&principal.visibility, instance))
                }));
            Ok(response)
        }
        None => {
            let lines = api.runtime.logs(&row.uid, which, window).await;
            Ok(([(header::CONTENT_TYPE, TEXT)], Body::from(form.text(&lines))).into_response())
        }
    }
}

async fn go_on(mut follower: Follower, form: Form, sink: Sink) {
    loop {
        let lines = tokio::select! {
            () = sink.closed() => return,
            lines = follower.next() => lines,
        };
        let Some(lines) = lines else { return };
        if sink.send(form.text(&lines)).await.is_err() {
            return;
        }
    }
}

/// How lines are shown.
#[derive(Debug, Clone, Copy)]
struct Form {
    timestamps: bool,
}

impl Form {
    fn text(self, lines: &[Line]) -> String {
        let mut text = String::new();
        for line in lines {
            if self.timestamps {
                text.push_str(&line.at.to_string());
                text.push(' ');
            }
            text.push_str(&line.text);
            text.push('\n');
        }
        text
    }
}

/// A duration back from now, or an instant.
fn since_of(text: &str, api: &Api) -> Result<Timestamp, Problem> {
    if let Ok(span) = text.parse::<Span>() {
        let now = api.admission.store.clock().now().millis();
        return Ok(Timestamp::from_millis(
            now - i64::try_from(span.duration().as_millis()).unwrap_or(i64::MAX),
        ));
    }
    text.parse().map_err(|_| {
        Problem::new(
            Code::BadRequest,
            format!("`{text}` is neither a duration nor an instant"),
        )
        .suggest("such as 5m, or 2026-11-21T12:00:00Z")
    })
}
