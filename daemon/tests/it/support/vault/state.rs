//! What the double knows, and what it answers: the semantics of a server, without the way there.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::{Asked, Mood, ROOT};

pub(super) struct Token {
    pub(super) accessor: String,
    pub(super) policies: Vec<String>,
    pub(super) role: String,
    pub(super) created: u64,
    pub(super) period: u64,
}

#[derive(Default)]
pub(super) struct Document {
    pub(super) versions: Vec<Version>,
    pub(super) max_versions: usize,
}

pub(super) struct Version {
    pub(super) number: u64,
    pub(super) created: String,
    pub(super) data: Value,
    pub(super) deleted: String,
    pub(super) destroyed: bool,
}

pub(super) struct State {
    pub(super) mood: Mood,
    pub(super) asked: Vec<Asked>,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) minted: usize,
    pub(super) sealed: bool,
    pub(super) mounts: BTreeMap<String, Value>,
    pub(super) documents: BTreeMap<String, Document>,
    pub(super) policies: BTreeMap<String, String>,
    pub(super) roles: BTreeMap<String, Value>,
    pub(super) has_kubernetes: bool,
    pub(super) kubernetes_roles: BTreeMap<String, Value>,
    /// What service account is let in, and for how long.
    pub(super) account: Option<(String, u64)>,
    /// Only paths that hold this are in that mood.
    pub(super) only: Option<String>,
}

/// Status and body of an answer.
pub(super) type Answer = (u16, Value);

pub(super) fn errors(status: u16, text: &str) -> Answer {
    (status, json!({"errors": [text]}))
}

pub(super) fn nothing(status: u16) -> Answer {
    (status, json!({"errors": []}))
}

pub(super) fn denied() -> Answer {
    errors(403, "1 error occurred:\n\t* permission denied\n\n")
}

pub(super) fn done() -> Answer {
    (204, Value::Null)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a server of somebody else has a clock of its own"
)]
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

/// An instant as servers write it.
pub(super) fn instant(seconds: u64) -> String {
    let millis = i64::try_from(seconds).expect("not that late") * 1000;
    orch_shared::resource::Timestamp::from_millis(millis).to_string()
}

pub(super) fn wrapped(data: Value) -> Answer {
    answered(data, Value::Null)
}

pub(super) fn answered(data: Value, auth: Value) -> Answer {
    (
        200,
        json!({"request_id": "a-request", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data,
            "wrap_info": null, "warnings": null, "auth": auth}),
    )
}

impl State {
    pub(super) fn new() -> Self {
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

    pub(super) fn answer(&mut self, asked: &Asked) -> Answer {
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
