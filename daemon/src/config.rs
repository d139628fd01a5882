//! How the daemon is told what to do: flags, then `ORCHD_*`, then a file, then defaults. Precedence is written here and
//! nowhere else.

mod access;
mod containers;
mod gateway;
mod inference;
mod publishing;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use orch_shared::audit::Extent;
use orch_shared::quantity::Span;
use serde::{Deserialize, Serialize};

use crate::telemetry::LogFormat;

pub use access::{AccessArgs, AccessSettings};
pub use containers::{ContainerArgs, ContainerSettings, DefaultRuntime};
pub use gateway::{GatewayArgs, GatewaySettings};
pub use inference::{InferenceArgs, InferenceSettings};
pub use publishing::{PublishingArgs, PublishingSettings};

/// Where the daemon listens, unless told otherwise.
pub const LISTEN: &str = "127.0.0.1:7420";

/// orchd keeps a team's MCP servers, models and agents in the state that is declared.
#[derive(Debug, Parser)]
#[command(name = "orchd", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    /// What to do.
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  orchd up --apply examples/quickstart          everything on this machine, in the foreground
  orchd serve --data-dir /var/lib/orchd         the daemon alone
  orchd serve --database-url postgres://orch@db/orch";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(flatten)]
    /// Something with a daemon and its data.
    Daemon(Work),
    /// Print the Templates that every daemon brings along, as manifests: to have one again that was deleted or changed.
    Catalogue {
        /// Their names; all of them when none is given.
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

/// What to do with a daemon and its data.
#[derive(Debug, Subcommand)]
pub enum Work {
    /// Run the daemon.
    Serve(Box<ServeArgs>),
    /// Run the daemon, apply manifests, and show how everything comes up.
    Up(Box<UpArgs>),
    /// Replace the admin token by a new one.
    Token {
        #[command(subcommand)]
        /// What to do with it.
        command: TokenCommand,
    },
    /// Look after the key that seals secret values.
    Key {
        #[command(subcommand)]
        /// What to do with it.
        command: KeyCommand,
    },
}

impl Work {
    /// The flags that every command has: which daemon is meant, and how it is run.
    #[must_use]
    pub fn serve_args(&self) -> &ServeArgs {
        match self {
            Self::Serve(args)
            | Self::Token {
                command: TokenCommand::Reset(args),
            }
            | Self::Key {
                command: KeyCommand::Rotate(args),
            } => args,
            Self::Up(args) => &args.serve,
        }
    }
}

/// What to do with the admin token.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Revoke the admin token and write a new one into the command line's context.
    Reset(Box<ServeArgs>),
}

/// What to do with the key.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a new key and seal every stored value anew; older keys still open what is sealed elsewhere.
    Rotate(Box<ServeArgs>),
}

