//! A home for the program: an empty folder, its own configuration, and nothing of the real environment.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take that must end by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// A temporary home.
pub(crate) struct Home {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// How the program ended, as a person would copy it from a terminal.
pub(crate) struct Transcript {
    pub(crate) command: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            variables: Vec::new(),
        }
    }

    /// A home whose context is the daemon at that address.
    pub(crate) fn with_daemon(address: &str) -> Self {
        let home = Self::new();
        home.write(
            "config.yaml",
            &format!("currentContext: test\ncontexts:\n- name: test\n  server: {address}\n  token: orch_test\n"),
        );
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the home.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the file");
        std::fs::write(&path, content).expect("a file of the test");
        path
    }

    /// Sets a variable for all programs run from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The program, ready to run in this home.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orchctl"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("TMPDIR", self.path())
            .env("TZ", "UTC")
            .env("ORCHCTL_CONFIG", self.path().join("config.yaml"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Transcript {
        self.run_with_input(arguments, "")
    }

    /// Runs the program with that on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Transcript {
        let mut command = self.command(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A program that does not read has closed the pipe; that is its right.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("the program ends");
        self.transcript(arguments, &output)
    }

    /// What a program that has ended said, with the home's path left out.
    pub(crate) fn transcript(&self, arguments: &[&str], output: &Output) -> Transcript {
        let normal = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.replace(&format!("{}/", self.path().display()), "")
                .replace(env!("CARGO_PKG_VERSION"), "VERSION")
        };
        let word = |word: &&str| {
            if word.contains([' ', '{', '*', '\n']) {
                format!("'{word}'")
            } else {
                (*word).to_owned()
            }
        };
        Transcript {
            command: arguments.iter().map(word).collect::<Vec<_>>().join(" "),
            code: output.status.code().unwrap_or(-1),
            stdout: normal(&output.stdout),
            stderr: normal(&output.stderr),
        }
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            command,
            code,
            stdout,
            stderr,
        } = self;
        writeln!(f, "$ orchctl {command}")?;
        f.write_str(stdout)?;
        if !stdout.is_empty() && !stdout.ends_with('\n') {
            writeln!(f, "⏎")?;
        }
        if !stderr.is_empty() {
            writeln!(f, "--- stderr")?;
            f.write_str(stderr)?;
        }
        if *code != 0 {
            writeln!(f, "--- exit {code}")?;
        }
        Ok(())
    }
}

/// What a program said that must end by itself; one that does not is killed, and has no exit code.
pub(crate) fn ended(mut child: Child) -> Output {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().expect("it is ours").is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    // It has ended, or is to.
    let _ = child.kill();
    child.wait_with_output().expect("the program ends")
}

/// Several runs as one text, for a snapshot.
pub(crate) fn story(transcripts: impl IntoIterator<Item = Transcript>) -> String {
    transcripts
        .into_iter()
        .map(|transcript| transcript.to_string())
        .collect::<Vec<_>>()
        .join("\n")
}
