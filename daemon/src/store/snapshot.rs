//! Every object, parsed, in memory: what the reconciler and the data planes look at. No SQL and no parsing per look.
//!
//! A snapshot never changes. The feed makes the next one from it, copying only the shards that the change is in, so that
//! holding one for long costs nobody anything.

use std::any::Any;
use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use orch_shared::kind::{AnySpec, Kind, Spec, downcast};
use orch_shared::name::ObjectRef;
use orch_shared::resource::{Metadata, Owner, Resource, Timestamp};

use super::{Error, Row};

/// One object, parsed.
#[derive(Debug)]
pub struct Object {
    /// Kind, scope and name.
    pub object: ObjectRef,
    /// Its uid.
    pub uid: Arc<str>,
    /// Counts changes of what the user owns.
    pub generation: i64,
    /// Position in the change log of the last change.
    pub revision: i64,
    /// Name, labels, annotations.
    pub metadata: Metadata,
    /// The spec, as written.
    pub spec: Box<dyn AnySpec>,
    /// JSON text of the reconciler's part of status.
    pub status_text: String,
    /// The apply set it belongs to.
    pub apply_set: Option<String>,
    /// The object it belongs to.
    pub owner: Option<Owner>,
    /// Since when it is being deleted.
    pub deleting_since: Option<Timestamp>,
    /// When a restart was last asked for.
    pub restarted_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    status: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Object {
    /// Parses a row.
    ///
    /// # Errors
    /// When the row was written by a newer version of the daemon, or by hand.
    pub fn parse(row: &Row) -> Result<Self, Error> {
        let unreadable = |error| Error::broken(format!("the stored {} cannot be read: {error}", row.object));
        Ok(Self {
            object: row.object.clone(),
            uid: row.uid.as_str().into(),
            generation: row.generation,
            revision: row.revision,
            metadata: serde_json::from_str(&row.metadata).map_err(unreadable)?,
            spec: row
                .object
                .kind
                .definition()
                .parse_stored(&row.spec)
                .map_err(unreadable)?,
            status_text: row.status.clone(),
            apply_set: row.apply_set.clone(),
            owner: row.owner.clone(),
            deleting_since: row.deleting_since,
            restarted_at: row.restarted_at,
            created_at: row.created_at,
            status: OnceLock::new(),
        })
    }

    /// What the user wrote.
    #[must_use]
    pub fn into_resource(self) -> Resource {
        Resource {
            kind: self.object.kind,
            metadata: self.metadata,
            spec: self.spec,
        }
    }

    /// The spec as its type, when it is of that kind.
    #[must_use]
    pub fn spec<S: Spec>(&self) -> Option<&S> {
        downcast(self.spec.as_ref())
    }

    /// The status as the type of that kind, parsed once; `None` when the object is of another kind, or its status cannot
    /// be read.
    #[must_use]
    pub fn status<S: Spec>(&self) -> Option<&S::Status> {
        self.spec::<S>()?;
        let parsed = self
            .status
            .get_or_init(|| Box::new(serde_json::from_str::<S::Status>(&self.status_text).ok()));
        parsed.downcast_ref::<Option<S::Status>>()?.as_ref()
    }
}

/// All objects at one revision. Cheap to clone; never changes.
#[derive(Debug, Clone)]
pub struct Snapshot(Arc<Contents>);

#[derive(Debug, Clone)]
struct Contents {
    revision: i64,
    by_uid: Shards<ByUid>,
    by_name: Vec<Shards<ByName>>,
    families: Shards<Family>,
    count: usize,
    /// By kind, a revision at which nothing of it had changed since; [`i64::MAX`] while the next one is put together.
    settled: Vec<i64>,
}

impl Snapshot {
    /// The snapshot of an empty store.
    pub(super) fn empty() -> Self {
        Self(Arc::new(Contents {
            revision: 0,
            by_uid: Shards::default(),
            by_name: vec![Shards::default(); Kind::ALL.len()],
            families: Shards::default(),
            count: 0,
            settled: vec![0; Kind::ALL.len()],
        }))
    }

    /// The revision it shows.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.0.revision
    }

    /// One object by uid.
    #[must_use]
    pub fn by_uid(&self, uid: &str) -> Option<&Arc<Object>> {
        self.0.by_uid.get(uid).map(|ByUid(object)| object)
    }

