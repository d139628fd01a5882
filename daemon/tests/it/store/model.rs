//! Random sequences of mutations, against a model that is too simple to be wrong.

use proptest::prelude::*;

use super::*;

/// One step: several mutations in one write.
type Step = Vec<Deed>;

#[derive(Debug, Clone)]
enum Deed {
    Create(u8, u8),
    Update(u8, i64, u8),
    Status(u8, u8),
    MarkDeleting(u8),
    Remove(u8),
}

/// An object as the model knows it.
#[derive(Debug, Clone, PartialEq)]
struct Modelled {
    generation: i64,
    revision: i64,
    created_revision: i64,
    spec: String,
    status: String,
    deleting: bool,
    history: Vec<(i64, String)>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    revision: i64,
    objects: BTreeMap<u8, Modelled>,
}

fn object(number: u8) -> ObjectRef {
    server(&format!("s{number}"))
}

fn spec(mark: u8) -> String {
    declared(&object(0), &mark.to_string(), &[]).spec
}

fn status_text(mark: u8) -> String {
    if mark == 0 {
        "{}".to_owned()
    } else {
        format!(r#"{{"phase":"{mark}"}}"#)
    }
}

impl Deed {
    fn mutation(&self) -> Mutation {
        match self {
            Self::Create(number, mark) => create(&object(*number), &mark.to_string()),
            Self::Update(number, expect, mark) => update(&object(*number), *expect, &mark.to_string()),
            Self::Status(number, mark) => status(&object(*number), &status_text(*mark)),
            Self::MarkDeleting(number) => Mutation::MarkDeleting {
                uid: uid(&object(*number)),
            },
            Self::Remove(number) => remove(&object(*number)),
        }
    }

    /// Does the deed to the model; `None` when it is refused.
    fn model(&self, model: &mut Model) -> Option<()> {
        let next = model.revision + 1;
        match self {
            Self::Create(number, mark) => {
                if model.objects.contains_key(number) {
                    return None;
                }
                let made = Modelled {
                    generation: 1,
                    revision: next,
                    created_revision: next,
                    spec: spec(*mark),
                    status: "{}".to_owned(),
                    deleting: false,
                    history: vec![(1, spec(*mark))],
                };
                model.objects.insert(*number, made);
            }
            Self::Update(number, expect, mark) => {
                let object = model
                    .objects
                    .get_mut(number)
                    .filter(|object| object.generation == *expect)?;
                object.generation += 1;
                object.revision = next;
                object.spec = spec(*mark);
                object.history.push((object.generation, spec(*mark)));
            }
            Self::Status(number, mark) => {
                let object = model.objects.get_mut(number)?;
                if object.status == status_text(*mark) {
                    return Some(());
                }
                object.status = status_text(*mark);
                object.revision = next;
            }
            Self::MarkDeleting(number) => {
                let object = model.objects.get_mut(number)?;
                if object.deleting {
                    return Some(());
                }
                object.deleting = true;
                object.revision = next;
            }
            Self::Remove(number) => {
                model.objects.remove(number)?;
            }
        }
        model.revision = next;
        Some(())
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    let number = 0..4_u8;
    prop_oneof![
        4 => (number.clone(), 0..9_u8).prop_map(|(number, mark)| Deed::Create(number, mark)),
        4 => (number.clone(), 1..4_i64, 0..9_u8).prop_map(|(number, expect, mark)| Deed::Update(number, expect, mark)),
        3 => (number.clone(), 0..3_u8).prop_map(|(number, mark)| Deed::Status(number, mark)),
        1 => number.clone().prop_map(Deed::MarkDeleting),
        2 => number.prop_map(Deed::Remove),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(prop::collection::vec(deed(), 1..5), 1..20)
}

/// What the store says it holds.
async fn stored(house: &House) -> Model {
    let mut model = Model {
        revision: house.store.revision().await.unwrap(),
        objects: BTreeMap::new(),
    };
    for number in 0..4 {
        let Some(row) = house.get(&object(number)).await else {
            continue;
        };
        let history = house.store.history(&Visibility::Everything, &row.uid).await.unwrap();
        let modelled = Modelled {
            generation: row.generation,
            revision: row.revision,
            created_revision: row.created_revision,
            spec: row.spec,
            status: row.status,
            deleting: row.deleting_since.is_some(),
            history: history
                .into_iter()
                .rev()
                .map(|kept| (kept.generation, kept.spec))
                .collect(),
        };
        model.objects.insert(number, modelled);
    }
    model
}

async fn check(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let house = sqlite(|_| {}).await;
    let mut watch = house.store.watch(None).await.unwrap();
    let mut model = Model::default();
    for step in steps {
        let mut after = model.clone();
        let allowed = step.iter().try_for_each(|deed| deed.model(&mut after)).is_some();
        let done = house.mutate(step.iter().map(Deed::mutation).collect()).await;
        prop_assert_eq!(done.is_ok(), allowed, "{:?}: {:?}", step, done);
        if allowed {
            model = after;
        }
        prop_assert_eq!(&stored(&house).await, &model, "after {:?}", step);
    }
    // The snapshot, and what a watcher has made of all it was told, agree with it.
    let snapshot = house.store.wait_for(model.revision).await;
    let mut watched = BTreeMap::new();
    while watch.position() < model.revision {
        let change = tokio::time::timeout(Duration::from_millis(200), watch.next()).await;
        let Ok(change) = change else { continue };
        let entry = change.unwrap().entry;
        match &entry.row {
            Some(row) => drop(watched.insert(entry.object.clone(), row.revision)),
            None => drop(watched.remove(&entry.object)),
        }
    }
    let expected: BTreeMap<ObjectRef, i64> = model
        .objects
        .iter()
        .map(|(number, modelled)| (object(*number), modelled.revision))
        .collect();
    let shown: BTreeMap<ObjectRef, i64> = snapshot
        .iter()
        .map(|object| (object.object.clone(), object.revision))
        .collect();
    prop_assert_eq!(&shown, &expected);
    prop_assert_eq!(&watched, &expected);
    house.close().await;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_model_does(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(steps))?;
    }
}
