//! Three examples per kind, for its page. A test types every one of them. A kind that is not in the table has them, too.

use orch_shared::kind::Kind;

/// The examples of kinds whose fields say too little by themselves.
const OWN: &[(Kind, &str)] = &[
    (
        Kind::Server,
        "\
  orchctl create server time --package pypi:mcp-server-time --replicas 2
  orchctl create server repo --from-template git --param repository=/srv/repo
  orchctl create server mine --env A=b --dry-run=client -- /usr/bin/mine --stdio
",
    ),
    (
        Kind::Template,
        "\
  orchctl create template weather --from-server-json server.json --package npm
  orchctl create template files --server-command files --set server.replicas=2
  orchctl create template gitea --server-image '{reference: gitea/mcp}'
",
    ),
    (
        Kind::Secret,
        "\
  orchctl create secret gitea --from-file token=-           from standard input
  orchctl create secret gitea --from-file token=./token     from a file
  orchctl create secret gitea --from-env-file gitea.env     lines KEY=VALUE
",
    ),
    (
        Kind::SecretBackend,
        "\
  orchctl create secretbackend bao --type openbao --wizard --url https://bao
  orchctl create secretbackend bao --url https://bao:8200 --token-secret b/token
  orchctl create secretbackend bao --url https://bao:8200 --role orchd
",
    ),
    (
        Kind::Llm,
        "\
  orchctl create llm fast --provider openai --model gpt-5 --api-key-ref ai/k
  orchctl create llm local --provider ollama --model qwen3 --tier fast
  orchctl create llm demo --provider scripted --model demo --script '{text: hi}'
",
    ),
    (
        Kind::Agent,
        "\
  orchctl create agent reviewer --llm fast -p web
  orchctl create agent reviewer --llm fast --system-prompt 'You review code.'
  orchctl create agent reviewer --llm fast --max-iterations 20 --dry-run=client
",
    ),
    (
        Kind::Project,
        "\
  orchctl create project web --servers files,gitea
  orchctl create project web --servers files --gated
  orchctl create project web --servers files --dry-run=server
",
    ),
    (
        Kind::User,
        "\
  orchctl create user ann --display-name 'Ann Example'
  orchctl create user ann --email ann@example.com
  orchctl passwd ann                           so that she can log in
",
    ),
    (
        Kind::Group,
        "\
  orchctl create group devs --users ann,bob
  orchctl create group bots --service-accounts ci
  orchctl create group devs --users ann --description 'Who builds it'
",
    ),
    (
        Kind::ServiceAccount,
        "\
  orchctl create serviceaccount ci --description 'The pipeline'
  orchctl create token ci --service-account ci --ttl 30d    what it shows
  orchctl create sa ci --dry-run=server
",
    ),
    (
        Kind::RoleBinding,
        "\
  orchctl create rolebinding devs --group devs --role view --resource '*' -p web
  orchctl create rbac ann --user ann --role run --resource srv --tool 'read_*'
  orchctl create rbac ops --user ann --operation logs --operation backup
",
    ),
    (
        Kind::Token,
        "\
  orchctl create token ci --bind role:view,resource:servers --ttl 30d
  orchctl create token ci -p web --rbac clone --surface mcp
  orchctl create token ci --service-account ci --rbac owner --force
",
    ),
    (
        Kind::Prompt,
        "\
  orchctl create prompt tone -p web --from-file tone.md --priority 80 --tag how
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
    // A text that begins on a line of its own has lost how far that was indented.
    format!("Examples:\n  {}", lines.trim_start())
}

#[cfg(test)]
mod tests {
    use orch_shared::kind::Maker;

    use super::*;
    use crate::verbs::help;

    #[test]
    fn every_example_is_as_far_in() {
        for kind in Kind::ALL {
            let page = of(*kind);
            let (heading, lines) = page.split_once('\n').unwrap();
            assert_eq!(heading, "Examples:");
            assert!(lines.lines().all(|line| line.starts_with("  orchctl ")), "{page}");
        }
    }

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
                assert!(line.chars().count() <= help::COLUMNS, "{line}");
            }
        }
    }
}
