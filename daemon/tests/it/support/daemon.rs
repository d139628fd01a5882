//! A daemon of a test's own: the real programs, in a directory and an environment that nothing of the user's reaches.
//!
//! Flow: [`Home::new`] makes the place, [`Home::start`] runs `orchd` in it and waits until it is ready, [`Home::orchctl`]
//! runs the command line against it. Guarantees: whatever happens, nothing of it is left when the [`Home`] is dropped; and
//! a test that fails shows the daemon's log.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::http::Request;
use super::{postgres, processes};

/// So long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a daemon keeps its objects in.
#[derive(Clone)]
pub(crate) enum Ground {
    Sqlite,
    Postgres(
        String,
        #[expect(dead_code, reason = "kept running")] Arc<postgres::Server>,
    ),
}

/// Where a daemon lives, and the daemon while it runs.
pub(crate) struct Home {
    directory: tempfile::TempDir,
    ground: Ground,
    flags: Vec<String>,
    /// What the daemon finds in its environment besides, such as how to reach a registry.
    environment: Vec<(OsString, OsString)>,
    /// A command that becomes the daemon, such as one that gives it a file system of its own.
    wrapper: Vec<String>,
    running: Option<Running>,
    starts: u32,
}

struct Running {
    child: Child,
    address: SocketAddr,
}

/// How a program ended and what it said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Declares the stories of a module on each database: `sqlite::story` and `postgres::story`.
macro_rules! on_each_database {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $story() { super::$story($crate::support::daemon::Home::new()); })+
        }
        mod postgres {
            $(#[test] fn $story() {
                if let Some(home) = $crate::support::daemon::Home::on_postgres() { super::$story(home); }
            })+
        }
    };
}
pub(crate) use on_each_database;

impl Home {
    /// A place with SQLite.
    pub(crate) fn new() -> Self {
        Self::on(Ground::Sqlite)
    }

    /// A place with a database on PostgreSQL, if there is one.
    pub(crate) fn on_postgres() -> Option<Self> {
        let server = postgres::server()?;
        Some(Self::on(Ground::Postgres(server.database(), server)))
    }

    /// A place with a database on a PostgreSQL of its own, which may be stopped and resumed, if there is one.
    pub(crate) fn on_own_postgres() -> Option<(Self, Arc<postgres::Server>)> {
        let server = postgres::server_of_its_own()?;
        Some((
            Self::on(Ground::Postgres(server.database(), Arc::clone(&server))),
            server,
        ))
    }

