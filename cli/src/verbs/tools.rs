//! `tools`: the tools that a project or a server offers, looked at and tried by a person.

mod arguments;
mod call;
mod inspect;
mod list;
mod person;
mod result;

use clap::{Args, Subcommand};

use crate::mcp::dialogue::{Dialogue, Tool, Tools};
use crate::mcp::target::Target;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use orch_shared::problem::{Code, Problem, near_miss};
use person::Person;
use serde_json::Value;

/// List, inspect and call the tools that MCP clients get
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl tools list -p web
  orchctl tools inspect files__read_file -p web
  orchctl tools call files__read_file -p web --arg path=README.md
  orchctl tools call read_file --server files --arg path=README.md
")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the tools of a project (-p) or a server (--server NAME)
    #[command(before_help = "\
Examples:
  orchctl tools list -p web
  orchctl tools list --server files -o name
  orchctl tools list -p web -o json
")]
    List(list::Arguments),
    /// Show what a tool does, takes and gives
    #[command(before_help = "\
Examples:
  orchctl tools inspect files__read_file -p web
  orchctl tools inspect read_file --server files
  orchctl tools inspect read_file --server files -o json
")]
    Inspect(inspect::Arguments),
    /// Call a tool, and show its result
    #[command(before_help = "\
Examples:
  orchctl tools call echo --server demo --arg message=hello
  orchctl tools call search -p web --json '{\"query\": \"x\", \"limit\": 3}'
  orchctl tools call draw --server art -f drawing.yaml --save pictures
")]
    Call(call::Arguments),
}

/// Does it.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    match &arguments.what {
        What::List(arguments) => list::run(arguments, settings),
        What::Inspect(arguments) => inspect::run(arguments, settings),
        What::Call(arguments) => call::run(arguments, settings),
    }
}

/// A tool as a page, for whoever shows one.
pub(super) fn tool_page(tool: &Tool, target: &Target) -> String {
    inspect::page(tool, target)
}

/// A result as text, for whoever shows one.
pub(super) fn result_text(result: &Value) -> String {
    let texts = result::pieces(result).into_iter().map(|piece| match piece {
        result::Piece::Text(text) => text,
        result::Piece::Blob(blob) => blob.described(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// A conversation with what is meant.
fn dialogue(settings: &Settings) -> Result<(Target, Dialogue), Failure> {
    let target = Target::of(settings)?;
    let limit = settings.flags().request_timeout.map(|limit| limit.0);
    let endpoint = settings.client()?.endpoint(&target.path()).within(limit);
    Ok((target, Dialogue::new(endpoint)))
}

/// All tools of what is meant. That there is no such project or server is told as by every verb, with the name that was
/// probably meant.
fn offered(settings: &Settings, target: &Target, dialogue: &Dialogue, person: &Person<'_>) -> Result<Tools, Failure> {
    dialogue
        .tools(person)
        .map_err(|failure| match (failure.code(), settings.client()) {
            (Some(Code::NotFound), Ok(client)) => client.not_found(&settings.ui, &target.object()),
            (Some(_) | None, _) => failure,
        })
}

/// The tool of that name among these, and which they are.
fn find(tools: Vec<Tool>, name: &str, target: &Target) -> Result<Tool, Failure> {
    let names: Vec<String> = tools.iter().map(|tool| tool.name.clone()).collect();
    tools.into_iter().find(|tool| tool.name == name).ok_or_else(|| {
        let problem = Problem::new(Code::NotFound, format!("{target} offers no tool `{name}`"));
        let flags = target.flags().join(" ");
        problem
            .suggest(match near_miss(name, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("see all: orchctl tools list {flags}"),
            })
            .into()
    })
}
