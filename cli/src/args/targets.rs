//! Which objects a command line means: `servers`, `server files gitea`, `server/files llm/fast`, `servers,llms`, `all`.
//!
//! Enters: words, files and selectors. Leaves: kinds and names; a word that is no kind gets its near miss, and a uid the
//! name of its object. Scopes are the settings' to add.

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Kind;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::{Code, Problem};

use super::shared::{Files, Selectors};
use crate::client::Object;
use crate::complete;
use crate::input;
use crate::report::Failure;
use crate::settings::{Settings, parse_name};

/// What events are called. They are asked for like objects, and are none.
pub(crate) const EVENT_NOUNS: [&str; 3] = ["events", "event", "ev"];

/// What is meant: all of a kind, or one object of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// All objects of the kind, as far as selectors let them through.
    Kind(Kind),
    /// One object.
    Object(ObjectRef),
}

impl Target {
    /// The kind that is meant.
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Kind(kind) => *kind,
            Self::Object(object) => object.kind,
        }
    }
}

/// Reads the words; what has a name is looked for in the scope that is meant.
pub(crate) fn targets(settings: &Settings, words: &[String]) -> Result<Vec<Target>, Failure> {
    parse(words)?
        .into_iter()
        .map(|(kind, name)| match name {
            None => Ok(Target::Kind(kind)),
            Some(name) => named(settings, kind, name).map(Target::Object),
        })
        .collect()
}

/// Whether the words mean every kind there is.
pub(crate) fn mean_all(words: &[String]) -> bool {
    matches!(words, [one] if one.split(',').any(|noun| noun == "all"))
}

/// What is meant of every kind, without kinds that live where nobody looks: no project or agent is said.
pub(crate) fn with_place(settings: &Settings, targets: Vec<Target>) -> Result<Vec<Target>, Failure> {
    let mut kept = Vec::with_capacity(targets.len());
    for target in targets {
        if settings.has_place(target.kind())? {
            kept.push(target);
        }
    }
    Ok(kept)
}

/// The object of that name. A uid is looked up, once and here: from then on its object is called by its name.
fn named(settings: &Settings, kind: Kind, name: Name) -> Result<ObjectRef, Failure> {
    let object = ObjectRef {
        kind,
        scope: settings.scope(kind)?,
        name,
    };
    if !is_uid(object.name.as_str()) {
        return Ok(object);
    }
    let found = settings.client()?.find(&settings.ui, &object)?;
    Ok(found.map_or(object, |found| found.reference()))
}

/// Whether a text has the form of a uid: 8-4-4-4-12 hexadecimal digits.
fn is_uid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// Objects to do something with: in files, by name, or all that are selected.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Objects: KIND NAME..., KIND/NAME..., or KIND with -l or --all
    #[arg(value_name = "OBJECTS", add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    selectors: Selectors,
    /// All objects of the kind
    #[arg(long, action = ArgAction::SetTrue)]
    all: bool,
}

impl Chosen {
    /// The objects. A kind alone means all of it only when that is said. `verb` says what does not happen when something is
    /// wrong: `nothing was deleted`.
    pub(crate) fn objects(&self, settings: &Settings, verb: &str) -> Result<Vec<ObjectRef>, Failure> {
        if !self.files.files.is_empty() {
            let objects = input::objects(&self.files.files, verb)?.objects;
            return Ok(objects.iter().map(|object| object.resource.reference()).collect());
        }
        let mut objects = Vec::new();
        let mut chosen = targets(settings, &self.targets)?;
        if mean_all(&self.targets) && !self.selectors.all_scopes {
            chosen = with_place(settings, chosen)?;
        }
        for target in chosen {
            match target {
                Target::Object(object) => objects.push(object),
                Target::Kind(kind) if self.all || self.selectors.narrow() => {
                    let selection = self.selectors.selection(settings, kind)?;
                    let page = settings.client()?.list(&settings.ui, kind, &selection, None)?;
                    objects.extend(page.items.iter().map(Object::reference));
                }
                Target::Kind(kind) => {
                    let hint = "name them, select them with -l, or mean all of them: --all";
                    return Err(Failure::usage(format!("which {}?", kind.meta().plural)).hint(hint));
                }
            }
        }
        Ok(objects)
    }
}

