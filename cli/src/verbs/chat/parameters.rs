//! `--param NAME=VALUE`: parameters of the model, typed by their names.

use orch_shared::kinds::agent::{NoParameter, Params, Tools, no_parameter};
use orch_shared::problem::near_miss;
use serde_json::Value;

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Parameter {
    Temperature(f64),
    MaxTokens(u32),
    TopP(f64),
    Stop(String),
    /// One that only the provider knows.
    Extra(String, Value),
}

const KNOWN: [&str; 4] = ["temperature", "maxTokens", "topP", "stop"];

/// Reads one.
pub(super) fn one(text: &str) -> Result<Parameter, String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("write NAME=VALUE, such as temperature=0.2")?;
    let number = || match value.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) | Err(_) => Err(format!("`{value}` is no number")),
    };
    // Whether the agent has tools is the daemon's to know.
    if let Some(NoParameter { name, instead }) = no_parameter(name, Tools::OfProject) {
        return Err(format!("`{name}` is no parameter: {instead}"));
    }
    match name {
        "temperature" => number().map(Parameter::Temperature),
        "topP" => number().map(Parameter::TopP),
        "maxTokens" => match value.parse() {
            Ok(count) if count > 0 => Ok(Parameter::MaxTokens(count)),
            Ok(_) | Err(_) => Err(format!("`{value}` is no count of tokens")),
        },
        "stop" => Ok(Parameter::Stop(value.to_owned())),
        other => match near_miss(&camel(other), KNOWN) {
            Some(near) if near != other => Err(format!("there is no parameter `{other}`; did you mean `{near}`?")),
            // What is JSON is taken for that; anything else is a text.
            Some(_) | None => {
                let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
                Ok(Parameter::Extra(other.to_owned(), value))
            }
        },
    }
}

/// `max_tokens` as it is written here: `maxTokens`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let mut chars = part.chars();
        let head = chars.next().map(|c| c.to_ascii_uppercase());
        out + &head.into_iter().chain(chars).collect::<String>()
    })
}

/// All of them as the daemon is told; of the same one the last counts, but for texts at which an answer ends.
pub(super) fn together(parameters: &[Parameter]) -> Option<Params> {
    if parameters.is_empty() {
        return None;
    }
    let mut all = Params::default();
    for parameter in parameters {
        match parameter.clone() {
            Parameter::Temperature(value) => all.temperature = Some(value),
            Parameter::MaxTokens(value) => all.max_tokens = Some(value),
            Parameter::TopP(value) => all.top_p = Some(value),
            Parameter::Stop(text) => all.stop.get_or_insert_default().push(text),
            Parameter::Extra(name, value) => {
                all.extra.get_or_insert_default().insert(name, value);
            }
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_are_typed_by_their_names() {
        for (texts, expected) in [
            (
                &["temperature=0", "maxTokens=5", "topP=0.5"][..],
                Ok(json!({"temperature": 0.0, "maxTokens": 5, "topP": 0.5})),
            ),
            (&["stop=a", "stop=b=c"], Ok(json!({"stop": ["a", "b=c"]}))),
            (
                &["seed=7", "effort=high", "logit_bias={\"5\": -1}"],
                Ok(json!({"extra": {"seed": 7, "effort": "high", "logit_bias": {"5": -1}}})),
            ),
            (&["temperature=1", "temperature=2"], Ok(json!({"temperature": 2.0}))),
            (&["temperature=warm"], Err("`warm` is no number")),
            (&["temperature=NaN"], Err("`NaN` is no number")),
            (&["maxTokens=0"], Err("`0` is no count of tokens")),
            (
                &["max_tokens=5"],
                Err("there is no parameter `max_tokens`; did you mean `maxTokens`?"),
            ),
            (
                &["tempersture=5"],
                Err("there is no parameter `tempersture`; did you mean `temperature`?"),
            ),
            (
                &["model=other"],
                Err("`model` is no parameter: `llm` of the agent says which model is asked"),
            ),
            (
                &["Model=other"],
                Err("`Model` is no parameter: `llm` of the agent says which model is asked"),
            ),
            (
                &["tools=[]"],
                Err("`tools` is no parameter: the agent's own tools are told, as `tools.allow` of the agent has them"),
            ),
            (&["=1"], Err("write NAME=VALUE, such as temperature=0.2")),
            (&["seed"], Err("write NAME=VALUE, such as temperature=0.2")),
        ] {
            let read: Result<Vec<Parameter>, String> = texts.iter().map(|text| one(text)).collect();
            let told = read.map(|all| serde_json::to_value(together(&all)).expect("plain data"));
            assert_eq!(told, expected.map_err(str::to_owned), "{texts:?}");
        }
        assert_eq!(together(&[]), None);
    }
}
