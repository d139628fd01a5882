//! How many tokens something is, roughly.
//!
//! Nobody but the model counts tokens. These numbers are for limits and for models that count nothing themselves: a token for
//! every four bytes of what stands in JSON, and a fixed number for what is plainly an image. They are within a third of the
//! truth for English prose and code. What is billed is what the provider tells; an estimate stands in only for a call that ends before
//! its usage is told.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Bytes in a token.
pub(super) const BYTES: u64 = 4;

/// Tokens of an image: about what a picture of a thousand pixels each way costs at the large providers.
const IMAGE: u64 = 1_400;

/// How long a text without anything but base64 must be to be an image and no word.
const LONG: usize = 1024;

/// The tokens of a text.
#[must_use]
pub fn of_text(text: &str) -> u64 {
    of_bytes(text.len() as u64)
}

/// The tokens of as many bytes of text.
#[must_use]
pub const fn of_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES)
}

/// The tokens of JSON text, read in one go without keeping anything of it. What is no JSON is text.
#[must_use]
pub fn of_json(text: &str) -> u64 {
    serde_json::from_str(text).map_or_else(|_| of_text(text), |Weight(bytes)| of_bytes(bytes))
}

/// The tokens of a value.
#[must_use]
pub fn of_value(value: &Value) -> u64 {
    Weight::deserialize(value).map_or(0, |Weight(bytes)| of_bytes(bytes))
}

/// How many bytes of a value a model reads: its strings and the names of its members, a little for everything else.
struct Weight(u64);

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Weigher)
    }
}

struct Weigher;

impl<'de> Visitor<'de> for Weigher {
    type Value = Weight;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Weight, E> {
        Ok(Weight(BYTES))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Weight, E> {
        Ok(Weight(BYTES))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Weight, E> {
        Ok(Weight(BYTES))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Weight, E> {
        Ok(Weight(BYTES))
    }

    fn visit_unit<E>(self) -> Result<Weight, E> {
        Ok(Weight(BYTES))
    }

    fn visit_str<E>(self, text: &str) -> Result<Weight, E> {
        Ok(Weight(if is_encoded(text) {
            IMAGE * BYTES
        } else {
            text.len() as u64
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Weight, A::Error> {
        let mut sum = 0;
        while let Some(Weight(bytes)) = list.next_element()? {
            sum += bytes;
        }
        Ok(Weight(sum))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Weight, A::Error> {
        let mut sum = 0;
        while let Some((Weight(name), Weight(value))) = map.next_entry()? {
            sum += name + value;
        }
        Ok(Weight(sum))
    }
}

/// Whether a text is bytes in base64, with `data:...;base64,` before them or without.
fn is_encoded(text: &str) -> bool {
    let data = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let bytes = data.map_or(text, |(_, bytes)| bytes).as_bytes();
    (data.is_some() || bytes.len() >= LONG)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_how_much() {
        for (value, tokens) in [
            (json!("abcd"), 1),
            (json!("abcde"), 2),
            (json!(""), 0),
            (json!([1, true, null, 1.5]), 4),
            (json!({"role": "user"}), 2),
            (json!(format!("data:image/png;base64,{}", "A".repeat(100_000))), IMAGE),
            (json!("A".repeat(100_000)), IMAGE),
            (json!("a ".repeat(50_000)), 25_000),
        ] {
            assert_eq!(of_value(&value), tokens, "{value:.60}");
            assert_eq!(of_json(&value.to_string()), tokens, "{value:.60}");
        }
        assert_eq!(of_json("no json"), 2);
    }
}
