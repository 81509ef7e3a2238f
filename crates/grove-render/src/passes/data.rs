//! Data services: what is outside of the namespace, and volumes of what is in it.

use grove_fleet::{
    model::{Engine, Instance},
    rotation,
};

use serde_json::{Value, json};

use super::{draft::Draft, pass::Pass};
use crate::{Error, Task};

pub(super) const PASS: Pass = Pass {
    name: "data",
    summary: "Tutor's own tasks that make databases and users, with the password of the server's root, go \
              where the server is outside of the namespace: `grove data apply` makes them. So does the task that makes a \
              key of the search engine, with its master key. A user whom a rotation retired goes, in a task of its own. Volumes have the \
              size and the storage class that the fleet states.",
    changes: &["PersistentVolumeClaim /spec"],
    apply,
};

/// The part of Tutor whose task makes a key of the search engine, with the engine's master key.
const SEARCH: &str = "meilisearch";

/// The claims of a service: Tutor's names.
const CLAIMS: [(&str, &str); 4] = [
    ("mysql", "mysql"),
    ("mongodb", "mongodb"),
    ("redis", "redis"),
    ("search", SEARCH),
];

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let data = &draft.instance.data;
    for (engine, service) in [(Engine::Mysql, "mysql"), (Engine::Mongodb, "mongodb")] {
        if data.outside.contains_key(&engine) {
            draft.tasks.retain(|task| task.service != service);
        }
    }
    if data.search.is_some() {
        draft
            .tasks
            .retain(|task| task.app.as_deref() != Some(SEARCH));
    }
    if !data.outside.contains_key(&Engine::Mysql) {
        let tasks = retired(draft.instance);
        draft.tasks.extend(tasks);
    }
    for (service, claim) in CLAIMS {
        let Some(volume) = data.volumes.get(service) else {
            continue;
        };
        let found = draft
            .objects
            .iter_mut()
            .find(|object| object.kind() == "PersistentVolumeClaim" && object.name() == claim);
        let spec = found.and_then(|object| object.value_mut().get_mut("spec"));
        let Some(spec) = spec.and_then(Value::as_object_mut) else {
            return Err(Error::new(
                format!(
                    "`data.{service}.volume` is for a volume that the environment does not have"
                ),
                "take the key out where the service is not in the namespace",
            ));
        };
        if let Some(size) = &volume.size {
            let requests = json!({"requests": {"storage": size.to_string()}});
            spec.insert("resources".to_owned(), requests);
        }
        if let Some(class) = &volume.class {
            spec.insert("storageClassName".to_owned(), class.as_str().into());
        }
    }
    Ok(())
}

/// Tasks that take away the user of a database whom a rotation retired. One by whom something is defined,
/// a view for instance, cannot go: it gets a password that nobody knows.
fn retired(instance: &Instance) -> Vec<Task> {
    let mut tasks = Vec::new();
    for pair in rotation::pairs(instance) {
        if pair.is_outside || !instance.secrets.contains_key(&pair.retired) {
            continue;
        }
        let user = format!("'@@{}@@'@'%'", pair.retired);
        let client =
            "mysql -u root --password=\"@@MYSQL_ROOT_PASSWORD@@\" --host mysql --port 3306";
        tasks.push(Task {
            service: "mysql".to_owned(),
            app: Some("retire".to_owned()),
            text: format!(
                "{client} -e \"DROP USER IF EXISTS {user}\" || {client} -e \"ALTER USER {user} IDENTIFIED BY RANDOM PASSWORD\" > /dev/null\n"
            ),
        });
    }
    tasks
}

#[cfg(test)]
mod tests {
    use grove_fleet::{
        Quantity,
        model::{Engine, Manage, Mode, Outside, Volume},
    };
    use serde_json::json;

    use super::PASS;
    use crate::{Task, testing};

    #[test]
    fn tasks_with_a_servers_root_go_and_volumes_are_as_stated() {
        let mut world = testing::World::default();
        for service in ["mysql", "lms"] {
            world.tasks.push(Task {
                service: service.to_owned(),
                app: None,
                text: "true".to_owned(),
            });
        }
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "mongodb"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
        });
        let outside = Outside {
            mode: Mode::Shared,
            server: Some("main".to_owned()),
            host: "db.example".to_owned(),
            port: 3306,
            tls: false,
            region: None,
            domain: None,
            manage: Manage::Create,
            databases: [].into(),
            users: [].into(),
        };
        world.instance.data.outside.insert(Engine::Mysql, outside);
        let volume = Volume {
            size: Quantity::parse("20Gi"),
            class: Some("fast".to_owned()),
        };
        let volumes = &mut world.instance.data.volumes;
        volumes.insert("mongodb".to_owned(), volume.clone());
        let mut draft = world.draft(&[], vec![claim]).unwrap();
        testing::run(&PASS, &mut draft).unwrap();
        let services: Vec<&str> = draft
            .tasks
            .iter()
            .map(|task| task.service.as_str())
            .collect();
        assert_eq!(services, ["lms"]);
        let claim = draft
            .objects
            .get("", "PersistentVolumeClaim", "mongodb")
            .unwrap();
        assert_eq!(
            claim.value()["spec"],
            json!({
                "accessModes": ["ReadWriteOnce"], "storageClassName": "fast",
                "resources": {"requests": {"storage": "20Gi"}},
            })
        );
        world.instance.data.volumes = [("search".to_owned(), volume)].into();
        let mut draft = world.draft(&[], vec![]).unwrap();
        insta::assert_snapshot!((PASS.apply)(&mut draft).unwrap_err(), @"`data.search.volume` is for a volume that the environment does not have");
    }
}
