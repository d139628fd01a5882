//! Everything that a copy has started, however it tried to get away, and the end of it.
//!
//! A process belongs to a copy when it carries the copy's mark in its environment, is in its control group, is in its
//! session, was seen to belong to it before, or descends from one that does. A process is known by id and start time and
//! signalled through a handle to it, so that a process id that was given out again never hits a stranger.
//!
//! Where there is no control group, what was seen is also written down, so that a daemon that was killed finds at its next
//! start also those that had cleared their environment. One that has cleared its environment, left its session and lost its
//! parent, all before it was first seen, is known to be of some copy but not of which; it ends with the daemon.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal};

use super::limits::Group;
use super::orphans;
use super::procfs::{self, Process};

/// For how long the end of a tree is pressed; what is left then hangs in the kernel.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process beyond doubt: its id, and when it started.
pub(super) type Known = (u32, u64);

/// What belongs to one copy, or to all copies of a daemon.
#[derive(Debug)]
pub(super) struct Tree {
    mark: Mark,
    group: Group,
    leader: Option<Known>,
    seen: Mutex<BTreeSet<Known>>,
    record: Option<Record>,
}

/// Where it is written down what was seen, and what was written.
#[derive(Debug)]
struct Record {
    path: PathBuf,
    written: Mutex<BTreeSet<Known>>,
}

/// Whose mark.
#[derive(Debug)]
enum Mark {
    Copy(String),
    Daemon(String),
}

impl Mark {
    fn is_on(&self, pid: u32) -> bool {
        procfs::marker(pid).is_some_and(|marker| match self {
            Self::Copy(mark) => marker == *mark,
            Self::Daemon(mark) => marker.starts_with(mark.as_str()),
        })
    }
}

impl Tree {
    /// The tree below a process that was just started with `mark`; `record` is where to write down what is seen of it.
    pub(super) fn of_copy(mark: String, group: Group, leader: Option<u32>, record: PathBuf) -> Self {
        let leader = leader
            .and_then(procfs::process)
            .map(|process| (process.pid, process.started));
        let record = group.is_empty().then(|| Record {
            path: record,
            written: Mutex::default(),
        });
        Self {
            mark: Mark::Copy(mark),
            group,
            leader,
            seen: Mutex::new(leader.into_iter().collect()),
            record,
        }
    }

    /// Whatever a daemon of that mark has left behind.
    pub(super) fn of_daemon(mark: String, group: Group, seen: BTreeSet<Known>) -> Self {
        Self {
            mark: Mark::Daemon(mark),
            group,
            leader: None,
            seen: Mutex::new(seen),
            record: None,
        }
    }

    /// The control groups of the tree.
    pub(super) fn group(&self) -> &Group {
        &self.group
    }

    /// Whether the tree is only known by looking often.
    pub(super) fn needs_watching(&self) -> bool {
        self.record.is_some()
    }

    /// All that belongs to the tree, and what of it has ended but was not collected.
    pub(super) fn members(&self) -> Vec<Process> {
        let processes = procfs::processes();
        let grouped: HashSet<u32> = self.group.members().into_iter().collect();
        let found = self.descend(&processes, |process| {
            grouped.contains(&process.pid) || self.mark.is_on(process.pid)
        });
        self.remember(&found);
        found
    }

    /// What can be told to belong to the tree from a list of processes alone.
    pub(super) fn look(&self, processes: &[Process]) -> Vec<Process> {
        let found = self.descend(processes, |_| false);
        self.remember(&found);
        if let Some(record) = &self.record {
            record.write(found.iter().chain(&orphans::strays()).map(known).collect());
        }
        found
    }

