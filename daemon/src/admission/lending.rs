//! Whoever changes a Template says where the Secrets go of the Servers that are made from it: that takes the right to use them.

use std::collections::{BTreeSet, HashMap};

use orch_shared::access::{Principal, Role};
use orch_shared::kind::Kind;
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::Resource;

use super::{Error, permission};
use crate::store::{Object, Transaction};

/// Refuses a Template that would say anew what becomes of Secrets which whoever writes it may not use. What is declared
/// beside it in the same set, Servers above all, counts as it will be.
pub(super) async fn may_lend(
    transaction: &mut Transaction,
    principal: &Principal,
    (template, before): (&Resource, Option<&Resource>),
    declared: &HashMap<ObjectRef, &Resource>,
) -> Result<(), Error> {
    let says_the_same = before.is_some_and(|before| before.spec.means_the_same(template.spec.as_ref()));
    if template.kind != Kind::Template || says_the_same || principal.rights.is_everywhere(Role::Run) {
        return Ok(());
    }
    let object = template.reference();
    for secret in lent(transaction, &object, declared).await? {
        let Some(row) = transaction.load(std::slice::from_ref(&secret)).await?.pop().flatten() else {
            continue;
        };
        let known = transaction.known(&row, &principal.rights).await?;
        if permission::may(principal, Role::Run, &known) {
            continue;
        }
        let which = match permission::may(principal, Role::View, &known) {
            true => secret.to_string(),
            false => "a Secret that you may not see".to_owned(),
        };
        let detail = format!(
            "servers that are made from {object} hold {which}, which {} may not use",
            principal.name
        );
        return Err(Problem::new(Code::Ceiling, detail)
            .suggest("what a Template says decides where these Secrets go: that needs the role `run` on each of them")
            .into());
    }
    Ok(())
}

/// The Secrets of the Servers that are made from a Template.
async fn lent(
    transaction: &mut Transaction,
    template: &ObjectRef,
    declared: &HashMap<ObjectRef, &Resource>,
) -> Result<BTreeSet<ObjectRef>, Error> {
    let dependents = transaction.dependents(std::slice::from_ref(template)).await?;
    let users: BTreeSet<ObjectRef> = dependents.into_iter().map(|(_, dependent)| dependent.object).collect();
    let mut lent = BTreeSet::new();
    for user in users {
        let references = match declared.get(&user) {
            Some(resource) => resource.spec.references(),
            None => match transaction.load(&[user]).await?.pop().flatten() {
                Some(row) => Object::parse(&row)?.spec.references(),
                None => continue,
            },
        };
        if references.iter().any(|reference| reference.target == *template) {
            let named = references.into_iter().map(|reference| reference.target);
            lent.extend(named.filter(|target| target.kind == Kind::Secret));
        }
    }
    Ok(lent)
}
