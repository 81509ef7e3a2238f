//! What was decided by command about init tasks: which run again, and which are skipped.

use std::borrow::Cow;

use grove_release::{InitTasks, Objects};
use grove_render::{Tree, annotations};
use serde_json::Value;

/// How often a task was asked to run again: part of its Job's name.
const RETRY: &str = "grove-platform.org/retry";

/// A rendered tree whose Jobs know how often they were asked to run again.
pub(crate) fn retried<'a>(tree: &'a Tree, init: &InitTasks) -> Cow<'a, Tree> {
    if init.retried.is_empty() {
        return Cow::Borrowed(tree);
    }
    let mut tree = tree.clone();
    for job in tree
        .objects
        .values_mut()
        .filter(|object| object["kind"] == "Job")
    {
        let count = annotation(job, annotations::NAME).and_then(|task| init.retried.get(task));
        if let Some(count) = count.copied() {
            annotate(job, count);
        }
    }
    Cow::Owned(tree)
}

/// Drops the Jobs that were skipped. A task whose Job is another by now runs, and is skipped no more.
pub(crate) fn skip(objects: &mut Objects, init: &mut InitTasks) {
    init.skipped.retain(|_, skipped| {
        let file = objects
            .iter()
            .find(|(_, object)| {
                object["kind"] == "Job" && object["metadata"]["name"] == skipped.as_str()
            })
            .map(|(file, _)| file.clone());
        file.is_some_and(|file| objects.remove(&file).is_some())
    });
}

/// An annotation of an object.
pub(super) fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(name)?.as_str()
}

/// Notes how often a Job was asked to run again.
pub(super) fn annotate(job: &mut Value, count: u32) {
    if let Some(annotations) = job
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.insert(RETRY.to_owned(), count.to_string().into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(task: &str, name: &str) -> Value {
        json!({"kind": "Job", "metadata": {"name": name, "annotations": {annotations::NAME: task}}})
    }

    #[test]
    fn a_skipped_job_stays_away_until_it_is_another() {
        let mut init = InitTasks::default();
        init.skipped
            .insert("lms-migrate".to_owned(), "lms-migrate-1".to_owned());
        let tree = |name: &str| Objects::from([("job.yaml".to_owned(), job("lms-migrate", name))]);
        let mut same = tree("lms-migrate-1");
        skip(&mut same, &mut init);
        assert!(same.is_empty() && init.skipped.len() == 1);
        let mut other = tree("lms-migrate-2");
        skip(&mut other, &mut init);
        assert!(other.len() == 1 && init.skipped.is_empty());
    }

    #[test]
    fn a_retry_goes_on_in_later_releases() {
        let mut tree = Tree::default();
        tree.objects
            .insert("a".to_owned(), job("lms-migrate", "lms-migrate"));
        tree.objects
            .insert("b".to_owned(), job("cms-migrate", "cms-migrate"));
        let mut init = InitTasks::default();
        assert!(matches!(retried(&tree, &init), Cow::Borrowed(_)));
        init.retried.insert("lms-migrate".to_owned(), 2);
        let tree = retried(&tree, &init);
        assert_eq!(annotation(&tree.objects["a"], RETRY), Some("2"));
        assert_eq!(annotation(&tree.objects["b"], RETRY), None);
    }
}
