//! What Tutor's init tasks are for, by Tutor's major version.
//!
//! Read from the tasks of Tutor and its official plugins. A task that stands in no table is *setup*.

use crate::Task;

/// What a task does, and so when it runs and what waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Changes a schema. Deployments wait for it.
    Migrate,
    /// Makes accounts, buckets, keys and flags. Deployments wait for it.
    Setup,
    /// Fills an index, or takes data over. Nothing waits for it; it waits for the LMS.
    Data,
}

impl Class {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Migrate => "migrate",
            Self::Setup => "setup",
            Self::Data => "data",
        }
    }
}

/// The tasks of one major version of Tutor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// `(service, app)` of tasks that migrate.
    migrate: &'static [(&'static str, &'static str)],
    /// `(service, app, start of a line)`: commands inside of other tasks that only fill an index or
    /// take data over. They become a task of their own, since they take long, and some of them ask
    /// an LMS that waits for the rest of their task.
    data: &'static [(&'static str, &'static str, &'static str)],
}

const MIGRATE: &[(&str, &str)] = &[
    ("cms", "cms"),
    ("credentials", "credentials"),
    ("discovery", "discovery"),
    ("lms", "lms"),
    ("notes", "notes"),
    ("xqueue", "xqueue"),
];

const DATA: &[(&str, &str, &str)] = &[
    ("cms", "cms", "./manage.py cms reindex_course "),
    ("cms", "cms", "./manage.py cms reindex_studio"),
    (
        "discovery",
        "discovery",
        "./manage.py refresh_course_metadata ",
    ),
    ("discovery", "discovery", "./manage.py update_index "),
    (
        "notes",
        "notes",
        "./manage.py shell -c \"from notesapi.v1.views.meilisearch import reindex;",
    ),
];

const TUTOR_20: Table = Table {
    migrate: MIGRATE,
    data: DATA,
};
const TUTOR_21: Table = Table {
    migrate: MIGRATE,
    data: DATA,
};
const TUTOR_22: Table = Table {
    migrate: MIGRATE,
    data: DATA,
};

/// The table for a major version; the nearest one for a version that has none.
pub(crate) fn table(major: u32) -> Table {
    match major {
        ..=20 => TUTOR_20,
        21 => TUTOR_21,
        22.. => TUTOR_22,
    }
}

/// A task with its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Classed {
    pub(crate) class: Class,
    pub(crate) task: Task,
}

impl Table {
    /// Classes `task`, and parts what only fills data from it. None of it is left for a task that
    /// does nothing in a cluster.
    pub(crate) fn classify(&self, task: &Task) -> Vec<Classed> {
        if is_for_mounts(task) {
            return Vec::new();
        }
        let service = task.service.as_str();
        let app = task.app.as_deref().unwrap_or_default();
        let class = if self.migrate.contains(&(service, app)) {
            Class::Migrate
        } else {
            Class::Setup
        };
        let commands = self
            .data
            .iter()
            .filter(|entry| (entry.0, entry.1) == (service, app));
        let (kept, parted) = part(
            &task.text,
            &commands.map(|entry| entry.2).collect::<Vec<_>>(),
        );
        let with = |class, text| Classed {
            class,
            task: Task {
                text,
                ..task.clone()
            },
        };
        let mut classed = vec![with(class, kept)];
        if !parted.is_empty() {
            classed.push(with(Class::Data, parted));
        }
        classed
    }
}

/// Whether a task only repairs directories that Tutor mounts from a developer's machine. There are
/// none in a cluster, where the task would cost a pod and do nothing.
fn is_for_mounts(task: &Task) -> bool {
    task.service == "lms"
        && task.app.as_deref().is_none_or(|app| app == "lms")
        && task.text.contains("/openedx/edx-platform/bindmount-canary")
}

/// Parts the lines that start with one of `commands` from a script. Only a whole command on a line
/// of its own is taken: one that is indented (in a condition) or goes on in another line stays.
fn part(text: &str, commands: &[&str]) -> (String, String) {
    let mut kept = String::new();
    let mut parted = String::new();
    let mut goes_on = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let whole = !goes_on && !bare.ends_with('\\');
        goes_on = bare.ends_with('\\');
        if whole && commands.iter().any(|command| line.starts_with(command)) {
            parted.push_str(bare);
            parted.push('\n');
            for piece in ["# A Job of its own: ", bare, "\n"] {
                kept.push_str(piece);
            }
        } else {
            kept.push_str(line);
        }
    }
    (kept, parted)
}

#[cfg(test)]
mod tests {
    use super::{Task, part, table};

    fn classes(service: &str, app: Option<&str>, text: &str) -> Vec<&'static str> {
        let task = Task {
            service: service.to_owned(),
            app: app.map(str::to_owned),
            text: text.to_owned(),
        };
        let classed = table(22).classify(&task);
        classed.iter().map(|classed| classed.class.name()).collect()
    }

    #[test]
    fn classes_of_known_and_unknown_tasks() {
        assert_eq!(classes("lms", Some("lms"), ""), ["migrate"]);
        assert_eq!(classes("lms", Some("mfe"), ""), ["setup"]);
        assert_eq!(classes("mysql", Some("notes"), ""), ["setup"]);
        assert_eq!(
            classes("notes", Some("notes"), "./manage.py migrate\n"),
            ["migrate"]
        );
        assert_eq!(classes("shop", Some("shop"), ""), ["setup"]);
        assert_eq!(classes("lms", None, ""), ["setup"]);
        let reindex = "./manage.py cms migrate\n./manage.py cms reindex_course --active\n";
        assert_eq!(classes("cms", Some("cms"), reindex), ["migrate", "data"]);
        assert_eq!(classes("cms", Some("shop"), reindex), ["setup"]);
    }

    #[test]
    fn the_task_for_mounted_directories_goes() {
        let text = "if [ -f /openedx/edx-platform/bindmount-canary ] ; then exit; fi";
        assert!(classes("lms", Some("lms"), text).is_empty());
        assert_eq!(classes("lms", Some("shop"), text), ["setup"]);
    }

    #[test]
    fn only_whole_commands_are_parted() {
        let text = "a\nrun one\n  run two\nrun three \\\n  run more\nb \\\nrun four\nrun five";
        let (kept, parted) = part(text, &["run "]);
        assert_eq!(parted, "run one\nrun five\n");
        insta::assert_snapshot!(kept, @r"
        a
        # A Job of its own: run one
          run two
        run three \
          run more
        b \
        run four
        # A Job of its own: run five
        ");
    }
}
