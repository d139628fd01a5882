//! One process of a copy: prepared, started from the spawning thread, ended with all that it has started.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::environment::{Environment, MARKER, lookup};
use super::exec::Step;
use super::limits::Group;
use super::orphans::Owned;
use super::spawn::Spawner;
use super::tree::{self, Tree};

/// What is to be started.
#[derive(Debug)]
pub(super) struct Order {
    /// The program, by path, and its arguments.
    pub(super) argv: Vec<OsString>,
    /// All of its environment but the mark.
    pub(super) environment: Environment,
    pub(super) directory: PathBuf,
    pub(super) group: Group,
    /// The mark of the copy that it belongs to.
    pub(super) mark: String,
    /// Where to write down what belongs to it.
    pub(super) record: PathBuf,
}

/// A process that was started.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) tree: Arc<Tree>,
    child: Child,
    began: Instant,
    _owned: Owned,
}

/// Its standard streams.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

impl Process {
    /// Starts a process by way of [`super::exec`].
    pub(super) async fn start(spawner: &Spawner, orchd: &Path, order: Order) -> io::Result<(Self, Streams)> {
        let Order {
            argv,
            environment,
            directory,
            group,
            mark,
            record,
        } = order;
        let step = Step {
            parent: std::process::id(),
            groups: group.directories(),
            directory,
            argv,
        };
        let mut command = Command::new(orchd);
        command
            .args(step.arguments())
            .env_clear()
            .envs(environment)
            // Last, so that nothing declared can hide a process from us.
            .env(MARKER, &mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let spawned = match spawner.spawn(command).await {
            Ok(spawned) => spawned,
            Err(error) => {
                group.remove();
                return Err(error);
            }
        };
        let mut child = spawned.child;
        let pid = child.id().ok_or_else(|| io::Error::other("the process has no id"))?;
        let tree = Arc::new(Tree::of_copy(mark, group, Some(pid), record));
        let streams = child.stdin.take().zip(child.stdout.take()).zip(child.stderr.take());
        let ((stdin, stdout), stderr) = streams.ok_or_else(|| io::Error::other("the process has no streams"))?;
        let process = Self {
            pid,
            tree,
            child,
            began: Instant::now(),
            _owned: spawned.owned,
        };
        Ok((process, Streams { stdin, stdout, stderr }))
    }

    /// How long it has run.
    pub(super) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits for its end. Dropping the future changes nothing.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Waits for its end, but not for longer than that; says whether it came.
    pub(super) async fn ends_within(&mut self, patience: Duration) -> bool {
        tokio::time::timeout(patience, self.child.wait()).await.is_ok()
    }

    /// Asks it, and what else is in its process group, to end.
    pub(super) fn terminate(&self) {
        // Without an id it was collected, and the group may be another's by now.
        if let Some(pid) = self.child.id() {
            tree::terminate(pid);
        }
    }

    /// Ends it, if it has not ended, and all that it has started.
    pub(super) async fn finish(&mut self) -> io::Result<ExitStatus> {
        let tree = Arc::clone(&self.tree);
        let pid = self.pid;
        if let Ok(ended) = tokio::task::spawn_blocking(move || tree.end()).await
            && !ended.left.is_empty()
        {
            tracing::error!(process.pid = pid, left = ?ended.left, "processes hang in the kernel and did not end");
        }
        self.child.wait().await
    }
}

/// The signal that ended a process, by name.
pub(super) fn signal_name(status: ExitStatus) -> Option<String> {
    let number = status.signal()?;
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        other => return Some(format!("signal {other}")),
    };
    Some(name.to_owned())
}

/// Why a program was not found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Nothing of that name is there; a name that is near, if one is.
    NotFound(Option<String>),
    /// There is something, but it is not a program that may be run.
    NotExecutable(PathBuf),
}

/// Finds a program as a shell would: by path where it has a slash, else along `PATH`.
pub(super) fn find_program(name: &str, environment: &Environment, directory: &Path) -> Result<PathBuf, Missing> {
    if name.contains('/') {
        let path = directory.join(name);
        return match executable(&path) {
            Some(true) => Ok(path),
            Some(false) => Err(Missing::NotExecutable(path)),
            None => Err(Missing::NotFound(None)),
        };
    }
    let path = lookup(environment, "PATH").unwrap_or_default().to_owned();
    let mut refused = None;
    for folder in std::env::split_paths(&path) {
        let candidate = directory.join(folder).join(name);
        match executable(&candidate) {
            Some(true) => return Ok(candidate),
            Some(false) => refused = refused.or(Some(candidate)),
            None => {}
        }
    }
    Err(refused.map_or_else(|| Missing::NotFound(near(name, &path)), Missing::NotExecutable))
}

/// Whether a file may be executed; nothing when there is no file.
fn executable(path: &Path) -> Option<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some(metadata.permissions().mode() & 0o111 != 0)
}

fn near(name: &str, path: &OsString) -> Option<String> {
    let folders = std::env::split_paths(path).filter_map(|folder| std::fs::read_dir(folder).ok());
    let names: Vec<String> = folders
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    orch_shared::problem::near_miss(name, names.iter().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn programs_are_found_as_a_shell_does() {
        let root = tempfile::tempdir().expect("a directory");
        let file = |path: &str, mode| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(&path, "").expect("written");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
            path
        };
        let server = file("bin/notes-server", 0o755);
        let second = file("more/notes-server", 0o755);
        let text = file("bin/read-me", 0o644);
        let path = std::env::join_paths([root.path().join("bin"), root.path().join("more")]).expect("a path");
        let environment = vec![("PATH".into(), path)];
        let find = |name: &str| find_program(name, &environment, root.path());
        assert_eq!(find("notes-server"), Ok(server.clone()));
        assert_eq!(find("./more/notes-server"), Ok(root.path().join("./more/notes-server")));
        assert_eq!(find(second.to_str().expect("text")), Ok(second));
        assert_eq!(find("read-me"), Err(Missing::NotExecutable(text)));
        assert_eq!(find("notes-sever"), Err(Missing::NotFound(Some("notes-server".into()))));
        assert_eq!(find("./nothing"), Err(Missing::NotFound(None)));
        assert_eq!(find("bin"), Err(Missing::NotFound(None)));
    }
}
