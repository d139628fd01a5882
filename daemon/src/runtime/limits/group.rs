//! The control groups of one copy: one directory where the hierarchy is unified, one per resource where it is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::launch::Limits;
use super::super::observation::Enforced;
use super::Resource;

/// The period over which processor time is counted, in microseconds: the kernel's default.
const PERIOD: u64 = 100_000;

/// How often the removal of a group is tried: what has just ended may be in it for another moment.
const REMOVALS: u32 = 50;

/// The kernel's two forms of control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Version 2: one hierarchy for all resources.
    Unified,
    /// Version 1: a hierarchy per resource.
    Separate,
}

/// One directory, for one resource.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) form: Form,
    pub(super) directory: PathBuf,
    pub(super) resource: Resource,
}

/// The control groups of one copy. May be none at all.
#[derive(Debug, Clone)]
pub(in crate::runtime) struct Group {
    members: Vec<Member>,
    limits: Limits,
    held: Vec<Resource>,
}

impl Group {
    /// Sets the limits in groups that were just made.
    pub(super) fn new(members: Vec<Member>, limits: Limits) -> Self {
        let sets = |member: &&Member| resource_limit(member, &limits).is_some_and(|limit| set(member, limit));
        let held = members.iter().filter(sets).map(|member| member.resource).collect();
        Self { members, limits, held }
    }

    /// Whether there is no group.
    pub(in crate::runtime) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The directories that a process has to join.
    pub(in crate::runtime) fn directories(&self) -> Vec<PathBuf> {
        let mut directories: Vec<_> = self.members.iter().map(|member| member.directory.clone()).collect();
        directories.dedup();
        directories
    }

    /// Whether the limits hold.
    pub(in crate::runtime) fn enforced(&self) -> Enforced {
        let asked = Resource::ALL
            .into_iter()
            .filter(|resource| resource.of(&self.limits).is_some());
        let missing: Vec<_> = asked.filter(|resource| !self.held.contains(resource)).collect();
        if self.limits.is_none() {
            return Enforced::NotAsked;
        }
        if missing.is_empty() {
            return Enforced::Full;
        }
        let (loose, watched): (Vec<_>, Vec<_>) = missing.into_iter().partition(|resource| *resource == Resource::Cpu);
        let mut clauses = Vec::new();
        if !watched.is_empty() {
            let names: Vec<_> = watched.iter().map(|resource| resource.name()).collect();
            clauses.push(format!("{} watched from outside", names.join(" and ")));
        }
        if !loose.is_empty() {
            clauses.push(format!("{} not limited", Resource::Cpu.name()));
        }
        Enforced::Partial(format!(
            "{}: no control group can be used for it here",
            clauses.join(", ")
        ))
    }

    /// What has to be watched from outside.
    pub(in crate::runtime) fn watched(&self) -> Limits {
        let open = |resource: Resource| resource.of(&self.limits).filter(|_| !self.held.contains(&resource));
        Limits {
            memory: open(Resource::Memory),
            cpu: None,
            processes: open(Resource::Processes),
        }
    }

    /// Processes in the groups, and in groups that they have made below.
    pub(in crate::runtime) fn members(&self) -> Vec<u32> {
        let mut found = Vec::new();
        for directory in self.directories() {
            walk(&directory, &mut |directory| {
                let text = fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
                found.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
            });
        }
        found
    }

    /// Ends everything in the groups at once, where the kernel offers that.
    pub(in crate::runtime) fn kill(&self) {
        for member in self.members.iter().filter(|member| member.form == Form::Unified) {
            let _ = fs::write(member.directory.join("cgroup.kill"), "1");
        }
    }

    /// Which limit the kernel had to defend, if it did; to be asked when the process has ended without success.
    pub(in crate::runtime) fn verdict(&self) -> Option<String> {
        self.members
            .iter()
            .filter(|member| self.held.contains(&member.resource))
            .find_map(|member| {
                let limit = resource_limit(member, &self.limits)?;
                defended(member).then(|| member.resource.exceeded(limit))
            })
    }

