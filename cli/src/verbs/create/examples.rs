//! Three examples per kind, for its page. A test types every one of them. A kind that is not in the table has them, too.

use orch_shared::kind::Kind;

/// The examples of kinds whose fields say too little by themselves.
const OWN: &[(Kind, &str)] = &[
    (
        Kind::Server,
        "\
  orchctl create server files --package npm:@modelcontextprotocol/server-filesystem --arg /srv --replicas 2
  orchctl create server gitea --template gitea --parameter host=git.example.com --env-from-secret TOKEN=gitea/token
  orchctl create server mine --health-check-interval 10s --dry-run=client -- /usr/bin/mine --stdio
",
    ),
    (
        Kind::Template,
        "\
  orchctl create template files --server-command /usr/bin/files --server-command '${root}' --parameters '{name: root}'
  orchctl create template files --server-command /usr/bin/files --set server.replicas=2
  orchctl create template gitea --description 'Issues and pull requests' --server-image '{reference: gitea/mcp}'
",
    ),
    (
        Kind::Secret,
        "\
  orchctl create secret gitea --from-file token=-           typed, or from another program's output
  orchctl create secret gitea --from-file token=./token     from a file
  orchctl create secret gitea --from-env-file gitea.env     lines KEY=VALUE
",
    ),
    (
        Kind::Llm,
        "\
  orchctl create llm fast --provider openai --model gpt-5-mini --api-key-ref openai/key --tier fast
  orchctl create llm local --provider ollama --model qwen3 --url http://127.0.0.1:11434
  orchctl create llm demo --provider scripted --model demo --script '{text: hello}'
",
    ),
    (
        Kind::Agent,
        "\
  orchctl create agent reviewer --llm fast -p web
  orchctl create agent reviewer --llm fast --system-prompt 'You review code.' --max-iterations 20
  orchctl create agent reviewer --llm fast --default-params-temperature 0.2 --dry-run=client
",
    ),
    (
        Kind::Project,
        "\
  orchctl create project web --servers files,gitea
  orchctl create project web --servers files --description 'The web team' --label team=web
  orchctl create project web --servers files --dry-run=server
",
    ),
    (
        Kind::Prompt,
        "\
  orchctl create prompt tone -p web --content 'Be brief.' --priority 80
  orchctl create prompt readme --link web/files:file:///README.md
  orchctl create prompt tone --agent reviewer --content 'Be kind.'
",
    ),
];

/// What is typed to make objects of that kind, as its page shows it.
pub(super) fn of(kind: Kind) -> String {
    let own = OWN.iter().find(|(known, _)| *known == kind);
    let singular = kind.meta().singular;
    let lines = own.map_or_else(
        || {
            format!(
                "  orchctl create {singular} NAME --dry-run=client\n  orchctl create {singular} NAME --label team=core\n  \
                 orchctl create {singular} NAME -o yaml\n"
            )
        },
        |(_, lines)| (*lines).to_owned(),
    );
    format!("Examples:\n{lines}")
}

#[cfg(test)]
mod tests {
    use orch_shared::kind::Maker;

    use super::*;

    /// The words of a line, quotes taken off.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (index, part) in line.split('\'').enumerate() {
            match index % 2 {
                0 => words.extend(part.split_whitespace().map(str::to_owned)),
                _ => words.push(part.to_owned()),
            }
        }
        words
    }

    #[test]
    fn every_kind_that_users_make_has_three_and_they_can_be_typed() {
        for kind in Kind::ALL.iter().filter(|kind| kind.meta().maker == Maker::User) {
            let page = of(*kind);
            assert_eq!(page.lines().count(), 4, "{kind}");
            for line in page.lines().skip(1) {
                // What is said beside an example stands three blanks away.
                let typed = line.trim().split("   ").next().unwrap_or_default();
                let parsed = crate::args::command().try_get_matches_from(words(typed));
                assert!(parsed.is_ok(), "{typed}: {}", parsed.unwrap_err());
            }
        }
    }
}
