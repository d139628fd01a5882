//! Packages of the real registries, installed and run in containers. Needs node, npm and python on this machine, of which the
//! runner image is made.

use orch_daemon::runtime::launch::{InstallScripts, Package, Registry};

use super::*;
use crate::support::outside::registries_answer;

fn package(registry: Registry, name: &str) -> Package {
    Package {
        registry,
        name: name.to_owned(),
        version: None,
        pinned: None,
        executable: None,
        args: vec![],
        scripts: InstallScripts::Ignored,
    }
}

#[tokio::test]
async fn packages_are_installed_and_run_in_containers() {
    if !registries_answer() {
        return;
    }
    let Some(engine) = engine::engine().await else { return };
    let runner = engine.runner().await;
    let settings = Settings {
        host: engine.host.clone(),
        runner_npm: runner.clone(),
        runner_pypi: runner.clone(),
    };
    let house = House::built(Plan {
        docker: settings,
        ..Plan::default()
    });
    for (registry, name) in [
        (Registry::Npm, "@modelcontextprotocol/server-memory"),
        (Registry::Pypi, "mcp-server-time"),
    ] {
        let start = |package: Package| {
            let container = Container {
                contents: Contents::Package(package),
                ..contained(&runner, &[])
            };
            house.start_as(|launch| launch.source = Source::Container(container), &[])
        };
        let first = start(package(registry, name));
        let seen = house.until_running(&first).await;
        let resolved = seen.resolved.expect("what it was resolved to");
        assert_eq!(resolved.name, name);
        let texts = house.texts(&first, Which::Current).await;
        assert!(
            texts.contains(&format!("installing {registry} package {name}")),
            "{texts:?}"
        );
        let about = seen.container.expect("what the engine says");
        // It was installed with a way out, and runs without one.
        assert_eq!(
            (about.network.as_str(), about.image.as_str()),
            ("none", runner.as_str())
        );
        assert!(
            about
                .volumes
                .iter()
                .any(|volume| volume.ends_with("-> /orch (read-only)")),
            "{about:?}"
        );

        // What is installed is not installed again.
        let again = start(Package {
            pinned: Some(resolved.version.clone()),
            ..package(registry, name)
        });
        let seen = house.until_running(&again).await;
        assert_eq!(seen.resolved.map(|resolved| resolved.version), Some(resolved.version));
        let texts = house.texts(&again, Which::Current).await;
        assert!(!texts.iter().any(|text| text.contains("installing")), "{texts:?}");
    }
    let missing = Container {
        contents: Contents::Package(package(Registry::Npm, "orchctl-there-is-no-such-package")),
        ..contained(&runner, &[])
    };
    let uid = house.start_as(|launch| launch.source = Source::Container(missing), &[]);
    let over = house.until_over(&uid).await;
    assert!(matches!(failure(&over), Failure::InstallFailed { .. }), "{over:?}");
    house.runtime.let_go(Duration::from_secs(2)).await;
    house.runtime.shut_down(Duration::from_secs(2)).await;
    let label = format!("orchctl.dev/daemon={}", house.daemon);
    assert!(engine.containers(&label).await.is_empty());
    assert_eq!(engine.remove_volumes(&label).await, 2, "one volume for each package");
}
