//! Asking the model of an agent: what it is told, what it says, and what is done when that has become too long for it.

use std::sync::Arc;
use std::time::Duration;

use orch_shared::audit::Target;
use orch_shared::chat::{Event, Message, Role, Summarised, ToolCall};
use orch_shared::inference::chat::{Finish, Piece, Reply};
use orch_shared::inference::estimate;
use orch_shared::kind::Kind;
use orch_shared::kinds::llm::Llm;
use orch_shared::money::Money;
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::system::{self, Text};
use orch_shared::usage::Tokens;
use serde_json::{Map, Value, json};

use super::compaction;
use super::history::{Entry, conversation, with_ids};
use super::meter::usage;
use super::request::Parts;
use super::turn::{Failure, State, Working, kept, shown};
use super::{Agents, Caller, request};
use crate::audit::{self, Trail};
use crate::inference::{Said, Unanswered};
use crate::store::{Exchange, NewMessage, Step};

/// Status of an answer that says that too much was asked.
const TOO_MANY: u16 = 429;
/// It is not tried again before that.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

impl Agents {
    /// Asks the model once, and writes down what it says.
    pub(super) async fn ask(&self, working: &Arc<Working>, state: &mut State, iteration: u32) -> Result<(), Failure> {
        let mut was_too_long = false;
        loop {
            let parts = self.parts(working, state);
            let body = parts.body();
            let window = self.window(&parts.llm);
            let size = estimate::of_json(&body);
            if !compaction::fits(size, window, working.params.max_tokens) {
                self.compact(working, state, window).await?;
                continue;
            }
            working.meter.asked();
            let said = match self.say_in_time(working, &body, iteration).await? {
                Ok(said) => said,
                Err(unanswered) => {
                    let Unanswered {
                        status, code, message, ..
                    } = &unanswered;
                    if compaction::is_too_long(*status, code, message) && !was_too_long {
                        was_too_long = true;
                        self.compact(working, state, None).await?;
                        continue;
                    }
                    let is_limit = *status == TOO_MANY;
                    let problem = problem_of(unanswered);
                    return Err(match is_limit {
                        // What was done until now is not done again once the limit allows to go on.
                        true => Failure::Passing(Box::new(problem)),
                        false => problem.into(),
                    });
                }
            };
            return self.answered(working, state, iteration, &parts, size, said).await;
        }
    }

    /// Asks, and waits where the model may be asked again within the time that the turn has left. Only a turn waits that has
    /// done something already, or works for one that has: whoever has just begun one is told at once.
    async fn say_in_time(
        &self,
        working: &Working,
        body: &str,
        iteration: u32,
    ) -> Result<Result<Said, Unanswered>, Failure> {
        let is_begun = iteration > 1 || working.lineage.asked_by.is_some();
        loop {
            let caller = self.still(&working.caller, &working.known).await?;
            let said = self.say(working, &caller, body.to_owned(), Some(iteration)).await;
            let pause = match &said {
                Err(unanswered) if is_begun && unanswered.status == TOO_MANY => unanswered.retry_after,
                Ok(_) | Err(_) => None,
            };
            let Some(pause) = pause.filter(|pause| *pause < working.meter.left()) else {
                return Ok(said);
            };
            let pause = pause.max(SHORTEST_PAUSE);
            let (thread, turn) = (&working.held.thread, working.turn);
            tracing::debug!(thread, turn, ?pause, "the model of an agent may be asked again later");
            tokio::time::sleep(pause).await;
        }
    }

    fn parts(&self, working: &Working, state: &State) -> Parts {
        let wording = self.0.gateway.wording(Text::ThreadSummarised);
        Parts {
            llm: working.known.spec().llm.to_string(),
            system: working.system.clone(),
            tools: state.toolbox.definitions(),
            params: working.params.clone(),
            messages: conversation(&state.entries, working.turn, &wording),
        }
    }

    fn llm(&self, name: &str) -> Option<Llm> {
        let object = ObjectRef::cluster(Kind::Llm, name.parse().ok()?);
        self.0.store.snapshot().get(&object)?.spec::<Llm>().cloned()
    }

    /// How many tokens a model takes, where that is declared.
    fn window(&self, llm: &str) -> Option<u64> {
        self.llm(llm)?.context_window
    }

