//! Applying objects.

use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
    discovery::Scope,
};
use serde_json::Value;

use crate::{Connection, Error};

/// The field manager of everything that Grove applies.
pub const FIELD_MANAGER: &str = "grove";

/// What applying an object did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was not there.
    Created,
    /// It was there and is another now.
    Changed,
    /// It is as it was.
    Unchanged,
}

impl Connection {
    /// Applies an object server-side with strict validation. A namespaced object without a namespace
    /// goes to `default`.
    ///
    /// Others' fields are left alone: [`Error::Conflict`] names them and nothing of the object is
    /// changed, unless `take_over` is set.
    pub async fn apply(&self, object: &Value, take_over: bool) -> Result<Applied, Error> {
        let (api, name) = self.api_of(object).await?;
        let doing = format!("apply {}", describe(object));
        let before = self.ask(&doing, api.get_opt(&name)).await?;
        let after = self
            .patch(&doing, &api, &name, object, take_over, false)
            .await?;
        Ok(difference(before, after))
    }

    /// What applying an object would do, asked of the server by a dry run.
    pub async fn would_apply(&self, object: &Value, take_over: bool) -> Result<Applied, Error> {
        let (api, name) = self.api_of(object).await?;
        let doing = format!("apply {}", describe(object));
        let Some(before) = self.ask(&doing, api.get_opt(&name)).await? else {
            // A namespace that is not there yet would refuse even a trial.
            return Ok(Applied::Created);
        };
        let after = self
            .patch(&doing, &api, &name, object, take_over, true)
            .await?;
        Ok(difference(Some(before), after))
    }

    async fn patch(
        &self,
        doing: &str,
        api: &Api<DynamicObject>,
        name: &str,
        object: &Value,
        take_over: bool,
        dry_run: bool,
    ) -> Result<DynamicObject, Error> {
        let mut parameters = PatchParams::apply(FIELD_MANAGER).validation_strict();
        parameters.force = take_over;
        parameters.dry_run = dry_run;
        let patch = Patch::Apply(object);
        self.ask(doing, api.patch(name, &parameters, &patch)).await
    }

    /// The object of this kind, namespace and name as the cluster has it; none where it is not there.
    pub async fn get(&self, object: &Value) -> Result<Option<Value>, Error> {
        let (api, name) = self.api_of(object).await?;
        let found = self
            .ask(&format!("get {}", describe(object)), api.get_opt(&name))
            .await?;
        Ok(found.map(|found| serde_json::to_value(found).unwrap_or_default()))
    }

    /// The API of an object's kind in its namespace, and the object's name. A kind that the server
    /// does not know is [`Error::UnknownKind`].
    pub async fn api_of(&self, object: &Value) -> Result<(Api<DynamicObject>, String), Error> {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (resource, scope) = self.resource(text("/apiVersion"), text("/kind")).await?;
        let namespace = match text("/metadata/namespace") {
            "" => "default",
            namespace => namespace,
        };
        let api = match scope {
            Scope::Cluster => Api::all_with(self.client().clone(), &resource),
            Scope::Namespaced => Api::namespaced_with(self.client().clone(), namespace, &resource),
        };
        Ok((api, text("/metadata/name").to_owned()))
    }

    /// The resource and scope of a kind, asked of the server once. A kind that it does not know is
    /// [`Error::UnknownKind`], and asked for again the next time.
    pub async fn resource(&self, api: &str, kind: &str) -> Result<(ApiResource, Scope), Error> {
        let key = (api.to_owned(), kind.to_owned());
        let known = self
            .kinds()
            .lock()
            .ok()
            .and_then(|kinds| kinds.get(&key).cloned());
        if let Some(known) = known {
            return Ok(known);
        }
        let found = self.discover(api, kind).await?;
        if let Ok(mut kinds) = self.kinds().lock() {
            kinds.insert(key, found.clone());
        }
        Ok(found)
    }

    async fn discover(&self, api: &str, kind: &str) -> Result<(ApiResource, Scope), Error> {
        let (group, version) = api.split_once('/').unwrap_or(("", api));
        let gvk = GroupVersionKind::gvk(group, version, kind);
        let unknown = || Error::UnknownKind {
            cluster: self.cluster().to_owned(),
            api: api.to_owned(),
            kind: kind.to_owned(),
        };
        let doing = format!("discover {kind} ({api})");
        let request = kube::discovery::pinned_kind(self.client(), &gvk);
        match tokio::time::timeout(std::time::Duration::from_secs(30), request).await {
            Ok(Ok((resource, capabilities))) => Ok((resource, capabilities.scope)),
            Ok(Err(kube::Error::Discovery(_))) => Err(unknown()),
            Ok(Err(error)) => match self.error(&doing, error) {
                error if error.is_absent() => Err(unknown()),
                error => Err(error),
            },
            Err(_) => Err(Error::Slow {
                cluster: self.cluster().to_owned(),
                server: self.server().to_owned(),
                after: std::time::Duration::from_secs(30),
            }),
        }
    }
}

/// `Deployment/lms in uni`.
pub(crate) fn describe(object: &Value) -> String {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let namespace = match text("/metadata/namespace") {
        "" => String::new(),
        namespace => format!(" in {namespace}"),
    };
    format!("{}/{}{namespace}", text("/kind"), text("/metadata/name"))
}

/// What came of an object. Its status is others' and may have moved on meanwhile.
fn difference(before: Option<DynamicObject>, mut after: DynamicObject) -> Applied {
    let Some(mut before) = before else {
        return Applied::Created;
    };
    for object in [&mut before, &mut after] {
        object.metadata.managed_fields = None;
        object.metadata.resource_version = None;
        object.metadata.generation = None;
        if let Some(data) = object.data.as_object_mut() {
            data.remove("status");
        }
    }
    if before.metadata == after.metadata && before.data == after.data {
        Applied::Unchanged
    } else {
        Applied::Changed
    }
}
