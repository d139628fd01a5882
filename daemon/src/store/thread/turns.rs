//! Turns: begun, written down step by step while a run holds them, and ended.

use orch_shared::money::Money;
use orch_shared::problem::{Code, Problem};

use super::{AskedBy, Exchange, NewThread, Spent};
use crate::store::sql::{Record, Rows, Value, sql};
use crate::store::thread::threads::Inserted;
use crate::store::{Error, Store, Transaction};

/// A turn to be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// The thread.
    pub thread: String,
    /// The same thread, when it is to be made.
    pub new: Option<NewThread>,
    /// The run that will hold the turn.
    pub run: String,
    /// The Personality that the agent takes on.
    pub personality: Option<String>,
    /// What is asked besides the message: JSON text.
    pub request: String,
    /// What the model is told first: hash and content.
    pub system: (String, String),
    /// What is said to the agent.
    pub message: NewMessage,
    /// The title of a thread that has none.
    pub title: String,
    /// So many turns a thread may have.
    pub most: i64,
    /// The turn of another thread that asks for it.
    pub asked_by: Option<AskedBy>,
}

/// What came of a turn that was to be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Began {
    /// It is held, and durable; its number.
    Turn(i64),
    /// Another turn of the thread is under way.
    UnderWay,
    /// There are as many threads as may be.
    ManyThreads,
    /// The thread has as many turns as may be.
    ManyTurns,
    /// There is no such thread any more.
    Gone,
}

/// What came of a turn that was to be gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// It is held; its number.
    Turn(i64),
    /// The latest turn is under way.
    UnderWay,
    /// The latest turn was not interrupted.
    None,
}

/// A turn that a run holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTurn {
    /// The thread.
    pub thread: String,
    /// The turn.
    pub turn: i64,
    /// The run.
    pub run: String,
}

/// A message to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Whose it is.
    pub role: &'static str,
    /// How it stands.
    pub state: &'static str,
    /// The rest: JSON text.
    pub message: String,
    /// What the provider wants to have back with it: JSON text.
    pub signed: Option<String>,
}

/// A step of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// Contents that the exchange refers to: hash and content.
    pub contents: Vec<(String, String)>,
    /// A request to a model that was answered.
    pub exchange: Option<Exchange>,
    /// What was said.
    pub messages: Vec<NewMessage>,
    /// What the turn has taken until now.
    pub spent: Spent,
}

/// The end of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEnd {
    /// The message that is its result.
    pub number: i64,
    /// How it stands.
    pub state: &'static str,
    /// The message: JSON text.
    pub message: String,
}

/// The end of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// How it stands from now on.
    pub state: &'static str,
    /// How calls stand that were under way.
    pub calls: &'static str,
    /// Why it came to nothing: JSON text.
    pub problem: Option<String>,
    /// What it has taken; nothing where that is written down already.
    pub spent: Option<Spent>,
}

impl Store {
    /// Begins a turn, and the thread if need be: once this says so, what was said is durable. A turn before it that was
    /// interrupted is given up.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn begin_turn(&self, begin: Begin) -> Result<Began, Error> {
        self.write(move |transaction| Box::pin(async move { transaction.begin_turn(&begin).await }))
            .await
    }

    /// Takes the latest turn of a thread up again, when it was interrupted. Calls that were under way are not known to have
    /// taken effect from then on.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn resume_turn(&self, thread: &str, run: &str) -> Result<Resumed, Error> {
        let (thread, run) = (thread.to_owned(), run.to_owned());
        self.write(move |transaction| Box::pin(async move { transaction.resume_turn(&thread, &run).await }))
            .await
    }

    /// Writes a step down, and tells the numbers of its messages; nothing when the turn is not held any more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn step_turn(&self, held: &HeldTurn, step: Step) -> Result<Option<Vec<i64>>, Error> {
        let held = held.clone();
        self.write(move |transaction| Box::pin(async move { transaction.step_turn(&held, &step).await }))
            .await
    }

    /// Writes down what has become of a call. Tells whether the turn is still held.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn end_call(&self, held: &HeldTurn, end: CallEnd) -> Result<bool, Error> {
        let held = held.clone();
        self.write(move |transaction| {
            Box::pin(async move {
                if !transaction.holds(&held).await? {
                    return Ok(false);
                }
                let update = sql("UPDATE agent_message SET state = $1, message = $2 \
                     WHERE thread = $3 AND number = $4 AND state = 'pending'")
                .bind(end.state)
                .bind(end.message)
                .bind(&held.thread)
                .bind(end.number);
                Ok(transaction.run(update).await? > 0)
            })
        })
        .await
    }

    /// Ends a turn that is held. Tells whether it was.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn end_turn(&self, held: &HeldTurn, ending: Ending) -> Result<bool, Error> {
        let held = held.clone();
        self.write(move |transaction| {
            Box::pin(async move {
                if !transaction.holds(&held).await? {
                    return Ok(false);
                }
                transaction.end_turn(&held, &ending).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Gives up the latest turn of a thread, when it was interrupted. Tells whether it was.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn give_up_turn(&self, thread: &str, run: &str, ending: Ending) -> Result<bool, Error> {
        let (thread, run) = (thread.to_owned(), run.to_owned());
        self.write(move |transaction| {
            Box::pin(async move {
                match transaction.latest_turn(&thread, &run).await? {
                    Some((turn, Latest::Interrupted)) => {
                        let given_up = HeldTurn { thread, turn, run };
                        transaction.end_turn(&given_up, &ending).await?;
                        Ok(true)
                    }
                    Some((_, Latest::UnderWay | Latest::Over)) | None => Ok(false),
                }
            })
        })
        .await
    }

    /// Marks what other runs have left under way as interrupted; how many turns that are.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn interrupt_turns(&self, run: &str) -> Result<u64, Error> {
        let run = run.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let there = sql("SELECT COUNT(*) FROM agent_turn WHERE state = 'pending' AND run <> $1").bind(&run);
                if transaction.all(vec![there], |record| record.integer(0)).await? == [0] {
                    return Ok(0);
                }
                let update = sql("UPDATE agent_turn SET state = 'interrupted' WHERE state = 'pending' AND run <> $1");
                transaction.run(update.bind(&run)).await
            })
        })
        .await
    }
}

