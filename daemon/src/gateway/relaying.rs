//! Handing a request to the server that it is for: past the limits, with what was brought along from an earlier attempt, to
//! the copy that it belongs to.

use std::sync::Arc;
use std::time::Duration;

use orch_shared::access::{Principal, Role};
use orch_shared::jsonrpc::{Members, Outcome, Raw, raw};
use serde_json::json;
use serde_json::value::RawValue;

use super::Gateway;
use super::ledger::note;
use super::methods::{Asked, Reply};
use super::pages::Paging;
use super::parking::{Owner, Parked, State};
use super::protocol::{code, error, error_with};
use super::pump::{Pump, Relay, Side, Work};
use super::thinking::Behalf;
use super::upstream::{COMING_UP, COPY_FREE, Unavailable, Upstream};
use super::view::Member;
use crate::limits::{self, Bounds, Whose};
use crate::runtime::launch::Era;
use crate::runtime::link::{Call, Purpose};

impl Gateway {
    /// Hands a request to a server.
    pub(super) async fn relay(
        &self,
        asked: Asked<'_>,
        member: &Member,
        params: Option<Raw>,
        name: Option<String>,
        schema: Option<Raw>,
    ) -> Reply {
        let Asked {
            view,
            principal,
            side,
            request,
            ..
        } = asked;
        let page_size = view
            .page_size()
            .filter(|_| matches!(request.method.as_str(), "tools/call" | "resources/read"));
        let paging = page_size.map(|size| Paging {
            size,
            behalf: Behalf {
                principal: Principal::clone(principal),
                project: view.project().cloned(),
            },
        });
        let object = &member.object.object;
        let snapshot = self.0.store.snapshot();
        let decision = match &name {
            Some(tool) if request.method == "tools/call" => snapshot.decide_call(principal, &member.object, tool),
            Some(_) | None => snapshot.decide(principal, Role::Run, &member.object),
        };
        let mut note = note(&self.0.ledger, principal, &request.method, object, name.clone());
        note.decided(principal, &decision);
        if !decision.is_allowed {
            note.forbidden("may not be used").await;
            return Reply::Now(error(code::INVALID_PARAMS, "that may not be used by you"));
        }
        let place = match self.enter(principal, &[member]) {
            Ok(place) => place,
            Err(over) => {
                note.refused(&over.what);
                let (outcome, after) = over_limit(&over, Some(member));
                return Reply::Limited(outcome, after);
            }
        };
        note.hold(place);
        self.0.waker.touch(&member.object.uid);
        let (mut params, mut wanted) = (params, None);
        if let Some((mut brought, state)) = brought_along(&side, params.as_deref()) {
            let owner = Owner {
                principal: note.caller(),
                server: member.name.as_str(),
                method: &request.method,
            };
            match self.0.parking.find(&state, owner) {
                State::OfServer { copy, state } => {
                    brought.set(STATE, raw(&state));
                    params = Some(brought.to_raw());
                    wanted = Some(copy);
                }
                State::Parked(parked) => {
                    let responses = brought.members(RESPONSES).unwrap_or_default();
                    let answer = super::parking::answer(&responses)
                        .unwrap_or_else(|| error(code::INVALID_PARAMS, "the client brought no answer"));
                    let Parked {
                        exchange,
                        ask,
                        upstream,
                        server,
                        ..
                    } = *parked;
                    let relay = Relay {
                        gateway: self.clone(),
                        call: call(request.method, params, name, &side, principal, schema),
                        side,
                        server,
                        upstream,
                        note,
                        paging,
                        may_move: false,
                    };
                    return Reply::Work(Work::Relayed(Box::new(Pump::resume(relay, exchange, ask, answer))));
                }
                State::Lost => {
                    note.refused("unknown request state");
                    let message = "the request state is not known here, or not any more; begin anew without it";
                    return Reply::Now(error(code::INVALID_PARAMS, message));
                }
            }
        }
        // Before the conversation is looked for: what is under way keeps it from being given back.
        let under_way = match &side {
            Side::Legacy(session) => match session.under_way(&request.id, &member.object.uid) {
                Some(under_way) => Some(under_way),
                None => {
                    note.refused("the id is taken");
                    let message = "a request with this id is under way in this session";
                    return Reply::Now(error(code::INVALID_REQUEST, message));
                }
            },
            Side::Modern(_) => None,
        };
        let upstream = match self.upstream_for(&side, member, wanted.as_deref()).await {
            Ok(upstream) => upstream,
            Err(unavailable) => {
                let outcome = unavailable.outcome(member.name.as_str());
                return match unavailable {
                    Unavailable::Down(reason) => {
                        note.unavailable(&reason);
                        Reply::Now(outcome)
                    }
                    Unavailable::Full(reason) => {
                        note.refused(&reason);
                        Reply::Limited(outcome, COPY_FREE)
                    }
                };
            }
        };
        note.use_copy(self.held_by_call(&side, &upstream));
        let params = match (&side, upstream.link.hello().era) {
            (Side::Legacy(_), Era::Modern) => without_input(params),
            (Side::Legacy(_) | Side::Modern(_), Era::Legacy | Era::Modern) => params,
        };
        let relay = Relay {
            gateway: self.clone(),
            call: call(request.method, params, name, &side, principal, schema),
            side,
            server: member.name.to_string(),
            upstream,
            note,
            paging,
            may_move: true,
        };
        match Pump::start(relay, under_way).await {
            Ok(pump) => Reply::Work(Work::Relayed(Box::new(pump))),
            Err(outcome) => Reply::Now(outcome),
        }
    }

