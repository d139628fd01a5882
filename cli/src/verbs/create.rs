//! `create`: one new object from flags, or new objects from files; never a change of what is there.
//!
//! The flags of a kind are read from its schema ([`flags`]), with a few short ways for what is common ([`shorthands`]).
//! They are worked out only when `create` is really typed.

mod examples;
mod flags;
mod granting;
mod parameters;
mod server_json;
mod shorthands;
pub(in crate::verbs) mod values;
mod wizard;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use orch_shared::apply::{Expectation, Request, Response, Verdict};
use orch_shared::kind::{Kind, Maker, ScopeType};
use orch_shared::manifest::{Objects, to_yaml, to_yaml_stream};
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::{Metadata, Resource};
use orch_shared::route;
use serde_json::{Value, json};

use super::apply::{self, Membership};
use super::credentials;
use super::help;
use super::outcomes;
use super::rehearsal;
use super::seal::seal;
use super::wait;
use crate::args::shared::{AuthCheck, DryRun, Rehearsal};
use crate::args::{Limit, limit};
use crate::client::{Answer, Call, Object};
use crate::input;
use crate::render::document;
use crate::render::schema::Field;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};

/// What was typed after `create`.
#[derive(Debug, Clone)]
pub(crate) struct Arguments(ArgMatches);

impl FromArgMatches for Arguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(matches.clone()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0 = matches.clone();
        Ok(())
    }
}

impl Args for Arguments {
    fn augment_args(command: Command) -> Command {
        command
            .about("Make new objects from flags, or from files")
            .before_help(
                "\
Examples:
  orchctl create server time --package pypi:mcp-server-time --replicas 2
  orchctl create secret gitea --from-file token=-      from standard input
  orchctl create project web --servers time --dry-run=client -o yaml
",
            )
            .subcommand_value_name("KIND")
            .subcommand_help_heading("Kinds")
            .args_conflicts_with_subcommands(true)
            .arg_required_else_help(true)
            .defer(with_kinds)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn with_kinds(command: Command) -> Command {
    let files = Arg::new("filename")
        .short('f')
        .long("filename")
        .value_name("FILE")
        .action(ArgAction::Append)
        .help("Manifests of objects to make: a file, a folder, a glob, or `-`. May be repeated");
    let made_by_users = Kind::ALL.iter().filter(|kind| kind.meta().maker == Maker::User);
    let command = command.arg(files).arg(form()).arg(skip_auth_check());
    rehearsed(command).subcommands(made_by_users.map(|kind| of_kind(*kind)))
}

/// The command line that makes an object of one kind.
fn of_kind(kind: Kind) -> Command {
    let meta = kind.meta();
    let about = Field::root(kind.definition().spec_schema()).description();
    let one =
        |id: &'static str, value: &'static str, help: &'static str| Arg::new(id).long(id).value_name(value).help(help);
    let many =
        |id: &'static str, value: &'static str, help: &'static str| one(id, value, help).action(ArgAction::Append);
    let command = Command::new(meta.singular)
        .visible_aliases(meta.short)
        .alias(meta.plural)
        .about(super::api_resources::first_sentence(&about))
        .help_template(help::VERB)
        .before_help(examples::of(kind))
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .required(true)
                .help(format!("What to call the {}", meta.singular)),
        )
        .next_help_heading("Marks")
        .arg(many("label", "KEY=VALUE", "A label. May be repeated"))
        .arg(many("annotation", "KEY=VALUE", "An annotation. May be repeated"))
        .next_help_heading("Short ways")
        .args(shorthands::of(kind).map(shorthands::Shorthand::arg))
        .args(server_json::args(kind))
        .args(wizard::args(kind))
        .next_help_heading("Fields")
        .args(flags::of(kind).iter().flat_map(flags::Flag::args))
        .arg(many("set", "FIELD=VALUE", "Any field of the spec. May be repeated"))
        .next_help_heading("What to do")
        .arg(form())
        .args(shorthands::carry_secrets(kind).then(|| {
            Arg::new("plaintext")
                .long("plaintext")
                .action(ArgAction::SetTrue)
                .help("With --dry-run=client: show secret values as they are, instead of sealed by the daemon")
        }))
        .args(shorthands::have_providers(kind).then(skip_auth_check))
        .args(shorthands::make_credentials(kind).then(|| {
            Arg::new("force")
                .long("force")
                .action(ArgAction::SetTrue)
                .help("Make it anew in place of one of that name, whose credential opens nothing from then on")
        }))
        .arg(
            one(
                "wait",
                "DURATION",
                "Wait until it is ready; 60s unless it says otherwise",
            )
            .value_parser(limit)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("60s"),
        );
    let command = match of_scope(kind).collect::<Vec<_>>()[..] {
        [] => command,
        [(field, _), ..] => command.after_help(format!("spec.{field} is what --{field} says.")),
    };
    rehearsed(command)
}

/// The flag of [`AuthCheck`], which is worked out with the others here.
fn skip_auth_check() -> Arg {
    Arg::new("skip_auth_check")
        .long("skip-auth-check")
        .action(ArgAction::SetTrue)
        .help("Do not have providers asked whether they take the keys of models")
}

/// Whether providers are asked.
fn auth(matches: &ArgMatches) -> AuthCheck {
    let is_skipped = matches.try_get_one::<bool>("skip_auth_check");
    AuthCheck {
        skip_auth_check: matches!(is_skipped, Ok(Some(true))),
    }
}

/// The command with `--dry-run`, and still about what it was about.
fn rehearsed(command: Command) -> Command {
    let about = command.get_about().cloned().unwrap_or_default();
    Rehearsal::augment_args(command).about(about)
}

/// The fields of a kind that are filled in by what says the scope elsewhere: it does not live there, but names one.
fn of_scope(kind: Kind) -> impl Iterator<Item = (&'static str, ScopeType)> {
    let fields = Field::root(kind.definition().spec_schema()).fields();
    let is_field = move |(field, scope): &(&str, ScopeType)| {
        fields.iter().any(|(known, _)| known == field) && !kind.meta().scopes.contains(scope)
    };
    flags::OF_SCOPE.into_iter().filter(is_field)
}

fn form() -> Arg {
    Arg::new("output")
        .short('o')
        .long("output")
        .value_name("FORM")
        .help("Show what is made as yaml, json or name")
        .value_parser(clap::value_parser!(Form))
}

/// How what is made is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// The manifest.
    Yaml,
    /// The manifest, as JSON.
    Json,
    /// `kind/name`.
    Name,
}

