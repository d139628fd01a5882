//! Answers that do not end: lines of a log, and server-sent events that are resumed where they broke off.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use orch_shared::problem::{Code, Problem};
use orch_shared::sse::{Event, Reader};
use ureq::BodyReader;

use super::{Call, Client, not_ours, reason};
use crate::report::Failure;
use crate::ui::Ui;

/// How long a daemon that has gone away is waited for.
const GONE_FOR_GOOD: Duration = Duration::from_secs(60);
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// A text that is read line by line as it comes.
pub(crate) struct Lines(BufReader<BodyReader<'static>>);

impl Iterator for Lines {
    type Item = Result<String, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = Vec::new();
        match self.0.read_until(b'\n', &mut bytes) {
            Ok(0) => None,
            Ok(_) => {
                if bytes.last() == Some(&b'\n') {
                    bytes.pop();
                }
                Some(Ok(String::from_utf8_lossy(&bytes).into_owned()))
            }
            Err(error) => {
                let detail = format!("the daemon broke off: {}", reason(&ureq::Error::Io(error)));
                Some(Err(Problem::new(Code::DaemonUnreachable, detail).into()))
            }
        }
    }
}

/// One server-sent event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ServerEvent {
    /// Its type, when it says one.
    pub(crate) event: Option<String>,
    /// Where to go on after it.
    pub(crate) id: Option<String>,
    /// What it carries.
    pub(crate) data: String,
}

/// Server-sent events, taken up again where they broke off.
pub(crate) struct ServerEvents<'c> {
    client: &'c Client,
    ui: &'c Ui,
    call: Call,
    open: Option<Opened<BufReader<BodyReader<'static>>>>,
    last_id: Option<String>,
    lost_since: Option<Instant>,
}

impl Client {
    /// Reads an answer line by line as it comes.
    pub(crate) fn lines(&self, call: &Call) -> Result<Lines, Failure> {
        let response = self.open(call)?;
        Ok(Lines(BufReader::new(endless(response.into_body()))))
    }

    /// Reads server-sent events. `after` is where to begin; the call's own query says the same for the first time.
    pub(crate) fn events<'c>(&'c self, ui: &'c Ui, call: Call, after: Option<String>) -> ServerEvents<'c> {
        ServerEvents {
            client: self,
            ui,
            call,
            open: None,
            last_id: after,
            lost_since: None,
        }
    }
}

pub(super) fn endless(body: ureq::Body) -> BodyReader<'static> {
    body.into_with_config().limit(u64::MAX).reader()
}

impl Iterator for ServerEvents<'_> {
    type Item = Result<ServerEvent, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.open.is_none() {
                let call = self.call.clone().resume_after(self.last_id.as_deref());
                match self.client.open(&call) {
                    Ok(response) => {
                        if self.lost_since.is_some() {
                            self.ui.say("connected again");
                        }
                        self.open = Some(Opened::new(BufReader::new(endless(response.into_body()))));
                    }
                    Err(failure) => match self.lost_since {
                        Some(since) if may_return(&failure) && since.elapsed() < GONE_FOR_GOOD => {
                            std::thread::sleep(BETWEEN_TRIES);
                            continue;
                        }
                        _ => return Some(Err(failure)),
                    },
                }
            }
            let event = self.open.as_mut().and_then(Iterator::next);
            match event {
                // The daemon says why nothing more comes.
                Some(event) if event.event.as_deref() == Some("error") => {
                    self.open = None;
                    let problem = serde_json::from_str::<Problem>(&event.data);
                    return Some(Err(match problem {
                        Ok(problem) => problem.into(),
                        Err(error) => not_ours(self.client.server(), &error.to_string()),
                    }));
                }
                Some(event) => {
                    self.lost_since = None;
                    if event.id.is_some() {
                        self.last_id.clone_from(&event.id);
                    }
                    return Some(Ok(event));
                }
                None => {
                    // The daemon ended the stream or has gone; either way it is asked again, a little later.
                    if self.lost_since.is_none() {
                        self.ui
                            .say(&format!("{} ended the stream; trying again", self.client.server()));
                    }
                    self.open = None;
                    self.lost_since.get_or_insert_with(Instant::now);
                    std::thread::sleep(BETWEEN_TRIES);
                }
            }
        }
    }
}

/// Whether a daemon that refuses now may be back in a moment.
fn may_return(failure: &Failure) -> bool {
    matches!(
        failure.code(),
        Some(Code::DaemonUnreachable | Code::ShuttingDown | Code::StoreUnavailable | Code::Timeout)
    )
}

/// Events of one answer, to its end or until it breaks off. An event that is cut off does not count.
pub(super) struct Opened<R> {
    input: R,
    reader: Reader,
    /// Those that have been read and not been asked for.
    ready: VecDeque<Event>,
}

impl<R: BufRead> Opened<R> {
    pub(super) fn new(input: R) -> Self {
        Self::within(Reader::LONGEST, input)
    }

    /// Events that are at most so many bytes long each.
    pub(super) fn within(limit: usize, input: R) -> Self {
        Self {
            input,
            reader: Reader::new(limit),
            ready: VecDeque::new(),
        }
    }
}

impl<R: BufRead> Iterator for Opened<R> {
    type Item = ServerEvent;

    fn next(&mut self) -> Option<ServerEvent> {
        loop {
            if let Some(Event { event, id, data, .. }) = self.ready.pop_front() {
                return Some(ServerEvent { event, id, data });
            }
            let piece = self.input.fill_buf().ok()?;
            if piece.is_empty() {
                return None;
            }
            let length = piece.len();
            self.ready.extend(self.reader.push(piece).ok()?);
            self.input.consume(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_the_standard_says() {
        let event = |id: Option<&str>, data: &str| ServerEvent {
            event: None,
            id: id.map(str::to_owned),
            data: data.to_owned(),
        };
        let named = |event: &str, data: &str| ServerEvent {
            event: Some(event.to_owned()),
            id: None,
            data: data.to_owned(),
        };
        for (text, expected) in [
            ("data: x\n\n", vec![event(None, "x")]),
            (": comment\n\nid: 7\ndata:x\n\n", vec![event(Some("7"), "x")]),
            ("data: a\r\ndata: b\r\n\r\n", vec![event(None, "a\nb")]),
            ("event: ping\n\ndata: y\n\n", vec![event(None, "y")]),
            (
                "event: task\ndata: x\n\ndata: y\n\n",
                vec![named("task", "x"), event(None, "y")],
            ),
            ("data: cut off", vec![]),
            ("data: cut off\n", vec![]),
            ("data\n\n", vec![event(None, "")]),
        ] {
            let found: Vec<ServerEvent> = Opened::new(text.as_bytes()).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
