//! Results of tools on a cassette: what a call that is made once more is answered.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value};

use super::{Call, Cassette, hash_of, kept};

/// The results of tools on a cassette, handed out once each: of the same turn first, and in the order in which they came.
#[derive(Debug)]
pub struct Results<'c> {
    salt: &'c str,
    /// By the tool, and the hash of the arguments.
    left: HashMap<&'c str, HashMap<String, Waiting<'c>>>,
}

/// Calls with the turn of each.
type Waiting<'c> = VecDeque<(u32, &'c Call)>;

impl<'c> Results<'c> {
    /// Everything that is recorded.
    #[must_use]
    pub fn of(cassette: &'c Cassette) -> Self {
        let mut left: HashMap<_, HashMap<_, VecDeque<_>>> = HashMap::new();
        for (number, turn) in (1..).zip(&cassette.turns) {
            for call in &turn.calls {
                let of_tool = left.entry(call.name.as_str()).or_default();
                let arguments = hash_of_arguments(&call.arguments, &cassette.salt);
                let alike = of_tool.entry(arguments).or_default();
                alike.push_back((number, call));
            }
        }
        Self {
            salt: &cassette.salt,
            left,
        }
    }

    /// What that tool answered to those arguments, in that turn or, where it was not called so in it, in another one.
    pub fn take(&mut self, turn: u32, name: &str, arguments: &Map<String, Value>) -> Option<&'c Call> {
        let arguments = hash_of_arguments(arguments, self.salt);
        let alike = self.left.get_mut(name)?.get_mut(&arguments)?;
        let same = alike.iter().position(|(of, _)| *of == turn);
        alike.remove(same.unwrap_or(0)).map(|(_, call)| call)
    }
}

/// In whatever order they are written.
fn hash_of_arguments(arguments: &Map<String, Value>, salt: &str) -> String {
    let (_, mut told) = kept(Value::Object(arguments.clone()), salt);
    told.sort_all_objects();
    hash_of(&told)
}
