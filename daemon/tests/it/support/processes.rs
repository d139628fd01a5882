//! Processes of this machine, as `/proc` tells of them.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal};

/// Living processes whose environment speaks of that directory: a daemon's children, and theirs.
pub(crate) fn of(home: &Path) -> Vec<u32> {
    let needle = home.as_os_str().as_encoded_bytes();
    let speaks = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(needle.len()).any(|window| window == needle)
    };
    all().filter(speaks).filter(|pid| is_alive(*pid)).collect()
}

/// What is known of a process, for messages.
pub(crate) fn describe(pid: u32) -> String {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    format!("{pid}: {}", String::from_utf8_lossy(&arguments).replace('\0', " "))
}

/// Whether it runs; a dead one that nobody has waited for does not.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The program's name stands in parentheses and may hold anything.
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// How many sockets it has open.
pub(crate) fn sockets(pid: u32) -> usize {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).expect("its files can be listed");
    let targets = open.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

/// Sends a signal; a process that is gone already is fine.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _gone = rustix::process::kill_process(pid, signal);
    }
}

fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").expect("/proc is mounted");
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}
