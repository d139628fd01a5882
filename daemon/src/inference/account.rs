//! What one request took, and what came of it: a row of the audit log, a row of what was used, and what counts against
//! limits and budgets. Neither what was asked nor what was answered is part of it.

use std::time::Instant;

use axum::http::StatusCode;
use orch_shared::access::Principal;
use orch_shared::audit::{Outcome, Row, RowKind, Target};
use orch_shared::excerpt;
use orch_shared::inference::usage::Watch;
use orch_shared::inference::{Dialect, Usage, estimate};
use orch_shared::kind::Kind;
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

/// What a request in that dialect is written down as.
pub(super) fn verb(dialect: Dialect) -> &'static str {
    dialect.path().trim_start_matches("/v1/")
}

/// A request of a model in that dialect begins: whatever becomes of it, that is what its row is about.
pub(super) fn begin(dialect: Dialect) {
    if let Some(trail) = audit::trail() {
        trail.is_about(RowKind::LlmInferenceCall);
        trail.wants(verb(dialect));
    }
}

/// It is refused before it has an account; the model that it names, as it names it.
pub(super) fn of(model: &str) {
    if let Some(trail) = audit::trail() {
        trail.is_of(Target {
            kind: Kind::Llm.as_str().to_owned(),
            name: Some(excerpt::short(model)),
            scope: String::new(),
        });
    }
}

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
    /// That within the limits of the model that is asked.
    at_model: Place,
    hold: Option<Hold>,
    used: Usage,
    /// Whether that is the usage of the whole call, as the provider tells it.
    is_settled: bool,
    /// How many tokens went in, roughly, where limits or budgets count them.
    weighed: Option<u64>,
    /// Tokens in, guessed from the size of the request.
    size: u64,
    /// How many came out so far, roughly.
    seen: u64,
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
            at_model: Place::default(),
            hold: None,
            used: Usage::default(),
            is_settled: false,
            weighed: None,
            size: 0,
            seen: 0,
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

    /// Holds a place within the limits of whoever asks for as long as the request is under way.
    pub(super) fn hold(&mut self, place: Place) {
        self.place = place;
    }

    /// Holds one within the limits of the model that is asked, instead of one at another model.
    pub(super) fn hold_at(&mut self, place: Place) {
        self.at_model = place;
    }

    /// Whether a limit counts the tokens that it takes.
    pub(super) fn counts_tokens(&self) -> bool {
        self.place.counts_tokens() || self.at_model.counts_tokens()
    }

    /// Gives back what is held of budgets.
    pub(super) fn release(&mut self) {
        self.hold = None;
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

    /// The request has so many bytes: what goes in is guessed from that, where nobody has to know it better.
    pub(super) const fn sized(&mut self, bytes: u64) {
        self.size = estimate::of_bytes(bytes);
    }

    /// So much goes in, roughly: what counts against limits and budgets if the call ends before its usage is told.
    pub(super) fn weighs(&mut self, input: impl FnOnce() -> u64) {
        self.weighed.get_or_insert_with(input);
    }

    /// What was weighed.
    pub(super) fn weight(&self) -> u64 {
        self.weighed.unwrap_or_default()
    }

    /// So much was used in all.
    pub(super) const fn used(&mut self, usage: Usage) {
        self.used = usage;
        self.is_settled = true;
    }

    /// So much of an answer has come.
    pub(super) fn watched(&mut self, watch: &Watch) {
        self.saw(watch.output_estimate());
        if let Some(usage) = watch.usage() {
            self.used = usage;
            self.is_settled = watch.is_usage_whole();
        }
    }

    /// So many tokens have come, roughly.
    pub(super) const fn saw(&mut self, output: u64) {
        self.seen = output;
    }

    /// What counts: what the provider has told; of a call that has ended before that, or of a provider that tells nothing, an
    /// estimate of what it has done.
    fn settle(&mut self) {
        if !self.was_asked || self.is_settled {
            return;
        }
        let input = self.weighed.unwrap_or(self.size);
        self.used.input = self.used.input.max(input);
        self.used.output = self.used.output.max(self.seen);
    }

    /// It was answered with that status.
    pub(super) fn answered(&mut self, status: StatusCode) {
        // What a provider refuses it does not count.
        self.is_settled |= !status.is_success();
        let outcome = match status.as_u16() {
            429 => Outcome::Denied,
            ..400 => Outcome::Allowed,
            400.. => Outcome::Failed,
        };
        self.close(outcome, status.as_u16(), "");
    }

    /// It was refused here, or nobody has answered: as what, in a word or a clause.
    pub(super) fn refused(&mut self, status: StatusCode, why: &str) {
        self.is_settled = true;
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
        self.settle();
        let tokens = self.used.input.saturating_add(self.used.output);
        self.place.took(tokens);
        self.at_model.took(tokens);
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
