//! HTTP with server-sent events: the transport of the revision of 2024-11-05.
//!
//! A GET opens a stream of events; the first one, `endpoint`, names the address to which messages are posted; answers come
//! back as events. The address must be of the same origin: our headers go there.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Url};
use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use sse_stream::{Sse, SseByteStream};

use super::reason::Trouble;

/// The longest event that is taken.
const LONGEST: usize = 16 << 20;

const EVENT_STREAM: &str = "text/event-stream";

type Events = Pin<Box<dyn Stream<Item = Result<Sse, Trouble>> + Send>>;

/// An open stream, and where to post.
pub(super) struct SseTransport {
    client: Client,
    endpoint: Url,
    events: Option<Events>,
}

/// Opens the stream and waits for the address to post to.
pub(super) async fn connect(client: &Client, url: &str) -> Result<SseTransport, Trouble> {
    let response = client
        .get(url)
        .header(ACCEPT, EVENT_STREAM)
        .send()
        .await
        .map_err(|error| Trouble::of_request(&error))?;
    if !response.status().is_success() {
        return Err(Trouble::Status(response.status().as_u16()));
    }
    let is_stream = |value: &reqwest::header::HeaderValue| value.as_bytes().starts_with(EVENT_STREAM.as_bytes());
    if !response.headers().get(CONTENT_TYPE).is_some_and(is_stream) {
        return Err(Trouble::NotMcp);
    }
    let base = response.url().clone();
    let bytes = bounded(response.bytes_stream());
    let mut events: Events = Box::pin(SseByteStream::new(bytes).map(|event| event.map_err(|_| Trouble::NotMcp)));
    while let Some(event) = events.next().await {
        let event = event?;
        if event.event.as_deref() == Some("endpoint") {
            let endpoint = base
                .join(event.data.unwrap_or_default().trim())
                .map_err(|_| Trouble::NotMcp)?;
            if endpoint.origin() != base.origin() {
                return Err(Trouble::Declined(
                    "it wants messages to be posted to another host".to_owned(),
                ));
            }
            return Ok(SseTransport {
                client: client.clone(),
                endpoint,
                events: Some(events),
            });
        }
    }
    Err(Trouble::NotMcp)
}

/// Ends a stream in which an event grows too long.
fn bounded(
    stream: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Trouble>> + Send {
    let mut size = 0;
    stream.map(move |chunk| {
        let chunk = chunk.map_err(|error| Trouble::of_request(&error))?;
        // Events end with an empty line; where that falls between two chunks the event only counts as longer.
        let end = chunk.windows(2).rposition(|pair| pair == b"\n\n" || pair == b"\n\r");
        size = end.map_or(size + chunk.len(), |end| chunk.len() - end);
        if size > LONGEST {
            Err(Trouble::NotMcp)
        } else {
            Ok(chunk)
        }
    })
}

impl Transport<RoleClient> for SseTransport {
    type Error = Trouble;

    fn send(&mut self, message: ClientJsonRpcMessage) -> impl Future<Output = Result<(), Trouble>> + Send + 'static {
        let (client, endpoint) = (self.client.clone(), self.endpoint.clone());
        async move {
            let body = serde_json::to_vec(&message).map_err(|_| Trouble::NotMcp)?;
            let request = client
                .post(endpoint)
                .header(CONTENT_TYPE, "application/json")
                .body(body);
            let response = request.send().await.map_err(|error| Trouble::of_request(&error))?;
            if response.status().is_success() {
                Ok(())
            } else {
                Err(Trouble::Status(response.status().as_u16()))
            }
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        let events = self.events.as_mut()?;
        loop {
            let event = events.next().await?.ok()?;
            let is_message = event.event.as_deref().is_none_or(|name| name == "message");
            // Like any other client, we pass over what is no message.
            if let Some(message) = event
                .data
                .filter(|_| is_message)
                .and_then(|data| serde_json::from_str(&data).ok())
            {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), Trouble> {
        self.events = None;
        Ok(())
    }
}
