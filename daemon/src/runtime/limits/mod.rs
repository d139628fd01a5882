//! What a copy may use: held by the kernel's control groups where they can be had, watched from outside where not.
//!
//! At start, [`Confiner::detect`] finds out once what there is: the unified hierarchy where it is delegated to the daemon,
//! else the older one-hierarchy-per-resource form where it is writable, else nothing. A copy's [`Group`] is made before its
//! process is; the process joins it by itself, so it never runs outside. Groups also tell for certain which processes belong
//! to a copy, so one is made even where nothing is limited.
//!
//! A limit on address space is not used (it breaks programs that reserve much and use little), nor the per-user limit of
//! processes (it counts the processes of all copies together).

mod cgroup;
mod group;
mod watch;

pub use cgroup::Confiner;
pub(super) use group::Group;
pub(super) use watch::watch;

/// How copies are kept within their limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Confinement {
    /// By control groups where there are any.
    #[default]
    Detect,
    /// By watching alone.
    WatchOnly,
}

/// One of the resources that can be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Memory.
    Memory,
    /// Processor time.
    Cpu,
    /// Processes and threads.
    Processes,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Cpu, Self::Processes];

    /// What the kernel calls the controller of it.
    const fn controller(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Processes => "pids",
        }
    }

    /// What people call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "processor time",
            Self::Processes => "the number of processes",
        }
    }

    /// How much of it is allowed.
    const fn of(self, limits: &super::launch::Limits) -> Option<u64> {
        match self {
            Self::Memory => limits.memory,
            Self::Cpu => limits.cpu,
            Self::Processes => limits.processes,
        }
    }

    /// That a limit was passed, in a clause.
    fn exceeded(self, limit: u64) -> String {
        match self {
            Self::Memory => format!("memory limit of {} exceeded", size(limit)),
            Self::Cpu => format!("processor time limit of {limit}m exceeded"),
            Self::Processes => format!("limit of {limit} processes reached"),
        }
    }
}

/// That memory ran out, in a clause.
pub(super) fn exceeded_memory(limit: u64) -> String {
    Resource::Memory.exceeded(limit)
}

/// Bytes, as manifests write them.
pub(super) fn size(bytes: u64) -> String {
    for (unit, power) in [("Gi", 30), ("Mi", 20), ("Ki", 10)] {
        if bytes >= 1 << power && bytes.is_multiple_of(1 << power) {
            return format!("{}{unit}", bytes >> power);
        }
    }
    bytes.to_string()
}
