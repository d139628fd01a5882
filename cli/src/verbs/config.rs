//! `config`: the contexts, which say where daemons are and what to show them. Never shows a token.

use std::path::Path;

use clap::{ArgAction, Args, Subcommand};
use clap_complete::ArgValueCompleter;
use orch_shared::context::{Context, ContextFile, Token};
use orch_shared::manifest::to_yaml;

use crate::complete;
use crate::render::table::{Heading, Piece, Style, draw};
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, file, no_such_context, normal_url, parse_name};
use crate::ui::Tone;

/// Show and change the contexts: which daemons there are
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl config get-contexts
  orchctl config use-context staging
  orchctl config set-context staging --server https://orch.example.com -p web
")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show the contexts
    #[command(visible_alias = "list")]
    GetContexts {
        /// Leave out the heading
        #[arg(long, action = ArgAction::SetTrue)]
        no_headers: bool,
        /// Form: table or name
        #[arg(short, long, default_value = "table", value_parser = ["table", "name"])]
        output: String,
    },
    /// Show the name of the current context
    CurrentContext,
    /// Make a context the current one
    #[command(visible_alias = "use")]
    UseContext {
        /// The context
        #[arg(add = ArgValueCompleter::new(complete::contexts))]
        name: String,
    },
    /// Make or change a context: with --server, --token-file, --ca-file and --project
    #[command(before_help = "\
Examples:
  orchctl config set-context staging --server https://orch.example.com
  orchctl config set-context staging --token-file ~/.orch-token
  orchctl config set-context staging -p web --current
")]
    #[command(visible_alias = "set")]
    SetContext(SetContext),
    /// Give a context another name
    RenameContext {
        /// The context
        #[arg(add = ArgValueCompleter::new(complete::contexts))]
        name: String,
        /// Its new name
        new_name: String,
    },
    /// Forget a context
    #[command(visible_alias = "delete")]
    DeleteContext {
        /// The context
        #[arg(add = ArgValueCompleter::new(complete::contexts))]
        name: String,
    },
    /// Show the whole file, tokens masked
    View,
    /// Show where the file is
    Path,
}

#[derive(Debug, Args)]
struct SetContext {
    /// The context
    #[arg(add = ArgValueCompleter::new(complete::contexts))]
    name: String,
    /// Read the token from standard input and keep it in the file
    #[arg(long, action = ArgAction::SetTrue)]
    token_stdin: bool,
    /// Make it the current one, too
    #[arg(long, action = ArgAction::SetTrue)]
    current: bool,
}

/// Shows and changes contexts.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    match &arguments.what {
        What::GetContexts { no_headers, output } => {
            let heading = if *no_headers { Heading::Hidden } else { Heading::Shown };
            list(settings, output, heading)?;
        }
        What::CurrentContext => match settings.contexts()?.current() {
            Some(context) => settings.ui.line(&context.name)?,
            None => return Err(no_current()),
        },
        What::UseContext { name } => change(settings, |file| {
            existing(file, name)?;
            file.current_context = Some(name.clone());
            Ok(format!("{name} is the current context"))
        })?,
        What::SetContext(set) => change(settings, |file| set_context(settings, file, set))?,
        What::RenameContext { name, new_name } => change(settings, |file| {
            let at = existing(file, name)?;
            sound(new_name)?;
            if file.context(new_name).is_some() {
                return Err(Failure::usage(format!("there is a context `{new_name}` already")));
            }
            file.contexts[at].name.clone_from(new_name);
            if file.current_context.as_deref() == Some(name) {
                file.current_context = Some(new_name.clone());
            }
            Ok(format!("{name} is {new_name} now"))
        })?,
        What::DeleteContext { name } => change(settings, |file| {
            let at = existing(file, name)?;
            file.contexts.remove(at);
            if file.current_context.as_deref() == Some(name) {
                file.current_context = None;
            }
            Ok(format!("{name} is forgotten"))
        })?,
        What::View => {
            let mut file = settings.contexts()?.clone();
            for context in &mut file.contexts {
                context.token = context.token.take().map(|_| Token::new("***"));
                if let Some(login) = &mut context.login {
                    login.token = Token::new("***");
                }
            }
            settings
                .ui
                .write(&to_yaml(&serde_json::to_value(file).expect("contexts are plain data")))?;
        }
        What::Path => settings.ui.line(&file::path()?.display().to_string())?,
    }
    Ok(Outcome::Done)
}

fn no_current() -> Failure {
    Failure::usage("no context is the current one").hint("choose one: orchctl config use-context NAME")
}