/// Flags of `orchd serve`. Each can also stand in the file or in the environment.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct ServeArgs {
    /// Read settings from this YAML file.
    #[arg(long, value_name = "FILE", env = "ORCHD_CONFIG")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Print the settings that come of flags, environment and file, and exit.
    #[arg(long)]
    #[serde(skip)]
    pub print_config: bool,
    /// Where data, packages, logs and keys live. Default: $XDG_DATA_HOME/orchd or ~/.local/share/orchd.
    #[arg(long, value_name = "DIR", env = "ORCHD_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address and port to listen on. Default: 127.0.0.1:7420.
    #[arg(long, value_name = "ADDR", env = "ORCHD_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// PostgreSQL database to use; without it, SQLite in the data directory.
    #[arg(long, value_name = "URL", env = "ORCHD_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Time between two visits to every object. Default: 30s.
    #[arg(long, value_name = "DURATION", env = "ORCHD_RECONCILE_INTERVAL")]
    pub reconcile_interval: Option<Span>,
    /// How long the daemon that reconciles may be silent before another one on the same PostgreSQL takes over. Default: 15s.
    #[arg(long, value_name = "DURATION", env = "ORCHD_LEASE_DURATION")]
    pub lease_duration: Option<Span>,
    /// Where other daemons on the same PostgreSQL reach this one: scheme, host and port. Default: the address it listens on.
    #[arg(long, value_name = "URL", env = "ORCHD_INTERNAL_URL")]
    pub internal_url: Option<String>,
    /// How long a copy that is replaced may finish what is under way with it. Default: 30s.
    #[arg(long, value_name = "DURATION", env = "ORCHD_DRAIN_TIMEOUT")]
    pub drain_timeout: Option<Span>,
    /// What the audit log notes: `all`, or `changes`, which leaves out what was read or called. Default: all.
    #[arg(long, value_name = "EXTENT", env = "ORCHD_AUDIT")]
    pub audit: Option<Extent>,
    /// How long entries of the audit log are kept. Default: 90d.
    #[arg(long, value_name = "DURATION", env = "ORCHD_AUDIT_RETENTION")]
    pub audit_retention: Option<Span>,
    /// How long it is known of each call of a model who made it and what it cost. Default: 400d.
    #[arg(long, value_name = "DURATION", env = "ORCHD_USAGE_RETENTION")]
    pub usage_retention: Option<Span>,
    /// The file of the key that seals secret values. Default: keys.json in the data directory.
    #[arg(long, value_name = "FILE", env = "ORCHD_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// Serve HTTPS with this certificate chain (PEM).
    #[arg(long, value_name = "FILE", env = "ORCHD_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM).
    #[arg(long, value_name = "FILE", env = "ORCHD_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Listen on an address other than loopback without TLS: credentials can then be read on the way.
    #[arg(long, env = "ORCHD_INSECURE_HTTP", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub insecure_http: Option<bool>,
    /// Also serve requests that name this host. May be repeated.
    #[arg(
        long = "allowed-host",
        value_name = "NAME",
        env = "ORCHD_ALLOWED_HOSTS",
        value_delimiter = ','
    )]
    pub allowed_hosts: Vec<String>,
    /// Also serve pages of this origin. May be repeated.
    #[arg(
        long = "allowed-origin",
        value_name = "URL",
        env = "ORCHD_ALLOWED_ORIGINS",
        value_delimiter = ','
    )]
    pub allowed_origins: Vec<String>,
    #[command(flatten)]
    /// Of access.
    pub access: AccessArgs,
    #[command(flatten)]
    /// Of the door to the models.
    pub inference: InferenceArgs,
    #[command(flatten)]
    /// Of publishing.
    pub publishing: PublishingArgs,
    #[command(flatten)]
    /// Of the gateway.
    pub gateway: GatewayArgs,
    #[command(flatten)]
    /// Of containers.
    pub containers: ContainerArgs,
    /// Form of the log. Default: text.
    #[arg(long, value_enum, env = "ORCHD_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What to log, such as `info` or `orch_daemon=debug`. The MCP library is heard only when named, such as
    /// `info,rmcp=debug`: it repeats what servers say, secrets included. Default: info.
    #[arg(long, value_name = "FILTER", env = "ORCHD_LOG")]
    pub log: Option<String>,
}

/// Flags of `orchd up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Manifests to apply once the daemon runs: a file or a folder. May be repeated.
    #[arg(long, value_name = "PATH")]
    pub apply: Vec<PathBuf>,
    /// How long to wait until everything is ready. Default: 2m.
    #[arg(long, value_name = "DURATION", default_value = "2m")]
    pub timeout: Span,
    #[command(flatten)]
    /// How the daemon itself is run.
    pub serve: ServeArgs,
}

/// The settings of a daemon, all decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where data, packages, logs and keys live.
    pub data_dir: PathBuf,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// PostgreSQL database; without it, SQLite.
    pub database_url: Option<String>,
    /// Time between two visits to every object.
    pub reconcile_interval: Span,
    /// How long the leader may be silent.
    pub lease_duration: Span,
    /// Where other daemons reach this one, when that is not where it listens.
    pub internal_url: Option<InternalUrl>,
    /// How long a copy that is replaced may finish what is under way.
    pub drain_timeout: Span,
    /// What the audit log notes.
    pub audit: Extent,
    /// How long entries of the audit log are kept.
    pub audit_retention: Span,
    /// How long calls of models are kept.
    pub usage_retention: Span,
    /// The key file.
    pub key_file: PathBuf,
    /// Certificate chain and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether plain HTTP is fine beyond loopback.
    pub insecure_http: bool,
    /// Further hosts to serve.
    pub allowed_hosts: Vec<String>,
    /// Further origins to serve.
    pub allowed_origins: Vec<String>,
    /// Of access.
    pub access: AccessSettings,
    /// Of the door to the models.
    pub inference: InferenceSettings,
    /// Of publishing.
    pub publishing: PublishingSettings,
    /// Of the gateway.
    pub gateway: GatewaySettings,
    /// Of containers.
    pub containers: ContainerSettings,
    /// Form of the log.
    pub log_format: LogFormat,
    /// What to log.
    pub log: String,
}

