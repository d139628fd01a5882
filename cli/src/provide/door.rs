//! A door for callers of this machine, in OpenAI's words: what they ask goes to a model of the daemon, with their own
//! credential. Where the daemon fails, the model of this machine may answer instead.
//!
//! Guarantees: this program's credential is shown for nobody. The model of this machine answers only when the daemon has
//! just said, to that very credential, that its model is there and may be asked (`HEAD /v1/models/NAME`). Whatever else it
//! says, or when it says nothing, the caller gets what came of the first try: who was refused there is refused here.

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use orch_shared::inference::address;
use orch_shared::kinds::llm::Provider;
use orch_shared::name::Name;
use serde_json::{Value, json};

use super::offer::Local;
use super::wire::{self, Form, Request, Unreadable};
use crate::client::site::{Answered, Sent, Site, Way};
use crate::report::{Failure, plain};

/// What may be asked here, of either model.
const ASKED: [&str; 3] = ["/v1/chat/completions", "/v1/embeddings", "/v1/responses"];
/// What callers may look at; only the daemon answers that.
const MODELS: &str = "/v1/models";
/// How long the daemon may take to say whether its model may be asked.
const PROBING: Duration = Duration::from_secs(10);
/// How long a caller may be silent while it asks.
const SILENCE: Duration = Duration::from_secs(60);

/// The door.
pub(crate) struct Door {
    listener: TcpListener,
    way: Arc<Ways>,
}

/// Both models.
struct Ways {
    daemon: Site,
    /// The model of the daemon.
    name: Name,
    local: Arc<Local>,
}

impl Door {
    /// Opens it. Only callers of this machine reach it.
    pub(crate) fn open(listen: SocketAddr, daemon: Site, name: Name, local: Arc<Local>) -> Result<Self, Failure> {
        if !listen.ip().is_loopback() {
            return Err(Failure::usage(format!("{listen} can be reached by others"))
                .hint("--listen 127.0.0.1:0, or another port"));
        }
        if local.provider == Provider::Anthropic {
            return Err(Failure::usage(
                "callers speak in OpenAI's words, which a model of Anthropic's does not know",
            ));
        }
        let listener = TcpListener::bind(listen)
            .map_err(|error| Failure::local(format!("cannot listen at {listen}: {}", plain(&error))))?;
        Ok(Self {
            listener,
            way: Arc::new(Ways { daemon, name, local }),
        })
    }

    /// Where it listens, the port decided.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Serves, on a thread of its own and one for each caller.
    pub(crate) fn serve(self) {
        std::thread::spawn(move || {
            for caller in self.listener.incoming() {
                // One who has gone again, or whom there is no room for now.
                let Ok(caller) = caller else { continue };
                let way = Arc::clone(&self.way);
                std::thread::spawn(move || way.answer(&caller));
            }
        });
    }
}

/// What is told to a caller.
enum Told {
    /// What a model has answered.
    Answered(Answered),
    /// A refusal of our own.
    Refused(u16, String),
}

impl Ways {
    fn answer(&self, caller: &TcpStream) {
        // Where it cannot be set, a caller may be silent for longer.
        let _ = caller.set_read_timeout(Some(SILENCE));
        let _ = caller.set_nodelay(true);
        let mut output = caller;
        let (told, form) = match wire::read(&mut BufReader::new(caller), &mut output) {
            Ok(request) => (self.ask(&request), Form::of(&request)),
            Err(Unreadable::Gone) => return,
            Err(Unreadable::Refused(status, why)) => (Told::Refused(status, why.to_owned()), Form::Plain),
        };
        // Fails only when the caller has gone, or the model has: an answer without its end says so.
        let _cut_short = match told {
            Told::Answered(mut answered) => {
                let headers = std::mem::take(&mut answered.headers);
                wire::answer(&mut output, (answered.status, &headers), form, &mut answered)
            }
            Told::Refused(status, message) => {
                let body =
                    json!({"error": {"message": message, "type": "failover_error", "param": null, "code": null}});
                let headers = [("content-type".to_owned(), "application/json".to_owned())];
                let body = body.to_string();
                wire::answer(&mut output, (status, &headers), form, &mut body.as_bytes())
            }
        };
        let _ = output.flush();
    }

