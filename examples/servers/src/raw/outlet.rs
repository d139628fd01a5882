//! Where the messages of one stream go: standard output, or the body of an HTTP response.

use tokio::sync::mpsc;

/// Messages that belong together.
pub(crate) type Batch = Vec<String>;

/// A stream of messages. What is sent together is written in one piece.
#[derive(Debug, Clone)]
pub(crate) struct Outlet(mpsc::UnboundedSender<Batch>);

impl Outlet {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Batch>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Sends one message. Whether anybody will read it is not known.
    pub(crate) fn send(&self, message: String) {
        self.send_together(vec![message]);
    }

    pub(crate) fn send_together(&self, messages: Batch) {
        // A reader that has gone is no concern of the writer.
        let _ = self.0.send(messages);
    }

    /// Returns when nobody reads any more.
    pub(crate) async fn closed(&self) {
        self.0.closed().await;
    }

    /// Whether both are the same stream.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}
