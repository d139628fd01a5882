//! What a kind is: the trait that a kind's file implements, and the erased form that everything generic works with.
//!
//! The `kinds!` list in [`crate::kinds`] turns each implementation of [`Spec`] into a [`Definition`]. Routes, tables,
//! completions, schemas and apply order are read from there; nothing outside a kind's own file knows its fields, unless
//! it acts on them.

use std::any::Any;
use std::fmt;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use crate::kinds::Kind;
use crate::name::{Name, ObjectRef, Scope};
use crate::path::FieldPath;
use crate::problem::{Code, FieldProblem};
use crate::schema::{self, Echo};

/// What never changes about a kind.
#[derive(Debug)]
pub struct Meta {
    /// `server`: how one is called, on the command line and in messages.
    pub singular: &'static str,
    /// `servers`: the REST collection and the usual noun of `get`.
    pub plural: &'static str,
    /// Shorter nouns the command line accepts.
    pub short: &'static [&'static str],
    /// Where objects of this kind may live. Never empty.
    pub scopes: &'static [ScopeType],
    /// Who makes objects of this kind.
    pub maker: Maker,
    /// The columns of `get`, between NAME and AGE.
    pub columns: &'static [Column],
    /// What else can be done to one, beyond create, replace, patch and delete.
    pub actions: &'static [Action],
    /// How objects of this kind go.
    pub removal: Removal,
    /// Longest name, in characters.
    pub name_max: usize,
    /// The kinds that objects of this kind refer to. From these follow apply order and law tests.
    pub refers_to: &'static [Kind],
}

/// Where objects of a kind may live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeType {
    /// In the cluster: no scope in the metadata.
    Cluster,
    /// In a project: `metadata.project`.
    Project,
    /// With an agent: `metadata.agent`.
    Agent,
}

impl ScopeType {
    /// The type of that scope.
    #[must_use]
    pub const fn of(scope: &Scope) -> Self {
        match scope {
            Scope::Cluster => Self::Cluster,
            Scope::Project(_) => Self::Project,
            Scope::Agent(_) => Self::Agent,
        }
    }
}

/// Who makes objects of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// People, by apply and create.
    User,
    /// The daemon, while it reconciles or serves clients; people may read and delete them.
    Daemon,
}

/// How an object goes when it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// With the request.
    AtOnce,
    /// Marked first; the reconciler stops what it runs, and then removes it.
    AfterCleanup,
}

/// Something that can be done to an object: `POST .../{name}/{action}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Back to an earlier generation of the spec.
    Rollback,
    /// Another number of replicas.
    Scale,
    /// The same, started afresh.
    Restart,
    /// Another credential in the place of the one in use.
    Rotate,
    /// Of no use from now on, but still to be seen.
    Revoke,
    /// Allowed to start builds.
    AllowTrigger,
    /// What is proposed is made so.
    Approve,
    /// What is proposed is not made so.
    Reject,
}

impl Action {
    /// Every action.
    pub const ALL: &'static [Self] = &[
        Self::Rollback,
        Self::Scale,
        Self::Restart,
        Self::Rotate,
        Self::Revoke,
        Self::AllowTrigger,
        Self::Approve,
        Self::Reject,
    ];

    /// The last segment of the action's route.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Scale => "scale",
            Self::Restart => "restart",
            Self::Rotate => "rotate",
            Self::Revoke => "revoke",
            Self::AllowTrigger => "allow-trigger",
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

/// One column of a table.
#[derive(Debug)]
pub struct Column {
    /// The heading, in capitals.
    pub title: &'static str,
    /// What the cell shows.
    pub cell: Cell,
    /// When the column is shown.
    pub shown: Shown,
}

