//! What is found out about a request while it is answered.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::future::BoxFuture;
use orch_shared::access::{self, Credential, Principal, Rights};
use orch_shared::audit::{Decision, Outcome, Row, RowKind, Target};
use orch_shared::excerpt::printable;
use orch_shared::kind::Maker;
use orch_shared::name::ObjectRef;
use orch_shared::secrecy;

use crate::store::{Error, Fate, Store, Transaction};

tokio::task_local! {
    static TRAIL: Arc<Trail>;
}

/// Says in a row who has asked: as whom, with which token or login, and who that really is.
pub fn sign(row: &mut Row, principal: &Principal) {
    row.principal = principal.name.to_string();
    row.via = principal.impersonator.as_deref().map(str::to_owned);
    match &principal.credential {
        Credential::None => row.token = None,
        Credential::Token(name) => row.token = Some(name.to_string()),
        // A login is told by its id, that of the first start by its name.
        Credential::Session { id, name } if &**name == "login" => row.token = Some(format!("login/{id}")),
        Credential::Session { name, .. } => row.token = Some(name.to_string()),
    }
}

/// The trail of the request that this task answers, if it answers one.
#[must_use]
pub fn trail() -> Option<Arc<Trail>> {
    TRAIL.try_with(Arc::clone).ok()
}

/// Answers a request whose trail is that one; also in a task of its own.
pub fn scoped<F: Future>(trail: Arc<Trail>, answering: F) -> impl Future<Output = F::Output> {
    TRAIL.scope(trail, answering)
}

/// Writes; what the work notes goes on the trail of the request that asks for it, and so does the row that it writes. Where
/// that is about a set, each object that the work has changed gets a row of its own behind it.
///
/// # Errors
/// As the work, and when the store fails.
pub async fn write<T, E, F>(store: &Store, work: F) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
    F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    match trail() {
        Some(trail) => {
            let writing = store.write(move |transaction| {
                Box::pin(scoped(Arc::clone(&trail), async move {
                    let done = work(&mut *transaction).await?;
                    for row in trail.of_each(transaction) {
                        transaction.audit(row);
                    }
                    Ok(done)
                }))
            });
            writing.await
        }
        None => store.write(work).await,
    }
}

/// Writes the row of a change down together with it, when a request asks for the change.
pub fn changed(transaction: &mut Transaction, verb: &str, target: Option<Target>, status: u16) {
    if let Some(trail) = trail() {
        transaction.audit(trail.of_change(verb, target, status));
    }
}

/// Notes what the rules have said to somebody, on the trail of the request.
pub fn decided(principal: &Principal, decision: &access::Decision, wanted: impl fmt::Display) {
    if let (Some(trail), Some(decision)) = (trail(), decision_of(principal, decision, wanted)) {
        trail.decided(decision);
    }
}

/// Notes what a request is about, where its address does not say so.
pub fn about(verb: &'static str, object: &ObjectRef) {
    if let Some(trail) = trail() {
        trail.about(verb, Some(Target::of(object)));
    }
}

/// Notes that a request is about a set: besides its own row there is one for each object that it changes.
pub fn about_each() {
    if let Some(trail) = trail() {
        trail.is_of_set.store(true, Ordering::Relaxed);
    }
}

/// Notes that a request only tries something out.
pub fn rehearsed() {
    said("dry run");
}

/// Adds a clause about the request.
pub fn said(clause: &str) {
    if let Some(trail) = trail() {
        trail.said(clause);
    }
}

/// Notes by which rules all of a set is allowed.
pub fn decided_by_all(principal: &Principal, rules: &BTreeSet<Arc<str>>) {
    if !rules.is_empty() {
        let named: Vec<&str> = rules.iter().take(RULES).map(|rule| &**rule).collect();
        let mut rule = named.join(", ");
        if rules.len() > named.len() {
            rule.push_str(", ...");
        }
        let all = access::Decision::allowed(rule.into());
        decided(principal, &all, "");
    }
}

/// What the rules have said to somebody, as a row says it: by which rule it is allowed, or what is missing. Nothing of what
/// is done by the daemon itself, or through a door that is open to everybody: that is bound by no rules.
pub fn decision_of(principal: &Principal, decision: &access::Decision, wanted: impl fmt::Display) -> Option<Decision> {
    let is_bound = *principal.rights != Rights::Unbounded;
    is_bound.then(|| Decision {
        allowed: decision.is_allowed,
        rule: match &decision.rule {
            Some(rule) => rule.to_string(),
            None => wanted.to_string(),
        },
    })
}

