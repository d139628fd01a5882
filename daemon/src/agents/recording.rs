//! Cassettes of threads: what went between an agent, its model and its tools, as the store has it, without keys.

use std::collections::{BTreeSet, HashMap};

use orch_shared::access::Principal;
use orch_shared::cassette::{self, Call, Cassette, Exchange, Seal, Summary, Turn};
use orch_shared::chat::{Message, Role, TurnState};
use orch_shared::problem::{Code, Problem};
use serde_json::{Value, json};

use super::begin::Asked;
use super::owner::Known;
use super::turn::read;
use super::{Agents, Caller};
use crate::mask::Mask;
use crate::store;

/// What the store calls a request to a model to go on.
const ANSWER: &str = "answer";

impl Agents {
    /// The cassette of a thread: its turns that are over.
    ///
    /// # Errors
    /// When there is no such thread for whoever asks, the database cannot be read, or a value that must not be shown is not
    /// known.
    pub async fn cassette(&self, caller: &Caller, id: &str) -> Result<Cassette, Problem> {
        let (thread, known) = self.thread_of(&caller.principal, id).await?;
        self.told_to(&caller.principal, &known)?;
        let store = &self.0.store;
        let contents = store.thread_contents(&thread.id).await?;
        let contents: HashMap<&str, &str> = contents
            .iter()
            .map(|(hash, content)| (hash.as_str(), content.as_str()))
            .collect();
        let rows = store.messages_from(&thread.id, 0).await?;
        let messages: Vec<Message> = rows.iter().filter_map(read).map(|entry| entry.message).collect();
        let calls = messages.iter().flat_map(|message| &message.tool_calls);
        let servers = calls.filter_map(|call| call.server.clone()).collect();
        let (mut turns, mut models) = (Vec::new(), BTreeSet::new());
        for turn in store.turns(&thread.id, 1, thread.turns).await? {
            let Some(state) = TurnState::named(&turn.state).filter(|state| state.is_over()) else {
                continue;
            };
            let exchanges = store.exchanges(&thread.id, turn.turn).await?;
            models.extend(exchanges.iter().filter_map(|exchange| exchange.llm.parse().ok()));
            turns.push((turn, state, exchanges));
        }
        let project = known.spec().project.as_ref();
        let mut tape = Tape {
            mask: self.mask(project, servers, &models).await?,
            cassette: Cassette::of(known.name().clone(), &thread.id),
            kept: HashMap::new(),
            last: Vec::new(),
            called: messages.iter().flat_map(called).collect(),
        };
        for (turn, state, exchanges) in turns {
            let number = u32::try_from(turn.turn).unwrap_or(u32::MAX);
            let said = messages.iter().filter(|message| message.turn == number).collect();
            let recorded = recorded(&mut tape, (&turn, state), (exchanges, &contents), said);
            tape.cassette.turns.push(recorded);
            // Long threads make nobody else wait.
            tokio::task::yield_now().await;
        }
        Ok(tape.cassette.sealed())
    }

    /// That somebody may read what an agent is told first: that is for those who may see the agent.
    pub(super) fn told_to(&self, principal: &Principal, known: &Known) -> Result<(), Problem> {
        if self.0.store.snapshot().shows(&principal.visibility, &known.object) {
            return Ok(());
        }
        let detail = format!(
            "a cassette shows what agent/{} is told, which you may not see",
            known.name()
        );
        Err(Problem::new(Code::Forbidden, detail).suggest("that needs the role `view` on it"))
    }
}

/// A cassette that is being written.
struct Tape {
    /// What it does not show.
    mask: Mask,
    cassette: Cassette,
    /// Contents that are on it, by their hashes in the store.
    kept: HashMap<String, String>,
    /// The messages of the request before.
    last: Vec<String>,
    /// Which server and which tool were called, by what the model calls the tool.
    called: HashMap<String, (String, String)>,
}

impl Tape {
    /// Puts a content of the store on it.
    fn keep(&mut self, hash: &str, contents: &HashMap<&str, &str>) -> String {
        if let Some(kept) = self.kept.get(hash) {
            return kept.clone();
        }
        let mut content = content(hash, contents);
        for definition in content.as_array_mut().into_iter().flatten() {
            self.say_origin(definition);
        }
        let kept = self.keep_value(content);
        self.kept.insert(hash.to_owned(), kept.clone());
        kept
    }

    fn keep_value(&mut self, mut content: Value) -> String {
        self.mask.value(&mut content);
        self.cassette.keep(content)
    }

    fn text(&self, text: &str) -> String {
        self.cassette.text(&self.mask.text(text))
    }

