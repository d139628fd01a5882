//! Replays: the turns of a cassette once more, with an agent as it is declared now.
//!
//! What enters: a cassette, and what is asked instead of it, if anything. What leaves: what was different. What it never does:
//! call a tool, whose answers are on the cassette; or write a thread. A model is asked only where another model, or an agent
//! with its own, is to be compared with what was recorded.
//!
//! Without a model, the agent hears the answers that were recorded, and what differs is what it would be told: the system block,
//! tools that it may no longer call, parameters. So a pipeline sees what a change of prompts does before anybody is asked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use orch_shared::access::Role as Right;
use orch_shared::audit::Target;
use orch_shared::cassette::{
    Against, Call, Cassette, Difference, Exchange, Part, Replay, Report, Results, Turn, difference, origin,
};
use orch_shared::chat::{CallState, Message, Role, Summarised, ToolCall, ToolResult, TurnState};
use orch_shared::diff;
use orch_shared::inference::estimate;
use orch_shared::kind::Kind;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::{Code, Problem};
use orch_shared::system::Text;
use serde_json::{Map, Value, json};
use tokio::task::block_in_place;

use super::asking::{arguments, recorded as written, taken};
use super::history::{Entry, conversation, with_ids};
use super::meter::Meter;
use super::next::{Action, Bounds, next};
use super::owner::Known;
use super::request::{Parts, check, merged};
use super::turn::{last_answer, progress, shown};
use super::{Agents, Caller};
use crate::audit::{self, Trail, Withdrawn};
use crate::inference::{Behalf, Said};
use crate::store::Spent;

/// What a model is told of a call that is not on the cassette.
const NOT_RECORDED: &str = "[The call is not on the cassette, and was not made.]";
/// What it is told of a tool that the agent may not call.
const NOT_OFFERED: &str = "[There is no such tool, or it may not be called.]";

/// What a replay works with.
struct Replaying<'r> {
    caller: &'r Caller,
    known: &'r Known,
    cassette: &'r Cassette,
    /// The model that is asked; none where the answers are those of the cassette.
    llm: Option<Name>,
    results: Results<'r>,
    entries: Vec<Entry>,
    differences: Vec<Difference>,
    /// So many bytes of differences can still be told.
    room: usize,
    /// For so long texts can still be compared.
    patience: Duration,
}

/// So many bytes of differences are told.
const ROOM: usize = 4 << 20;
/// For so long texts are compared in all; behind that, they are told as replaced.
const PATIENCE: Duration = Duration::from_secs(20);

impl Agents {
    /// Runs a cassette once more. What takes long with a large one is done where no other request waits for it.
    ///
    /// # Errors
    /// When it cannot be read, when whoever asks may not run the agent or the model, or when a model does not answer.
    pub async fn replay(&self, caller: &Caller, replay: &Replay) -> Result<Report, Problem> {
        let Replay { cassette, against } = replay;
        block_in_place(|| cassette.check())?;
        let agent = match against {
            Some(Against::Agent(agent)) => agent,
            Some(Against::Llm(_)) | None => &cassette.agent,
        };
        let known = self.agent(&caller.principal, agent.as_str())?;
        self.told_to(&caller.principal, &known)?;
        for (index, turn) in cassette.turns.iter().enumerate() {
            let at = format!("turns[{index}].params");
            check(turn.params.as_ref(), &at, known.spec().has_tools())?;
        }
        let llm = match against {
            None => None,
            Some(Against::Agent(_)) => Some(known.spec().llm.clone()),
            Some(Against::Llm(llm)) => Some(self.model(caller, llm)?),
        };
        let mut replaying = Replaying {
            caller,
            known: &known,
            cassette,
            llm,
            results: block_in_place(|| Results::of(cassette)),
            entries: Vec::new(),
            differences: Vec::new(),
            room: ROOM,
            patience: PATIENCE,
        };
        for (number, turn) in (1..).zip(&cassette.turns) {
            self.replay_turn(&mut replaying, number, turn).await?;
        }
        Ok(Report {
            agent: known.name().clone(),
            turns: u32::try_from(cassette.turns.len()).unwrap_or(u32::MAX),
            differences: replaying.differences,
        })
    }

