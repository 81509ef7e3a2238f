//! Requests of every verb come as JSON from somewhere else.

use std::{collections::BTreeSet, fs, path::Path};

use grove_operations::{
    check, cluster, deploy, fleet, images, jobs, release, render, secrets, shared, stacks, state,
    status,
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::schema;

/// The least that a request has to say.
fn request<T: Serialize + DeserializeOwned + JsonSchema>(file: &str, least: &Value) {
    let name = std::any::type_name::<T>();
    let read = |value: &Value| serde_json::from_value::<T>(value.clone());
    let request = read(least).unwrap_or_else(|error| panic!("{name}: {error}"));
    schema::holds(&request);

    // The whole of it says what may be said, and nothing else may be.
    let mut all = serde_json::to_value(&request).unwrap();
    read(&all).unwrap_or_else(|error| panic!("{name}: {error}: {all}"));
    all["unheard_of"] = json!(1);
    assert!(read(&all).is_err(), "{name} takes what it does not know");

    // What is left out of the least is missed.
    for field in least.as_object().unwrap().keys() {
        let mut less = least.clone();
        less.as_object_mut().unwrap().remove(field);
        assert!(read(&less).is_err(), "{name} does not miss `{field}`");
    }

    // Who writes can be asked twice.
    let id = (!READING.contains(&file)).then_some(&Value::Null);
    assert_eq!(all.get("id"), id, "{name}");
}

/// The files of verbs that only read, or that write what they read to a directory of the caller or to the cache.
const READING: &[&str] = &[
    "check.rs",
    "fleet/explain.rs",
    "images/context.rs",
    "images/credentials.rs",
    "images/plan.rs",
    "jobs/data/list.rs",
    "jobs/data/verify.rs",
    "jobs/known.rs",
    "jobs/logs.rs",
    "release/difference.rs",
    "release/history.rs",
    "render/directory.rs",
    "secrets/classes.rs",
    "secrets/owner.rs",
    "secrets/show.rs",
    "secrets/who.rs",
    "shared/bundle.rs",
    "shared/difference.rs",
    "stacks/drift.rs",
    "stacks/graph.rs",
    "stacks/list.rs",
    "stacks/output.rs",
    "state/verify.rs",
    "status/gather.rs",
    "status/watch.rs",
];

macro_rules! requests {
    ($($file:literal: $name:ty = $least:tt;)*) => {
        #[test]
        fn requests_come_back_from_json_and_say_nothing_unknown() {
            $(request::<$name>($file, &json!($least));)*
        }

        /// The file of each.
        const FILES: &[&str] = &[$($file),*];
    };
}

requests! {
    "check.rs": check::Request = {};
    "cluster/down.rs": cluster::down::Request = {"cluster": "beta"};
    "cluster/up.rs": cluster::up::Request = {"cluster": "beta"};
    "deploy/request.rs": deploy::request::Request = {"target": {"selection": {"all": true}}};
    "deploy/state.rs": deploy::state::Request = {"target": {}, "change": "stop"};
    "fleet/explain.rs": fleet::explain::Request = {"instance": "alpha/uni"};
    "fleet/lock.rs": fleet::lock::Request = {"name": "one"};
    "fleet/new/cluster.rs": fleet::new::cluster::Request = {"name": "gamma"};
    "fleet/new/distribution.rs": fleet::new::distribution::Request =
        {"name": "two", "release": "ulmo", "tutor": "21.0.8", "plugins": []};
    "fleet/new/fleet.rs": fleet::new::fleet::Request = {"deploy_remote": "../{cluster}.git"};
    "fleet/new/group.rs": fleet::new::group::Request = {"name": "uni"};
    "fleet/new/instance.rs": fleet::new::instance::Request =
        {"instance": "alpha/uni", "environment": "staging", "platform_name": "University"};
    "images/context.rs": images::context::Request = {"selector": "alpha/uni", "image": "openedx"};
    "images/credentials.rs": images::credentials::Request = {"instance": "alpha/uni"};
    "images/plan.rs": images::plan::Request = {};
    "jobs/data/apply.rs": jobs::data::apply::Request = {"target": {}};
    "jobs/data/list.rs": jobs::data::list::Request = {};
    "jobs/data/remove.rs": jobs::data::remove::Request = {"instance": "alpha/uni"};
    "jobs/data/verify.rs": jobs::data::verify::Request = {"selection": {}};
    "jobs/do_job.rs": jobs::do_job::Request = {"target": {}, "job": ["importdemocourse"]};
    "jobs/known.rs": jobs::known::Request = {};
    "jobs/logs.rs": jobs::logs::Request = {"instance": "alpha/uni"};
    "jobs/run.rs": jobs::run::Request =
        {"target": {}, "service": "lms", "command": ["true"]};
    "jobs/shell.rs": jobs::shell::Request = {"instance": "alpha/uni"};
    "release/difference.rs": release::difference::Request = {};
    "release/freeze.rs": release::freeze::Request =
        {"target": {}, "change": {"freeze": {"seconds": 60, "reason": "A restore"}}};
    "release/history.rs": release::history::Request = {};
    "release/history.rs": release::history::ShowRequest = {};
    "release/hold.rs": release::hold::Request =
        {"target": {"expect": 1}, "change": {"hold": {"reason": "The exam week"}}};
    "release/init.rs": release::init::Request = {"target": {}, "task": "lms", "change": "retry"};
    "release/rollback.rs": release::rollback::Request = {"instance": "alpha/uni"};
    "render/directory.rs": render::directory::Request = {};
    "secrets/classes.rs": secrets::classes::Request = {};
    "secrets/generate.rs": secrets::generate::Request = {};
    "secrets/owner.rs": secrets::owner::Request = {"owner": "alpha/uni"};
    "secrets/remove.rs": secrets::remove::Request = {"owner": "alpha/uni", "name": "SMTP_PASSWORD"};
    "secrets/rotate.rs": secrets::rotate::Request =
        {"target": {}, "step": {"begin": {"names": ["MYSQL_ROOT_PASSWORD"]}}};
    "secrets/sealing_key.rs": secrets::sealing_key::Request = {"cluster": "alpha"};
    "secrets/set.rs": secrets::set::Request = {"owner": "alpha/uni", "name": "SMTP_PASSWORD"};
    "secrets/show.rs": secrets::show::Request = {"instance": "alpha/uni"};
    "secrets/who.rs": secrets::who::Request = {};
    "shared/bootstrap.rs": shared::bootstrap::Request = {"cluster": "alpha"};
    "shared/bundle.rs": shared::bundle::Request = {};
    "shared/deploy.rs": shared::deploy::Request = {"cluster": "alpha"};
    "shared/difference.rs": shared::difference::Request = {"cluster": "alpha"};
    "shared/rollback.rs": shared::rollback::Request = {"cluster": "alpha"};
    "stacks/apply.rs": stacks::apply::Request = {};
    "stacks/drift.rs": stacks::drift::Request = {};
    "stacks/eject.rs": stacks::eject::Request = {};
    "stacks/graph.rs": stacks::graph::Request = {};
    "stacks/list.rs": stacks::list::Request = {};
    "stacks/output.rs": stacks::output::Request = {};
    "stacks/plan.rs": stacks::plan::Request = {};
    "stacks/renew.rs": stacks::renew::Request = {};
    "stacks/run.rs": stacks::run::Request = {"stack": "alpha/network"};
    "stacks/unlock.rs": stacks::unlock::Request = {"stack": "alpha/network", "lock": "1"};
    "state/join.rs": state::join::Request = {};
    "state/push.rs": state::push::Request = {};
    "state/split.rs": state::split::Request = {};
    "state/verify.rs": state::verify::Request = {};
    "status/gather.rs": status::gather::Asking = {};
    "status/watch.rs": status::watch::Request = {"asking": {}, "interval": 2};
}

#[test]
fn every_request_is_looked_at() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    let mut directories = vec![source.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            if text.contains("\npub struct Request {") {
                let path = path.strip_prefix(&source).unwrap();
                found.insert(path.to_str().unwrap().to_owned());
            }
        }
    }
    let known: BTreeSet<String> = FILES.iter().map(|&file| file.to_owned()).collect();
    let missing: Vec<&String> = found.difference(&known).collect();
    assert!(
        missing.is_empty(),
        "tests/it/requests.rs lacks the requests of {missing:?}"
    );
}