    /// One object by kind, scope and name.
    #[must_use]
    pub fn get(&self, object: &ObjectRef) -> Option<&Arc<Object>> {
        self.0.by_name[object.kind as usize]
            .get(object)
            .map(|ByName(object)| object)
    }

    /// The objects of a kind, in no order that means anything.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Arc<Object>> {
        self.0.by_name[kind as usize].iter().map(|ByName(object)| object)
    }

    /// The objects that belong to the object with that uid, by kind, scope and name.
    #[must_use]
    pub fn owned_by(&self, uid: &str) -> &[Arc<Object>] {
        self.0.families.get(uid).map_or(&[], |family| &family.members)
    }

    /// Every object, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.0.by_uid.iter().map(|ByUid(object)| object)
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.count == 0
    }

    /// Tells states of all objects of a kind apart: as long as it is the same, none of them has changed.
    #[must_use]
    pub fn state_of(&self, kind: Kind) -> i64 {
        self.0.settled[kind as usize]
    }

    /// Notes that everything up to that revision is in.
    pub(super) fn advance(&mut self, revision: i64) {
        let contents = Arc::make_mut(&mut self.0);
        contents.revision = revision;
        for settled in contents.settled.iter_mut().filter(|settled| **settled == i64::MAX) {
            *settled = revision;
        }
    }

    /// Notes that everything up to that revision is in, and that nobody knows what has changed before.
    pub(super) fn settle(&mut self, revision: i64) {
        self.advance(revision);
        Arc::make_mut(&mut self.0).settled.fill(revision);
    }

    /// Puts an object in, in place of its earlier state.
    pub(super) fn put(&mut self, object: Object) {
        let object = Arc::new(object);
        self.take(&object.uid.clone());
        let contents = Arc::make_mut(&mut self.0);
        contents.settled[object.object.kind as usize] = i64::MAX;
        if let Some(owner) = &object.owner {
            let mut family = contents
                .families
                .take(owner.uid.as_str())
                .unwrap_or_else(|| Family::of(&owner.uid));
            family.members.push(Arc::clone(&object));
            family.members.sort_by(|one, other| one.object.cmp(&other.object));
            contents.families.put(family);
        }
        contents.by_name[object.object.kind as usize].put(ByName(Arc::clone(&object)));
        contents.by_uid.put(ByUid(object));
        contents.count += 1;
    }

    /// Takes an object out.
    pub(super) fn take(&mut self, uid: &str) {
        let contents = Arc::make_mut(&mut self.0);
        let Some(ByUid(object)) = contents.by_uid.take(uid) else {
            return;
        };
        contents.count -= 1;
        contents.settled[object.object.kind as usize] = i64::MAX;
        let names = &mut contents.by_name[object.object.kind as usize];
        // Another object may have the name by now.
        if names
            .get(&object.object)
            .is_some_and(|ByName(named)| named.uid == object.uid)
        {
            names.take(&object.object);
        }
        if let Some(mut family) = object
            .owner
            .as_ref()
            .and_then(|owner| contents.families.take(owner.uid.as_str()))
        {
            family.members.retain(|member| member.uid != object.uid);
            if !family.members.is_empty() {
                contents.families.put(family);
            }
        }
    }
}

/// A set in parts, of which copies share those that do not differ.
#[derive(Debug, Clone)]
struct Shards<T>(Vec<Arc<HashSet<T>>>);

const SHARDS: usize = 64;

impl<T> Default for Shards<T> {
    fn default() -> Self {
        let empty = Arc::default();
        Self(vec![empty; SHARDS])
    }
}

impl<T: Hash + Eq + Clone> Shards<T> {
    fn index<K: Hash + ?Sized>(key: &K) -> usize {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        // Less than SHARDS, so no bit is lost.
        usize::try_from(hasher.finish() % SHARDS as u64).unwrap_or(0)
    }

    fn get<K: Hash + Eq + ?Sized>(&self, key: &K) -> Option<&T>
    where
        T: Borrow<K>,
    {
        self.0[Self::index(key)].get(key)
    }

    fn put(&mut self, item: T) {
        Arc::make_mut(&mut self.0[Self::index(&item)]).replace(item);
    }

