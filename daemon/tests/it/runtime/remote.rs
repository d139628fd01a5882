//! Remote servers: reachable in each way of speaking, or not and why.

use std::process::{Child, Command};
use std::time::Duration;

use orch_daemon::runtime::Launch;
use orch_daemon::runtime::launch::{Era, Remote, RemoteTransport, Source};
use orch_daemon::runtime::observation::{Failure, State};
use orch_shared::problem::Code;
use tempfile::TempDir;

use super::house::{House, fixture, number_in, secret};

/// A fixture that serves over HTTP; ends with the test.
struct Far {
    child: Child,
    port: u32,
    _directory: TempDir,
}

impl Far {
    async fn start(mode: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("port");
        let child = Command::new(fixture())
            .args([mode, "127.0.0.1:0", "--port-file"])
            .arg(&file)
            .args(arguments)
            .spawn()
            .expect("started");
        let port = number_in(&file).await;
        Self {
            child,
            port,
            _directory: directory,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn remote(url: &str, transport: RemoteTransport) -> impl FnOnce(&mut Launch) {
    let remote = Remote {
        url: url.to_owned(),
        headers: vec![],
        transport,
    };
    move |launch| launch.source = Source::Remote(remote)
}

#[tokio::test]
async fn each_way_of_speaking_is_found() {
    use RemoteTransport::{Auto, Sse, StreamableHttp};
    let house = House::new();
    for (mode, path, arguments, transport, era, revision) in [
        ("--http", "/mcp", &[][..], Auto, Era::Modern, "2026-07-28"),
        ("--http", "/mcp", &["--era", "legacy"], Auto, Era::Legacy, "2025-11-25"),
        (
            "--http",
            "/mcp",
            &["--era", "modern"],
            StreamableHttp,
            Era::Modern,
            "2026-07-28",
        ),
        (
            "--http",
            "/mcp",
            &["--era", "legacy"],
            StreamableHttp,
            Era::Legacy,
            "2025-11-25",
        ),
        ("--sse", "/sse", &["--era", "legacy"], Sse, Era::Legacy, "2025-11-25"),
        ("--sse", "/sse", &["--era", "legacy"], Auto, Era::Legacy, "2025-11-25"),
    ] {
        let far = Far::start(mode, arguments).await;
        let uid = house.start_as(remote(&far.url(path), transport), &[]);
        let seen = house.until(&uid, |seen| !matches!(seen.state, State::Starting)).await;
        let State::Running(answer) = &seen.state else {
            panic!("{mode} {arguments:?} {transport:?}: {:#?}", seen.state)
        };
        assert_eq!(
            (seen.era, answer.protocol_version.as_str()),
            (Some(era), revision),
            "{mode} {arguments:?} {transport:?}"
        );
        assert_eq!(
            answer.tools.as_ref().map(|tools| tools.count),
            Some(3),
            "{mode} {arguments:?} {transport:?}"
        );
        assert_eq!(house.runtime.check(&uid, Duration::from_secs(20)).await, Some(Ok(())));
        let url = far.url("");
        drop(far);
        let answer = house
            .runtime
            .check(&uid, Duration::from_secs(20))
            .await
            .expect("an answer");
        let failure = answer.expect_err("it is gone");
        assert!(
            failure.to_string().starts_with(&url) && failure.to_string().contains("the connection is refused"),
            "{failure}"
        );
        assert_eq!(house.until_over(&uid).await.state, State::Failed(failure));
        assert_eq!(
            house.runtime.check(&uid, Duration::from_secs(20)).await,
            None,
            "what is not running is not asked"
        );
    }
}

#[tokio::test]
async fn why_not_is_told_in_peoples_words() {
    let house = House::new();
    let far = Far::start("--http", &["--authorization", "Bearer right"]).await;
    let open = Far::start("--http", &[]).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let silent = silent.local_addr().expect("known");
    for (url, reason, hint) in [
        (far.url("/mcp"), "asks for credentials (HTTP 401)", true),
        (open.url("/nothing"), "has no such path (HTTP 404)", true),
        (open.url("/page"), "answers, but not in MCP", true),
        ("http://127.0.0.1:9/mcp".to_owned(), "the connection is refused", true),
        (
            "http://no-such-host.invalid/mcp".to_owned(),
            "its host name is not known",
            true,
        ),
        (
            open.url("/mcp").replace("http:", "https:"),
            "no TLS connection can be made",
            true,
        ),
        (format!("http://{silent}/mcp"), "does not answer in time", false),
        ("ftp://example.com/x".to_owned(), "is no http or https address", false),
    ] {
        let change = |launch: &mut Launch| {
            remote(&url, RemoteTransport::Auto)(launch);
            launch.startup_deadline = Duration::from_secs(3);
        };
        let uid = house.start_as(change, &[]);
        let State::Failed(failure) = house.until_over(&uid).await.state else {
            panic!("not failed: {url}")
        };
        assert!(matches!(failure, Failure::RemoteUnreachable { .. }) && failure.code() == Code::RemoteUnreachable);
        assert!(failure.to_string().contains(reason), "{url}: {failure}");
        assert_eq!(failure.hint().is_some(), hint, "{url}: {failure:?}");
    }
}

#[tokio::test]
async fn headers_are_sent_and_never_shown() {
    let house = House::new();
    for mode in ["--http", "--sse"] {
        let path = if mode == "--http" { "/mcp" } else { "/sse" };
        let far = Far::start(mode, &["--authorization", "Bearer s3cret-value"]).await;
        let with = |value: &str| {
            let headers = vec![("Authorization".to_owned(), value.to_owned())];
            let remote = Remote {
                url: format!("{}?key=s3cret-value", far.url(path)),
                headers,
                transport: RemoteTransport::Auto,
            };
            move |launch: &mut Launch| {
                secret(launch, "unused", "s3cret-value");
                launch.source = Source::Remote(remote);
            }
        };
        let uid = house.start_as(with("Bearer s3cret-value"), &[]);
        house.until_running(&uid).await;
        let uid = house.start_as(with("Bearer s3cret-value-but-wrong"), &[]);
        let State::Failed(failure) = house.until_over(&uid).await.state else {
            panic!("not failed")
        };
        assert!(!format!("{failure:?}").contains("s3cret"), "{failure:?}");
        let uid = house.start_as(with("line\nbreak s3cret-value"), &[]);
        let State::Failed(failure) = house.until_over(&uid).await.state else {
            panic!("not failed")
        };
        assert!(
            failure.to_string().contains("cannot be sent") && !format!("{failure:?}").contains("s3cret"),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn a_tie_that_is_stopped_is_over() {
    let house = House::new();
    let far = Far::start("--http", &[]).await;
    let uid = house.start_as(remote(&far.url("/mcp"), RemoteTransport::Auto), &[]);
    house.until_running(&uid).await;
    house.runtime.stop(&uid, Duration::ZERO).await;
    assert!(house.runtime.observe(&uid).expect("seen").state.is_over());
}