/// A database URL may hold a password, which is not for showing.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "***".to_owned();
    };
    // First the parameters, which may hold an `@`; then what stands before the last one.
    let masked = |parameter: &str| {
        let name = "password=";
        match parameter.to_ascii_lowercase().find(name) {
            Some(at) => format!("{}***", &parameter[..at + name.len()]),
            None => parameter.to_owned(),
        }
    };
    let rest = rest.split('&').map(masked).collect::<Vec<_>>().join("&");
    match rest.rsplit_once('@') {
        Some((credentials, place)) => {
            let user = credentials.split(':').next().unwrap_or_default();
            let masked = if credentials.contains(':') { ":***" } else { "" };
            format!("{scheme}://{user}{masked}@{place}")
        }
        None => format!("{scheme}://{rest}"),
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("the settings file {} cannot be read: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{}: {message}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// There is no place for the data.
    #[error("there is no data directory: neither XDG_DATA_HOME nor HOME is set\nhint: give one with --data-dir")]
    NoDataDir,
    /// Plain HTTP for everybody.
    #[error(
        "{0} can be reached by others, and without TLS they can read every token on the way\n\
         hint: give --tls-cert and --tls-key, or say that this is fine with --insecure-http"
    )]
    PlainHttp(SocketAddr),
    /// A door for everybody.
    #[error(
        "{0} can be reached by others, and --insecure-open-gateway would let them call every tool\n\
         hint: listen on loopback, or leave it out and hand out tokens"
    )]
    OpenGateway(SocketAddr),
    /// A while that is none.
    #[error("the {0} must be at least 1s, not {1}")]
    TooShort(&'static str, Span),
    /// An address of no daemon.
    #[error(
        "`{0}` is not where a daemon can be reached\nhint: give scheme, host and port, such as https://orch-1.internal:7420"
    )]
    InternalUrl(String),
}

impl Settings {
    /// Decides: what the flags and the environment leave open, the file says; what that leaves open, the defaults.
    ///
    /// # Errors
    /// When the file cannot be used, or what comes of it all would be unsafe.
    pub fn resolve(args: &ServeArgs) -> Result<Self, Error> {
        let file = args.config.as_deref().map(read_file).transpose()?.unwrap_or_default();
        let data_dir = args
            .data_dir
            .clone()
            .or(file.data_dir)
            .map_or_else(default_data_dir, Ok)?;
        let data_dir = absolute(data_dir);
        let listen = args
            .listen
            .or(file.listen)
            .unwrap_or_else(|| LISTEN.parse().expect("a constant address"));
        let many = |flags: &[String], file: Vec<String>| if flags.is_empty() { file } else { flags.to_vec() };
        let settings = Self {
            listen,
            database_url: args.database_url.clone().or(file.database_url),
            reconcile_interval: args
                .reconcile_interval
                .clone()
                .or(file.reconcile_interval)
                .unwrap_or_else(|| Span::seconds(30)),
            lease_duration: args
                .lease_duration
                .clone()
                .or(file.lease_duration)
                .unwrap_or_else(|| Span::seconds(15)),
            internal_url: args
                .internal_url
                .clone()
                .or(file.internal_url)
                .map(InternalUrl::parse)
                .transpose()?,
            drain_timeout: args
                .drain_timeout
                .clone()
                .or(file.drain_timeout)
                .unwrap_or_else(|| Span::seconds(30)),
            audit: args.audit.or(file.audit).unwrap_or(Extent::All),
            audit_retention: args
                .audit_retention
                .clone()
                .or(file.audit_retention)
                .unwrap_or_else(|| Span::seconds(90 * 24 * 3600)),
            usage_retention: args
                .usage_retention
                .clone()
                .or(file.usage_retention)
                .unwrap_or_else(|| Span::seconds(400 * 24 * 3600)),
            key_file: args
                .key_file
                .clone()
                .or(file.key_file)
                .map_or_else(|| data_dir.join("keys.json"), absolute),
            tls: args
                .tls_cert
                .clone()
                .or(file.tls_cert)
                .zip(args.tls_key.clone().or(file.tls_key)),
            insecure_http: args.insecure_http.or(file.insecure_http).unwrap_or(false),
            allowed_hosts: many(&args.allowed_hosts, file.allowed_hosts),
            allowed_origins: many(&args.allowed_origins, file.allowed_origins),
            access: AccessSettings::resolve(&args.access, file.access),
            inference: InferenceSettings::resolve(&args.inference, file.inference),
            publishing: PublishingSettings::resolve(&args.publishing, file.publishing),
            gateway: GatewaySettings::resolve(&args.gateway, file.gateway),
            containers: ContainerSettings::resolve(&args.containers, file.containers),
            log_format: args.log_format.or(file.log_format).unwrap_or_default(),
            log: args.log.clone().or(file.log).unwrap_or_else(|| "info".to_owned()),
            data_dir,
        };
        if !settings.listen.ip().is_loopback() && settings.tls.is_none() && !settings.insecure_http {
            return Err(Error::PlainHttp(settings.listen));
        }
        if settings.gateway.insecure_open_gateway && !settings.listen.ip().is_loopback() {
            return Err(Error::OpenGateway(settings.listen));
        }
        for (name, span) in [
            ("session idle limit", &settings.gateway.session_idle),
            ("session lifetime", &settings.gateway.session_lifetime),
            ("login lifetime", &settings.access.login_lifetime),
            ("interval of looks at models", &settings.inference.check_interval),
            ("reconcile interval", &settings.reconcile_interval),
            ("lease duration", &settings.lease_duration),
            ("audit retention", &settings.audit_retention),
            ("usage retention", &settings.usage_retention),
            (
                "heartbeat timeout of publishers",
                &settings.publishing.heartbeat_timeout,
            ),
            ("retention of what is published", &settings.publishing.retention),
            (
                "time between two looks at what is published",
                &settings.publishing.sweep,
            ),
            ("time between two pings of publishers", &settings.publishing.ping),
            (
                "time that published models have to wake",
                &settings.publishing.wake_timeout,
            ),
        ] {
            if span.duration() < std::time::Duration::from_secs(1) {
                return Err(Error::TooShort(name, span.clone()));
            }
        }
        Ok(settings)
    }

