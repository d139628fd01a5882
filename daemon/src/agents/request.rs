//! A request to the model of an agent, in the words of chat completions. Pure.

use orch_shared::cassette;
use orch_shared::chat::Offered;
use orch_shared::digest::sha256;
use orch_shared::inference::Object;
use orch_shared::kinds::agent::{NoParameter, Params, Tools, no_parameter};
use orch_shared::problem::{Code, Problem};
use serde_json::{Value, json};

/// That a request says nothing in `params` that is no parameter. `at` is where they stand.
pub(super) fn check(params: Option<&Params>, at: &str, tools: Tools) -> Result<(), Problem> {
    let found = params.and_then(|params| params.no_parameters(tools).next());
    match found {
        None => Ok(()),
        Some(NoParameter { name, instead }) => {
            let detail = format!("`{at}.extra.{name}` is no parameter");
            Err(Problem::new(Code::InvalidValue, detail).suggest(instead))
        }
    }
}

/// The parameters of a turn: what the request says, else what the agent does. Of further ones each by itself.
pub(super) fn merged(agent: Option<&Params>, request: Option<&Params>) -> Params {
    let agent = agent.cloned().unwrap_or_default();
    let request = request.cloned().unwrap_or_default();
    let mut extra = agent.extra.unwrap_or_default();
    extra.extend(request.extra.unwrap_or_default());
    Params {
        temperature: request.temperature.or(agent.temperature),
        max_tokens: request.max_tokens.or(agent.max_tokens),
        top_p: request.top_p.or(agent.top_p),
        stop: request.stop.or(agent.stop),
        extra: Some(extra).filter(|extra| !extra.is_empty()),
    }
}

/// The same as members of a request.
fn members(params: &Params) -> Object {
    let mut members: Object = params.extra.clone().unwrap_or_default();
    // What is refused now may have been stored before.
    members.retain(|name, _| no_parameter(name, Tools::OfProject).is_none());
    let Params {
        temperature,
        max_tokens,
        top_p,
        stop,
        extra: _,
    } = params;
    for (name, value) in [
        ("temperature", temperature.map(|value| json!(value))),
        ("max_tokens", max_tokens.map(|value| json!(value))),
        ("top_p", top_p.map(|value| json!(value))),
        ("stop", stop.as_ref().map(|value| json!(value))),
    ] {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    }
    members
}

/// What a request consists of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parts {
    pub(super) llm: String,
    pub(super) system: String,
    /// Definitions of the tools, each with where it is.
    pub(super) tools: Vec<Value>,
    pub(super) params: Params,
    pub(super) messages: Vec<Value>,
}

impl Parts {
    /// The request.
    pub(super) fn body(&self) -> String {
        let mut body = members(&self.params);
        let system = (!self.system.is_empty()).then(|| json!({"role": "system", "content": self.system}));
        let messages: Vec<Value> = system.into_iter().chain(self.messages.iter().cloned()).collect();
        body.insert("model".to_owned(), json!(self.llm));
        body.insert("messages".to_owned(), json!(messages));
        if !self.tools.is_empty() {
            let tools: Vec<Value> = self.tools.iter().map(told).collect();
            body.insert("tools".to_owned(), json!(tools));
        }
        body.insert("stream".to_owned(), json!(true));
        body.insert("stream_options".to_owned(), json!({"include_usage": true}));
        Value::Object(body).to_string()
    }

    /// The parameters, as members of the request.
    pub(super) fn parameters(&self) -> Object {
        members(&self.params)
    }

    /// What it consists of, as it is written down: each content with its hash.
    pub(super) fn contents(&self) -> Contents {
        let mut contents = Vec::new();
        let mut keep = |content: String| {
            let hash = hash(&content);
            contents.push((hash.clone(), content));
            hash
        };
        let system = keep(system_content(&self.system));
        let tools = keep(json!(self.tools).to_string());
        let params = keep(Value::Object(self.parameters()).to_string());
        let messages: Vec<String> = self.messages.iter().map(|message| keep(message.to_string())).collect();
        Contents {
            system,
            tools,
            params,
            messages: json!(messages).to_string(),
            contents,
        }
    }
}

