//! Which backends there are, as they will be when a set is written: the set itself over what is stored. From this follow
//! where the values of a Secret belong, and that exactly one backend is the default.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orch_shared::access::{Principal, Role};
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::secret::{Form, Secret};
use orch_shared::kinds::secret_backend::{BackendType, SecretBackend};
use orch_shared::name::{Name, ObjectRef};
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem, Problem};
use orch_shared::resource::Resource;

use super::admitted::Admitted;
use super::permission;
use crate::audit;
use crate::store::{Error, Generations, Mutation, Object, Row, Snapshot, Transaction, Update};

/// Where the values of a Secret belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Home {
    /// In the daemon's own store.
    Here,
    /// In that backend.
    There(Name),
}

/// The backends.
#[derive(Debug, Default)]
pub(super) struct Houses {
    /// Each with its row, as far as it is stored and not replaced by the set.
    all: BTreeMap<Name, SecretBackend>,
    stored: BTreeMap<Name, Row>,
    /// Those of the set.
    declared: BTreeSet<Name>,
}

impl Houses {
    /// Loads them, when there is anything in the set that depends on them.
    pub(super) async fn load(
        transaction: &mut Transaction,
        set: &[Resource],
        going: &[Row],
    ) -> Result<Option<Self>, Error> {
        let concerns = |kind: Kind| matches!(kind, Kind::Secret | Kind::SecretBackend);
        let is_concerned = set.iter().any(|resource| concerns(resource.kind))
            || going.iter().any(|row| row.object.kind == Kind::SecretBackend);
        if !is_concerned {
            return Ok(None);
        }
        let mut houses = Self::default();
        let any = ObjectRef::cluster(Kind::SecretBackend, "any".parse().expect("a name"));
        let names = transaction.names_beside(&any).await?;
        let names = names.into_iter().filter_map(|name| name.parse().ok());
        let objects: Vec<ObjectRef> = names
            .map(|name| ObjectRef::cluster(Kind::SecretBackend, name))
            .collect();
        for row in transaction.load(&objects).await?.into_iter().flatten() {
            let object = Object::parse(&row)?;
            if let Some(spec) = object.spec::<SecretBackend>() {
                houses.all.insert(row.object.name.clone(), spec.clone());
                houses.stored.insert(row.object.name.clone(), row);
            }
        }
        for resource in set {
            if let Some(spec) = downcast::<SecretBackend>(resource.spec.as_ref()) {
                houses.all.insert(resource.metadata.name.clone(), spec.clone());
                houses.declared.insert(resource.metadata.name.clone());
            }
        }
        for row in going.iter().filter(|row| row.object.kind == Kind::SecretBackend) {
            houses.all.remove(&row.object.name);
        }
        Ok(Some(houses))
    }

    fn home(&self, backend: &Name) -> Home {
        match self.all.get(backend).map(|backend| backend.backend_type) {
            Some(BackendType::Openbao) => Home::There(backend.clone()),
            // Whether it is there at all is checked with all references.
            Some(BackendType::Local) | None => Home::Here,
        }
    }

    /// The backend whose token a Secret holds.
    fn opened_by(&self, secret: &Name) -> Option<&Name> {
        let by = |backend: &SecretBackend| backend.token().is_some_and(|token| token.secret_ref.name == *secret);
        self.all.iter().find(|(_, backend)| by(backend)).map(|(name, _)| name)
    }

    /// Where the values of a Secret belong: where it says; else where they are; else in the default backend. What opens a
    /// backend stays here.
    pub(super) fn of(&self, name: &Name, secret: &Secret, live: Option<&Secret>) -> Result<Home, FieldProblem> {
        let declared = secret.backend.as_ref().map(|backend| self.home(backend));
        if let Some(backend) = self.opened_by(name) {
            return match declared {
                Some(Home::There(place)) => {
                    let path = FieldPath::root().key("spec").key("backend");
                    let message = format!(
                        "this Secret holds the token of secretbackend `{backend}`, and would be put into `{place}`"
                    );
                    Err(FieldProblem::new(Code::OwnToken, path, message)
                        .hint("take the field out: the token of a backend lives in the daemon's own store"))
                }
                Some(Home::Here) | None => Ok(Home::Here),
            };
        }
        let lived_in = |secret: &Secret| {
            let values = secret.data.as_ref()?.values();
            let mut places = values.map(|value| match Form::of(value) {
                Form::External { backend, .. } => backend.parse().map_or(Home::Here, Home::There),
                Form::Plain(_) | Form::Sealed { .. } | Form::Malformed => Home::Here,
            });
            places.next()
        };
        let is_from_elsewhere = |home: &Home| *home != Home::Here;
        Ok(declared
            .or_else(|| live.and_then(lived_in))
            .or_else(|| lived_in(secret).filter(is_from_elsewhere))
            .or_else(|| Some(self.home(self.chosen()?)))
            .unwrap_or(Home::Here))
    }