    fn take<K: Hash + Eq + ?Sized>(&mut self, key: &K) -> Option<T>
    where
        T: Borrow<K>,
    {
        let shard = &mut self.0[Self::index(key)];
        if shard.contains(key) {
            Arc::make_mut(shard).take(key)
        } else {
            None
        }
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|shard| shard.iter())
    }
}

/// Implements equality, hash and lookup of an item by its key.
macro_rules! keyed {
    ($item:ty, $key:ty, |$this:ident| $by:expr) => {
        impl Borrow<$key> for $item {
            fn borrow(&self) -> &$key {
                let $this = self;
                $by
            }
        }

        impl PartialEq for $item {
            fn eq(&self, other: &Self) -> bool {
                Borrow::<$key>::borrow(self) == Borrow::<$key>::borrow(other)
            }
        }

        impl Eq for $item {}

        impl Hash for $item {
            fn hash<H: Hasher>(&self, state: &mut H) {
                Borrow::<$key>::borrow(self).hash(state);
            }
        }
    };
}

#[derive(Debug, Clone)]
struct ByUid(Arc<Object>);

#[derive(Debug, Clone)]
struct ByName(Arc<Object>);

/// The objects that belong to one.
#[derive(Debug, Clone)]
struct Family {
    owner: Arc<str>,
    members: Vec<Arc<Object>>,
}

impl Family {
    fn of(owner: &str) -> Self {
        Self {
            owner: owner.into(),
            members: Vec::new(),
        }
    }
}

keyed!(ByUid, str, |item| &item.0.uid);
keyed!(ByName, ObjectRef, |item| &item.0.object);
keyed!(Family, str, |item| &item.owner);

#[cfg(test)]
mod tests {
    use super::*;

    fn object(uid: &str, name: &str, owner: Option<&str>, revision: i64) -> Object {
        let server = |name: &str| ObjectRef::cluster(Kind::Server, name.parse().unwrap());
        let owner = owner.map(|uid| Owner {
            kind: Kind::Server,
            name: "owner".parse().unwrap(),
            uid: uid.to_owned(),
        });
        Object::parse(&Row {
            uid: uid.to_owned(),
            object: server(name),
            generation: 1,
            revision,
            created_revision: 1,
            metadata: format!(r#"{{"name":"{name}"}}"#),
            spec: r#"{"command":["x"]}"#.to_owned(),
            status: "{}".to_owned(),
            apply_set: None,
            owner,
            deleting_since: None,
            restarted_at: None,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        })
        .unwrap()
    }

    fn members(snapshot: &Snapshot, owner: &str) -> Vec<String> {
        snapshot
            .owned_by(owner)
            .iter()
            .map(|object| object.object.name.to_string())
            .collect()
    }

    #[test]
    fn every_way_in_finds_the_same_objects() {
        let mut snapshot = Snapshot::empty();
        snapshot.put(object("u1", "owner", None, 1));
        snapshot.put(object("u2", "b", Some("u1"), 2));
        snapshot.put(object("u3", "a", Some("u1"), 3));
        let earlier = snapshot.clone();

        snapshot.put(object("u2", "b", Some("u1"), 4));
        assert_eq!(members(&snapshot, "u1"), ["a", "b"]);
        assert_eq!(
            (
                snapshot.by_uid("u2").unwrap().revision,
                earlier.by_uid("u2").unwrap().revision
            ),
            (4, 2)
        );
        assert_eq!(
            (
                snapshot.len(),
                snapshot.iter().count(),
                snapshot.of_kind(Kind::Server).count()
            ),
            (3, 3, 3)
        );
        assert_eq!(snapshot.of_kind(Kind::Llm).count(), 0);

        // The name is taken by another object before the first is told to be gone.
        snapshot.put(object("u4", "a", None, 5));
        snapshot.take("u3");
        let named = ObjectRef::cluster(Kind::Server, "a".parse().unwrap());
        assert_eq!(&*snapshot.get(&named).unwrap().uid, "u4");
        assert_eq!(members(&snapshot, "u1"), ["b"]);
        assert_eq!(members(&earlier, "u1"), ["a", "b"]);

        snapshot.take("u2");
        snapshot.take("no such uid");
        assert_eq!((members(&snapshot, "u1").len(), snapshot.len()), (0, 2));
    }
}
