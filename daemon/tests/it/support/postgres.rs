//! A PostgreSQL server of our own: unprivileged, in a temporary directory, reached by a socket in it, gone with the last
//! test that uses it.
//!
//! Without PostgreSQL's programs a test that wants one is skipped and says so; with `ORCH_REQUIRE_ALL=1` it fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// A running server. Stopped and removed when the last clone of the `Arc` goes.
pub(crate) struct Server {
    directory: tempfile::TempDir,
    programs: PathBuf,
    running: Mutex<Option<Child>>,
    databases: AtomicU32,
}

/// The server that the tests of this process share, started by the first that asks.
pub(crate) fn server() -> Option<Arc<Server>> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = Arc::new(Server::start()?);
    *shared = Arc::downgrade(&server);
    Some(server)
}

/// A server that one test may stop and start.
pub(crate) fn server_of_its_own() -> Option<Arc<Server>> {
    Server::start().map(Arc::new)
}

impl Server {
    fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(
                std::env::var_os("ORCH_REQUIRE_ALL").is_none(),
                "PostgreSQL is not installed, and ORCH_REQUIRE_ALL asks for it"
            );
            report("skipped: PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        let directory = tempfile::Builder::new()
            .prefix("orch-postgres-")
            .tempdir()
            .expect("a temporary directory");
        let server = Self {
            directory,
            programs,
            running: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        server.give_away();
        let made = server
            .command("initdb")
            .args([
                "--username=postgres",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "-D",
            ])
            .arg(server.data())
            .output()
            .expect("initdb runs");
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        server.resume();
        Some(server)
    }

    /// The URL of a fresh, empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::SeqCst));
        let made = self.psql(&format!("CREATE DATABASE {name}"));
        assert!(made, "CREATE DATABASE {name}");
        let socket = self
            .directory
            .path()
            .to_str()
            .expect("a plain path")
            .replace('/', "%2F");
        format!("postgres://postgres@{socket}/{name}")
    }

    /// Stops the server at once, as a crash would: connections break.
    pub(crate) fn stop(&self) {
        let Some(mut child) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        // SIGQUIT is an immediate shutdown; it takes the server's own children along.
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::QUIT).expect("the server can be stopped");
        child.wait().expect("the server ends");
    }

    /// Starts the server again on the same data, and waits until it answers.
    pub(crate) fn resume(&self) {
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.directory.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // The server is told when the thread that started it ends; this one ends with the process.
        let (started, child) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            started
                .send(command.spawn().expect("postgres runs"))
                .expect("somebody waits");
            loop {
                std::thread::park();
            }
        });
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(child.recv().expect("postgres runs"));
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.psql("SELECT 1") {
            assert!(Instant::now() < deadline, "PostgreSQL does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn psql(&self, sql: &str) -> bool {
        let mut psql = self.command("psql");
        psql.args(["-qX", "-U", "postgres", "-d", "postgres", "-c", sql, "-h"])
            .arg(self.directory.path());
        psql.stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("psql runs")
            .success()
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// PostgreSQL refuses to run as root, so root runs it as somebody else; nothing of it outlives this process.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "QUIT"])
            .current_dir("/")
            .env_clear()
            .env("PATH", "/usr/bin:/bin");
        if let Some(user) = other_user() {
            command.args([
                "--clear-groups",
                "--reuid",
                &user.uid.to_string(),
                "--regid",
                &user.gid.to_string(),
            ]);
        }
        command.arg(self.programs.join(program)).stdin(Stdio::null());
        command
    }

    fn give_away(&self) {
        if let Some(User { uid, gid }) = other_user() {
            std::os::unix::fs::chown(self.directory.path(), Some(uid), Some(gid)).expect("root may chown");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

struct User {
    uid: u32,
    gid: u32,
}

/// Whom root runs PostgreSQL as.
fn other_user() -> Option<User> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let find = |name: &str| {
        let line = passwd.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some(User {
            uid: fields.next()?.ok()?,
            gid: fields.next()?.ok()?,
        })
    };
    Some(
        find("postgres")
            .or_else(|| find("nobody"))
            .expect("a user to run PostgreSQL as"),
    )
}

/// Where PostgreSQL's programs are: the newest version that Debian's packages have put there, or in the PATH.
fn programs() -> Option<PathBuf> {
    let complete = |directory: &Path| {
        ["initdb", "postgres", "psql"]
            .iter()
            .all(|name| directory.join(name).exists())
    };
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, directory)| complete(directory))
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions
        .pop()
        .map(|(_, directory)| directory)
        .or_else(|| std::env::split_paths(&path).find(|directory| complete(directory)))
}

#[expect(clippy::print_stderr, reason = "a skipped test says so where people look")]
fn report(text: &str) {
    eprintln!("{text}");
}
