//! Threads: what was said between principals and agents, and what went to models for it.
//!
//! A turn that is under way is held by the run of a daemon. What belongs to it is written only while that run holds it, so
//! that a turn that was cancelled, deleted or taken over goes no further, whoever still works at it.

mod threads;
mod turns;

use orch_shared::money::Money;
use orch_shared::resource::Timestamp;

pub use threads::{Forked, Inserted, NewThread, ThreadPage};
pub use turns::{Began, Begin, CallEnd, Ending, HeldTurn, NewMessage, Resumed, Step};

use super::Error;
use super::sql::Record;

/// A thread as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// What it is called by.
    pub id: String,
    /// The agent.
    pub agent_uid: String,
    /// Whose it is, told apart from whoever bears the same name later.
    pub owner: String,
    /// What people call it.
    pub title: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was used last.
    pub updated_at: Timestamp,
    /// How many turns it has.
    pub turns: i64,
    /// The thread that it was forked from, and the last turn that was taken along.
    pub forked_from: Option<(String, i64)>,
}

/// A turn as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Its number, from 1.
    pub turn: i64,
    /// How it stands, as the API says it.
    pub state: String,
    /// The run of a daemon that holds it, or has held it last.
    pub run: String,
    /// The Personality that the agent took on.
    pub personality: Option<String>,
    /// What was asked besides the message: JSON text.
    pub request: String,
    /// The hash of what the model is told first.
    pub system: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it has taken.
    pub spent: Spent,
    /// Why it came to nothing: JSON text.
    pub problem: Option<String>,
    /// The turn of another thread that has asked for it.
    pub asked_by: Option<AskedBy>,
}

/// The turn of a thread that has another agent work for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedBy {
    /// The thread.
    pub thread: String,
    /// The turn.
    pub turn: i64,
}

/// What a turn has taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spent {
    /// Time, in milliseconds.
    pub took_ms: i64,
    /// How often the model was asked.
    pub iterations: i64,
    /// How many tools were called.
    pub tool_calls: i64,
    /// Tokens in, with those that the provider had cached.
    pub input: i64,
    /// How many of these the provider had cached.
    pub cached: i64,
    /// Tokens out.
    pub output: i64,
    /// What they cost.
    pub cost: Option<Money>,
}

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number in the thread, from 1.
    pub number: i64,
    /// The turn that it belongs to.
    pub turn: i64,
    /// Whose it is, as the API says it.
    pub role: String,
    /// How it stands: of a result of a tool, how the call does.
    pub state: String,
    /// The rest: JSON text.
    pub message: String,
    /// What the provider wants to have back with it: JSON text.
    pub signed: Option<String>,
}

/// A request to a model: the hashes of what it consisted of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its number in the turn, from 1.
    pub step: i64,
    /// What it was made for: `answer`, `summary`.
    pub purpose: String,
    /// The Llm that was asked.
    pub llm: String,
    /// What it is told first.
    pub system: String,
    /// The definitions of the tools.
    pub tools: String,
    /// Parameters.
    pub params: String,
    /// The messages: a JSON array of hashes.
    pub messages: String,
    /// The answer.
    pub answer: String,
}

macro_rules! thread_columns {
    () => {
        "id, agent_uid, owner, title, created_at, updated_at, turns, forked_from, forked_turn"
    };
}

macro_rules! turn_columns {
    () => {
        "turn, state, run, personality, request, system, began_at, ended_at, took_ms, iterations, tool_calls, \
         input_tokens, cached_tokens, output_tokens, cost, currency, problem, asked_thread, asked_turn"
    };
}

/// How many these are; what else is read of a turn stands behind them.
const TURN_COLUMNS: usize = 19;

macro_rules! message_columns {
    () => {
        "number, turn, role, state, message, signed"
    };
}

use {message_columns, thread_columns, turn_columns};

fn thread(record: Record<'_>) -> Result<Thread, Error> {
    let forked = record.maybe_text(7)?.map(str::to_owned);
    Ok(Thread {
        id: record.text(0)?.to_owned(),
        agent_uid: record.text(1)?.to_owned(),
        owner: record.text(2)?.to_owned(),
        title: record.maybe_text(3)?.map(str::to_owned),
        created_at: Timestamp::from_millis(record.integer(4)?),
        updated_at: Timestamp::from_millis(record.integer(5)?),
        turns: record.integer(6)?,
        forked_from: forked.zip(record.maybe_integer(8)?),
    })
}

fn turn(record: Record<'_>) -> Result<Turn, Error> {
    let currency = record.maybe_text(15)?.map(str::to_owned);
    let nanos = record.integer(14)?;
    let asked = record.maybe_text(17)?.map(str::to_owned);
    Ok(Turn {
        turn: record.integer(0)?,
        state: record.text(1)?.to_owned(),
        run: record.text(2)?.to_owned(),
        personality: record.maybe_text(3)?.map(str::to_owned),
        request: record.text(4)?.to_owned(),
        system: record.text(5)?.to_owned(),
        began_at: Timestamp::from_millis(record.integer(6)?),
        ended_at: record.maybe_integer(7)?.map(Timestamp::from_millis),
        spent: Spent {
            took_ms: record.integer(8)?,
            iterations: record.integer(9)?,
            tool_calls: record.integer(10)?,
            input: record.integer(11)?,
            cached: record.integer(12)?,
            output: record.integer(13)?,
            cost: currency.map(|currency| Money { nanos, currency }),
        },
        problem: record.maybe_text(16)?.map(str::to_owned),
        asked_by: asked
            .zip(record.maybe_integer(18)?)
            .map(|(thread, turn)| AskedBy { thread, turn }),
    })
}

fn message(record: Record<'_>) -> Result<Message, Error> {
    Ok(Message {
        number: record.integer(0)?,
        turn: record.integer(1)?,
        role: record.text(2)?.to_owned(),
        state: record.text(3)?.to_owned(),
        message: record.text(4)?.to_owned(),
        signed: record.maybe_text(5)?.map(str::to_owned),
    })
}