    fn on(ground: Ground) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("orch-e2e-")
            .tempdir()
            .expect("a temporary directory");
        Self {
            directory,
            ground,
            flags: Vec::new(),
            environment: Vec::new(),
            wrapper: Vec::new(),
            running: None,
            starts: 0,
        }
    }

    /// A place beside this one, whose daemon shares its database, its flags, its key and its tokens.
    pub(crate) fn beside(&self) -> Self {
        let mut beside = Self::on(self.ground.clone());
        let key = self.path("data/keys.json").display().to_string();
        beside.flags = [self.flags.clone(), vec!["--key-file".to_owned(), key]].concat();
        fs::copy(self.path("orchctl.yaml"), beside.path("orchctl.yaml")).expect("a context to share");
        beside
    }

    /// Starts the daemon with further flags, from now on.
    pub(crate) fn with(mut self, flags: &[&str]) -> Self {
        self.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        self
    }

    /// Lets installers find the registries that this user has configured.
    pub(crate) fn with_registries(mut self) -> Self {
        let reaches = |name: &str| {
            let name = name.to_ascii_lowercase();
            name == "home"
                || name.ends_with("_proxy")
                || [
                    "npm_config_",
                    "pip_",
                    "uv_",
                    "ssl_cert_",
                    "node_extra_ca_certs",
                    "requests_ca_bundle",
                    "curl_ca_bundle",
                ]
                .iter()
                .any(|start| name.starts_with(start))
        };
        self.environment = std::env::vars_os()
            .filter(|(name, _)| name.to_str().is_some_and(reaches))
            .collect();
        self
    }

    /// Sets variables of the daemon's environment, from now on.
    pub(crate) fn with_environment(mut self, variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        self.environment.extend(variables);
        self
    }

    /// Starts the daemon through a command that becomes it, from now on.
    pub(crate) fn through(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|part| (*part).to_owned()).collect();
        self
    }

    /// A path in this place.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file, and the directories above it.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a path below the home")).expect("directories can be made");
        fs::write(&path, text).expect("the file can be written");
        path
    }

    /// Runs the daemon until it is ready.
    pub(crate) fn start(&mut self) {
        self.start_unasked();
        let address = self.address();
        eventually("the daemon is ready", || {
            let ready = Request::new(address, "GET", "/readyz").try_send();
            ready.is_ok_and(|answer| answer.status == 200)
        });
    }

    /// Runs the daemon until it says that it is ready.
    pub(crate) fn start_unasked(&mut self) {
        assert!(self.running.is_none(), "the daemon runs already");
        self.starts += 1;
        let log = self.log_path();
        let mut command = self.orchd(&["serve"]);
        command
            .stderr(fs::File::create(&log).expect("a log"))
            .stdout(Stdio::null());
        let mut child = command.spawn().expect("orchd runs");
        let deadline = Instant::now() + PATIENCE;
        let address = loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if let Some(address) = text.lines().find_map(listening) {
                break address;
            }
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                panic!("orchd ended with {status}:\n{text}");
            }
            assert!(Instant::now() < deadline, "orchd does not start:\n{text}");
            std::thread::sleep(Duration::from_millis(10));
        };
        self.running = Some(Running { child, address });
    }

    /// A daemon that is started.
    pub(crate) fn started(mut self) -> Self {
        self.start();
        self
    }

    /// `orchd` in this place, with that command.
    pub(crate) fn orchd(&self, arguments: &[&str]) -> Command {
        // Dies with the thread that started it, so that a test that is killed leaves nothing running.
        let mut command = self.program("setpriv");
        command.args(["--pdeathsig", "KILL", "env"]);
        // Set on the way, so that setpriv is found also where the daemon's own PATH leads nowhere.
        for (name, value) in &self.environment {
            command.arg(pair(name, value));
        }
        command
            .args(&self.wrapper)
            .arg(env!("CARGO_BIN_EXE_orchd"))
            .args(arguments);
        command.arg("--data-dir").arg(self.path("data"));
        if !self.flags.iter().any(|flag| flag == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        if !self.flags.iter().any(|flag| flag == "--log") {
            command.args(["--log", "info,orch_daemon=debug"]);
        }
        command.args(["--log-format", "json"]).args(&self.flags);
        if let Ground::Postgres(url, _) = &self.ground {
            command.args(["--database-url", url]);
        }
        command
    }

    /// Runs `orchd` with that command to its end.
    pub(crate) fn orchd_to_end(&self, arguments: &[&str]) -> Output {
        let mut command = self.orchd(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Output::of(command.spawn().expect("orchd runs"))
    }

    /// Runs `orchd` with a command that needs no daemon and no data.
    pub(crate) fn orchd_alone(&self, arguments: &[&str]) -> Output {
        let mut command = self.program(env!("CARGO_BIN_EXE_orchd"));
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        Output::of(command.spawn().expect("orchd runs"))
    }

    /// Asks the daemon to end, and waits for it.
    pub(crate) fn stop(&mut self) -> i32 {
        let mut running = self.running.take().expect("the daemon runs");
        processes::signal(running.child.id(), Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = running.child.try_wait().expect("a child can be waited for") {
                return status.code().unwrap_or(-1);
            }
            if Instant::now() > deadline {
                running.kill();
                panic!("the daemon does not end");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends the daemon as a crash would.
    pub(crate) fn kill_9(&mut self) {
        self.running.take().expect("the daemon runs").kill();
    }

    /// Where its objects are, unless that is SQLite in its directory.
    pub(crate) fn database_url(&self) -> Option<&str> {
        match &self.ground {
            Ground::Sqlite => None,
            Ground::Postgres(url, _) => Some(url),
        }
    }

    /// Where the daemon answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.running.as_ref().expect("the daemon runs").address
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.running.as_ref().expect("the daemon runs").child.id()
    }

    /// Processes that it has started and that live, and theirs.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let daemon = self.running.as_ref().map(|running| running.child.id());
        let mut found = processes::of(self.directory.path());
        found.retain(|pid| Some(*pid) != daemon);
        found
    }

    /// The admin's token, as the daemon wrote it for the command line.
    pub(crate) fn token(&self) -> String {
        let text = fs::read_to_string(self.path("orchctl.yaml")).expect("the daemon wrote a context");
        let token = text.lines().find_map(|line| line.trim().strip_prefix("token: "));
        token
            .expect("the context has a token")
            .trim_matches(['"', '\''])
            .to_owned()
    }

    /// A request with the admin's token.
    pub(crate) fn http(&self, method: &str, path: &str) -> Request {
        Request::new(self.address(), method, path).token(&self.token())
    }

    /// An object, or whatever else is at that path.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.http("GET", &format!("/api/v1/{path}")).send().expect(200).json()
    }

    /// Runs the command line.
    pub(crate) fn orchctl(&self, arguments: &[&str]) -> Output {
        self.orchctl_reading("", arguments)
    }

    /// Runs the command line with something on its standard input.
    pub(crate) fn orchctl_reading(&self, input: &str, arguments: &[&str]) -> Output {
        self.orchctl_with(&[], input, arguments)
    }

    /// Runs the command line with that in its environment, and something on its standard input.
    pub(crate) fn orchctl_with(&self, variables: &[(&str, &str)], input: &str, arguments: &[&str]) -> Output {
        let mut command = self.orchctl_command(arguments);
        let mut child = command.envs(variables.iter().copied()).spawn().expect("orchctl runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A program that does not read what it is given is fine.
        let _closed = stdin.write_all(input.as_bytes());
        drop(stdin);
        Output::of(child)
    }

    /// The command line, ready to be run.
    pub(crate) fn orchctl_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(beside("orchctl"));
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Applies manifests, which must be admitted.
    #[track_caller]
    pub(crate) fn apply(&self, manifests: &str) -> Output {
        self.orchctl_reading(manifests, &["apply", "-f", "-"]).expect(0)
    }

    /// Waits until those objects are ready.
    #[track_caller]
    pub(crate) fn until_ready(&self, objects: &[&str]) {
        self.orchctl(&[&["wait", "--timeout", "90s"], objects].concat())
            .expect(0);
    }

    /// What the daemon has logged since it was first started.
    pub(crate) fn logs(&self) -> String {
        let mut all = String::new();
        for start in 1..=self.starts {
            let text = fs::read_to_string(self.path(&format!("orchd-{start}.log")));
            all.push_str(&text.unwrap_or_default());
        }
        all
    }

    fn log_path(&self) -> PathBuf {
        self.path(&format!("orchd-{}.log", self.starts))
    }

    /// A program that finds this place as its home, and nothing of the user's.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        beside("orch-fixture");
        let mut command = Command::new(program);
        command
            .env_clear()
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command.env(
            "PATH",
            std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()),
        );
        command
            .env("HOME", self.directory.path())
            .env("TMPDIR", self.directory.path());
        command.env("ORCHCTL_CONFIG", self.path("orchctl.yaml"));
        command
    }
}

