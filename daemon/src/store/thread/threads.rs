//! Threads as a whole: made, listed, renamed, forked, deleted, and what is in them.

use super::turns::Asking;
use super::{Exchange, Message, Thread, Turn, message_columns, thread_columns, turn_columns};
use crate::store::sql::{Record, Rows, Statement, sql};
use crate::store::{Error, Store, Transaction};

/// A thread to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewThread {
    /// What it is to be called by: nobody can guess it.
    pub id: String,
    /// The agent.
    pub agent_uid: String,
    /// Whose it is.
    pub owner: String,
    /// The object that stands for its owner, with which it goes.
    pub owner_uid: Option<String>,
    /// What people call it.
    pub title: Option<String>,
    /// So many of one owner with one agent there may be.
    pub most: i64,
}

/// What came of a thread that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is there, and durable.
    Made,
    /// There are as many as may be.
    Full,
}

/// What came of a thread that was to be forked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forked {
    /// It is there, with so many turns.
    Made(i64),
    /// There are as many as may be.
    Full,
    /// There is no such turn that is over.
    NoTurn,
}

/// Which threads are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadPage {
    /// Of whom.
    pub owner: String,
    /// With which agent.
    pub agent_uid: String,
    /// Those behind this one: when it was used last, in milliseconds, and its id.
    pub after: Option<(i64, String)>,
    /// At most so many.
    pub limit: i64,
}

/// So many threads that begin alike are told at once.
const MOST_ALIKE: i64 = 100;

