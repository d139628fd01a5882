//! `orchd __exec`: the step between the daemon's fork and the program it wants to run.
//!
//! The daemon starts itself with this argument; the step prepares its own process and then becomes the program. So all
//! preparation is safe code that runs after exec, where anything may be called, and no wrapper process is left.
//!
//! What the program inherits from here: it is killed when the daemon's spawning thread ends, it leads a session and a
//! process group of its own, it dumps no core, its limit of open files is the customary one, and it is a member of the
//! control groups made for it. The environment is already the program's own.
//!
//! A step that cannot be done ends the process with [`FAILED`] and one line on standard error that starts with
//! [`COMPLAINT`]; nothing is ever run half prepared.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, Signal};

/// The first argument that asks for this step.
pub const ARGUMENT: &str = "__exec";

/// The exit code of a step that could not be done.
pub const FAILED: i32 = 125;

/// How the line on standard error begins when a step could not be done.
pub const COMPLAINT: &str = "orchd: cannot start the program: ";

/// The soft limit of open files that programs expect; they may raise it up to the hard one.
const OPEN_FILES: u64 = 1024;

/// What to do before becoming the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The daemon; when it is no longer the parent, there is nobody to run the program for.
    pub parent: u32,
    /// Control groups to join: their directories.
    pub groups: Vec<PathBuf>,
    /// Where the program starts.
    pub directory: PathBuf,
    /// The program and its arguments.
    pub argv: Vec<OsString>,
}

impl Step {
    /// The arguments that hand this step to `orchd`, [`ARGUMENT`] included.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![ARGUMENT.into(), self.parent.to_string().into()];
        arguments.push(self.directory.clone().into());
        arguments.extend(self.groups.iter().map(|group| group.clone().into()));
        arguments.push("--".into());
        arguments.extend(self.argv.iter().cloned());
        arguments
    }

    /// The step that such arguments, without [`ARGUMENT`], describe.
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let parent = arguments.next()?.to_str()?.parse().ok()?;
        let directory = PathBuf::from(arguments.next()?);
        let groups = arguments
            .by_ref()
            .take_while(|argument| argument != "--")
            .map(PathBuf::from)
            .collect();
        let argv: Vec<_> = arguments.collect();
        (!argv.is_empty()).then_some(Self {
            parent,
            groups,
            directory,
            argv,
        })
    }
}

/// What could not be done.
#[derive(Debug)]
struct Complaint(String);

impl Complaint {
    fn new(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }
}

/// Does the step that `arguments` (those after [`ARGUMENT`]) describe, and becomes the program.
pub fn exec_main(arguments: impl IntoIterator<Item = OsString>) -> ! {
    let complaint = match Step::parse(arguments) {
        Some(step) => become_program(&step),
        None => Complaint("the arguments are not those of the daemon".to_owned()),
    };
    // Nobody is left to tell when standard error is gone, too.
    let _ = writeln!(io::stderr(), "{COMPLAINT}{}", complaint.0);
    std::process::exit(FAILED)
}

/// Returns only when something could not be done.
fn become_program(step: &Step) -> Complaint {
    match prepare(step) {
        Ok(()) => {
            let why = Command::new(&step.argv[0]).args(&step.argv[1..]).exec();
            Complaint::new(step.argv[0].to_string_lossy(), why)
        }
        Err(complaint) => complaint,
    }
}

fn prepare(step: &Step) -> Result<(), Complaint> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|why| Complaint::new("parent death signal", why))?;
    // A daemon that died before the line above can no longer send the signal.
    if rustix::process::getppid().map(Pid::as_raw_pid) != i32::try_from(step.parent).ok() {
        return Err(Complaint("the daemon is gone".to_owned()));
    }
    rustix::process::setsid().map_err(|why| Complaint::new("session", why))?;
    bound(Resource::Core, 0).map_err(|why| Complaint::new("core size", why))?;
    bound(Resource::Nofile, OPEN_FILES).map_err(|why| Complaint::new("open files", why))?;
    for group in &step.groups {
        join(group).map_err(|why| Complaint::new(group.display(), why))?;
    }
    std::env::set_current_dir(&step.directory).map_err(|why| Complaint::new(step.directory.display(), why))
}

/// Joins a control group. Moving a process makes the kernel wait until nobody forks, ten milliseconds and more; the older
/// form can move a thread at once, and this process has no other.
fn join(group: &Path) -> io::Result<()> {
    let threads = group.join("tasks");
    let list = if threads.exists() {
        threads
    } else {
        group.join("cgroup.procs")
    };
    // "0" stands for whoever writes it.
    std::fs::write(list, "0")
}

/// Keeps this process from leaving a core behind, which would hold keys, tokens and values of secrets.
///
/// # Errors
/// When the operating system does not let it.
pub fn leave_no_core() -> io::Result<()> {
    bound(Resource::Core, 0)
}

/// Sets a soft limit, within the hard one.
fn bound(resource: Resource, most: u64) -> io::Result<()> {
    let Rlimit { maximum, .. } = rustix::process::getrlimit(resource);
    let current = Some(maximum.map_or(most, |hard| hard.min(most)));
    Ok(rustix::process::setrlimit(resource, Rlimit { current, maximum })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_back() {
        for groups in [
            vec![],
            vec![
                PathBuf::from("/sys/fs/cgroup/pids/x"),
                PathBuf::from("/sys/fs/cgroup/memory/x"),
            ],
        ] {
            let step = Step {
                parent: 17,
                groups,
                directory: "/srv".into(),
                argv: vec!["/bin/echo".into(), "--".into(), "a b".into(), "__exec".into()],
            };
            assert_eq!(Step::parse(step.arguments().into_iter().skip(1)), Some(step));
        }
        for wrong in [
            &[][..],
            &["17"],
            &["x", "/", "--", "a"],
            &["17", "/", "--"],
            &["17", "/", "a"],
        ] {
            assert_eq!(Step::parse(wrong.iter().map(Into::into)), None, "{wrong:?}");
        }
    }
}