/// So many rules are named by which a set is allowed.
const RULES: usize = 4;

/// No row about the request has been handed in.
const OPEN: u8 = 0;
/// A row is part of a transaction that may still fail.
const COMMITTING: u8 = 1;
/// A row was handed in, whatever comes of the request.
const TOLD: u8 = 2;

/// What is known of a request. Everybody who finds something out notes it here.
#[derive(Debug)]
pub struct Trail {
    began: Instant,
    known: Mutex<Row>,
    told: AtomicU8,
    /// Whether each object that is changed gets a row.
    is_of_set: AtomicBool,
}

impl Trail {
    /// Begins a trail: a request of that id, by that program, with that method. What is wanted is not known yet.
    #[must_use]
    pub fn begin(request_id: &str, client: Option<&str>, method: &'static str) -> Arc<Self> {
        let known = Row {
            request_id: Some(request_id.to_owned()),
            client: client.map(str::to_owned),
            ..Row::new(RowKind::Request, method)
        };
        Arc::new(Self {
            began: Instant::now(),
            known: Mutex::new(known),
            told: AtomicU8::new(OPEN),
            is_of_set: AtomicBool::new(false),
        })
    }

    fn known(&self) -> MutexGuard<'_, Row> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who asks.
    pub fn by(&self, principal: &Principal) {
        sign(&mut self.known(), principal);
    }

    /// Who says to be somebody, and has not shown it.
    pub fn tried_by(&self, name: &str) {
        // As a whole: what is left of a key when it is cut does not look like one.
        self.known().principal = match secrecy::is_key_by_itself(name) {
            true => secrecy::MASK.to_owned(),
            false => printable(name.chars().take(64).collect::<String>()),
        };
    }

    /// A credential was shown that is known, and opens nothing any more.
    pub fn with_spent(&self, token: String) {
        self.known().token = Some(token);
    }

    /// What is wanted, and of what.
    pub fn about(&self, verb: impl Into<Cow<'static, str>>, target: Option<Target>) {
        let mut known = self.known();
        known.verb = verb.into().into_owned();
        known.project = target.as_ref().and_then(Target::project).map(str::to_owned);
        known.target = target;
    }

    /// What is wanted.
    pub fn wants(&self, verb: &str) {
        verb.clone_into(&mut self.known().verb);
    }

    /// What it is wanted of.
    pub fn is_of(&self, target: Target) {
        self.known().target = Some(target);
    }

    /// The row is about something else than a mere request.
    pub fn is_about(&self, kind: RowKind) {
        self.known().kind = kind;
    }

    /// The session that the request belongs to, by its short name.
    pub fn in_session(&self, short: &str) {
        self.known().session = Some(short.to_owned());
    }

    /// The program, as it calls itself.
    pub fn by_client(&self, client: String) {
        self.known().client = Some(client);
    }

    /// What the rules said, and by which rule. The last refusal counts; else the last word.
    pub fn decided(&self, decision: Decision) {
        let mut known = self.known();
        let refused = known.decision.as_ref().is_some_and(|before| !before.allowed);
        if !refused || !decision.allowed {
            known.decision = Some(decision);
        }
    }

    /// Anything else, in a clause after those that were said before.
    pub fn said(&self, clause: &str) {
        let detail = &mut self.known().detail;
        if !detail.is_empty() {
            detail.push_str(", ");
        }
        detail.push_str(clause);
    }

    /// The row of a change, for the transaction that makes it. When that fails, there will be another row.
    #[must_use]
    pub fn of_change(&self, verb: &str, target: Option<Target>, status: u16) -> Row {
        self.told.fetch_max(COMMITTING, Ordering::Relaxed);
        let mut row = self.known().clone();
        verb.clone_into(&mut row.verb);
        row.project = target.as_ref().and_then(Target::project).map(str::to_owned);
        row.target = target;
        row.status = Some(status);
        row.duration_us = Some(self.micros());
        row
    }

