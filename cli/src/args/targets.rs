//! Which objects a command line means: `servers`, `server files gitea`, `server/files llm/fast`, `servers,llms`, `all`.
//!
//! Enters: words. Leaves: kinds and names; a word that is no kind gets its near miss. Scopes are the settings' to add.

use orch_shared::kind::Kind;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::{Code, Problem};

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
            Some(name) => Ok(Target::Object(ObjectRef {
                kind,
                scope: settings.scope(kind)?,
                name,
            })),
        })
        .collect()
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
    fn all_means_every_kind() {
        assert_eq!(parse(&["all".to_owned()]).unwrap().len(), Kind::ALL.len());
    }
}
