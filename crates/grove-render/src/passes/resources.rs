//! What each workload needs.

use grove_fleet::model::Resources;
use serde_json::{Map, Value, json};

use super::{draft::Draft, pass::Pass};
use crate::{
    Error, data_services,
    object::Object,
    pod,
    workloads::{self, amounts},
};

pub(super) const PASS: Pass = Pass {
    name: "resources",
    summary: "Each workload of `resources` has what the fleet says: requests, limits, replicas, probes, \
              the time to end its work, the nodes that it may run on. Jobs of its service have its requests \
              and limits. Tutor requests memory for LMS and \
              CMS and says nothing else; a worker of its takes as many tasks at once as its node has cores.",
    changes: &[
        "* /spec/replicas",
        "* /spec/template/spec/containers",
        "* /spec/template/spec/nodeSelector",
        "* /spec/template/spec/terminationGracePeriodSeconds",
        "* /spec/template/spec/tolerations",
    ],
    apply,
};

/// The variable by which Tutor tells uWSGI how many processes to run.
const UWSGI: &str = "UWSGI_WORKERS";

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    for (name, resources) in &draft.instance.resources {
        let found = workloads::get_mut(&mut draft.objects, "resources", name)?;
        let Some(workload) = found else { continue };
        if resources.replicas.is_some_and(|replicas| replicas > 1)
            && data_services::is_data_service(workload)
        {
            return Err(data_services::scaled(name));
        }
        set(workload, name, resources)?;
    }
    for job in draft
        .objects
        .iter_mut()
        .filter(|object| object.kind() == "Job")
    {
        let container = job
            .pod_template_mut()
            .and_then(|template| template.pointer_mut("/spec/containers/0"));
        let Some(container) = container else { continue };
        let service = pod::text(container, "/name").unwrap_or_default().to_owned();
        if let Some(resources) = draft.instance.resources.get(&service) {
            set_amounts(container, &service, resources)?;
        }
    }
    Ok(())
}

fn set(workload: &mut Object, name: &str, resources: &Resources) -> Result<(), Error> {
    if let Some(replicas) = resources.replicas {
        workload.value_mut()["spec"]["replicas"] = replicas.into();
    }
    let Some(spec) = workload
        .pod_template_mut()
        .and_then(|template| template.get_mut("spec"))
    else {
        return Ok(());
    };
    if let Some(grace) = resources.grace {
        spec["terminationGracePeriodSeconds"] = grace.into();
    }
    if !resources.nodes.is_empty() {
        spec["nodeSelector"] = json!(resources.nodes);
    }
    if !resources.tolerations.is_empty() {
        spec["tolerations"] = resources.tolerations.clone().into();
    }
    let Some(container) = pod::main_mut(spec, name) else {
        return Ok(());
    };
    set_amounts(container, name, resources)?;
    if let Some(concurrency) = resources.concurrency {
        set_concurrency(container, name, concurrency)?;
    }
    if resources.probes {
        let probes = probes(container, name)?;
        for (key, probe) in probes {
            container[&key] = probe;
        }
    }
    Ok(())
}

/// Requests and limits of a container.
fn set_amounts(container: &mut Value, name: &str, resources: &Resources) -> Result<(), Error> {
    for (key, stated) in [
        ("requests", &resources.requests),
        ("limits", &resources.limits),
    ] {
        for (resource, amount) in stated {
            container["resources"][key][resource] = amount.to_string().into();
        }
    }
    for (resource, limit) in amounts(container, "limits") {
        let request = amounts(container, "requests").remove(&resource);
        if let Some(request) = request.filter(|request| *request > limit) {
            return Err(Error::new(
                format!("{name} requests {request} of {resource}, and its limit is {limit}"),
                "raise the limit, or state a smaller request as well",
            ));
        }
    }
    Ok(())
}