/// Creates.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    match arguments.0.subcommand() {
        Some((noun, matches)) => {
            let kind = crate::args::targets::kind(noun)?;
            from_flags(settings, kind, matches)
        }
        None => {
            let files: Vec<String> = many(&arguments.0, "filename").cloned().collect();
            from_files(settings, input::objects(&files, "nothing was created")?, &arguments.0)
        }
    }
}

fn many<'m>(matches: &'m ArgMatches, id: &str) -> impl Iterator<Item = &'m String> {
    matches.get_many::<String>(id).into_iter().flatten()
}

/// Where it is worked out what would be made, and in which form that is shown.
fn manner(matches: &ArgMatches) -> (DryRun, Option<Form>) {
    (
        matches.get_one("dry_run").copied().unwrap_or_default(),
        matches.get_one("output").copied(),
    )
}

fn from_files(settings: &Settings, mut objects: Objects, matches: &ArgMatches) -> Result<Outcome, Failure> {
    let (place, form) = manner(matches);
    match place {
        DryRun::None => create(settings, &objects, auth(matches), form)?,
        DryRun::Client => {
            for object in &mut objects.objects {
                seal(settings, &mut object.resource)?;
            }
            let manifests: Vec<Value> = objects
                .objects
                .iter()
                .map(|object| object.resource.manifest())
                .collect();
            settings.ui.write(&match form {
                Some(Form::Json) => manifests.iter().map(document::json).collect(),
                Some(Form::Name) => names(&objects),
                Some(Form::Yaml) | None => to_yaml_stream(&manifests),
            })?;
        }
        DryRun::Server => {
            let manifests = objects.objects.iter().map(|object| object.resource.manifest());
            let outcomes = rehearsal::server(settings, manifests.collect(), auth(matches))
                .map_err(|failure| input::located(failure, &objects, "nothing would be created"))?;
            if let Some(there) = outcomes.iter().find(|outcome| outcome.verdict != Verdict::Created) {
                return Err(exists(&there.object, "; nothing would be created"));
            }
            for object in &objects.objects {
                settings
                    .ui
                    .line(&format!("{}   would be created", object.resource.reference()))?;
            }
            rehearsal::end(settings, place);
        }
    }
    Ok(Outcome::Done)
}