    /// Asks, and tells what comes as it comes; nothing of that where nobody is to hear it.
    async fn say(
        &self,
        working: &Working,
        caller: &Caller,
        body: String,
        iteration: Option<u32>,
    ) -> Result<Said, Unanswered> {
        let principal = caller.principal.principal().clone();
        let trail = Trail::begin(&caller.request_id, None, "chat/completions");
        trail.about("chat/completions", Some(Target::of(&working.known.object.object)));
        trail.by(&principal);
        let asking = async {
            let mut saying = self.0.inference.ask_for(principal, working.behalf(), body).await?;
            while let Some(piece) = saying.piece().await {
                let Some(iteration) = iteration else { continue };
                working.tell(match piece {
                    Piece::Text(text) => Event::Text { iteration, text },
                    Piece::Thinking(text) => Event::Thinking { iteration, text },
                });
            }
            saying.finish()
        };
        audit::scoped(trail, asking).await
    }

    /// Counts what an answer has taken; what is not told is estimated.
    fn count(&self, working: &Working, said: &Said, size: u64) {
        let tokens = taken(&said.reply, || size);
        working.meter.answered(tokens, self.cost(&said.llm, tokens).as_ref());
    }

    /// What tokens of a model cost, where that is declared.
    pub(super) fn cost(&self, llm: &str, tokens: Tokens) -> Option<Money> {
        let pricing = self.llm(llm)?.pricing?;
        Some(tokens.cost(&pricing))
    }

    async fn answered(
        &self,
        working: &Working,
        state: &mut State,
        iteration: u32,
        parts: &Parts,
        size: u64,
        said: Said,
    ) -> Result<(), Failure> {
        self.count(working, &said, size);
        let message = self.message(working, state, iteration, &said);
        let signed = Some(&said.reply.thinking_blocks).filter(|blocks| !blocks.is_empty());
        let signed = signed.map(|blocks| json!(blocks));
        let spoken = NewMessage {
            role: "assistant",
            state: "complete",
            message: kept(&message),
            signed: signed.as_ref().map(Value::to_string),
        };
        let number = self.write(working, state, "answer", (parts, &said), spoken).await?;
        state.entries.push(Entry {
            message: Message {
                number,
                turn: working.turn,
                ..message
            },
            signed,
        });
        working.tell(Event::Usage(usage(&working.meter.spent())));
        Ok(())
    }

    /// Writes an answer of a model down, with all that it was made of; the number of its message.
    async fn write(
        &self,
        working: &Working,
        state: &mut State,
        purpose: &str,
        (parts, said): (&Parts, &Said),
        message: NewMessage,
    ) -> Result<i64, Failure> {
        let mut contents = parts.contents();
        let answer = recorded(&said.reply).to_string();
        let hash = request::hash(&answer);
        contents.contents.push((hash.clone(), answer));
        state.exchanges += 1;
        let step = Step {
            exchange: Some(Exchange {
                step: state.exchanges,
                purpose: purpose.to_owned(),
                llm: said.llm.clone(),
                system: contents.system,
                tools: contents.tools,
                params: contents.params,
                messages: contents.messages,
                answer: hash,
            }),
            contents: contents.contents,
            messages: vec![message],
            spent: working.meter.spent(),
        };
        let numbers = self
            .0
            .store
            .step_turn(&working.held, step)
            .await?
            .ok_or(Failure::Lost)?;
        Ok(numbers.first().copied().unwrap_or_default())
    }

    /// What a model has said, as a message of the thread.
    fn message(&self, working: &Working, state: &State, iteration: u32, said: &Said) -> Message {
        let Reply {
            reasoning,
            text,
            refusal,
            calls,
            finish,
            ..
        } = &said.reply;
        let ids = with_ids(
            calls.iter().map(|call| call.id.clone()).collect(),
            working.turn,
            iteration,
        );
        let tool_calls = calls.iter().zip(ids).map(|(call, id)| {
            let offered = state.toolbox.find(&call.name).map(|offer| &offer.offered);
            ToolCall {
                id,
                name: call.name.clone(),
                server: offered.map(|offered| offered.server.clone()),
                tool: offered.map(|offered| offered.tool.clone()),
                arguments: arguments(&call.arguments),
            }
        });
        let tool_calls: Vec<ToolCall> = tool_calls.collect();
        let spoken = if text.is_empty() { refusal } else { text };
        let is_silent = tool_calls.is_empty() && spoken.trim().is_empty() && !reasoning.is_empty();
        let text = match tool_calls.is_empty() {
            true => shown(spoken, reasoning, finish.as_chat()),
            false => spoken.clone(),
        };
        Message {
            tool_calls,
            llm: said.llm.parse().ok(),
            stop_reason: Some(finish.as_chat().to_owned()),
            from_reasoning: is_silent,
            truncated: *finish == Finish::Length,
            ..self.said(Role::Assistant, &text)
        }
    }

