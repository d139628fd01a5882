//! How a turn begins: who may have it, what the model is told first, and that it is written down before anything is done.

use std::collections::HashSet;
use std::sync::Arc;

use orch_shared::access::Role as Right;
use orch_shared::chat::{self, Answer, Event, Message, Role};
use orch_shared::excerpt;
use orch_shared::kind::Kind;
use orch_shared::kinds::agent::{Agent, Params};
use orch_shared::kinds::personality::Personality;
use orch_shared::kinds::prompt::Prompt;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::problem::{Code, Problem};
use orch_shared::publishing::PublicationState;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::block::{Block, Part};
use super::delegation::Lineage;
use super::meter::Meter;
use super::next::Bounds;
use super::owner::{Known, Owner, no_thread};
use super::request;
use super::running::{Place, Tie};
use super::turn::{Working, kept};
use super::{Agents, Caller};
use crate::audit::{Tenure, Withdrawn};
use crate::store::{
    AskedBy, Began, Begin, Ending, HeldTurn, NewMessage, NewThread, Object, Resumed, Snapshot, Spent, Thread, Turn,
};

/// So many characters of the first message are the title of a thread that has none.
const TITLE: usize = 80;

/// What is asked besides the message, as it is written down with the turn.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) params: Option<Params>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) system_append: Option<String>,
}

/// A turn that is under way, for whoever it is told. Letting go of it cancels the turn, unless it was asked to go on.
pub struct Attached {
    /// The thread.
    pub thread: String,
    /// The turn.
    pub turn: u32,
    agent_uid: Arc<str>,
    withdrawn: Withdrawn,
    events: mpsc::UnboundedReceiver<Event>,
    _tie: Option<Tie>,
}

impl Attached {
    /// What happens next; nothing behind the last event.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// As long as what happens may be told: whoever speaks to the agent may run it. What is told to nobody ends the turn that was
    /// not asked to go on.
    #[must_use]
    pub fn tenure(&self) -> Tenure {
        let agent = Arc::clone(&self.agent_uid);
        let tenure = Tenure::new(move |principal, snapshot| {
            let agent = snapshot.by_uid(&agent);
            agent.is_none_or(|agent| snapshot.decide(principal, Right::Run, agent).is_allowed)
        });
        tenure.noting(self.withdrawn.clone())
    }

    /// The answer, once it is there.
    ///
    /// # Errors
    /// Why the turn came to nothing.
    pub async fn answer(&mut self) -> Result<Answer, Problem> {
        while let Some(event) = self.next().await {
            match event {
                Event::Final(answer) => return Ok(answer),
                Event::Error { problem, .. } => return Err(problem),
                Event::Turn { .. }
                | Event::Text { .. }
                | Event::Thinking { .. }
                | Event::ToolCall(_)
                | Event::ToolResult(_)
                | Event::Usage(_)
                | Event::Compacted { .. } => {}
            }
        }
        Err(Problem::new(Code::Internal, "the turn has ended without a word"))
    }
}

/// Whether a turn goes on without its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Without {
    GoesOn,
    Ends,
}

impl From<bool> for Without {
    fn from(detach: bool) -> Self {
        if detach { Self::GoesOn } else { Self::Ends }
    }
}

impl Agents {
    /// Begins a turn, and a thread if the request names none.
    ///
    /// # Errors
    /// When whoever asks may not, what they ask makes no sense, or there is a turn under way.
    pub async fn chat(&self, caller: Caller, agent: &str, request: chat::Request) -> Result<Attached, Problem> {
        let known = self.agent(&caller.principal, agent)?;
        self.speak(caller, known, request, Lineage::default()).await
    }

