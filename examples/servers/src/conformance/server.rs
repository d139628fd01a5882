//! The server: what it can do, its lists, and where each call goes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::ValueEnum;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult, CompletionInfo,
    ContentBlock, DiscoverRequestMethod, DiscoverResult, ErrorData, GetPromptRequestParams, GetPromptResponse,
    GetPromptResult, Implementation, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse,
    ServerCapabilities, ServerConfig, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Value, json};

use crate::catalogue::{CATALOGUE, wire};
use crate::changes::{Change, Changes, WATCHED};
use crate::questions::{Asked, Questions, can, is_modern};

/// Between two messages of one call, so that a client can tell them apart.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a stream stays open after its first message.
const MOMENT: Duration = Duration::from_millis(100);
/// From the least to the most severe.
const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

/// The protocol eras to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Eras {
    /// `initialize` alone.
    Legacy,
    /// `server/discover` alone.
    Modern,
    /// Both.
    Both,
}

/// A server for one session of the older era, or for one modern request.
#[derive(Debug, Clone)]
pub(crate) struct ConformanceServer {
    era: Eras,
    changes: Changes,
    /// The least severe message that a client of the older era wants; all until it says so.
    level: Arc<Mutex<String>>,
    subscriptions: Arc<Mutex<BTreeSet<String>>>,
}

impl ConformanceServer {
    pub(crate) fn new(era: Eras, changes: Changes) -> Self {
        Self {
            era,
            changes,
            level: Arc::new(Mutex::new(LEVELS[0].to_owned())),
            subscriptions: Arc::default(),
        }
    }

    async fn call(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.clone();
        if let Some(rounds) = CATALOGUE.questions.get(&*name) {
            return self.ask(rounds.clone(), request, context).await;
        }
        let text = match &*name {
            "json_schema_2020_12_tool" | "test_custom_headers" => {
                Value::from(request.arguments.unwrap_or_default()).to_string()
            }
            "test_tool_with_logging" => {
                for message in [
                    "Tool execution started",
                    "Tool processing data",
                    "Tool execution completed",
                ] {
                    self.log(context, message).await;
                    tokio::time::sleep(PAUSE).await;
                }
                "Logged three messages.".to_owned()
            }
            "test_logging_tool" => {
                self.log(context, "Logged because it is wanted").await;
                "Logged what is wanted.".to_owned()
            }
            "test_tool_with_progress" => {
                for progress in [0, 50, 100] {
                    report(context, progress).await;
                    tokio::time::sleep(PAUSE).await;
                }
                "Reported three times.".to_owned()
            }
            "test_sampling" => {
                let prompt = argument(&request, "prompt");
                let question = json!({"answer": {"method": "sampling/createMessage", "params": {
                    "messages": [{"role": "user", "content": {"type": "text", "text": prompt}}],
                    "maxTokens": 100,
                }}});
                return self.ask(vec![wire(question)?], request, context).await;
            }
            "test_elicitation" => {
                let message = argument(&request, "message");
                let question = json!({"answer": {"method": "elicitation/create", "params": {
                    "message": message,
                    "requestedSchema": {
                        "type": "object",
                        "properties": {
                            "username": {"type": "string", "description": "User's response"},
                            "email": {"type": "string", "description": "User's email address"},
                        },
                        "required": ["username", "email"],
                    },
                }}});
                return self.ask(vec![wire(question)?], request, context).await;
            }
            "test_missing_capability" => {
                if context.client_capabilities().is_none_or(|can| can.sampling.is_none()) {
                    return Err(ErrorData::missing_required_client_capability(wire(
                        json!({"sampling": {}}),
                    )?));
                }
                "The client has what it takes.".to_owned()
            }
            "test_trigger_tool_change" => self.change(&[Change::Tools]),
            "test_trigger_prompt_change" => self.change(&[Change::Prompts]),
            "test_trigger_resource_change" => self.change(&[Change::Resources, Change::Watched]),
            "test_added_tool" if self.changes.has_added_tool() => "It is here.".to_owned(),
            name => match CATALOGUE.results.get(name) {
                Some(result) => {
                    if name == "test_reconnection" {
                        tokio::time::sleep(MOMENT).await;
                    }
                    return Ok(result.clone().into());
                }
                None => {
                    return Err(ErrorData::invalid_params(
                        format!("there is no tool named {name}"),
                        None,
                    ));
                }
            },
        };
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }

    fn change(&self, changes: &[Change]) -> String {
        for change in changes {
            self.changes.make(*change);
        }
        "Changed.".to_owned()
    }