/// Which turns of a thread have asked others for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    Turn(i64),
    /// All of them.
    Thread,
}

/// Why a turn comes to nothing that another thread has asked for.
fn nobody_waits(asking: &str) -> String {
    let detail = format!("the turn of thread {asking} that had asked for this goes on, or has ended, without it");
    let problem =
        Problem::new(Code::TurnCancelled, detail).suggest("say something new in this thread to go on with it");
    serde_json::to_string(&problem).expect("a problem is plain data")
}

/// How the latest turn of a thread stands, for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Latest {
    /// The run holds it.
    UnderWay,
    /// Another run has left it.
    Interrupted,
    Over,
}

fn cost(cost: Option<&Money>) -> (i64, Option<&str>) {
    (
        cost.map_or(0, |cost| cost.nanos),
        cost.map(|cost| cost.currency.as_str()),
    )
}

impl Transaction {
    async fn latest_turn(&mut self, thread: &str, run: &str) -> Result<Option<(i64, Latest)>, Error> {
        let latest =
            sql("SELECT turn, state, run FROM agent_turn WHERE thread = $1 ORDER BY turn DESC LIMIT 1").bind(thread);
        let read = |record: Record<'_>| {
            let stands = match record.text(1)? {
                "pending" if record.text(2)? == run => Latest::UnderWay,
                "pending" | "interrupted" => Latest::Interrupted,
                _ => Latest::Over,
            };
            Ok((record.integer(0)?, stands))
        };
        Ok(self.all(vec![latest], read).await?.pop())
    }

    async fn holds(&mut self, held: &HeldTurn) -> Result<bool, Error> {
        let there =
            sql("SELECT turn FROM agent_turn WHERE thread = $1 AND turn = $2 AND state = 'pending' AND run = $3")
                .bind(&held.thread)
                .bind(held.turn)
                .bind(&held.run);
        Ok(!self.all(vec![there], |record| record.integer(0)).await?.is_empty())
    }

    async fn begin_turn(&mut self, begin: &Begin) -> Result<Began, Error> {
        if let Some(new) = &begin.new
            && self.insert_thread(new).await? == Inserted::Full
        {
            return Ok(Began::ManyThreads);
        }
        let there = sql("SELECT turns FROM agent_thread WHERE id = $1").bind(&begin.thread);
        let Some(turns) = self.all(vec![there], |record| record.integer(0)).await?.pop() else {
            return Ok(Began::Gone);
        };
        match self.latest_turn(&begin.thread, &begin.run).await? {
            Some((_, Latest::UnderWay)) => return Ok(Began::UnderWay),
            Some((turn, Latest::Interrupted)) => {
                let given_up = Ending {
                    state: "cancelled",
                    calls: "unknown",
                    problem: None,
                    spent: None,
                };
                let before = HeldTurn {
                    thread: begin.thread.clone(),
                    turn,
                    run: begin.run.clone(),
                };
                self.end_turn(&before, &given_up).await?;
            }
            Some((_, Latest::Over)) | None => {}
        }
        if turns >= begin.most {
            return Ok(Began::ManyTurns);
        }
        let turn = turns + 1;
        let (hash, content) = &begin.system;
        self.keep_contents(&begin.thread, std::slice::from_ref(&(hash.clone(), content.clone())))
            .await?;
        let insert = sql(
            "INSERT INTO agent_turn (thread, turn, state, run, personality, request, system, began_at, took_ms, \
             iterations, tool_calls, input_tokens, cached_tokens, output_tokens, cost, asked_thread, asked_turn) \
             VALUES ($1, $2, 'pending', $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, 0, 0, $8, $9)",
        )
        .bind(&begin.thread)
        .bind(turn)
        .bind(&begin.run)
        .bind(begin.personality.as_deref())
        .bind(&begin.request)
        .bind(hash)
        .bind(self.now.millis())
        .bind(begin.asked_by.as_ref().map(|asked| asked.thread.as_str()))
        .bind(begin.asked_by.as_ref().map(|asked| asked.turn));
        self.run(insert).await?;
        let update =
            sql("UPDATE agent_thread SET turns = $1, updated_at = $2, title = COALESCE(title, $3) WHERE id = $4")
                .bind(turn)
                .bind(self.now.millis())
                .bind(&begin.title)
                .bind(&begin.thread);
        self.run(update).await?;
        self.add_messages(&begin.thread, turn, std::slice::from_ref(&begin.message))
            .await?;
        Ok(Began::Turn(turn))
    }

    async fn resume_turn(&mut self, thread: &str, run: &str) -> Result<Resumed, Error> {
        let turn = match self.latest_turn(thread, run).await? {
            Some((turn, Latest::Interrupted)) => turn,
            Some((_, Latest::UnderWay)) => return Ok(Resumed::UnderWay),
            Some((_, Latest::Over)) | None => return Ok(Resumed::None),
        };
        let update =
            sql("UPDATE agent_turn SET state = 'pending', run = $1, ended_at = NULL WHERE thread = $2 AND turn = $3")
                .bind(run)
                .bind(thread)
                .bind(turn);
        self.run(update).await?;
        self.leave_calls(thread, turn, "unknown").await?;
        // The calls are not made again: nobody hears any more what was asked for in them.
        self.leave_work(thread, Asking::Turn(turn), run).await?;
        Ok(Resumed::Turn(turn))
    }

    /// Ends turns that were asked for and were interrupted, since whoever asked will not hear of them; and what these have
    /// asked for in their turn. What goes on in that run is not touched.
    pub(super) async fn leave_work(&mut self, thread: &str, asking: Asking, run: &str) -> Result<(), Error> {
        let mut left = vec![(thread.to_owned(), asking)];
        while let Some((thread, asking)) = left.pop() {
            let (from, to) = match asking {
                Asking::Turn(turn) => (turn, turn),
                Asking::Thread => (0, i64::MAX),
            };
            let asked = sql(
                "SELECT thread, turn FROM agent_turn WHERE asked_thread = $1 AND asked_turn >= $2 \
                 AND asked_turn <= $3 AND (state = 'interrupted' OR (state = 'pending' AND run <> $4))",
            )
            .bind(&thread)
            .bind(from)
            .bind(to)
            .bind(run);
            let read = |record: Record<'_>| Ok((record.text(0)?.to_owned(), record.integer(1)?));
            for (asked, turn) in self.all(vec![asked], read).await? {
                self.note_end(&asked, turn, "cancelled", Some(&nobody_waits(&thread)))
                    .await?;
                self.leave_calls(&asked, turn, "unknown").await?;
                left.push((asked, Asking::Turn(turn)));
            }
        }
        Ok(())
    }

    async fn note_end(&mut self, thread: &str, turn: i64, state: &str, problem: Option<&str>) -> Result<(), Error> {
        // Of one whose daemon was killed nobody has noted how long it took: until now it was not over.
        let update = sql(
            "UPDATE agent_turn SET state = $1, ended_at = $2, problem = $3, took_ms = CASE WHEN ended_at IS NULL \
             AND $2 - began_at > took_ms THEN $2 - began_at ELSE took_ms END WHERE thread = $4 AND turn = $5",
        )
        .bind(state)
        .bind(self.now.millis())
        .bind(problem)
        .bind(thread)
        .bind(turn);
        self.run(update).await?;
        let used = sql("UPDATE agent_thread SET updated_at = $1 WHERE id = $2")
            .bind(self.now.millis())
            .bind(thread);
        self.run(used).await.map(drop)
    }

    /// Says how calls stand that were under way.
    async fn leave_calls(&mut self, thread: &str, turn: i64, state: &str) -> Result<(), Error> {
        let update = sql("UPDATE agent_message SET state = $1 WHERE thread = $2 AND turn = $3 AND state = 'pending'")
            .bind(state)
            .bind(thread)
            .bind(turn);
        self.run(update).await.map(drop)
    }

    async fn step_turn(&mut self, held: &HeldTurn, step: &Step) -> Result<Option<Vec<i64>>, Error> {
        if !self.holds(held).await? {
            return Ok(None);
        }
        self.keep_contents(&held.thread, &step.contents).await?;
        if let Some(exchange) = &step.exchange {
            let insert = sql(
                "INSERT INTO agent_exchange (thread, turn, step, purpose, llm, system, tools, params, messages, \
                 answer, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(&held.thread)
            .bind(held.turn)
            .bind(exchange.step)
            .bind(&exchange.purpose)
            .bind(&exchange.llm)
            .bind(&exchange.system)
            .bind(&exchange.tools)
            .bind(&exchange.params)
            .bind(&exchange.messages)
            .bind(&exchange.answer)
            .bind(self.now.millis());
            self.run(insert).await?;
        }
        self.note_spent(&held.thread, held.turn, &step.spent).await?;
        self.add_messages(&held.thread, held.turn, &step.messages)
            .await
            .map(Some)
    }

    async fn end_turn(&mut self, held: &HeldTurn, ending: &Ending) -> Result<(), Error> {
        let HeldTurn { thread, turn, run } = held;
        self.note_end(thread, *turn, ending.state, ending.problem.as_deref())
            .await?;
        if let Some(spent) = &ending.spent {
            self.note_spent(thread, *turn, spent).await?;
        }
        self.leave_calls(thread, *turn, ending.calls).await?;
        match ending.state {
            // It can be gone on with, and so can what it has asked for.
            "interrupted" => Ok(()),
            _ => self.leave_work(thread, Asking::Turn(*turn), run).await,
        }
    }

    async fn note_spent(&mut self, thread: &str, turn: i64, spent: &Spent) -> Result<(), Error> {
        let (nanos, currency) = cost(spent.cost.as_ref());
        let update = sql(
            "UPDATE agent_turn SET took_ms = $1, iterations = $2, tool_calls = $3, input_tokens = $4, \
             cached_tokens = $5, output_tokens = $6, cost = $7, currency = $8 WHERE thread = $9 AND turn = $10",
        )
        .bind(spent.took_ms)
        .bind(spent.iterations)
        .bind(spent.tool_calls)
        .bind(spent.input)
        .bind(spent.cached)
        .bind(spent.output)
        .bind(nanos)
        .bind(currency)
        .bind(thread)
        .bind(turn);
        self.run(update).await.map(drop)
    }

    async fn keep_contents(&mut self, thread: &str, contents: &[(String, String)]) -> Result<(), Error> {
        let mut rows = Rows::of(3);
        for (hash, content) in contents {
            rows.push([thread.into(), hash.into(), content.into()]);
        }
        let before = "INSERT INTO agent_content (thread, hash, content)";
        for statement in rows.statements(before, "ON CONFLICT (thread, hash) DO NOTHING") {
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Adds messages to a thread, and tells their numbers.
    async fn add_messages(&mut self, thread: &str, turn: i64, messages: &[NewMessage]) -> Result<Vec<i64>, Error> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let count = i64::try_from(messages.len()).unwrap_or(i64::MAX);
        let last = sql("UPDATE agent_thread SET messages = messages + $1 WHERE id = $2 RETURNING messages")
            .bind(count)
            .bind(thread);
        self.state.touched = true;
        let last = self.all(vec![last], |record| record.integer(0)).await?;
        let last = last
            .first()
            .copied()
            .ok_or_else(|| Error::broken("a thread has vanished within a write"))?;
        let numbers: Vec<i64> = (last - count + 1..=last).collect();
        let mut rows = Rows::of(7);
        for (number, message) in numbers.iter().zip(messages) {
            let row: [Value<'_>; 7] = [
                thread.into(),
                (*number).into(),
                turn.into(),
                message.role.into(),
                message.state.into(),
                (&message.message).into(),
                message.signed.as_deref().into(),
            ];
            rows.push(row);
        }
        let before = "INSERT INTO agent_message (thread, number, turn, role, state, message, signed)";
        for statement in rows.statements(before, "") {
            self.run(statement).await?;
        }
        Ok(numbers)
    }
}
