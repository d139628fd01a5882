//! Reading `/proc`: which processes there are, whose children they are, and which carry our mark.
//!
//! Answers are momentary. A process id alone names nobody for long, so every process is known by its id and the time at
//! which it started.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use super::environment::MARKER;

/// A process, as it was a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) session: u32,
    /// When it started, in clock ticks since the machine did.
    pub(super) started: u64,
    /// Its threads.
    pub(super) threads: u64,
    state: u8,
}

impl Process {
    /// Whether it has ended and waits to be collected.
    pub(super) const fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }
}

/// All processes, in no order.
pub(super) fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return vec![];
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(process)
        .collect()
}

/// One process.
pub(super) fn process(pid: u32) -> Option<Process> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// One line of `/proc/<pid>/stat`: `pid (name) state ppid pgrp session ...`, where the name may hold anything.
fn parse(stat: &str) -> Option<Process> {
    let (start, rest) = (stat.split_once(' ')?.0, stat.rsplit_once(')')?.1);
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Numbered from `state`, which is field 3 in proc(5).
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let id = |field: usize| fields.get(field - 3)?.parse::<u32>().ok();
    Some(Process {
        pid: start.parse().ok()?,
        parent: id(4)?,
        session: id(6)?,
        started: number(22)?,
        threads: number(20)?,
        state: *fields.first()?.as_bytes().first()?,
    })
}

fn page_size() -> u64 {
    rustix::param::page_size() as u64
}

/// Memory that a process has for itself, in bytes: without its program and other files, which many share.
pub(super) fn memory(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let mut pages = text
        .split_ascii_whitespace()
        .skip(1)
        .filter_map(|field| field.parse::<u64>().ok());
    let (resident, shared) = (pages.next().unwrap_or(0), pages.next().unwrap_or(0));
    resident.saturating_sub(shared).saturating_mul(page_size())
}

/// Whether a process is in a control group of some daemon's copies.
pub(super) fn is_grouped(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|groups| groups.contains("/orchd-"))
}

/// The mark that a process was started with, if it was started with one.
pub(super) fn marker(pid: u32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let value = environment
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(MARKER.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}

/// The program that a process runs, without its arguments: those may hold anything.
pub(super) fn program(pid: u32) -> String {
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let program = command.split(|byte| *byte == 0).next().unwrap_or_default();
    std::ffi::OsStr::from_bytes(program).to_string_lossy().into_owned()
}

/// Changes with every start of the machine; times at which processes started mean nothing beyond it.
pub(super) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_anything() {
        let tail = "S 7 41 40 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 9900 1000 250 18446744073709551615 1 1";
        for name in ["cat", "a b", "x) S 1 (y", ")", ""] {
            let process = parse(&format!("42 ({name}) {tail}")).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(
                (process.pid, process.parent, process.session, process.started),
                (42, 7, 40, 9900),
                "{name}"
            );
            assert_eq!(process.threads, 3, "{name}");
        }
        for wrong in ["", "42", "42 (cat", "42 (cat) S", "x (cat) S 7 41"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn finds_itself() {
        let own = process(std::process::id()).expect("this process");
        assert!(
            processes()
                .iter()
                .any(|process| process.pid == own.pid && process.started == own.started)
        );
        assert!(!own.is_dead() && own.threads > 0 && memory(own.pid) > 0);
    }
}