    /// A tool that must ask the client first.
    async fn ask(
        &self,
        mut rounds: Vec<rmcp::model::InputRequests>,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let capabilities = context.client_capabilities();
        if request.name == "test_input_required_result_capabilities" {
            for round in &mut rounds {
                round.retain(|_, question| can(capabilities.as_ref(), question));
            }
        }
        if request.name == "test_streaming_elicitation" {
            report(context, 0).await;
        }
        let questions = Questions {
            name: &request.name,
            stateful: rounds.len() > 1 || STATEFUL.contains(&&*request.name),
            rounds,
            responses: request.input_responses,
            state: request.request_state,
        };
        let answers = match questions.ask(context).await? {
            Asked::Again(required) => return Ok(required.into()),
            Asked::Answered(answers) => answers,
        };
        Ok(CallToolResult::success(vec![ContentBlock::text(told(&request.name, &answers))]).into())
    }

    async fn log(&self, context: &RequestContext<RoleServer>, message: &str) {
        let least = if is_modern(context) {
            let wanted = context
                .meta
                .log_level()
                .and_then(|level| serde_json::to_value(level).ok());
            let Some(Value::String(wanted)) = wanted else { return };
            wanted
        } else {
            self.level.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        let rank = |name: &str| LEVELS.iter().position(|level| *level == name);
        if rank("info") < rank(&least) {
            return;
        }
        let params = json!({"level": "info", "logger": "orch-conformance", "data": message});
        if let Ok(notification) = wire(json!({"method": "notifications/message", "params": params})) {
            let _ = context.peer.send_notification(notification).await;
        }
    }
}

/// The tools that send their state along although they ask but once.
const STATEFUL: [&str; 3] = [
    "test_input_required_result_request_state",
    "test_input_required_result_tampered_state",
    "test_input_required_result_multiple_inputs",
];

/// What a tool says of the answers it got.
fn told(name: &str, answers: &std::collections::BTreeMap<String, Value>) -> String {
    let only = answers.values().next().cloned().unwrap_or_default();
    let (action, content) = (&only["action"], &only["content"]);
    match name {
        "test_sampling" => format!("LLM response: {}", content["text"].as_str().unwrap_or_default()),
        "test_elicitation" => format!("User response: action={action}, content={content}"),
        "test_elicitation_sep1034_defaults" | "test_elicitation_sep1330_enums" => {
            format!("Elicitation completed: action={action}, content={content}")
        }
        "test_input_required_result_elicitation" => {
            format!(
                "Hello, {}!",
                answers["user_name"]["content"]["name"]
                    .as_str()
                    .unwrap_or("whoever you are")
            )
        }
        "test_input_required_result_request_state" | "test_input_required_result_tampered_state" => {
            "state-ok".to_owned()
        }
        _ => json!(answers).to_string(),
    }
}

fn argument(request: &CallToolRequestParams, name: &str) -> String {
    let value = request.arguments.as_ref().and_then(|arguments| arguments.get(name));
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

async fn report(context: &RequestContext<RoleServer>, progress: u8) {
    let Some(token) = context.meta.get_progress_token() else {
        return;
    };
    let params = json!({"progressToken": token, "progress": progress, "total": 100});
    if let Ok(notification) = wire(json!({"method": "notifications/progress", "params": params})) {
        let _ = context.peer.send_notification(notification).await;
    }
}

impl ServerHandler for ConformanceServer {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_resources_subscribe()
            .enable_completions()
            .build();
        // Set by hand: the builder's way is marked as going away with the older era.
        capabilities.logging = Some(rmcp::model::JsonObject::new());
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("orch-conformance", env!("CARGO_PKG_VERSION")))
            .with_instructions("Everything the conformance suite looks for.")
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        let wanted = |version: &&ProtocolVersion| match self.era {
            Eras::Legacy => version.has_initialize(),
            Eras::Modern => !version.has_initialize(),
            Eras::Both => true,
        };
        ProtocolVersion::KNOWN_VERSIONS.iter().filter(wanted).cloned().collect()
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        match self.era {
            Eras::Legacy => Err(ErrorData::method_not_found::<DiscoverRequestMethod>()),
            Eras::Modern | Eras::Both => Ok(DiscoverResult::from_server_info(
                self.supported_protocol_versions().into_owned(),
                self.get_info(),
            )),
        }
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let subscriptions = self.subscriptions.clone();
        self.changes.tell(context.peer, move |change| match change {
            Change::Tools | Change::Prompts | Change::Resources => true,
            Change::Watched => subscriptions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(WATCHED),
        });
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.listen();
        loop {
            let change = tokio::select! {
                () = subscription.cancelled() => return Ok(()),
                change = changes.recv() => change,
            };
            let Ok(change) = change else { return Ok(()) };
            if let Some(notification) = change.notification() {
                // What the client did not ask for is refused here, and that is as it should be.
                let _ = subscription.sink().send(notification).await;
            }
        }
    }