    /// Removes the groups. Whatever was in them must have ended.
    pub(in crate::runtime) fn remove(&self) {
        for directory in self.directories() {
            for _ in 0..REMOVALS {
                walk(&directory, &mut |directory| drop(fs::remove_dir(directory)));
                if !directory.exists() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            if directory.exists() {
                tracing::warn!(directory = %directory.display(), "control group cannot be removed");
            }
        }
    }
}

fn resource_limit(member: &Member, limits: &Limits) -> Option<u64> {
    member.resource.of(limits)
}

/// Visits a group and all below it, the deepest first.
fn walk(directory: &Path, visit: &mut impl FnMut(&Path)) {
    if let Ok(entries) = fs::read_dir(directory) {
        for entry in entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        {
            walk(&entry.path(), visit);
        }
    }
    visit(directory);
}

/// Sets a limit; says whether it holds.
fn set(member: &Member, limit: u64) -> bool {
    let write = |file: &str, value: String| match fs::write(member.directory.join(file), value) {
        Ok(()) => true,
        Err(error) => {
            tracing::debug!(group = %member.directory.display(), file, %error, "limit not set");
            false
        }
    };
    match (member.form, member.resource) {
        (Form::Unified, Resource::Memory) => {
            // One process less is a broken server; all of them is one that can be started again.
            write("memory.oom.group", "1".to_owned());
            write("memory.swap.max", "0".to_owned());
            write("memory.max", limit.to_string())
        }
        (Form::Separate, Resource::Memory) => {
            let holds = write("memory.limit_in_bytes", limit.to_string());
            // Only there when the kernel accounts swap.
            write("memory.memsw.limit_in_bytes", limit.to_string());
            holds
        }
        (Form::Unified, Resource::Cpu) => write("cpu.max", format!("{} {PERIOD}", quota(limit))),
        (Form::Separate, Resource::Cpu) => {
            write("cpu.cfs_period_us", PERIOD.to_string()) && write("cpu.cfs_quota_us", quota(limit).to_string())
        }
        (Form::Unified | Form::Separate, Resource::Processes) => write("pids.max", limit.to_string()),
    }
}

/// Thousandths of a core as microseconds per period; the kernel takes no less than a thousand.
fn quota(millicores: u64) -> u64 {
    (millicores.saturating_mul(PERIOD) / 1000).max(1000)
}

/// Whether the kernel has had to refuse or to kill.
fn defended(member: &Member) -> bool {
    let (file, key) = match (member.form, member.resource) {
        (Form::Unified, Resource::Memory) => ("memory.events", "oom_kill"),
        (Form::Separate, Resource::Memory) => ("memory.oom_control", "oom_kill"),
        (Form::Unified | Form::Separate, Resource::Processes) => ("pids.events", "max"),
        (Form::Unified | Form::Separate, Resource::Cpu) => return false,
    };
    let text = fs::read_to_string(member.directory.join(file)).unwrap_or_default();
    let count = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(name, _)| *name == key);
    count.is_some_and(|(_, count)| count.trim() != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(directory: &Path, file: &str) -> String {
        fs::read_to_string(directory.join(file)).unwrap_or_default()
    }

    #[test]
    fn each_form_has_its_files() {
        let limits = Limits {
            memory: Some(64 << 20),
            cpu: Some(500),
            processes: Some(16),
        };
        for (form, expected) in [
            (
                Form::Unified,
                [
                    ("memory.max", "67108864"),
                    ("memory.swap.max", "0"),
                    ("cpu.max", "50000 100000"),
                    ("pids.max", "16"),
                ],
            ),
            (
                Form::Separate,
                [
                    ("memory.limit_in_bytes", "67108864"),
                    ("cpu.cfs_period_us", "100000"),
                    ("cpu.cfs_quota_us", "50000"),
                    ("pids.max", "16"),
                ],
            ),
        ] {
            let root = tempfile::tempdir().expect("a directory");
            let member = |resource| Member {
                form,
                directory: root.path().to_owned(),
                resource,
            };
            let group = Group::new(Resource::ALL.map(member).to_vec(), limits);
            for (file, value) in expected {
                assert_eq!(read(root.path(), file), value, "{form:?} {file}");
            }
            assert_eq!(group.enforced(), Enforced::Full);
            assert_eq!(group.watched(), Limits::default());
            assert_eq!(group.verdict(), None);
            let (file, text) = match form {
                Form::Unified => ("memory.events", "low 0\noom 1\noom_kill 1\n"),
                Form::Separate => ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"),
            };
            fs::write(root.path().join(file), text).expect("written");
            assert_eq!(group.verdict().as_deref(), Some("memory limit of 64Mi exceeded"));
        }
    }

    #[test]
    fn what_no_group_holds_is_watched() {
        for (limits, enforced) in [
            (Limits::default(), Enforced::NotAsked),
            (
                Limits {
                    memory: Some(1),
                    processes: Some(2),
                    cpu: None,
                },
                Enforced::Partial(
                    "memory and the number of processes watched from outside: no control group can be used for it here"
                        .into(),
                ),
            ),
            (
                Limits {
                    cpu: Some(100),
                    ..Limits::default()
                },
                Enforced::Partial("processor time not limited: no control group can be used for it here".into()),
            ),
        ] {
            let group = Group::new(vec![], limits);
            assert_eq!(group.enforced(), enforced);
            assert_eq!(group.watched(), Limits { cpu: None, ..limits });
        }
    }
}
