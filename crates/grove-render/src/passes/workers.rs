//! Further workers for some queues.

use serde_json::Value;

use super::{draft::Draft, pass::Pass};
use crate::{Error, names, object::Object, pod, workloads};

pub(super) const PASS: Pass = Pass {
    name: "workers",
    summary: "Each of `workers` is the worker of its service once more, for the queues that it names; the \
              first one no longer takes those. So long tasks keep no short ones waiting.",
    changes: &["Deployment", "* /spec/template/spec/containers"],
    apply,
};

/// The label by which a Deployment chooses its pods.
const NAME: &str = "app.kubernetes.io/name";

/// What Celery is told.
const QUEUES: &str = "--queues=";
const HOSTNAME: &str = "--hostname=";

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    for (name, worker) in &draft.instance.workers {
        let refuse = |why: &str| {
            Error::new(
                format!("`workers.{name}` cannot work: {why}"),
                "see `grove schema instance`, or leave it out with `null`",
            )
        };
        let base = format!("{}-worker", worker.service);
        let full = format!("{base}-{name}");
        if !names::is_label(&full) {
            return Err(refuse(
                "its name is no name of lower-case letters, digits and dashes",
            ));
        }
        let is_queue = |queue: &String| {
            let word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !queue.is_empty() && queue.bytes().all(word)
        };
        if worker.queues.is_empty() || !worker.queues.iter().all(is_queue) {
            return Err(refuse("its queues are no names of queues"));
        }
        let key = format!("workers.{name}");
        let found = workloads::get_mut(&mut draft.objects, &key, &base)?;
        let found = found.ok_or_else(|| refuse("its service has no worker"))?;
        let mut further = found.clone();
        let first =
            args(found, &base).ok_or_else(|| refuse("its service's worker is not Celery"))?;
        let kept: Vec<&str> = first
            .1
            .iter()
            .filter(|queue| !worker.queues.contains(queue))
            .map(String::as_str)
            .collect();
        if kept.is_empty() {
            return Err(refuse("it would leave no queue to the first worker"));
        }
        let kept = kept.join(",");
        tell(found, &base, &|arg| {
            arg.starts_with(QUEUES).then(|| format!("{QUEUES}{kept}"))
        });
        let queues = worker.queues.join(",");
        tell(&mut further, &base, &|arg| {
            if arg.starts_with(QUEUES) {
                return Some(format!("{QUEUES}{queues}"));
            }
            let host = arg.strip_prefix(HOSTNAME)?;
            Some(format!(
                "{HOSTNAME}{}",
                host.replace(".default.", &format!(".{name}."))
            ))
        });
        rename(&mut further, &base, &full);
        draft.objects.add(further)?;
    }
    Ok(())
}

/// The arguments of a worker, and the queues that it takes.
fn args(worker: &Object, name: &str) -> Option<(Vec<String>, Vec<String>)> {
    let spec = worker.pod_template()?.get("spec")?;
    let containers = spec.get("containers")?.as_array()?;
    let container = containers
        .iter()
        .find(|one| pod::text(one, "/name") == Some(name))?;
    let args = container.get("args")?.as_array()?;
    let args: Vec<String> = args
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let queues = args.iter().find_map(|arg| arg.strip_prefix(QUEUES))?;
    let queues = queues.split(',').map(str::to_owned).collect();
    Some((args, queues))
}

/// Changes arguments of a worker's container.
fn tell(worker: &mut Object, name: &str, change: &dyn Fn(&str) -> Option<String>) {
    let spec = worker
        .pod_template_mut()
        .and_then(|template| template.get_mut("spec"));
    let container = spec.and_then(|spec| pod::main_mut(spec, name));
    let args = container.and_then(|container| container.get_mut("args")?.as_array_mut());
    for arg in args.into_iter().flatten() {
        if let Some(new) = arg.as_str().and_then(change) {
            *arg = new.into();
        }
    }
}

/// Gives a copy a name, and pods of its own.
fn rename(worker: &mut Object, from: &str, to: &str) {
    worker.set_metadata("name", to.into());
    for labels in [
        "/metadata/labels",
        "/spec/selector/matchLabels",
        "/spec/template/metadata/labels",
    ] {
        let labels = worker.value_mut().pointer_mut(labels);
        if let Some(label) = labels.and_then(|labels| labels.get_mut(NAME)) {
            *label = to.into();
        }
    }
    let spec = worker
        .pod_template_mut()
        .and_then(|template| template.get_mut("spec"));
    if let Some(container) = spec.and_then(|spec| pod::main_mut(spec, from)) {
        container["name"] = to.into();
    }
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::Worker;
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, deployment};

    fn run(name: &str, queues: &[&str]) -> Result<String, crate::Error> {
        let mut worker = deployment("lms-worker", "openedx:1");
        worker["spec"]["template"]["spec"]["containers"][0]["args"] = json!([
            "celery",
            "worker",
            "--hostname=edx.lms.core.default.%h",
            "--queues=edx.lms.core.default,edx.lms.core.high_mem",
        ]);
        let mut world = testing::World::default();
        let further = Worker {
            service: "lms".to_owned(),
            queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
        };
        world.instance.workers.insert(name.to_owned(), further);
        let mut draft = world.draft(&[], vec![worker])?;
        testing::run(&PASS, &mut draft)?;
        let lines = draft.objects.iter().map(|object| {
            let value = object.value();
            format!(
                "{} {} {} {}",
                object.name(),
                value["spec"]["selector"]["matchLabels"],
                value["spec"]["template"]["metadata"]["labels"],
                value["spec"]["template"]["spec"]["containers"][0]
            )
        });
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_worker_takes_its_queues_off_the_first_one() {
        insta::assert_snapshot!(run("grades", &["edx.lms.core.high_mem"]).unwrap(), @r#"
        lms-worker {"app.kubernetes.io/name":"lms-worker"} {"app.kubernetes.io/name":"lms-worker"} {"args":["celery","worker","--hostname=edx.lms.core.default.%h","--queues=edx.lms.core.default"],"image":"openedx:1","name":"lms-worker"}
        lms-worker-grades {"app.kubernetes.io/name":"lms-worker-grades"} {"app.kubernetes.io/name":"lms-worker-grades"} {"args":["celery","worker","--hostname=edx.lms.core.grades.%h","--queues=edx.lms.core.high_mem"],"image":"openedx:1","name":"lms-worker-grades"}
        "#);
    }

    #[test]
    fn what_could_not_work_is_refused() {
        let message = |name: &str, queues: &[&str]| run(name, queues).unwrap_err().to_string();
        insta::assert_snapshot!(message("Grades", &["a"]), @"`workers.Grades` cannot work: its name is no name of lower-case letters, digits and dashes");
        insta::assert_snapshot!(message("grades", &["a b"]), @"`workers.grades` cannot work: its queues are no names of queues");
        insta::assert_snapshot!(message("all", &["edx.lms.core.default", "edx.lms.core.high_mem"]), @"`workers.all` cannot work: it would leave no queue to the first worker");
    }
}
