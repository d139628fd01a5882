//! `<prefix>__<tool>`: how the tools of many servers are named in one list.
//!
//! Guarantees, whatever the upstreams call their tools:
//! - every name is within `^[a-zA-Z0-9_-]{1,64}$`, no two tools share one, and each leads back to its tool;
//! - the same servers with the same tools have the same names, in whatever order they come;
//! - a tool whose plain name fits keeps it, whatever other tools there are, unless two servers have one prefix. Only a
//!   name that had to be changed can move, when another one claims it;
//! - where several servers have one prefix, only the one that is called so has plain names, and each name of the others is
//!   marked, whatever tools any of them has: no name means the tool of another server when one of them lists nothing.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::name::Name;

/// What stands between the prefix and the tool. A prefix never holds it, so the first one always splits.
const SEPARATOR: &str = "__";

/// Characters of the hash that marks a changed name.
const HASH: usize = 8;

/// How much of a tool's own name is kept at least before its prefix is let be whole.
const TOOL_AT_LEAST: usize = 16;

/// The name of a tool as clients see it: 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ToolName(String);

/// Why a text is no [`ToolName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolNameError {
    /// Nothing there, or longer than a name may be.
    #[error("the name of a tool has 1 to 64 characters, this one has {length}")]
    Length {
        /// How long it is.
        length: usize,
    },
    /// A character that such a name does not hold.
    #[error("the name of a tool holds letters, digits, `_` and `-`, not {character:?}")]
    Character {
        /// The first such character.
        character: char,
    },
}

impl ToolName {
    /// The longest name.
    pub const MAX: usize = 64;

    /// What is left for prefix and tool beside the separator and a mark.
    const ROOM: usize = Self::MAX - SEPARATOR.len() - 1 - HASH;

    /// The text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn admits(character: char) -> bool {
        character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
    }

    /// Whether a name may be that of a tool of a server with that prefix: it begins with it, or with as much of it as there
    /// was room for.
    #[must_use]
    pub fn may_begin_with(name: &str, prefix: &Name) -> bool {
        let (whole, room) = (prefix.as_str(), Self::ROOM - TOOL_AT_LEAST);
        let is_cut = |head: &str| head.len() >= room && whole.starts_with(head);
        name.split_once(SEPARATOR)
            .is_some_and(|(head, _)| head == whole || is_cut(head))
    }

    /// The plain name of a tool, every character that does not fit replaced, and whether it fitted as it was.
    fn plain(prefix: &Name, tool: &str) -> (String, bool) {
        let whole = format!("{prefix}{SEPARATOR}{tool}");
        let fits = whole.len() <= Self::MAX && whole.chars().all(Self::admits);
        let legal = |character| if Self::admits(character) { character } else { '_' };
        (whole.chars().map(legal).collect(), fits)
    }

    /// A name with a mark of its own, cut to fit: the tool gives way before the prefix does.
    fn marked(key: Key<'_>, round: u32) -> Self {
        let room = Self::ROOM;
        let tool_length = key.tool.chars().count();
        let prefix_room = key.prefix.as_str().len().min(room - tool_length.min(TOOL_AT_LEAST));
        let legal = |character| if Self::admits(character) { character } else { '_' };
        let tool: String = key.tool.chars().take(room - prefix_room).map(legal).collect();
        let prefix = &key.prefix.as_str()[..prefix_room];
        Self(format!("{prefix}{SEPARATOR}{tool}_{}", key.hash(round)))
    }
}

impl TryFrom<String> for ToolName {
    type Error = ToolNameError;

    fn try_from(text: String) -> Result<Self, ToolNameError> {
        if let Some(character) = text.chars().find(|character| !Self::admits(*character)) {
            return Err(ToolNameError::Character { character });
        }
        if text.is_empty() || text.len() > Self::MAX {
            return Err(ToolNameError::Length { length: text.len() });
        }
        Ok(Self(text))
    }
}

impl FromStr for ToolName {
    type Err = ToolNameError;

    fn from_str(text: &str) -> Result<Self, ToolNameError> {
        Self::try_from(text.to_owned())
    }
}

impl From<ToolName> for String {
    fn from(name: ToolName) -> Self {
        name.0
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Borrow<str> for ToolName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// What one server brings into a list.
#[derive(Debug, Clone)]
pub struct Surface<'s> {
    /// The server.
    pub server: &'s Name,
    /// What stands before the `__` in the names of its tools: `spec.tools.prefix`, or the server's name.
    pub prefix: &'s Name,
    /// What the server itself calls its tools. One that is there twice counts once.
    pub tools: Vec<&'s str>,
}

/// One tool, wherever it stands in the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'s> {
    server: &'s Name,
    tool: &'s str,
    prefix: &'s Name,
}