    /// A model that somebody may ask.
    fn model(&self, caller: &Caller, name: &Name) -> Result<Name, Problem> {
        let snapshot = self.0.store.snapshot();
        let absent = || {
            Problem::new(Code::NotFound, format!("llm/{name} does not exist"))
                .suggest("what there is: orchctl get llms")
        };
        let found = snapshot
            .get(&ObjectRef::cluster(Kind::Llm, name.clone()))
            .ok_or_else(absent)?;
        let decision = snapshot.decide(&caller.principal, Right::Run, found);
        audit::decided(&caller.principal, &decision, Right::Run);
        if decision.is_allowed {
            return Ok(name.clone());
        }
        if !snapshot.shows(&caller.principal.visibility, found) {
            return Err(absent());
        }
        let detail = format!("{} may see llm/{name}, and not ask it", caller.principal.name);
        Err(Problem::new(Code::Forbidden, detail).suggest("that needs the role `run` on it"))
    }

    async fn replay_turn(&self, replaying: &mut Replaying<'_>, number: u32, turn: &Turn) -> Result<(), Problem> {
        let (caller, known) = (replaying.caller, replaying.known);
        let snapshot = self.0.store.snapshot();
        // Another agent need not have the personality.
        let personality = match self.personality(&snapshot, known, turn.personality.as_ref()) {
            Ok(personality) => personality,
            Err(problem) => {
                replaying.differs(number, None, Part::System, problem.detail);
                None
            }
        };
        let append = turn.system_append.clone();
        let system = self
            .told_first(&snapshot, caller, known, (personality.as_deref(), append))
            .await;
        let params = merged(known.spec().default_params.as_ref(), turn.params.as_ref());
        replaying.entries.push(self.entry(number, Role::User, &turn.message));
        let meter = Meter::new(Bounds::of(known.spec()), Spent::default(), None);
        loop {
            let (answers, calls) = progress(&replaying.entries, number);
            match next(answers, &calls, &meter.spent(), meter.bounds()) {
                Action::Finish => {
                    if turn.state == TurnState::Error {
                        let told = "the turn came to nothing when it was recorded, and is complete now";
                        replaying.differs(number, None, Part::End, told.to_owned());
                    }
                    return Ok(());
                }
                Action::Fail(over) => {
                    if turn.state != TurnState::Error {
                        replaying.differs(number, None, Part::End, over.problem().detail);
                    }
                    return Ok(());
                }
                Action::Ask(iteration) => {
                    for summary in turn.summaries.iter().filter(|summary| summary.after == answers) {
                        let mut entry = self.entry(number, Role::Summary, &summary.text);
                        entry.message.summarises = Some(Summarised {
                            from: summary.from,
                            to: summary.to,
                        });
                        replaying.entries.push(entry);
                    }
                    let parts = block_in_place(|| Parts {
                        llm: replaying.llm.as_ref().unwrap_or(&known.spec().llm).to_string(),
                        system: system.clone(),
                        tools: replaying.tools(turn, iteration),
                        params: params.clone(),
                        messages: conversation(
                            &replaying.entries,
                            number,
                            &self.0.gateway.wording(Text::ThreadSummarised),
                        ),
                    });
                    meter.asked();
                    // Whoever hangs up ends it, and long cassettes make nobody else wait.
                    tokio::task::yield_now().await;
                    let Some(answer) = self.hear(replaying, (number, iteration), turn, &parts, &meter).await? else {
                        return Ok(());
                    };
                    let entry = self.heard(&answer, number, iteration);
                    replaying.entries.push(entry);
                }
                Action::Call(places) => {
                    meter.calls(places.len());
                    block_in_place(|| self.answer_calls(replaying, (number, answers), turn, &places));
                    // An answer may want thousands of them.
                    tokio::task::yield_now().await;
                }
                Action::Wait => {
                    return Err(Problem::new(
                        Code::Internal,
                        "a replay has come to a point that nobody knows",
                    ));
                }
            }
        }
    }