fn names(objects: &Objects) -> String {
    let names = objects.objects.iter().map(|object| name(&object.resource.reference()));
    names.collect()
}

/// As `get -o name` says it.
fn name(object: &ObjectRef) -> String {
    format!("{}/{}\n", object.kind.meta().singular, object.name)
}

/// That an object of that name is there, and how to change it.
fn exists(object: &ObjectRef, consequence: &str) -> Failure {
    let problem = Problem::new(Code::AlreadyExists, format!("{object} exists already{consequence}"));
    // A credential that is over does not come back by a change.
    let hint = match shorthands::make_credentials(object.kind) {
        true => format!(
            "make it anew in its place: orchctl create {} --force",
            wait::spelled(object).replacen('/', " ", 1)
        ),
        false => format!("change it: orchctl edit {}", wait::spelled(object)),
    };
    problem.suggest(hint).into()
}

/// Makes all objects of the files or none: an apply that expects none of them to be there.
fn create(settings: &Settings, objects: &Objects, auth: AuthCheck, form: Option<Form>) -> Result<(), Failure> {
    let references: Vec<ObjectRef> = objects
        .objects
        .iter()
        .map(|object| object.resource.reference())
        .collect();
    let absent = |object: &ObjectRef| Expectation {
        object: object.clone(),
        uid: None,
        generation: None,
    };
    let request = Request {
        expect: Some(references.iter().map(absent).collect()),
        skip_auth_check: auth.skip_auth_check,
        ..apply::request(objects, &Membership::default())
    };
    let client = settings.client()?;
    let call = Call::post(route::APPLY, &request).until_gone().with_time();
    let answer = client
        .send(&settings.ui, &call)
        .map_err(|failure| match failure.code() {
            Some(Code::PlanMoved) => there_already(settings, &references, failure),
            Some(_) | None => input::located(failure, objects, "nothing was created"),
        })?;
    let results = answer.json::<Response>()?.results;
    outcomes::warn(settings, &results);
    credentials::show(settings, &results)?;
    for object in &references {
        match form {
            None => settings.ui.line(&format!("{object}   created"))?,
            Some(Form::Name) => settings.ui.write(&name(object))?,
            Some(form @ (Form::Yaml | Form::Json)) => {
                let live = client.object(&settings.ui, object)?;
                print(settings, form, &live.manifest(), object)?;
            }
        }
    }
    Ok(())
}

/// Which of the objects was there before.
fn there_already(settings: &Settings, objects: &[ObjectRef], failure: Failure) -> Failure {
    let is_there = |object: &&ObjectRef| {
        let found = settings.client().and_then(|client| client.find(&settings.ui, object));
        matches!(found, Ok(Some(_)))
    };
    match objects.iter().find(is_there) {
        Some(object) => exists(object, "; nothing was created"),
        None => failure,
    }
}

/// Shows a credential that was made, this once: alone, so that a script can take it in, or as a member of the object.
fn with_credential(
    settings: &Settings,
    form: Option<Form>,
    object: &ObjectRef,
    answer: &Answer,
    credential: &str,
) -> Result<(), Failure> {
    match form {
        None | Some(Form::Name) => settings.ui.line(credential)?,
        Some(form @ (Form::Yaml | Form::Json)) => {
            let mut manifest = answer.json::<Object>()?.manifest();
            manifest["credential"] = credential.into();
            print(settings, form, &manifest, object)?;
        }
    }
    credentials::caution(settings, object);
    Ok(())
}

