//! What may be typed in a conversation besides what is said: lines that begin with a slash. Read here, done elsewhere.

use std::path::PathBuf;

use orch_shared::problem::near_miss;

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Tools,
    Thread(ThreadCommand),
    /// Shows the personalities, or takes on one.
    Personality(Option<Personality>),
    Undo,
    Resume,
    Export(Option<PathBuf>),
    Quit,
}

/// What to do about threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ThreadCommand {
    /// Say which one this is.
    Show,
    New,
    List,
    /// Go on with that one.
    Switch(String),
}

/// Which personality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Personality {
    /// The agent's own.
    Default,
    Named(String),
}

/// What the words behind a command are, for whoever offers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    Nothing,
    Thread,
    Personality,
    File,
}

/// Every command: how it is written, what may stand behind it, and what it does.
pub(super) const COMMANDS: [(&str, Operand, &str, &str); 8] = [
    ("help", Operand::Nothing, "", "show this"),
    (
        "tools",
        Operand::Nothing,
        "",
        "show the tools that the agent may use for you",
    ),
    (
        "thread",
        Operand::Thread,
        "[ID | new | list]",
        "say which thread this is, or go on with another",
    ),
    (
        "personality",
        Operand::Personality,
        "[NAME | -]",
        "show the personalities, or have the agent take one on",
    ),
    (
        "undo",
        Operand::Nothing,
        "",
        "go on in a new thread, as if the last turn had not been",
    ),
    ("resume", Operand::Nothing, "", "go on with a turn that was interrupted"),
    (
        "export",
        Operand::File,
        "[FILE]",
        "write the thread as Markdown, or as JSON where FILE ends in .json",
    ),
    ("quit", Operand::Nothing, "", "leave; so does Ctrl-D"),
];

/// What a line means: nothing when it is to be said, or why it means nothing.
pub(super) fn read(line: &str) -> Option<Result<Command, String>> {
    let words: Vec<&str> = line.strip_prefix('/')?.split_whitespace().collect();
    Some(of_words(&words))
}

fn of_words(words: &[&str]) -> Result<Command, String> {
    let (name, operands) = words.split_first().unwrap_or((&"", &[]));
    let known = COMMANDS.iter().find(|(known, ..)| known == name);
    let Some((_, operand, ..)) = known else {
        let near = near_miss(name, COMMANDS.iter().map(|(known, ..)| *known));
        let near = near.map_or_else(
            || "see all: /help.".to_owned(),
            |near| format!("did you mean `/{near}`?"),
        );
        return Err(format!(
            "there is no command `/{name}`; {near} To say it all the same, begin with a blank"
        ));
    };
    let operand = match (operand, operands) {
        (_, []) => None,
        (Operand::Nothing, [_, ..]) => return Err(format!("nothing stands behind `/{name}`")),
        (_, [one]) => Some(*one),
        (_, [_, _, ..]) => return Err(format!("only one word stands behind `/{name}`")),
    };
    Ok(match *name {
        "help" => Command::Help,
        "tools" => Command::Tools,
        "thread" => Command::Thread(match operand {
            None => ThreadCommand::Show,
            Some("new") => ThreadCommand::New,
            Some("list") => ThreadCommand::List,
            Some(id) => ThreadCommand::Switch(crate::args::shared::thread_id(id)?),
        }),
        "personality" => Command::Personality(operand.map(|name| match name {
            "-" => Personality::Default,
            name => Personality::Named(name.to_owned()),
        })),
        "undo" => Command::Undo,
        "resume" => Command::Resume,
        "export" => Command::Export(operand.map(PathBuf::from)),
        _ => Command::Quit,
    })
}

