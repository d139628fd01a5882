//! Who holds a lease, and who may write because of it.

use orch_daemon::store::{Claim, Claimed, Error};

use super::houses;

fn claim(holder: &str) -> Claim {
    Claim {
        name: "test",
        holder: holder.to_owned(),
        url: format!("http://{holder}"),
    }
}

#[tokio::test]
async fn a_lease_has_one_holder() {
    for house in houses(|_| {}).await {
        let store = &house.store;
        let (one, two) = (claim("one"), claim("two"));
        assert_eq!(store.lease("test").await.unwrap(), None);
        assert_eq!(store.claim(&one, None).await.unwrap(), Claimed::Held);
        assert_eq!(store.claim(&two, None).await.unwrap(), Claimed::Refused);

        // Renewed since it was looked at: nobody takes it. Not renewed: the first who saw that does.
        let seen = store.lease("test").await.unwrap();
        assert_eq!(store.claim(&one, None).await.unwrap(), Claimed::Held);
        assert_eq!(store.claim(&two, seen).await.unwrap(), Claimed::Refused);
        let seen = store.lease("test").await.unwrap();
        assert_eq!(store.claim(&two, seen.clone()).await.unwrap(), Claimed::Held);
        assert_eq!(store.claim(&claim("three"), seen).await.unwrap(), Claimed::Refused);
        assert_eq!(store.claim(&one, None).await.unwrap(), Claimed::Refused);

        // Given back by another, it stays; given back by its holder, it is anybody's.
        store.give_back(&one).await.unwrap();
        assert_eq!(store.claim(&one, None).await.unwrap(), Claimed::Refused);
        store.give_back(&two).await.unwrap();
        let lease = store.lease("test").await.unwrap().unwrap();
        assert_eq!((lease.holder, lease.url), (None, "http://two".to_owned()));
        assert_eq!(store.claim(&one, None).await.unwrap(), Claimed::Held);
    }
}

#[tokio::test]
async fn who_has_lost_it_writes_nothing() {
    for house in houses(|_| {}).await {
        let store = &house.store;
        let write = async |holder: &str| {
            let claim = claim(holder);
            store
                .write(move |transaction| {
                    Box::pin(async move {
                        transaction.must_hold(&claim).await?;
                        Ok::<_, Error>(())
                    })
                })
                .await
        };
        assert!(matches!(write("one").await, Err(Error::TakenOver { lease: "test" })));
        store.claim(&claim("one"), None).await.unwrap();
        write("one").await.unwrap();
        assert!(matches!(write("two").await, Err(Error::TakenOver { .. })));
    }
}
