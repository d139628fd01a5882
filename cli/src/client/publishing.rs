//! The daemon, as a publisher speaks with it: it registers, listens on a stream, says that it is there, and answers tasks.

use std::io::{BufReader, Cursor, Read};
use std::time::Duration;

use orch_shared::problem::{Code, Problem};
use orch_shared::publishing::{Head, Heard, Heartbeat, LONGEST_EVENT, Registered, Registration, SESSION, Told};
use orch_shared::route;

use super::mcp::Interrupt;
use super::site::{Answered, Exchange, Sent, Site, Way};
use super::stream::Opened;
use super::{Call, Client};
use crate::report::Failure;

/// A session of a publisher with the daemon.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    site: Site,
    headers: Vec<(String, String)>,
}

/// What the publisher is told, one after the other.
pub(crate) struct Hearing {
    open: Opened<BufReader<Answered>>,
    exchange: Exchange,
}

impl Client {
    /// Says what is offered, and goes on with a session if there is one.
    pub(crate) fn register(&self, session: Option<&str>, offered: &Registration) -> Result<Registered, Failure> {
        let call = Call::post(route::PUBLISHERS, offered).once().of_publisher(session);
        let response = self
            .exchange(&call, Some(self.allowed(&call)))
            .map_err(|error| self.unreachable(&call, &error))?;
        match self.read(response)? {
            Ok(answer) => answer.json(),
            Err(problem) => Err(self.refused(&call, problem)),
        }
    }

    /// Says that the publisher is there, and where its models stand.
    pub(crate) fn heartbeat(&self, session: &str, heartbeat: &Heartbeat) -> Result<Heard, Failure> {
        let call = Call::post(route::PUBLISHER_HEARTBEAT, heartbeat)
            .once()
            .of_publisher(Some(session));
        let response = self
            .exchange(&call, Some(self.allowed(&call)))
            .map_err(|error| self.unreachable(&call, &error))?;
        match self.read(response)? {
            Ok(answer) => answer.json(),
            Err(problem) => Err(self.refused(&call, problem)),
        }
    }

    /// The session, as it is worked for.
    pub(crate) fn desk(&self, session: &str) -> Desk {
        let mut headers = self.credentials();
        headers.push((SESSION.to_owned(), session.to_owned()));
        Desk {
            site: self.site(),
            headers,
        }
    }
}

impl Desk {
    /// Listens.
    pub(crate) fn hear(&self) -> Result<Hearing, Failure> {
        let exchange = self.site.exchange();
        let mut headers = self.headers.clone();
        headers.push(("accept".to_owned(), "text/event-stream".to_owned()));
        let url = format!("{}{}", self.site.base(), route::PUBLISHER_STREAM);
        let heard = self
            .site
            .send(&exchange, (Way::Get, &url), &headers, Sent::Nothing, None);
        let mut answered = heard.map_err(|why| self.lost(&why))?;
        if answered.status != 200 {
            let mut body = Vec::new();
            // What cannot be read is told by its status.
            let _cut_short = answered.by_ref().take(1 << 20).read_to_end(&mut body);
            let problem = serde_json::from_slice::<Problem>(&body);
            return Err(match problem {
                Ok(problem) => problem.into(),
                Err(_) => self.lost(&format!("it answers HTTP {}", answered.status)),
            });
        }
        Ok(Hearing {
            open: Opened::within(LONGEST_EVENT, BufReader::new(answered)),
            exchange,
        })
    }

    fn lost(&self, why: &str) -> Failure {
        let detail = format!("cannot listen to {}: {why}", self.site.base());
        Problem::new(Code::DaemonUnreachable, detail).into()
    }

    /// An exchange for the answer to a task.
    pub(crate) fn exchange(&self) -> Exchange {
        self.site.exchange()
    }

    /// Answers a task: what it is, and then what comes from there, to its end. Whether all of it was taken.
    pub(crate) fn answer(&self, exchange: &Exchange, id: &str, head: &Head, body: impl Read + Send + 'static) -> bool {
        let mut line = serde_json::to_vec(head).expect("the head of an answer is plain data");
        line.push(b'\n');
        let sent = Sent::Stream(Box::new(Cursor::new(line).chain(body)));
        let mut headers = self.headers.clone();
        headers.push(("content-type".to_owned(), "application/octet-stream".to_owned()));
        let url = format!("{}{}", self.site.base(), route::publisher_task(id));
        let answered = self.site.send(exchange, (Way::Post, &url), &headers, sent, None);
        answered.is_ok_and(|answered| answered.status == 204)
    }

    /// Answers a task that cannot be done: why, in a clause.
    pub(crate) fn fail(&self, id: &str, why: &str) {
        let head = Head::Error { error: why.to_owned() };
        let mut line = serde_json::to_vec(&head).expect("the head of an answer is plain data");
        line.push(b'\n');
        let url = format!("{}{}", self.site.base(), route::publisher_task(id));
        let exchange = self.site.exchange();
        let (sent, limit) = (Sent::Whole(line), Some(Duration::from_secs(10)));
        // Whoever waits learns of it by the end of the stream otherwise.
        let _untold = self.site.send(&exchange, (Way::Post, &url), &self.headers, sent, limit);
    }
}

impl Hearing {
    /// What ends it.
    pub(crate) fn interrupt(&self) -> Interrupt {
        self.exchange.interrupt()
    }
}

impl Iterator for Hearing {
    type Item = Told;

    /// The next thing that is told; nothing once the stream has ended.
    fn next(&mut self) -> Option<Told> {
        loop {
            let event = self.open.next()?;
            if let Some(told) = Told::read(event.event.as_deref().unwrap_or_default(), &event.data) {
                return Some(told);
            }
        }
    }
}
