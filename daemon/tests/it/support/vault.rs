//! A server that answers as a real Vault did: KV v2, tokens by roles, policies, mounts, Kubernetes logins, sealing. A test
//! holds it to the exchanges that were recorded with one.
//!
//! It can also be made to misbehave: to hang, to be slow, to answer half or nonsense, or to hang up.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

/// The token of somebody who may do everything.
pub(crate) const ROOT: &str = "s.root-of-everything";

/// What a request was.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) has_request_header: bool,
    pub(crate) body: Value,
}

/// How it behaves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mood {
    /// As a real one.
    Well,
    /// Takes the request and says nothing.
    Hung,
    /// Answers after so long.
    Slow(Duration),
    /// Answers half, and hangs up.
    Half,
    /// Answers with this, whatever is asked.
    Says(u16, String),
    /// Hangs up at once.
    Gone,
}

struct Token {
    accessor: String,
    policies: Vec<String>,
    role: String,
    created: u64,
    period: u64,
}

#[derive(Default)]
struct Document {
    versions: Vec<Version>,
    max_versions: usize,
}

struct Version {
    number: u64,
    created: String,
    data: Value,
    deleted: String,
    destroyed: bool,
}

struct State {
    mood: Mood,
    asked: Vec<Asked>,
    tokens: BTreeMap<String, Token>,
    minted: usize,
    sealed: bool,
    mounts: BTreeMap<String, Value>,
    documents: BTreeMap<String, Document>,
    policies: BTreeMap<String, String>,
    roles: BTreeMap<String, Value>,
    has_kubernetes: bool,
    kubernetes_roles: BTreeMap<String, Value>,
    /// What service account is let in, and for how long.
    account: Option<(String, u64)>,
    /// Only paths that hold this are in that mood.
    only: Option<String>,
}