/// Says that an object was made, or shows it.
fn created(settings: &Settings, form: Option<Form>, object: &ObjectRef, answer: &Answer) -> Result<(), Failure> {
    match form {
        None => settings.ui.line(&format!("{object}   created")),
        Some(form) => print(settings, form, &answer.json::<Object>()?.manifest(), object),
    }
}

fn from_flags(settings: &Settings, kind: Kind, matches: &ArgMatches) -> Result<Outcome, Failure> {
    if wizard::is_asked(kind, matches) {
        return wizard::run(settings, matches);
    }
    let mut resource = resource(settings, kind, matches)?;
    if let Some(caution) = shorthands::caution(kind, matches) {
        settings.ui.warn(caution);
    }
    let (place, form) = manner(matches);
    let reference = resource.reference();
    let collection = route::collection(kind, &reference.scope);
    match place {
        DryRun::Client => {
            let in_the_open = shorthands::carry_secrets(kind) && matches.get_flag("plaintext");
            if !in_the_open {
                seal(settings, &mut resource).map_err(|failure| {
                    failure.hint_instead("the daemon seals secret values; to see them as they are: --plaintext")
                })?;
            }
            show(settings, form.unwrap_or(Form::Yaml), &resource)?;
        }
        DryRun::Server => {
            let outcomes = rehearsal::server(settings, vec![resource.manifest()], auth(matches))
                .map_err(|failure| rehearsal::worded(failure, &reference, "it would not be created"))?;
            if outcomes.iter().any(|outcome| outcome.verdict != Verdict::Created) {
                return Err(exists(&reference, ""));
            }
            match form {
                Some(form) => {
                    seal(settings, &mut resource)?;
                    show(settings, form, &resource)?;
                }
                None => {
                    settings.ui.line(&format!("{reference}   would be created"))?;
                    rehearsal::end(settings, place);
                }
            }
        }
        DryRun::None => {
            let call = Call::post(collection, &resource.manifest())
                .until_gone()
                .query(&auth(matches).of_change());
            let is_credential = shorthands::make_credentials(kind);
            let call = match is_credential && matches.get_flag("force") {
                true => call.query(&json!({"force": true})),
                false => call,
            };
            if is_credential && form == Some(Form::Name) {
                return Err(Failure::usage("-o name would lose the credential, which is told once")
                    .hint("leave out -o to have the credential alone, or take -o json"));
            }
            let answer = settings
                .client()?
                .send(&settings.ui, &call)
                .map_err(|failure| match failure.code() {
                    Some(Code::AlreadyExists) => exists(&reference, ""),
                    _ => rehearsal::worded(failure, &reference, "it was not created"),
                })?;
            match answer.json::<Value>()?.get("credential").and_then(Value::as_str) {
                Some(text) => with_credential(settings, form, &reference, &answer, text)?,
                None => created(settings, form, &reference, &answer)?,
            }
            if let Some(Limit(timeout)) = matches.get_one::<Limit>("wait") {
                settings.ui.flush()?;
                wait::until_ready(settings, &[reference], *timeout)?;
            }
        }
    }
    Ok(Outcome::Done)
}

fn show(settings: &Settings, form: Form, resource: &Resource) -> Result<(), Failure> {
    print(settings, form, &resource.manifest(), &resource.reference())
}

fn print(settings: &Settings, form: Form, manifest: &Value, object: &ObjectRef) -> Result<(), Failure> {
    settings.ui.write(&match form {
        Form::Json => document::json(manifest),
        Form::Name => name(object),
        Form::Yaml => to_yaml(manifest),
    })
}