    /// The rows of the objects that a write has changed, when the request is about a set of them. What the daemon keeps of
    /// its own to an object goes along with it.
    fn of_each(&self, transaction: &Transaction) -> Vec<Row> {
        if !self.is_of_set.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let known = self.known().clone();
        let duration = self.micros();
        let fates = transaction.fates().into_iter();
        let declared = fates.filter(|(object, _)| object.kind.meta().maker == Maker::User);
        let row = |(object, fate): (ObjectRef, Fate)| {
            let target = Target::of(&object);
            Row {
                project: target.project().map(str::to_owned),
                target: Some(target),
                status: Some(200),
                duration_us: Some(duration),
                detail: match fate {
                    Fate::Made => "created",
                    Fate::Changed => "configured",
                    Fate::Gone => "pruned",
                }
                .to_owned(),
                ..known.clone()
            }
        };
        declared.map(row).collect()
    }

    /// All that is known, for somebody who will hand in the only row about the request.
    #[must_use]
    pub fn taken_over(&self) -> Row {
        self.told.store(TOLD, Ordering::Relaxed);
        let mut known = self.known();
        let left = Row::new(RowKind::Request, "");
        std::mem::replace(&mut known, left)
    }

    /// Somebody else writes the row about the request.
    pub fn passed_on(&self) {
        self.told.store(TOLD, Ordering::Relaxed);
    }

    /// The row about the request, now that it is answered; nothing when there is one already.
    #[must_use]
    pub fn concluded(&self, status: u16) -> Option<Row> {
        match self.told.swap(TOLD, Ordering::Relaxed) {
            OPEN => {}
            COMMITTING if status >= 400 => {}
            _ => return None,
        }
        let mut row = self.known().clone();
        row.status = Some(status);
        row.duration_us = Some(self.micros());
        let is_refused = row.decision.as_ref().is_some_and(|decision| !decision.allowed);
        row.outcome = match status {
            _ if is_refused => Outcome::Denied,
            401 | 403 | 429 => Outcome::Denied,
            ..400 => Outcome::Allowed,
            400.. => Outcome::Failed,
        };
        if is_refused && row.kind == RowKind::Request {
            row.kind = RowKind::RbacDecision;
        }
        Some(row)
    }

    /// A row of its own about a stream that has begun and may not go on, and why; nothing where somebody else writes the row
    /// about the request, who learns of it too.
    #[must_use]
    pub fn of_withdrawal(&self, status: u16, why: &str) -> Option<Row> {
        let known = self.known().clone();
        (!known.verb.is_empty()).then(|| Row {
            kind: RowKind::RbacDecision,
            outcome: Outcome::Denied,
            status: Some(status),
            duration_us: Some(self.micros()),
            decision: None,
            detail: why.to_owned(),
            ..known
        })
    }

    fn micros(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> Arc<Trail> {
        Trail::begin("r-1", Some("curl/8"), "get")
    }

    #[test]
    fn a_request_has_one_row() {
        for (told, status, rows) in [
            (OPEN, 200, 1),
            (OPEN, 404, 1),
            (COMMITTING, 200, 0),
            (COMMITTING, 503, 1),
            (TOLD, 200, 0),
            (TOLD, 429, 0),
        ] {
            let trail = begun();
            trail.told.store(told, Ordering::Relaxed);
            assert_eq!(trail.concluded(status).iter().len(), rows, "{told} {status}");
            assert_eq!(trail.concluded(status), None, "{told} {status}");
        }
    }

    #[test]
    fn outcomes_follow_the_rules_and_the_status() {
        let decision = |allowed| Decision {
            allowed,
            rule: "team".to_owned(),
        };
        for (decided, status, outcome, kind) in [
            (None, 200, Outcome::Allowed, RowKind::Request),
            (None, 401, Outcome::Denied, RowKind::Request),
            (None, 404, Outcome::Failed, RowKind::Request),
            (Some(true), 404, Outcome::Failed, RowKind::Request),
            // May-not-read is told as not-found, and written down as what it is.
            (Some(false), 404, Outcome::Denied, RowKind::RbacDecision),
            (Some(false), 403, Outcome::Denied, RowKind::RbacDecision),
            (None, 503, Outcome::Failed, RowKind::Request),
        ] {
            let trail = begun();
            if let Some(allowed) = decided {
                trail.decided(decision(allowed));
            }
            let row = trail.concluded(status).unwrap();
            assert_eq!((row.outcome, row.kind), (outcome, kind), "{decided:?} {status}");
        }
        let trail = begun();
        trail.decided(decision(false));
        trail.decided(decision(true));
        assert_eq!(trail.concluded(403).unwrap().decision, Some(decision(false)));
    }
}