    #[expect(
        deprecated,
        reason = "the older era still sets a level, and a gateway must pass it on"
    )]
    async fn set_level(
        &self,
        request: rmcp::model::SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let level = serde_json::to_value(request.level).unwrap_or_default();
        level
            .as_str()
            .unwrap_or(LEVELS[0])
            .clone_into(&mut self.level.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    async fn subscribe(&self, request: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let mut subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        subscriptions.insert(request.uri);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let mut subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        subscriptions.remove(&request.uri);
        Ok(())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut tools = CATALOGUE.tools.clone();
        if self.changes.has_added_tool() {
            tools.push(CATALOGUE.added_tool.clone());
        }
        Ok(ListToolsResult::with_all_items(tools))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        CATALOGUE.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.call(request, &context).await
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut prompts = CATALOGUE.prompts.clone();
        if self.changes.has_added_prompt() {
            prompts.push(CATALOGUE.added_prompt.clone());
        }
        Ok(ListPromptsResult::with_all_items(prompts))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let name = &*request.name;
        let arguments = request.arguments.unwrap_or_default();
        let argument = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        let messages = match name {
            "test_prompt_with_arguments" => {
                let (first, second) = (argument("arg1"), argument("arg2"));
                let text = format!("Prompt with arguments: arg1='{first}', arg2='{second}'");
                wire(json!([{"role": "user", "content": {"type": "text", "text": text}}]))?
            }
            "test_prompt_with_embedded_resource" => {
                let resource = json!({
                    "uri": argument("resourceUri"),
                    "mimeType": "text/plain",
                    "text": "Embedded resource content for testing.",
                });
                wire(json!([
                    {"role": "user", "content": {"type": "resource", "resource": resource}},
                    {"role": "user", "content": {"type": "text", "text": "Please process the embedded resource above."}},
                ]))?
            }
            "test_input_required_result_prompt" => {
                let questions = Questions {
                    name,
                    rounds: CATALOGUE.questions[name].clone(),
                    stateful: false,
                    responses: request.input_responses,
                    state: request.request_state,
                };
                let answers = match questions.ask(&context).await? {
                    Asked::Again(required) => return Ok(required.into()),
                    Asked::Answered(answers) => answers,
                };
                wire(json!([{"role": "user", "content": {"type": "text", "text": json!(answers).to_string()}}]))?
            }
            "test_added_prompt" if self.changes.has_added_prompt() => {
                wire(json!([{"role": "user", "content": {"type": "text", "text": "It is here."}}]))?
            }
            name => match CATALOGUE.messages.get(name) {
                Some(messages) => messages.clone(),
                None => {
                    return Err(ErrorData::invalid_params(
                        format!("there is no prompt named {name}"),
                        None,
                    ));
                }
            },
        };
        Ok(GetPromptResult::new(messages).into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(CATALOGUE.resources.clone()))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(CATALOGUE.templates.clone()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = &*request.uri;
        let id = uri
            .strip_prefix("test://template/")
            .and_then(|rest| rest.strip_suffix("/data"));
        let mut contents = match (CATALOGUE.contents.get(uri), id) {
            (Some(contents), _) => contents.clone(),
            (None, _) if uri == WATCHED => json!({"mimeType": "text/plain", "text": "Watch me."}),
            (None, Some(id)) => {
                let data = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")});
                json!({"mimeType": "application/json", "text": data.to_string()})
            }
            (None, None) => {
                return Err(ErrorData::resource_not_found(
                    "Resource not found",
                    Some(json!({"uri": uri})),
                ));
            }
        };
        contents["uri"] = uri.into();
        let result: rmcp::model::ReadResourceResult = wire(json!({"resultType": "complete", "contents": [contents]}))?;
        Ok(result.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let fitting = ["paris", "park", "party"]
            .into_iter()
            .filter(|word| word.starts_with(&request.argument.value));
        let values = fitting.map(str::to_owned).collect();
        let info = CompletionInfo::new(values).map_err(|error| ErrorData::internal_error(error, None))?;
        Ok(CompleteResult::new(info))
    }
}