/// A running one. It ends with its test.
#[derive(Clone)]
pub(crate) struct Vault {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

/// Status and body of an answer.
type Answer = (u16, Value);

fn errors(status: u16, text: &str) -> Answer {
    (status, json!({"errors": [text]}))
}

fn nothing(status: u16) -> Answer {
    (status, json!({"errors": []}))
}

fn denied() -> Answer {
    errors(403, "1 error occurred:\n\t* permission denied\n\n")
}

fn done() -> Answer {
    (204, Value::Null)
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

/// An instant as servers write it.
fn instant(seconds: u64) -> String {
    let millis = i64::try_from(seconds).expect("not that late") * 1000;
    orch_shared::resource::Timestamp::from_millis(millis).to_string()
}

fn wrapped(data: Value) -> Answer {
    answered(data, Value::Null)
}

fn answered(data: Value, auth: Value) -> Answer {
    (
        200,
        json!({"request_id": "a-request", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data,
            "wrap_info": null, "warnings": null, "auth": auth}),
    )
}

impl State {
    fn new() -> Self {
        let mount = |kind: &str, description: &str, options: Value, local: bool| {
            json!({"accessor": "an-accessor", "config": {"default_lease_ttl": 0, "force_no_cache": false, "max_lease_ttl": 0},
                "description": description, "external_entropy_access": false, "local": local, "options": options,
                "seal_wrap": false, "type": kind, "uuid": "a-uuid"})
        };
        let mut system = mount(
            "system",
            "system endpoints used for control, policy and debugging",
            Value::Null,
            false,
        );
        system["config"]["passthrough_request_headers"] = json!(["Accept"]);
        let mounts = [
            (
                "cubbyhole/",
                mount("cubbyhole", "per-token private secret storage", Value::Null, true),
            ),
            (
                "secret/",
                mount("kv", "key/value secret storage", json!({"version": "2"}), false),
            ),
            ("sys/", system),
            ("identity/", mount("identity", "identity store", Value::Null, false)),
        ];
        Self {
            mood: Mood::Well,
            asked: Vec::new(),
            tokens: BTreeMap::new(),
            minted: 0,
            sealed: false,
            mounts: mounts
                .into_iter()
                .map(|(path, mount)| (path.to_owned(), mount))
                .collect(),
            documents: BTreeMap::new(),
            policies: BTreeMap::new(),
            roles: BTreeMap::new(),
            has_kubernetes: false,
            kubernetes_roles: BTreeMap::new(),
            account: None,
            only: None,
        }
    }

    /// Whether a token may do that at that path, by its policies.
    fn may(&self, token: &str, capabilities: &[&str], path: &str) -> bool {
        if token == ROOT {
            return true;
        }
        let Some(token) = self.tokens.get(token) else {
            return false;
        };
        let texts = token.policies.iter().filter_map(|policy| self.policies.get(policy));
        texts.flat_map(|text| text.split("path ").skip(1)).any(|rule| {
            let Some((pattern, rest)) = rule.trim_start_matches('"').split_once('"') else {
                return false;
            };
            let fits = match pattern.strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => path == pattern,
            };
            fits && capabilities
                .iter()
                .any(|capability| rest.contains(&format!("\"{capability}\"")))
        })
    }

    fn mint(&mut self, role: &str) -> Answer {
        let Some(known) = self.roles.get(role) else {
            return errors(400, "unknown role");
        };
        self.minted += 1;
        let number = self.minted;
        let period = known["token_period"].as_u64().unwrap_or_default();
        let mut policies = vec!["default".to_owned()];
        let allowed = known["allowed_policies"].as_array().into_iter().flatten();
        policies.extend(allowed.filter_map(Value::as_str).map(str::to_owned));
        let text = format!("s.minted-token-{number}");
        self.tokens.insert(
            text.clone(),
            Token {
                accessor: format!("accessor-{number}"),
                policies,
                role: role.to_owned(),
                created: now(),
                period,
            },
        );
        let auth = self.auth(&text);
        answered(Value::Null, auth)
    }

    fn auth(&self, token: &str) -> Value {
        let known = &self.tokens[token];
        json!({"client_token": token, "accessor": known.accessor, "policies": known.policies,
            "token_policies": known.policies, "metadata": null, "lease_duration": known.period, "renewable": true,
            "entity_id": "", "token_type": "service", "orphan": true})
    }

    fn answer(&mut self, asked: &Asked) -> Answer {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let path = path.trim_start_matches("/v1/");
        let method = asked.method.as_str();
        if path == "sys/health" {
            return self.health();
        }
        if self.sealed {
            return errors(503, "error performing token check: Vault is sealed");
        }
        if path == "auth/kubernetes/login" && self.has_kubernetes {
            return self.log_in(&asked.body);
        }
        let Some(token) = asked.token.as_deref() else {
            return errors(400, "missing client token");
        };
        if token != ROOT && !self.tokens.contains_key(token) {
            return errors(403, "permission denied");
        }
        let capabilities: &[&str] = match method {
            "GET" => &["read"],
            "LIST" => &["list"],
            "DELETE" => &["delete"],
            _ => &["update", "create"],
        };
        let is_own = path == "auth/token/lookup-self" || path == "auth/token/renew-self";
        if !is_own && !self.may(token, capabilities, path) {
            return denied();
        }
        let parts: Vec<&str> = path.split('/').collect();
        match (method, &parts[..]) {
            ("GET", ["sys", "mounts"]) => {
                let mounts = json!(self.mounts);
                let (status, mut body) = wrapped(mounts.clone());
                body.as_object_mut()
                    .expect("an object")
                    .extend(mounts.as_object().cloned().unwrap_or_default());
                (status, body)
            }
            ("POST", ["sys", "mounts", name]) => self.mount(name, &asked.body),
            ("GET", ["sys", "internal", "ui", "mounts", name]) => {
                let mut mount = self.mounts[&format!("{name}/")].clone();
                mount["path"] = json!(format!("{name}/"));
                wrapped(mount)
            }
            ("PUT" | "POST", ["sys", "policies", "acl", name]) => {
                let text = asked.body["policy"].as_str().unwrap_or_default();
                if text.contains("[nope") {
                    return errors(
                        400,
                        "failed to parse policy: At 1:28: unexpected token while parsing list: IDENT",
                    );
                }
                self.policies.insert((*name).to_owned(), text.to_owned());
                done()
            }
            ("GET", ["sys", "policies", "acl", name]) => wrapped(json!({"name": name, "policy": self.policies[*name]})),
            ("PUT", ["sys", "seal"]) => {
                self.sealed = true;
                done()
            }
            ("POST", ["sys", "auth", "kubernetes"]) => {
                self.has_kubernetes = true;
                done()
            }
            ("POST", ["auth", "kubernetes", "config"]) => {
                errors(400, "one of pem_keys or kubernetes_ca_cert must be set")
            }
            ("POST", ["auth", "kubernetes", "role", name]) => {
                self.kubernetes_roles.insert((*name).to_owned(), asked.body.clone());
                done()
            }
            ("POST" | "GET", ["auth", "token", "roles", name]) => self.role(method, name, &asked.body),
            ("POST", ["auth", "token", "create", role]) => self.mint(role),
            ("GET", ["auth", "token", "lookup-self"]) => self.look_up(token),
            ("POST", ["auth", "token", "renew-self"]) => answered(Value::Null, self.auth(token)),
            ("POST", ["auth", "token", "revoke-accessor"]) => {
                let accessor = asked.body["accessor"].as_str().unwrap_or_default();
                let found = self.tokens.iter().find(|(_, token)| token.accessor == accessor);
                match found.map(|(text, _)| text.clone()) {
                    Some(text) => {
                        self.tokens.remove(&text);
                        done()
                    }
                    None => errors(400, "1 error occurred:\n\t* invalid accessor\n\n"),
                }
            }
            (_, [mount, part, rest @ ..]) if self.mounts.contains_key(&format!("{mount}/")) && !rest.is_empty() => {
                self.kv(method, part, &format!("{mount}/{}", rest.join("/")), query, &asked.body)
            }
            _ => errors(404, &format!("no handler for route '{path}'")),
        }
    }

    fn health(&self) -> Answer {
        let mut health = json!({"initialized": true, "sealed": self.sealed, "standby": self.sealed,
            "performance_standby": false, "replication_performance_mode": "disabled",
            "replication_dr_mode": "disabled", "server_time_utc": now(), "version": "1.8.0-dev"});
        if self.sealed {
            health["replication_performance_mode"] = json!("unknown");
            health["replication_dr_mode"] = json!("unknown");
            return (503, health);
        }
        health["cluster_name"] = json!("a-cluster");
        health["cluster_id"] = json!("its-id");
        (200, health)
    }

    fn mount(&mut self, name: &str, body: &Value) -> Answer {
        let path = format!("{name}/");
        if self.mounts.contains_key(&path) {
            return errors(400, &format!("path is already in use at {path}"));
        }
        let mount = json!({"accessor": "an-accessor",
            "config": {"default_lease_ttl": 0, "force_no_cache": false, "max_lease_ttl": 0}, "description": "",
            "external_entropy_access": false, "local": false, "options": body["options"], "seal_wrap": false,
            "type": body["type"], "uuid": "a-uuid"});
        self.mounts.insert(path, mount);
        done()
    }

    fn role(&mut self, method: &str, name: &str, body: &Value) -> Answer {
        if method == "GET" {
            return wrapped(self.roles[name].clone());
        }
        let period = body["token_period"].as_str().unwrap_or_default().trim_end_matches('h');
        let hours: u64 = period.parse().unwrap_or_default();
        let role = json!({"allowed_entity_aliases": null, "allowed_policies": body["allowed_policies"],
            "disallowed_policies": [], "explicit_max_ttl": 0, "name": name, "orphan": body["orphan"],
            "path_suffix": "", "period": 0, "renewable": body["renewable"], "token_explicit_max_ttl": 0,
            "token_period": hours * 3600, "token_type": "default-service"});
        self.roles.insert(name.to_owned(), role);
        done()
    }

    fn log_in(&mut self, body: &Value) -> Answer {
        let role = body["role"].as_str().unwrap_or_default();
        let Some(jwt) = body["jwt"].as_str() else {
            return errors(400, "missing jwt");
        };
        let Some(known) = self.kubernetes_roles.get(role) else {
            return errors(400, &format!("invalid role name \"{role}\""));
        };
        let Some((_, lease)) = self.account.clone().filter(|(account, _)| account == jwt) else {
            return errors(500, "could not load backend configuration");
        };
        let policies = known["token_policies"].as_array().cloned().unwrap_or_default();
        let policies = policies.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        self.minted += 1;
        let text = format!("s.logged-in-{}", self.minted);
        let token = Token {
            accessor: format!("accessor-{}", self.minted),
            policies,
            role: role.to_owned(),
            created: now(),
            period: lease,
        };
        self.tokens.insert(text.clone(), token);
        let auth = self.auth(&text);
        answered(Value::Null, auth)
    }

    fn look_up(&self, token: &str) -> Answer {
        let Some(known) = self.tokens.get(token) else {
            return wrapped(
                json!({"accessor": "root-accessor", "creation_time": 1, "ttl": 0, "expire_time": null, "id": token}),
            );
        };
        let end = known.created + known.period;
        wrapped(
            json!({"accessor": known.accessor, "creation_time": known.created, "creation_ttl": known.period,
            "display_name": "token", "entity_id": "", "expire_time": instant(end), "explicit_max_ttl": 0, "id": token,
            "issue_time": instant(known.created), "meta": null, "num_uses": 0, "orphan": true,
            "path": format!("auth/token/create/{}", known.role), "policies": known.policies, "renewable": true,
            "role": known.role, "ttl": end.saturating_sub(now()), "type": "service"}),
        )
    }

    fn kv(&mut self, method: &str, part: &str, path: &str, query: &str, body: &Value) -> Answer {
        match (method, part) {
            ("GET", "data") => self.read(path, query),
            ("POST" | "PUT", "data") => self.write(path, body),
            ("PATCH", "data") => nothing(405),
            ("DELETE", "data") => {
                if let Some(version) = self
                    .documents
                    .get_mut(path)
                    .and_then(|document| document.versions.last_mut())
                {
                    version.deleted = instant(now());
                }
                done()
            }
            ("POST", "undelete" | "destroy") => {
                let wanted: Vec<u64> = body["versions"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_u64)
                    .collect();
                let versions = self
                    .documents
                    .get_mut(path)
                    .into_iter()
                    .flat_map(|document| &mut document.versions);
                for version in versions.filter(|version| wanted.contains(&version.number)) {
                    match part {
                        "destroy" => version.destroyed = true,
                        _ => version.deleted = String::new(),
                    }
                }
                done()
            }
            ("LIST", "metadata") => {
                let start = format!("{path}/");
                let keys: Vec<&str> = self
                    .documents
                    .keys()
                    .filter_map(|key| key.strip_prefix(&start))
                    .collect();
                if keys.is_empty() {
                    nothing(404)
                } else {
                    wrapped(json!({"keys": keys}))
                }
            }
            ("GET", "metadata") => self.metadata(path),
            ("DELETE", "metadata") => {
                self.documents.remove(path);
                done()
            }
            _ => nothing(405),
        }
    }

    fn read(&self, path: &str, query: &str) -> Answer {
        let Some(document) = self.documents.get(path) else {
            return nothing(404);
        };
        let wanted = query
            .strip_prefix("version=")
            .and_then(|number| number.parse::<u64>().ok());
        let found = match wanted {
            Some(number) => document.versions.iter().find(|version| version.number == number),
            None => document.versions.last(),
        };
        let Some(version) = found else { return nothing(404) };
        let is_there = version.deleted.is_empty() && !version.destroyed;
        let (_, body) = wrapped(json!({
            "data": if is_there { version.data.clone() } else { Value::Null },
            "metadata": {"created_time": version.created, "deletion_time": version.deleted,
                "destroyed": version.destroyed, "version": version.number},
        }));
        (if is_there { 200 } else { 404 }, body)
    }

    fn write(&mut self, path: &str, body: &Value) -> Answer {
        if body.get("data").is_none_or(Value::is_null) {
            return errors(400, "no data provided");
        }
        let known = self.documents.get(path).and_then(|document| document.versions.last());
        let newest = known.map_or(0, |version| version.number);
        if let Some(expected) = body["options"]["cas"].as_u64()
            && expected != newest
        {
            return errors(400, "check-and-set parameter did not match the current version");
        }
        let created = instant(now());
        let document = self.documents.entry(path.to_owned()).or_default();
        document.versions.push(Version {
            number: newest + 1,
            created: created.clone(),
            data: body["data"].clone(),
            deleted: String::new(),
            destroyed: false,
        });
        let most = if document.max_versions == 0 {
            10
        } else {
            document.max_versions
        };
        let surplus = document.versions.len().saturating_sub(most);
        document.versions.drain(..surplus);
        wrapped(json!({"created_time": created, "deletion_time": "", "destroyed": false, "version": newest + 1}))
    }

    fn metadata(&self, path: &str) -> Answer {
        let Some(document) = self.documents.get(path) else {
            return nothing(404);
        };
        let versions: Map<String, Value> = document
            .versions
            .iter()
            .map(|version| {
                let told = json!({"created_time": version.created, "deletion_time": version.deleted, "destroyed": version.destroyed});
                (version.number.to_string(), told)
            })
            .collect();
        let newest = document.versions.last().map_or(0, |version| version.number);
        wrapped(
            json!({"cas_required": false, "created_time": instant(now()), "current_version": newest,
            "delete_version_after": "0s", "max_versions": document.max_versions, "oldest_version": 0,
            "updated_time": instant(now()), "versions": versions}),
        )
    }
}

impl Vault {
    /// Starts one: unsealed, with nothing in it.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let vault = Self {
            address,
            state: Arc::new((Mutex::new(State::new()), Condvar::new())),
        };
        let serving = vault.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let vault = serving.clone();
                std::thread::spawn(move || vault.serve(connection));
            }
        });
        vault
    }

    /// One with a KV v2 engine, a policy, a token role, and a token by that role, as somebody would set it up by hand.
    pub(crate) fn set_up(mount: &str, prefix: &str) -> (Self, String) {
        let vault = Self::start();
        let policy = format!(
            "path \"{mount}/data/{prefix}/*\" {{ capabilities = [\"create\", \"read\", \"update\", \"delete\"] }}\n\
             path \"{mount}/metadata/{prefix}/*\" {{ capabilities = [\"read\", \"list\", \"delete\"] }}\n\
             path \"auth/token/create/orchd\" {{ capabilities = [\"update\"] }}\n\
             path \"auth/token/revoke-accessor\" {{ capabilities = [\"update\"] }}\n"
        );
        let ask = |method: &str, path: String, body: Value| {
            let (status, body) = vault.ask(method, &path, Some(ROOT), body);
            assert!(status < 300, "{path}: {status} {body}");
            body
        };
        if mount != "secret" {
            ask(
                "POST",
                format!("/v1/sys/mounts/{mount}"),
                json!({"type": "kv", "options": {"version": "2"}}),
            );
        }
        ask(
            "PUT",
            "/v1/sys/policies/acl/orchd".to_owned(),
            json!({"policy": policy}),
        );
        let role = json!({"allowed_policies": ["orchd"], "orphan": true, "renewable": true, "token_period": "720h"});
        ask("POST", "/v1/auth/token/roles/orchd".to_owned(), role);
        let minted = ask("POST", "/v1/auth/token/create/orchd".to_owned(), json!({}));
        let token = minted["auth"]["client_token"].as_str().expect("a token").to_owned();
        vault.forget();
        (vault, token)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it would answer, without the way there.
    pub(crate) fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Value) -> Answer {
        let asked = Asked {
            method: method.to_owned(),
            path: path.to_owned(),
            token: token.map(str::to_owned),
            namespace: None,
            has_request_header: true,
            body,
        };
        self.state().answer(&asked)
    }

    /// Behaves like that from now on.
    pub(crate) fn be(&self, mood: Mood) {
        self.be_at(mood, None);
    }

    /// Behaves like that when it is asked for a path that holds a text.
    pub(crate) fn be_at(&self, mood: Mood, only: Option<&str>) {
        let mut state = self.state();
        state.mood = mood;
        state.only = only.map(str::to_owned);
        self.state.1.notify_all();
    }

    /// Is sealed, or opened.
    pub(crate) fn seal(&self, sealed: bool) {
        self.state().sealed = sealed;
    }

    /// Lets a service account in, with tokens of that policy that live so many seconds.
    pub(crate) fn let_in(&self, jwt: &str, role: &str, policy: &str, lease: u64) {
        let mut state = self.state();
        state.has_kubernetes = true;
        state
            .kubernetes_roles
            .insert(role.to_owned(), json!({"token_policies": [policy]}));
        state.account = Some((jwt.to_owned(), lease));
    }

    /// Ends a token.
    pub(crate) fn revoke(&self, token: &str) {
        self.state().tokens.remove(token);
    }

    /// Makes a token that many seconds older than it is.
    pub(crate) fn age(&self, token: &str, seconds: u64) {
        self.state().tokens.get_mut(token).expect("a token").created -= seconds;
    }

    /// The tokens that it would accept, but for the first.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.state().tokens.keys().cloned().collect()
    }

    /// The newest version of a document: its number and data.
    pub(crate) fn document(&self, path: &str) -> Option<(u64, Value)> {
        let state = self.state();
        let version = state.documents.get(path)?.versions.last()?;
        Some((version.number, version.data.clone()))
    }

    /// Keeps only so many versions of a document.
    pub(crate) fn keep(&self, path: &str, most: usize) {
        self.state().documents.entry(path.to_owned()).or_default().max_versions = most;
    }

    /// What it was asked.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Forgets what it was asked.
    pub(crate) fn forget(&self) {
        self.state().asked.clear();
    }

    fn serve(&self, connection: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(connection.try_clone().ok()?);
        let mut connection = connection;
        loop {
            let asked = read(&mut reader)?;
            let mut state = self.state();
            let is_meant = state.only.as_ref().is_none_or(|only| asked.path.contains(only));
            state.asked.push(asked.clone());
            let mood = if is_meant { state.mood.clone() } else { Mood::Well };
            let (status, body) = match &mood {
                Mood::Gone => return None,
                Mood::Hung => {
                    while state.mood == Mood::Hung {
                        state = self.state.1.wait(state).unwrap_or_else(PoisonError::into_inner);
                    }
                    return None;
                }
                Mood::Slow(pause) => {
                    drop(state);
                    std::thread::sleep(*pause);
                    let (status, body) = self.state().answer(&asked);
                    (status, text(&body))
                }
                Mood::Says(status, text) => (*status, text.clone()),
                Mood::Well | Mood::Half => {
                    let (status, body) = state.answer(&asked);
                    drop(state);
                    (status, text(&body))
                }
            };
            let location = if status == 307 {
                "Location: http://127.0.0.1:9/v1/elsewhere\r\n"
            } else {
                ""
            };
            let head = format!(
                "HTTP/1.1 {status} As-Said\r\nContent-Type: application/json\r\n{location}Content-Length: {}\r\n\r\n",
                body.len()
            );
            connection.write_all(head.as_bytes()).ok()?;
            if mood == Mood::Half {
                connection.write_all(&body.as_bytes()[..body.len() / 2]).ok()?;
                return None;
            }
            connection.write_all(body.as_bytes()).ok()?;
        }
    }
}

fn text(body: &Value) -> String {
    if body.is_null() {
        String::new()
    } else {
        body.to_string()
    }
}

/// Reads one request; nothing when there is none any more.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut words = lines.first()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let header = |wanted: &str| {
        let headers = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
        let mut found = headers.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value.trim().to_owned())
    };
    let length: usize = header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        path,
        token: header("x-vault-token"),
        namespace: header("x-vault-namespace"),
        has_request_header: header("x-vault-request").as_deref() == Some("true"),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    })
}
