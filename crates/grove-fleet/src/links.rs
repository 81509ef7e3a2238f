//! Symbolic links inside a snapshot.

use crate::{File, Snapshot, layout::Kind};

/// Most links that are followed for one path; real fleets have chains of one.
const HOPS: usize = 16;

/// Most files that all links show together: each is read again under its other name.
const SHOWN: usize = 10_000;

/// Most bytes that all links show together.
const SHOWN_BYTES: usize = 8 << 20;

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To this path inside the fleet; it may be a file, a directory, or nothing at all.
    Inside(String),
    /// Out of the fleet.
    Outside,
    /// Round in a circle, or through too many other links.
    Endless,
}

/// Follows the link that stands at `path` to what is no link any more.
pub fn follow(snapshot: &Snapshot, path: &str) -> Target {
    let mut path = path.to_owned();
    for _ in 0..HOPS {
        let Some((link, rest)) = first_link(snapshot, &path) else {
            return Target::Inside(path);
        };
        let Some(File::Link(says)) = snapshot.files.get(link) else {
            return Target::Inside(path);
        };
        let directory = link.rsplit_once('/').map_or("", |(directory, _)| directory);
        match join(directory, says).and_then(|target| join(&target, rest)) {
            Some(target) => path = target,
            None => return Target::Outside,
        }
    }
    Target::Endless
}

/// The shortest part of `path` that is a link, and what is behind it.
fn first_link<'a>(snapshot: &Snapshot, path: &'a str) -> Option<(&'a str, &'a str)> {
    path.match_indices('/')
        .map(|(at, _)| at)
        .chain([path.len()])
        .find_map(|end| {
            let (link, rest) = path.split_at_checked(end)?;
            matches!(snapshot.files.get(link), Some(File::Link(_)))
                .then(|| (link, rest.trim_start_matches('/')))
        })
}

/// `path` seen from `directory`; none where it leaves the root.
pub fn join(directory: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts = Vec::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A file of the known layout, links followed.
pub(crate) struct Found<'a> {
    /// Where the layout has it.
    pub(crate) path: String,
    /// Where it really stands.
    pub(crate) real: &'a str,
    /// What it is.
    pub(crate) kind: Kind,
}

impl<'a> Found<'a> {
    /// The file, where its path is one of the layout's.
    fn of(path: String, real: &'a str) -> Option<Self> {
        match Kind::of(&path) {
            Kind::Other => None,
            kind => Some(Self { path, real, kind }),
        }
    }
}

/// What links have shown so far.
#[derive(Default)]
struct Shown {
    files: usize,
    bytes: usize,
}

impl Shown {
    /// Whether one more file may be shown; counts it.
    fn may_show(&mut self, file: &File) -> bool {
        self.files += 1;
        self.bytes += match file {
            File::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        self.files <= SHOWN && self.bytes <= SHOWN_BYTES
    }
}

/// Every file of the known layout, links followed, in the order of their paths.
///
/// A link to a directory shows the regular files below it; links among these are not followed
/// again, so that circles end.
pub(crate) fn known_files(snapshot: &Snapshot) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut shown = Shown::default();
    for (path, file) in &snapshot.files {
        if !matches!(file, File::Link(_)) {
            found.extend(Found::of(path.clone(), path));
            continue;
        }
        let Target::Inside(target) = follow(snapshot, path) else {
            continue;
        };
        if let Some((target, file)) = snapshot.files.get_key_value(&target) {
            if shown.may_show(file) {
                found.extend(Found::of(path.clone(), target));
            }
            continue;
        }
        let prefix = match target.as_str() {
            "" => String::new(),
            target => format!("{target}/"),
        };
        for (below, file) in snapshot.files.range(prefix.clone()..) {
            let Some(rest) = below.strip_prefix(&prefix) else {
                break;
            };
            let Some(one) = Found::of(format!("{path}/{rest}"), below) else {
                continue;
            };
            if !shown.may_show(file) {
                break;
            }
            if !matches!(file, File::Link(_)) {
                found.push(one);
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_inside_outside_or_nowhere() {
        let links = [
            ("a/file", "../b/real"),
            ("a/directory", "../b"),
            ("a/chain", "file"),
            ("a/out", "../../etc/passwd"),
            ("a/absolute", "/etc/passwd"),
            ("a/loop", "loop"),
            ("a/ping", "pong"),
            ("a/pong", "ping"),
            ("a/growing", "growing/x"),
            ("a/up", ".."),
        ];
        let mut snapshot = Snapshot::default().with("b/real", "");
        for (path, target) in links {
            snapshot
                .files
                .insert(path.to_owned(), File::Link(target.to_owned()));
        }
        let inside = |path: &str| Target::Inside(path.to_owned());
        for (path, target) in [
            ("b/real", inside("b/real")),
            ("a/file", inside("b/real")),
            ("a/chain", inside("b/real")),
            ("a/directory", inside("b")),
            ("a/directory/real", inside("b/real")),
            ("a/directory/missing", inside("b/missing")),
            ("a/up", inside("")),
            ("a/up/a/file", inside("b/real")),
            ("a/out", Target::Outside),
            ("a/absolute", Target::Outside),
            ("a/loop", Target::Endless),
            ("a/ping", Target::Endless),
            ("a/growing", Target::Endless),
        ] {
            assert_eq!(follow(&snapshot, path), target, "{path}");
        }
    }

    #[test]
    fn what_links_show_is_bounded() {
        let mut snapshot = Snapshot::default();
        for number in 0..300 {
            snapshot = snapshot.with(&format!("plugins/p{number}.py"), "");
            let link = format!("clusters/c/instances/i{number}");
            snapshot
                .files
                .insert(link, File::Link("../../..".to_owned()));
        }
        assert!(known_files(&snapshot).len() <= 300 + SHOWN);

        let large = "#".repeat(1 << 20);
        let mut snapshot = Snapshot::default().with("large", &large);
        for number in 0..100 {
            let link = format!("groups/g{number}/group.yaml");
            snapshot
                .files
                .insert(link, File::Link("../../large".to_owned()));
        }
        assert_eq!(known_files(&snapshot).len(), SHOWN_BYTES >> 20);
    }
}
