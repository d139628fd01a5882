//! Running installers: as children like any other, in the copy's name, with a deadline.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::super::environment::{self, Environment, lookup};
use super::super::instance::RECORD;
use super::super::log::{Stream, capture};
use super::super::observation::Failure;
use super::super::process::{Order, Process, Streams, find_program};
use super::super::supervisor::Context;
use super::failure;
use super::{Job, Request};

/// How long one installer may run.
const PATIENCE: Duration = Duration::from_secs(300);

/// How much of an installer's answer is taken.
const ANSWER: u64 = 1 << 20;

/// Runs the installers of one installation.
pub(super) struct Installer<'i> {
    context: &'i Context,
    pub(super) request: &'i Request,
    job: &'i Job<'i>,
    environment: Environment,
}

/// What is done with the standard output of an installer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    Logged,
    Answered,
}

impl<'i> Installer<'i> {
    pub(super) fn new(context: &'i Context, request: &'i Request, job: &'i Job<'i>) -> Self {
        let mut environment = environment::installer(&context.config.environment, &context.programs);
        // Downloads are kept with the data, not with whoever runs the daemon.
        environment.push((
            "npm_config_cache".into(),
            context.config.data_directory.join("packages").join("npm-cache").into(),
        ));
        Self {
            context,
            request,
            job,
            environment,
        }
    }

    /// A program that installing needs.
    pub(super) fn find(&self, program: &str) -> Result<PathBuf, Failure> {
        find(
            program,
            &format!("installing {} packages", self.request.registry),
            &self.environment,
        )
    }

    /// Whether a program is there.
    pub(super) fn has(&self, program: &str) -> Option<PathBuf> {
        find_program(program, &self.environment, Path::new("/")).ok()
    }

    /// A value of the environment that installers get.
    pub(super) fn has_set(&self, name: &str) -> bool {
        lookup(&self.environment, name).is_some()
    }

    /// Runs an installer in a directory; its output goes to the log.
    pub(super) async fn run(&self, directory: &Path, program: &Path, arguments: &[&str]) -> Result<(), Failure> {
        self.execute(directory, program, arguments, Output::Logged)
            .await
            .map(drop)
    }

    /// Runs a program that answers a question on its standard output.
    pub(super) async fn ask(&self, directory: &Path, program: &Path, arguments: &[&str]) -> Result<String, Failure> {
        self.execute(directory, program, arguments, Output::Answered).await
    }

    async fn execute(
        &self,
        directory: &Path,
        program: &Path,
        arguments: &[&str],
        output: Output,
    ) -> Result<String, Failure> {
        let log = self.job.log;
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        match output {
            Output::Logged => log.note(&format!("{name} {}", arguments.join(" "))),
            Output::Answered => {}
        }
        let argv: Vec<OsString> = std::iter::once(program.into())
            .chain(arguments.iter().map(Into::into))
            .collect();
        let order = Order {
            argv,
            environment: self.environment.clone(),
            directory: directory.to_owned(),
            group: self.context.no_group(),
            mark: self.context.mark(self.job.uid),
            record: self.context.directory(self.job.uid).join(RECORD),
        };
        let started = Process::start(&self.context.spawner, &self.context.orchd, order).await;
        let (mut process, Streams { stdin, stdout, stderr }) =
            started.map_err(|error| self.failed(error.to_string()))?;
        drop(stdin);
        let talk = async {
            let (answer, ()) = tokio::join!(
                self.listen(stdout, output),
                capture(stderr, Stream::Install, log.clone())
            );
            answer
        };
        let finished = tokio::time::timeout(PATIENCE, async { (talk.await, process.ended().await) }).await;
        // Whatever it has left running ends with it, also when it came to no end by itself.
        let _ = process.finish().await;
        match finished {
            Ok((answer, Ok(status))) if status.success() => Ok(answer),
            Ok((_, Ok(_))) => Err(failure::explain(self.request, log.last_lines())),
            Ok((_, Err(error))) => Err(self.failed(error.to_string())),
            Err(_) => Err(self.failed(format!("{name} was not done after {} s", PATIENCE.as_secs()))),
        }
    }

    async fn listen(&self, stdout: impl AsyncRead + Unpin, output: Output) -> String {
        match output {
            Output::Logged => {
                capture(stdout, Stream::Install, self.job.log.clone()).await;
                String::new()
            }
            Output::Answered => {
                let mut answer = Vec::new();
                let _ = stdout.take(ANSWER).read_to_end(&mut answer).await;
                String::from_utf8_lossy(&answer).into_owned()
            }
        }
    }

    /// An installation that failed for another reason than the registry's answer.
    pub(super) fn failed(&self, reason: String) -> Failure {
        Failure::InstallFailed {
            package: self.request.to_string(),
            reason,
            last_lines: self.job.log.last_lines(),
            hint: None,
        }
    }
}

/// A program that must be there; how to get it otherwise.
pub(super) fn find(program: &str, purpose: &str, environment: &Environment) -> Result<PathBuf, Failure> {
    find_program(program, environment, Path::new("/")).map_err(|_| {
        let package = match program {
            "node" => "nodejs",
            other => other,
        };
        Failure::ToolMissing {
            program: program.to_owned(),
            purpose: purpose.to_owned(),
            hint: format!("install it where the daemon runs: apt-get install {package}"),
        }
    })
}