/// The object that the flags describe.
fn resource(settings: &Settings, kind: Kind, matches: &ArgMatches) -> Result<Resource, Failure> {
    let name = matches
        .get_one::<String>("name")
        .map(String::as_str)
        .unwrap_or_default();
    let mut metadata = Metadata::named(parse_name(name, kind.meta().singular)?);
    match settings.scope(kind)? {
        Scope::Cluster => {}
        Scope::Project(project) => metadata.project = Some(project),
        Scope::Agent(agent) => metadata.agent = Some(agent),
    }
    for (id, marks) in [
        ("label", &mut metadata.labels),
        ("annotation", &mut metadata.annotations),
    ] {
        for pair in many(matches, id) {
            let (key, value) = values::pair(pair).map_err(|error| Failure::usage(format!("--{id}: {error}")))?;
            marks.get_or_insert_default().insert(key.to_owned(), value.to_owned());
        }
    }
    let mut spec = server_json::spec(settings, kind, matches)?.unwrap_or_else(|| json!({}));
    let flags = flags::of(kind);
    for flag in &flags {
        flag.write(matches, &mut spec)?;
    }
    for shorthand in shorthands::of(kind) {
        shorthand.apply(matches, &mut spec)?;
    }
    from_scope(settings, kind, &mut spec)?;
    if let Some(project) = settings.flags().project.as_deref().filter(|name| !name.is_empty()) {
        for shorthand in shorthands::of(kind) {
            shorthand.take_project(&mut spec, project)?;
        }
    }
    refuse_server(settings, kind)?;
    parameters::read(settings, kind, matches, &mut spec)?;
    for assignment in many(matches, "set") {
        set(kind, &mut spec, assignment)?;
    }
    granting::refuse_nothing(kind, &spec)?;
    // Read like a manifest, so that everything that is wrong with it is told at once.
    let object =
        json!({"apiVersion": orch_shared::kinds::API_VERSION, "kind": kind, "metadata": metadata, "spec": spec});
    let made = orch_shared::manifest::resource(&object).and_then(|resource| {
        parameters::check(settings, &resource)?;
        Ok(resource)
    });
    made.map_err(|mut problems| {
        for problem in &mut problems {
            if let Some(flag) = flags.iter().find_map(|flag| flag.typed_for(&problem.pointer)) {
                problem.message = format!("{} ({flag})", problem.message);
            }
        }
        let singular = kind.meta().singular;
        let mut problem = Problem::new(Code::BadArgument, format!("{singular}/{name} would not be sound"));
        problem.errors = problems;
        Failure::from(problem).hint(format!("what it is made of: orchctl explain {singular}"))
    })
}

/// A kind that does not live in projects but has a field for one takes it from `-p`; the same for agents.
fn from_scope(settings: &Settings, kind: Kind, spec: &mut Value) -> Result<(), Failure> {
    for (field, scope) in of_scope(kind) {
        let given = match scope {
            ScopeType::Cluster => &None,
            ScopeType::Project => &settings.flags().project,
            ScopeType::Agent => &settings.flags().agent,
        };
        if let Some(name) = given.as_deref().filter(|name| !name.is_empty()) {
            spec[field] = parse_name(name, field)?.as_str().into();
        }
    }
    Ok(())
}

/// `--server` is the daemon's address wherever it stands. What is no address, for a kind that names servers, was meant for
/// that field.
fn refuse_server(settings: &Settings, kind: Kind) -> Result<(), Failure> {
    let fields = Field::root(kind.definition().spec_schema()).fields();
    let has_servers = fields.iter().any(|(name, _)| *name == "servers");
    match settings.flags().server.as_deref() {
        Some(given) if has_servers && given.parse::<Name>().is_ok() && given != "localhost" => {
            let failure = Failure::usage(format!("--server is the address of the daemon, and `{given}` is none"));
            Err(failure.hint(format!("servers of the {}: --servers {given}", kind.meta().singular)))
        }
        Some(_) | None => Ok(()),
    }
}

/// `--set healthCheck.interval=10s`.
fn set(kind: Kind, spec: &mut Value, assignment: &str) -> Result<(), Failure> {
    let refuse = |error: String| Failure::usage(format!("--set: {error}"));
    let (path, text) = values::pair(assignment).map_err(refuse)?;
    let path = FieldPath::parse(path.strip_prefix("spec.").unwrap_or(path));
    let value = match Field::root(kind.definition().spec_schema()).find(&path) {
        Ok(field) => values::of_field(field, text).map_err(refuse)?,
        // Reading the object says that there is no such field, and which there are.
        Err(_) => values::plain(text),
    };
    values::put(spec, &path, value).map_err(refuse)
}
