//! The gate of a project: whoever comes to a gated one sees a single tool, `begin_session`. Who says with it what they are
//! going to do is given the prompts that fit, and from then on sees everything.
//!
//! What has begun is a session. One of the older era is known by its id anyway. In the newer era, where each request is
//! complete in itself, the answer holds a handle: the id of a session that was made for it, which is as durable, ends
//! by the same rules, and is of no use to another principal or at another address. The client sends it in
//! `_meta["orchctl.dev/session"]` of each request, or, where it can say nothing but the arguments of a tool, as the
//! argument `orch_session` of that. One that knows nothing of handles asks for lists without one: when a client of the same
//! principal and the same name has begun at that address, it sees what there is, each tool with that argument, which its model
//! fills in; without it no tool can be called.
//!
//! The gate keeps order, and protects nothing: what somebody may do is decided elsewhere, before and after.

use std::sync::Arc;
use std::time::Duration;

use orch_shared::jsonrpc::{Members, Outcome, Raw, Request, raw};
use orch_shared::matching::Task;
use orch_shared::system::Text;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Gateway;
use super::ledger::{self, Note};
use super::listing::PROMPT_URI;
use super::methods::{Asked, Reply, list_result, own_result};
use super::protocol::{META_SESSION, MODERN, code, error, error_with};
use super::pump::Side;
use super::registry::Refusal;
use super::relaying::over_limit;
use super::session::Session;
use super::surface::Kind;
use super::view::View;

/// The tool that opens the gate.
pub(super) const TOOL: &str = "begin_session";
/// The argument that carries the handle of a client of the newer era.
pub(super) const ARGUMENT: &str = "orch_session";
/// The longest description of a task, in bytes.
const LONGEST: usize = 16 << 10;
/// So many tags are read.
const TAGS: usize = 32;
/// When a client may try again for whom there is no session left.
const FULL: Duration = Duration::from_secs(30);

/// What the tool says of itself.
pub(super) fn tool() -> Value {
    json!({
        "name": TOOL,
        "description": "Begins the session: say what you are going to do, and you are given the prompts of this project that \
            fit. Nothing else is there before. Call it again when the task is another one.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "description": {"type": "string", "description": "What you are going to do, in a sentence or two"},
                "tags": {
                    "type": "array", "items": {"type": "string"},
                    "description": "Words by which prompts are found, besides those of the description",
                },
            },
            "required": ["description"],
        },
        "annotations": {"readOnlyHint": true, "openWorldHint": false},
    })
}

/// Whose request it is.
pub(super) enum Whose {
    /// Of a session.
    Session(Arc<Session>),
    /// Of nobody in particular: a client of the newer era that sends no handle.
    Nobody,
    /// Of a client with a handle that is not known here, or not any more.
    Lost,
}

impl Whose {
    /// The session.
    pub(super) fn session(self) -> Option<Arc<Session>> {
        match self {
            Self::Session(session) => Some(session),
            Self::Nobody | Self::Lost => None,
        }
    }
}

impl Gateway {
    /// The session that a request belongs to.
    pub(super) async fn whose(&self, asked: &Asked<'_>) -> Result<Whose, Outcome> {
        let handle = match &asked.side {
            Side::Legacy(session) => return Ok(Whose::Session(Arc::clone(session))),
            Side::Modern(_) => handle(asked),
        };
        let Some(handle) = handle else {
            return Ok(Whose::Nobody);
        };
        let found = self.0.registry.find(&handle, asked.principal, &asked.view.target).await;
        match found {
            // A session of the older era is no handle, and the other way round.
            Ok(Some(session)) if session.protocol == MODERN => Ok(Whose::Session(session)),
            Ok(Some(_) | None) => Ok(Whose::Lost),
            Err(why) => {
                tracing::warn!(error = %why, "sessions cannot be looked up");
                Err(error(code::INTERNAL, "the database does not answer; try again"))
            }
        }
    }

