//! `provide`: publishes models and agents from where they run, and works for them until it is ended.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand, ValueHint};
use clap_complete::ArgValueCompleter;
use orch_shared::kinds::llm::{Llm, Provider, Tier};
use orch_shared::name::Name;
use orch_shared::quantity::Span;
use orch_shared::resource::Resource;

use crate::args::shared::Files;
use crate::args::{Limit, limit, some_time};
use crate::complete;
use crate::input;
use crate::provide::door::Door;
use crate::provide::offer::{Local, Means, Offered, declared};
use crate::provide::publisher::Publisher;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};

/// Publish models and agents from where they run, such as behind a firewall
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(before_help = "\
Examples:
  orchctl provide llm local --provider ollama --model qwen3
  orchctl provide agent -f agent.yaml
  orchctl provide -f published.yaml             several, as manifests
")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Publish a model
    #[command(before_help = "\
Examples:
  orchctl provide llm local --provider ollama --model qwen3
  orchctl provide llm local --url http://127.0.0.1:8000 --api-key-env KEY
  orchctl provide llm local --url http://127.0.0.1:8000 --start 'vllm serve m'
")]
    Llm(Box<OneLlm>),
    /// Publish agents
    #[command(before_help = "\
Examples:
  orchctl provide agent -f agent.yaml
  orchctl provide agent -f agents/
")]
    Agent(Agents),
}

#[derive(Debug, Args)]
struct Agents {
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Args)]
struct OneLlm {
    /// Under which it is published
    #[arg(value_name = "NAME")]
    name: String,
    /// Where the model answers. Default: the provider's usual address
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    url: Option<String>,
    /// Whose words the model understands
    #[arg(long, value_name = "PROVIDER", value_parser = provider, default_value = "openai-compatible")]
    provider: Provider,
    /// What the model is called where it answers. Default: NAME
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The variable that holds the model's key; the key stays on this machine
    #[arg(long, value_name = "VARIABLE")]
    api_key_env: Option<String>,
    /// What the model is for, in a sentence
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// What it is fit for: fast, or heavy
    #[arg(long, value_name = "TIER", value_parser = tier)]
    tier: Option<Tier>,
    /// How long an answer may take [default: 120s]
    #[arg(long, value_name = "DURATION")]
    timeout: Option<Span>,
    /// Publish the agents of these manifests, too. May be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    with_agent: Vec<String>,
    /// Run this command for the model when it is needed; until then the model hibernates
    #[arg(long, value_name = "COMMAND", help_heading = "Model server")]
    start: Option<String>,
    /// How long the command may take until the model answers [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = some_time, requires = "start", help_heading = "Model server")]
    start_timeout: Option<Limit>,
    /// Stop the command after so long without use; 0s: never [default: 15m]
    #[arg(long, value_name = "DURATION", value_parser = limit, requires = "start", help_heading = "Model server")]
    idle: Option<Limit>,
    /// Where the output of the command goes [default: NAME.log]
    #[arg(long, value_name = "FILE", requires = "start", value_hint = ValueHint::FilePath, help_heading = "Model server")]
    log: Option<PathBuf>,
    /// Run the command when a session with this project begins. May be repeated; projects with an agent that names the
    /// model need not be named
    #[arg(long, value_name = "PROJECT", requires = "start", help_heading = "Model server")]
    #[arg(add = ArgValueCompleter::new(complete::projects))]
    warm_project: Vec<String>,
    /// Serve callers of this machine with this model of the daemon, and answer in its place when the daemon fails
    #[arg(long, value_name = "LLM", help_heading = "Failover")]
    failover_for: Option<String>,
    /// Where callers of this machine are served [default: 127.0.0.1:0, some port that is free]
    #[arg(long, value_name = "ADDRESS", requires = "failover_for", help_heading = "Failover")]
    listen: Option<SocketAddr>,
}

fn provider(text: &str) -> Result<Provider, String> {
    let known = [
        Provider::Openai,
        Provider::Anthropic,
        Provider::Deepseek,
        Provider::Vllm,
        Provider::Ollama,
        Provider::OpenaiCompatible,
    ];
    let names: Vec<&str> = known.iter().map(|provider| provider.as_str()).collect();
    let found = known.into_iter().find(|provider| provider.as_str() == text);
    found.ok_or_else(|| format!("one of {}", names.join(", ")))
}

fn tier(text: &str) -> Result<Tier, String> {
    match text {
        "fast" => Ok(Tier::Fast),
        "heavy" => Ok(Tier::Heavy),
        _ => Err("one of fast, heavy".to_owned()),
    }
}

/// Publishes.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let offered = match &arguments.what {
        None => Offered::of(resources(&arguments.files.files)?, None)?,
        Some(What::Agent(agents)) => Offered::of(resources(&agents.files.files)?, None)?,
        Some(What::Llm(one)) => return self::one(one, settings),
    };
    Publisher::new(settings, offered)?.run()
}

fn resources(files: &[String]) -> Result<Vec<Resource>, Failure> {
    let objects = input::objects(files, "nothing was published")?;
    Ok(objects.objects.into_iter().map(|object| object.resource).collect())
}

fn one(one: &OneLlm, settings: &Settings) -> Result<Outcome, Failure> {
    let name = parse_name(&one.name, "llm")?;
    let llm = Llm {
        description: one.description.clone(),
        provider: one.provider,
        model: one.model.clone().unwrap_or_else(|| one.name.clone()),
        url: one.url.clone(),
        tier: one.tier,
        api_key_ref: None,
        extra: None,
        pricing: None,
        limits: None,
        fallbacks: None,
        timeout: one.timeout.clone(),
        script: None,
        context_window: None,
        published: None,
    };
    let warm: Result<Vec<Name>, Failure> = one
        .warm_project
        .iter()
        .map(|project| parse_name(project, "project"))
        .collect();
    let means = Means {
        url: one.url.clone(),
        key_variable: one.api_key_env.clone(),
        start: one.start.clone(),
        start_timeout: one.start_timeout.map(|limit| limit.0),
        idle: one.idle.map(|limit| limit.0),
        log: one.log.clone(),
        warm_projects: warm?,
    };
    let mut all = vec![declared(&name, llm)];
    if !one.with_agent.is_empty() {
        all.extend(resources(&one.with_agent)?);
    }
    let offered = Offered::of(all, Some(means))?;
    if let Some(for_llm) = &one.failover_for {
        let local = offered.models.get(&name).map(Arc::clone);
        let local = local.ok_or_else(|| Failure::usage("there is no model to answer in the place of another"))?;
        stand_in(settings, one.listen, parse_name(for_llm, "llm")?, local)?;
    }
    Publisher::new(settings, offered)?.run()
}

/// Opens a door for callers of this machine.
fn stand_in(settings: &Settings, listen: Option<SocketAddr>, name: Name, local: Arc<Local>) -> Result<(), Failure> {
    let listen = listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    let said = format!("llm/{name}, and llm/{} in its place", local.name);
    let door = Door::open(listen, settings.client()?.site(), name, local)?;
    if let Some(address) = door.address() {
        // For programs that need to know the port.
        settings.ui.line(&format!("http://{address}/v1"))?;
        settings.ui.flush()?;
        settings.ui.say(&format!("serving {said} at http://{address}/v1"));
    }
    door.serve();
    Ok(())
}