    /// Begins a turn with an agent that may be run.
    pub(super) async fn speak(
        &self,
        caller: Caller,
        known: Known,
        request: chat::Request,
        lineage: Lineage,
    ) -> Result<Attached, Problem> {
        check(&request)?;
        request::check(request.params.as_ref(), "params", known.spec().has_tools())?;
        there(&known)?;
        let principal = &caller.principal;
        let thread = match &request.thread_id {
            None => None,
            Some(id) => {
                let (thread, of) = self.thread_of(principal, id).await?;
                if of.object.uid != known.object.uid {
                    return Err(no_thread(id));
                }
                Some(thread.id)
            }
        };
        let id = thread.clone().unwrap_or_else(|| self.fresh_id());
        let place = self.place(&id)?;
        let snapshot = self.0.store.snapshot();
        let personality = self.personality(&snapshot, &known, request.personality.as_ref())?;
        let append = request.system_append.clone();
        let system = self.told_first(&snapshot, &caller, &known, (personality.as_deref(), append));
        let system = self.0.shutdown.run_until_cancelled(system).await;
        let system =
            system.ok_or_else(|| Problem::new(Code::ShuttingDown, "the daemon ends; the turn has not begun"))?;
        let content = request::system_content(&system);
        let asked = Asked {
            params: request.params.clone(),
            system_append: request.system_append.clone(),
        };
        let owner = Owner::of(principal, &snapshot);
        let begin = Begin {
            new: thread.is_none().then(|| NewThread {
                id: id.clone(),
                agent_uid: known.object.uid.to_string(),
                owner: owner.key,
                owner_uid: owner.uid,
                title: None,
                most: chat::MOST_THREADS,
            }),
            thread: id.clone(),
            run: self.0.run.clone(),
            personality: personality
                .as_ref()
                .map(|personality| personality.object.name.to_string()),
            request: serde_json::to_string(&asked).expect("plain data"),
            system: (request::hash(&content), content),
            message: NewMessage {
                role: "user",
                state: "complete",
                message: kept(&self.said(Role::User, &request.message)),
                signed: None,
            },
            title: title(&request.message),
            most: i64::from(chat::MOST_TURNS),
            asked_by: lineage.asked_by.clone(),
        };
        let turn = self.begun(begin).await?;
        let params = request::merged(known.spec().default_params.as_ref(), request.params.as_ref());
        let beginning = Beginning {
            caller,
            known,
            params,
            system,
            spent: Spent::default(),
            lineage,
            without: Without::from(request.detach),
        };
        Ok(self.start(place, id, turn, beginning))
    }

    /// The place of the turn in a thread, where no other one has it.
    fn place(&self, thread: &str) -> Result<Place, Problem> {
        self.0.running.begin(thread).map_err(|_| under_way(thread))
    }

    /// The number of a turn once it is written down. Its place in the thread is taken.
    async fn begun(&self, begin: Begin) -> Result<i64, Problem> {
        loop {
            return match self.0.store.begin_turn(begin.clone()).await? {
                Began::Turn(turn) => Ok(turn),
                Began::Gone => Err(no_thread(&begin.thread)),
                Began::ManyThreads => Err(full("threads with this agent", chat::MOST_THREADS)),
                Began::ManyTurns => Err(full("turns in this thread", i64::from(chat::MOST_TURNS))),
                Began::UnderWay => match self.let_go(&begin.thread).await? {
                    true => continue,
                    false => Err(under_way(&begin.thread)),
                },
            };
        }
    }

    /// Notes that a turn has ended which this run holds and nobody works at, since its end could not be written down. Whoever
    /// calls this has the place in the thread.
    pub(super) async fn let_go(&self, thread: &str) -> Result<bool, Problem> {
        let Some(known) = self.0.store.thread(thread).await? else {
            return Ok(false);
        };
        let held = HeldTurn {
            thread: thread.to_owned(),
            turn: known.turns,
            run: self.0.run.clone(),
        };
        let ending = Ending {
            state: "interrupted",
            calls: "pending",
            problem: None,
            spent: None,
        };
        Ok(self.0.store.end_turn(&held, ending).await?)
    }

    /// Goes on with the latest turn of a thread, which was interrupted.
    ///
    /// # Errors
    /// When there is no such turn for whoever asks.
    pub async fn resume(&self, caller: Caller, thread: &str, request: chat::Resume) -> Result<Attached, Problem> {
        let (thread, known) = self.thread_of(&caller.principal, thread).await?;
        let place = self.place(&thread.id)?;
        let turn = loop {
            self.by_itself(&thread).await?;
            match self.0.store.resume_turn(&thread.id, &self.0.run).await? {
                Resumed::Turn(turn) => break turn,
                Resumed::UnderWay if self.let_go(&thread.id).await? => {}
                Resumed::UnderWay => return Err(under_way(&thread.id)),
                Resumed::None => {
                    let problem = Problem::new(Code::NoTurn, "the latest turn of the thread was not interrupted");
                    return Err(problem.suggest("say something new instead"));
                }
            }
        };
        let row = self.0.store.turns(&thread.id, turn, turn).await?.pop();
        let row = row.ok_or_else(|| no_thread(&thread.id))?;
        let content = self
            .0
            .store
            .thread_content(&thread.id, &row.system)
            .await?
            .unwrap_or_default();
        let asked: Asked = serde_json::from_str(&row.request).unwrap_or_default();
        let params = request::merged(known.spec().default_params.as_ref(), asked.params.as_ref());
        let beginning = Beginning {
            caller,
            known,
            params,
            system: serde_json::from_str(&content).unwrap_or_default(),
            spent: row.spent,
            lineage: Lineage::default(),
            without: Without::from(request.detach),
        };
        Ok(self.start(place, thread.id, turn, beginning))
    }