    /// What becomes of a request at the gate; nothing when it passes, to be answered as if there were none.
    pub(super) async fn at_gate(&self, asked: &mut Asked<'_>) -> Option<Reply> {
        let whose = match self.whose(asked).await {
            Ok(whose) => whose,
            Err(outcome) => return Some(Reply::Now(outcome)),
        };
        if is_beginning(&asked.request) {
            return Some(self.begin_task(asked, whose.session()).await);
        }
        match whose {
            Whose::Session(session) if session.has_begun() => {
                // What answers it looks for the handle, too.
                asked.handle = handle(asked);
                drop_argument(&mut asked.request);
                None
            }
            Whose::Session(_) => self.before(asked, false),
            Whose::Lost => self.before(asked, true),
            Whose::Nobody => match self.is_ajar(asked).await {
                Ok(true) => self.beside(asked).await,
                Ok(false) => self.before(asked, false),
                Err(outcome) => Some(Reply::Now(outcome)),
            },
        }
    }

    /// Whether a client that sends no handle is, as far as it says who it is, one that has begun.
    async fn is_ajar(&self, asked: &Asked<'_>) -> Result<bool, Outcome> {
        let client = asked.side.client();
        let known = self.0.registry.has_begun(asked.principal, asked.view, &client).await;
        known.map_err(|why| {
            tracing::warn!(error = %why, "sessions cannot be looked up");
            error(code::INTERNAL, "the database does not answer; try again")
        })
    }

    /// What is answered to a client that has begun and sends no handle: it sees everything, and calls nothing.
    async fn beside(&self, asked: &mut Asked<'_>) -> Option<Reply> {
        match asked.request.method.as_str() {
            "tools/list" => {
                let listed = self.list(asked, Kind::Tools).await;
                Some(Reply::Now(match &listed {
                    Outcome::Result(result) => with_argument(result).map_or(listed, Outcome::Result),
                    Outcome::Error(_) => listed,
                }))
            }
            "tools/call" => self.before(asked, false),
            _ => None,
        }
    }

    /// What is answered before the session has begun.
    fn before(&self, asked: &mut Asked<'_>, is_lost: bool) -> Option<Reply> {
        let method = asked.request.method.as_str();
        if let Some(kind) = Kind::of_method(method) {
            let items = match kind {
                Kind::Tools => json!([tool()]).to_string(),
                Kind::Prompts | Kind::Resources | Kind::Templates => "[]".to_owned(),
            };
            return Some(Reply::Now(list_result(&asked.side, kind, &items, &[])));
        }
        match method {
            "tools/call" | "prompts/get" | "resources/read" | "resources/subscribe" | "completion/complete" => {
                let object = &asked.view.object.object;
                let name = named(&asked.request);
                let mut note = ledger::note(&self.0.ledger, asked.principal, method, object, name);
                note.refused("the session has not begun");
                Some(Reply::Now(self.refusal(asked, is_lost)))
            }
            // That there is more now may be heard of; what it is, only once it has begun.
            "subscriptions/listen" => {
                drop_subscriptions(&mut asked.request);
                None
            }
            _ => None,
        }
    }

    fn refusal(&self, asked: &Asked<'_>, is_lost: bool) -> Outcome {
        let project = asked.view.object.object.name.as_str();
        let mut message = self.say(Text::GateRefusal, &[("tool", TOOL), ("project", project)]);
        if is_lost {
            message = format!("the handle of the session is not known here, or has expired. {message}");
        }
        error_with(code::NOT_BEGUN, message, &json!({"tool": TOOL}))
    }

    /// What a client of a gated project is told of how to begin, before what the project itself says.
    pub(super) fn gate_instructions(&self, view: &View) -> Option<String> {
        if !view.is_gated() {
            return view.instructions().map(str::to_owned);
        }
        let project = view.object.object.name.as_str();
        let how = self.say(Text::GateInstructions, &[("tool", TOOL), ("project", project)]);
        Some(match view.instructions() {
            Some(own) => format!("{how}\n\n{own}"),
            None => how,
        })
    }