impl Store {
    /// Makes a thread that holds nothing.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_thread(&self, new: NewThread) -> Result<Inserted, Error> {
        self.write(move |transaction| Box::pin(async move { transaction.insert_thread(&new).await }))
            .await
    }

    /// Threads, those that were used last first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn threads(&self, page: &ThreadPage) -> Result<Vec<Thread>, Error> {
        let (at, id) = page.after.clone().unwrap_or((i64::MAX, String::new()));
        let statement = sql(concat!(
            "SELECT ",
            thread_columns!(),
            " FROM agent_thread WHERE agent_uid = $1 AND owner = $2 AND (updated_at < $3 OR (updated_at = $3 AND id < $4)) \
             ORDER BY updated_at DESC, id DESC LIMIT $5"
        ))
        .bind(&page.agent_uid)
        .bind(&page.owner)
        .bind(at)
        .bind(id)
        .bind(page.limit);
        self.read_threads(statement, super::thread).await
    }

    /// The thread of that id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn thread(&self, id: &str) -> Result<Option<Thread>, Error> {
        let statement = sql(concat!(
            "SELECT ",
            thread_columns!(),
            " FROM agent_thread WHERE id = $1"
        ))
        .bind(id);
        Ok(self.read_threads(statement, super::thread).await?.pop())
    }

    /// The threads of somebody whose ids begin so, in order; of many the first ones behind the one of that id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn threads_beginning(
        &self,
        owner: &str,
        beginning: &str,
        after: Option<&str>,
    ) -> Result<Vec<Thread>, Error> {
        let statement = sql(concat!(
            "SELECT ",
            thread_columns!(),
            " FROM agent_thread WHERE owner = $1 AND id COLLATE \"binary\" >= $2 AND id COLLATE \"binary\" < $3 \
             ORDER BY id COLLATE \"binary\" LIMIT $4"
        ))
        .bind(owner)
        // Before everything that an id is made of, and so right behind that one.
        .bind(after.map_or_else(|| beginning.to_owned(), |after| format!("{after}!")))
        // Behind everything that an id is made of.
        .bind(format!("{beginning}~"))
        .bind(MOST_ALIKE);
        self.read_threads(statement, super::thread).await
    }

    /// The latest turn of each of these threads, with the thread's id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn latest_turns(&self, threads: &[String]) -> Result<Vec<(String, Turn)>, Error> {
        let mut rows = Rows::of(1);
        threads.iter().for_each(|id| rows.push([id.into()]));
        let before = concat!(
            "SELECT ",
            turn_columns!(),
            ", thread FROM agent_turn t WHERE turn = (SELECT MAX(l.turn) FROM agent_turn l WHERE l.thread = t.thread) \
             AND thread IN ("
        );
        let mut latest = Vec::new();
        for statement in rows.statements(before, ")") {
            let read = |record: Record<'_>| {
                let thread = record.text(super::TURN_COLUMNS)?.to_owned();
                Ok((thread, super::turn(record)?))
            };
            latest.extend(self.read_threads(statement, read).await?);
        }
        Ok(latest)
    }

    /// The turns of a thread from one number to another, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn turns(&self, thread: &str, from: i64, to: i64) -> Result<Vec<Turn>, Error> {
        let statement = sql(concat!(
            "SELECT ",
            turn_columns!(),
            " FROM agent_turn WHERE thread = $1 AND turn >= $2 AND turn <= $3 ORDER BY turn"
        ))
        .bind(thread)
        .bind(from)
        .bind(to);
        self.read_threads(statement, super::turn).await
    }

    /// The messages of a thread behind that number, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn messages(&self, thread: &str, after: i64, limit: i64) -> Result<Vec<Message>, Error> {
        let statement = sql(concat!(
            "SELECT ",
            message_columns!(),
            " FROM agent_message WHERE thread = $1 AND number > $2 ORDER BY number LIMIT $3"
        ))
        .bind(thread)
        .bind(after)
        .bind(limit);
        self.read_threads(statement, super::message).await
    }

    /// The number of the latest message of a thread that stands for older ones; nothing when none does.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn latest_summary(&self, thread: &str) -> Result<Option<Message>, Error> {
        let statement = sql(concat!(
            "SELECT ",
            message_columns!(),
            " FROM agent_message WHERE thread = $1 AND role = 'summary' ORDER BY number DESC LIMIT 1"
        ))
        .bind(thread);
        Ok(self.read_threads(statement, super::message).await?.pop())
    }

    /// The messages of a thread from a turn on, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn messages_from(&self, thread: &str, turn: i64) -> Result<Vec<Message>, Error> {
        let statement = sql(concat!(
            "SELECT ",
            message_columns!(),
            " FROM agent_message WHERE thread = $1 AND turn >= $2 ORDER BY number"
        ))
        .bind(thread)
        .bind(turn);
        self.read_threads(statement, super::message).await
    }

    /// The requests to models that a turn has made, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn exchanges(&self, thread: &str, turn: i64) -> Result<Vec<Exchange>, Error> {
        let statement = sql(
            "SELECT step, purpose, llm, system, tools, params, messages, answer FROM agent_exchange \
             WHERE thread = $1 AND turn = $2 ORDER BY step",
        )
        .bind(thread)
        .bind(turn);
        let read = |record: Record<'_>| {
            Ok(Exchange {
                step: record.integer(0)?,
                purpose: record.text(1)?.to_owned(),
                llm: record.text(2)?.to_owned(),
                system: record.text(3)?.to_owned(),
                tools: record.text(4)?.to_owned(),
                params: record.text(5)?.to_owned(),
                messages: record.text(6)?.to_owned(),
                answer: record.text(7)?.to_owned(),
            })
        };
        self.read_threads(statement, read).await
    }

    /// A content of a thread, by its hash.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn thread_content(&self, thread: &str, hash: &str) -> Result<Option<String>, Error> {
        let statement = sql("SELECT content FROM agent_content WHERE thread = $1 AND hash = $2")
            .bind(thread)
            .bind(hash);
        let read = |record: Record<'_>| Ok(record.text(0)?.to_owned());
        Ok(self.read_threads(statement, read).await?.pop())
    }

    /// All contents of a thread: the hash of each, and the content.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn thread_contents(&self, thread: &str) -> Result<Vec<(String, String)>, Error> {
        let statement = sql("SELECT hash, content FROM agent_content WHERE thread = $1").bind(thread);
        let read = |record: Record<'_>| Ok((record.text(0)?.to_owned(), record.text(1)?.to_owned()));
        self.read_threads(statement, read).await
    }

    async fn read_threads<T: Send>(
        &self,
        statement: Statement<'_>,
        read: impl FnMut(Record<'_>) -> Result<T, Error> + Send,
    ) -> Result<Vec<T>, Error> {
        self.observed("threads", async {
            self.readers().acquire().await?.session().all(statement, read).await
        })
        .await
    }

    /// Renames a thread. Tells whether it is there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn rename_thread(&self, id: &str, title: String) -> Result<bool, Error> {
        let id = id.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let update = sql("UPDATE agent_thread SET title = $1, updated_at = $2 WHERE id = $3")
                    .bind(title)
                    .bind(transaction.now.millis())
                    .bind(id);
                Ok(transaction.run(update).await? > 0)
            })
        })
        .await
    }

    /// Deletes a thread with all that is in it. Tells whether it was there. What its turns have asked for elsewhere, and what
    /// does not go on in that run, comes to nothing.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_thread(&self, id: &str, run: &str) -> Result<bool, Error> {
        let (id, run) = (id.to_owned(), run.to_owned());
        self.write(move |transaction| {
            Box::pin(async move {
                transaction.leave_work(&id, Asking::Thread, &run).await?;
                let delete = sql("DELETE FROM agent_thread WHERE id = $1").bind(id);
                Ok(transaction.run(delete).await? > 0)
            })
        })
        .await
    }

    /// Makes a thread of the turns of another one up to that one; without a number, of all until the latest that is over.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn fork_thread(&self, from: &str, turn: Option<i64>, new: NewThread) -> Result<Forked, Error> {
        let from = from.to_owned();
        self.write(move |transaction| Box::pin(async move { transaction.fork_thread(&from, turn, &new).await }))
            .await
    }
}

