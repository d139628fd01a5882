//! Finding control groups that the daemon may use, in either of the kernel's two forms.
//!
//! See cgroups(7) and systemd's rules for delegation: in the unified hierarchy only a part that was handed to the daemon may
//! be used, and processes may only be in its leaves, so the daemon moves itself into a leaf of its own. Everything is tried
//! rather than believed; what does not work is not used.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::super::launch::Limits;
use super::group::{Form, Group, Member};
use super::{Confinement, Resource};

/// The leaf of a delegated group into which the daemon moves itself.
const LEAF: &str = "orchd-self";

/// A directory of control groups for copies, and what can be limited there.
#[derive(Debug, Clone)]
struct Hierarchy {
    form: Form,
    resources: Vec<Resource>,
    directory: PathBuf,
}

impl Hierarchy {
    /// Makes the directory in which the groups of copies are made.
    fn prepare(&self) -> io::Result<()> {
        if self.directory.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.directory)?;
        match self.form {
            Form::Separate => Ok(()),
            Form::Unified => fs::write(
                self.directory.join("cgroup.subtree_control"),
                controllers(&self.resources),
            ),
        }
    }
}

/// Switches controllers on, as the kernel wants it written.
fn controllers(resources: &[Resource]) -> String {
    resources
        .iter()
        .map(|resource| format!("+{}", resource.controller()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Makes the control groups of copies.
#[derive(Debug, Clone)]
pub struct Confiner {
    hierarchies: Vec<Hierarchy>,
}

impl Confiner {
    /// Finds out what there is for the daemon of that id.
    #[must_use]
    pub fn detect(confinement: Confinement, daemon: &str) -> Self {
        let hierarchies = match confinement {
            Confinement::WatchOnly => vec![],
            Confinement::Detect => {
                let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
                let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
                let places = places(&mounts, &own);
                match unified(&places, daemon) {
                    Some(hierarchy) => vec![hierarchy],
                    None => Resource::ALL
                        .iter()
                        .filter_map(|resource| separate(&places, *resource, daemon))
                        .collect(),
                }
            }
        };
        Self { hierarchies }
    }

    /// Makes the groups of one copy. Nothing that fails here keeps it from being started: what the groups do not hold is
    /// watched instead.
    pub(in crate::runtime) fn group(&self, uid: &str, limits: Limits) -> Group {
        let mut members = Vec::new();
        for resource in [Resource::Processes, Resource::Memory, Resource::Cpu] {
            let Some(hierarchy) = self
                .hierarchies
                .iter()
                .find(|hierarchy| hierarchy.resources.contains(&resource))
            else {
                continue;
            };
            let directory = hierarchy.directory.join(uid);
            let limit = resource.of(&limits);
            // One group is enough to tell what belongs to a copy; more only cost.
            if limit.is_none() && !members.is_empty() {
                continue;
            }
            if let Err(error) = hierarchy.prepare().and_then(|()| fs::create_dir_all(&directory)) {
                tracing::warn!(directory = %directory.display(), %error, "control group cannot be made");
                continue;
            }
            members.push(Member {
                form: hierarchy.form,
                directory,
                resource,
            });
        }
        Group::new(members, limits)
    }

    /// The groups of all copies together, those of earlier daemons of the same id included.
    pub(in crate::runtime) fn all(&self) -> Group {
        let member = |hierarchy: &Hierarchy| Member {
            form: hierarchy.form,
            directory: hierarchy.directory.clone(),
            resource: hierarchy.resources[0],
        };
        Group::new(self.hierarchies.iter().map(member).collect(), Limits::default())
    }
}

/// A mounted hierarchy and the daemon's own place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// Nothing for the unified hierarchy.
    controllers: Option<Vec<String>>,
    mount: PathBuf,
    own: PathBuf,
}

/// Puts `/proc/self/mountinfo` and `/proc/self/cgroup` together.
fn places(mountinfo: &str, cgroup: &str) -> Vec<Place> {
    let own = |wanted: Option<&str>| {
        cgroup.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            let found = match wanted {
                None => controllers.is_empty(),
                Some(wanted) => controllers.split(',').any(|controller| controller == wanted),
            };
            found.then(|| path.to_owned())
        })
    };
    let place = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let left: Vec<&str> = left.split(' ').collect();
        let right: Vec<&str> = right.split(' ').collect();
        let (root, mount) = (*left.get(3)?, *left.get(4)?);
        let controllers: Option<Vec<String>> = match *right.first()? {
            "cgroup2" => None,
            "cgroup" => Some(right.get(2)?.split(',').map(str::to_owned).collect()),
            _ => return None,
        };
        let path = match &controllers {
            None => own(None)?,
            Some(controllers) => controllers.iter().find_map(|controller| own(Some(controller)))?,
        };
        // Within a container the mount may show only a part of the hierarchy.
        let below = if root == "/" {
            path.as_str()
        } else {
            path.strip_prefix(root).unwrap_or("")
        };
        let mount = PathBuf::from(mount);
        let own = mount.join(below.trim_start_matches('/'));
        Some(Place {
            controllers,
            mount,
            own,
        })
    };
    mountinfo.lines().filter_map(place).collect()
}