/// Reads the words: kinds, each perhaps with a name.
fn parse(words: &[String]) -> Result<Vec<(Kind, Option<Name>)>, Failure> {
    let Some((first, rest)) = words.split_first() else {
        return Err(Failure::usage("nothing says which objects are meant")
            .hint("such as: servers, server/files, or all; see: orchctl api-resources"));
    };
    if words.iter().any(|word| word.contains('/')) {
        return words.iter().map(|word| pair(word)).collect();
    }
    let mut kinds = Vec::new();
    for noun in first.split(',').filter(|noun| !noun.is_empty()) {
        if noun == "all" {
            kinds.extend(Kind::ALL);
        } else {
            kinds.push(kind(noun)?);
        }
    }
    if rest.is_empty() {
        return Ok(kinds.into_iter().map(|kind| (kind, None)).collect());
    }
    let mut targets = Vec::new();
    for kind in kinds {
        for name in rest.iter().flat_map(|word| word.split(',')) {
            targets.push((kind, Some(parse_name(name, kind.meta().singular)?)));
        }
    }
    Ok(targets)
}

/// Reads words that must name objects.
pub(crate) fn objects(settings: &Settings, words: &[String]) -> Result<Vec<ObjectRef>, Failure> {
    targets(settings, words)?
        .into_iter()
        .map(|target| match target {
            Target::Object(object) => Ok(object),
            Target::Kind(kind) => Err(Failure::usage(format!("which {}?", kind.meta().singular))
                .hint(format!("name it: {}/NAME", kind.meta().singular))),
        })
        .collect()
}

/// Reads words that must name one object.
pub(crate) fn object(settings: &Settings, words: &[String]) -> Result<ObjectRef, Failure> {
    let mut objects = objects(settings, words)?;
    match objects.len() {
        1 => Ok(objects.remove(0)),
        _ => Err(Failure::usage("one object is meant here").hint("name one: KIND/NAME")),
    }
}

fn pair(word: &str) -> Result<(Kind, Option<Name>), Failure> {
    let Some((noun, name)) = word.split_once('/') else {
        return Err(Failure::usage(format!("`{word}` names a kind or a name, but not both"))
            .hint("with KIND/NAME, every word has that form"));
    };
    let kind = kind(noun)?;
    Ok((kind, Some(parse_name(name, kind.meta().singular)?)))
}

/// Reads a noun.
pub(crate) fn kind(noun: &str) -> Result<Kind, Failure> {
    Kind::from_noun(noun).ok_or_else(|| {
        // No answer of the daemon: the command line is what cannot be understood.
        let problem = Problem::new(Code::BadArgument, format!("there is no kind `{noun}`"));
        Failure::from(problem).hint(match Kind::near_noun(noun) {
            _ if EVENT_NOUNS.contains(&noun) => {
                "events are no objects: orchctl events, or orchctl get events".to_owned()
            }
            Some(near) => format!("did you mean `{near}`?"),
            None => "see what there is: orchctl api-resources".to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], expected: Result<&[&str], &str>) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let said = |(kind, name): &(Kind, Option<Name>)| match name {
            None => kind.meta().plural.to_owned(),
            Some(name) => format!("{}/{name}", kind.meta().singular),
        };
        match (parse(&words), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.iter().map(said).collect::<Vec<_>>(), expected, "{words:?}"),
            (Err(failure), Err(expected)) => assert_eq!(failure.to_string(), expected, "{words:?}"),
            (found, _) => panic!("{words:?}: {found:?}"),
        }
    }

    #[test]
    fn words_mean_objects_in_kubectls_ways() {
        check(&["servers"], Ok(&["servers"]));
        check(&["server"], Ok(&["servers"]));
        check(&["srv"], Ok(&["servers"]));
        check(&["Server"], Ok(&["servers"]));
        check(&["servers,llms"], Ok(&["servers", "llms"]));
        check(&["server", "files", "gitea"], Ok(&["server/files", "server/gitea"]));
        check(&["server/files", "llm/fast"], Ok(&["server/files", "llm/fast"]));
        check(&["serverz"], Err("there is no kind `serverz` (ORCH7004)"));
        check(
            &["server/files", "llm"],
            Err("`llm` names a kind or a name, but not both (ORCH7004)"),
        );
        check(&[], Err("nothing says which objects are meant (ORCH7004)"));
    }

    #[test]
    fn uids_are_told_from_names() {
        for (text, expected) in [
            ("019ac5f2-7d7c-7cc1-9a8e-2b1f0c9d3e44", true),
            ("files", false),
            ("files-7f2c1", false),
            ("abcdefgh-abcd-abcd-abcd-abcdefabcdef", false),
        ] {
            assert_eq!(is_uid(text), expected, "{text}");
        }
    }

    #[test]
    fn all_means_every_kind() {
        assert_eq!(parse(&["all".to_owned()]).unwrap().len(), Kind::ALL.len());
        for (words, expected) in [
            (&["all"][..], true),
            (&["servers,all"], true),
            (&["server", "all"], false),
            (&["server/all"], false),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(mean_all(&words), expected, "{words:?}");
        }
    }
}
