//! The addresses at which models are asked.

use orch_shared::inference::Dialect;

/// What stands at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address<'p> {
    /// The models that somebody may ask.
    Models,
    /// One of them.
    Model(&'p str),
    /// Where a model is asked, in the words of that dialect. The body says which model.
    Ask(Dialect),
    /// Where that model is asked, in the words of OpenAI's chat completions.
    Infer(&'p str),
    /// How many tokens a request in the words of Anthropic has.
    CountTokens,
    /// Nothing: clients ask there for what other providers have. In whose words.
    Nothing(Dialect),
}

impl Address<'_> {
    /// The methods that there are, as `Allow` says it.
    pub(super) const fn methods(self) -> &'static str {
        match self {
            Self::Models | Self::Model(_) => "GET, HEAD",
            Self::Ask(_) | Self::Infer(_) | Self::CountTokens => "POST",
            Self::Nothing(_) => "",
        }
    }

    /// Whose words problems are told in.
    pub(super) const fn dialect(self) -> Dialect {
        match self {
            Self::Models | Self::Model(_) | Self::Infer(_) => Dialect::Chat,
            Self::Ask(dialect) | Self::Nothing(dialect) => dialect,
            Self::CountTokens => Dialect::Messages,
        }
    }
}

/// Reads a path.
pub(super) fn parse(path: &str) -> Option<Address<'_>> {
    find(path).map(|(address, _)| address)
}

/// The pattern of an address, for whoever counts requests.
pub(super) fn route(path: &str) -> Option<&'static str> {
    find(path).map(|(_, pattern)| pattern)
}

/// The pattern of addresses at which nothing is.
const NOTHING: &str = "/v1/{*rest}";

fn find(path: &str) -> Option<(Address<'_>, &'static str)> {
    let Some(rest) = path.strip_prefix("/v1/") else {
        let name = path.strip_prefix("/api/v1/llms/")?.strip_suffix("/infer")?;
        return is_one(name).then_some((Address::Infer(name), "/api/v1/llms/{name}/infer"));
    };
    Some(match rest {
        "chat/completions" => (Address::Ask(Dialect::Chat), "/v1/chat/completions"),
        "responses" => (Address::Ask(Dialect::Responses), "/v1/responses"),
        "embeddings" => (Address::Ask(Dialect::Embeddings), "/v1/embeddings"),
        "messages" => (Address::Ask(Dialect::Messages), "/v1/messages"),
        "messages/count_tokens" => (Address::CountTokens, "/v1/messages/count_tokens"),
        "models" => (Address::Models, "/v1/models"),
        _ => match rest.strip_prefix("models/").filter(|name| is_one(name)) {
            Some(name) => (Address::Model(name), "/v1/models/{name}"),
            None if rest.starts_with("messages/") => (Address::Nothing(Dialect::Messages), NOTHING),
            None => (Address::Nothing(Dialect::Chat), NOTHING),
        },
    })
}

fn is_one(name: &str) -> bool {
    !name.is_empty() && !name.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        for (path, address) in [
            ("/v1/chat/completions", Some(Address::Ask(Dialect::Chat))),
            ("/v1/responses", Some(Address::Ask(Dialect::Responses))),
            ("/v1/embeddings", Some(Address::Ask(Dialect::Embeddings))),
            ("/v1/messages", Some(Address::Ask(Dialect::Messages))),
            ("/v1/messages/count_tokens", Some(Address::CountTokens)),
            ("/v1/models", Some(Address::Models)),
            ("/v1/models/demo", Some(Address::Model("demo"))),
            ("/api/v1/llms/demo/infer", Some(Address::Infer("demo"))),
            ("/v1/models/", Some(Address::Nothing(Dialect::Chat))),
            ("/v1/models/a/b", Some(Address::Nothing(Dialect::Chat))),
            ("/v1/v1/chat/completions", Some(Address::Nothing(Dialect::Chat))),
            ("/v1/messages/batches", Some(Address::Nothing(Dialect::Messages))),
            ("/v2/messages", None),
            ("/api/v1/llms//infer", None),
            ("/api/v1/llms/a/b/infer", None),
            ("/api/v1/llms/demo", None),
        ] {
            assert_eq!(parse(path), address, "{path}");
            assert_eq!(route(path).is_some(), address.is_some(), "{path}");
        }
    }
}