fn directory_name(daemon: &str) -> String {
    format!("orchd-{daemon}")
}

/// The older form: one hierarchy per resource.
fn separate(places: &[Place], resource: Resource, daemon: &str) -> Option<Hierarchy> {
    let holds = |place: &&Place| {
        place
            .controllers
            .as_ref()
            .is_some_and(|all| all.iter().any(|one| one == resource.controller()))
    };
    let directory = places.iter().find(holds)?.own.join(directory_name(daemon));
    let hierarchy = Hierarchy {
        form: Form::Separate,
        resources: vec![resource],
        directory,
    };
    hierarchy.prepare().ok()?;
    Some(hierarchy)
}

/// The unified form, where it was handed to the daemon and holds the resources that matter.
fn unified(places: &[Place], daemon: &str) -> Option<Hierarchy> {
    let place = places.iter().find(|place| place.controllers.is_none())?;
    let base = if place.own.ends_with(LEAF) {
        place.own.parent()?.to_owned()
    } else {
        place.own.clone()
    };
    let offered = fs::read_to_string(base.join("cgroup.controllers")).ok()?;
    let resources: Vec<_> = Resource::ALL
        .into_iter()
        .filter(|resource| offered.split_whitespace().any(|one| one == resource.controller()))
        .collect();
    if resources.is_empty() || !is_delegated(&base, &place.mount) {
        return None;
    }
    let directory = base.join(directory_name(daemon));
    let hierarchy = Hierarchy {
        form: Form::Unified,
        resources,
        directory,
    };
    match divide(&base, &hierarchy.resources).and_then(|()| hierarchy.prepare()) {
        Ok(()) => Some(hierarchy),
        Err(error) => {
            tracing::info!(group = %base.display(), %error, "the control group is delegated but cannot be used");
            None
        }
    }
}

/// Whether a group of the unified hierarchy is ours to divide.
fn is_delegated(base: &Path, mount: &Path) -> bool {
    let marked = |name: &str| {
        let mut value = [0_u8; 8];
        matches!(rustix::fs::getxattr(base, name, value.as_mut_slice()), Ok(1) if value[0] == b'1')
    };
    let own = |metadata: fs::Metadata| metadata.uid() != 0 && metadata.uid() == rustix::process::geteuid().as_raw();
    base == mount || marked("trusted.delegate") || marked("user.delegate") || fs::metadata(base).is_ok_and(own)
}

/// Divides a delegated group: the daemon moves into a leaf, so that the resources can be handed on to a branch.
fn divide(base: &Path, resources: &[Resource]) -> io::Result<()> {
    let wanted = controllers(resources);
    let control = base.join("cgroup.subtree_control");
    if fs::write(&control, &wanted).is_ok() {
        return Ok(());
    }
    // Refused while processes are in the group itself. Only ourselves may be moved.
    let members = fs::read_to_string(base.join("cgroup.procs"))?;
    let ourselves = std::process::id().to_string();
    if members.lines().any(|member| member != ourselves) {
        return Err(io::Error::other("other processes are in it"));
    }
    let leaf = base.join(LEAF);
    fs::create_dir_all(&leaf)?;
    fs::write(leaf.join("cgroup.procs"), &ourselves)?;
    fs::write(&control, &wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_its_own_place() {
        let place = |controllers: Option<&[&str]>, mount: &str, own: &str| Place {
            controllers: controllers.map(|all| all.iter().map(|&one| one.to_owned()).collect()),
            mount: mount.into(),
            own: own.into(),
        };
        let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
        let memory = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        let container = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        let both = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct";
        for (mounts, own, expected) in [
            (
                unified,
                "0::/system.slice/orchd.service",
                vec![place(
                    None,
                    "/sys/fs/cgroup",
                    "/sys/fs/cgroup/system.slice/orchd.service",
                )],
            ),
            (
                memory,
                "4:memory:/a/b\n0::/",
                vec![place(
                    Some(&["rw", "memory"]),
                    "/sys/fs/cgroup/memory",
                    "/sys/fs/cgroup/memory/a/b",
                )],
            ),
            (
                container,
                "4:memory:/docker/abc",
                vec![place(
                    Some(&["rw", "memory"]),
                    "/sys/fs/cgroup/memory",
                    "/sys/fs/cgroup/memory",
                )],
            ),
            (
                both,
                "2:cpu,cpuacct:/x",
                vec![place(
                    Some(&["rw", "cpu", "cpuacct"]),
                    "/sys/fs/cgroup/cpu,cpuacct",
                    "/sys/fs/cgroup/cpu,cpuacct/x",
                )],
            ),
            (memory, "5:pids:/", vec![]),
            ("21 1 0:20 / /proc rw - proc proc rw", "0::/", vec![]),
        ] {
            assert_eq!(places(mounts, own), expected, "{mounts} {own}");
        }
    }
}