/// What a cell shows. Texts are field paths into the whole object, in its effective form.
#[derive(Debug)]
pub enum Cell {
    /// The field as text.
    Field(&'static str),
    /// `1/2`: two numbers.
    Ratio(&'static str, &'static str),
    /// How long ago an instant was.
    Age(&'static str),
    /// How long it is until an instant, which has perhaps passed; absent is never.
    Until(&'static str),
    /// How many elements or members a field has.
    Count(&'static str),
    /// The elements of a list, joined by commas.
    List(&'static str),
    /// The message of the first condition that explains why the object is not well; empty when it is.
    Trouble,
}

impl Cell {
    /// The fields the cell reads.
    #[must_use]
    pub fn paths(&self) -> Vec<&'static str> {
        match self {
            Self::Field(path) | Self::Age(path) | Self::Until(path) | Self::Count(path) | Self::List(path) => {
                vec![path]
            }
            Self::Ratio(part, whole) => vec![part, whole],
            Self::Trouble => vec!["status.conditions"],
        }
    }
}

/// When a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// In every table.
    Always,
    /// With `-o wide`.
    Wide,
}

impl Column {
    /// A column of every table.
    #[must_use]
    pub const fn new(title: &'static str, cell: Cell) -> Self {
        Self {
            title,
            cell,
            shown: Shown::Always,
        }
    }

    /// A column of wide tables.
    #[must_use]
    pub const fn wide(title: &'static str, cell: Cell) -> Self {
        Self {
            title,
            cell,
            shown: Shown::Wide,
        }
    }
}

/// That one object names another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The object named.
    pub target: ObjectRef,
    /// The key within it that must exist, for references into a Secret.
    pub key: Option<String>,
    /// Where the name is written: `spec.env[0].valueFrom.secretRef`.
    pub path: FieldPath,
}

impl Reference {
    /// A reference from the field at `path` (below `spec`) to an object in the cluster scope.
    #[must_use]
    pub fn to(kind: Kind, name: &Name, path: &str) -> Self {
        let path = FieldPath::root().key("spec").join(&FieldPath::parse(path));
        Self {
            target: ObjectRef::cluster(kind, name.clone()),
            key: None,
            path,
        }
    }

    /// The same reference, to one key of the object.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }
}

/// A field that is understood and kept, but not acted on by this version of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// The field: `spec.tools.allow`.
    pub path: &'static str,
    /// What ignoring it means.
    pub hazard: Hazard,
}

/// What it means that a field is not acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hazard {
    /// Something is missing; what is there is safe. `Implemented=False` says so.
    Harmless,
    /// The user counts on a protection or a place that is not there: the object must not become Ready.
    Unsafe,
}

/// A secret value inside a spec, open to be sealed in place.
#[derive(Debug)]
pub struct SecretValue<'s> {
    /// The key that is bound into the seal.
    pub key: &'s str,
    /// The value: plaintext or sealed.
    pub value: &'s mut String,
}

/// A kind's spec. The implementing type is the kind; its file says everything about it.
///
/// Laws, held by tests over every kind: the type denies unknown fields; each field has a doc comment; printing and
/// parsing gives the same value; `effective` is idempotent; columns point at fields that exist.
pub trait Spec:
    Serialize + DeserializeOwned + JsonSchema + Clone + PartialEq + fmt::Debug + Send + Sync + 'static
{
    /// What the reconciler reports for this kind, beside identity and timestamps, which the store adds.
    type Status: Serialize + DeserializeOwned + JsonSchema + Clone + PartialEq + Default + fmt::Debug + Send + Sync;

    /// The facts about the kind.
    const META: Meta;

    /// What problems with a spec may repeat of it: with secret values, nothing.
    const ECHO: Echo = Echo::Values;

    /// Rules that a schema cannot say. Paths are below `spec`.
    fn validate(&self, _report: &mut Report) {}

    /// The objects this one names.
    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }

    /// The spec with every default filled in. Pure, idempotent, never stored.
    #[must_use]
    fn effective(&self) -> Self {
        self.clone()
    }

    /// Values that must be sealed before they are stored or shown.
    fn secret_values(&mut self) -> Vec<SecretValue<'_>> {
        Vec::new()
    }

    /// Fields in use that this version does not act on yet.
    fn pending(&self) -> Vec<Pending> {
        Vec::new()
    }

    /// Whether a reference to `key` of this object finds something there.
    fn has_key(&self, _key: &str) -> bool {
        false
    }

    /// The keys a reference may name, for near misses.
    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Rules that need the objects this one names. They are there: missing references were told already.
    fn validate_with(&self, _others: &dyn Lookup, _report: &mut Report) {}

    /// Sets the number of replicas; `false` for a kind that has none.
    fn scale(&mut self, _replicas: u32) -> bool {
        false
    }
}

