//! By which rule something may be read, for the request's row in the audit log. By which rule something is changed is noted
//! where it is decided, inside the write; and so is what somebody may not do.

use std::collections::BTreeMap;

use orch_shared::access::{Decision, Principal, Role};
use orch_shared::name::{Name, ObjectRef, Scope};

use super::Api;
use super::address::Address;
use crate::admission::Target;
use crate::audit;

/// Notes what the rules say of a request that reads, or that looks for what it is about.
pub(super) fn note(api: &Api, principal: &Principal, address: &Address) {
    let decision = match address {
        Address::Object(target)
        | Address::History(target)
        | Address::Dependents(target)
        | Address::Logs(target)
        | Address::Password(target) => decide(api, principal, target),
        // Of a list it is by the rule that shows any of them; where there is none, it is empty.
        Address::Collection(kind, scope) => {
            let project = match scope {
                Scope::Project(project) => Some(project),
                Scope::Cluster | Scope::Agent(_) => None,
            };
            let mut shown_by = principal.rights.explain_kind(Role::View, *kind, project).into_iter();
            match shown_by.next().flatten() {
                Some(rule) if shown_by.all(|rule| rule.is_some()) => Decision::allowed(rule.into()),
                Some(_) | None => return,
            }
        }
        Address::Action(..)
        | Address::Apply
        | Address::Delete
        | Address::Seal
        | Address::Migrate
        | Address::SetUp
        | Address::Events
        | Address::Status
        | Address::Audit
        | Address::AuditSessions
        | Address::AuditVerify
        | Address::Usage
        | Address::Login
        | Address::WhoAmI
        | Address::Logins
        | Address::OneLogin(_)
        | Address::AccessReview
        | Address::Introspect
        | Address::Publishers(_) => return,
    };
    audit::decided(principal, &decision, Role::View);
}

fn decide(api: &Api, principal: &Principal, target: &Target) -> Decision {
    let everywhere = principal.rights.everywhere(Role::View);
    if everywhere.is_allowed {
        return everywhere;
    }
    let snapshot = api.admission.store.snapshot();
    let name: Option<Name> = target.name.parse().ok();
    let object = name.map(|name| ObjectRef {
        kind: target.kind,
        scope: target.scope.clone(),
        name,
    });
    let live = object.as_ref().and_then(|object| snapshot.get(object));
    match (live.or_else(|| snapshot.by_uid(&target.name)), object) {
        (Some(live), _) => snapshot.decide(principal, Role::View, live),
        (None, Some(object)) => snapshot.facts(&object, &BTreeMap::new(), None, |facts| {
            principal.may(Role::View, facts)
        }),
        (None, None) => Decision::denied(),
    }
}