    fn ask(&self, request: &Request) -> Told {
        let path = request.path.as_str();
        let is_look = path == MODELS || path.strip_prefix(MODELS).is_some_and(|rest| rest.starts_with('/'));
        match request.method.as_str() {
            "GET" if is_look => self.look(Way::Get, request),
            "HEAD" if is_look => self.look(Way::Head, request),
            "POST" if ASKED.contains(&path) => self.infer(request),
            _ => Told::Refused(404, format!("{} {path} is not served here", request.method)),
        }
    }

    fn look(&self, way: Way, request: &Request) -> Told {
        let url = format!("{}{}", self.daemon.base(), request.path);
        let credential = credential(request);
        let exchange = self.daemon.exchange();
        match self
            .daemon
            .send(&exchange, (way, &url), &credential, Sent::Nothing, Some(PROBING))
        {
            Ok(answered) => Told::Answered(answered),
            Err(why) => unreachable(&self.daemon, &why),
        }
    }

    fn infer(&self, request: &Request) -> Told {
        let Some(body) = naming(&request.body, self.name.as_str()) else {
            return Told::Refused(400, "the body is no JSON object".to_owned());
        };
        let mut headers = credential(request);
        headers.extend(said(request));
        let url = format!("{}{}", self.daemon.base(), request.path);
        let exchange = self.daemon.exchange();
        let first = match self
            .daemon
            .send(&exchange, (Way::Post, &url), &headers, Sent::Whole(body), None)
        {
            Ok(answered) if answered.status < 500 => return Told::Answered(answered),
            Ok(failed) => Told::Answered(failed),
            Err(why) => unreachable(&self.daemon, &why),
        };
        match self.may_stand_in(request) {
            true => self.infer_here(request, first),
            false => first,
        }
    }

    /// Whether the daemon says, to whoever asks, that its model is there and may be asked.
    fn may_stand_in(&self, request: &Request) -> bool {
        let url = format!("{}{MODELS}/{}", self.daemon.base(), self.name);
        let exchange = self.daemon.exchange();
        let probed = self.daemon.send(
            &exchange,
            (Way::Head, &url),
            &credential(request),
            Sent::Nothing,
            Some(PROBING),
        );
        probed.is_ok_and(|answered| answered.status == 200)
    }

    /// Asks the model of this machine; the first answer stands when it fails, too.
    fn infer_here(&self, request: &Request, first: Told) -> Told {
        let local = &self.local;
        let Some(body) = naming(&request.body, &local.model) else {
            return first;
        };
        let entered = local.engine.as_ref().map(super::engine::Engine::enter).transpose();
        let Ok(_in_use) = entered else { return first };
        let mut headers = said(request);
        headers.extend(local.key.iter().cloned());
        let url = address::join(local.site.base(), &request.path);
        let exchange = local.site.exchange();
        match local
            .site
            .send(&exchange, (Way::Post, &url), &headers, Sent::Whole(body), None)
        {
            Ok(answered) => {
                let mut answered = local.told(answered);
                answered
                    .headers
                    .push(("x-orch-failover".to_owned(), local.name.to_string()));
                Told::Answered(answered)
            }
            Err(_) => first,
        }
    }
}

fn unreachable(daemon: &Site, why: &str) -> Told {
    Told::Refused(502, format!("{} cannot be reached: {why}", daemon.base()))
}

/// What a caller shows, and nothing of this program's.
fn credential(request: &Request) -> Vec<(String, String)> {
    let shown = ["authorization", "x-api-key", "x-orch-project"];
    let shown = shown
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), request.header(name)?.to_owned())));
    shown.collect()
}