    /// The answer of a model to a request, or that of the cassette; what differs is noted. Nothing when the cassette has none.
    async fn hear(
        &self,
        replaying: &mut Replaying<'_>,
        (turn, step): (u32, u32),
        recorded: &Turn,
        parts: &Parts,
        meter: &Arc<Meter>,
    ) -> Result<Option<Value>, Problem> {
        let exchange = recorded.exchanges.get(step as usize - 1);
        if let Some(exchange) = exchange {
            block_in_place(|| replaying.compare((turn, step), exchange, parts));
        }
        let before = exchange.map(|exchange| replaying.cassette.content(&exchange.answer));
        let Some(llm) = replaying.llm.clone() else {
            if before.is_none() && recorded.state == TurnState::Complete {
                let told = "the agent would ask its model once more, and the cassette has no answer to that";
                replaying.differs(turn, Some(step), Part::End, told.to_owned());
            }
            return Ok(before.cloned());
        };
        let Said { reply, llm, .. } = self.ask_once(replaying, &llm, parts).await?;
        // What is bought counts as it does in a chat.
        let tokens = taken(&reply, || estimate::of_json(&parts.body()));
        meter.answered(tokens, self.cost(&llm, tokens).as_ref());
        let mut now = written(&reply);
        let spoken = if reply.text.is_empty() {
            &reply.refusal
        } else {
            &reply.text
        };
        now["text"] = match reply.calls.is_empty() {
            true => json!(shown(spoken, &reply.reasoning, reply.finish.as_chat())),
            false => json!(spoken),
        };
        match before {
            None => {
                let told = "the model is asked once more than when it was recorded";
                replaying.differs(turn, Some(step), Part::Answer, told.to_owned());
            }
            Some(before) => {
                let told = replaying.cassette.kept(now.clone()).1;
                block_in_place(|| {
                    let (at, calls) = ((turn, step), (&wanted(before), &wanted(&told)));
                    replaying.hold(at, Part::Calls, calls);
                    replaying.hold(at, Part::Answer, (&before["text"], &told["text"]));
                });
            }
        }
        Ok(Some(now))
    }

    async fn ask_once(&self, replaying: &Replaying<'_>, llm: &Name, parts: &Parts) -> Result<Said, Problem> {
        let (caller, known) = (replaying.caller, replaying.known);
        let behalf = Behalf {
            agent: known.name().clone(),
            thread: "replay".to_owned(),
            project: known.spec().project.clone(),
            withdrawn: Withdrawn::default(),
        };
        let trail = Trail::begin(&caller.request_id, None, "chat/completions");
        trail.about(
            "chat/completions",
            Some(Target::of(&ObjectRef::cluster(Kind::Llm, llm.clone()))),
        );
        let principal = self.still(caller, known).await?.principal.principal().clone();
        trail.by(&principal);
        let asking = async {
            let saying = self.0.inference.ask_for(principal, behalf, parts.body()).await?;
            saying.whole().await
        };
        let said = audit::scoped(trail, asking).await;
        let failed = |why: &str| Problem::new(Code::ModelFailed, format!("llm/{llm}: {why}"));
        let said = said.map_err(|unanswered| failed(&unanswered.message))?;
        // Another model's answers would be compared in its name.
        if said.llm != llm.as_str() {
            let why = format!(
                "it does not answer; llm/{} stood in, which was not to be compared",
                said.llm
            );
            return Err(failed(&why));
        }
        Ok(said)
    }

    /// Gives the calls of the last answer their results.
    fn answer_calls(&self, replaying: &mut Replaying<'_>, (turn, step): (u32, u32), recorded: &Turn, places: &[usize]) {
        let wanted = last_answer(&replaying.entries, turn).map(|message| message.tool_calls.clone());
        let wanted = wanted.unwrap_or_default();
        let cassette = replaying.cassette;
        let named = definitions(cassette, recorded, step).map(|definition| (name_of(definition), origin(definition)));
        let named: HashMap<&str, _> = named.collect();
        for call in places.iter().filter_map(|place| wanted.get(*place)) {
            let spec = replaying.known.spec();
            let recorded = replaying.results.take(turn, &call.name, &call.arguments);
            let behind = named.get(call.name.as_str()).copied().flatten();
            let behind = behind.or_else(|| recorded.and_then(Call::origin));
            let (state, text) = match recorded {
                _ if behind.is_some_and(|(server, tool)| !spec.allows_tool(server, tool)) => {
                    let told = format!("agent/{} may not call {} any more", replaying.known.name(), call.name);
                    replaying.differs(turn, None, Part::Calls, told);
                    (CallState::Error, NOT_OFFERED)
                }
                Some(Call { state, result, .. }) => (*state, result.as_str()),
                None => {
                    let told = format!(
                        "{} is called with {}, which is not on the cassette",
                        call.name,
                        cassette.kept(Value::Object(call.arguments.clone())).1
                    );
                    replaying.differs(turn, None, Part::Calls, told);
                    (CallState::Error, NOT_RECORDED)
                }
            };
            let mut entry = self.entry(turn, Role::Tool, text);
            entry.message.result = Some(ToolResult {
                id: call.id.clone(),
                name: call.name.clone(),
                state,
                text: text.to_owned(),
                left_out: None,
                took_ms: None,
            });
            replaying.entries.push(entry);
        }
    }

    fn entry(&self, turn: u32, role: Role, text: &str) -> Entry {
        Entry {
            message: Message {
                turn,
                ..self.said(role, text)
            },
            signed: None,
        }
    }