    fn defaults(&self) -> impl Iterator<Item = &Name> {
        self.all
            .iter()
            .filter(|(_, backend)| backend.is_default())
            .map(|(name, _)| name)
    }

    /// The default one: of two, the one that is being made it.
    fn chosen(&self) -> Option<&Name> {
        self.defaults()
            .find(|name| self.declared.contains(*name))
            .or_else(|| self.defaults().next())
    }

    /// Those that are the default until this set makes another one it.
    fn deposed(&self) -> Vec<&Name> {
        let is_declared = |name: &&Name| self.declared.contains(*name);
        if self.defaults().any(|name| self.declared.contains(name)) {
            self.defaults().filter(|name| !is_declared(name)).collect()
        } else {
            Vec::new()
        }
    }

    /// What the set says about the default that cannot be.
    pub(super) fn refuse(&self, set: &[&Resource]) -> Result<(), Problem> {
        let declared: Vec<&Name> = self.defaults().filter(|name| self.declared.contains(*name)).collect();
        if let [first, second, ..] = declared[..] {
            let index = set
                .iter()
                .position(|resource| resource.kind == Kind::SecretBackend && resource.metadata.name == *second);
            let message = format!("secretbackend `{first}` of this set is the default already");
            let path = FieldPath::root().key("spec").key("default");
            let problem = FieldProblem::new(Code::DefaultBackend, path, message)
                .hint("exactly one backend is the default: take it out of one of the two")
                .in_object(index.unwrap_or_default());
            return Err(Problem::of_fields(vec![problem]).unwrap_or_else(|| only_default(second)));
        }
        let was = |row: &&Row| {
            let spec = Object::parse(row).ok();
            spec.is_some_and(|object| object.spec::<SecretBackend>().is_some_and(SecretBackend::is_default))
        };
        match self.stored.values().find(was) {
            Some(row) if self.defaults().next().is_none() => Err(only_default(&row.object.name)),
            Some(_) | None => Ok(()),
        }
    }

    /// What else is to be written, and what is to be told to whoever makes another backend the default. They have to be
    /// allowed to change both.
    pub(super) async fn dethrone(
        &self,
        transaction: &mut Transaction,
        principal: &Principal,
    ) -> Result<(Vec<Mutation>, Option<String>), super::Error> {
        let mut mutations = Vec::new();
        let mut told = Vec::new();
        for name in self.deposed() {
            let Some(row) = self.stored.get(name) else { continue };
            match permission::require(transaction, principal, Role::Edit, row).await {
                Ok(()) => {}
                // Which one it is may not be theirs to know.
                Err(super::Error::Refused(_)) => {
                    return Err(not_in_its_place(principal).into());
                }
                Err(error) => return Err(error),
            }
            let object = Object::parse(row)?;
            let Some(spec) = object.spec::<SecretBackend>() else {
                continue;
            };
            let resource = Resource {
                kind: Kind::SecretBackend,
                metadata: object.metadata.clone(),
                spec: Box::new(SecretBackend {
                    default: None,
                    ..spec.clone()
                }),
            };
            mutations.push(Mutation::Update(Box::new(Update {
                uid: row.uid.clone(),
                expect_generation: row.generation,
                declared: Admitted::new(resource).declared(),
                apply_set: row.apply_set.clone(),
                generation: Generations::Next,
                verb: "no longer the default".to_owned(),
            })));
            told.push(format!("{} is no longer the default", row.object));
        }
        let told = (!told.is_empty()).then(|| told.join("; "));
        Ok((mutations, told))
    }
}

/// Refuses whoever may not make another backend the default, before anything is done for it.
pub(super) fn may_dethrone(snapshot: &Snapshot, principal: &Principal) -> Result<(), Problem> {
    let is_default = |object: &&Arc<Object>| object.spec::<SecretBackend>().is_some_and(SecretBackend::is_default);
    for live in snapshot.of_kind(Kind::SecretBackend).filter(is_default) {
        let decision = snapshot.decide(principal, Role::Edit, live);
        audit::decided(principal, &decision, Role::Edit);
        if !decision.is_allowed {
            return Err(not_in_its_place(principal));
        }
    }
    Ok(())
}

fn not_in_its_place(principal: &Principal) -> Problem {
    let detail = format!("{} may not change the backend that is the default now", principal.name);
    Problem::new(Code::Forbidden, detail).suggest("to take its place needs the role `edit` on it")
}

/// Somebody wants to be without a default.
pub(super) fn only_default(backend: &Name) -> Problem {
    Problem::new(
        Code::DefaultBackend,
        format!("secretbackend `{backend}` is the default, and no other one would be"),
    )
    .suggest(
        "make another one the default first: orchctl patch secretbackend NAME -P '{\"spec\": {\"default\": true}}'",
    )
}
