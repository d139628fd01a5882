//! Tool names keep their laws whatever upstreams say, and patterns mean what a plain reading of them means.

use std::collections::BTreeSet;

use orch_shared::name::Name;
use orch_shared::tools::{Filter, Naming, Pattern, Surface, ToolName};
use proptest::prelude::*;
use proptest::sample::select;

use crate::manifest::{fewer, many};

/// Names from a small stock, so that they often clash, beside long and strange ones.
fn tool() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab_.]{0,3}",
        1 => "[ab_é/]{40,70}",
        1 => any::<String>(),
        1 => select(vec!["read_file", "b__x", "a__x", "_a"]).prop_map(str::to_owned),
    ]
}

/// Server, prefix, tools. A server stands in the list once.
type Made = Vec<(Name, Name, Vec<String>)>;

fn servers() -> impl Strategy<Value = Made> {
    let name = || {
        let long = || "p".repeat(57);
        select(vec![
            "a".to_owned(),
            "b".to_owned(),
            "a-b".to_owned(),
            long(),
            long() + "q",
        ])
        .prop_map(|name| name.parse::<Name>().unwrap())
    };
    let one =
        (name(), name(), any::<bool>(), prop::collection::vec(tool(), 0..6)).prop_map(|(server, other, own, tools)| {
            let prefix = if own { server.clone() } else { other };
            (server, prefix, tools)
        });
    prop::collection::vec(one, 0..4).prop_map(|mut servers: Made| {
        let mut seen = BTreeSet::new();
        servers.retain(|(server, ..)| seen.insert(server.clone()));
        servers
    })
}

fn naming(servers: &Made) -> Naming {
    let surfaces: Vec<_> = servers
        .iter()
        .map(|(server, prefix, tools)| Surface {
            server,
            prefix,
            tools: tools.iter().map(String::as_str).collect(),
        })
        .collect();
    Naming::of(&surfaces)
}

/// What a pattern of `*`, `?` and characters means, said as simply as can be.
fn plainly(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((&'*', rest)), _) => {
            plainly(rest, name) || name.split_first().is_some_and(|(_, shorter)| plainly(pattern, shorter))
        }
        (Some((&'?', rest)), Some((_, name))) => plainly(rest, name),
        (Some((one, rest)), Some((first, name))) => one == first && plainly(rest, name),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn every_tool_has_a_name_that_leads_back(servers in servers()) {
        let naming = naming(&servers);
        let mut tools = BTreeSet::new();
        for (server, prefix, names) in &servers {
            for tool in names {
                let name = naming.shown(server, tool);
                prop_assert!(name.is_some(), "{server} {tool:?}");
                let name = name.unwrap();
                prop_assert!(name.as_str().parse::<ToolName>().is_ok(), "{name}");
                prop_assert_eq!(naming.behind(name.as_str()), Some((server, tool.as_str())));
                if server == prefix && format!("{prefix}__{tool}").parse::<ToolName>().is_ok() {
                    prop_assert_eq!(name.as_str(), format!("{prefix}__{tool}"));
                }
                tools.insert((server, tool));
            }
        }
        // As many names as tools: no two share one.
        prop_assert_eq!(naming.len(), tools.len());
        prop_assert!(naming.iter().is_sorted_by(|before, after| before.0 < after.0));
    }
}

proptest! {
    #![proptest_config(fewer())]

    #[test]
    fn names_do_not_depend_on_order(servers in servers(), turn in 0_usize..6) {
        let mut turned = servers.clone();
        if !turned.is_empty() {
            let by = turn % turned.len();
            turned.rotate_left(by);
        }
        for (_, _, tools) in &mut turned {
            tools.reverse();
            tools.extend(tools.first().cloned());
        }
        prop_assert_eq!(naming(&servers), naming(&turned));
    }

    #[test]
    fn servers_leave_each_others_names_alone(servers in servers()) {
        let together = naming(&servers);
        for one in &servers {
            let (server, prefix, tools) = one;
            // Long prefixes are cut, and a prefix that is not the server's own may be somebody else's.
            if server == prefix && prefix.as_str().len() < 30 {
                let alone = naming(&vec![one.clone()]);
                for tool in tools {
                    if !servers.iter().any(|other| other.0 != *server && other.1 == *prefix) {
                        prop_assert_eq!(alone.shown(server, tool), together.shown(server, tool));
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn patterns_mean_what_they_say(pattern in "[ab*?]{1,8}", name in "[abc]{0,8}") {
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        let parsed: Pattern = pattern.parse().unwrap();
        prop_assert_eq!(parsed.matches(&name), plainly(&characters(&pattern), &characters(&name)));
    }

    #[test]
    fn any_text_is_a_pattern_or_says_why_not(text in "[ab*?!\\[\\]\\\\é-]{0,9}", name in "[ab\\[\\]-]{0,6}") {
        match text.parse::<Pattern>() {
            Ok(pattern) => {
                prop_assert_eq!(pattern.as_str(), &*text);
                // `*` beside it takes nothing away.
                let more: Pattern = format!("{text}*").parse().unwrap();
                prop_assert!(!pattern.matches(&name) || more.matches(&name));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn what_is_denied_is_not_offered(allow in "[ab*]{1,4}", deny in "[ab*]{1,4}", tool in "[ab]{0,4}") {
        let filter = Filter::parse(Some(&[allow]), Some(std::slice::from_ref(&deny))).unwrap();
        if deny.parse::<Pattern>().unwrap().matches(&tool) {
            prop_assert!(!filter.admits(&tool));
        }
    }
}