    /// That the latest turn of a thread works for nobody else's: what it may still use, and who stands in the row before it, is
    /// known to the one that has asked for it alone.
    async fn by_itself(&self, thread: &Thread) -> Result<(), Problem> {
        let turn = self.0.store.turns(&thread.id, thread.turns, thread.turns).await?.pop();
        // One that is told to be under way may be found interrupted before it is taken up.
        let is_over = |turn: &Turn| chat::TurnState::named(&turn.state).is_some_and(chat::TurnState::is_over);
        let asked_by = turn.filter(|turn| !is_over(turn)).and_then(|turn| turn.asked_by);
        let Some(AskedBy { thread, turn }) = asked_by else {
            return Ok(());
        };
        let detail =
            format!("the turn was asked for by turn {turn} of the thread {thread}, and is not resumed by itself");
        let hint = format!("go on with that one: POST /api/v1/threads/{thread}/resume; or say something new");
        Err(Problem::new(Code::NoTurn, detail).suggest(hint))
    }

    /// Has a turn worked at that is held.
    fn start(&self, place: Place, thread: String, turn: i64, beginning: Beginning) -> Attached {
        let Beginning {
            caller,
            known,
            params,
            system,
            spent,
            lineage,
            without,
        } = beginning;
        let (events, told) = mpsc::unbounded_channel();
        let (agent_uid, withdrawn) = (Arc::clone(&known.object.uid), lineage.withdrawn.clone());
        let number = u32::try_from(turn).unwrap_or(u32::MAX);
        // Nobody may have let go of it yet.
        let _ = events.send(Event::Turn {
            thread_id: thread.clone(),
            turn: number,
        });
        let meter = Meter::new(Bounds::of(known.spec()), spent, lineage.meter.clone());
        let working = Working {
            held: HeldTurn {
                thread: thread.clone(),
                turn,
                run: self.0.run.clone(),
            },
            turn: number,
            lineage: lineage.with(known.name().clone()),
            known,
            caller,
            params,
            system,
            meter,
            events,
        };
        let tie = match without {
            Without::GoesOn => None,
            Without::Ends => Some(Tie {
                going: Arc::clone(place.going()),
                withdrawn: withdrawn.clone(),
            }),
        };
        drop(tokio::spawn(self.clone().work(Arc::new(working), place)));
        Attached {
            thread,
            turn: number,
            agent_uid,
            withdrawn,
            events: told,
            _tie: tie,
        }
    }

    /// A message, said now.
    pub(super) fn said(&self, role: Role, text: &str) -> Message {
        Message {
            number: 0,
            turn: 0,
            role,
            at: self.0.store.clock().now(),
            text: text.to_owned(),
            tool_calls: vec![],
            result: None,
            llm: None,
            stop_reason: None,
            from_reasoning: false,
            truncated: false,
            summarises: None,
        }
    }

    /// The personality that an agent takes on: the one that is asked for, or else its own default.
    pub(super) fn personality(
        &self,
        snapshot: &Snapshot,
        known: &Known,
        wanted: Option<&Name>,
    ) -> Result<Option<Arc<Object>>, Problem> {
        let Some(name) = wanted.or(known.spec().default_personality.as_ref()) else {
            return Ok(None);
        };
        let object = ObjectRef {
            kind: Kind::Personality,
            scope: Scope::Agent(known.name().clone()),
            name: name.clone(),
        };
        let found = snapshot.get(&object).filter(|found| found.deleting_since.is_none());
        match found {
            Some(found) => Ok(Some(Arc::clone(found))),
            None => {
                let agent = known.name();
                let detail = format!("agent/{agent} has no personality `{name}`");
                let hint = format!("those it has: orchctl get personalities --agent {agent}");
                Err(Problem::new(Code::NotFound, detail).suggest(hint))
            }
        }
    }

