//! Threads as their owners see them: listed, read, renamed, forked, deleted, and what is under way in them cancelled.

use std::collections::HashMap;
use std::time::Duration;

use orch_shared::chat::{
    AskedBy, Create, Fork, ForkedFrom, MOST_THREADS, MOST_TITLE, MessageParameters, Messages, OfferedTools, Rename,
    Thread, ThreadParameters, Threads, Turn, TurnState,
};
use orch_shared::name::Name;
use orch_shared::problem::{Code, Problem};
use tokio::time::timeout;

use super::begin::full;
use super::delegation::Lineage;
use super::meter::usage;
use super::owner::{Owner, no_thread};
use super::running::Why;
use super::turn::read;
use super::{Agents, Caller};
use crate::gateway::Visitor;
use crate::store::{self, Ending, Forked, Inserted, NewThread, ThreadPage};

/// So many are told, unless more are asked for.
const USUAL: u32 = 100;
/// Most at once.
const MOST: u32 = 1000;
/// How long it is waited for the end of a turn that is cancelled.
const PATIENCE: Duration = Duration::from_secs(10);

impl Agents {
    /// What nobody can guess: two ids of their own kind, in one word.
    pub(super) fn fresh_id(&self) -> String {
        let (one, other) = (self.0.store.ids().uid(), self.0.store.ids().uid());
        super::request::hash(&format!("{one} {other}"))[..32].to_owned()
    }

    /// Begins a thread that holds nothing.
    ///
    /// # Errors
    /// When whoever asks may not, or has as many as there may be.
    pub async fn create_thread(&self, caller: &Caller, agent: &str, create: Create) -> Result<Thread, Problem> {
        let known = self.agent(&caller.principal, agent)?;
        let title = create.title.map(titled).transpose()?;
        let owner = Owner::of(&caller.principal, &self.0.store.snapshot());
        let id = self.fresh_id();
        let new = NewThread {
            id: id.clone(),
            agent_uid: known.object.uid.to_string(),
            owner: owner.key,
            owner_uid: owner.uid,
            title,
            most: MOST_THREADS,
        };
        match self.0.store.insert_thread(new).await? {
            Inserted::Made => self.thread(caller, &id).await,
            Inserted::Full => Err(full("threads with this agent", MOST_THREADS)),
        }
    }

    /// The threads that somebody has with an agent.
    ///
    /// # Errors
    /// When whoever asks may not.
    pub async fn list_threads(
        &self,
        caller: &Caller,
        agent: &str,
        parameters: ThreadParameters,
    ) -> Result<Threads, Problem> {
        let known = self.agent(&caller.principal, agent)?;
        let owner = Owner::of(&caller.principal, &self.0.store.snapshot());
        let limit = parameters.limit.unwrap_or(USUAL).clamp(1, MOST);
        let after = parameters.continue_token.as_deref().map(place).transpose()?;
        let page = ThreadPage {
            owner: owner.key,
            agent_uid: known.object.uid.to_string(),
            after,
            limit: i64::from(limit) + 1,
        };
        let mut rows = self.0.store.threads(&page).await?;
        let is_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let last = rows.last().filter(|_| is_more);
        let continue_token = last.map(|row| format!("{}-{}", row.updated_at.millis(), row.id));
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let mut latest: HashMap<String, store::Turn> = self.0.store.latest_turns(&ids).await?.into_iter().collect();
        let items = rows.into_iter().map(|row| {
            let turn = latest.remove(&row.id);
            told(row, known.name(), turn.map(|turn| self.turn_told(&turn)))
        });
        Ok(Threads {
            items: items.collect(),
            continue_token,
        })
    }

    /// A thread.
    ///
    /// # Errors
    /// When there is none for whoever asks.
    pub async fn thread(&self, caller: &Caller, id: &str) -> Result<Thread, Problem> {
        let (row, known) = self.thread_of(&caller.principal, id).await?;
        let turn = self.0.store.turns(&row.id, row.turns, row.turns).await?.pop();
        Ok(told(row, known.name(), turn.map(|turn| self.turn_told(&turn))))
    }

