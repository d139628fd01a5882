//! Labels: what tells our containers, networks and volumes from those of others, and whose each is.
//!
//! Nothing is removed, stopped or taken over that does not carry the mark of this very daemon.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::super::launch::{Launch, Speech};

/// Whose it is: the mark of a daemon, which stays the same over its restarts.
const DAEMON: &str = "orchctl.dev/daemon";
/// The uid of the copy.
pub(super) const INSTANCE: &str = "orchctl.dev/instance-uid";
/// How the server in it is spoken to.
const SPEECH: &str = "orchctl.dev/speech";
/// Which run of the daemon has made it.
const BOOT: &str = "orchctl.dev/boot";
/// The port of its proxy on this machine.
const PROXY: &str = "orchctl.dev/proxy-port";

/// What everything is marked with.
#[derive(Debug, Clone)]
pub(in crate::runtime) struct Labels {
    daemon: String,
    boot: String,
}

impl Labels {
    pub(in crate::runtime) fn new(daemon: &str, boot: String) -> Self {
        Self {
            daemon: daemon.to_owned(),
            boot,
        }
    }

    /// The labels of everything that is ours.
    pub(super) fn own(&self) -> HashMap<String, String> {
        let pairs = [
            (DAEMON, self.daemon.as_str()),
            ("orchctl.dev/managed-by", "orchd"),
            (BOOT, &self.boot),
        ];
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// The labels of a copy's container.
    pub(super) fn of_copy(&self, launch: &Launch, speech: &Speech, proxy: Option<u16>) -> HashMap<String, String> {
        let mut labels = self.own();
        let mut label = |name: &str, value: &str| labels.insert(name.to_owned(), value.to_owned());
        label(INSTANCE, &launch.uid);
        label("orchctl.dev/instance", &launch.instance);
        label("orchctl.dev/server", &launch.server);
        label(
            SPEECH,
            match speech {
                Speech::Stdio => "stdio",
                Speech::Http { .. } => "http",
            },
        );
        if let Some(port) = proxy {
            label(PROXY, &port.to_string());
        }
        labels
    }

    /// The filter that finds what is ours, or what is a copy's.
    pub(super) fn filter(&self, uid: Option<&str>) -> HashMap<String, Vec<String>> {
        let mut wanted = vec![format!("{DAEMON}={}", self.daemon)];
        wanted.extend(uid.map(|uid| format!("{INSTANCE}={uid}")));
        HashMap::from([("label".to_owned(), wanted)])
    }

    /// Whether this run of the daemon has made it.
    pub(super) fn is_of_this_run(&self, labels: &HashMap<String, String>) -> bool {
        labels.get(BOOT) == Some(&self.boot)
    }

    /// Whether it is ours at all.
    pub(super) fn is_ours(&self, labels: &HashMap<String, String>) -> bool {
        labels.get(DAEMON) == Some(&self.daemon)
    }

    /// A word that differs from daemon to daemon, and for a thing of its own.
    pub(super) fn word(&self, thing: &str) -> String {
        let hash = Sha256::digest(format!("{}/{thing}", self.daemon));
        hex::encode(&hash[..5])
    }

    /// The name of a copy's container.
    pub(super) fn container_name(&self, launch: &Launch) -> String {
        format!("{}-{}", launch.instance, self.word(&launch.uid))
    }
}

/// Whether a container outlives the daemon: the server in it is spoken to over HTTP.
pub(super) fn outlives_us(labels: &HashMap<String, String>) -> bool {
    labels.get(SPEECH).is_some_and(|speech| speech == "http")
}

/// The port of a container's proxy.
pub(super) fn proxy_port(labels: &HashMap<String, String>) -> Option<u16> {
    labels.get(PROXY)?.parse().ok()
}