    /// Takes a place for something that reaches those servers, which counts once for who asks.
    pub(super) fn enter(&self, principal: &Principal, members: &[&Member]) -> Result<limits::Place, limits::Over> {
        let servers = members.iter().map(|member| {
            let declared = member.server().and_then(|server| server.limits.as_ref());
            let bounds = declared.map_or_else(Bounds::default, |declared| Bounds {
                per_minute: declared.requests_per_minute,
                concurrent: declared.concurrent,
                tokens_per_minute: None,
            });
            Whose {
                kind: "server",
                id: &member.object.uid,
                name: member.name.as_str(),
                bounds,
            }
        });
        let all: Vec<_> = [self.limited(principal)].into_iter().chain(servers).collect();
        self.0.limits.enter(&all)
    }

    /// Somebody, with the limits that hold for everybody.
    pub(super) fn limited<'p>(&self, principal: &'p Principal) -> Whose<'p> {
        Whose {
            kind: "principal",
            id: principal.actor(),
            name: principal.actor(),
            bounds: self.0.principal_limits,
        }
    }

    /// The conversation that a request goes to.
    async fn upstream_for(&self, side: &Side, member: &Member, copy: Option<&str>) -> Result<Upstream, Unavailable> {
        match side {
            Side::Legacy(session) => self.upstream_of(member, session).await,
            Side::Modern(_) => match copy {
                Some(copy) => match self.copy(member, copy) {
                    Some(upstream) => Ok(upstream),
                    None => self.upstream(member, COMING_UP).await,
                },
                None => self.upstream(member, COMING_UP).await,
            },
        }
    }
}

/// What is answered to whoever goes over a limit, and after how long it would not. Whose limit it is, where it is about one
/// server, is told, too.
pub(super) fn over_limit(over: &limits::Over, member: Option<&Member>) -> (Outcome, Duration) {
    let millis = u64::try_from(over.retry_after.as_millis()).unwrap_or(u64::MAX);
    let mut data = json!({"retryAfterMs": millis});
    if let Some(member) = member {
        data["server"] = json!(member.name);
    }
    (error_with(code::LIMITED, &over.what, &data), over.retry_after)
}

/// What a client of the newer era brings along from an earlier attempt, and its state. Most bring nothing, and are not read.
fn brought_along<'p>(side: &Side, params: Option<&'p RawValue>) -> Option<(Members<'p>, String)> {
    match side {
        Side::Legacy(_) => None,
        Side::Modern(_) => {
            let params = params.filter(|params| may_hold(params, STATE))?;
            let brought = Members::of(params)?;
            let is_state = |(name, value): &(&str, &RawValue)| *name == STATE && value.get() != "null";
            let state = brought.iter().find(is_state)?.1.get();
            // One that is no text was given to nobody.
            let state = serde_json::from_str(state).unwrap_or_default();
            Some((brought, state))
        }
    }
}

/// What a client of the newer era brings along.
const STATE: &str = "requestState";
const RESPONSES: &str = "inputResponses";

/// Whether parameters may have a member of that name, which may be written with escapes.
fn may_hold(params: &RawValue, name: &str) -> bool {
    params.get().contains(name) || params.get().contains("\\u")
}

/// Parameters of a client of the older era for a server of the newer one: what they might bring along was not given to it.
fn without_input(params: Option<Raw>) -> Option<Raw> {
    let params = params?;
    if !may_hold(&params, STATE) && !may_hold(&params, RESPONSES) {
        return Some(params);
    }
    let Some(mut members) = Members::of(&params) else {
        return Some(params);
    };
    let is_there = [STATE, RESPONSES].map(|name| members.remove(name)).contains(&true);
    Some(if is_there { members.to_raw() } else { params })
}

fn call(
    method: String,
    params: Option<Raw>,
    about: Option<String>,
    side: &Side,
    principal: &Principal,
    schema: Option<Raw>,
) -> Call {
    Call {
        method,
        params,
        about,
        client: side.client(),
        purpose: Purpose::Relay(Arc::clone(&principal.name)),
        schema,
    }
}