/// Finds the specs of other objects, as they are or are about to be.
pub trait Lookup {
    /// The spec of that object, when there is one.
    fn spec(&self, object: &ObjectRef) -> Option<&dyn AnySpec>;
}

/// Collects what is wrong with a spec.
#[derive(Debug, Default)]
pub struct Report(Vec<FieldProblem>);

impl Report {
    /// Notes that the value at `path` (below `spec`, as people write it) is not allowed.
    pub fn invalid(&mut self, path: &str, message: impl Into<String>) -> &mut Self {
        self.push(Code::InvalidValue, path, message)
    }

    /// Notes that a field that is needed here is not there.
    pub fn missing(&mut self, path: &str, message: impl Into<String>) -> &mut Self {
        self.push(Code::MissingField, path, message)
    }

    /// Adds a way out to the problem noted last.
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        if let Some(last) = self.0.last_mut() {
            last.hint = Some(hint.into());
        }
        self
    }

    fn push(&mut self, code: Code, path: &str, message: impl Into<String>) -> &mut Self {
        let path = FieldPath::root().key("spec").join(&FieldPath::parse(path));
        self.0.push(FieldProblem::new(code, path, message));
        self
    }

    /// Whether nothing was noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over what another report noted.
    pub fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// What was noted, in order.
    #[must_use]
    pub fn into_problems(self) -> Vec<FieldProblem> {
        self.0
    }
}

/// A spec of some kind, without its type. Implemented for every [`Spec`]; use [`downcast`] to get the type back.
pub trait AnySpec: fmt::Debug + Send + Sync {
    /// The canonical JSON text: what is stored, served and compared byte by byte.
    fn to_json(&self) -> String;
    /// The canonical JSON value.
    fn to_value(&self) -> Value;
    /// The same with defaults filled in.
    fn effective(&self) -> Box<dyn AnySpec>;
    /// Whether both mean the same: equal effective forms.
    fn means_the_same(&self, other: &dyn AnySpec) -> bool;
    /// See [`Spec::references`].
    fn references(&self) -> Vec<Reference>;
    /// See [`Spec::secret_values`].
    fn secret_values(&mut self) -> Vec<SecretValue<'_>>;
    /// See [`Spec::pending`].
    fn pending(&self) -> Vec<Pending>;
    /// See [`Spec::has_key`].
    fn has_key(&self, key: &str) -> bool;
    /// See [`Spec::keys`].
    fn keys(&self) -> Vec<&str>;
    /// See [`Spec::validate_with`].
    fn validate_with(&self, others: &dyn Lookup, report: &mut Report);
    /// See [`Spec::scale`].
    fn scale(&mut self, replicas: u32) -> bool;
    /// For [`downcast`].
    fn as_any(&self) -> &dyn Any;
    /// A copy.
    fn boxed(&self) -> Box<dyn AnySpec>;
}

impl<S: Spec> AnySpec for S {
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a spec is plain data")
    }

    fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("a spec is plain data")
    }

    fn effective(&self) -> Box<dyn AnySpec> {
        Box::new(Spec::effective(self))
    }

    fn means_the_same(&self, other: &dyn AnySpec) -> bool {
        other
            .as_any()
            .downcast_ref::<S>()
            .is_some_and(|other| Spec::effective(self) == Spec::effective(other))
    }

    fn references(&self) -> Vec<Reference> {
        Spec::references(self)
    }

    fn secret_values(&mut self) -> Vec<SecretValue<'_>> {
        Spec::secret_values(self)
    }

    fn pending(&self) -> Vec<Pending> {
        Spec::pending(self)
    }

    fn has_key(&self, key: &str) -> bool {
        Spec::has_key(self, key)
    }

    fn keys(&self) -> Vec<&str> {
        Spec::keys(self)
    }

    fn validate_with(&self, others: &dyn Lookup, report: &mut Report) {
        Spec::validate_with(self, others, report);
    }

    fn scale(&mut self, replicas: u32) -> bool {
        Spec::scale(self, replicas)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn boxed(&self) -> Box<dyn AnySpec> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn AnySpec> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}