    /// Begins a session, or the next task of one: what fits the task, and the handle where one is needed.
    async fn begin_task(&self, asked: &Asked<'_>, session: Option<Arc<Session>>) -> Reply {
        let mut note = match self.enter_own(asked, TOOL) {
            Ok(note) => note,
            Err(limited) => return limited,
        };
        let task = match task_of(&asked.request) {
            Ok(task) => task,
            Err(wrong) => {
                let refused = json!({"content": [{"type": "text", "text": wrong}], "isError": true});
                let outcome = own_result(&asked.side, refused);
                note.answered(&outcome);
                return Reply::Now(outcome);
            }
        };
        let digest = self.digest(asked.view, asked.principal, &task).await;
        let project = asked.view.object.object.name.as_str();
        let values = [
            ("prompts", digest.text.as_str()),
            ("task", task.description.as_str()),
            ("project", project),
        ];
        let mut text = self.say(Text::SessionAnswer, &values);
        let mut structured = json!({"prompts": digest.told, "more": digest.more});
        let handle = match self.let_in(asked, session).await {
            Ok(handle) => handle,
            Err(refused) => {
                note.refused("the session cannot begin");
                return refused;
            }
        };
        if let Some(handle) = handle {
            text.push_str(&format!(
                "\n\nThe handle of this session is {handle}. Send it with every further request, in _meta[\"{META_SESSION}\"]; \
                 or, where only arguments of a tool can be said, as the argument `{ARGUMENT}`."
            ));
            structured["session"] = json!(handle);
        }
        let told = json!({"content": [{"type": "text", "text": text}], "structuredContent": structured});
        let outcome = own_result(&asked.side, told);
        note.answered(&outcome);
        Reply::Now(outcome)
    }

    /// Opens the gate for a session: the handle, for a client of the newer era. It is durable when this returns.
    async fn let_in(&self, asked: &Asked<'_>, session: Option<Arc<Session>>) -> Result<Option<String>, Reply> {
        let had_begun = session.as_ref().is_some_and(|session| session.has_begun());
        let failed = |why: &crate::store::Error| {
            tracing::warn!(error = %why, "the beginning of a session cannot be written down");
            Reply::Now(error(code::INTERNAL, "the session cannot be written down; try again"))
        };
        let (handle, session) = match (&asked.side, session) {
            (Side::Legacy(session), _) => {
                if !had_begun {
                    self.0.registry.note_begun(session).await.map_err(|why| failed(&why))?;
                }
                (None, Arc::clone(session))
            }
            (Side::Modern(_), Some(session)) => (handle(asked), session),
            (Side::Modern(_), None) => {
                let (handle, session) = self.hand_out(asked).await?;
                (Some(handle), session)
            }
        };
        if !had_begun {
            self.tell_begun(&session);
        }
        Ok(handle)
    }

    /// Makes a session for a client of the newer era: its handle, and itself.
    pub(super) async fn hand_out(&self, asked: &Asked<'_>) -> Result<(String, Arc<Session>), Reply> {
        let client = (*asked.side.client()).clone();
        let begun = self.0.registry.begin(asked.principal, asked.view, MODERN, client).await;
        begun.map_err(|refusal| match refusal {
            Refusal::Full(why) => {
                let data = json!({"retryAfterMs": u64::try_from(FULL.as_millis()).unwrap_or(u64::MAX)});
                Reply::Limited(error_with(code::LIMITED, why, &data), FULL)
            }
            Refusal::Store(why) => {
                tracing::warn!(error = %why, "a session cannot be written down");
                Reply::Now(error(code::INTERNAL, "the session cannot be written down; try again"))
            }
        })
    }

    /// Begins to note a call of a tool of the gateway's own, within the limits of who calls it.
    pub(super) fn enter_own(&self, asked: &Asked<'_>, tool: &str) -> Result<Note, Reply> {
        let object = &asked.view.object;
        let item = Some(tool.to_owned());
        let mut note = ledger::note(&self.0.ledger, asked.principal, "tools/call", &object.object, item);
        let entered = self.0.limits.enter(&[self.limited(asked.principal)]);
        match entered {
            Ok(place) => {
                note.hold(place);
                Ok(note)
            }
            Err(over) => {
                note.refused(&over.what);
                let (outcome, after) = over_limit(&over, None);
                Err(Reply::Limited(outcome, after))
            }
        }
    }
}