/// The contents of a request, and their hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) system: String,
    pub(super) tools: String,
    pub(super) params: String,
    /// A JSON array of hashes.
    pub(super) messages: String,
    pub(super) contents: Vec<(String, String)>,
}

/// What a model is told first, as it is written down: JSON, like all contents.
pub(super) fn system_content(system: &str) -> String {
    json!(system).to_string()
}

/// The name of a content: the SHA-256 of it, in hex.
pub(super) fn hash(content: &str) -> String {
    sha256(content)
}

/// The definition of a tool, as it is written down: with the server and the tool that are behind the name that is shown.
pub(super) fn definition(offered: &Offered) -> Value {
    let schema = match offered.input_schema.is_object() {
        true => offered.input_schema.clone(),
        false => json!({"type": "object"}),
    };
    let mut function = json!({"name": offered.name, "parameters": schema});
    if let Some(description) = &offered.description {
        function["description"] = json!(description);
    }
    let mut definition = json!({"type": "function", "function": function});
    cassette::say_origin(&mut definition, offered.server.as_str(), &offered.tool);
    definition
}

/// The same, as a model is told of it.
fn told(definition: &Value) -> Value {
    json!({"type": definition["type"], "function": definition["function"]})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(value: Value) -> Params {
        serde_json::from_value(value).expect("parameters")
    }

    #[test]
    fn a_request_says_what_is_nearest() {
        let agent = params(json!({"temperature": 0.2, "maxTokens": 9, "extra": {"seed": 1, "user": "a"}}));
        let request =
            params(json!({"temperature": 0.0, "stop": ["x"], "extra": {"seed": 2, "model": "other", "Stream": false}}));
        let parts = Parts {
            llm: "fast".to_owned(),
            system: "Be kind.".to_owned(),
            tools: vec![],
            params: merged(Some(&agent), Some(&request)),
            messages: vec![json!({"role": "user", "content": "hello"})],
        };
        let body: Value = serde_json::from_str(&parts.body()).expect("JSON");
        assert_eq!(
            body,
            json!({
                "seed": 2, "user": "a", "temperature": 0.0, "max_tokens": 9, "stop": ["x"],
                "model": "fast", "stream": true, "stream_options": {"include_usage": true},
                "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"}],
            })
        );
        // Nothing that is not said is there.
        let bare = Parts {
            system: String::new(),
            params: merged(None, None),
            ..parts.clone()
        };
        let body: Value = serde_json::from_str(&bare.body()).expect("JSON");
        let names: Vec<&String> = body.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["model", "messages", "stream", "stream_options"]);
    }

    fn offered() -> Offered {
        Offered {
            name: "x__b".to_owned(),
            server: "a".parse().expect("a name"),
            tool: "b".to_owned(),
            description: Some("does".to_owned()),
            input_schema: json!(null),
        }
    }

    #[test]
    fn where_a_tool_is_is_written_down_and_not_told() {
        let parts = Parts {
            llm: "fast".to_owned(),
            system: String::new(),
            tools: vec![definition(&offered())],
            params: Params::default(),
            messages: vec![],
        };
        assert_eq!(cassette::origin(&parts.tools[0]), Some(("a", "b")));
        let body: Value = serde_json::from_str(&parts.body()).expect("JSON");
        let function = json!({"name": "x__b", "parameters": {"type": "object"}, "description": "does"});
        assert_eq!(body["tools"], json!([{"type": "function", "function": function}]));
    }

    #[test]
    fn contents_go_by_their_hash() {
        let parts = Parts {
            llm: "fast".to_owned(),
            system: "s".to_owned(),
            tools: vec![definition(&offered())],
            params: Params::default(),
            messages: vec![
                json!({"role": "user", "content": "x"}),
                json!({"role": "user", "content": "x"}),
            ],
        };
        let contents = parts.contents();
        for (known, content) in &contents.contents {
            assert_eq!(*known, hash(content));
        }
        let messages: Vec<String> = serde_json::from_str(&contents.messages).expect("hashes");
        assert_eq!(messages[0], messages[1]);
        assert!(
            contents
                .contents
                .contains(&(contents.system.clone(), "\"s\"".to_owned()))
        );
    }
}
