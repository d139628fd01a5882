//! What every daemon brings along: the catalogue, which is Templates of well-known servers, a file each; and the place in its
//! own store where values of Secrets live until there is another.
//!
//! What leaves: the objects, marked as seeded. What it never does: look at what is stored; `admission` decides which of
//! them are needed.

use orch_shared::kind::Kind;
use orch_shared::kinds::secret_backend::SecretBackend;
use orch_shared::manifest::{self, Limits, to_yaml_stream};
use orch_shared::resource::{Metadata, Resource};
use orch_shared::seeded;

macro_rules! catalogue {
    ($($name:literal),* $(,)?) => {
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!($name, ".yaml")))),*];
    };
}

catalogue![
    "arxiv",
    "aws-documentation",
    "azure",
    "brave-search",
    "context7",
    "duckduckgo",
    "everything",
    "exa",
    "fetch",
    "filesystem",
    "firecrawl",
    "git",
    "jira",
    "kubernetes",
    "memory",
    "mongodb",
    "notion",
    "playwright",
    "sentry",
    "sequential-thinking",
    "tavily",
    "time",
];

/// Every object of the catalogue.
#[must_use]
pub fn objects() -> Vec<Resource> {
    FILES.iter().map(|(name, text)| read(name, text)).collect()
}

/// The daemon's own store as a place where values live, and the default as long as no other one is.
#[must_use]
pub fn local_backend() -> Resource {
    let mut resource = Resource {
        kind: Kind::SecretBackend,
        metadata: Metadata::named("default".parse().expect("a name")),
        spec: Box::new(SecretBackend {
            default: Some(true),
            ..SecretBackend::local()
        }),
    };
    seeded::mark(&mut resource);
    resource
}

fn read(name: &str, text: &str) -> Resource {
    let parsed = manifest::parse(text.as_bytes(), &Limits::default());
    let mut found = manifest::objects(&[(format!("{name}.yaml"), parsed)]);
    let object = found.objects.pop().filter(|_| found.problems.is_empty());
    let mut resource = object.expect("a file of the catalogue is sound").resource;
    seeded::mark(&mut resource);
    resource
}

/// The manifests of those names, or of all, as they are seeded.
///
/// # Errors
/// The name that is not in the catalogue.
pub fn manifests(names: &[String]) -> Result<String, Unknown> {
    let is_known = |name: &&String| FILES.iter().any(|(known, _)| *known == name.as_str());
    if let Some(stranger) = names.iter().find(|name| !is_known(name)) {
        let known: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        return Err(Unknown {
            name: stranger.clone(),
            known: known.join(", "),
        });
    }
    let wanted =
        |resource: &Resource| names.is_empty() || names.iter().any(|name| *name == resource.metadata.name.as_str());
    let manifests: Vec<_> = objects()
        .iter()
        .filter(|one| wanted(one))
        .map(Resource::manifest)
        .collect();
    Ok(to_yaml_stream(&manifests))
}

/// The catalogue has no such entry.
#[derive(Debug, thiserror::Error)]
#[error("the catalogue has no `{name}`\nhint: it has {known}")]
pub struct Unknown {
    name: String,
    known: String,
}

#[cfg(test)]
mod tests {
    use orch_shared::kind::downcast;
    use orch_shared::kinds::template::Template;

    use super::*;

    #[test]
    fn every_entry_is_sound_and_explains_itself() {
        assert!(FILES.len() >= 12);
        for (name, text) in FILES {
            let parsed = manifest::parse(text.as_bytes(), &Limits::default());
            let found = manifest::objects(&[((*name).to_owned(), parsed)]);
            assert_eq!(found.problems, [], "{name}");
            assert_eq!(found.objects.len(), 1, "{name}");
            let resource = read(name, text);
            assert_eq!(resource.metadata.name.as_str(), *name);
            assert!(seeded::is_untouched(
                resource.kind,
                &resource.metadata,
                &resource.spec.to_value()
            ));
            let template = downcast::<Template>(resource.spec.as_ref()).expect("a Template");
            assert!(template.description.is_some(), "{name}");
            assert!(template.server.package.is_some(), "{name}");
            for parameter in template.parameters.iter().flatten() {
                assert!(parameter.description.is_some(), "{name}: {}", parameter.name);
                let sounds_secret = ["token", "secret", "api_key", "password", "connection_string"]
                    .iter()
                    .any(|word| parameter.name.contains(word));
                assert_eq!(
                    parameter.secret.unwrap_or(false),
                    sounds_secret,
                    "{name}: {}",
                    parameter.name
                );
            }
        }
        assert!(FILES.is_sorted());
    }

    #[test]
    fn entries_are_printed_by_name() {
        let git = manifests(&["git".to_owned()]).unwrap();
        assert!(
            git.contains("name: git") && git.contains(seeded::LABEL) && !git.contains("---\n"),
            "{git}"
        );
        let unknown = manifests(&["gti".to_owned()]).unwrap_err().to_string();
        assert!(unknown.contains("`gti`") && unknown.contains("duckduckgo"), "{unknown}");
    }
}