/// What a caller says of the body, and of what it takes.
fn said(request: &Request) -> Vec<(String, String)> {
    let mut said = vec![("content-type".to_owned(), "application/json".to_owned())];
    said.extend(
        request
            .header("accept")
            .map(|accept| ("accept".to_owned(), accept.to_owned())),
    );
    said
}

/// A request of that model, whatever it says itself.
fn naming(body: &[u8], model: &str) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    value.as_object_mut()?.insert("model".to_owned(), model.into());
    serde_json::to_vec(&value).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use orch_shared::kinds::llm::Llm;

    use super::*;
    use crate::provide::offer::{Means, Offered, declared};

    /// A place that answers with those statuses, by method, and writes down what it was asked.
    fn place(post: u16, head: u16, seen: Arc<Mutex<Vec<String>>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for caller in listener.incoming().map_while(Result::ok) {
                let mut output = &caller;
                let Ok(request) = wire::read(&mut BufReader::new(&caller), &mut output) else {
                    continue;
                };
                let shown = request.header("authorization").unwrap_or("nobody");
                seen.lock()
                    .unwrap()
                    .push(format!("{} {} {shown}", request.method, request.path));
                let status = if request.method == "HEAD" { head } else { post };
                let body = format!("{{\"status\": {status}}}");
                let _gone = wire::answer(&mut output, (status, &[]), Form::of(&request), &mut body.as_bytes());
            }
        });
        url
    }

    #[test]
    fn the_model_of_this_machine_answers_only_when_the_daemon_says_so() {
        for (post, head, by) in [
            (200, 200, 200),
            (400, 200, 400),
            (401, 200, 401),
            (402, 200, 402),
            (403, 200, 403),
            (404, 200, 404),
            (429, 200, 429),
            // The daemon fails, and says that the caller may.
            (500, 200, 299),
            (502, 200, 299),
            (503, 200, 299),
            // It fails, and does not say so.
            (503, 401, 503),
            (503, 403, 503),
            (503, 404, 503),
            (503, 429, 503),
            (503, 500, 503),
            (503, 302, 503),
        ] {
            let (asked, local) = (Arc::default(), Arc::default());
            let daemon = place(post, head, Arc::clone(&asked));
            let llm: Llm = serde_json::from_value(json!({"provider": "vllm", "model": "m"})).unwrap();
            let means = Means {
                url: Some(place(299, 299, Arc::clone(&local))),
                ..Means::default()
            };
            let name: Name = "local".parse().unwrap();
            let offered = Offered::of(vec![declared(&name, llm)], Some(means)).unwrap();
            let ways = Ways {
                daemon: Site::at(&daemon, None, PROBING).unwrap(),
                name: "central".parse().unwrap(),
                local: Arc::clone(&offered.models[&name]),
            };
            let request = Request {
                method: "POST".to_owned(),
                path: "/v1/chat/completions".to_owned(),
                knows_chunks: true,
                headers: vec![("authorization".to_owned(), "Bearer caller".to_owned())],
                body: b"{\"model\": \"x\"}".to_vec(),
            };
            let status = match ways.ask(&request) {
                Told::Answered(answered) => answered.status,
                Told::Refused(status, _) => status,
            };
            assert_eq!(status, by, "POST {post}, HEAD {head}");
            // Whoever asks is whom the daemon is asked about; the model of this machine learns nothing of them.
            let asked = asked.lock().unwrap().clone();
            assert!(asked.iter().all(|line| line.ends_with("Bearer caller")), "{asked:?}");
            let expected = if post < 500 { 1 } else { 2 };
            assert_eq!(asked.len(), expected, "{asked:?}");
            let local = local.lock().unwrap().clone();
            assert_eq!(local.len(), usize::from(by == 299), "{local:?}");
            assert!(local.iter().all(|line| line.ends_with("nobody")), "{local:?}");
        }
    }
}
