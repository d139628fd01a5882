//! Settings of containers, and of where packages run.

use clap::{Args, ValueEnum};
use orch_shared::kinds::server::Runtime;
use serde::{Deserialize, Serialize};

use crate::runtime::docker;

/// Flags of containers; in the settings file they stand below `containers`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[command(next_help_heading = "Containers")]
pub struct ContainerArgs {
    /// Where packages run whose manifest does not say so. Default: process.
    #[arg(long, value_enum, env = "ORCHD_RUNTIME")]
    pub runtime: Option<DefaultRuntime>,
    /// The Docker engine: unix:///path/to/docker.sock or tcp://address:port. Default: $DOCKER_HOST or
    /// unix:///var/run/docker.sock.
    #[arg(long, value_name = "URL", env = "ORCHD_DOCKER_HOST")]
    pub docker_host: Option<String>,
    /// The image that installs and runs npm packages in containers; it needs sh, node and npm. Default: node:22-slim.
    #[arg(long, value_name = "IMAGE", env = "ORCHD_DOCKER_RUNNER_NPM")]
    pub docker_runner_npm: Option<String>,
    /// The image that installs and runs PyPI packages in containers; it needs sh and python3 with venv. Default:
    /// python:3.13-slim.
    #[arg(long, value_name = "IMAGE", env = "ORCHD_DOCKER_RUNNER_PYPI")]
    pub docker_runner_pypi: Option<String>,
}

/// Where packages run whose manifest does not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DefaultRuntime {
    /// As processes of this machine.
    #[default]
    Process,
    /// In containers of the Docker engine.
    Docker,
}

impl From<DefaultRuntime> for Runtime {
    fn from(runtime: DefaultRuntime) -> Self {
        match runtime {
            DefaultRuntime::Process => Self::Process,
            DefaultRuntime::Docker => Self::Docker,
        }
    }
}

/// The settings of containers, all decided.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerSettings {
    /// Where packages run whose manifest does not say so.
    pub runtime: DefaultRuntime,
    /// Where the Docker engine answers.
    pub docker_host: String,
    /// The image for npm packages.
    pub docker_runner_npm: String,
    /// The image for PyPI packages.
    pub docker_runner_pypi: String,
}

impl ContainerSettings {
    /// What the flags leave open, the file says; what that leaves open, the defaults.
    pub(super) fn resolve(args: &ContainerArgs, file: ContainerArgs) -> Self {
        let text = |flag: &Option<String>, file: Option<String>| flag.clone().or(file);
        let usual = docker::Settings::default();
        Self {
            runtime: args.runtime.or(file.runtime).unwrap_or_default(),
            docker_host: text(&args.docker_host, file.docker_host)
                .or_else(told_to_others)
                .unwrap_or(usual.host),
            docker_runner_npm: text(&args.docker_runner_npm, file.docker_runner_npm).unwrap_or(usual.runner_npm),
            docker_runner_pypi: text(&args.docker_runner_pypi, file.docker_runner_pypi).unwrap_or(usual.runner_pypi),
        }
    }

    /// The settings as they stand in a file.
    pub(super) fn to_args(&self) -> ContainerArgs {
        ContainerArgs {
            runtime: Some(self.runtime),
            docker_host: Some(self.docker_host.clone()),
            docker_runner_npm: Some(self.docker_runner_npm.clone()),
            docker_runner_pypi: Some(self.docker_runner_pypi.clone()),
        }
    }

    /// What the runtime is told of them.
    #[must_use]
    pub fn docker(&self) -> docker::Settings {
        docker::Settings {
            host: self.docker_host.clone(),
            runner_npm: self.docker_runner_npm.clone(),
            runner_pypi: self.docker_runner_pypi.clone(),
        }
    }
}

/// What other programs of this machine are told, too.
fn told_to_others() -> Option<String> {
    std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty())
}