/// What may stand at the end of that beginning of a line: where it begins, and the words. `ask` knows live names.
pub(super) fn offered(before: &str, ask: impl FnOnce(Operand) -> Vec<String>) -> (usize, Vec<String>) {
    let Some(typed) = before.strip_prefix('/') else {
        return (before.len(), Vec::new());
    };
    let Some((name, operand)) = typed.split_once(' ') else {
        let names = COMMANDS.iter().map(|(name, ..)| (*name).to_owned());
        return (1, names.filter(|name| name.starts_with(typed)).collect());
    };
    let known = COMMANDS.iter().find(|(known, ..)| *known == name);
    let kind = known.map_or(Operand::Nothing, |(_, operand, ..)| *operand);
    let found = match kind {
        Operand::Nothing => Vec::new(),
        Operand::Thread => ["new", "list"]
            .map(str::to_owned)
            .into_iter()
            .chain(ask(kind))
            .collect(),
        Operand::Personality | Operand::File => ask(kind),
    };
    let fits = |word: &String| word.starts_with(operand);
    (before.len() - operand.len(), found.into_iter().filter(fits).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_begin_with_a_slash_are_read() {
        let thread = |what| Some(Ok(Command::Thread(what)));
        for (line, expected) in [
            ("hello", None),
            (" /help", None),
            ("", None),
            ("/help", Some(Ok(Command::Help))),
            ("/tools ", Some(Ok(Command::Tools))),
            ("/thread", thread(ThreadCommand::Show)),
            ("/thread new", thread(ThreadCommand::New)),
            ("/thread  list", thread(ThreadCommand::List)),
            ("/thread t-1", thread(ThreadCommand::Switch("t-1".to_owned()))),
            ("/thread a/b", Some(Err("`a/b` is no id of a thread"))),
            ("/personality", Some(Ok(Command::Personality(None)))),
            (
                "/personality -",
                Some(Ok(Command::Personality(Some(Personality::Default)))),
            ),
            (
                "/personality calm",
                Some(Ok(Command::Personality(Some(Personality::Named("calm".to_owned()))))),
            ),
            ("/undo", Some(Ok(Command::Undo))),
            ("/resume", Some(Ok(Command::Resume))),
            ("/export", Some(Ok(Command::Export(None)))),
            ("/export a.md", Some(Ok(Command::Export(Some("a.md".into()))))),
            ("/quit", Some(Ok(Command::Quit))),
            ("/quit now", Some(Err("nothing stands behind `/quit`"))),
            ("/export a b", Some(Err("only one word stands behind `/export`"))),
            ("/hepl", Some(Err("did you mean `/help`?"))),
            ("/etc/passwd", Some(Err("begin with a blank"))),
            ("/", Some(Err("there is no command `/`"))),
        ] {
            match (read(line), expected) {
                (Some(Err(said)), Some(Err(part))) => assert!(said.contains(part), "{line:?}: {said}"),
                (found, expected) => assert_eq!(found, expected.map(|read| read.map_err(str::to_owned)), "{line:?}"),
            }
        }
    }

    #[test]
    fn words_are_offered() {
        let ask = |kind: Operand| match kind {
            Operand::Thread => vec!["t-1".to_owned()],
            Operand::Personality => vec!["calm".to_owned(), "curt".to_owned()],
            Operand::Nothing | Operand::File => Vec::new(),
        };
        for (before, at, expected) in [
            ("/t", 1, &["tools", "thread"][..]),
            ("/thread ", 8, &["new", "list", "t-1"]),
            ("/thread t", 8, &["t-1"]),
            ("/personality cu", 13, &["curt"]),
            ("/undo ", 6, &[]),
            ("hello /t", 8, &[]),
        ] {
            let (from, found) = offered(before, ask);
            assert_eq!(
                (from, found),
                (at, expected.iter().map(|word| (*word).to_owned()).collect()),
                "{before}"
            );
        }
    }

    #[test]
    fn every_command_is_read() {
        for (name, ..) in COMMANDS {
            assert!(matches!(read(&format!("/{name}")), Some(Ok(_))), "{name}");
        }
    }
}
