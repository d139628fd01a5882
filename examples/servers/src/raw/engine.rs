//! What becomes of a message, whatever it came over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::options::{MODERN, Options};
use crate::outlet::Outlet;
use crate::session::{Session, lock};
use crate::stats::Stats;
use crate::tools::{self, Call};
use crate::wire::{self, Envelope, Refusal, UNKNOWN};

/// The server: its options, its sessions, and what it has seen.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) options: Options,
    pub(crate) stats: Mutex<Stats>,
    pub(crate) sessions: Mutex<BTreeMap<String, Arc<Session>>>,
    /// The tools that came while it ran.
    pub(crate) grown: AtomicUsize,
    /// Modern clients that listen for changes.
    listeners: Mutex<Vec<Listener>>,
    next_session: AtomicU64,
}

/// A modern client that listens for changes.
#[derive(Debug)]
struct Listener {
    /// The id of its request.
    id: String,
    outlet: Outlet,
    /// What it wants to hear of.
    wanted: Value,
}

impl Engine {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            stats: Mutex::default(),
            sessions: Mutex::default(),
            grown: AtomicUsize::new(0),
            listeners: Mutex::default(),
            next_session: AtomicU64::new(1),
        }
    }

    /// A new session, and its id.
    pub(crate) fn open_session(&self) -> (String, Arc<Session>) {
        let number = self.next_session.fetch_add(1, Ordering::Relaxed);
        let id = format!("raw-session-{}-{number}", std::process::id());
        let session = Arc::new(Session::default());
        lock(&self.sessions).insert(id.clone(), session.clone());
        lock(&self.stats).sessions_opened += 1;
        (id, session)
    }

    pub(crate) fn close_session(&self, id: &str) -> bool {
        let closed = lock(&self.sessions).remove(id).is_some();
        if closed {
            lock(&self.stats).sessions_closed += 1;
        }
        closed
    }

    /// What was asked so far.
    pub(crate) fn told(&self) -> Value {
        let open = lock(&self.sessions).len();
        lock(&self.stats).told(open)
    }

    /// Tells every client of a change that wants to know: sessions at once, modern clients where they listen.
    pub(crate) fn tell(&self, change: &Change) {
        let (method, members) = change.told();
        let sessions: Vec<_> = lock(&self.sessions).values().cloned().collect();
        let concerned = sessions.iter().filter(|session| match change {
            Change::List(_) => true,
            Change::Resource(uri) => session.is_subscribed(uri),
        });
        for outlet in concerned.filter_map(|session| session.standalone()) {
            outlet.send(wire::notify(&method, &format!(r#"{{{members}"x-vendor":{UNKNOWN}}}"#)));
        }
        let listeners = lock(&self.listeners);
        for listener in listeners.iter().filter(|listener| change.is_in(&listener.wanted)) {
            let meta = format!(r#"{{"io.modelcontextprotocol/subscriptionId":{}}}"#, listener.id);
            let params = format!(r#"{{{members}"_meta":{meta},"x-vendor":{UNKNOWN}}}"#);
            listener.outlet.send(wire::notify(&method, &params));
        }
    }

    /// Takes a message. Answers to a request go to the outlet, now or later; the outlet is let go when all is said.
    pub(crate) fn take(self: &Arc<Self>, session: &Arc<Session>, text: String, outlet: Outlet) {
        let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(&text) else {
            outlet.send(wire::refuse("null", &Refusal::new(-32700, "this is not JSON-RPC")));
            return;
        };
        let id = envelope.id.map(|id| id.get().to_owned());
        match (envelope.method, id) {
            (Some(method), Some(id)) => {
                *lock(&self.stats).methods.entry(method.clone()).or_default() += 1;
                let call = Call {
                    engine: self.clone(),
                    gone: session.begin(&id),
                    session: session.clone(),
                    modern: wire::revision(&envelope.params) == Some(MODERN),
                    params: envelope.params,
                    id,
                    text,
                    outlet,
                };
                tokio::spawn(run(call, method));
            }
            (Some(method), None) => {
                if method == "notifications/cancelled" {
                    session.cancel(&envelope.params["requestId"].to_string());
                }
                lock(&self.stats).notifications.push(text);
            }
            (None, Some(id)) => session.answered(&id, &text),
            (None, None) => {}
        }
    }
}

async fn run(call: Call, method: String) {
    let options = &call.engine.options;
    let is = |methods: &[String]| methods.contains(&method);
    if let Some((_, time)) = options.slow.iter().find(|(slow, _)| *slow == method) {
        tokio::time::sleep(Duration::from_millis(*time)).await;
    }
    if is(&options.crash) {
        std::process::exit(17);
    }
    if is(&options.hang) {
        std::future::pending::<()>().await;
    }
    if is(&options.garbage) {
        call.outlet.send("<html>this is not the protocol</html>".to_owned());
        return;
    }
    if is(&options.disown) {
        let refusal = Refusal::new(-32056, "refused, and it is not said what");
        call.outlet.send(wire::refuse("null", &refusal));
        return;
    }
    let answered = if let Some((_, variable)) = options.leak.iter().find(|(leaking, _)| *leaking == method) {
        let value = std::env::var(variable).unwrap_or_default();
        Err(Refusal::new(-32057, format!("upstream rejected token {value}")))
    } else if is(&options.refuse) {
        Err(Refusal::new(-32055, "refused because it was asked for"))
    } else {
        answer(&call, &method).await
    };
    call.session.end(&call.id);
    match answered {
        Ok(Some(Answer { mut before, members })) => {
            before.push(wire::answer(&call.id, &members));
            call.outlet.send_together(before);
        }
        Ok(None) => {}
        Err(refusal) => call.outlet.send(wire::refuse(&call.id, &refusal)),
    }
}

/// What can change.
#[derive(Debug)]
pub(crate) enum Change {
    /// The list of that kind: `tools`, `prompts` or `resources`.
    List(&'static str),
    /// The resource with that URI.
    Resource(String),
}

impl Change {
    /// The notification: its method, and members of its parameters with a comma behind each.
    fn told(&self) -> (String, String) {
        match self {
            Self::List(kind) => (format!("notifications/{kind}/list_changed"), String::new()),
            Self::Resource(uri) => (
                "notifications/resources/updated".to_owned(),
                format!(r#""uri":{},"#, wire::quote(uri)),
            ),
        }
    }

    /// Whether a modern client wants to hear of it.
    fn is_in(&self, wanted: &Value) -> bool {
        match self {
            Self::List(kind) => wanted[format!("{kind}ListChanged")] == true,
            Self::Resource(uri) => wanted["resourceSubscriptions"]
                .as_array()
                .is_some_and(|uris| uris.iter().any(|known| known == uri)),
        }
    }
}

/// The members of a result, and what is written with it in one piece.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) before: Vec<String>,
    pub(crate) members: String,
}

impl Answer {
    /// A result with these members, and those that no specification knows.
    pub(crate) fn new(call: &Call, members: &str) -> Self {
        let complete = if call.modern { r#""resultType":"complete","# } else { "" };
        Self {
            before: Vec::new(),
            members: format!(r#"{members},{complete}"x-vendor":{UNKNOWN},"_meta":{{"com.example/kept":{UNKNOWN}}}"#),
        }
    }

    fn listed(call: &Call, members: &str) -> Self {
        let hints = if call.modern {
            r#","ttlMs":0,"cacheScope":"public""#
        } else {
            ""
        };
        Self::new(call, &format!("{members}{hints}"))
    }
}

async fn answer(call: &Call, method: &str) -> Result<Option<Answer>, Refusal> {
    let options = &call.engine.options;
    let answer = match method {
        "initialize" => initialize(call)?,
        "server/discover" => {
            if !options.speaks_modern() {
                return Err(Refusal::no_method(method));
            }
            let revisions = Value::from(options.revisions());
            Answer::listed(call, &format!(r#""supportedVersions":{revisions},{}"#, capabilities()))
        }
        // Empty but for what every result may have: official clients refuse these with anything more.
        "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" if !call.modern => {
            let uri = call.params["uri"].as_str().unwrap_or_default();
            match method {
                "resources/subscribe" => call.session.subscribe(uri),
                "resources/unsubscribe" => call.session.unsubscribe(uri),
                _ => {}
            }
            Answer {
                before: Vec::new(),
                members: format!(r#""_meta":{{"com.example/kept":{UNKNOWN}}}"#),
            }
        }
        "tools/list" => Answer::listed(call, &tools::list(call)?),
        "tools/call" => return tools::call(call).await,
        "prompts/list" => Answer::listed(
            call,
            &format!(r#""prompts":[{{"name":"echo","description":"Tells back.","x-vendor":{UNKNOWN}}}]"#),
        ),
        "prompts/get" => {
            let text = wire::quote(&call.text);
            let content = format!(r#"{{"type":"text","text":{text},"x-vendor":{UNKNOWN}}}"#);
            Answer::new(call, &format!(r#""messages":[{{"role":"user","content":{content}}}]"#))
        }
        "resources/list" => Answer::listed(
            call,
            &format!(r#""resources":[{{"uri":"raw://echo","name":"echo","x-vendor":{UNKNOWN}}}]"#),
        ),
        "resources/templates/list" => Answer::listed(
            call,
            &format!(r#""resourceTemplates":[{{"uriTemplate":"raw://{{name}}","name":"any","x-vendor":{UNKNOWN}}}]"#),
        ),
        "resources/read" => {
            let uri = &call.params["uri"];
            let long = uri
                .as_str()
                .and_then(|uri| uri.strip_prefix("raw://lines-")?.parse().ok());
            let text = wire::quote(&long.map_or_else(|| call.text.clone(), tools::lines));
            let contents = format!(r#"{{"uri":{uri},"mimeType":"text/plain","text":{text},"x-vendor":{UNKNOWN}}}"#);
            Answer::listed(call, &format!(r#""contents":[{contents}]"#))
        }
        "completion/complete" => Answer::new(call, r#""completion":{"values":["raw"],"total":1,"hasMore":false}"#),
        "subscriptions/listen" if call.modern => {
            listen(call).await;
            return Ok(None);
        }
        // Methods of our own, as an extension would have them.
        method if method.starts_with("vendor/") => Answer::new(call, &format!(r#""echo":{}"#, wire::quote(&call.text))),
        method => return Err(Refusal::no_method(method)),
    };
    Ok(Some(answer))
}

fn initialize(call: &Call) -> Result<Answer, Refusal> {
    let revisions = call.engine.options.legacy_revisions();
    let wanted = call.params["protocolVersion"].as_str().unwrap_or_default();
    let Some(newest) = revisions.first() else {
        return Err(Refusal::no_method("initialize"));
    };
    let agreed = if revisions.contains(&wanted) { wanted } else { newest };
    call.session.agree(agreed);
    lock(&call.engine.stats).clients.push(call.params["clientInfo"].clone());
    Ok(Answer::new(
        call,
        &format!(r#""protocolVersion":"{agreed}",{}"#, capabilities()),
    ))
}

fn capabilities() -> String {
    let known = r#""tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"logging":{},"completions":{}"#;
    let unknown = format!(
        r#""experimental":{{"raw":{UNKNOWN}}},"extensions":{{"com.example/raw":{UNKNOWN}}},"x-vendor":{UNKNOWN}"#
    );
    let info = format!(
        r#""serverInfo":{{"name":"orch-raw","version":"{}"}}"#,
        env!("CARGO_PKG_VERSION")
    );
    format!(r#""capabilities":{{{known},{unknown}}},{info},"instructions":"Ask, and be told back.""#)
}

/// Tells a modern client of changes until it goes.
async fn listen(call: &Call) {
    let wanted = call.params["notifications"].clone();
    call.outlet.send(wire::notify(
        "notifications/subscriptions/acknowledged",
        &format!(
            r#"{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{}}},"notifications":{wanted}}}"#,
            call.id
        ),
    ));
    lock(&call.engine.listeners).push(Listener {
        id: call.id.clone(),
        outlet: call.outlet.clone(),
        wanted,
    });
    tokio::select! {
        () = call.outlet.closed() => {}
        () = call.gone.cancelled() => {}
    }
    lock(&call.engine.listeners).retain(|listener| listener.id != call.id || !listener.outlet.is(&call.outlet));
}
