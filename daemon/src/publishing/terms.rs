//! What the room is told once.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::admission::{self, Admission};
use crate::store::{Claim, Standing};

/// What the room is told once.
pub struct Config {
    /// The way in.
    pub admission: Admission,
    /// How long things last.
    pub terms: Terms,
    /// What is held by the daemon that leads, where several share a database.
    pub claim: Option<Claim>,
    /// Whether this daemon leads.
    pub standing: watch::Receiver<Standing>,
    /// Ends streams, so that a shutdown need not wait for them.
    pub shutdown: CancellationToken,
}

/// How long things last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long what is published lives without its publisher.
    pub life: admission::Terms,
    /// So often it is looked for what nobody publishes any more.
    pub sweep: Duration,
    /// So often a stream says that it lives.
    pub ping: Duration,
    /// How long a model may take to wake.
    pub wake: Duration,
}
