//! What one request took, and what came of it: a row of the audit log, a row of what was used, and what counts against
//! limits and budgets. Neither what was asked nor what was answered is part of it.

use std::time::Instant;

use axum::http::StatusCode;
use orch_shared::access::Principal;
use orch_shared::audit::{Outcome, Row, RowKind, Target};
use orch_shared::inference::Usage;
use orch_shared::kinds::llm::Pricing;
use orch_shared::name::Name;
use orch_shared::resource::Timestamp;
use orch_shared::usage::{Inference, Tokens};

use super::behalf::Behalf;
use super::choice::Model;
use crate::audit::{self, Ledger, Withdrawn};
use crate::clock::Clock;
use crate::limits::Place;
use crate::usage::{self, Hold};

/// The status of a request whose client went away before it was answered, as proxies write it down.
const CLIENT_GONE: u16 = 499;

/// Where accounts are handed in.
#[derive(Clone)]
pub(super) struct Books {
    pub(super) audit: Ledger,
    pub(super) usage: usage::Ledger,
    pub(super) clock: std::sync::Arc<dyn Clock>,
}

/// The account of one request; closed when it is over, at the latest when nobody holds it any more.
pub(super) struct Account {
    books: Books,
    began: Instant,
    /// The rows, until they are handed in.
    rows: Option<Box<Rows>>,
    place: Place,
    hold: Option<Hold>,
    used: Usage,
    first: Option<Instant>,
    /// Whether a provider has heard of it, or a script has answered.
    was_asked: bool,
    /// The agent and the thread that it is for, in a clause.
    behalf: Option<String>,
    /// Whether what it streams may not go on.
    withdrawn: Withdrawn,
}

struct Rows {
    audit: Row,
    usage: Inference,
    pricing: Option<Pricing>,
}

impl Account {
    /// Opens the account of a request for a model.
    pub(super) fn open(books: &Books, principal: &Principal, verb: &str, model: &Model, is_streamed: bool) -> Self {
        let mut known = match audit::trail() {
            Some(trail) => trail.taken_over(),
            None => Row::new(RowKind::LlmInferenceCall, ""),
        };
        audit::sign(&mut known, principal);
        let usage = Inference {
            at: Timestamp::default(),
            principal: principal.name.to_string(),
            token: principal.token().map(str::to_owned),
            project: None,
            agent: None,
            thread: None,
            llm: String::new(),
            provider: String::new(),
            model: String::new(),
            request_id: known.request_id.clone(),
            tokens: Tokens::default(),
            cost: None,
            latency_us: 0,
            first_token_us: None,
            status: 0,
            streamed: is_streamed,
        };
        let audit = Row {
            kind: RowKind::LlmInferenceCall,
            verb: verb.to_owned(),
            ..known
        };
        let mut account = Self {
            books: books.clone(),
            began: Instant::now(),
            rows: Some(Box::new(Rows {
                audit,
                usage,
                pricing: None,
            })),
            place: Place::default(),
            hold: None,
            used: Usage::default(),
            first: None,
            was_asked: false,
            behalf: None,
            withdrawn: Withdrawn::default(),
        };
        account.answered_by(model);
        account
    }

    /// It is asked for that project, and counts for it.
    pub(super) fn is_for(&mut self, project: Option<&Name>) {
        if let Some(rows) = &mut self.rows {
            rows.audit.project = project.map(Name::to_string);
            rows.usage.project.clone_from(&rows.audit.project);
        }
    }

    /// It is asked by an agent.
    pub(super) fn is_asked_by(&mut self, behalf: &Behalf) {
        self.behalf = Some(behalf.clause());
        self.withdrawn = behalf.withdrawn.clone();
        if let Some(rows) = &mut self.rows {
            rows.usage.agent = Some(behalf.agent.to_string());
            rows.usage.thread = Some(behalf.thread.clone());
        }
    }

    /// Where it is noted that what it streams may not go on.
    pub(super) fn withdrawn(&self) -> Withdrawn {
        self.withdrawn.clone()
    }

    /// Holds a place within the limits for as long as the request is under way.
    pub(super) fn hold(&mut self, place: Place) {
        self.place = place;
    }

    /// Holds what it may take at most out of budgets.
    pub(super) fn reserve(&mut self, hold: Hold) {
        self.hold = Some(hold);
    }

    /// It is that model that is to answer.
    pub(super) fn answered_by(&mut self, model: &Model) {
        let Some(rows) = &mut self.rows else { return };
        let spec = model.spec();
        rows.audit.target = Some(Target::of(&model.object.object));
        rows.audit.item = Some(spec.model.clone());
        rows.usage.llm = model.name().to_string();
        rows.usage.provider = spec.provider.as_str().to_owned();
        rows.usage.model.clone_from(&spec.model);
        rows.pricing.clone_from(&spec.pricing);
    }

    /// The provider is asked from now on, whatever comes of it.
    pub(super) const fn asked(&mut self) {
        self.was_asked = true;
    }

    /// The first of what it has to say is there.
    pub(super) fn began_to_answer(&mut self) {
        self.first.get_or_insert_with(Instant::now);
    }

    /// So much was used until now.
    pub(super) const fn used(&mut self, usage: Usage) {
        self.used = usage;
    }

    /// It was answered with that status.
    pub(super) fn answered(&mut self, status: StatusCode) {
        let outcome = match status.as_u16() {
            429 => Outcome::Denied,
            ..400 => Outcome::Allowed,
            400.. => Outcome::Failed,
        };
        self.close(outcome, status.as_u16(), "");
    }

    /// It was refused here: as what, in a word or a clause.
    pub(super) fn refused(&mut self, status: StatusCode, why: &str) {
        let outcome = match status.as_u16() {
            401 | 402 | 403 | 429 => Outcome::Denied,
            _ => Outcome::Failed,
        };
        self.close(outcome, status.as_u16(), why);
    }

    /// It broke off: why, in a clause.
    pub(super) fn broke_off(&mut self, why: &str) {
        self.close(Outcome::Failed, StatusCode::BAD_GATEWAY.as_u16(), why);
    }

    fn close(&mut self, outcome: Outcome, status: u16, said: &str) {
        let Some(rows) = self.rows.take() else { return };
        let Rows {
            mut audit,
            mut usage,
            pricing,
        } = *rows;
        self.place.took(self.used.input.saturating_add(self.used.output));
        let took = i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        audit.outcome = outcome;
        audit.status = (status != CLIENT_GONE).then_some(status);
        audit.duration_us = Some(took);
        audit.detail = match self.behalf.take() {
            Some(behalf) if said.is_empty() => behalf,
            Some(behalf) => format!("{behalf}, {said}"),
            None => said.to_owned(),
        };
        self.books.audit.hand_in(audit);
        if !self.was_asked {
            return;
        }
        let count = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
        usage.tokens = Tokens {
            input: count(self.used.input),
            cached: count(self.used.cached),
            output: count(self.used.output),
        };
        usage.at = self.books.clock.now();
        usage.cost = pricing.map(|pricing| usage.tokens.cost(&pricing));
        usage.latency_us = took;
        usage.first_token_us = self
            .first
            .and_then(|first| i64::try_from(first.duration_since(self.began).as_micros()).ok());
        usage.status = status;
        self.books.usage.hand_in(usage, self.hold.take());
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        match self.withdrawn.why() {
            Some(why) => self.close(Outcome::Denied, StatusCode::FORBIDDEN.as_u16(), why),
            None => self.close(Outcome::Failed, CLIENT_GONE, "the client went away"),
        }
    }
}
