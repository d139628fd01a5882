//! Watching a tree from outside: for its limits, where the kernel does not hold them, and to know what belongs to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::launch::Limits;
use super::super::procfs::{self, Process};
use super::super::tree::Tree;
use super::Resource;

/// How often a tree with limits is looked at.
const OFTEN: Duration = Duration::from_millis(200);

/// How often a tree is looked at only to know what belongs to it.
const SELDOM: Duration = Duration::from_millis(500);

/// A list of processes, and when it was made.
type Census = (Instant, Arc<[Process]>);

/// The last census: trees that are looked at in the same moment share it.
static LAST: Mutex<Option<Census>> = Mutex::new(None);

/// Returns which limit the tree went over, once it does; never, when nothing has to be watched.
pub(in crate::runtime) async fn watch(tree: &Arc<Tree>) -> String {
    let limits = tree.group().watched();
    if limits.is_none() && !tree.needs_watching() {
        return std::future::pending().await;
    }
    let pause = if limits.is_none() { SELDOM } else { OFTEN };
    loop {
        tokio::time::sleep(pause).await;
        let tree = Arc::clone(tree);
        // A panic in there would be a defect of ours; the tree is looked at again all the same.
        let found = tokio::task::spawn_blocking(move || tree.look(&census()))
            .await
            .unwrap_or_default();
        if let Some(reason) = judge(&found, &limits) {
            return reason;
        }
    }
}

fn census() -> Arc<[Process]> {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match last.as_ref() {
        Some((made, processes)) if made.elapsed() < OFTEN / 2 => Arc::clone(processes),
        Some(_) | None => {
            let processes: Arc<[Process]> = procfs::processes().into();
            *last = Some((Instant::now(), Arc::clone(&processes)));
            processes
        }
    }
}

fn judge(processes: &[Process], limits: &Limits) -> Option<String> {
    let alive = || processes.iter().filter(|process| !process.is_dead());
    let memory = alive().map(|process| procfs::memory(process.pid)).sum::<u64>();
    let count = alive().map(|process| process.threads).sum::<u64>();
    let over = |limit: Option<u64>, used: u64| limit.filter(|limit| used > *limit);
    over(limits.memory, memory)
        .map(|limit| Resource::Memory.exceeded(limit))
        .or_else(|| over(limits.processes, count).map(|limit| Resource::Processes.exceeded(limit)))
}