    /// What the model is told first.
    pub(super) async fn told_first(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        known: &Known,
        (personality, append): (Option<&Object>, Option<String>),
    ) -> String {
        let spec = known.spec();
        let agent = Scope::Agent(known.name().clone());
        let project = spec.project.clone().map(Scope::Project);
        let prompts = || {
            let all = snapshot.of_kind(Kind::Prompt);
            all.filter(|prompt| prompt.deleting_since.is_none())
        };
        let of_scope = |scope: Option<&Scope>| -> Vec<(u32, Arc<Object>)> {
            let own = prompts().filter(|prompt| Some(&prompt.object.scope) == scope);
            own.map(|prompt| (prompt.spec::<Prompt>().map_or(0, Prompt::rank), Arc::clone(prompt)))
                .collect()
        };
        let (of_agent, of_project) = (of_scope(Some(&agent)), of_scope(project.as_ref()));
        let told: HashSet<&Arc<str>> = of_agent
            .iter()
            .chain(&of_project)
            .map(|(_, prompt)| &prompt.uid)
            .collect();
        let chosen = personality.and_then(|personality| personality.spec::<Personality>()?.prompts.as_ref());
        let chosen = chosen.into_iter().flatten().filter_map(|chosen| {
            let places = chosen.places(known.name(), spec.project.as_ref());
            let found = places.iter().find_map(|place| {
                let found = snapshot.get(place)?;
                found.deleting_since.is_none().then_some(found)
            })?;
            // What is told already is not told twice.
            let is_news = !told.contains(&found.uid);
            is_news.then(|| Some((chosen.rank(found.spec::<Prompt>()?), Arc::clone(found))))?
        });
        let of_personality: Vec<_> = chosen.collect();
        let parts = |prompts: Vec<(u32, Arc<Object>)>| async move {
            let reading = prompts.iter().map(|(priority, prompt)| async move {
                Part {
                    priority: *priority,
                    name: prompt.object.name.to_string(),
                    text: self.0.gateway.prompt_text(&caller.principal, prompt).await,
                }
            });
            futures_util::future::join_all(reading).await
        };
        let (of_agent, of_project, of_personality) =
            tokio::join!(parts(of_agent), parts(of_project), parts(of_personality));
        Block {
            own: spec.system_prompt.clone(),
            of_agent,
            of_project,
            of_personality,
            append,
        }
        .text()
    }
}

/// What a turn begins with.
struct Beginning {
    caller: Caller,
    known: Known,
    params: Params,
    system: String,
    /// What it has taken before this run of the daemon.
    spent: Spent,
    lineage: Lineage,
    without: Without,
}

fn under_way(thread: &str) -> Problem {
    Problem::new(Code::TurnUnderWay, "a turn of the thread is under way")
        .suggest(format!(
            "wait for its end, or cancel it: POST /api/v1/threads/{thread}/cancel"
        ))
        .retry_after(1)
}

/// There are as many as may be.
pub(super) fn full(what: &str, most: i64) -> Problem {
    Problem::new(
        Code::Full,
        format!("there are {most} {what}, which is as many as there may be"),
    )
    .suggest("delete threads that are not needed, or begin a new one")
}

/// An agent that a client publishes works as long as that client is there.
fn there(known: &Known) -> Result<(), Problem> {
    let status = known.object.status::<Agent>();
    let publication = status.and_then(|status| status.publication.as_ref());
    match publication.filter(|publication| publication.state == PublicationState::Inactive) {
        None => Ok(()),
        Some(publication) => {
            let (agent, publisher) = (known.name(), &publication.publisher);
            let detail = format!("agent/{agent} is published by {publisher}, who is away");
            Err(Problem::new(Code::ModelFailed, detail).retry_after(5))
        }
    }
}

fn check(request: &chat::Request) -> Result<(), Problem> {
    if request.message.trim().is_empty() {
        return Err(Problem::new(
            Code::BadRequest,
            "`message` is empty: nothing is said to the agent",
        ));
    }
    for (field, text) in [
        ("message", Some(&request.message)),
        ("systemAppend", request.system_append.as_ref()),
    ] {
        if text.is_some_and(|text| text.len() > chat::MOST_MESSAGE) {
            let detail = format!("`{field}` is longer than {} KiB", chat::MOST_MESSAGE >> 10);
            return Err(Problem::new(Code::BodyTooLarge, detail));
        }
    }
    Ok(())
}

/// The beginning of a message, as the title of its thread.
fn title(message: &str) -> String {
    let line = message
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let short: String = line.chars().take(TITLE).collect();
    excerpt::printable(match short.len() < line.len() {
        true => format!("{short}…"),
        false => short,
    })
}
