//! What is kept of a cluster's objects, whether they were listed or watched.

use std::{collections::BTreeMap, fmt::Debug};

use grove_cluster::{
    Connection, Error,
    argo::{self, Application, clean},
};
use jiff::Timestamp;
use kube::{
    Api, Resource,
    api::{ApiResource, Object},
    core::{DynamicResourceScope, GroupVersionKind},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Observation, Workflow, workflow};

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
    pub(crate) fn api<R: Read>(self, connection: &Connection, argocd: &str) -> Api<R> {
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
pub(crate) type Place = (String, String);

/// What is kept of one object; nothing where there is nothing to keep.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    Application(Box<Application>),
    Certificate(Option<Timestamp>),
    Workflow(Option<Workflow>),
}

/// An object as it is read: decoding no more than is kept makes large lists cheap.
pub(crate) trait Read:
    Resource<DynamicType = ApiResource, Scope = DynamicResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + 'static
{
    const KIND: Kind;
    fn fact(self) -> Fact;

    fn place(&self) -> Place {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let metadata = self.meta();
        (text(&metadata.namespace), text(&metadata.name))
    }
}

/// A part of an object that is not read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Unread {}

pub(crate) type ReadApplication = Object<Option<argo::Spec>, argo::Status>;

impl Read for ReadApplication {
    const KIND: Kind = Kind::Application;

    fn fact(self) -> Fact {
        let (_, name) = self.place();
        let (spec, status) = (self.spec, self.status);
        let annotations = self.metadata.annotations;
        Fact::Application(Box::new(Application::new(
            &name,
            |key| annotations.as_ref()?.get(key).cloned(),
            spec.unwrap_or_default(),
            status.unwrap_or_default(),
        )))
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct CertificateStatus {
    not_after: Option<String>,
}

pub(crate) type ReadCertificate = Object<Option<Unread>, CertificateStatus>;

impl Read for ReadCertificate {
    const KIND: Kind = Kind::Certificate;

    fn fact(self) -> Fact {
        let ends = self.status.and_then(|status| status.not_after);
        Fact::Certificate(ends.and_then(|text| text.parse().ok()))
    }
}

pub(crate) type ReadWorkflow = Object<Option<Unread>, workflow::Status>;

impl Read for ReadWorkflow {
    const KIND: Kind = Kind::Workflow;

    fn fact(self) -> Fact {
        let (namespace, name) = self.place();
        let status = self.status.unwrap_or_default();
        Fact::Workflow(Workflow::new(&format!("{namespace}/{name}"), status))
    }
}

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
    pub(crate) fn put(&mut self, (place, fact): (Place, Fact)) -> bool {
        match fact {
            Fact::Application(application) => {
                put(&mut self.applications, place, Some(*application))
            }
            Fact::Certificate(ends) => put(&mut self.certificates, place, ends),
            Fact::Workflow(workflow) => put(&mut self.workflows, place, workflow),
        }
    }

    /// Forgets an object that is gone.
    pub(crate) fn remove(&mut self, kind: Kind, place: &Place) -> bool {
        match kind {
            Kind::Application => self.applications.remove(place).is_some(),
            Kind::Certificate => self.certificates.remove(place).is_some(),
            Kind::Workflow => self.workflows.remove(place).is_some(),
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
            applications_unread: self.unread.contains_key(&Kind::Application),
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read<R: Read>(namespace: &str, name: &str, rest: Value) -> (Place, Fact) {
        let mut object = rest;
        object["metadata"] = json!({"namespace": namespace, "name": name});
        let object: R = serde_json::from_value(object).unwrap();
        (object.place(), object.fact())
    }

    #[test]
    fn only_what_is_kept_makes_a_change() {
        let mut facts = Facts::default();
        let application = |health: &str, noise: u32| {
            let object = json!({"spec": {"destination": {"namespace": "uni"}},
                "status": {"health": {"status": health}, "reconciledAt": noise}});
            read::<ReadApplication>("argocd", "prod-uni", object)
        };
        assert!(facts.put(application("Healthy", 1)));
        assert!(!facts.put(application("Healthy", 2)));
        assert_eq!(facts.unhealthy(5), Vec::<String>::new());
        assert!(facts.put(application("Degraded", 2)));
        assert_eq!(facts.unhealthy(5), ["uni"]);
        let certificate = |name: &str, ends: &str| {
            read::<ReadCertificate>("uni", name, json!({"status": {"notAfter": ends}}))
        };
        assert!(facts.put(certificate("b", "2027-01-01T00:00:00Z")));
        let (place, fact) = certificate("a", "2026-01-01T00:00:00Z");
        assert!(facts.put((place.clone(), fact)));
        let seen = facts.observation("v1");
        assert_eq!(seen.certificates["uni"].to_string(), "2026-01-01T00:00:00Z");
        assert!(facts.remove(Kind::Certificate, &place));
        let seen = facts.observation("v1");
        assert_eq!(seen.certificates["uni"].to_string(), "2027-01-01T00:00:00Z");
        assert!(facts.replace(Kind::Application, Facts::default()));
        assert!(!facts.replace(Kind::Application, Facts::default()));
        // A Workflow that succeeds is of no interest any more.
        let workflow = |phase: &str| {
            let object = json!({"spec": {}, "status": {"phase": phase, "nodes": {"a": 1}}});
            read::<ReadWorkflow>("ci", "build", object)
        };
        assert!(facts.put(workflow("Running")));
        assert_eq!(facts.observation("v1").workflows[0].name, "ci/build");
        assert!(facts.put(workflow("Succeeded")));
        assert!(facts.observation("v1").workflows.is_empty());
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
