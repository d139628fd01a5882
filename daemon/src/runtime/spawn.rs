//! The one thread from which every child is started.
//!
//! A parent-death signal is sent when the *thread* that started a child ends. Threads of an async runtime come and go; this
//! one stays as long as anybody holds a [`Spawner`], and takes its children along when it goes.

use std::io;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::orphans::{self, Owned};

/// Starts children; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Spawner {
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
struct Order {
    command: Command,
    reply: oneshot::Sender<io::Result<Spawned>>,
}

/// A child that was started, registered as one that is waited for.
#[derive(Debug)]
pub(super) struct Spawned {
    pub(super) child: Child,
    pub(super) owned: Owned,
}

impl Spawner {
    /// Starts the thread. To be called within the async runtime that waits for the children.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Handle::current();
        let (orders, received) = mpsc::channel::<Order>();
        std::thread::Builder::new().name("spawn".to_owned()).spawn(move || {
            let _inside = runtime.enter();
            for Order { mut command, reply } in received {
                // Registered before anybody can find it dead.
                let mut registry = orphans::registry();
                let spawned = command.spawn().map(|child| {
                    let owned = registry.own(child.id().unwrap_or_default());
                    Spawned { child, owned }
                });
                drop(registry);
                let _ = reply.send(spawned);
            }
        })?;
        Ok(Self { orders })
    }

    /// Starts a child from that thread.
    pub(super) async fn spawn(&self, command: Command) -> io::Result<Spawned> {
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the spawning thread is gone");
        self.orders.send(Order { command, reply }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
