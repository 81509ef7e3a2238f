//! What is kept of a cluster's objects, whether they were listed or watched.

use std::collections::BTreeMap;

use grove_cluster::{
    Connection, Error,
    argo::{Application, clean},
};
use jiff::Timestamp;
use kube::{
    Api,
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
};
use serde_json::{Value, json};

use crate::{Observation, Workflow};

/// What a status is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Application,
    Certificate,
    Workflow,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Application, Self::Certificate, Self::Workflow];

    fn names(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Application => ("argoproj.io", "v1alpha1", "Application", "applications"),
            Self::Certificate => ("cert-manager.io", "v1", "Certificate", "certificates"),
            Self::Workflow => ("argoproj.io", "v1alpha1", "Workflow", "workflows"),
        }
    }

    /// Verb and resource, for messages.
    pub(crate) fn doing(self, verb: &str) -> String {
        let (group, _, _, plural) = self.names();
        format!("{verb} {plural}.{group}")
    }

    /// Applications of the namespace of Argo CD; the others of every namespace.
    pub(crate) fn api(self, connection: &Connection, argocd: &str) -> Api<DynamicObject> {
        let (group, version, kind, plural) = self.names();
        let kind = GroupVersionKind::gvk(group, version, kind);
        let resource = ApiResource::from_gvk_with_plural(&kind, plural);
        let client = connection.client().clone();
        match self {
            Self::Application => Api::namespaced_with(client, argocd, &resource),
            Self::Certificate | Self::Workflow => Api::all_with(client, &resource),
        }
    }
}

/// Namespace and name of an object.
type Place = (String, String);

/// The few facts that are kept of each object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    applications: BTreeMap<Place, Application>,
    certificates: BTreeMap<Place, Timestamp>,
    workflows: BTreeMap<Place, Workflow>,
    unread: BTreeMap<Kind, String>,
}

impl Facts {
    /// Takes an object; says whether anything that is kept of it changed.
    pub(crate) fn put(&mut self, kind: Kind, object: DynamicObject) -> bool {
        let place = place(&object);
        let value = reduced(object);
        match kind {
            Kind::Application => put(
                &mut self.applications,
                place,
                Some(Application::from_value(&value)),
            ),
            Kind::Certificate => {
                let ends = value.pointer("/status/notAfter").and_then(Value::as_str);
                let ends = ends.and_then(|text| text.parse().ok());
                put(&mut self.certificates, place, ends)
            }
            Kind::Workflow => {
                let workflow = Workflow::from_value(&value);
                put(&mut self.workflows, place, workflow)
            }
        }
    }

    /// Forgets an object that is gone.
    pub(crate) fn remove(&mut self, kind: Kind, object: &DynamicObject) -> bool {
        let place = place(object);
        match kind {
            Kind::Application => self.applications.remove(&place).is_some(),
            Kind::Certificate => self.certificates.remove(&place).is_some(),
            Kind::Workflow => self.workflows.remove(&place).is_some(),
        }
    }

    /// Takes everything that `other` has of a kind, and nothing else of it.
    pub(crate) fn replace(&mut self, kind: Kind, other: Self) -> bool {
        fn swap<T: PartialEq>(mine: &mut T, other: T) -> bool {
            let is_new = *mine != other;
            *mine = other;
            is_new
        }
        let could_read = self.unread.remove(&kind).is_none();
        let is_new = match kind {
            Kind::Application => swap(&mut self.applications, other.applications),
            Kind::Certificate => swap(&mut self.certificates, other.certificates),
            Kind::Workflow => swap(&mut self.workflows, other.workflows),
        };
        is_new || !could_read
    }

    /// Notes that a kind cannot be read. A cluster without Workflows is a usual one.
    pub(crate) fn unread(&mut self, kind: Kind, error: &Error) -> bool {
        if kind == Kind::Workflow && matches!(error, Error::Absent { .. }) {
            return false;
        }
        let text = error.to_string();
        self.unread.insert(kind, text.clone()) != Some(text)
    }