/// The states of turns in which nothing happens any more.
const OVER: [&str; 3] = ["complete", "error", "cancelled"];

impl Transaction {
    pub(super) async fn insert_thread(&mut self, new: &NewThread) -> Result<Inserted, Error> {
        let count = sql("SELECT COUNT(*) FROM agent_thread WHERE agent_uid = $1 AND owner = $2")
            .bind(&new.agent_uid)
            .bind(&new.owner);
        let there = self.all(vec![count], |record| record.integer(0)).await?;
        if there.first().is_some_and(|there| *there >= new.most) {
            return Ok(Inserted::Full);
        }
        let insert = sql(
            "INSERT INTO agent_thread (id, agent_uid, owner, owner_uid, title, created_at, updated_at, turns, \
             messages) VALUES ($1, $2, $3, $4, $5, $6, $6, 0, 0)",
        )
        .bind(&new.id)
        .bind(&new.agent_uid)
        .bind(&new.owner)
        .bind(new.owner_uid.as_deref())
        .bind(new.title.as_deref())
        .bind(self.now.millis());
        self.run(insert).await?;
        Ok(Inserted::Made)
    }

    async fn fork_thread(&mut self, from: &str, turn: Option<i64>, new: &NewThread) -> Result<Forked, Error> {
        let states = sql("SELECT turn, state FROM agent_turn WHERE thread = $1 ORDER BY turn").bind(from);
        let read = |record: Record<'_>| Ok((record.integer(0)?, record.text(1)?.to_owned()));
        let turns = self.all(vec![states], read).await?;
        let are_over = turns.iter().take_while(|(_, state)| OVER.contains(&state.as_str()));
        let last = are_over.last().map_or(0, |(turn, _)| *turn);
        let upto = turn.unwrap_or(last);
        if upto > last || upto < 0 {
            return Ok(Forked::NoTurn);
        }
        match self.insert_thread(new).await? {
            Inserted::Full => return Ok(Forked::Full),
            Inserted::Made => {}
        }
        for copy in [
            "INSERT INTO agent_turn (thread, turn, state, run, personality, request, system, began_at, ended_at, took_ms, \
             iterations, tool_calls, input_tokens, cached_tokens, output_tokens, cost, currency, problem) SELECT $1, turn, \
             state, run, personality, request, system, began_at, ended_at, took_ms, iterations, tool_calls, input_tokens, \
             cached_tokens, output_tokens, cost, currency, problem FROM agent_turn WHERE thread = $2 AND turn <= $3",
            "INSERT INTO agent_message (thread, number, turn, role, state, message, signed) SELECT $1, number, turn, role, \
             state, message, signed FROM agent_message WHERE thread = $2 AND turn <= $3",
            "INSERT INTO agent_exchange (thread, turn, step, purpose, llm, system, tools, params, messages, answer, made_at) \
             SELECT $1, turn, step, purpose, llm, system, tools, params, messages, answer, made_at FROM agent_exchange \
             WHERE thread = $2 AND turn <= $3",
        ] {
            self.run(sql(copy).bind(&new.id).bind(from).bind(upto)).await?;
        }
        if upto > 0 {
            let contents = sql(
                "INSERT INTO agent_content (thread, hash, content) SELECT $1, hash, content \
                 FROM agent_content WHERE thread = $2",
            )
            .bind(&new.id)
            .bind(from);
            self.run(contents).await?;
        }
        let counts = sql(
            "UPDATE agent_thread SET turns = $2, forked_from = $3, forked_turn = $2, messages = \
             (SELECT COALESCE(MAX(number), 0) FROM agent_message WHERE thread = $1) WHERE id = $1",
        )
        .bind(&new.id)
        .bind(upto)
        .bind(from);
        self.run(counts).await?;
        Ok(Forked::Made(upto))
    }
}
