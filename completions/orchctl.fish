# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_orchctl_global_optspecs
    string join \n context= server= token-file= ca-file= p/project= agent= as= request-timeout= color= q/quiet verbose h/help V/version
end

function __fish_orchctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_orchctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_orchctl_using_subcommand
    set -l cmd (__fish_orchctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c orchctl -n "__fish_orchctl_needs_command" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_needs_command" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_needs_command" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_needs_command" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_needs_command" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_needs_command" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_needs_command" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_needs_command" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_needs_command" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_needs_command" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_needs_command" -s V -l version -d 'Print version'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "apply" -d 'Make objects what the files say: all of them, or none'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "diff" -d 'Show what apply would change. Exits 1 when it would change anything'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "plan" -d 'Save what apply would do, to be applied later if nothing has moved'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "create" -d 'Make new objects from flags, or from files'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "edit" -d 'Change objects in an editor'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "replace" -d 'Replace objects that are there by what files say'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "patch" -d 'Change some fields of an object'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "delete" -d 'Delete objects, and wait until they are gone'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "get" -d 'Show objects, as a table or in any other form'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "describe" -d 'Show everything about objects, for people'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "why" -d 'Tell why an object is not well, and what mends it'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "events" -d 'Show what happened lately'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "logs" -d 'Show what instances write'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "history" -d 'Show what an object was, and who made it so'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "audit" -d 'Show who did what'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "usage" -d 'Show what was asked of models, and what it cost'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "wait" -d 'Wait until objects are as they should be, or gone'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "scale" -d 'Set the number of replicas, until the next apply'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "restart" -d 'Start objects afresh'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "rollback" -d 'Go back to an earlier generation of an object'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "rotate" -d 'Replace credentials that the daemon uses'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "migrate" -d 'Move what is kept in one place to another'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "approve" -d 'Approve what is proposed, such as a prompt'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "reject" -d 'Reject what is proposed, such as a prompt'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "login" -d 'Log in to the current context\'s daemon with a name and a password'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "logout" -d 'End the login that is kept in the context'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "whoami" -d 'Show who is asking, and what that one may do'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "passwd" -d 'Set a password: one\'s own, or that of another user'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "auth" -d 'Ask who may do what, and see and end logins'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "revoke" -d 'End tokens, and keep them to be looked at'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "allow-trigger" -d 'Let tokens start builds. Needs the operation `trigger`'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "introspect" -d 'Show what a token opens: ends in 0 if it opens anything, in 1 if not'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "chat" -d 'Chat with an agent, or tell it one thing'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "thread" -d 'List, read, rename, fork, export and delete threads with agents'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "replay" -d 'Run a cassette once more, and show what differs. Exits 1 when anything does'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "client" -d 'Point MCP clients at a project, and import their servers'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "tools" -d 'List, inspect and call the tools that MCP clients get'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "console" -d 'Try tools and watch MCP traffic, or look at who did what, on the whole terminal'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "mcp" -d 'Serve MCP clients that only speak over standard input and output'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "provide" -d 'Publish models and agents from where they run, such as behind a firewall'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "explain" -d 'Explain kinds, fields and error codes'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "api-resources" -d 'Show the kinds there are'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "help" -d 'Show the page of a verb, or of the exit codes'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "status" -d 'Show how the daemon fares'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "doctor" -d 'Check that everything needed is there and works'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "config" -d 'Show and change the contexts: which daemons there are'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "version" -d 'Show the versions of this program and of the daemon'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "completion" -d 'Print what a shell needs to complete orchctl'
complete -c orchctl -n "__fish_orchctl_needs_command" -f -a "__generate" -d 'Write completions and manual pages into a folder'
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -s f -l filename -d 'Manifests: a file, a folder (with everything in it), a glob, or `-` for standard input. May be repeated' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l set -d 'Make the objects members of this set' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l plan -d 'Do what a reviewed plan says, unless anything has moved since' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l credentials-to -d 'Keep the credentials of Tokens that are made in this file, which nobody else may read, instead of showing them' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l timeout -d 'How long to wait' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l prune -d 'Delete members of the set that the files no longer hold'
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l take-over -d 'Move objects of other sets to this one'
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l skip-auth-check -d 'Do not have providers asked whether they take the keys of models'
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l wait -d 'Wait until everything applied is ready'
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -s f -l filename -d 'Manifests: a file, a folder (with everything in it), a glob, or `-` for standard input. May be repeated' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l set -d 'Make the objects members of this set' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l prune -d 'Delete members of the set that the files no longer hold'
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l take-over -d 'Move objects of other sets to this one'
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l name-only -d 'Only name the objects that differ'
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -s f -l filename -d 'Manifests: a file, a folder (with everything in it), a glob, or `-` for standard input. May be repeated' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l set -d 'Make the objects members of this set' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -s o -l output -d 'Where to save the plan; `-` for standard output. A name that ends in .json makes JSON, others YAML' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l prune -d 'Delete members of the set that the files no longer hold'
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l take-over -d 'Move objects of other sets to this one'
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l skip-auth-check -d 'Do not have providers asked whether they take the keys of models'
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -s f -l filename -d 'Manifests of objects to make: a file, a folder, a glob, or `-`. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -l skip-auth-check -d 'Do not have providers asked whether they take the keys of models'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "server" -d 'Keeps `replicas` copies of one MCP server running and healthy.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "srv" -d 'Keeps `replicas` copies of one MCP server running and healthy.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "template" -d 'A catalogue entry that Servers are made from: a Server spec with `${parameter}` places.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "tpl" -d 'A catalogue entry that Servers are made from: a Server spec with `${parameter}` places.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "secret" -d 'Values that are kept sealed at rest and in every output.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "sec" -d 'Values that are kept sealed at rest and in every output.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "secretbackend" -d 'A place where the values of Secrets live: the daemon\'s own store, or a KV v2 engine of OpenBao or Vault.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "sb" -d 'A place where the values of Secrets live: the daemon\'s own store, or a KV v2 engine of OpenBao or Vault.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "llm" -d 'A language model: where it answers, what it costs, and what may be asked of it.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "agent" -d 'A model with instructions and the tools of a project.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "ag" -d 'A model with instructions and the tools of a project.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "project" -d 'A set of servers, and of the prompts and agents that name it, behind one MCP endpoint.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "proj" -d 'A set of servers, and of the prompts and agents that name it, behind one MCP endpoint.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "prompt" -d 'A text for models.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "user" -d 'A person.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "group" -d 'Users and service accounts that are granted rights together.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "serviceaccount" -d 'A machine: a pipeline, a bot.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "sa" -d 'A machine: a pipeline, a bot.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "rolebinding" -d 'Rights for some subjects: roles on objects, and operations on the daemon.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "rbac" -d 'Rights for some subjects: roles on objects, and operations on the daemon.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "token" -d 'A credential for programs.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and not __fish_seen_subcommand_from server srv template tpl secret sec secretbackend sb llm agent ag project proj prompt user group serviceaccount sa rolebinding rbac token personality" -f -a "personality" -d 'A named choice of prompts that an agent takes on for a turn, beside its own and those of its project.'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l package -d 'Run a package: npm:@scope/name@1.2.0, pypi:mcp-server-time' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l image -d 'Run a container image' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l remote -d 'Use a server that somebody else runs' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l header -d 'Header sent to the remote server. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l header-from-secret -d 'Header sent to the remote server, from a Secret. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l from-template -d 'Make it from a Template' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l param -d 'Parameter of the Template. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l param-secret -d 'Secret parameter of the Template. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l arg -d 'Argument for the package, the image or the command. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l description -d 'What the server is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l package-executable -d 'Which of the package\'s programs to run: a name of npm\'s `bin`, or a console script of PyPI. Default: its only one, or the one named like the package' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l package-allow-scripts -d 'Whether npm may run the package\'s install scripts. Default: false' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l image-command -d 'The server is this program: run in the container beside the image\'s own entry point, whose standard input is held open. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l image-pull-policy -d 'When to pull. Default: IfNotPresent' -r -f -a "Always\t''
IfNotPresent\t''
Never\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l image-read-only-root -d 'Whether the image\'s files can only be read; `/tmp` and volumes can be written all the same. Default: true' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l image-capabilities -d 'Capabilities of the kernel that the container keeps, such as `NET_BIND_SERVICE`. Default: none. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l command -d 'Source: a program on the daemon\'s machine and its arguments. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l transport -d 'How to talk to it. Default: stdio, or streamable-http for `remote`' -r -f -a "stdio\t''
streamable-http\t''
sse\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l container-port -d 'The port on which an HTTP transport listens inside its container' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l path -d 'The path of an HTTP transport. Default: /mcp' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l replicas -d 'How many copies to keep running; 0 declares the server without running it. Default: 1' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l runtime -d 'Where copies run. Default: docker for an image, process for a command; for a package, what the daemon is told with `--runtime`' -r -f -a "process\t''
docker\t''
kubernetes\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l env -d 'Environment variables, beside the documented base. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l env-from-secret -d 'Environment variables, beside the documented base, from a Secret. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l working-directory -d 'Absolute path of the directory to run in. Default: a directory of the instance\'s own' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l resources-cpu -d 'Processor time, in cores' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l resources-memory -d 'Memory of the whole process tree' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l resources-pids -d 'Processes and threads of the whole tree' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l network-mode -d 'How far it reaches' -r -f -a "none\t''
internal\t''
egress\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l network-allow -d 'With `egress`: the hosts it may reach over HTTP and HTTPS, as `api.example.com`, `*.example.com` or `git.example.com:8443`; without a port, 80 and 443. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l volumes -d 'The storage that the container of a copy sees, besides its read-only image and a `/tmp` of its own. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l sessions -d 'Whether clients share copies or each session gets one of its own. Default: shared' -r -f -a "shared\t''
isolated\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l session-limits-max -d 'How many sessions may have a copy of their own at the same time, with `sessions: isolated`. Default: 20' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l session-limits-idle -d 'End a session that was not used for so long. Default: what the daemon was started with, `--session-idle`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l session-limits-lifetime -d 'End a session after so long, used or not. Default: what the daemon was started with, `--session-lifetime`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l limits-requests-per-minute -d 'Requests in a minute; they may come all at once. Default: no limit' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l limits-concurrent -d 'Requests under way at the same time. Default: no limit' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l tools-allow -d 'Patterns of tools to offer; absent offers all. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l tools-deny -d 'Patterns of tools never to offer; stronger than `allow`. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l tools-prefix -d 'What stands before the `__` in the names clients see. Default: the server\'s name' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l tools-describe -d 'Whether descriptions seen through a project say which server a tool belongs to. Default: true' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l health-check-tool -d 'The tool to call; absent lists the tools instead' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l health-check-arguments -d 'Arguments for the tool. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l health-check-interval -d 'Time between checks. Default: 30s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l health-check-timeout -d 'How long a check may take. Default: 5s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l health-check-failure-threshold -d 'How many checks must fail in a row. Default: 3' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l health-check-startup-deadline -d 'How long a copy may take from its start to its first answer. Default: 60s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l restart-backoff-initial -d 'Wait before the first restart; doubles with each further one. Default: 1s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l restart-backoff-max -d 'Longest wait. Default: 60s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l restart-reset-after -d 'How long a copy must run for its restarts to be forgotten. Default: 60s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l idle-suspend-after -d 'Suspend after so long without use; first use starts the server again' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l idle-max-lifetime -d 'Replace a copy after so long' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l no-package-allow-scripts -d 'The opposite of --package-allow-scripts'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l no-image-read-only-root -d 'The opposite of --image-read-only-root'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l no-tools-describe -d 'The opposite of --tools-describe'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from server" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l package -d 'Run a package: npm:@scope/name@1.2.0, pypi:mcp-server-time' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l image -d 'Run a container image' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l remote -d 'Use a server that somebody else runs' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l header -d 'Header sent to the remote server. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l header-from-secret -d 'Header sent to the remote server, from a Secret. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l from-template -d 'Make it from a Template' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l param -d 'Parameter of the Template. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l param-secret -d 'Secret parameter of the Template. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l arg -d 'Argument for the package, the image or the command. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l description -d 'What the server is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l package-executable -d 'Which of the package\'s programs to run: a name of npm\'s `bin`, or a console script of PyPI. Default: its only one, or the one named like the package' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l package-allow-scripts -d 'Whether npm may run the package\'s install scripts. Default: false' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l image-command -d 'The server is this program: run in the container beside the image\'s own entry point, whose standard input is held open. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l image-pull-policy -d 'When to pull. Default: IfNotPresent' -r -f -a "Always\t''
IfNotPresent\t''
Never\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l image-read-only-root -d 'Whether the image\'s files can only be read; `/tmp` and volumes can be written all the same. Default: true' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l image-capabilities -d 'Capabilities of the kernel that the container keeps, such as `NET_BIND_SERVICE`. Default: none. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l command -d 'Source: a program on the daemon\'s machine and its arguments. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l transport -d 'How to talk to it. Default: stdio, or streamable-http for `remote`' -r -f -a "stdio\t''
streamable-http\t''
sse\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l container-port -d 'The port on which an HTTP transport listens inside its container' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l path -d 'The path of an HTTP transport. Default: /mcp' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l replicas -d 'How many copies to keep running; 0 declares the server without running it. Default: 1' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l runtime -d 'Where copies run. Default: docker for an image, process for a command; for a package, what the daemon is told with `--runtime`' -r -f -a "process\t''
docker\t''
kubernetes\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l env -d 'Environment variables, beside the documented base. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l env-from-secret -d 'Environment variables, beside the documented base, from a Secret. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l working-directory -d 'Absolute path of the directory to run in. Default: a directory of the instance\'s own' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l resources-cpu -d 'Processor time, in cores' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l resources-memory -d 'Memory of the whole process tree' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l resources-pids -d 'Processes and threads of the whole tree' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l network-mode -d 'How far it reaches' -r -f -a "none\t''
internal\t''
egress\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l network-allow -d 'With `egress`: the hosts it may reach over HTTP and HTTPS, as `api.example.com`, `*.example.com` or `git.example.com:8443`; without a port, 80 and 443. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l volumes -d 'The storage that the container of a copy sees, besides its read-only image and a `/tmp` of its own. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l sessions -d 'Whether clients share copies or each session gets one of its own. Default: shared' -r -f -a "shared\t''
isolated\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l session-limits-max -d 'How many sessions may have a copy of their own at the same time, with `sessions: isolated`. Default: 20' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l session-limits-idle -d 'End a session that was not used for so long. Default: what the daemon was started with, `--session-idle`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l session-limits-lifetime -d 'End a session after so long, used or not. Default: what the daemon was started with, `--session-lifetime`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l limits-requests-per-minute -d 'Requests in a minute; they may come all at once. Default: no limit' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l limits-concurrent -d 'Requests under way at the same time. Default: no limit' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l tools-allow -d 'Patterns of tools to offer; absent offers all. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l tools-deny -d 'Patterns of tools never to offer; stronger than `allow`. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l tools-prefix -d 'What stands before the `__` in the names clients see. Default: the server\'s name' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l tools-describe -d 'Whether descriptions seen through a project say which server a tool belongs to. Default: true' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l health-check-tool -d 'The tool to call; absent lists the tools instead' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l health-check-arguments -d 'Arguments for the tool. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l health-check-interval -d 'Time between checks. Default: 30s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l health-check-timeout -d 'How long a check may take. Default: 5s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l health-check-failure-threshold -d 'How many checks must fail in a row. Default: 3' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l health-check-startup-deadline -d 'How long a copy may take from its start to its first answer. Default: 60s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l restart-backoff-initial -d 'Wait before the first restart; doubles with each further one. Default: 1s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l restart-backoff-max -d 'Longest wait. Default: 60s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l restart-reset-after -d 'How long a copy must run for its restarts to be forgotten. Default: 60s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l idle-suspend-after -d 'Suspend after so long without use; first use starts the server again' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l idle-max-lifetime -d 'Replace a copy after so long' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l no-package-allow-scripts -d 'The opposite of --package-allow-scripts'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l no-image-read-only-root -d 'The opposite of --image-read-only-root'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l no-tools-describe -d 'The opposite of --tools-describe'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from srv" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l from-server-json -d 'Make it of a server.json, as the MCP registry has them: a file, or `-`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l package -d 'Which of its packages or remotes: npm, pypi, oci or remote' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l description -d 'What the template is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l parameters -d 'What a Server that uses it may or must give. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-description -d 'What the server is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-package -d 'Source: a package from npm or PyPI, installed once and run directly' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-image -d 'Source: a container image' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-command -d 'Source: a program on the daemon\'s machine and its arguments. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-remote -d 'Source: a server that somebody else runs, reached over HTTP' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-template -d 'Source: a Template and its parameters' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-transport -d 'How to talk to it. Default: stdio, or streamable-http for `remote`' -r -f -a "stdio\t''
streamable-http\t''
sse\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-container-port -d 'The port on which an HTTP transport listens inside its container' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-path -d 'The path of an HTTP transport. Default: /mcp' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-replicas -d 'How many copies to keep running; 0 declares the server without running it. Default: 1' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-runtime -d 'Where copies run. Default: docker for an image, process for a command; for a package, what the daemon is told with `--runtime`' -r -f -a "process\t''
docker\t''
kubernetes\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-env -d 'Environment variables, beside the documented base. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-env-from-secret -d 'Environment variables, beside the documented base, from a Secret. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-working-directory -d 'Absolute path of the directory to run in. Default: a directory of the instance\'s own' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-resources -d 'What a copy may use at most' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-network -d 'What the container of a copy may reach' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-volumes -d 'The storage that the container of a copy sees, besides its read-only image and a `/tmp` of its own. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-sessions -d 'Whether clients share copies or each session gets one of its own. Default: shared' -r -f -a "shared\t''
isolated\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-session-limits -d 'How many sessions there may be, and for how long' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-limits -d 'How much clients may ask of it' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-tools -d 'Which tools clients may see and call' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-health-check -d 'How to tell whether a running copy is well' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-restart -d 'How soon a copy that exited is started again' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server-idle -d 'When to suspend or recycle copies. Default: always on' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from template" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l from-server-json -d 'Make it of a server.json, as the MCP registry has them: a file, or `-`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l package -d 'Which of its packages or remotes: npm, pypi, oci or remote' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l description -d 'What the template is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l parameters -d 'What a Server that uses it may or must give. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-description -d 'What the server is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-package -d 'Source: a package from npm or PyPI, installed once and run directly' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-image -d 'Source: a container image' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-command -d 'Source: a program on the daemon\'s machine and its arguments. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-remote -d 'Source: a server that somebody else runs, reached over HTTP' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-template -d 'Source: a Template and its parameters' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-transport -d 'How to talk to it. Default: stdio, or streamable-http for `remote`' -r -f -a "stdio\t''
streamable-http\t''
sse\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-container-port -d 'The port on which an HTTP transport listens inside its container' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-path -d 'The path of an HTTP transport. Default: /mcp' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-replicas -d 'How many copies to keep running; 0 declares the server without running it. Default: 1' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-runtime -d 'Where copies run. Default: docker for an image, process for a command; for a package, what the daemon is told with `--runtime`' -r -f -a "process\t''
docker\t''
kubernetes\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-env -d 'Environment variables, beside the documented base. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-env-from-secret -d 'Environment variables, beside the documented base, from a Secret. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-working-directory -d 'Absolute path of the directory to run in. Default: a directory of the instance\'s own' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-resources -d 'What a copy may use at most' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-network -d 'What the container of a copy may reach' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-volumes -d 'The storage that the container of a copy sees, besides its read-only image and a `/tmp` of its own. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-sessions -d 'Whether clients share copies or each session gets one of its own. Default: shared' -r -f -a "shared\t''
isolated\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-session-limits -d 'How many sessions there may be, and for how long' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-limits -d 'How much clients may ask of it' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-tools -d 'Which tools clients may see and call' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-health-check -d 'How to tell whether a running copy is well' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-restart -d 'How soon a copy that exited is started again' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server-idle -d 'When to suspend or recycle copies. Default: always on' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from tpl" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l from-literal -d 'A value as it stands here, where others may see it. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l from-file -d 'A value from a file, or with KEY=- from standard input. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l from-env-file -d 'Values from lines KEY=VALUE of a file. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l backend -d 'The SecretBackend that the values live in. Default: the default backend, for values that are new; what is there stays where it is' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l plaintext -d 'With --dry-run=client: show secret values as they are, instead of sealed by the daemon'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secret" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l from-literal -d 'A value as it stands here, where others may see it. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l from-file -d 'A value from a file, or with KEY=- from standard input. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l from-env-file -d 'Values from lines KEY=VALUE of a file. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l backend -d 'The SecretBackend that the values live in. Default: the default backend, for values that are new; what is there stays where it is' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l plaintext -d 'With --dry-run=client: show secret values as they are, instead of sealed by the daemon'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l auth -d 'How the daemon proves who it is: with --token-secret, or with --role' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l token-secret -d 'Token: where it is' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l token-role -d 'Token: the token role by which it makes its successors' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l role -d 'Kubernetes: the role to log in with' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l auth-mount -d 'Kubernetes: where the auth method is mounted. Default: kubernetes' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l sa-token-path -d 'Kubernetes: the file with the service account\'s token' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l admin-token -d 'With --wizard: the token that may, where others may see it; rather --admin-token-file, or ORCHCTL_ADMIN_TOKEN' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l admin-token-file -d 'With --wizard: a file with the token that may, or `-` for standard input' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l policy-name -d 'With --wizard: what to call the policy. Default: orchd-NAME' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l type -d 'What keeps the values' -r -f -a "local\t''
openbao\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l default -d 'Whether values of Secrets that name no backend are put here. Default: false' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l url -d '`openbao`: where the server answers, `https://bao.example.com:8200`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l mount -d '`openbao`: the path at which the KV v2 engine is mounted. Default: secret' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l path-prefix -d '`openbao`: what the paths of Secrets begin with, below the mount. Default: orchctl' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l namespace -d '`openbao`: the namespace that everything is in' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l timeout -d '`openbao`: how long one request may take. Default: 5s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l wizard -d 'Set the server up with a token that may: engine, policy, token role, the daemon\'s own token'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l no-promote-default -d 'With --wizard: leave the default where it is'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l no-default -d 'The opposite of --default'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from secretbackend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l auth -d 'How the daemon proves who it is: with --token-secret, or with --role' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l token-secret -d 'Token: where it is' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l token-role -d 'Token: the token role by which it makes its successors' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l role -d 'Kubernetes: the role to log in with' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l auth-mount -d 'Kubernetes: where the auth method is mounted. Default: kubernetes' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l sa-token-path -d 'Kubernetes: the file with the service account\'s token' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l admin-token -d 'With --wizard: the token that may, where others may see it; rather --admin-token-file, or ORCHCTL_ADMIN_TOKEN' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l admin-token-file -d 'With --wizard: a file with the token that may, or `-` for standard input' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l policy-name -d 'With --wizard: what to call the policy. Default: orchd-NAME' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l type -d 'What keeps the values' -r -f -a "local\t''
openbao\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l default -d 'Whether values of Secrets that name no backend are put here. Default: false' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l url -d '`openbao`: where the server answers, `https://bao.example.com:8200`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l mount -d '`openbao`: the path at which the KV v2 engine is mounted. Default: secret' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l path-prefix -d '`openbao`: what the paths of Secrets begin with, below the mount. Default: orchctl' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l namespace -d '`openbao`: the namespace that everything is in' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l timeout -d '`openbao`: how long one request may take. Default: 5s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l wizard -d 'Set the server up with a token that may: engine, policy, token role, the daemon\'s own token'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l no-promote-default -d 'With --wizard: leave the default where it is'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l no-default -d 'The opposite of --default'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sb" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l fallback -d 'A model to ask when this one does not answer. May be repeated, in order' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l description -d 'What the model is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l provider -d 'Whose wire format it speaks' -r -f -a "openai\t''
anthropic\t''
deepseek\t''
vllm\t''
ollama\t''
openai-compatible\t''
scripted\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l model -d 'The model\'s name at the provider' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l url -d 'Base URL. Default: the provider\'s own; a trailing `/v1` is accepted' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l tier -d 'What it is fit for. Default: fast' -r -f -a "fast\t''
heavy\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l api-key-ref -d 'The Secret key that holds the API key' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l extra -d 'Parameters passed through to the provider with every request. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l pricing-input-per-million -d 'Price of a million input tokens' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l pricing-cached-input-per-million -d 'Price of a million input tokens that the provider had cached. Default: the price of input tokens' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l pricing-output-per-million -d 'Price of a million output tokens' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l pricing-currency -d 'ISO 4217 code of the currency. Default: USD' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l limits-requests-per-minute -d 'Requests in a minute' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l limits-tokens-per-minute -d 'Tokens in a minute' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l limits-concurrent -d 'Requests at the same time' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l timeout -d 'How long an answer may take. Default: 120s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l context-window -d 'How many tokens a request and its answer may have together. Default: as many as the provider takes' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l script -d 'What a `scripted` model answers, turn by turn. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l published -d 'Whether a client publishes it from where it runs (`orchctl provide`), and passes on what it is asked. Default: no' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l no-published -d 'The opposite of --published'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l skip-auth-check -d 'Do not have providers asked whether they take the keys of models'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from llm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l description -d 'What the agent is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l llm -d 'The Llm that thinks' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l system-prompt -d 'What it is told first' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l default-params-temperature -d 'Sampling temperature' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l default-params-max-tokens -d 'Most tokens of an answer' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l default-params-top-p -d 'Nucleus sampling' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l default-params-stop -d 'Texts at which an answer ends. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l default-params-extra -d 'Further parameters, passed through. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l tools-allow -d 'Names or patterns: `<server>__<tool>`, or `agent__<name>` for other agents of the project. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l max-iterations -d 'How often its model may be asked in one turn; 1 to 50, and what is beyond counts as the nearest of these. Default: 12' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l tool-timeout -d 'How long one call of a tool may take. Default: 60s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l default-personality -d 'The Personality it takes on, unless a request names another: one of its own' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l budget-tokens -d 'Tokens, in and out' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l budget-cost -d 'Money, in the currency of the model' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l budget-tool-calls -d 'Tool calls' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l budget-wall-time -d 'Time on the clock' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l published -d 'Whether a client publishes it (`orchctl provide`), and it goes with that client. Default: no' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l no-published -d 'The opposite of --published'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from agent" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l description -d 'What the agent is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l llm -d 'The Llm that thinks' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l system-prompt -d 'What it is told first' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l default-params-temperature -d 'Sampling temperature' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l default-params-max-tokens -d 'Most tokens of an answer' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l default-params-top-p -d 'Nucleus sampling' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l default-params-stop -d 'Texts at which an answer ends. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l default-params-extra -d 'Further parameters, passed through. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l tools-allow -d 'Names or patterns: `<server>__<tool>`, or `agent__<name>` for other agents of the project. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l max-iterations -d 'How often its model may be asked in one turn; 1 to 50, and what is beyond counts as the nearest of these. Default: 12' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l tool-timeout -d 'How long one call of a tool may take. Default: 60s' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l default-personality -d 'The Personality it takes on, unless a request names another: one of its own' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l budget-tokens -d 'Tokens, in and out' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l budget-cost -d 'Money, in the currency of the model' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l budget-tool-calls -d 'Tool calls' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l budget-wall-time -d 'Time on the clock' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l published -d 'Whether a client publishes it (`orchctl provide`), and it goes with that client. Default: no' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l no-published -d 'The opposite of --published'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from ag" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l description -d 'What the project is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l instructions -d 'What every MCP client is told when it connects' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l servers -d 'The Servers whose tools the project offers. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l pages-size -d 'Results whose texts are longer are handed out in pages of this size; `"0"` hands out everything at once. Default: 128Ki' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l gated -d 'Whether a session must say what it is about before it sees the tools, by calling `begin_session`. Default: false' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l members-users -d 'Users. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l members-groups -d 'Groups. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l budget-tokens -d 'Tokens, in and out; those that the provider had cached count as well' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l budget-cost -d 'Money, in units of the currency' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l budget-currency -d 'ISO 4217 code of the currency of `cost`. Default: USD' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l budget-period -d 'When it begins anew. Default: month' -r -f -a "day\t''
month\t''
total\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l no-gated -d 'The opposite of --gated'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from project" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l description -d 'What the project is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l instructions -d 'What every MCP client is told when it connects' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l servers -d 'The Servers whose tools the project offers. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l pages-size -d 'Results whose texts are longer are handed out in pages of this size; `"0"` hands out everything at once. Default: 128Ki' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l gated -d 'Whether a session must say what it is about before it sees the tools, by calling `begin_session`. Default: false' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l members-users -d 'Users. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l members-groups -d 'Groups. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l budget-tokens -d 'Tokens, in and out; those that the provider had cached count as well' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l budget-cost -d 'Money, in units of the currency' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l budget-currency -d 'ISO 4217 code of the currency of `cost`. Default: USD' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l budget-period -d 'When it begins anew. Default: month' -r -f -a "day\t''
month\t''
total\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l no-gated -d 'The opposite of --gated'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from proj" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l from-file -d 'The text, from a file or with - from standard input' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l tag -d 'A word by which it is found. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l content -d 'The text' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l priority -d 'Its rank among others, 1 to 100; higher comes first, and 100 is for everybody who begins a session. Default: 50' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l summary -d 'What it says, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l chapters -d 'The headings of its parts. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l link -d 'A server\'s resource whose text stands for the content: `<project>/<server>:<uri>`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from prompt" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l display-name -d 'The person\'s name, as people write it' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l email -d 'Where the person gets mail' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l active -d 'Whether the person, and every token of the person\'s, may do anything. Default: true' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l no-active -d 'The opposite of --active'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from user" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l description -d 'What the group is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l users -d 'The Users in it. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l service-accounts -d 'The ServiceAccounts in it. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from group" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l description -d 'What the machine does, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l active -d 'Whether every token of it may do anything. Default: true' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l no-active -d 'The opposite of --active'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from serviceaccount" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l description -d 'What the machine does, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l active -d 'Whether every token of it may do anything. Default: true' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l no-active -d 'The opposite of --active'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from sa" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l user -d 'Grant it to this user. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l group -d 'Grant it to this group. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l serviceaccount -d 'Grant it to this service account. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l token -d 'Grant it to this token. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l role -d 'What may be done: view, create, edit, delete, run, reveal. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l resource -d 'With which kind, or `*` for all. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l name -d 'Only with the object of this name. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l selector -d 'Only with objects with these labels: team=core,tier!=test' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l in-project -d 'Only with what is in this project; -p says the same' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l tool -d 'With `run` on servers: only tools like this, `read_*`. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l operation -d 'What may be done with the daemon: logs, backup, ... May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l bind -d 'A further right in one word: role:view,resource:servers[,name:N][,project:P]. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l description -d 'What the binding is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rolebinding" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l user -d 'Grant it to this user. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l group -d 'Grant it to this group. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l serviceaccount -d 'Grant it to this service account. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l token -d 'Grant it to this token. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l role -d 'What may be done: view, create, edit, delete, run, reveal. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l resource -d 'With which kind, or `*` for all. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l name -d 'Only with the object of this name. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l selector -d 'Only with objects with these labels: team=core,tier!=test' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l in-project -d 'Only with what is in this project; -p says the same' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l tool -d 'With `run` on servers: only tools like this, `read_*`. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l operation -d 'What may be done with the daemon: logs, backup, ... May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l bind -d 'A further right in one word: role:view,resource:servers[,name:N][,project:P]. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l description -d 'What the binding is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from rbac" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l ttl -d 'How long it is good for: 30d, never, or until 2027-01-31' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l bind -d 'A right: role:view,resource:servers[,name:N][,project:P][,selector:S][,tool:T], or operation:logs. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l scope-project -d 'Confine it to this project, perhaps until a day. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l description -d 'What the token is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l service-account -d 'The service account that it belongs to. Default: it belongs to whoever makes it' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l rbac -d 'What it may do beside `grants` and `operations`. Default: empty' -r -f -a "empty\t''
clone\t''
owner\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l surface -d 'Which doors it opens. Default: any' -r -f -a "any\t''
mcp\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l limits-requests-per-minute -d 'Requests in a minute' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l limits-tokens-per-minute -d 'Tokens in a minute' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l limits-concurrent -d 'Requests at the same time' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l budget-tokens -d 'Tokens, in and out; those that the provider had cached count as well' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l budget-cost -d 'Money, in units of the currency' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l budget-currency -d 'ISO 4217 code of the currency of `cost`. Default: USD' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l budget-period -d 'When it begins anew. Default: month' -r -f -a "day\t''
month\t''
total\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l force -d 'Make it anew in place of one of that name, whose credential opens nothing from then on'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l label -d 'A label. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l annotation -d 'An annotation. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l description -d 'What it is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l prompts -d 'The Prompts that it consists of: of the agent, of the agent\'s project, or everybody\'s. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l set -d 'Any field of the spec. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -s o -l output -d 'Show what is made as yaml, json or name' -r -f -a "yaml\t'The manifest'
json\t'The manifest, as JSON'
name\t'`kind/name`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l wait -d 'Wait until it is ready; 60s unless it says otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand create; and __fish_seen_subcommand_from personality" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -l skip-auth-check -d 'Do not have providers asked whether they take the keys of models'
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand edit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -s f -l filename -d 'Manifests: a file, a folder (with everything in it), a glob, or `-` for standard input. May be repeated' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l force -d 'Whatever has changed since the object was read'
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l skip-auth-check -d 'Do not have providers asked whether they take the keys of models'
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand replace" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -s P -l patch -d 'The patch, as JSON or YAML' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l patch-file -d 'A file that holds the patch' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l skip-auth-check -d 'Do not have providers asked whether they take the keys of models'
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand patch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -s f -l filename -d 'Manifests: a file, a folder (with everything in it), a glob, or `-` for standard input. May be repeated' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -s l -l selector -d 'Only objects with these labels: key=value, key!=value, key, !key, key in (a,b)' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l field-selector -d 'Only objects with these fields: status.phase=Ready' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l wait -d 'Whether to wait until they are gone' -r -f -a "true\t''
false\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l timeout -d 'How long to wait' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -s A -l all-scopes -l all-projects -d 'Objects of every project and agent'
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l all -d 'All objects of the kind'
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l with-dependents -d 'Delete the objects that refer to them, too'
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l ignore-not-found -d 'Say nothing, and succeed, when a named object is not there'
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -s f -l filename -d 'Manifests: a file, a folder (with everything in it), a glob, or `-` for standard input. May be repeated' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -s o -l output -d 'Form: table, wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=TITLE:.path,...' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -s l -l selector -d 'Only objects with these labels: key=value, key!=value, key, !key, key in (a,b)' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l field-selector -d 'Only objects with these fields: status.phase=Ready' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l sort-by -d 'Order by a field: .status.restarts' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l limit -d 'At most so many objects of each kind' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l thread -d 'With messages: the thread' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -s A -l all-scopes -l all-projects -d 'Objects of every project and agent'
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l show-labels -d 'Show the labels, too'
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l show-status -d 'Show the status in YAML, too'
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l show-values -d 'Show secret values in the open. The daemon writes it down'
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l no-headers -d 'Leave out the heading of tables'
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l with-seeded -d 'With `all` as yaml or json: what came with the daemon and nobody has changed, too'
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -s w -l watch -d 'Go on, and show objects as they change'
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l ignore-not-found -d 'Say nothing, and succeed, when a named object is not there'
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -s l -l selector -d 'Only objects with these labels: key=value, key!=value, key, !key, key in (a,b)' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -l field-selector -d 'Only objects with these fields: status.phase=Ready' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -s A -l all-scopes -l all-projects -d 'Objects of every project and agent'
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -l show-values -d 'Show secret values in the open. The daemon writes it down'
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand describe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand why" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l limit -d 'The newest so many' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -s o -l output -d 'Form: table, wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=TITLE:.path,...' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l warnings -d 'Only warnings'
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l no-headers -d 'Leave out the heading of tables'
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -s w -l watch -d 'Go on as events come'
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand events" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l tail -d 'Only the last so many lines of each instance' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l since -d 'Only lines no older than this: 10m, or an instant' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l prefix -d 'Whether lines say which instance they come from' -r -f -a "auto\t'When there are several'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -s f -l follow -d 'Go on as lines are written'
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l previous -d 'Of the run before the last restart'
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l timestamps -d 'Begin each line with its instant'
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -l generation -d 'Show the manifest of this generation' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l user -d 'Only what this user or service account asked for, or somebody in its name' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l token -d 'Only what was asked with the token of this name' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l session -d 'Only what happened in this session' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l kind -d 'Only rows of this kind' -r -f -a "request\t''
rbac_decision\t''
tool_call\t''
session_bind\t''
login\t''
llm_inference_call\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l verb -d 'Only this verb: get, apply, reveal, tools/call, ...' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l outcome -d 'Only what ended so' -r -f -a "allowed\t''
denied\t''
failed\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l target -d 'Only about these: KIND, or KIND/NAME' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l from -d 'Only from then on: 2h, today, yesterday, 2026-11-21, 2026-11-21T04:12' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l to -d 'Only before then' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l limit -d 'The newest so many' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -s o -l output -d 'Form' -r -f -a "table\t'For people'
wide\t'For people, with everything'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -s f -l follow -d 'Go on as entries come'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l no-headers -d 'Leave out the heading of tables'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -f -a "sessions" -d 'Show what was done in each session of an MCP client, and outside of any'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and not __fish_seen_subcommand_from sessions verify" -f -a "verify" -d 'Check that no entry was altered, removed or slipped in'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l user -d 'Only of this user or service account' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l from -d 'Only by what happened from then on' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l to -d 'Only by what happened before then' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l limit -d 'Those used last, so many' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l no-headers -d 'Leave out the heading of tables'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from sessions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l kept -d 'A mark that an earlier check has told and that was kept elsewhere: its entry must still be the same' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l by -d 'Sum up by this; may be repeated [default: user and llm]' -r -f -a "user\t''
token\t''
project\t''
llm\t''
agent\t''
day\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l user -d 'Only what this user or service account asked for; of others, that needs the operation `usage`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l token -d 'Only what was asked with the token of this name' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l llm -d 'Only what this Llm answered' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l from -d 'Only from then on: 2h, today, yesterday, 2026-11-21, 2026-11-21T04:12' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l to -d 'Only before then' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l limit -d 'At most so many lines' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -s o -l output -d 'Form' -r -f -a "table\t'For people'
wide\t'For people, with everything'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l no-headers -d 'Leave out the heading of tables'
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand usage" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -s f -l filename -d 'Manifests: a file, a folder (with everything in it), a glob, or `-` for standard input. May be repeated' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -s l -l selector -d 'Only objects with these labels: key=value, key!=value, key, !key, key in (a,b)' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l field-selector -d 'Only objects with these fields: status.phase=Ready' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l for -d 'For what: condition=NAME[=STATUS], create, delete, or jsonpath=TEMPLATE[=VALUE]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l timeout -d 'How long to wait' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -s A -l all-scopes -l all-projects -d 'Objects of every project and agent'
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l all -d 'All objects of the kind'
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l replicas -d 'How many copies to keep running' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l timeout -d 'How long to wait' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l wait -d 'Wait until they are ready'
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand scale" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -l timeout -d 'How long to wait' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -l wait -d 'Wait until they are ready'
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand restart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l to -l to-generation -d 'The generation to go back to; without it, of a Server the newest before this one that was ready, of any other object the one before' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l dry-run -d 'Only say what would be done. Without a value: server' -r -f -a "none\t'Nowhere: it is done'
client\t'Here, as far as that is possible; the daemon is at most read'
server\t'By the daemon, which checks everything and writes nothing'"
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l skip-auth-check -d 'Do not have providers asked whether they take the keys of models'
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand rotate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -f -a "secrets" -d 'Values of Secrets, from one backend to another'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and not __fish_seen_subcommand_from secrets secret" -f -a "secret" -d 'Values of Secrets, from one backend to another'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l from -d 'The SecretBackend that they leave' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l to -d 'The SecretBackend that they are moved to' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l names -d 'Only these Secrets. Default: all, without those that hold the token of a backend' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l keep-source -d 'Leave the values where they were, too'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l dry-run -d 'Only say what would be moved'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secrets" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l from -d 'The SecretBackend that they leave' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l to -d 'The SecretBackend that they are moved to' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l names -d 'Only these Secrets. Default: all, without those that hold the token of a backend' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l keep-source -d 'Leave the values where they were, too'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l dry-run -d 'Only say what would be moved'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand migrate; and __fish_seen_subcommand_from secret" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -l replace -d 'Put what is proposed in the place of what is there'
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand approve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -l reason -d 'Why, in words, for whoever proposed it' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand reject" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -s u -l user -d 'Who logs in; asked for, if it is not said' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -l password-stdin -d 'Read the password from standard input. There is no flag for a password: others would see it'
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand whoami" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -l password-stdin -d 'Read the new password from standard input; for one\'s own, the one until now in a line before it'
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand passwd" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -f -a "can-i" -d 'Say whether something may be done: ends in 0 for yes, in 1 for no'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -f -a "why" -d 'Say which rule allows something, or what is missing'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i why logins" -f -a "logins" -d 'Show the logins that are open, or end some'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l tool -d 'With `run` on a server: this tool of it, by the server\'s own name for it' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l list -d 'All that may be done'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -l tool -d 'With `run` on a server: this tool of it, by the server\'s own name for it' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from why" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand auth; and __fish_seen_subcommand_from logins" -f -a "end" -d 'End logins: one\'s own, and those of others with the operation `sessions`'
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand allow-trigger" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand introspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -s m -l message -d 'Say this, show the answer, and end. What comes on standard input is said behind it' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l thread -d 'Go on with this thread' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l personality -d 'The Personality that the agent takes on' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l system-append -l system-prompt -d 'What the model is told behind everything else that it is told first' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l param -d 'A parameter of the model: temperature=0, maxTokens=500, topP, stop, or one that only its provider knows. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l timeout -d 'How long a turn may take; then it is cancelled [default: 10m]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -s o -l output -d 'Form of the answer' -r -f -a "text\t'What the agent says'
json\t'The whole answer, as JSON'
yaml\t'The whole answer, as YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l resume -d 'Go on with the latest turn of the thread, which was interrupted'
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l no-stream -d 'Take the answer as a whole, when it is complete'
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l detach -d 'Begin the turn and end; it goes on without this program'
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l no-thinking -d 'Do not show what the model thinks'
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l raw -d 'Show the text as it comes, on a terminal too'
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand chat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -f -a "list" -d 'List your threads, those that were used last first'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -f -a "get" -d 'Show what was said in a thread'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -f -a "rename" -d 'Give a thread another title'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -f -a "delete" -d 'Delete threads, and end what is under way in them'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -f -a "fork" -d 'Begin a thread with what was said in another'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and not __fish_seen_subcommand_from list get rename delete fork export" -f -a "export" -d 'Write down what went between the agent, its model and its tools, without keys, to be replayed'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -l limit -d 'At most so many' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -s o -l output -d 'Form: table, wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=TITLE:.path,...' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the heading of tables'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -s o -l output -d 'Form: table, wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=TITLE:.path,...' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -l no-headers -d 'Leave out the heading of tables'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -l ignore-not-found -d 'Say nothing, and succeed, when one is not there'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -l turn -d 'The last turn that is taken along; 0 takes none [default: the latest one that is over]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -l title -d 'What to call the new one [default: as the other one is called]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -s o -l output -d 'Print the new thread instead of a sentence; `name` prints `thread/ID`' -r -f -a "json\t'All of it, as JSON'
yaml\t'All of it, as YAML'
name\t'`thread/ID`'"
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from fork" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -s f -l file -d 'Write it there; `-` for standard output, which is the default' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand thread; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -l against -d 'What is asked instead of the cassette; tools are never called' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -s o -l output -d 'Form of the differences' -r -f -a "text\t'For people: a heading, and a unified diff each'
json\t'The whole report, as JSON'"
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -f -a "install" -d 'Write an entry that leads to a project (-p) or a server (--server NAME) into a client\'s file'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -f -a "uninstall" -d 'Take our entries out of a client\'s file, which is then as it was before'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -f -a "list" -d 'Show which clients there are, and what leads here'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and not __fish_seen_subcommand_from install uninstall list import" -f -a "import" -d 'Print the servers of a client\'s file as manifests, keys moved into Secrets'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l name -d 'What the entry is called in its file. Default: orch- and the project or server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l via -d 'How the client gets here. Default: the address, where it can keep the token out of its file' -r -f -a "url\t'It is given the address, and speaks HTTP'
stdio\t'It starts `orchctl mcp serve`, and speaks to that'"
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l scope -d 'Whose file: the user\'s, or that of the folder one is in' -r -f -a "user\t'The user\'s, wherever they work'
project\t'Those of the folder one is in, to be shared with whoever works there'"
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l path -d 'The file itself, when it is where nobody would look for it' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l replace -d 'Take the place of an entry of that name that is not ours'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -s y -l yes -d 'Do not ask'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l dry-run -d 'Only show what would be written'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l name -d 'Only the entry of that name' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l scope -d 'Whose file: the user\'s, or that of the folder one is in' -r -f -a "user\t'The user\'s, wherever they work'
project\t'Those of the folder one is in, to be shared with whoever works there'"
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l path -d 'The file itself, when it is where nobody would look for it' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -s y -l yes -d 'Do not ask'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l dry-run -d 'Only show what would be written'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from uninstall" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -s o -l output -d 'Form: table or json' -r -f -a "table\t''
json\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l file -d 'Any file with servers in it, of whatever client' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l scope -d 'Whose file: the user\'s, or that of the folder one is in' -r -f -a "user\t'The user\'s, wherever they work'
project\t'Those of the folder one is in, to be shared with whoever works there'"
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -s o -l output -d 'Write a file per object into this folder, instead of standard output' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l show-values -d 'Print keys as they are'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand client; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -f -a "list" -d 'List the tools of a project (-p) or a server (--server NAME)'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -f -a "inspect" -d 'Show what a tool does, takes and gives'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and not __fish_seen_subcommand_from list inspect call" -f -a "call" -d 'Call a tool, and show its result'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -s o -l output -d 'Form: table, wide, name, json or yaml' -r -f -a "table\t''
wide\t''
name\t''
json\t''
yaml\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the heading'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l arg -d 'An argument, typed by what the tool takes; of a list, one element each time. May be repeated' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l json -d 'All arguments as JSON; --arg goes on top' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -s f -l filename -d 'A file with all arguments, as JSON or YAML, or `-` for standard input; --arg goes on top' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l save -d 'Save pictures, sounds and files of the result in this folder' -r -f -a "(__fish_complete_directories)"
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -s o -l output -d 'Form: for people, or the whole result as it came' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand tools; and __fish_seen_subcommand_from call" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -l audit -d 'Look at the audit log: sessions by project and user, and what was done in them'
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand console" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -f -a "serve" -d 'Carry messages between standard input and output and a project (-p) or a server (--server NAME)'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and not __fish_seen_subcommand_from serve headers" -f -a "headers" -d 'Print the headers for that address as JSON: the token, for clients that run a program to get them'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -l debug -d 'Write down what is said, keys masked: in this file, or on standard error' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -l debug-payloads -d 'Write down what messages carry, too'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand mcp; and __fish_seen_subcommand_from headers" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -s f -l filename -d 'Manifests: a file, a folder (with everything in it), a glob, or `-` for standard input. May be repeated' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -f -a "llm" -d 'Publish a model'
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and not __fish_seen_subcommand_from llm agent" -f -a "agent" -d 'Publish agents'
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l url -d 'Where the model answers. Default: the provider\'s usual address' -r -f
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l provider -d 'Whose words the model understands' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l model -d 'What the model is called where it answers. Default: NAME' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l api-key-env -d 'The variable that holds the model\'s key; the key stays on this machine' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l description -d 'What the model is for, in a sentence' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l tier -d 'What it is fit for: fast, or heavy' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l timeout -d 'How long an answer may take [default: 120s]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l with-agent -d 'Publish the agents of these manifests, too. May be repeated' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l start -d 'Run this command for the model when it is needed; until then the model hibernates' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l start-timeout -d 'How long the command may take until the model answers [default: 5m]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l idle -d 'Stop the command after so long without use; 0s: never [default: 15m]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l log -d 'Where the output of the command goes [default: NAME.log]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l warm-project -d 'Run the command when a session with this project begins. May be repeated; projects with an agent that names the model need not be named' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l failover-for -d 'Serve callers of this machine with this model of the daemon, and answer in its place when the daemon fails' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l listen -d 'Where callers of this machine are served [default: 127.0.0.1:0, some port that is free]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from llm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -s f -l filename -d 'Manifests: a file, a folder (with everything in it), a glob, or `-` for standard input. May be repeated' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand provide; and __fish_seen_subcommand_from agent" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -l recursive -d 'All fields below, too'
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand api-resources" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "get-contexts" -d 'Show the contexts'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "list" -d 'Show the contexts'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "current-context" -d 'Show the name of the current context'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "use-context" -d 'Make a context the current one'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "use" -d 'Make a context the current one'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "set-context" -d 'Make or change a context: with --server, --token-file, --ca-file and --project'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "set" -d 'Make or change a context: with --server, --token-file, --ca-file and --project'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "rename-context" -d 'Give a context another name'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "delete-context" -d 'Forget a context'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "delete" -d 'Forget a context'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "view" -d 'Show the whole file, tokens masked'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and not __fish_seen_subcommand_from get-contexts list current-context use-context use set-context set rename-context delete-context delete view path" -f -a "path" -d 'Show where the file is'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -s o -l output -d 'Form: table or name' -r -f -a "table\t''
name\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l no-headers -d 'Leave out the heading'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -s o -l output -d 'Form: table or name' -r -f -a "table\t''
name\t''"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the heading'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from current-context" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from use" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l token-stdin -d 'Read the token from standard input and keep it in the file'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l current -d 'Make it the current one, too'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set-context" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -l token-stdin -d 'Read the token from standard input and keep it in the file'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -l current -d 'Make it the current one, too'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from rename-context" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete-context" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from view" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand config; and __fish_seen_subcommand_from path" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -s o -l output -d 'Form' -r -f -a "table\t'For people'
json\t'JSON'
yaml\t'YAML'"
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -l client -d 'Only this program\'s'
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -l static -d 'A script that stands alone: it knows verbs and flags, but no live names'
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -l context -d 'Context to use instead of the current one [env: ORCHCTL_CONTEXT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -l server -d 'Address of the daemon, instead of the context\'s [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the NAME of a server' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -l token-file -d 'File that holds the token, instead of the context\'s [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -l ca-file -d 'Certificates (PEM) to trust instead of the system\'s [env: ORCHCTL_CA_FILE]' -r -F
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -s p -l project -d 'Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -l agent -d 'Agent to work with, for kinds that live with agents' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -l as -d 'Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -l request-timeout -d 'How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise' -r
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -l color -d 'When to use colour' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -s q -l quiet -d 'Say only what was asked for, and errors'
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -l verbose -d 'Also say each request on standard error'
complete -c orchctl -n "__fish_orchctl_using_subcommand __generate" -s h -l help -d 'Print help (see more with \'--help\')'
