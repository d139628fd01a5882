//! A Template from the `server.json` in which the MCP registry describes a server.

use clap::{Arg, ArgMatches};
use orch_shared::kind::Kind;
use orch_shared::manifest::{Limits, Parsed, parse};
use orch_shared::problem::{Code, Problem};
use orch_shared::server_json::{Choice, import};
use serde_json::Value;

use crate::input;
use crate::report::Failure;
use crate::settings::Settings;

/// The flags that such a file takes, for the kind that can be made from one.
pub(super) fn args(kind: Kind) -> Vec<Arg> {
    if kind != Kind::Template {
        return Vec::new();
    }
    vec![
        Arg::new("from-server-json")
            .long("from-server-json")
            .value_name("FILE")
            .help("Make it of a server.json, as the MCP registry has them: a file, or `-`"),
        Arg::new("package")
            .long("package")
            .value_name("WAY[:IDENTIFIER]")
            .requires("from-server-json")
            .value_parser(clap::value_parser!(Choice))
            .help("Which of its packages or remotes: npm, pypi, oci or remote"),
    ]
}

/// The spec that a `server.json` amounts to, when one is given. What is not in it is said.
pub(super) fn spec(settings: &Settings, kind: Kind, matches: &ArgMatches) -> Result<Option<Value>, Failure> {
    if kind != Kind::Template {
        return Ok(None);
    }
    let Some(file) = matches.get_one::<String>("from-server-json") else {
        return Ok(None);
    };
    let text = input::text(file)?;
    let broken = |detail: String| Failure::from(Problem::new(Code::ManifestSyntax, detail));
    let Parsed {
        mut documents,
        problems,
    } = parse(&text, &Limits::default());
    if let Some(problem) = problems.first() {
        return Err(broken(format!("{file}:{} {}", problem.position, problem.message)));
    }
    let document = match documents.len() {
        1 => documents.remove(0),
        count => return Err(broken(format!("{file} holds {count} documents, not one"))),
    };
    let made = import(&document.value, matches.get_one::<Choice>("package")).map_err(|errors| {
        let mut problem = Problem::new(Code::BadArgument, format!("{file} cannot become a Template"));
        problem.errors = errors;
        Failure::from(problem)
    })?;
    for note in &made.notes {
        settings.ui.warn(note);
    }
    Ok(Some(serde_json::to_value(&made.template).unwrap_or_default()))
}