    /// Has older turns told in a summary from now on; of those that the window leaves no room for, or of all.
    async fn compact(&self, working: &Arc<Working>, state: &mut State, window: Option<u64>) -> Result<(), Failure> {
        let weights = compaction::weights(&state.entries, working.turn);
        let Some(turns) = compaction::choose(&weights, window) else {
            let llm = &working.known.spec().llm;
            let detail =
                format!("what this turn tells llm/{llm} is more than it takes, and there is nothing to sum up");
            return Err(Problem::new(Code::ContextFull, detail).into());
        };
        // One summary stands for everything before it, with what the one before stood for.
        let turns = Summarised { from: 1, ..turns };
        let conversation =
            compaction::transcript(&state.entries, turns, self.window(working.known.spec().llm.as_str()));
        let asked = system::fill(
            &self.0.gateway.wording(Text::ThreadSummary),
            &[("conversation", &conversation)],
        );
        let parts = Parts {
            llm: working.known.spec().llm.to_string(),
            system: String::new(),
            tools: vec![],
            params: orch_shared::kinds::agent::Params::default(),
            messages: vec![json!({"role": "user", "content": asked})],
        };
        let body = parts.body();
        let size = estimate::of_json(&body);
        let caller = self.still(&working.caller, &working.known).await?;
        let said = self.say(working, &caller, body, None).await;
        let said = said.ok().filter(|said| !said.reply.text.trim().is_empty());
        let text = match &said {
            Some(said) => said.reply.text.clone(),
            None => compaction::outline(&state.entries, turns),
        };
        let summary = Message {
            summarises: Some(turns),
            llm: said.as_ref().and_then(|said| said.llm.parse().ok()),
            ..self.said(Role::Summary, &text)
        };
        let written = NewMessage {
            role: "summary",
            state: "complete",
            message: kept(&summary),
            signed: None,
        };
        let number = match &said {
            Some(said) => {
                self.count(working, said, size);
                self.write(working, state, "summary", (&parts, said), written).await?
            }
            None => {
                let step = Step {
                    messages: vec![written],
                    spent: working.meter.spent(),
                    ..Step::default()
                };
                let numbers = self
                    .0
                    .store
                    .step_turn(&working.held, step)
                    .await?
                    .ok_or(Failure::Lost)?;
                numbers.first().copied().unwrap_or_default()
            }
        };
        state.entries.push(Entry {
            message: Message {
                number,
                turn: working.turn,
                ..summary
            },
            signed: None,
        });
        working.tell(Event::Compacted {
            from: turns.from,
            to: turns.to,
            text,
        });
        Ok(())
    }
}

/// What an answer has taken; what is not told is estimated, the request from its size in tokens.
pub(super) fn taken(reply: &Reply, size: impl FnOnce() -> u64) -> Tokens {
    let count = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    match &reply.usage {
        Some(used) => Tokens {
            input: count(used.input),
            cached: count(used.cached),
            output: count(used.output),
        },
        None => Tokens {
            input: count(size()),
            cached: 0,
            output: count(estimate::of_text(&reply.text)),
        },
    }
}

/// An answer as it is written down: all of it but what the model thought, unless the provider wants that back.
pub(super) fn recorded(reply: &Reply) -> Value {
    let calls = reply.calls.iter();
    let calls: Vec<Value> = calls
        .map(|call| json!({"id": call.id, "name": call.name, "arguments": call.arguments}))
        .collect();
    let mut answer = json!({"text": reply.text, "toolCalls": calls, "finishReason": reply.finish.as_chat()});
    if !reply.refusal.is_empty() {
        answer["refusal"] = json!(reply.refusal);
    }
    if !reply.thinking_blocks.is_empty() {
        answer["thinkingBlocks"] = json!(reply.thinking_blocks);
    }
    if let Some(used) = reply.usage {
        answer["usage"] = json!({"input": used.input, "cached": used.cached, "output": used.output});
    }
    answer
}

/// The member that arguments stand in that are no JSON object.
pub(super) const UNREADABLE: &str = "_unreadable";

/// The arguments of a call. Those that are no object are kept as text, and the tool is not called with them.
pub(super) fn arguments(text: &str) -> Map<String, Value> {
    if text.trim().is_empty() {
        return Map::new();
    }
    serde_json::from_str(text).unwrap_or_else(|_| {
        let mut unreadable = Map::new();
        unreadable.insert(UNREADABLE.to_owned(), json!(text));
        unreadable
    })
}

/// Why the model says nothing, for whoever speaks to the agent.
fn problem_of(unanswered: Unanswered) -> Problem {
    let Unanswered {
        status,
        message,
        retry_after,
        ..
    } = unanswered;
    let code = match status {
        402 => Code::TurnBudget,
        TOO_MANY => Code::TooMany,
        403 => Code::Forbidden,
        _ => Code::ModelFailed,
    };
    let problem = Problem::new(code, message);
    match retry_after {
        Some(after) => problem.retry_after(after.as_secs().max(1)),
        None => problem,
    }
}