    fn descend(&self, processes: &[Process], is_ours: impl Fn(&Process) -> bool) -> Vec<Process> {
        let ourselves = std::process::id();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stranger = |leader: Known| {
            processes
                .iter()
                .any(|process| process.pid == leader.0 && process.started != leader.1)
        };
        let session = self.leader.filter(|leader| !stranger(*leader)).map(|leader| leader.0);
        let mut children: HashMap<u32, Vec<&Process>> = HashMap::new();
        let mut open: Vec<&Process> = Vec::new();
        for process in processes.iter().filter(|process| process.pid != ourselves) {
            children.entry(process.parent).or_default().push(process);
            let known = seen.contains(&(process.pid, process.started)) || session == Some(process.session);
            if known || is_ours(process) {
                open.push(process);
            }
        }
        let mut members: HashMap<u32, Process> = HashMap::new();
        while let Some(process) = open.pop() {
            if members.insert(process.pid, *process).is_none() {
                open.extend(children.get(&process.pid).into_iter().flatten());
            }
        }
        members.into_values().collect()
    }

    fn remember(&self, found: &[Process]) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = found.iter().map(known).collect();
    }

    /// Ends all that belongs to the tree, now, and removes its control groups; blocks until that is done. What is returned
    /// would not end.
    pub(super) fn end(&self) -> Ended {
        let mut ended = Ended::default();
        let start = Instant::now();
        loop {
            self.group.kill();
            let (dead, alive): (Vec<_>, Vec<_>) = self.members().into_iter().partition(Process::is_dead);
            for process in dead {
                orphans::collect_one(process.pid);
            }
            if alive.is_empty() {
                break;
            }
            if start.elapsed() > PATIENCE {
                ended.left = alive.iter().map(|process| process.pid).collect();
                break;
            }
            for process in alive {
                let program = procfs::program(process.pid);
                if kill(process, Signal::KILL) && !ended.killed.iter().any(|(pid, _)| *pid == process.pid) {
                    ended.killed.push((process.pid, program));
                }
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.group.remove();
        if let Some(record) = &self.record {
            let _ = fs::remove_file(&record.path);
        }
        ended
    }
}

/// How a tree ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// What had to be killed: process ids and programs.
    pub(super) killed: Vec<(u32, String)>,
    /// What hangs in the kernel and did not end.
    pub(super) left: Vec<u32>,
}

/// Signals exactly this process; says whether it was still there.
fn kill(process: Process, signal: Signal) -> bool {
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    let Ok(handle) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else {
        return false;
    };
    // The handle holds on to whoever has the id now; only then is it known whether that is the one.
    let same = procfs::process(process.pid).is_some_and(|now| now.started == process.started);
    same && rustix::process::pidfd_send_signal(handle, signal).is_ok()
}

/// Asks a whole process group to end. The leader must not have been collected, so that the id is still its own.
pub(super) fn terminate(leader: u32) {
    if let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, Signal::TERM);
    }
}

fn known(process: &Process) -> Known {
    (process.pid, process.started)
}

impl Record {
    fn write(&self, processes: BTreeSet<Known>) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if *written == processes {
            return;
        }
        // Without the record only what has both left its session and cleared its environment is missed.
        if let Err(error) = fs::write(&self.path, record_text(&processes)) {
            tracing::debug!(path = %self.path.display(), %error, "processes cannot be recorded");
        }
        *written = processes;
    }
}

fn record_text(processes: &BTreeSet<Known>) -> String {
    let lines = processes.iter().map(|(pid, started)| format!("\n{pid} {started}"));
    std::iter::once(procfs::boot()).chain(lines).collect()
}

/// What an earlier daemon wrote down, if the machine has not been restarted since.
pub(super) fn read_record(path: &Path) -> BTreeSet<Known> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines();
    if lines.next() != Some(procfs::boot().as_str()) {
        return BTreeSet::new();
    }
    lines
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(pid, started)| Some((pid.parse().ok()?, started.parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_do_not_outlive_the_machine() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("processes");
        let known = BTreeSet::from([(12, 900), (14, 950)]);
        fs::write(&path, record_text(&known)).expect("written");
        assert_eq!(read_record(&path), known);
        fs::write(&path, "another boot\n12 900\n14 950").expect("written");
        assert_eq!(read_record(&path), BTreeSet::new());
        assert_eq!(read_record(&directory.path().join("nothing")), BTreeSet::new());
    }
}
