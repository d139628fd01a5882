//! Usage: calls are written down once and summed up, what is old enough goes, and no budget is ever overspent: not by several
//! who spend at once, and not by daemons that die.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use orch_daemon::store::{Ailment, Call, Patient, Reservation, Reserved, UsageQuery};
use orch_daemon::usage::{Hold, Ledger, Refusal, Terms};
use orch_shared::allowance::{Amount, Bound, Period, Purse, Shortfall, Spender, Spent};
use orch_shared::money::Money;
use orch_shared::usage::{By, Inference, Latency, Sums, Tokens};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn usd(nanos: i64) -> Option<Money> {
    let currency = "USD".to_owned();
    Some(Money { nanos, currency })
}

/// A call of `anna` by the token `ci` for the project `web`, that went well.
fn call_at(at: Timestamp) -> Inference {
    Inference {
        at,
        principal: "anna".to_owned(),
        token: Some("ci".to_owned()),
        project: Some("web".to_owned()),
        agent: None,
        thread: None,
        llm: "fast".to_owned(),
        provider: "openai".to_owned(),
        model: "gpt".to_owned(),
        request_id: Some("r-1".to_owned()),
        tokens: Tokens {
            input: 100,
            cached: 40,
            output: 10,
        },
        cost: usd(5_000),
        latency_us: 1000,
        first_token_us: Some(200),
        status: 200,
        streamed: true,
    }
}

impl House {
    fn call(&self) -> Inference {
        call_at(self.store.clock().now())
    }

    /// Writes calls down, as they are.
    async fn record(&self, calls: Vec<Call>) {
        let recorded: Result<(), Error> = self
            .store
            .write(move |transaction| Box::pin(async move { transaction.record_usage(&calls).await }))
            .await;
        recorded.unwrap();
    }

    async fn made(&self, rows: impl IntoIterator<Item = Inference>) {
        let call = |row| Call {
            id: self.store.ids().uid(),
            row,
            reservation: None,
        };
        self.record(rows.into_iter().map(call).collect()).await;
    }

    async fn spent(&self, spender: &Spender) -> i64 {
        let spent = self.store.spent(spender, Timestamp::from_millis(0)).await;
        spent.unwrap().tokens
    }

    /// Holds so many tokens for a call that lasts a minute at most.
    async fn reserve(&self, tokens: i64, purses: &[Purse]) -> (String, Reserved) {
        // The ids of tests count, and begin anew with each store.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = format!("reservation-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let cost = usd(tokens * 50);
        let reservation = Reservation {
            id: id.clone(),
            amount: Amount { tokens, cost },
            purses: purses.to_vec(),
            deadline: self.store.clock().now().after(MINUTE),
        };
        (id, self.store.reserve(reservation).await.unwrap())
    }

    async fn release(&self, id: String) {
        let released: Result<(), Error> = self
            .store
            .write(move |transaction| Box::pin(async move { transaction.release(&id).await }))
            .await;
        released.unwrap();
    }

    /// What the token `ci` may spend today.
    fn purse(&self, tokens: i64) -> Purse {
        let tokens = Some(tokens);
        Purse {
            spender: token(),
            since: Period::Day.began(self.store.clock().now()),
            bound: Bound { tokens, cost: None },
        }
    }
}

fn token() -> Spender {
    Spender::Token("ci".to_owned())
}

