//! A conversation with the gateway by a person at a terminal: lists and calls of tools, by the revision without sessions.
//!
//! Enters: a method and its parameters, and a [`Host`] that is told how it goes and answers what a server asks on the way.
//! Leaves: the result as it came, or the error as a [`Failure`]. Questions come as results that ask for more input; the
//! call is then repeated with the answers, a bounded number of times.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use orch_shared::jsonrpc::{Id, Members, Message, Notification, Outcome, Raw, Request, Response, raw};
use orch_shared::problem::{Code, Problem};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::message::{HEADER_MISMATCH, META_CAPABILITIES, META_CLIENT, META_VERSION, MODERN, Marked, headers};
use crate::client::mcp::{Endpoint, Interrupt, Line, Trouble};
use crate::report::Failure;

/// The code with which the gateway refuses what no tool was asked for.
const INVALID_REQUEST: i64 = -32600;
/// How often a call may ask for more input.
const ROUNDS: usize = 20;
/// How many pages a list may have.
const PAGES: usize = 1000;

/// A tool as its server describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tool {
    /// Its name.
    pub(crate) name: String,
    /// Its name for people.
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// What it does.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// What it takes.
    #[serde(default)]
    pub(crate) input_schema: Value,
    /// What it gives.
    #[serde(default)]
    pub(crate) output_schema: Option<Value>,
    /// What its server says about its effects.
    #[serde(default)]
    pub(crate) annotations: Value,
}

/// All tools, and what was said beside them.
#[derive(Debug, Default)]
pub(crate) struct Tools {
    /// The tools as they came.
    pub(crate) raw: Vec<Raw>,
    /// What says which servers are missing.
    pub(crate) missing: Option<Value>,
}

impl Tools {
    /// The tools, read.
    pub(crate) fn read(&self) -> Vec<Tool> {
        self.raw
            .iter()
            .filter_map(|tool| serde_json::from_str(tool.get()).ok())
            .collect()
    }
}

/// Whoever is told how a call goes, and is asked on the way.
pub(crate) trait Host {
    /// How far it has come.
    fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>);
    /// What the server says in passing.
    fn log(&self, level: &str, text: &str);
    /// Asks for input: the `result` of an `elicitation/create`.
    fn elicit(&self, params: &Value) -> Value;
    /// Is told how the call can be ended from another thread.
    fn started(&self, interrupt: Interrupt);
}

/// A conversation.
pub(crate) struct Dialogue {
    endpoint: Endpoint,
    next: Cell<u64>,
    marked: RefCell<Marked>,
}

