//! Servers that run elsewhere: reachable or not, found out by speaking MCP with them.
//!
//! What enters: an address, and the wish to know whether the server still answers. What leaves: observations, and the one
//! conversation that all who use the server share. It is kept open; when it ends while the server still answers, another one
//! is opened. A failure is told in people's words, and never with what is in a header.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;

use super::instance::{Check, Desk, answer_of};
use super::launch::{Era, Launch, Remote};
use super::link::http::endpoint::Endpoint;
use super::link::http::{Miss, Trouble, shown};
use super::link::{Error, Link, News, greeting};
use super::log::Log;
use super::observation::{Failure, State, Tools};
use super::serving;
use super::tools::{self, Unlisted};

/// How long opening a conversation may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A conversation that lasted longer did not end because of how it was opened.
const LONG: Duration = Duration::from_secs(60);

/// The longest wait before the next conversation, when they end again and again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Ties a copy to a remote server: finds out whether it answers, now and whenever asked. Returns when it does not.
pub(super) async fn tie(
    remote: &Remote,
    launch: &Launch,
    hint: Option<Era>,
    desk: &Desk,
    log: &Log,
    checks: &mut mpsc::Receiver<Check>,
) -> Failure {
    let unreachable = |trouble: &Trouble| {
        let reason = log.mask().text(&format!("{} {}", shown(&remote.url), trouble.clause()));
        Failure::RemoteUnreachable {
            reason,
            hint: trouble.hint(),
        }
    };
    let endpoint = match Endpoint::new(remote, hint, &desk.context.clients) {
        Ok(endpoint) => Arc::new(endpoint),
        Err(why) => return unreachable(&Trouble::BadRequest(why)),
    };
    desk.set_endpoint(Some(Arc::clone(&endpoint)));
    let patience = launch.startup_deadline.min(PATIENCE);
    let tie = Tie {
        endpoint,
        desk,
        log,
        unreachable: &unreachable,
    };
    match tie.open(patience).await {
        Ok((link, tools)) => tie.hold(link, tools, checks).await,
        Err(trouble) => unreachable(&trouble),
    }
}

/// A copy and the server that it is tied to.
struct Tie<'t> {
    endpoint: Arc<Endpoint>,
    desk: &'t Desk,
    log: &'t Log,
    unreachable: &'t (dyn Fn(&Trouble) -> Failure + Sync),
}

impl Tie<'_> {
    /// Opens the conversation that all share, and lists the tools.
    async fn open(&self, patience: Duration) -> Result<(Link, Option<Tools>), Trouble> {
        let opening = greeting::shared();
        let opened = tokio::time::timeout(patience, self.endpoint.open(&opening)).await;
        let link = opened
            .unwrap_or(Err(Miss::Silent))
            .map_err(|miss| Trouble::from(&miss))?;
        let tools = tools::list(&link).await.ok();
        Ok((link, tools))
    }

    /// Shows a conversation to whoever wants to use it.
    fn show(&self, link: &Link, tools: Option<Tools>) {
        self.desk.learn(self.endpoint.era());
        self.desk.set_link(Some(link.clone()));
        let answer = answer_of(link.hello(), tools, self.log.mask());
        let is_running = matches!(self.desk.observed.borrow().state, State::Running(_));
        if is_running {
            self.desk.answered(answer);
        } else {
            self.desk.enter(State::Running(answer));
        }
    }

    /// Keeps the conversation open until the server does not answer.
    async fn hold(&self, link: Link, tools: Option<Tools>, checks: &mut mpsc::Receiver<Check>) -> Failure {
        let mut link = link;
        let mut news = link.listen();
        let mut since = Instant::now();
        let mut ended = 0;
        self.show(&link, tools);
        loop {
            let next = tokio::select! {
                () = link.closed() => Next::Reopen,
                Some(check) = checks.recv() => Next::Check(check),
                changed = changed(&mut news) => changed,
            };
            let (checked, check) = match next {
                Next::List => {
                    if let Ok(tools) = tools::list(&link).await {
                        self.show(&link, Some(tools));
                    }
                    continue;
                }
                Next::Check(check) => (self.check(&link, check.patience).await, Some(check)),
                Next::Reopen => {
                    self.desk.set_link(None);
                    self.endpoint.doubt();
                    ended = if since.elapsed() > LONG { 0 } else { ended + 1 };
                    // Whoever asks meanwhile does not wait for longer than it takes.
                    let check = tokio::time::timeout(wait(ended), checks.recv()).await.ok().flatten();
                    let patience = check.as_ref().map_or(PATIENCE, |check| check.patience);
                    let opened = self.open(patience).await;
                    (opened.map(Some).map_err(|trouble| (self.unreachable)(&trouble)), check)
                }
            };
            let told = checked.as_ref().map(|_| ()).map_err(Clone::clone);
            if let Ok(Some((opened, tools))) = &checked {
                (link, since) = (opened.clone(), Instant::now());
                news = link.listen();
                self.show(&link, tools.clone());
            }
            if let Some(check) = check {
                // Whoever has asked may have gone.
                let _ = check.answer.send(told);
            }
            if let Err(failure) = checked {
                return failure;
            }
        }
    }

    /// Asks whether the server still answers; another conversation, when that is what it takes.
    async fn check(&self, link: &Link, patience: Duration) -> Result<Option<(Link, Option<Tools>)>, Failure> {
        let failed = |trouble: &Trouble| (self.unreachable)(trouble);
        if self.endpoint.is_in_doubt() {
            // It could not say which era it speaks when it was asked; perhaps it can now.
            if let Ok(opened) = self.open(patience).await
                && opened.0.hello().era != link.hello().era
            {
                return Ok(Some(opened));
            }
        }
        let error = match tools::ask(link, patience).await {
            Ok(tools) => {
                self.show(link, Some(tools));
                return Ok(None);
            }
            // A server without tools may say that it knows no such thing; it has answered.
            Err(Unlisted::Declined(..)) if !link.hello().offers("tools") => return Ok(None),
            Err(error) => error,
        };
        match error {
            Unlisted::Link(error @ Error::Unreachable(_)) => Err(failed(&Trouble::from(&error))),
            Unlisted::Silent(_) => Err(failed(&Trouble::Silent)),
            Unlisted::Declined(code, _) => Err(failed(&Trouble::Declined(format!("error {code}")))),
            Unlisted::Link(
                Error::Closed(_) | Error::Unsent(_) | Error::Status { .. } | Error::Garbled(_) | Error::Overrun,
            )
            | Unlisted::Garbled => {
                self.endpoint.doubt();
                let opened = self.open(patience).await.map_err(|trouble| failed(&trouble))?;
                Ok(Some(opened))
            }
        }
    }
}

/// How long to wait after conversations have ended early so many times in a row; not at all after the first.
fn wait(ended: u32) -> Duration {
    match ended {
        0 | 1 => Duration::ZERO,
        more => Duration::from_secs(2_u64.saturating_pow(more - 2)).min(LONGEST_WAIT),
    }
}

/// What is to be done next.
enum Next {
    Check(Check),
    List,
    Reopen,
}

async fn changed(news: &mut broadcast::Receiver<News>) -> Next {
    match serving::tools_changed(news).await {
        ControlFlow::Continue(()) => Next::List,
        ControlFlow::Break(()) => Next::Reopen,
    }
}