    /// The settings as a file that would bring them about, but for the database's password.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let (tls_cert, tls_key) = self.tls.clone().unzip();
        let args = ServeArgs {
            config: None,
            print_config: false,
            data_dir: Some(self.data_dir.clone()),
            listen: Some(self.listen),
            database_url: self.database_url.as_deref().map(without_password),
            reconcile_interval: Some(self.reconcile_interval.clone()),
            lease_duration: Some(self.lease_duration.clone()),
            internal_url: self.internal_url.as_ref().map(|url| url.text.clone()),
            drain_timeout: Some(self.drain_timeout.clone()),
            audit: Some(self.audit),
            audit_retention: Some(self.audit_retention.clone()),
            usage_retention: Some(self.usage_retention.clone()),
            key_file: Some(self.key_file.clone()),
            tls_cert,
            tls_key,
            insecure_http: Some(self.insecure_http),
            allowed_hosts: self.allowed_hosts.clone(),
            allowed_origins: self.allowed_origins.clone(),
            access: self.access.to_args(),
            inference: self.inference.to_args(),
            publishing: self.publishing.to_args(),
            gateway: self.gateway.to_args(),
            containers: self.containers.to_args(),
            log_format: Some(self.log_format),
            log: Some(self.log.clone()),
        };
        serde_yaml::to_string(&args).unwrap_or_default()
    }

    /// The URL under which this machine's command line reaches the daemon.
    #[must_use]
    pub fn url(&self, listen: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let ip = if listen.ip().is_unspecified() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            listen.ip()
        };
        format!("{scheme}://{}", SocketAddr::new(ip, listen.port()))
    }
}

/// Where other daemons reach a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalUrl {
    /// The URL: scheme, host and port.
    pub text: String,
    /// The host in it, which requests to it name.
    pub host: String,
}