fn project() -> Spender {
    Spender::Project("web".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_summed_up() {
    for house in houses(|_| {}).await {
        let before = house.store.clock().now();
        let other = || Inference {
            principal: "bert".to_owned(),
            token: None,
            project: None,
            agent: Some("reviewer".to_owned()),
            llm: "heavy".to_owned(),
            ..house.call()
        };
        let in_euros = Inference {
            cost: Some(Money {
                nanos: 7,
                currency: "EUR".to_owned(),
            }),
            latency_us: 5000,
            ..other()
        };
        let failed = Inference {
            status: 502,
            cost: None,
            latency_us: 90_000_000,
            first_token_us: Some(80_000_000),
            tokens: Tokens::default(),
            ..other()
        };
        // Every second one is no stream.
        let slow = |number: i64| Inference {
            latency_us: number * 1000,
            first_token_us: (number % 2 == 0).then_some(number * 10),
            ..house.call()
        };
        house.made((1..=20).map(slow).chain([in_euros, failed, other()])).await;
        house.clock.advance(24 * 60 * MINUTE);
        let later = house.store.clock().now();
        house.made([house.call()]).await;

        let any = UsageQuery::default;
        let told = async |query: UsageQuery| -> Vec<String> {
            let groups = house.store.usage(&query).await.unwrap();
            let line = |by: &By, group: &orch_shared::usage::Group| group.key.of(*by).unwrap_or("-").to_owned();
            let lines = groups.iter().map(|group| {
                let names: Vec<String> = query.by.iter().map(|by| line(by, group)).collect();
                let Sums { requests, failed, .. } = group.sums;
                format!("{} {requests} {failed}", names.join(" "))
            });
            lines.collect()
        };
        for (by, expected) in [
            (&[By::User][..], &["anna 21 0", "bert 3 1"][..]),
            (&[By::Token], &["ci 21 0", "- 3 1"]),
            (&[By::Project, By::Agent], &["web - 21 0", "- reviewer 3 1"]),
            (&[By::Llm], &["fast 21 0", "heavy 3 1"]),
            (
                &[By::Day, By::User],
                &["2026-09-21 anna 20 0", "2026-09-21 bert 3 1", "2026-09-22 anna 1 0"],
            ),
            (&[], &[" 24 1"]),
        ] {
            let query = UsageQuery {
                by: by.to_vec(),
                ..any()
            };
            assert_eq!(told(query).await, expected, "{by:?} on {}", house.name());
        }
        let text = |text: &str| Some(text.to_owned());
        for (query, requests) in [
            (
                UsageQuery {
                    user: text("bert"),
                    ..any()
                },
                3,
            ),
            (
                UsageQuery {
                    token: text("ci"),
                    ..any()
                },
                21,
            ),
            (
                UsageQuery {
                    project: text("web"),
                    ..any()
                },
                21,
            ),
            (
                UsageQuery {
                    llm: text("heavy"),
                    ..any()
                },
                3,
            ),
            (
                UsageQuery {
                    agent: text("reviewer"),
                    ..any()
                },
                3,
            ),
            (
                UsageQuery {
                    from: Some(later),
                    ..any()
                },
                1,
            ),
            (
                UsageQuery {
                    to: Some(later),
                    ..any()
                },
                23,
            ),
            (
                UsageQuery {
                    from: Some(before),
                    user: text("nobody"),
                    ..any()
                },
                0,
            ),
        ] {
            let groups = house.store.usage(&query).await.unwrap();
            let found = groups.first().map_or(0, |group| group.sums.requests);
            assert_eq!(found, requests, "{query:?}");
        }

        let all = UsageQuery {
            by: vec![By::User],
            to: Some(later),
            ..any()
        };
        let groups = house.store.usage(&all).await.unwrap();
        let (anna, bert) = (&groups[0].sums, &groups[1].sums);
        assert_eq!(
            (anna.tokens.input, anna.tokens.cached, anna.tokens.output),
            (2000, 800, 200)
        );
        assert_eq!(anna.cost, [usd(100_000).unwrap()]);
        let latency = |p50, p95, max| {
            Some(Latency {
                p50_us: p50,
                p95_us: p95,
                max_us: max,
            })
        };
        assert_eq!(anna.latency, latency(10_000, 19_000, 20_000), "{}", house.name());
        assert_eq!(anna.first_token, latency(100, 200, 200), "{}", house.name());
        // Currencies stay apart, and what failed is not slow.
        let told: Vec<String> = bert.cost.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["0.000000007 EUR", "0.000005 USD"]);
        assert_eq!(bert.latency, latency(1000, 5000, 5000), "{}", house.name());
        assert_eq!(bert.first_token, latency(200, 200, 200), "{}", house.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_written_down_once_and_within_bounds() {
    for house in houses(|_| {}).await {
        let row = Inference {
            tokens: Tokens {
                input: i64::MAX,
                cached: -3,
                output: -1,
            },
            ..house.call()
        };
        let call = Call {
            id: "one".to_owned(),
            row,
            reservation: None,
        };
        // Handed over again, as after a commit of which nobody knows whether it happened.
        house.record(vec![call.clone()]).await;
        house.record(vec![call.clone(), call]).await;
        let sums = house.store.usage(&UsageQuery::default()).await.unwrap().remove(0).sums;
        assert_eq!((sums.requests, sums.tokens.cached, sums.tokens.output), (1, 0, 0));
        assert_eq!(house.spent(&token()).await, sums.tokens.input, "{}", house.name());
        assert_eq!(house.spent(&project()).await, sums.tokens.input);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_and_spent_stays_within_the_bound() {
    for house in houses(|_| {}).await {
        let purse = house.purse(100);
        let (first, held) = house.reserve(60, std::slice::from_ref(&purse)).await;
        assert_eq!(held, Reserved::Held);
        let (_, refused) = house.reserve(41, std::slice::from_ref(&purse)).await;
        let refusal = |left, wanted| Reserved::Refused {
            spender: token(),
            why: Shortfall::Tokens { left, wanted },
        };
        assert_eq!(refused, refusal(40, 41), "{}", house.name());
        // It took less than was held: the rest is free again, in the write that tells of the call.
        let row = Inference {
            tokens: Tokens {
                input: 20,
                cached: 0,
                output: 10,
            },
            ..house.call()
        };
        let id = house.store.ids().uid();
        let reservation = Some(first);
        house.record(vec![Call { id, row, reservation }]).await;
        let (second, held) = house.reserve(70, std::slice::from_ref(&purse)).await;
        assert_eq!(held, Reserved::Held, "{}", house.name());
        assert_eq!(house.reserve(1, std::slice::from_ref(&purse)).await.1, refusal(0, 1));
        // A call that failed took nothing.
        house.release(second).await;
        assert_eq!(house.reserve(70, std::slice::from_ref(&purse)).await.1, Reserved::Held);

        // Out of two budgets, or out of none.
        let poor = Purse {
            spender: project(),
            bound: Bound {
                tokens: None,
                cost: usd(60 * 50 + 5_000),
            },
            ..house.purse(0)
        };
        let rich = Purse {
            spender: Spender::Token("other".to_owned()),
            ..house.purse(1000)
        };
        let both = [rich.clone(), poor];
        let (_, refused) = house.reserve(61, &both).await;
        let why = Shortfall::Cost {
            left: usd(60 * 50).unwrap(),
            wanted: usd(61 * 50).unwrap(),
        };
        let spender = project();
        assert_eq!(refused, Reserved::Refused { spender, why }, "{}", house.name());
        assert_eq!(house.spent(&rich.spender).await, 0);
        assert_eq!(house.reserve(60, &both).await.1, Reserved::Held);
        assert_eq!(house.spent(&rich.spender).await, 60);

        // The next day begins anew; what was held on the last is still held.
        house.clock.advance(24 * 60 * MINUTE);
        assert_eq!(house.reserve(100, &[house.purse(100)]).await.1, Reserved::Held);
    }
}

/// Several daemons, many calls each, none of which knows of the others.
#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_never_overspend() {
    for house in houses(|_| {}).await {
        let beside = match house.database {
            Database::Postgres(_) => Some(house.beside().await),
            Database::Sqlite(_) => None,
        };
        let stores = [&house, beside.as_ref().unwrap_or(&house)].map(|house| house.store.clone());
        let purse = house.purse(100);
        let deadline = house.store.clock().now().after(MINUTE);
        let mut asking = tokio::task::JoinSet::new();
        for number in 0..40 {
            let store = stores[number % 2].clone();
            let reservation = Reservation {
                id: format!("call-{number}"),
                amount: Amount { tokens: 7, cost: None },
                purses: vec![purse.clone()],
                deadline,
            };
            asking.spawn(async move { store.reserve(reservation).await.unwrap() });
        }
        let reserved = asking.join_all().await;
        let held = reserved.iter().filter(|reserved| **reserved == Reserved::Held).count();
        assert_eq!(held, 14, "14 times 7 is 98, on {}", house.name());
        assert_eq!(house.spent(&token()).await, 98);
        if let Some(beside) = beside {
            beside.close().await;
        }
    }
}

/// A daemon that dies gives nothing back. What it held counts until its deadline, also for the daemon after it, and no longer.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_daemon_held_expires() {
    for house in houses(|_| {}).await {
        let purse = house.purse(100);
        let (id, held) = house.reserve(80, std::slice::from_ref(&purse)).await;
        assert_eq!(held, Reserved::Held);
        let house = house.reopen().await;
        let again = async || house.reserve(80, std::slice::from_ref(&purse)).await.1;
        assert!(matches!(again().await, Reserved::Refused { .. }), "{}", house.name());
        house.clock.advance(MINUTE);
        assert_eq!(house.spent(&token()).await, 0);
        assert_eq!(again().await, Reserved::Held, "{}", house.name());
        // Who is only slow tells of its call all the same.
        let row = house.call();
        let call = Call {
            id: house.store.ids().uid(),
            row,
            reservation: Some(id),
        };
        house.record(vec![call]).await;
        assert_eq!(house.spent(&token()).await, 80 + 110);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_calls_go_and_what_they_spent_stays() {
    let adapt = |options: &mut Options| {
        options.retention.usage_for = Duration::from_secs(60);
        options.testing.period = Some(Duration::from_millis(20));
    };
    for house in houses(adapt).await {
        let now = house.store.clock().now();
        let ago = |seconds: i64| call_at(Timestamp::from_millis(now.millis() - seconds * 1000));
        let (_, held) = house.reserve(1, &[house.purse(1)]).await;
        assert_eq!(held, Reserved::Held);
        house.made([100, 90, 61, 60, 20].map(ago)).await;
        let requests = async || {
            let groups = house.store.usage(&UsageQuery::default()).await.unwrap();
            groups.first().map_or(0, |group| group.sums.requests)
        };
        eventually("what is old enough is dropped", async || requests().await == 2).await;
        assert_eq!(house.spent(&token()).await, 5 * 110 + 1, "{}", house.name());
        house.clock.advance(MINUTE);
        eventually("the rest is dropped as well", async || requests().await == 0).await;
        assert_eq!(house.spent(&token()).await, 5 * 110, "{}", house.name());
    }
}

/// Through the ledger, as calls come: in batches, or one by one before it is told; what is held is given back when nobody
/// tells of a call.
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_handed_in() {
    for house in houses(|_| {}).await {
        let stop = CancellationToken::new();
        let (ledger, writing) = Ledger::open(house.store.clone(), stop.clone());
        let writing = tokio::spawn(writing);
        let hold = async |tokens: i64| -> Result<Hold, Refusal> {
            let amount = Amount { tokens, cost: None };
            ledger.reserve(amount, vec![house.purse(500)], MINUTE).await.unwrap()
        };
        let free = ledger.reserve(Amount::default(), vec![], MINUTE).await.unwrap();
        ledger.hand_in(house.call(), Some(free.unwrap()));
        let held = hold(300).await.unwrap();
        ledger.hand_in(house.call(), Some(held));
        eventually("both are written down", async || ledger.standing().waiting == 0).await;
        assert_eq!(house.spent(&token()).await, 220, "{}", house.name());

        let held = hold(200).await.unwrap();
        assert_eq!(house.spent(&token()).await, 420);
        ledger.settle(house.call(), Some(held)).await;
        assert_eq!(
            house.spent(&token()).await,
            330,
            "durable before it is told, on {}",
            house.name()
        );

        let refusal = hold(171).await.unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "the budget of token/ci does not allow it: 170 tokens are left, and this may take 171"
        );
        drop(hold(170).await.unwrap());
        eventually("it is given back", async || house.spent(&token()).await == 330).await;
        ledger.hand_in(house.call(), None);
        stop.cancel();
        writing.await.unwrap();
        let spent = house.store.spent(&token(), house.purse(0).since).await.unwrap();
        let cost = BTreeMap::from([("USD".to_owned(), 20_000)]);
        assert_eq!(spent, Spent { tokens: 440, cost }, "what waits is written at the end");
    }
}

/// Calls that cannot be written wait, and nothing is held without being durable.
#[tokio::test(flavor = "multi_thread")]
async fn calls_wait_for_a_database_that_cannot_be_written() {
    let patient = Patient::default();
    let house = sqlite(|options| {
        options.testing.patient = patient.clone();
    })
    .await;
    let stop = CancellationToken::new();
    let (ledger, writing) = Ledger::open(house.store.clone(), stop.clone());
    let writing = tokio::spawn(writing);
    patient.suffer(Ailment::ReadOnly);
    ledger.hand_in(house.call(), None);
    ledger.settle(house.call(), None).await;
    eventually("it is told", async || ledger.standing().stuck).await;
    assert_eq!((ledger.standing().waiting, ledger.standing().dropped), (2, 0));
    let reserved = ledger.reserve(Amount::default(), vec![house.purse(1)], MINUTE).await;
    assert!(reserved.is_err(), "{reserved:?}");
    patient.suffer(Ailment::None);
    eventually("they are written", async || ledger.standing().waiting == 0).await;
    assert_eq!(house.spent(&token()).await, 220);
    stop.cancel();
    writing.await.unwrap();
}

/// What holds for a call is what the token and the project say, each by the name under which it is spent.
#[tokio::test]
async fn terms_are_read_off_the_objects() {
    let house = sqlite(|_| {}).await;
    let object = |kind: Kind, scope: Scope, spec: &str| {
        let name = if kind == Kind::Project { "web" } else { "ci" };
        let object = ObjectRef {
            kind,
            scope,
            name: name.parse().expect("a name"),
        };
        let spec = spec.to_owned();
        let declared = Declared {
            spec,
            ..declared(&object, "", &[])
        };
        create_with(&object, declared, None, None)
    };
    let web = || Scope::Project("web".parse().expect("a name"));
    let revisions = house
        .done(vec![
            object(
                Kind::Project,
                Scope::Cluster,
                r#"{"budget":{"cost":5,"currency":"EUR","period":"total"}}"#,
            ),
            object(
                Kind::Token,
                Scope::Cluster,
                r#"{"limits":{"concurrent":2},"budget":{"tokens":7,"period":"day"}}"#,
            ),
            object(Kind::Token, web(), "{}"),
        ])
        .await;
    let snapshot = house.store.wait_for(*revisions.last().expect("revisions")).await;
    let now = house.store.clock().now();
    let told = |token: Option<&str>, project: Option<&str>| {
        let project = project.map(|name| name.parse().expect("a name"));
        let terms = Terms::of(&snapshot, token, project.as_ref(), now)?;
        let limits = terms.limits.and_then(|limits| limits.concurrent);
        let purses: Vec<String> = terms.purses.iter().map(|purse| purse.spender.to_string()).collect();
        Some(format!("{limits:?} {}", purses.join(" ")))
    };
    for (token, project, expected) in [
        (None, None, Some("None ")),
        (Some("ci"), None, Some("Some(2) token/ci")),
        (Some("ci"), Some("web"), Some("Some(2) token/ci project/web")),
        (Some("web/ci"), Some("web"), Some("None project/web")),
        (Some("other"), None, None),
        (Some("a/b/c"), None, None),
        (None, Some("other"), None),
    ] {
        assert_eq!(told(token, project).as_deref(), expected, "{token:?} {project:?}");
    }
    let terms = Terms::of(&snapshot, Some("ci"), None, now).expect("it is there");
    assert_eq!(terms.purses, [house.purse(7)]);
}
