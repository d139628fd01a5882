//! Where a model answers: base URLs as people write them, and the path of a dialect below them.

use crate::kinds::llm::Provider;

/// Where a provider answers unless something else is said; nothing for those that have no address of their own.
#[must_use]
pub const fn default_base(provider: Provider) -> Option<&'static str> {
    match provider {
        Provider::Openai => Some("https://api.openai.com"),
        Provider::Anthropic => Some("https://api.anthropic.com"),
        Provider::Deepseek => Some("https://api.deepseek.com"),
        Provider::Ollama => Some("http://127.0.0.1:11434"),
        Provider::Vllm | Provider::OpenaiCompatible | Provider::Scripted => None,
    }
}

/// A path such as `/v1/models` below a base URL.
///
/// Of the base, `/` and `/v1` at the end are dropped, however often they stand there, and so is the path of a dialect behind
/// `/v1`: all spellings are right. A base that has a segment `v1beta...` names its version itself: the path comes without its
/// `/v1` then. A query stays at the end.
#[must_use]
pub fn join(base: &str, path: &str) -> String {
    let (base, query) = base.split_at(base.find(['?', '#']).unwrap_or(base.len()));
    let base = bare(base);
    let names_version = base.split('/').skip(3).any(|segment| segment.starts_with("v1beta"));
    let unversioned = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/'));
    let path = match unversioned {
        Some(rest) if names_version => rest,
        Some(_) | None => path,
    };
    format!("{base}{path}{query}")
}

/// Paths that people copy together with the base, below `/v1`.
const ENDPOINTS: [&str; 7] = [
    "/chat/completions",
    "/completions",
    "/responses",
    "/embeddings",
    "/messages/count_tokens",
    "/messages",
    "/models",
];

/// A base without what stands in each path.
fn bare(base: &str) -> &str {
    let mut base = base.trim_end_matches('/');
    let versioned = ENDPOINTS.iter().filter_map(|endpoint| base.strip_suffix(endpoint));
    if let Some(copied) = versioned
        .map(|rest| rest.trim_end_matches('/'))
        .find(|rest| unversioned(rest).is_some())
    {
        base = copied;
    }
    while let Some(rest) = unversioned(base) {
        base = rest.trim_end_matches('/');
    }
    base
}

/// A base without the `/v1` at its end; nothing when it has none.
fn unversioned(base: &str) -> Option<&str> {
    let (rest, version) = base.split_at_checked(base.len().checked_sub("/v1".len())?)?;
    let is_host = rest.ends_with(":/");
    (version.eq_ignore_ascii_case("/v1") && !is_host).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_and_paths() {
        for (base, path, joined) in [
            ("https://a.b", "/v1/chat/completions", "https://a.b/v1/chat/completions"),
            ("https://a.b/", "/v1/messages", "https://a.b/v1/messages"),
            ("https://a.b/v1", "/v1/messages", "https://a.b/v1/messages"),
            ("https://a.b/v1/", "/v1/models", "https://a.b/v1/models"),
            ("https://a.b/x/v1", "/v1/models", "https://a.b/x/v1/models"),
            ("https://a.b/v1/v1", "/v1/models", "https://a.b/v1/models"),
            ("https://a.b/v1//v1//", "/v1/models", "https://a.b/v1/models"),
            ("https://a.b/V1", "/v1/models", "https://a.b/v1/models"),
            ("https://a.b//", "/v1/models", "https://a.b/v1/models"),
            (
                "https://a.b/v1/chat/completions",
                "/v1/embeddings",
                "https://a.b/v1/embeddings",
            ),
            ("https://a.b/v1/messages/", "/v1/models", "https://a.b/v1/models"),
            ("https://a.b/models", "/v1/models", "https://a.b/models/v1/models"),
            ("https://v1", "/v1/models", "https://v1/v1/models"),
            ("https://a.b/é", "/v1/models", "https://a.b/é/v1/models"),
            ("https://a.b/x/v1/y", "/v1/models", "https://a.b/x/v1/y/v1/models"),
            ("https://a.b/v11", "/v1/models", "https://a.b/v11/v1/models"),
            (
                "https://a.b/v1beta",
                "/v1/chat/completions",
                "https://a.b/v1beta/chat/completions",
            ),
            (
                "https://a.b/v1beta/openai/",
                "/v1/embeddings",
                "https://a.b/v1beta/openai/embeddings",
            ),
            ("https://a.b/v1beta2", "/v1/models", "https://a.b/v1beta2/models"),
            ("https://a.b/v1beta", "/v1x", "https://a.b/v1beta/v1x"),
            ("https://v1beta.b", "/v1/models", "https://v1beta.b/v1/models"),
            ("http://127.0.0.1:11434", "/api/tags", "http://127.0.0.1:11434/api/tags"),
            ("https://a.b/v1?key=1", "/v1/models", "https://a.b/v1/models?key=1"),
        ] {
            assert_eq!(join(base, path), joined, "{base} {path}");
        }
    }

    #[test]
    fn who_has_an_address_of_its_own() {
        for (provider, base) in [
            (Provider::Openai, Some("https://api.openai.com")),
            (Provider::Anthropic, Some("https://api.anthropic.com")),
            (Provider::Deepseek, Some("https://api.deepseek.com")),
            (Provider::Ollama, Some("http://127.0.0.1:11434")),
            (Provider::Vllm, None),
            (Provider::OpenaiCompatible, None),
            (Provider::Scripted, None),
        ] {
            assert_eq!(default_base(provider), base);
        }
    }
}
