//! What the rules say of a request, for its row in the audit log: by which rule it is allowed, or what is missing.
//!
//! Whether something is done is decided where it is done, by the state that it is done to. This is the same decision about
//! what is there when the request arrives.

use std::collections::BTreeMap;

use axum::http::Method;
use orch_shared::access::{Decision, Principal, Role};
use orch_shared::kind::Action;
use orch_shared::name::{Name, ObjectRef};

use super::Api;
use super::address::Address;
use crate::admission::Target;
use crate::audit;

/// Notes what the rules say of a request.
pub(super) fn note(api: &Api, principal: &Principal, address: &Address, method: &Method) {
    let Some(trail) = audit::trail() else { return };
    let Some((role, target)) = asked(address, method) else {
        return;
    };
    let everywhere = principal.rights.everywhere(role);
    let decision = match everywhere.is_allowed {
        true => everywhere,
        false => decide(api, principal, role, target),
    };
    trail.decided(orch_shared::audit::Decision {
        allowed: decision.is_allowed,
        rule: match decision.rule {
            Some(rule) => rule.to_string(),
            None => role.to_string(),
        },
    });
}

/// The role that a request needs on one object.
fn asked<'a>(address: &'a Address, method: &Method) -> Option<(Role, &'a Target)> {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    match address {
        Address::Object(target) if is_read => Some((Role::View, target)),
        Address::Object(target) if *method == Method::DELETE => Some((Role::Delete, target)),
        Address::Object(target) | Address::Password(target) => Some((Role::Edit, target)),
        Address::Action(target, Action::Revoke) => Some((Role::Delete, target)),
        Address::Action(target, _) => Some((Role::Edit, target)),
        Address::History(target) | Address::Dependents(target) | Address::Logs(target) => Some((Role::View, target)),
        _ => None,
    }
}

fn decide(api: &Api, principal: &Principal, role: Role, target: &Target) -> Decision {
    let snapshot = api.admission.store.snapshot();
    let name: Option<Name> = target.name.parse().ok();
    let object = name.map(|name| ObjectRef {
        kind: target.kind,
        scope: target.scope.clone(),
        name,
    });
    let live = object.as_ref().and_then(|object| snapshot.get(object));
    match (live.or_else(|| snapshot.by_uid(&target.name)), object) {
        (Some(live), _) => snapshot.facts_of(live, |facts| principal.may(role, facts)),
        (None, Some(object)) => snapshot.facts(&object, &BTreeMap::new(), None, |facts| principal.may(role, facts)),
        (None, None) => Decision {
            is_allowed: false,
            rule: None,
        },
    }
}