/// The typed spec behind an erased one, when it is of that kind.
#[must_use]
pub fn downcast<S: Spec>(spec: &dyn AnySpec) -> Option<&S> {
    spec.as_any().downcast_ref()
}

/// A spec that somebody wrote, or everything that is wrong with it.
pub type Parsed = Result<Box<dyn AnySpec>, Vec<FieldProblem>>;

/// A kind without its type: facts and functions.
pub struct Definition {
    /// Which kind.
    pub kind: Kind,
    /// `Server`: the name in manifests.
    pub name: &'static str,
    /// The facts.
    pub meta: &'static Meta,
    echo: Echo,
    parse: fn(&Value) -> Parsed,
    trusted: fn(&str) -> Result<Box<dyn AnySpec>, serde_json::Error>,
    spec_schema: fn() -> Value,
    status_schema: fn() -> Value,
    compiled: OnceLock<(Value, Value)>,
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Definition").field(&self.name).finish()
    }
}

impl Definition {
    /// The definition of the kind that `S` implements.
    #[must_use]
    pub const fn of<S: Spec>(kind: Kind, name: &'static str) -> Self {
        Self {
            kind,
            name,
            meta: &S::META,
            echo: S::ECHO,
            parse: parse::<S>,
            trusted: trusted::<S>,
            spec_schema: schema_of::<S>,
            status_schema: schema_of::<S::Status>,
            compiled: OnceLock::new(),
        }
    }

    /// Reads a spec that somebody wrote. Paths in problems start at the object: `spec.env[0]`.
    ///
    /// # Errors
    /// Every problem there is, not just the first: unknown and missing fields, wrong types, values that are not allowed.
    pub fn parse(&self, spec: &Value) -> Parsed {
        (self.parse)(spec)
    }

    /// Reads a spec that this daemon stored: no rule is checked again.
    ///
    /// # Errors
    /// When the text is not of this kind: it was written by a newer version, or the database was edited by hand.
    pub fn parse_stored(&self, spec: &str) -> Result<Box<dyn AnySpec>, serde_json::Error> {
        (self.trusted)(spec)
    }

    /// See [`Spec::ECHO`].
    #[must_use]
    pub const fn echo(&self) -> Echo {
        self.echo
    }

    /// JSON Schema (2020-12) of the spec.
    #[must_use]
    pub fn spec_schema(&self) -> &Value {
        &self.schemas().0
    }

    /// JSON Schema (2020-12) of what the reconciler reports.
    #[must_use]
    pub fn status_schema(&self) -> &Value {
        &self.schemas().1
    }

    fn schemas(&self) -> &(Value, Value) {
        self.compiled
            .get_or_init(|| ((self.spec_schema)(), (self.status_schema)()))
    }

    /// Every noun that means this kind: plural, singular, short names.
    pub fn nouns(&self) -> impl Iterator<Item = &'static str> {
        [self.meta.plural, self.meta.singular]
            .into_iter()
            .chain(self.meta.short.iter().copied())
    }
}

fn parse<S: Spec>(spec: &Value) -> Parsed {
    static ROOT: OnceLock<FieldPath> = OnceLock::new();
    let root = ROOT.get_or_init(|| FieldPath::root().key("spec"));
    let definition = crate::kinds::definition_of::<S>();
    let problems = schema::check(definition.spec_schema(), spec, root, S::ECHO);
    if !problems.is_empty() {
        return Err(problems);
    }
    let typed: S = serde_json::from_value(spec.clone())
        .map_err(|error| vec![FieldProblem::new(Code::InvalidValue, root.clone(), error.to_string())])?;
    let mut report = Report::default();
    typed.validate(&mut report);
    match report.into_problems() {
        problems if problems.is_empty() => Ok(Box::new(typed)),
        problems => Err(problems),
    }
}

fn trusted<S: Spec>(spec: &str) -> Result<Box<dyn AnySpec>, serde_json::Error> {
    Ok(Box::new(serde_json::from_str::<S>(spec)?))
}

pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    schemars::generate::SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