    /// Namespaces of Applications that are not healthy, at most `most`.
    pub(crate) fn unhealthy(&self, most: usize) -> Vec<String> {
        self.applications
            .values()
            .filter(|application| {
                application
                    .health
                    .as_deref()
                    .is_some_and(|health| health != "Healthy")
            })
            .map(|application| application.namespace.clone())
            .filter(|namespace| !namespace.is_empty())
            .take(most)
            .collect()
    }

    /// What the cluster says by these facts.
    pub(crate) fn observation(&self, kubernetes: &str) -> Observation {
        let mut observation = Observation {
            kubernetes: clean(kubernetes),
            unread: self.unread.values().cloned().collect(),
            workflows: self.workflows.values().cloned().collect(),
            ..Observation::default()
        };
        for ((_, name), application) in &self.applications {
            observation
                .applications
                .insert(name.clone(), application.clone());
        }
        for ((namespace, _), ends) in &self.certificates {
            observation
                .certificates
                .entry(namespace.clone())
                .and_modify(|first| *first = *ends.min(first))
                .or_insert(*ends);
        }
        observation
    }
}

fn put<T: PartialEq>(map: &mut BTreeMap<Place, T>, place: Place, new: Option<T>) -> bool {
    let is_new = map.get(&place) != new.as_ref();
    match new {
        Some(new) => drop(map.insert(place, new)),
        None => drop(map.remove(&place)),
    }
    is_new
}

fn place(object: &DynamicObject) -> Place {
    (
        object.metadata.namespace.clone().unwrap_or_default(),
        object.metadata.name.clone().unwrap_or_default(),
    )
}

/// An object's own part, with its name alone of the metadata: field managers are most of many objects.
fn reduced(object: DynamicObject) -> Value {
    let mut value = object.data;
    if let Some(map) = value.as_object_mut() {
        let name = json!({"namespace": object.metadata.namespace, "name": object.metadata.name});
        map.insert("metadata".to_owned(), name);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(namespace: &str, name: &str, data: Value) -> DynamicObject {
        let (group, version, kind, plural) = Kind::Application.names();
        let kind = GroupVersionKind::gvk(group, version, kind);
        let mut object =
            DynamicObject::new(name, &ApiResource::from_gvk_with_plural(&kind, plural))
                .within(namespace);
        object.data = data;
        object
    }

    #[test]
    fn only_what_is_kept_makes_a_change() {
        let mut facts = Facts::default();
        let application = |health: &str, noise: u32| {
            object(
                "argocd",
                "prod-uni",
                json!({"spec": {"destination": {"namespace": "uni"}},
                    "status": {"health": {"status": health}, "reconciledAt": noise}}),
            )
        };
        assert!(facts.put(Kind::Application, application("Healthy", 1)));
        assert!(!facts.put(Kind::Application, application("Healthy", 2)));
        assert_eq!(facts.unhealthy(5), Vec::<String>::new());
        assert!(facts.put(Kind::Application, application("Degraded", 2)));
        assert_eq!(facts.unhealthy(5), ["uni"]);
        let certificate = |name: &str, ends: &str| {
            let data = json!({"status": {"notAfter": ends}});
            object("uni", name, data)
        };
        assert!(facts.put(Kind::Certificate, certificate("b", "2027-01-01T00:00:00Z")));
        assert!(facts.put(Kind::Certificate, certificate("a", "2026-01-01T00:00:00Z")));
        let seen = facts.observation("v1");
        assert_eq!(seen.certificates["uni"].to_string(), "2026-01-01T00:00:00Z");
        assert!(facts.remove(Kind::Certificate, &certificate("a", "")));
        let seen = facts.observation("v1");
        assert_eq!(seen.certificates["uni"].to_string(), "2027-01-01T00:00:00Z");
        assert!(facts.replace(Kind::Application, Facts::default()));
        assert!(!facts.replace(Kind::Application, Facts::default()));
    }

    #[test]
    fn a_cluster_without_workflows_is_no_problem() {
        let mut facts = Facts::default();
        let absent = Error::Absent {
            cluster: "prod".to_owned(),
            object: "workflows.argoproj.io".to_owned(),
        };
        assert!(!facts.unread(Kind::Workflow, &absent));
        assert!(facts.unread(Kind::Certificate, &absent));
        assert!(!facts.unread(Kind::Certificate, &absent));
        assert!(facts.replace(Kind::Certificate, Facts::default()));
    }
}
