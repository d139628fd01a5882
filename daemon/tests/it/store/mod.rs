//! The store, on both databases: the same tests, except where a database has a failure of its own.

mod audit;
mod concurrency;
mod failures;
mod feed;
mod leases;
mod model;
mod opening;
mod past;
mod sessions;
mod story;
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use orch_daemon::clock::{CountedIds, ManualClock};
use orch_daemon::store::{
    Create, Database, Declared, Engine, Error, Generations, Mutation, Options, Row, Store, Update,
};
use orch_shared::access::Visibility;
use orch_shared::kind::{Kind, Reference};
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::path::FieldPath;
use orch_shared::resource::{Owner, Timestamp};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::postgres;

/// A running store, and what it stands on.
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) database: Database,
    shutdown: CancellationToken,
    engine: JoinHandle<()>,
    ground: Ground,
}

/// What a store stands on; gone when the last house on it is.
type Ground = Arc<dyn Send + Sync>;

/// The options of tests: a clock that stands still, ids that count.
pub(crate) fn options(clock: &Arc<ManualClock>) -> Options {
    Options::new(clock.clone(), Arc::new(CountedIds::default()))
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_millis(1_790_000_000_000)))
}

/// A store on each database that there is, with the options that `adapt` makes.
async fn houses(adapt: impl Fn(&mut Options)) -> Vec<House> {
    let mut houses = vec![sqlite(&adapt).await];
    houses.extend(postgres(&adapt).await);
    houses
}

async fn sqlite(adapt: impl Fn(&mut Options)) -> House {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let database = Database::Sqlite(directory.path().join("data"));
    House::open(database, Arc::new(directory), clock(), adapt).await
}

async fn postgres(adapt: impl Fn(&mut Options)) -> Option<House> {
    let server = postgres::server()?;
    Some(House::open(Database::Postgres(server.database()), server, clock(), adapt).await)
}

impl House {
    async fn open(database: Database, ground: Ground, clock: Arc<ManualClock>, adapt: impl Fn(&mut Options)) -> Self {
        let mut options = options(&clock);
        adapt(&mut options);
        let (store, engine): (Store, Engine) = Store::open(database.clone(), options).await.expect("the store opens");
        let shutdown = CancellationToken::new();
        let engine = tokio::spawn(engine.run(shutdown.clone()));
        Self {
            store,
            clock,
            database,
            shutdown,
            engine,
            ground,
        }
    }

    /// Another store on the same database, beside this one.
    async fn beside(&self) -> Self {
        Self::open(self.database.clone(), self.ground.clone(), self.clock.clone(), |_| {}).await
    }

    /// Closes the store and opens it again.
    async fn reopen(self) -> Self {
        let (database, ground, clock) = (self.database.clone(), self.ground.clone(), self.clock.clone());
        self.close().await;
        Self::open(database, ground, clock, |_| {}).await
    }

    async fn close(self) {
        self.shutdown.cancel();
        self.engine.await.expect("the engine ends");
    }

    fn name(&self) -> &'static str {
        self.store.database()
    }
}

fn server(name: &str) -> ObjectRef {
    ObjectRef::cluster(Kind::Server, name.parse().expect("a name"))
}

fn prompt(project: &str, name: &str) -> ObjectRef {
    ObjectRef {
        kind: Kind::Prompt,
        scope: Scope::Project(project.parse().expect("a name")),
        name: name.parse().expect("a name"),
    }
}

/// What a user might have written of that object: `mark` makes one unlike another.
fn declared(object: &ObjectRef, mark: &str, labels: &[(&str, &str)]) -> Declared {
    let labels: BTreeMap<String, String> = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut metadata = serde_json::json!({"name": object.name});
    match &object.scope {
        Scope::Cluster => {}
        Scope::Project(project) => metadata["project"] = serde_json::json!(project),
        Scope::Agent(agent) => metadata["agent"] = serde_json::json!(agent),
    }
    if !labels.is_empty() {
        metadata["labels"] = serde_json::json!(labels);
    }
    let spec = match object.kind {
        Kind::Prompt => serde_json::json!({"content": mark}),
        Kind::PromptRequest => serde_json::json!({"prompt": "tone", "content": mark}),
        _ => serde_json::json!({"command": [mark]}),
    };
    Declared {
        metadata: metadata.to_string(),
        spec: spec.to_string(),
        labels,
        references: Vec::new(),
    }
}

/// Its uid in these tests: what it is.
fn uid(object: &ObjectRef) -> String {
    format!("uid of {object}")
}

fn create(object: &ObjectRef, mark: &str) -> Mutation {
    create_with(object, declared(object, mark, &[]), None, None)
}

fn create_with(object: &ObjectRef, declared: Declared, set: Option<&str>, owner: Option<&ObjectRef>) -> Mutation {
    Mutation::Create(Box::new(Create {
        object: object.clone(),
        uid: uid(object),
        declared,
        apply_set: set.map(str::to_owned),
        owner: owner.map(|owner| Owner {
            kind: owner.kind,
            name: owner.name.clone(),
            uid: uid(owner),
        }),
        verb: "create".to_owned(),
    }))
}

fn update(object: &ObjectRef, expect_generation: i64, mark: &str) -> Mutation {
    Mutation::Update(Box::new(Update {
        uid: uid(object),
        expect_generation,
        declared: declared(object, mark, &[]),
        apply_set: None,
        generation: Generations::Next,
        verb: "apply".to_owned(),
    }))
}

fn status(object: &ObjectRef, text: &str) -> Mutation {
    Mutation::Status {
        uid: uid(object),
        status: text.to_owned(),
    }
}

fn remove(object: &ObjectRef) -> Mutation {
    Mutation::Remove { uid: uid(object) }
}

fn reference(target: &ObjectRef, path: &str) -> Reference {
    Reference {
        target: target.clone(),
        key: None,
        path: FieldPath::parse(path),
    }
}

impl House {
    /// One write.
    async fn mutate(&self, mutations: Vec<Mutation>) -> Result<Vec<i64>, Error> {
        self.store
            .write(move |transaction| Box::pin(async move { transaction.mutate(mutations, "tester").await }))
            .await
    }

    async fn done(&self, mutations: Vec<Mutation>) -> Vec<i64> {
        self.mutate(mutations).await.expect("the write is committed")
    }

    async fn get(&self, object: &ObjectRef) -> Option<Row> {
        let found = self.store.get(
            &Visibility::Everything,
            object.kind,
            &object.scope,
            object.name.as_str(),
        );
        found.await.expect("the database answers")
    }
}

/// Asks again and again until the answer is yes.
async fn eventually(what: &str, mut asked: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if asked().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never happened: {what}");
}