/// Says how much a container works on at once: by Tutor's variable for uWSGI, or by Celery's option.
fn set_concurrency(container: &mut Value, name: &str, concurrency: u64) -> Result<(), Error> {
    let list = |container: &Value, key: &str| {
        let list = container.get(key).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let mut env = list(container, "env");
    if let Some(variable) = env.iter_mut().find(|one| one["name"] == UWSGI) {
        variable["value"] = concurrency.to_string().into();
        container["env"] = env.into();
        return Ok(());
    }
    let mut args = list(container, "args");
    if is_celery(container) {
        args.retain(|arg| {
            !arg.as_str()
                .unwrap_or_default()
                .starts_with("--concurrency")
        });
        args.push(format!("--concurrency={concurrency}").into());
        container["args"] = args.into();
        return Ok(());
    }
    Err(Error::new(
        format!("nothing is known by which {name} could be told how much to do at once"),
        "take the key out",
    ))
}

/// Whether a container is a worker that Celery's own program runs.
fn is_celery(container: &Value) -> bool {
    let args = container.get("args").and_then(Value::as_array);
    args.is_some_and(|args| {
        args.first().is_some_and(|arg| arg == "celery") && args.iter().any(|arg| arg == "worker")
    })
}

/// Lets a worker write down that it is at work: its arguments become those of the same program in Python, which
/// touches a file with each heartbeat that the worker sends, every two seconds. A worker that hangs, or whose
/// broker is gone, sends none.
fn write_heartbeats(container: &mut Value) {
    let args = container.get_mut("args").and_then(Value::as_array_mut);
    if let Some(args) = args {
        args.splice(..1, ["python", "-c", WORKER].map(Value::from));
    }
}

/// Celery's program (`celery.__main__`), and its signal
/// (<https://docs.celeryq.dev/en/stable/userguide/signals.html#heartbeat-sent>).
const WORKER: &str = include_str!("resources/worker.py");

/// Whether the worker's last heartbeat is less than a minute ago. Asking the worker itself, as `celery inspect
/// ping` does, would load all of Open edX each time.
const IS_AT_WORK: [&str; 3] = ["sh", "-c", "test -n \"$(find /tmp/grove-worker -mmin -1)\""];

/// How Kubernetes asks a container whether it is well.
///
/// LMS and CMS answer at `/heartbeat`, which asks their databases too: a pod that cannot reach them gets
/// no requests, but is not started again for it. A worker is started again after six minutes without a
/// heartbeat. Elsewhere an open port must do.
fn probes(container: &mut Value, name: &str) -> Result<Map<String, Value>, Error> {
    if is_celery(container) {
        write_heartbeats(container);
        let at_work = json!({"exec": {"command": IS_AT_WORK}});
        return Ok(Map::from_iter([
            ("startupProbe".to_owned(), with(&at_work, 5, 5, 120)),
            ("readinessProbe".to_owned(), with(&at_work, 10, 5, 3)),
            ("livenessProbe".to_owned(), with(&at_work, 30, 5, 10)),
        ]));
    }
    let port = container
        .pointer("/ports/0/containerPort")
        .and_then(Value::as_u64)
        .ok_or_else(|| {
            Error::new(
                format!("{name} opens no port at which it could be asked whether it is well"),
                "take the key out",
            )
        })?;
    let open = json!({"tcpSocket": {"port": port}});
    let ready = match name {
        "lms" | "cms" => json!({"httpGet": {"path": "/heartbeat", "port": port, "httpHeaders": [
            // Names that Tutor's settings let in, and the scheme that they expect.
            {"name": "Host", "value": name},
            {"name": "X-Forwarded-Proto", "value": "https"},
        ]}}),
        "meilisearch" => json!({"httpGet": {"path": "/health", "port": port}}),
        _ => open.clone(),
    };
    // Ten minutes to start: a database may recover, an LMS compiles its templates.
    Ok(Map::from_iter([
        ("startupProbe".to_owned(), with(&open, 5, 3, 120)),
        ("readinessProbe".to_owned(), with(&ready, 10, 5, 3)),
        ("livenessProbe".to_owned(), with(&open, 10, 5, 6)),
    ]))
}

/// A probe that asks each so many seconds, waits so long, and gives up after so many failures.
fn with(probe: &Value, period: u32, timeout: u32, failures: u32) -> Value {
    let mut probe = probe.clone();
    probe["periodSeconds"] = period.into();
    probe["timeoutSeconds"] = timeout.into();
    probe["failureThreshold"] = failures.into();
    probe
}

#[cfg(test)]
mod tests {
    use grove_fleet::{Quantity, model::Resources};
    use serde_json::{Value, json};

    use super::PASS;
    use crate::testing::{self, claim, deployment, with_claim};

    fn run(stated: &[(&str, Resources)]) -> Result<String, crate::Error> {
        let mut world = testing::World::default();
        for (name, resources) in stated {
            let name = (*name).to_owned();
            world.instance.resources.insert(name, resources.clone());
        }
        let container = |name: &str, container: Value| {
            let mut workload = deployment(name, "openedx:1");
            let known = &mut workload["spec"]["template"]["spec"]["containers"][0];
            for (key, value) in container.as_object().unwrap() {
                known[key] = value.clone();
            }
            workload
        };
        let objects = vec![
            container(
                "lms",
                json!({"ports": [{"containerPort": 8000}], "env": [{"name": "UWSGI_WORKERS", "value": "2"}],
                    "resources": {"requests": {"memory": "2Gi"}}}),
            ),
            container(
                "lms-worker",
                json!({"args": ["celery", "--app=lms.celery", "worker"]}),
            ),
            with_claim(deployment("mysql", "mysql:8"), "mysql"),
            claim("mysql"),
            testing::template_job("lms", "openedx:1"),
        ];
        testing::run(&PASS, &mut world.draft(&[], objects)?)
    }

    fn amounts(all: &[(&str, &str)]) -> std::collections::BTreeMap<String, Quantity> {
        let amount =
            |(name, text): &(&str, &str)| ((*name).to_owned(), Quantity::parse(text).unwrap());
        all.iter().map(amount).collect()
    }

    #[test]
    fn a_workload_has_what_is_said_and_others_have_not() {
        let lms = Resources {
            requests: amounts(&[("cpu", "500m")]),
            limits: amounts(&[("memory", "3Gi")]),
            replicas: Some(2),
            concurrency: Some(4),
            probes: true,
            grace: Some(60),
            nodes: [("pool".to_owned(), "web".to_owned())].into(),
            tolerations: vec![json!({"key": "web", "operator": "Exists"})],
        };
        let worker = Resources {
            concurrency: Some(3),
            probes: true,
            ..Resources::default()
        };
        insta::assert_snapshot!(run(&[("lms", lms), ("lms-worker", worker)]).unwrap(), @r#"
        + Deployment/lms /spec/replicas: 2
        ~ Deployment/lms /spec/template/spec/containers/0/env/0/value: "2" → "4"
        + Deployment/lms /spec/template/spec/containers/0/livenessProbe: {"failureThreshold":6,"periodSeconds":10,"tcpSocket":{"port":8000},"timeoutSeconds":5}
        + Deployment/lms /spec/template/spec/containers/0/readinessProbe: {"failureThreshold":3,"httpGet":{"httpHeaders":[{"name":"Host","value":"lms"},{"name":"X-Forwarded-Proto","value":"https"}],"path":"/heartbeat","port":8000},"periodSeconds":10,"timeoutSeconds":5}
        + Deployment/lms /spec/template/spec/containers/0/resources/limits: {"memory":"3Gi"}
        + Deployment/lms /spec/template/spec/containers/0/resources/requests/cpu: "500m"
        + Deployment/lms /spec/template/spec/containers/0/startupProbe: {"failureThreshold":120,"periodSeconds":5,"tcpSocket":{"port":8000},"timeoutSeconds":3}
        + Deployment/lms /spec/template/spec/nodeSelector: {"pool":"web"}
        + Deployment/lms /spec/template/spec/terminationGracePeriodSeconds: 60
        + Deployment/lms /spec/template/spec/tolerations: [{"key":"web","operator":"Exists"}]
        ~ Deployment/lms-worker /spec/template/spec/containers/0/args: ["celery","--app=lms.celery","worker"] → ["python","-c","import pathlib\nimport sys\n\nfrom celery.__main__ import main\nfrom celery.signals import heartbeat_sent\n\n\ndef at_work(**_):\n    pathlib.Path(\"/tmp/grove-worker\").touch()\n\n\nheartbeat_sent.connect(at_work, weak=False)\nsys.exit(main())\n","--app=lms.celery","worker","--concurrency=3"]
        + Deployment/lms-worker /spec/template/spec/containers/0/livenessProbe: {"exec":{"command":["sh","-c","test -n \"$(find /tmp/grove-worker -mmin -1)\""]},"failureThreshold":10,"periodSeconds":30,"timeoutSeconds":5}
        + Deployment/lms-worker /spec/template/spec/containers/0/readinessProbe: {"exec":{"command":["sh","-c","test -n \"$(find /tmp/grove-worker -mmin -1)\""]},"failureThreshold":3,"periodSeconds":10,"timeoutSeconds":5}
        + Deployment/lms-worker /spec/template/spec/containers/0/startupProbe: {"exec":{"command":["sh","-c","test -n \"$(find /tmp/grove-worker -mmin -1)\""]},"failureThreshold":120,"periodSeconds":5,"timeoutSeconds":5}
        + Job/lms-job /spec/template/spec/containers/0/resources: {"limits":{"memory":"3Gi"},"requests":{"cpu":"500m"}}
        "#);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let of = |resources: Resources| {
            move |name| run(&[(name, resources.clone())]).unwrap_err().to_string()
        };
        let limit = of(Resources {
            limits: amounts(&[("memory", "1Gi")]),
            ..Resources::default()
        });
        insta::assert_snapshot!(limit("lms"), @"lms requests 2Gi of memory, and its limit is 1Gi");
        insta::assert_snapshot!(limit("lsm"), @"`resources` names lsm, and the environment has no such workload");
        let replicas = of(Resources {
            replicas: Some(2),
            ..Resources::default()
        });
        insta::assert_snapshot!(replicas("mysql"), @"mysql keeps data on one volume, and two pods of it would spoil it");
        let concurrency = of(Resources {
            concurrency: Some(2),
            ..Resources::default()
        });
        insta::assert_snapshot!(concurrency("mysql"), @"nothing is known by which mysql could be told how much to do at once");
        let probes = of(Resources {
            probes: true,
            ..Resources::default()
        });
        insta::assert_snapshot!(probes("mysql"), @"mysql opens no port at which it could be asked whether it is well");
    }
}
