//! Use of servers, what they listed last, and sessions of clients: what the gateway must find again after a restart.

use orch_daemon::clock::Clock as _;
use orch_daemon::store::{Activity, Expiry, Session, Surface};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn the_use_of_a_server_lives_as_long_as_it() {
    for house in houses(|_| {}).await {
        let (one, two) = (server("one"), server("two"));
        house.done(vec![create(&one, "1"), create(&two, "2")]).await;
        assert_eq!(house.store.activities().await.unwrap(), []);

        let begun = house.clock.now();
        house.store.touch(&uid(&one));
        house.store.touch("nobody");
        house.clock.advance(SECOND);
        // The same instant twice: the second wake is still a later one.
        let first = house.store.wake(&uid(&two)).await.unwrap().unwrap();
        let second = house.store.wake(&uid(&two)).await.unwrap().unwrap();
        assert_eq!((first.since(begun), second.millis()), (SECOND, first.millis() + 1));
        assert_eq!(house.store.wake("nobody").await.unwrap(), None);

        let house = house.reopen().await;
        let expected = [
            Activity {
                uid: uid(&one),
                last_used_at: Some(begun),
                wake_at: None,
            },
            Activity {
                uid: uid(&two),
                last_used_at: None,
                wake_at: Some(second),
            },
        ];
        let known = async || {
            let mut known = house.store.activities().await.unwrap();
            known.sort_by(|one, other| one.uid.cmp(&other.uid));
            known
        };
        assert_eq!(known().await, expected, "{}", house.name());
        house.done(vec![remove(&one)]).await;
        assert_eq!(known().await, expected[1..]);
    }
}

#[tokio::test]
async fn what_a_server_listed_is_kept_until_it_lists_another() {
    for house in houses(|_| {}).await {
        let files = server("files");
        house.done(vec![create(&files, "1")]).await;
        let surface = |digest: &str, list: &str| Surface {
            digest: digest.to_owned(),
            list: list.to_owned(),
        };
        assert_eq!(house.store.surface(&uid(&files)).await.unwrap(), None);
        for (kept, expected) in [
            (surface("a", "[1]"), surface("a", "[1]")),
            // The digest says that it is the same list.
            (surface("a", "[2]"), surface("a", "[1]")),
            (surface("b", "[3]"), surface("b", "[3]")),
        ] {
            house.store.keep_surface(&uid(&files), kept).await.unwrap();
            assert_eq!(house.store.surface(&uid(&files)).await.unwrap(), Some(expected));
        }
        house.store.keep_surface("nobody", surface("a", "[]")).await.unwrap();
        assert_eq!(house.store.surface("nobody").await.unwrap(), None);
        house.done(vec![remove(&files)]).await;
        assert_eq!(house.store.surface(&uid(&files)).await.unwrap(), None);
    }
}

fn session(house: &House, id: &str, target: &str) -> Session {
    Session {
        id_hash: format!("hash of {id}"),
        principal: "user/ada".to_owned(),
        target_uid: format!("uid of {target}"),
        target: target.to_owned(),
        protocol: "2025-11-25".to_owned(),
        client_info: r#"{"name":"editor","version":"1"}"#.to_owned(),
        client_capabilities: r#"{"sampling":{}}"#.to_owned(),
        log_level: None,
        subscriptions: "[]".to_owned(),
        created_at: house.clock.now(),
        last_used_at: house.clock.now(),
        begun_at: None,
    }
}

#[tokio::test]
async fn sessions_survive_and_end() {
    for house in houses(|_| {}).await {
        let mut first = session(&house, "first", "server/files");
        house.store.insert_session(first.clone()).await.unwrap();
        assert!(
            house.store.insert_session(first.clone()).await.is_err(),
            "no two sessions have one id"
        );
        house.clock.advance(SECOND);
        let second = session(&house, "second", "project/web");
        house.store.insert_session(second.clone()).await.unwrap();

        house.clock.advance(SECOND);
        let now = house.clock.now();
        let subscriptions = r#"["file:///a"]"#;
        assert!(
            house
                .store
                .update_session(&first.id_hash, Some("debug".to_owned()), subscriptions.to_owned())
                .await
                .unwrap()
        );
        assert!(!house.store.update_session("none", None, "[]".to_owned()).await.unwrap());
        // The second note is older than what is known by then.
        house
            .store
            .note_sessions(vec![(first.id_hash.clone(), now), ("none".to_owned(), now)]);
        house
            .store
            .note_sessions(vec![(first.id_hash.clone(), first.created_at)]);
        first.log_level = Some("debug".to_owned());
        first.subscriptions = subscriptions.to_owned();
        first.last_used_at = now;

        let house = house.reopen().await;
        assert_eq!(house.store.sessions().await.unwrap(), [first.clone(), second.clone()]);
        assert_eq!(
            house.store.sessions_of("project/web").await.unwrap(),
            std::slice::from_ref(&second)
        );
        assert_eq!(house.store.session(&first.id_hash).await.unwrap(), Some(first.clone()));
        assert!(house.store.delete_session(&first.id_hash).await.unwrap());
        assert!(!house.store.delete_session(&first.id_hash).await.unwrap());
        assert_eq!(house.store.session(&first.id_hash).await.unwrap(), None);
        assert_eq!(house.store.sessions().await.unwrap(), [second]);
    }
}

#[tokio::test]
async fn sessions_end_by_themselves() {
    for house in houses(|_| {}).await {
        // Begun 10, 5 and 0 seconds ago; the oldest was used just now.
        for id in ["old", "idle", "fresh"] {
            let target = if id == "fresh" { "project/web" } else { "server/files" };
            house.store.insert_session(session(&house, id, target)).await.unwrap();
            if id != "fresh" {
                house.clock.advance(5 * SECOND);
            }
        }
        house
            .store
            .note_sessions(vec![("hash of old".to_owned(), house.clock.now())]);
        let expire = async |target: Option<&str>, idle: u32, lifetime: u32| {
            let expiry = Expiry {
                target: target.map(str::to_owned),
                idle: SECOND * idle,
                lifetime: SECOND * lifetime,
            };
            house.store.expire_sessions(expiry).await.unwrap()
        };
        assert_eq!(expire(None, 6, 11).await, Vec::<String>::new());
        assert_eq!(expire(Some("project/web"), 5, 10).await, Vec::<String>::new());
        assert_eq!(expire(Some("server/files"), 5, 11).await, ["hash of idle"]);
        assert_eq!(expire(None, 5, 10).await, ["hash of old"]);
        assert_eq!(house.store.sessions().await.unwrap().len(), 1);
    }
}