impl Key<'_> {
    /// Forty bits of a hash over the server and the tool, in small letters and digits.
    fn hash(&self, round: u32) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut hash = Sha256::new();
        hash.update(self.server.as_str());
        hash.update([0]);
        hash.update(self.tool);
        hash.update(round.to_be_bytes());
        let bits = hash
            .finalize()
            .iter()
            .take(8)
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        (0..HASH)
            .map(|place| char::from(ALPHABET[(bits >> (place * 5) & 31) as usize]))
            .collect()
    }
}

/// The names of the tools of some servers, and the way back from each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Naming {
    shown: BTreeMap<Name, BTreeMap<String, ToolName>>,
    behind: BTreeMap<ToolName, (Name, String)>,
}

impl Naming {
    /// Names the tools of these servers. The order of servers and tools does not matter. A server that lists nothing counts:
    /// its prefix is its own all the same.
    #[must_use]
    pub fn of(surfaces: &[Surface<'_>]) -> Self {
        let keys: BTreeSet<Key<'_>> = surfaces
            .iter()
            .flat_map(|surface| {
                surface.tools.iter().map(|tool| Key {
                    server: surface.server,
                    tool,
                    prefix: surface.prefix,
                })
            })
            .collect();
        let mut holders: BTreeMap<&Name, BTreeSet<&Name>> = BTreeMap::new();
        for surface in surfaces {
            holders.entry(surface.prefix).or_default().insert(surface.server);
        }
        let is_disputed = |prefix: &Name| holders.get(prefix).is_some_and(|servers| servers.len() > 1);
        // A name that had to be changed never goes before one that fits.
        let mut claims: BTreeMap<String, Vec<(bool, Key<'_>)>> = BTreeMap::new();
        let mut to_mark: BTreeSet<Key<'_>> = BTreeSet::new();
        for key in keys {
            let (plain, fits) = ToolName::plain(key.prefix, key.tool);
            if plain.len() > ToolName::MAX || (key.server != key.prefix && is_disputed(key.prefix)) {
                to_mark.insert(key);
            } else {
                claims.entry(plain).or_default().push((!fits, key));
            }
        }
        let mut naming = Self::default();
        for (plain, mut claimants) in claims {
            claimants.sort_unstable();
            let alone = claimants.get(1).is_none_or(|second| second.0 && !claimants[0].0);
            let losers = if alone { &claimants[1..] } else { &claimants[..] };
            to_mark.extend(losers.iter().map(|(_, key)| *key));
            if alone {
                naming.add(ToolName(plain), claimants[0].1);
            }
        }
        for key in to_mark {
            let free = (0..).map(|round| ToolName::marked(key, round));
            let name = free.into_iter().find(|name| !naming.behind.contains_key(name));
            naming.add(name.expect("hashes do not end"), key);
        }
        naming
    }

    fn add(&mut self, name: ToolName, key: Key<'_>) {
        let tools = self.shown.entry(key.server.clone()).or_default();
        tools.insert(key.tool.to_owned(), name.clone());
        self.behind.insert(name, (key.server.clone(), key.tool.to_owned()));
    }

    /// What clients see as the name of a server's tool.
    #[must_use]
    pub fn shown(&self, server: &Name, tool: &str) -> Option<&ToolName> {
        self.shown.get(server)?.get(tool)
    }

    /// The server and the tool that a name stands for.
    #[must_use]
    pub fn behind(&self, name: &str) -> Option<(&Name, &str)> {
        self.behind.get(name).map(|(server, tool)| (server, tool.as_str()))
    }

    /// Every name with its server and tool, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&ToolName, &Name, &str)> {
        self.behind
            .iter()
            .map(|(name, (server, tool))| (name, server, tool.as_str()))
    }

    /// How many tools there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.behind.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.behind.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `server[:prefix] tool`, and the name it should have; `#` stands for a hash.
    fn check(table: &[(&str, &str, &str)]) {
        let servers: Vec<(Name, Name)> = table
            .iter()
            .map(|(server, ..)| {
                let (server, prefix) = server.split_once(':').unwrap_or((server, server));
                (server.parse().unwrap(), prefix.parse().unwrap())
            })
            .collect();
        let surfaces: Vec<Surface<'_>> = table
            .iter()
            .zip(&servers)
            .map(|((_, tool, _), (server, prefix))| Surface {
                server,
                prefix,
                tools: vec![tool],
            })
            .collect();
        let naming = Naming::of(&surfaces);
        for ((_, tool, wanted), (server, _)) in table.iter().zip(&servers) {
            let name = naming.shown(server, tool).unwrap();
            let seen = name.as_str();
            match wanted.strip_suffix('#') {
                Some(start) => assert!(
                    seen.starts_with(start) && seen.len() == start.len() + HASH,
                    "{tool}: {seen} is not {wanted}"
                ),
                None => assert_eq!(seen, *wanted),
            }
            assert_eq!(naming.behind(seen), Some((server, *tool)));
        }
    }

    #[test]
    fn names() {
        let long_tool = "t".repeat(100);
        let long_prefix = "p".repeat(57);
        // Room for 53 characters of prefix and tool beside the separator and the mark.
        let cut_tool = format!("files__{}_#", "t".repeat(48));
        let cut_prefix = format!("{}__{}_#", "p".repeat(37), "t".repeat(16));
        let short_tool = format!("{}__read_file_#", "p".repeat(44));
        for table in [
            &[
                ("files", "read_file", "files__read_file"),
                ("git", "read_file", "git__read_file"),
            ][..],
            // Replaced, as long as nobody else claims the name.
            &[("a", "repo.list/all", "a__repo_list_all"), ("a", "größe", "a__gr__e")],
            // One that fits keeps its name; the one that was changed gives way.
            &[
                ("a", "x.y", "a__x_y_#"),
                ("a", "x_y", "a__x_y"),
                ("a", "x y", "a__x_y_#"),
            ],
            &[("a", "x.y", "a__x_y_#"), ("a", "x y", "a__x_y_#")],
            // The first separator splits.
            &[("a", "b__c", "a__b__c"), ("a", "_b", "a___b"), ("a-b", "c", "a-b__c")],
            // A prefix takes nothing from the server that is called so, also not what that does not have now.
            &[("a", "x", "a__x"), ("b:a", "x", "a__x_#"), ("b:a", "y", "a__y_#")],
            &[("c:a", "x", "a__x_#"), ("b:a", "x", "a__x_#")],
            &[("files", &long_tool, &cut_tool)],
            &[(&long_prefix, &long_tool, &cut_prefix)],
            &[(&long_prefix, "read_file", &short_tool)],
            &[("a", "", "a__")],
        ] {
            check(table);
        }
    }

    /// What a name means does not depend on which of the servers with one prefix list something.
    #[test]
    fn who_lists_nothing_is_named_after_all_the_same() {
        let [a, b, c]: [Name; 3] = ["a", "b", "c"].map(|name| name.parse().unwrap());
        let surface = |server, tools: &[&'static str]| Surface {
            server,
            prefix: &a,
            tools: tools.to_vec(),
        };
        let tools = ["x", "y.z"];
        let naming = |lists: [&[&'static str]; 3]| {
            let [of_a, of_b, of_c] = lists;
            Naming::of(&[surface(&a, of_a), surface(&b, of_b), surface(&c, of_c)])
        };
        let all = naming([&tools, &tools, &tools]);
        assert_eq!(all.shown(&a, "x").map(ToolName::as_str), Some("a__x"));
        for some in [
            naming([&[], &tools, &tools]),
            naming([&tools, &[], &tools]),
            naming([&[], &[], &tools]),
        ] {
            for (name, server, tool) in some.iter() {
                assert_eq!(all.behind(name.as_str()), Some((server, tool)));
            }
        }
    }

    #[test]
    fn names_begin_with_prefixes_or_what_there_was_room_for() {
        let prefix: Name = "p".repeat(57).parse().unwrap();
        let cut = ToolName::marked(
            Key {
                server: &prefix,
                tool: &"t".repeat(100),
                prefix: &prefix,
            },
            0,
        );
        let files: Name = "files".parse().unwrap();
        for (name, prefix, may) in [
            (cut.as_str(), &prefix, true),
            (&*format!("{prefix}__a"), &prefix, true),
            ("p__a", &prefix, false),
            ("files__a", &files, true),
            ("file__a", &files, false),
            ("files", &files, false),
            (cut.as_str(), &files, false),
        ] {
            assert_eq!(ToolName::may_begin_with(name, prefix), may, "{name} {prefix}");
        }
    }

    #[test]
    fn a_mark_that_is_taken_gives_way() {
        let server: Name = "a".parse().unwrap();
        let long = "t".repeat(100);
        let alone = Surface {
            server: &server,
            prefix: &server,
            tools: vec![&long],
        };
        let first = Naming::of(std::slice::from_ref(&alone))
            .shown(&server, &long)
            .unwrap()
            .clone();
        let squatter = first.as_str().strip_prefix("a__").unwrap();
        let both = Naming::of(&[Surface {
            tools: vec![&long, squatter],
            ..alone
        }]);
        assert_eq!(both.shown(&server, squatter), Some(&first));
        assert_ne!(both.shown(&server, &long), Some(&first));
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn texts_that_are_no_names() {
        for good in ["a", "files__read_file", &"x".repeat(64)] {
            assert_eq!(good.parse::<ToolName>().map(String::from).as_deref(), Ok(good));
        }
        for (bad, message) in [
            ("", "the name of a tool has 1 to 64 characters, this one has 0"),
            (
                &*"x".repeat(65),
                "the name of a tool has 1 to 64 characters, this one has 65",
            ),
            ("a.b", "the name of a tool holds letters, digits, `_` and `-`, not '.'"),
        ] {
            assert_eq!(bad.parse::<ToolName>().unwrap_err().to_string(), message);
        }
    }
}
