//! What the daemon tells of itself: a log for people and machines, and metrics for Prometheus.
//!
//! A log line reads alone and carries fields; one span per request and per reconcile. Neither ever holds a secret.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use orch_shared::audit::Standing;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tracing_subscriber::EnvFilter;

use crate::batch;
use crate::store::Counters;

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Reads a `tracing` directive such as `info` or `orch_daemon=debug`.
///
/// The MCP library repeats, in what it logs, whatever a server says, secrets included. It is heard only when it is named.
///
/// # Errors
/// What is wrong with the directive.
pub fn filter(directive: &str) -> Result<EnvFilter, BadFilter> {
    let directive = if directive.contains("rmcp") {
        directive.to_owned()
    } else {
        format!("{directive},rmcp=off")
    };
    EnvFilter::try_new(&directive).map_err(|error| BadFilter(error.to_string()))
}

/// What to log cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("--log: {0}\nhint: such as info, or info,orch_daemon=debug")]
pub struct BadFilter(String);

/// Begins logging to standard error.
pub fn log_to_stderr(format: LogFormat, filter: EnvFilter) {
    let ansi = rustix::termios::isatty(std::io::stderr()) && std::env::var_os("NO_COLOR").is_none();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    // A second call, as in tests that start several daemons, keeps the first log.
    let _already = match format {
        LogFormat::Text => builder.with_ansi(ansi).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InPhase {
    phase: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

/// Methods that are counted by name. Callers may make up others, without end.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Everything that is counted. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histogram,
    reconcile_seconds: Family<OfKind, Histogram>,
    reconcile_queue: Gauge,
    reconcile_working: Gauge,
    instances: Family<InPhase, Gauge>,
    store_seconds: Family<Operation, Histogram>,
    store_commits: Gauge,
    store_writes: Gauge,
    audit_waiting: Gauge,
    audit_dropped: Gauge,
    usage_waiting: Gauge,
    usage_dropped: Gauge,
}

fn durations() -> Histogram {
    Histogram::new([
        0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
    ])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("orchd");
        let requests = Family::default();
        registry.register("requests", "Requests answered", requests.clone());
        let request_seconds = durations();
        registry.register_with_unit(
            "request_duration",
            "Time until an answer begins",
            Unit::Seconds,
            request_seconds.clone(),
        );
        let reconcile_seconds = Family::new_with_constructor(durations as fn() -> Histogram);
        registry.register_with_unit(
            "reconcile_duration",
            "Time to reconcile one object, by kind",
            Unit::Seconds,
            reconcile_seconds.clone(),
        );
        let (reconcile_queue, reconcile_working) = (Gauge::default(), Gauge::default());
        registry.register(
            "reconcile_queue",
            "Objects that wait to be reconciled",
            reconcile_queue.clone(),
        );
        registry.register(
            "reconcile_working",
            "Objects that are being worked on",
            reconcile_working.clone(),
        );
        let instances = Family::default();
        registry.register("instances", "Instances by phase", instances.clone());
        let store_seconds = Family::new_with_constructor(durations as fn() -> Histogram);
        registry.register_with_unit(
            "store_duration",
            "Time of operations on the database",
            Unit::Seconds,
            store_seconds.clone(),
        );
        let (store_commits, store_writes) = (Gauge::default(), Gauge::default());
        registry.register(
            "store_commits",
            "Transactions committed since the start",
            store_commits.clone(),
        );
        registry.register("store_writes", "Writes in those transactions", store_writes.clone());
        let (audit_waiting, audit_dropped) = (Gauge::default(), Gauge::default());
        registry.register(
            "audit_waiting",
            "Audit rows that wait to be written",
            audit_waiting.clone(),
        );
        registry.register(
            "audit_dropped",
            "Audit rows lost since the start, because too many waited",
            audit_dropped.clone(),
        );
        let (usage_waiting, usage_dropped) = (Gauge::default(), Gauge::default());
        registry.register(
            "usage_waiting",
            "Calls of models that wait to be written down",
            usage_waiting.clone(),
        );
        registry.register(
            "usage_dropped",
            "Calls of models not written down since the start, because too many waited",
            usage_dropped.clone(),
        );
        Self(Arc::new(Inner {
            registry,
            requests,
            request_seconds,
            reconcile_seconds,
            reconcile_queue,
            reconcile_working,
            instances,
            store_seconds,
            store_commits,
            store_writes,
            audit_waiting,
            audit_dropped,
            usage_waiting,
            usage_dropped,
        }))
    }
}

impl Metrics {
    /// Counts an answered request.
    pub fn request(&self, method: &Method, route: &'static str, status: u16, took: Duration) {
        let labels = RequestLabels {
            method: METHODS.into_iter().find(|known| method == known).unwrap_or("other"),
            route,
            status,
        };
        self.0.requests.get_or_create(&labels).inc();
        self.0.request_seconds.observe(took.as_secs_f64());
    }

    /// Counts a reconcile.
    pub fn reconcile(&self, kind: &str, took: Duration) {
        self.0
            .reconcile_seconds
            .get_or_create(&OfKind { kind: kind.to_owned() })
            .observe(took.as_secs_f64());
    }

    /// Notes how busy the reconciler is.
    pub fn queue(&self, queued: usize, working: usize) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.0.reconcile_queue.set(number(queued));
        self.0.reconcile_working.set(number(working));
    }

    /// Counts an operation on the database.
    pub fn store_operation(&self, operation: &'static str, took: Duration) {
        self.0
            .store_seconds
            .get_or_create(&Operation { operation })
            .observe(took.as_secs_f64());
    }

    /// Notes how much was written.
    pub fn store(&self, counters: &Counters) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.0.store_commits.set(number(counters.commits));
        self.0.store_writes.set(number(counters.writes));
    }

    /// Notes how the audit log keeps up.
    pub fn audit(&self, standing: &Standing) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.0.audit_waiting.set(number(standing.waiting));
        self.0.audit_dropped.set(number(standing.dropped));
    }

    /// Notes how the accounting of calls of models keeps up.
    pub fn usage(&self, standing: &batch::Standing) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.0.usage_waiting.set(number(standing.waiting));
        self.0.usage_dropped.set(number(standing.dropped));
    }

    /// Notes how many instances there are in each phase.
    pub fn instances(&self, phases: &BTreeMap<String, i64>) {
        self.0.instances.clear();
        for (phase, count) in phases {
            self.0
                .instances
                .get_or_create(&InPhase { phase: phase.clone() })
                .set(*count);
        }
    }

    /// The text a scraper reads (OpenMetrics 1.0).
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _infallible = prometheus_client::encoding::text::encode(&mut text, &self.0.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mcp_library_is_heard_only_when_named() {
        for (directive, heard) in [
            ("info", false),
            ("trace", false),
            ("orch_daemon=debug", false),
            ("rmcp=debug", true),
        ] {
            let filter = filter(directive).unwrap().to_string();
            assert_eq!(!filter.contains("rmcp=off"), heard, "{directive}: {filter}");
        }
        assert!(filter("[[").unwrap_err().to_string().contains("hint"));
    }
}
