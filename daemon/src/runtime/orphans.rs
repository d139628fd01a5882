//! Children of this process: those it started, and those it has inherited.
//!
//! The daemon is made the reaper of everything below it, so that a process whose parent has ended becomes the daemon's
//! child and stays findable. Such an inherited child has nobody to wait for it; [`collect`] does, so that no zombie stays.
//! It never takes the exit of a child that somebody here has started: those of this room are registered in the same moment
//! in which they are started, and any other stays in the daemon's own session, which nothing below a copy is in.

use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, WaitOptions};
use tokio::signal::unix::{SignalKind, signal};

use super::procfs::{self, Process};

/// Process ids of children that somebody in this process waits for.
static OWNED: Mutex<Option<HashSet<u32>>> = Mutex::new(None);

/// Ends that come together are collected together.
const TOGETHER: Duration = Duration::from_millis(50);

/// The registry, locked: nothing is collected and nothing is started by others while it is held.
pub(super) struct Registry(MutexGuard<'static, Option<HashSet<u32>>>);

/// Locks the registry.
pub(super) fn registry() -> Registry {
    Registry(OWNED.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Registry {
    /// Says that somebody waits for this child.
    pub(super) fn own(&mut self, pid: u32) -> Owned {
        self.0.get_or_insert_default().insert(pid);
        Owned(pid)
    }

    fn owns(&self, pid: u32) -> bool {
        self.0.as_ref().is_some_and(|owned| owned.contains(&pid))
    }
}

/// Somebody waits for a child, as long as this lives.
#[derive(Debug)]
pub(super) struct Owned(u32);

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(owned) = registry().0.as_mut() {
            owned.remove(&self.0);
        }
    }
}

/// Makes this process the one that inherits whatever its descendants leave behind.
pub(super) fn inherit() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Collects inherited children as they end, for ever.
pub(super) async fn collect() {
    let Ok(mut ended) = signal(SignalKind::child()) else {
        return;
    };
    while ended.recv().await.is_some() {
        tokio::time::sleep(TOGETHER).await;
        let inherited = tokio::task::spawn_blocking(inherited).await.unwrap_or_default();
        for process in inherited.iter().filter(|process| process.is_dead()) {
            collect_one(process.pid);
        }
    }
}

/// Collects one inherited child, if it is one and has ended.
pub(super) fn collect_one(pid: u32) {
    let registry = registry();
    if registry.owns(pid) {
        return;
    }
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

/// Children that nobody here has started: they were inherited.
pub(super) fn inherited() -> Vec<Process> {
    let ourselves = std::process::id();
    let Some(session) = procfs::process(ourselves).map(|process| process.session) else {
        return vec![];
    };
    let registry = registry();
    let is_inherited =
        |process: &Process| process.parent == ourselves && process.session != session && !registry.owns(process.pid);
    procfs::processes().into_iter().filter(is_inherited).collect()
}

/// Inherited children that carry no mark and are in no group: of one of the copies, but it cannot be told of which.
pub(super) fn strays() -> Vec<Process> {
    let is_stray = |process: &Process| {
        !process.is_dead() && procfs::marker(process.pid).is_none() && !procfs::is_grouped(process.pid)
    };
    inherited().into_iter().filter(is_stray).collect()
}