impl InternalUrl {
    fn parse(text: String) -> Result<Self, Error> {
        let text = text.trim_end_matches('/').to_owned();
        let authority = ["http://", "https://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        let host = authority
            .filter(|authority| !authority.contains(|c: char| "/?#@\\".contains(c) || c.is_whitespace()))
            .and_then(|authority| match authority.strip_prefix('[') {
                Some(rest) => rest.split_once(']').map(|(host, _)| host),
                None => authority.split(':').next(),
            });
        match host.filter(|host| !host.is_empty()).map(str::to_owned) {
            Some(host) => Ok(Self { text, host }),
            None => Err(Error::InternalUrl(text)),
        }
    }
}

fn read_file(path: &Path) -> Result<ServeArgs, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    serde_yaml::from_str(&text).map_err(|error| Error::Content {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

/// A path that means the same wherever it is printed.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

fn default_data_dir() -> Result<PathBuf, Error> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")));
    base.map(|base| base.join("orchd")).ok_or(Error::NoDataDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(flags: &[&str]) -> ServeArgs {
        match Cli::try_parse_from(["orchd", "serve", "--data-dir", "/data"].iter().chain(flags))
            .unwrap()
            .command
        {
            Command::Daemon(Work::Serve(args)) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn plain_http_beyond_loopback_must_be_asked_for() {
        for (flags, allowed) in [
            (&["--listen", "127.0.0.1:1"][..], true),
            (&["--listen", "[::1]:1"], true),
            (&["--listen", "0.0.0.0:1"], false),
            (&["--listen", "0.0.0.0:1", "--insecure-http"], true),
            (&["--listen", "0.0.0.0:1", "--tls-cert", "c", "--tls-key", "k"], true),
        ] {
            assert_eq!(Settings::resolve(&args(flags)).is_ok(), allowed, "{flags:?}");
        }
    }

    #[test]
    fn flags_win_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("orchd.yaml");
        std::fs::write(&file, "listen: 127.0.0.1:1\nreconcileInterval: 5s\n").unwrap();
        let flags = ["--config", file.to_str().unwrap(), "--listen", "127.0.0.1:2"];
        let settings = Settings::resolve(&args(&flags)).unwrap();
        assert_eq!(
            (settings.listen.port(), settings.reconcile_interval.to_string().as_str()),
            (2, "5s")
        );
        std::fs::write(&file, "listne: x\n").unwrap();
        let error = Settings::resolve(&args(&flags)).unwrap_err().to_string();
        assert!(error.contains("listne") && error.contains("listen"), "{error}");
    }

    #[test]
    fn what_is_printed_is_a_file_that_says_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("orchd.yaml");
        for flags in [
            &[][..],
            &[
                "--listen",
                "[::1]:1",
                "--reconcile-interval",
                "5s",
                "--key-file",
                "/elsewhere/keys.json",
            ],
            &["--tls-cert", "/c", "--tls-key", "/k", "--listen", "0.0.0.0:1"],
            &["--internal-url", "https://orch-1:7420"],
            &[
                "--allowed-host",
                "a,b",
                "--allowed-origin",
                "https://c",
                "--insecure-http",
            ],
            &[
                "--database-url",
                "postgres://u@h/d",
                "--log-format",
                "json",
                "--log",
                "debug",
            ],
        ] {
            let settings = Settings::resolve(&args(flags)).unwrap();
            std::fs::write(&file, settings.to_yaml()).unwrap();
            let again = Settings::resolve(&args(&["--config", file.to_str().unwrap()])).unwrap();
            assert_eq!(again, settings, "{flags:?}:\n{}", settings.to_yaml());
        }
    }

    #[test]
    fn daemons_reach_each_other_at_hosts_and_ports() {
        for (url, host) in [
            ("https://orch-1.internal:7420/", Some("orch-1.internal")),
            ("http://10.0.0.1", Some("10.0.0.1")),
            ("http://[fd00::1]:7420", Some("fd00::1")),
            ("orch-1:7420", None),
            ("ftp://orch-1", None),
            ("https://", None),
            ("https://orch-1/path", None),
            ("https://u:p@orch-1", None),
        ] {
            let settings = Settings::resolve(&args(&["--internal-url", url]));
            let found = settings
                .ok()
                .and_then(|settings| settings.internal_url)
                .map(|url| url.host);
            assert_eq!(found.as_deref(), host, "{url}");
        }
    }

    #[test]
    fn passwords_are_not_printed() {
        for (url, shown) in [
            ("postgres://u:p@h/d", "postgres://u:***@h/d"),
            ("postgres://u@h/d", "postgres://u@h/d"),
            ("postgres://h/d", "postgres://h/d"),
            ("postgres://u@h/d?password=p", "postgres://u@h/d?password=***"),
            (
                "postgres:///d?host=/tmp&password=p&sslmode=require",
                "postgres:///d?host=/tmp&password=***&sslmode=require",
            ),
            ("postgres://u:p?x@h/d", "postgres://u:***@h/d"),
            ("postgres://u@h/d?Password=p@q:r", "postgres://u@h/d?Password=***"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