/// Changes the file, and says what has changed.
pub(super) fn change(
    settings: &Settings,
    alter: impl FnOnce(&mut ContextFile) -> Result<String, Failure>,
) -> Result<(), Failure> {
    let path = file::path()?;
    let mut contexts = settings.contexts()?.clone();
    let said = alter(&mut contexts)?;
    file::write(&path, &contexts)?;
    settings.ui.say(&said);
    Ok(())
}

pub(super) fn existing(file: &ContextFile, name: &str) -> Result<usize, Failure> {
    file.contexts
        .iter()
        .position(|context| context.name == name)
        .ok_or_else(|| no_such_context(Some(file), name))
}

/// Refuses a name that nobody could type.
fn sound(name: &str) -> Result<(), Failure> {
    match name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        true => Err(Failure::usage(format!("`{name}` cannot name a context")).hint("write it without blanks: staging")),
        false => Ok(()),
    }
}

/// A path as it is kept: whole, since the file is read from any directory. A `~` that the shell left is the home.
fn whole(path: &Path) -> String {
    let at_home = path
        .strip_prefix("~")
        .ok()
        .and_then(|rest| Some(std::env::home_dir()?.join(rest)));
    let path = at_home.as_deref().unwrap_or(path);
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.display().to_string()
}

/// Sets what the flags name, and leaves the rest. The flags are the global ones; those that the environment sets are not
/// meant for the file.
fn set_context(settings: &Settings, file: &mut ContextFile, set: &SetContext) -> Result<String, Failure> {
    sound(&set.name)?;
    let flags = settings.flags();
    let server = flags.server.as_deref().map(normal_url).transpose()?;
    let name = &set.name;
    let is_new = file.context(name).is_none();
    let context = match (
        file.contexts.iter_mut().position(|context| context.name == *name),
        &server,
    ) {
        (Some(at), _) => &mut file.contexts[at],
        (None, Some(server)) => {
            file.contexts.push(Context::new(name.clone(), server.clone()));
            file.contexts.last_mut().expect("it was just put in")
        }
        (None, None) => {
            return Err(Failure::usage(format!(
                "there is no context `{name}`, and nothing says where its daemon is"
            ))
            .hint("add --server http://HOST:PORT"));
        }
    };
    if let Some(server) = server {
        if context.server != server {
            // What another daemon gave is of no use here, and not for it to see.
            context.login = None;
        }
        context.server = server;
    }
    if let Some(path) = &flags.token_file {
        context.token_file = Some(whole(path));
        context.token = None;
        context.login = None;
    }
    if set.token_stdin {
        let mut text = String::new();
        std::io::stdin()
            .read_line(&mut text)
            .map_err(|error| Failure::file("read", Path::new("standard input"), &error))?;
        context.token = Some(Token::new(&text)).filter(|token| !token.reveal().is_empty());
        context.token_file = None;
        context.login = None;
    }
    if let Some(path) = &flags.ca_file {
        context.ca_file = Some(whole(path));
    }
    match flags.project.as_deref() {
        Some("") => context.project = None,
        Some(project) => context.project = Some(parse_name(project, "project")?),
        None => {}
    }
    if set.current || file.current_context.is_none() {
        file.current_context = Some(name.clone());
    }
    Ok(format!("{name} is {}", if is_new { "new" } else { "changed" }))
}

fn list(settings: &Settings, output: &str, heading: Heading) -> Result<(), Failure> {
    let contexts = settings.contexts()?;
    if output == "name" {
        return contexts
            .contexts
            .iter()
            .try_for_each(|context| settings.ui.line(&context.name));
    }
    if contexts.contexts.is_empty() {
        settings
            .ui
            .say("there is no context yet; one is made by: orchd up, or orchctl config set-context");
        return Ok(());
    }
    let rows = contexts.contexts.iter().map(|context| {
        let is_current = contexts.current_context.as_deref() == Some(context.name.as_str());
        let credential = match (&context.login, &context.token, &context.token_file) {
            (Some(login), _, _) => format!("login of {}", login.user),
            (None, Some(_), _) => "in this file".to_owned(),
            (None, None, Some(path)) => path.clone(),
            (None, None, None) => "-".to_owned(),
        };
        vec![
            Piece {
                text: if is_current { "*" } else { "" }.to_owned(),
                tone: Tone::Good,
            },
            Piece::plain(&context.name),
            Piece::plain(&context.server),
            Piece::plain(context.project.as_ref().map_or("-", |project| project.as_str())),
            Piece::plain(credential),
        ]
    });
    let style = Style::whole(&settings.ui, heading);
    settings.ui.write(&draw(
        &["CURRENT", "NAME", "SERVER", "PROJECT", "TOKEN"],
        rows.collect(),
        style,
    ))
}