    /// What was said in a thread.
    ///
    /// # Errors
    /// When there is none for whoever asks.
    pub async fn thread_messages(
        &self,
        caller: &Caller,
        id: &str,
        parameters: MessageParameters,
    ) -> Result<Messages, Problem> {
        let (row, _) = self.thread_of(&caller.principal, id).await?;
        let limit = parameters.limit.unwrap_or(USUAL).clamp(1, MOST);
        let after = match &parameters.continue_token {
            None => 0,
            Some(token) => token.parse().map_err(|_| no_place(token))?,
        };
        let mut rows = self.0.store.messages(&row.id, after, i64::from(limit) + 1).await?;
        let is_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let last = rows.last().filter(|_| is_more);
        let continue_token = last.map(|row| row.number.to_string());
        let turns = match (rows.first(), rows.last()) {
            (Some(first), Some(last)) => self.0.store.turns(&row.id, first.turn, last.turn).await?,
            (None, _) | (_, None) => vec![],
        };
        Ok(Messages {
            items: rows.iter().filter_map(read).map(|entry| entry.message).collect(),
            turns: turns.iter().map(|turn| self.turn_told(turn)).collect(),
            continue_token,
        })
    }

    /// Renames a thread.
    ///
    /// # Errors
    /// When there is none for whoever asks.
    pub async fn rename_thread(&self, caller: &Caller, id: &str, rename: Rename) -> Result<Thread, Problem> {
        let (row, _) = self.thread_of(&caller.principal, id).await?;
        match self.0.store.rename_thread(&row.id, titled(rename.title)?).await? {
            true => self.thread(caller, &row.id).await,
            false => Err(no_thread(id)),
        }
    }

    /// Deletes a thread, and ends what is under way in it.
    ///
    /// # Errors
    /// When there is none for whoever asks.
    pub async fn delete_thread(&self, caller: &Caller, id: &str) -> Result<(), Problem> {
        let (row, _) = self.thread_of(&caller.principal, id).await?;
        if let Some(going) = self.0.running.find(&row.id) {
            going.end(Why::Cancelled);
            // One that takes longer finds nothing to write to.
            let _ = timeout(PATIENCE, going.over()).await;
        }
        match self.0.store.delete_thread(&row.id, &self.0.run).await? {
            true => Ok(()),
            false => Err(no_thread(id)),
        }
    }

    /// Begins a thread with what was said in another one.
    ///
    /// # Errors
    /// When there is none for whoever asks, or no such turn that is over.
    pub async fn fork_thread(&self, caller: &Caller, id: &str, fork: Fork) -> Result<Thread, Problem> {
        let (row, known) = self.thread_of(&caller.principal, id).await?;
        let owner = Owner::of(&caller.principal, &self.0.store.snapshot());
        let title = fork.title.map(titled).transpose()?.or_else(|| row.title.clone());
        let new = NewThread {
            id: self.fresh_id(),
            agent_uid: known.object.uid.to_string(),
            owner: owner.key,
            owner_uid: owner.uid,
            title,
            most: MOST_THREADS,
        };
        let made = new.id.clone();
        match self.0.store.fork_thread(&row.id, fork.turn.map(i64::from), new).await? {
            Forked::Made(_) => self.thread(caller, &made).await,
            Forked::Full => Err(full("threads with this agent", MOST_THREADS)),
            Forked::NoTurn => {
                let detail = "the thread has no such turn that is over";
                Err(Problem::new(Code::NoTurn, detail)
                    .suggest("name one that is complete, or none: the latest is meant"))
            }
        }
    }