    /// A value that stands on the tape itself.
    fn value(&self, mut value: Value) -> Value {
        self.mask.value(&mut value);
        self.cassette.kept(value).1
    }

    /// Says in a definition of a tool what is behind it, where that was not written down with it: as a call of the tool has it,
    /// or as its name has it.
    fn say_origin(&self, definition: &mut Value) {
        let Some(name) = definition["function"]["name"].as_str().map(str::to_owned) else {
            return;
        };
        if cassette::origin(definition).is_some() {
            return;
        }
        let called = self
            .called
            .get(&name)
            .map(|(server, tool)| (server.as_str(), tool.as_str()));
        if let Some((server, tool)) = called.or_else(|| name.split_once("__")) {
            cassette::say_origin(definition, server, tool);
        }
    }
}

/// What was called in a message: the name of each tool, with its server and what that calls it.
fn called(message: &Message) -> impl Iterator<Item = (String, (String, String))> {
    message.tool_calls.iter().filter_map(|call| {
        let origin = (call.server.as_ref()?.to_string(), call.tool.clone()?);
        Some((call.name.clone(), origin))
    })
}

fn content(hash: &str, contents: &HashMap<&str, &str>) -> Value {
    let known = contents
        .get(hash)
        .and_then(|content| serde_json::from_str(content).ok());
    known.unwrap_or(Value::Null)
}

/// A turn, with its contents put on the cassette, which seals it.
fn recorded(
    tape: &mut Tape,
    (turn, state): (&store::Turn, TurnState),
    (exchanges, contents): (Vec<store::Exchange>, &HashMap<&str, &str>),
    said: Vec<&Message>,
) -> Turn {
    let asked: Asked = serde_json::from_str(&turn.request).unwrap_or_default();
    let answers = said.iter().filter(|message| message.role == Role::Assistant);
    let exchanges = exchanges.into_iter().filter(|exchange| exchange.purpose == ANSWER);
    let exchanges = exchanges.zip(answers).map(|(exchange, message)| {
        let hashes: Vec<String> = serde_json::from_str(&exchange.messages).unwrap_or_default();
        let mut answer = content(&exchange.answer, contents);
        // What is shown when a model says nothing but its thoughts, which are not kept otherwise.
        answer["text"] = json!(message.text);
        let messages: Vec<String> = hashes.iter().map(|hash| tape.keep(hash, contents)).collect();
        let same = messages
            .iter()
            .zip(&tape.last)
            .take_while(|(now, before)| now == before);
        let same = same.count();
        let news = messages[same..].to_vec();
        tape.last = messages;
        Exchange {
            llm: exchange.llm,
            system: tape.keep(&exchange.system, contents),
            tools: tape.keep(&exchange.tools, contents),
            params: tape.keep(&exchange.params, contents),
            same: u32::try_from(same).unwrap_or(u32::MAX),
            messages: news,
            answer: tape.keep_value(answer),
        }
    });
    let exchanges = exchanges.collect();
    let (mut calls, mut summaries, mut answered) = (Vec::new(), Vec::new(), 0);
    for (place, message) in said.iter().enumerate() {
        // Ids of calls are their own within one answer alone.
        let behind = said[place + 1..].iter();
        let of_answer = behind.take_while(|message| message.role != Role::Assistant);
        let results = of_answer.filter_map(|message| message.result.as_ref());
        match message.role {
            Role::User | Role::Tool => {}
            Role::Assistant => {
                answered += 1;
                calls.extend(message.tool_calls.iter().filter_map(|call| {
                    let result = results.clone().find(|result| result.id == call.id)?;
                    let arguments = tape.value(Value::Object(call.arguments.clone()));
                    Some(Call {
                        name: call.name.clone(),
                        server: call.server.clone(),
                        tool: call.tool.clone(),
                        arguments: arguments.as_object().cloned().unwrap_or_default(),
                        state: result.state,
                        result: tape.text(&result.text),
                    })
                }));
            }
            Role::Summary => summaries.extend(message.summarises.map(|turns| Summary {
                after: answered,
                from: turns.from,
                to: turns.to,
                text: tape.text(&message.text),
            })),
        }
    }
    let first = said.iter().find(|message| message.role == Role::User);
    Turn {
        message: first.map(|message| tape.text(&message.text)).unwrap_or_default(),
        personality: turn.personality.as_ref().and_then(|name| name.parse().ok()),
        system_append: asked.system_append.as_deref().map(|text| tape.text(text)),
        params: asked.params.and_then(|params| {
            let told = serde_json::to_value(params).ok()?;
            serde_json::from_value(tape.value(told)).ok()
        }),
        state,
        exchanges,
        summaries,
        calls,
        seal: Seal::default(),
    }
}