    /// An answer as a message of the thread.
    fn heard(&self, answer: &Value, turn: u32, iteration: u32) -> Entry {
        let calls = answer["toolCalls"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let ids = calls.iter().map(|call| text(&call["id"])).collect();
        let ids = with_ids(ids, turn, iteration);
        let mut entry = self.entry(turn, Role::Assistant, &text(&answer["text"]));
        let calls = calls.iter().zip(ids).map(|(call, id)| ToolCall {
            id,
            name: text(&call["name"]),
            server: None,
            tool: None,
            arguments: arguments(&text(&call["arguments"])),
        });
        entry.message.tool_calls = calls.collect();
        entry.signed = answer.get("thinkingBlocks").cloned();
        entry
    }
}

impl Replaying<'_> {
    fn differs(&mut self, turn: u32, step: Option<u32>, part: Part, diff: String) {
        let told = self.room;
        self.room = self.room.saturating_sub(diff.len() + 64);
        let diff = match (told, self.room) {
            (0, _) => return,
            (_, 0) => "there are more differences, which are left out".to_owned(),
            (_, _) => diff,
        };
        self.differences.push(Difference { turn, step, part, diff });
    }

    /// Whether nothing was said yet of that part in that turn.
    fn is_news(&self, turn: u32, part: Part) -> bool {
        let is_said = |difference: &Difference| difference.turn == turn && difference.part == part;
        !self.differences.iter().any(is_said)
    }

    /// Notes what a request tells the model that it did not when it was recorded.
    fn compare(&mut self, at: (u32, u32), exchange: &Exchange, parts: &Parts) {
        let (turn, step) = at;
        let cassette = self.cassette;
        for (part, before, now) in [
            (Part::System, &exchange.system, json!(parts.system)),
            (Part::Params, &exchange.params, Value::Object(parts.parameters())),
            (Part::Tools, &exchange.tools, json!(parts.tools)),
        ] {
            let (hash, now) = cassette.kept(now);
            // What a turn is told first is told with each of its requests.
            if *before != hash && (step == 1 || self.is_news(turn, part)) {
                self.hold(at, part, (cassette.content(before), &now));
            }
        }
        if self.llm.is_none() {
            // What stood in the request before was compared with that.
            let same = (exchange.same as usize).min(parts.messages.len());
            let before: Vec<&Value> = exchange.messages.iter().map(|hash| cassette.content(hash)).collect();
            let news = parts.messages[same..].iter();
            let now: Vec<Value> = news.map(|message| cassette.kept(message.clone()).1).collect();
            self.hold(at, Part::Messages, (&json!(before), &json!(now)));
        }
    }

    /// Notes how one content differs from another, if it does and there is room to say so.
    fn hold(&mut self, (turn, step): (u32, u32), part: Part, (before, now): (&Value, &Value)) {
        if self.room == 0 {
            return;
        }
        let began = Instant::now();
        let diff = difference(before, now, self.patience.min(diff::PATIENCE));
        self.patience = self.patience.saturating_sub(began.elapsed());
        if let Some(diff) = diff {
            self.differs(turn, Some(step), part, diff);
        }
    }

    /// The tools that were recorded, as far as the agent may call them.
    fn tools(&self, turn: &Turn, step: u32) -> Vec<Value> {
        let spec = self.known.spec();
        let may_call =
            |definition: &&Value| origin(definition).is_some_and(|(server, tool)| spec.allows_tool(server, tool));
        let tools = definitions(self.cassette, turn, step);
        tools.filter(may_call).cloned().collect()
    }
}

/// The definitions of tools that a request of a turn was recorded with; those of its last one where there were fewer requests.
fn definitions<'c>(cassette: &'c Cassette, turn: &Turn, step: u32) -> impl Iterator<Item = &'c Value> {
    let exchanges = &turn.exchanges;
    let exchange = exchanges
        .get((step as usize).wrapping_sub(1))
        .or_else(|| exchanges.last());
    let tools = exchange.map(|exchange| cassette.content(&exchange.tools));
    tools.and_then(Value::as_array).into_iter().flatten()
}

/// What the model calls the tool of a definition.
fn name_of(definition: &Value) -> &str {
    definition["function"]["name"].as_str().unwrap_or_default()
}

/// The calls that an answer wants, without what differs each time.
fn wanted(answer: &Value) -> Value {
    let calls = answer["toolCalls"].as_array().into_iter().flatten();
    let told = calls.map(|call| {
        let arguments: Map<String, Value> = arguments(call["arguments"].as_str().unwrap_or_default());
        json!({"name": call["name"], "arguments": arguments})
    });
    told.collect()
}
