//! What the kernel says a process costs.

use std::fs;
use std::time::Duration;

/// Processor time that a process has used, its ended children not counted.
pub(crate) fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
    // The program's name stands in parentheses and may hold anything; user and system time are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(") ").expect("a line of proc(5)");
    let ticks: u64 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().expect("a number of ticks"))
        .sum();
    Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
}

/// Memory of a process that is in RAM, in kibibytes.
pub(crate) fn resident(pid: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let value = line.and_then(|line| line.trim().strip_suffix(" kB"));
    value.and_then(|value| value.parse().ok()).expect("VmRSS in kB")
}