impl Dialogue {
    /// A conversation at that address.
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            next: Cell::new(1),
            marked: RefCell::default(),
        }
    }

    /// All tools, page by page.
    pub(crate) fn tools(&self, host: &dyn Host) -> Result<Tools, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            tools: Vec<Raw>,
            #[serde(default)]
            next_cursor: Option<String>,
            #[serde(rename = "_meta", default)]
            meta: Value,
        }
        let mut tools = Tools::default();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let params = cursor
                .as_ref()
                .map_or_else(|| json!({}), |cursor| json!({"cursor": cursor}));
            let result = self.ask("tools/list", &params, host)?;
            self.marked.borrow_mut().learn(&result);
            let page: Page = serde_json::from_str(result.get()).map_err(|error| odd(&error.to_string()))?;
            tools.raw.extend(page.tools);
            if let Some(missing) = page.meta.get("orchctl.dev/missing") {
                tools.missing = Some(missing.clone());
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(tools);
            }
        }
        Err(odd("its list of tools has no end"))
    }

    /// Calls a tool. Whatever it asks is put to the host.
    pub(crate) fn call(&self, name: &str, arguments: &Value, host: &dyn Host) -> Result<Raw, Failure> {
        let mut params = json!({"name": name, "arguments": arguments});
        let mut has_learned = false;
        for _ in 0..ROUNDS {
            let result = match self.ask("tools/call", &params, host) {
                Err(Failure::Problem(problem)) if is_mismatch(&problem) && !has_learned => {
                    // Which arguments go into headers stands in the list.
                    has_learned = true;
                    self.tools(host)?;
                    continue;
                }
                result => result?,
            };
            let members = Members::of(&result).unwrap_or_default();
            if members.text("resultType").as_deref() != Some("input_required") {
                return Ok(result);
            }
            let mut responses = Map::new();
            for (key, question) in members.members("inputRequests").unwrap_or_default().iter() {
                let question: Value = serde_json::from_str(question.get()).unwrap_or_default();
                responses.insert(key.to_owned(), answer(&question, host)?);
            }
            params["inputResponses"] = responses.into();
            match members.get("requestState") {
                Some(state) => params["requestState"] = serde_json::from_str(state.get()).unwrap_or_default(),
                None => {
                    params.as_object_mut().map(|params| params.remove("requestState"));
                }
            }
        }
        Err(odd("it asks for input again and again"))
    }

    /// Asks, and hears everything until the answer.
    fn ask(&self, method: &str, params: &Value, host: &dyn Host) -> Result<Raw, Failure> {
        let number = self.next.replace(self.next.get() + 1);
        let mut params = params.clone();
        params["_meta"] = json!({
            META_VERSION: MODERN,
            META_CLIENT: {"name": "orchctl", "version": env!("CARGO_PKG_VERSION")},
            META_CAPABILITIES: {"elicitation": {"form": {}, "url": {}}},
            "progressToken": number,
        });
        let request = Request {
            id: Id::number(number),
            method: method.to_owned(),
            params: Some(raw(&params)),
        };
        let headers = headers(&request, MODERN, &self.marked.borrow());
        let line = self.endpoint.line();
        host.started(line.interrupt());
        let since = Instant::now();
        let outcome = self.exchange(&line, &headers, &request, host).map_err(|failure| {
            let limit = self.endpoint.limit().filter(|limit| since.elapsed() >= *limit);
            limit.map_or(failure, |limit| self.too_late(&request, limit))
        })?;
        self.endpoint.give_back(line);
        match outcome {
            Outcome::Result(result) => Ok(result),
            Outcome::Error(_) => Err(refused(&outcome)),
        }
    }

    fn exchange(
        &self,
        line: &Line,
        headers: &[(String, String)],
        request: &Request,
        host: &dyn Host,
    ) -> Result<Outcome, Failure> {
        let text = Message::Request(request.clone()).to_json();
        let reply = self
            .endpoint
            .post(line, headers, &text)
            .map_err(|trouble| self.unreachable(&trouble))?;
        let status = reply.status;
        if reply.is_stream() {
            for event in reply.events() {
                match Message::parse(event.data.as_bytes()) {
                    Ok(Message::Response(Response { outcome, .. })) => return Ok(outcome),
                    Ok(Message::Notification(news)) => hear(&news, host),
                    Ok(Message::Request(_)) | Err(_) => {}
                }
            }
            return Err(Problem::new(Code::NoAnswer, "the daemon broke off before it answered")
                .suggest("what was asked may have been done: look before you repeat it")
                .into());
        }
        let text = reply.whole().map_err(|trouble| self.unreachable(&trouble))?;
        if let Ok(Message::Response(Response { outcome, .. })) = Message::parse(text.as_bytes()) {
            return match (status, outcome.code()) {
                (404, Some(INVALID_REQUEST)) => {
                    Err(Problem::new(Code::NotFound, outcome.message().unwrap_or_default()).into())
                }
                _ => Ok(outcome),
            };
        }
        if let Ok(mut problem) = serde_json::from_str::<Problem>(&text) {
            problem.status = status;
            return Err(problem.into());
        }
        Err(match status {
            401 => Problem::new(Code::Unauthenticated, "the daemon knows no such token")
                .suggest("log in: orchctl login")
                .into(),
            404 => Failure::from(Problem::new(Code::NoRoute, "the daemon serves no MCP at this address"))
                .hint("are both of one version? orchctl version"),
            status => odd(&format!("it answered {status}")),
        })
    }

    fn too_late(&self, request: &Request, limit: Duration) -> Failure {
        let seconds = limit.as_secs_f64();
        let tool = Members::of_params(request.params.as_deref()).text("name");
        let more = format!(
            "allow it more time: --request-timeout {}s",
            (limit * 2).as_secs().max(60)
        );
        let (code, who, hint) = match tool {
            Some(tool) => (
                Code::NoAnswer,
                format!("the tool `{tool}`"),
                format!("what was asked may have been done: look before you repeat it, and {more}"),
            ),
            None => (Code::Timeout, self.endpoint.url().to_owned(), more),
        };
        Failure::from(Problem::new(code, format!("{who} did not answer within {seconds} s"))).hint(hint)
    }

    fn unreachable(&self, trouble: &Trouble) -> Failure {
        let url = self.endpoint.url();
        match trouble {
            Trouble::Absent(why) => Problem::new(Code::DaemonUnreachable, format!("cannot reach {url}: {why}"))
                .suggest("is it running? orchctl doctor")
                .into(),
            Trouble::BrokenOff(why) => Problem::new(Code::NoAnswer, format!("{url} broke off: {why}"))
                .suggest("what was asked may have been done: look before you repeat it")
                .into(),
        }
    }
}

/// The answer to a question of a server's.
fn answer(question: &Value, host: &dyn Host) -> Result<Value, Failure> {
    match question["method"].as_str() {
        Some("elicitation/create") => Ok(host.elicit(&question["params"])),
        Some("roots/list") => Ok(json!({"roots": []})),
        other => Err(odd(&format!(
            "it asks for {}, which nobody here can do",
            other.unwrap_or("something")
        ))),
    }
}

fn hear(news: &Notification, host: &dyn Host) {
    let params: Value = news
        .params
        .as_ref()
        .and_then(|params| serde_json::from_str(params.get()).ok())
        .unwrap_or_default();
    match news.method.as_str() {
        "notifications/progress" => host.progress(
            params["progress"].as_f64().unwrap_or_default(),
            params["total"].as_f64(),
            params["message"].as_str(),
        ),
        "notifications/message" => {
            let data = &params["data"];
            let text = data.as_str().map_or_else(|| data.to_string(), str::to_owned);
            host.log(params["level"].as_str().unwrap_or("info"), &text);
        }
        _ => {}
    }
}

/// The name under which a JSON-RPC code travels in a problem.
fn coded(code: i64) -> String {
    format!("JSON-RPC {code}")
}

fn is_mismatch(problem: &Problem) -> bool {
    problem.detail.ends_with(&format!("({})", coded(HEADER_MISMATCH)))
}

fn refused(outcome: &Outcome) -> Failure {
    let code = outcome.code().unwrap_or_default();
    let said = outcome.message().unwrap_or_default();
    Failure::from(Problem::new(Code::BadRequest, format!("{said} ({})", coded(code)))).hint(match code {
        -32602 => "see what it takes: orchctl tools inspect NAME",
        _ => "what is known of the servers: orchctl get servers",
    })
}

fn odd(detail: &str) -> Failure {
    Failure::from(Problem::new(
        Code::Internal,
        format!("the gateway gave an answer of no use: {detail}"),
    ))
}