/// The URI under which a prompt of the project is read.
pub(super) fn prompt_uri(name: &str) -> String {
    format!("{PROMPT_URI}{name}")
}

/// Whether a request opens the gate.
fn is_beginning(request: &Request) -> bool {
    request.method == "tools/call" && named(request).as_deref() == Some(TOOL)
}

/// The tool or prompt, or the resource, that a request names.
fn named(request: &Request) -> Option<String> {
    let params = Members::of_params(request.params.as_deref());
    params.text("name").or_else(|| params.text("uri"))
}

/// The handle that a client of the newer era sends: beside its request, or among the arguments of a tool.
fn handle(asked: &Asked<'_>) -> Option<String> {
    asked.handle.clone().or_else(|| argument(&asked.request))
}

fn argument(request: &Request) -> Option<String> {
    Members::of(request.params.as_deref()?)?
        .members("arguments")?
        .text(ARGUMENT)
}

/// What is to be done, as it was said; or what is wrong with how it was.
fn task_of(request: &Request) -> Result<Task, String> {
    let params = Members::of_params(request.params.as_deref());
    let arguments = params.members("arguments").unwrap_or_default();
    let description = arguments.text("description").unwrap_or_default();
    let description = description.trim();
    if description.is_empty() {
        return Err("`description` is needed: a text that says what you are going to do".to_owned());
    }
    if description.len() > LONGEST {
        return Err(format!(
            "`description` is longer than {} KiB; a sentence or two will do",
            LONGEST >> 10
        ));
    }
    let tags = match arguments.get("tags").map(RawValue::get) {
        None | Some("null") => Vec::new(),
        Some(tags) => {
            serde_json::from_str::<Vec<String>>(tags).map_err(|_| "`tags` must be a list of texts".to_owned())?
        }
    };
    Ok(Task {
        description: description.to_owned(),
        tags: tags.into_iter().take(TAGS).collect(),
    })
}

/// Takes the handle out of the arguments of a tool, whose server knows of none.
fn drop_argument(request: &mut Request) {
    let Some(params) = request.params.take() else { return };
    let cleared = params.get().contains(ARGUMENT).then(|| {
        let mut members = Members::of(&params)?;
        let mut arguments = members.members("arguments")?;
        let is_there = arguments.remove(ARGUMENT);
        let arguments = arguments.to_raw();
        is_there.then(|| {
            members.set("arguments", arguments);
            members.to_raw()
        })
    });
    request.params = cleared.flatten().or(Some(params));
}

/// A list of tools of which each takes the handle as an argument, but for the one that gives it.
fn with_argument(listed: &RawValue) -> Option<Raw> {
    let mut result = Members::of(listed)?;
    let tools: Vec<&RawValue> = serde_json::from_str(result.get("tools")?.get()).ok()?;
    let marked: Vec<Raw> = tools
        .into_iter()
        .map(|tool| marked(tool).unwrap_or_else(|| tool.to_owned()))
        .collect();
    let marked = raw(&marked);
    result.set("tools", marked);
    Some(result.to_raw())
}

/// A tool that takes the handle as an argument; all else of it stays as it was.
fn marked(tool: &RawValue) -> Option<Raw> {
    let mut members = Members::of(tool)?;
    if members.text("name").as_deref() == Some(TOOL) {
        return None;
    }
    let mut schema = members.members("inputSchema")?;
    let mut properties = schema.members("properties").unwrap_or_default();
    let about = format!("The handle of the session, as {TOOL} gave it");
    properties.set(ARGUMENT, raw(&json!({"type": "string", "description": about})));
    let properties = properties.to_raw();
    let required = schema.get("required").map(RawValue::get).unwrap_or("[]");
    let mut required: Vec<String> = serde_json::from_str(required).unwrap_or_default();
    required.push(ARGUMENT.to_owned());
    schema.set("properties", properties);
    schema.set("required", raw(&required));
    let schema = schema.to_raw();
    members.set("inputSchema", schema);
    Some(members.to_raw())
}