    /// Cancels the turn of a thread that is under way, or was interrupted.
    ///
    /// # Errors
    /// When there is none for whoever asks.
    pub async fn cancel_turn(&self, caller: &Caller, id: &str) -> Result<Turn, Problem> {
        let (row, _) = self.thread_of(&caller.principal, id).await?;
        let given_up = Ending {
            state: TurnState::Cancelled.as_str(),
            calls: "unknown",
            problem: None,
            spent: None,
        };
        let is_ended = match self.0.running.begin(&row.id) {
            Err(going) => {
                going.end(Why::Cancelled);
                let _ = timeout(PATIENCE, going.over()).await;
                // It may have been interrupted before it heard of this.
                self.0.store.give_up_turn(&row.id, &self.0.run, given_up).await?;
                true
            }
            Ok(_place) => {
                self.let_go(&row.id).await?;
                self.0.store.give_up_turn(&row.id, &self.0.run, given_up).await?
            }
        };
        if !is_ended {
            return Err(Problem::new(
                Code::NoTurn,
                "no turn of the thread is under way, and none was interrupted",
            ));
        }
        let latest = self.0.store.latest_turns(std::slice::from_ref(&row.id)).await?.pop();
        let (_, turn) = latest.ok_or_else(|| no_thread(id))?;
        Ok(self.turn_told(&turn))
    }

    /// A turn, as it stands. One that another run has left under way was interrupted, whether or not that is noted yet.
    fn turn_told(&self, row: &store::Turn) -> Turn {
        let state = match TurnState::named(&row.state) {
            Some(TurnState::Pending) if row.run != self.0.run => TurnState::Interrupted,
            Some(state) => state,
            None => TurnState::Interrupted,
        };
        Turn {
            turn: u32::try_from(row.turn).unwrap_or(u32::MAX),
            state,
            personality: row.personality.as_ref().and_then(|name| name.parse().ok()),
            began_at: row.began_at,
            ended_at: row.ended_at,
            usage: usage(&row.spent),
            problem: row
                .problem
                .as_ref()
                .and_then(|problem| serde_json::from_str(problem).ok()),
            asked_by: row.asked_by.as_ref().map(|asked| AskedBy {
                thread: asked.thread.clone(),
                turn: u32::try_from(asked.turn).unwrap_or(u32::MAX),
            }),
        }
    }

    /// The tools that an agent may call for somebody.
    ///
    /// # Errors
    /// When whoever asks may not run it.
    pub async fn tools(&self, caller: &Caller, agent: &str) -> Result<OfferedTools, Problem> {
        let known = self.agent(&caller.principal, agent)?;
        let spec = known.spec();
        let visit = spec.project.clone().and_then(|project| {
            self.0.gateway.visit(Visitor {
                principal: caller.principal.clone(),
                project,
                clause: format!("agent/{}", known.name()),
                request_id: caller.request_id.clone(),
            })
        });
        let lineage = Lineage::default().with(known.name().clone());
        let toolbox = self.toolbox(visit.as_ref(), spec, &caller.principal, &lineage).await;
        if let Some(visit) = visit {
            visit.end().await;
        }
        Ok(OfferedTools {
            items: toolbox.offers.into_iter().map(|offer| offer.offered).collect(),
            missing: toolbox.missing,
        })
    }
}

/// A title that is not too long.
fn titled(title: String) -> Result<String, Problem> {
    let title = title.trim().to_owned();
    if title.is_empty() || title.chars().count() > MOST_TITLE {
        let detail = format!("`title` has 1 to {MOST_TITLE} characters");
        return Err(
            Problem::new(Code::InvalidValue, detail).suggest("such as: orchctl thread rename ID 'The release notes'")
        );
    }
    Ok(orch_shared::excerpt::printable(title))
}

fn no_place(token: &str) -> Problem {
    let shown = orch_shared::excerpt::short(token);
    Problem::new(
        Code::BadRequest,
        format!("`continue` is no place of this list: `{shown}`"),
    )
    .suggest("take it from the answer before, as it is")
}

/// Where a page of threads begins.
fn place(token: &str) -> Result<(i64, String), Problem> {
    let parts = token.split_once('-');
    let read = parts.and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
    read.ok_or_else(|| no_place(token))
}

fn told(row: store::Thread, agent: &Name, last: Option<Turn>) -> Thread {
    Thread {
        id: row.id,
        agent: agent.clone(),
        title: row.title,
        created_at: row.created_at,
        updated_at: row.updated_at,
        turns: u32::try_from(row.turns).unwrap_or(u32::MAX),
        forked_from: row.forked_from.map(|(thread, turn)| ForkedFrom {
            thread,
            turn: u32::try_from(turn).unwrap_or(u32::MAX),
        }),
        last_turn: last,
    }
}
