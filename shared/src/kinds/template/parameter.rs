//! What a Template leaves open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something a Server that uses the template may or must give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Parameter {
    /// The name of the place: letters, digits and `_`.
    pub name: String,
    /// What to give, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The type of the value. Default: string.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub value_type: Option<ParameterType>,
    /// Whether it must be given. Default: true for a secret, false for everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// The value when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The only values it may have, as texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
    /// Whether the value is a secret: then it is given as `{secretRef: {name, key}}` and stands alone in an `env` value or
    /// a header. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<bool>,
}

/// The type of a parameter's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParameterType {
    /// Text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// true or false.
    Boolean,
}

impl ParameterType {
    /// What such a value is, for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
        }
    }

    pub(super) fn admits(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
        }
    }

    /// The value that a typed text stands for; the text itself when it stands for none of this type.
    fn read(self, text: &str) -> Value {
        let value = match self {
            Self::String => None,
            Self::Integer => text.parse::<i64>().ok().map(Value::from),
            Self::Number => serde_json::from_str(text).ok().filter(Value::is_number),
            Self::Boolean => text.parse::<bool>().ok().map(Value::from),
        };
        value.unwrap_or_else(|| text.into())
    }
}

impl Parameter {
    /// Whether its value is a secret.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret.unwrap_or(false)
    }

    /// Whether a Server must give it. A secret that may be left out says so.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required.unwrap_or(self.is_secret())
    }

    /// Why a value in the open is not one that the parameter takes: `is a whole number`.
    pub(super) fn objection(&self, value: &Value) -> Option<String> {
        let wanted = self.value_type.unwrap_or_default();
        if !wanted.admits(value) {
            return Some(format!("is {}", wanted.as_str()));
        }
        let choices = self.choices.as_ref()?;
        let text = text_of(value);
        (!choices.contains(&text)).then(|| format!("is one of {}", choices.join(", ")))
    }

    /// The value that a text on a command line stands for. Whether it is one that the parameter takes, resolving says.
    #[must_use]
    pub fn read(&self, text: &str) -> Value {
        self.value_type.unwrap_or_default().read(text)
    }
}

/// Whether a text can name a parameter.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A value as it stands in a text.
pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