impl Running {
    fn kill(&mut self) {
        // Killing fails only when it has ended already.
        let _ended = self.child.kill();
        self.child.wait().expect("a child can be waited for");
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.logs();
            let lines: Vec<&str> = logs.lines().collect();
            let last = &lines[lines.len().saturating_sub(80)..];
            say(&format!("the daemon's last words:\n{}", last.join("\n")));
        }
        if let Some(mut running) = self.running.take() {
            running.kill();
        }
        for pid in processes::of(self.directory.path()) {
            processes::signal(pid, Signal::KILL);
        }
    }
}

impl Output {
    /// Waits for a program, and takes what it says.
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("the program ends");
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The output, if the program ended with that code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The output, if it says all of that somewhere.
    #[track_caller]
    pub(crate) fn saying(self, texts: &[&str]) -> Self {
        for text in texts {
            let said = self.stdout.contains(text) || self.stderr.contains(text);
            assert!(
                said,
                "`{text}` is not said\nstdout:\n{}\nstderr:\n{}",
                self.stdout, self.stderr
            );
        }
        self
    }
}

/// A variable and its value, as `env` takes them.
fn pair(name: &OsStr, value: &OsStr) -> OsString {
    let mut pair = name.to_owned();
    pair.push("=");
    pair.push(value);
    pair
}

/// A program of the workspace, which stands beside the daemon.
fn beside(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_orchd")).with_file_name(name);
    assert!(
        path.exists(),
        "{} is missing: build the whole workspace first (cargo build --workspace)",
        path.display()
    );
    path
}

/// Where a daemon says it answers, in the line of its log that says so.
fn listening(line: &str) -> Option<SocketAddr> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let field = |name: &str| entry["fields"][name].as_str().or_else(|| entry[name].as_str());
    let url = field("url").filter(|_| field("message") == Some("ready"))?;
    url.split_once("://")?.1.parse().ok()
}

/// Asks again and again until the answer is yes.
#[track_caller]
pub(crate) fn eventually(what: &str, mut asked: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !asked() {
        assert!(Instant::now() < deadline, "it never happened: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Has every file of a directory looked into: what it holds, and where it is.
pub(crate) fn each_file(directory: &Path, look: &impl Fn(&str, &str)) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if entry.file_type().expect("a type").is_dir() {
            each_file(&path, look);
        } else if let Ok(bytes) = fs::read(&path) {
            look(&String::from_utf8_lossy(&bytes), &path.display().to_string());
        }
    }
}

/// Says something where people look: why a test was skipped, what it was seeded with.
#[expect(clippy::print_stderr, reason = "the output of a test is standard error")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
