//! A server that answers as a real Vault did: KV v2, tokens by roles, policies, mounts, Kubernetes logins, sealing. A test
//! holds it to the exchanges that were recorded with one.
//!
//! It can also be made to misbehave: to hang, to be slow, to answer half or nonsense, or to hang up.

mod state;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use state::{Answer, State};

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

/// A running one. It ends with its test.
#[derive(Clone)]
pub(crate) struct Vault {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
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
