//! Threads and what was said in them, page by page.

use orch_shared::chat::{Message, MessageParameters, Messages, Thread, ThreadParameters, Threads, Turn};
use orch_shared::name::Name;
use orch_shared::route;

use super::{Call, Client};
use crate::report::Failure;
use crate::ui::Ui;

/// So many are asked for at a time.
const PAGE: u32 = 1000;

impl Client {
    /// The threads that one has with an agent, those that were used last first; and whether there are more.
    pub(crate) fn threads(&self, ui: &Ui, agent: &Name, limit: Option<u32>) -> Result<(Vec<Thread>, bool), Failure> {
        let mut found: Vec<Thread> = Vec::new();
        let mut from = None;
        loop {
            let have = u32::try_from(found.len()).unwrap_or(u32::MAX);
            let parameters = ThreadParameters {
                limit: Some(limit.map_or(PAGE, |limit| limit.saturating_sub(have).min(PAGE))),
                continue_token: from,
            };
            let call = Call::get(route::threads(agent)).query(&parameters);
            let page: Threads = self.send(ui, &call)?.json()?;
            found.extend(page.items);
            from = page.continue_token;
            let is_enough = limit.is_some_and(|limit| found.len() >= limit as usize);
            if from.is_none() || is_enough {
                return Ok((found, from.is_some()));
            }
        }
    }

    /// A thread.
    pub(crate) fn thread(&self, ui: &Ui, id: &str) -> Result<Thread, Failure> {
        self.send(ui, &Call::get(route::thread(id)))?.json()
    }

    /// Everything that was said in a thread, and its turns.
    pub(crate) fn messages(&self, ui: &Ui, thread: &str) -> Result<(Vec<Message>, Vec<Turn>), Failure> {
        let (mut messages, mut turns): (Vec<Message>, Vec<Turn>) = Default::default();
        let mut from = None;
        loop {
            let parameters = MessageParameters {
                limit: Some(PAGE),
                continue_token: from,
            };
            let call = Call::get(route::messages(thread)).query(&parameters);
            let page: Messages = self.send(ui, &call)?.json()?;
            messages.extend(page.items);
            // A turn that reaches over the end of a page is told twice.
            let last = turns.last().map_or(0, |turn| turn.turn);
            turns.extend(page.turns.into_iter().filter(|turn| turn.turn > last));
            from = page.continue_token;
            if from.is_none() {
                return Ok((messages, turns));
            }
        }
    }
}