/// Takes the resources out of what a client wants to hear of.
fn drop_subscriptions(request: &mut Request) {
    let Some(params) = request.params.take() else { return };
    let cleared = Members::of(&params).and_then(|mut members| {
        let mut wanted = members.members("notifications")?;
        wanted.remove("resourceSubscriptions");
        let wanted = wanted.to_raw();
        members.set("notifications", raw(&wanted));
        Some(members.to_raw())
    });
    request.params = cleared.or(Some(params));
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::jsonrpc::Id;

    fn request(method: &str, params: Value) -> Request {
        Request {
            id: Id::number(1),
            method: method.to_owned(),
            params: Some(raw(&params)),
        }
    }

    #[test]
    fn a_handle_among_arguments_is_found_and_taken_out() {
        for (params, found, left) in [
            (
                json!({"name": "x", "arguments": {"a": 1}}),
                None,
                json!({"name": "x", "arguments": {"a": 1}}),
            ),
            (
                json!({"name": "x", "arguments": {"orch_session": "h", "a": 1}}),
                Some("h"),
                json!({"name": "x", "arguments": {"a": 1}}),
            ),
            (
                json!({"arguments": {"a": "orch_session"}}),
                None,
                json!({"arguments": {"a": "orch_session"}}),
            ),
        ] {
            let mut asked = request("tools/call", params.clone());
            assert_eq!(argument(&asked).as_deref(), found, "{params}");
            drop_argument(&mut asked);
            let after: Value = serde_json::from_str(asked.params.expect("parameters").get()).expect("JSON");
            assert_eq!(after, left, "{params}");
        }
    }

    #[test]
    fn tools_take_the_handle() {
        let listed = raw(&json!({"tools": [
            {"name": TOOL, "inputSchema": {"type": "object"}},
            {"name": "raw__echo", "inputSchema": {"properties": {"a": {"minimum": 1.0}}, "required": ["a"], "x": 1}, "y": 2},
            {"name": "raw__odd"},
        ], "ttlMs": 10}));
        let marked: Value = serde_json::from_str(with_argument(&listed).expect("a list").get()).expect("JSON");
        let tools = &marked["tools"];
        assert_eq!(
            (&tools[0], &tools[2]),
            (
                &json!({"name": TOOL, "inputSchema": {"type": "object"}}),
                &json!({"name": "raw__odd"})
            )
        );
        let schema = &tools[1]["inputSchema"];
        assert_eq!(schema["required"], json!(["a", ARGUMENT]));
        assert_eq!(schema["properties"]["a"].to_string(), r#"{"minimum":1.0}"#);
        assert_eq!(schema["properties"][ARGUMENT]["type"], "string");
        assert_eq!(
            (&schema["x"], &tools[1]["y"], &marked["ttlMs"]),
            (&json!(1), &json!(2), &json!(10))
        );
    }

    #[test]
    fn a_task_is_read_or_refused() {
        let of = |arguments: Value| task_of(&request("tools/call", json!({"name": TOOL, "arguments": arguments})));
        let task = of(json!({"description": " fix it ", "tags": ["a", "b"]})).expect("a task");
        assert_eq!((task.description.as_str(), task.tags.len()), ("fix it", 2));
        assert!(of(json!({"description": "x", "tags": null})).is_ok());
        for (arguments, said) in [
            (json!({}), "is needed"),
            (json!({"description": "  "}), "is needed"),
            (json!({"description": 7}), "is needed"),
            (json!({"description": "x", "tags": "a"}), "a list of texts"),
            (json!({"description": "x".repeat(LONGEST + 1)}), "longer than 16 KiB"),
        ] {
            let refused = of(arguments).expect_err("no task");
            assert!(refused.contains(said), "{refused}");
        }
    }
}
