//! What a bootstrap applies, step by step. All of it is a function of its input.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{argo_cd, sealed_secrets};

/// The annotation that says from which ciphertext of the fleet a Secret was made.
const SOURCE: &str = "grove-platform.org/source";

/// One step: objects that belong together, and are waited for together.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name, in kebab case.
    pub name: &'static str,
    /// What it does, for people.
    pub title: &'static str,
    /// What is applied.
    pub objects: Vec<Value>,
}

/// What a bootstrap is made of.
#[derive(Clone, Debug)]
pub struct Input {
    /// Where Argo CD runs.
    pub argocd_namespace: String,
    /// Argo CD's install manifests.
    pub argocd: Vec<Value>,
    /// The CRD of Sealed Secrets.
    pub sealed_secrets_crds: Vec<Value>,
    /// The version of the controller of Sealed Secrets.
    pub sealed_secrets_version: String,
    /// The names of all sealing keys of the cluster, those that are there already among them.
    pub sealing_keys: Vec<String>,
    /// Secrets that have to be written: sealing keys and the repository's credential. Those that the
    /// cluster has already need not be opened.
    pub secrets: Vec<Value>,
    /// The shared project and the root Applications.
    pub roots: Vec<Value>,
}

/// A sealing key, for its Secret.
#[derive(Clone, Copy)]
pub struct SealingKey<'a> {
    /// The certificate in PEM.
    pub certificate: &'a str,
    /// The private key in PEM.
    pub private: &'a str,
    /// From which ciphertext of the fleet it was opened.
    pub source: &'a str,
}

/// How Argo CD reads the deploy repository.
#[derive(Clone, Copy)]
pub enum RepositoryCredential<'a> {
    /// A deploy key.
    Ssh {
        /// The private key in PEM.
        private: &'a str,
    },
    /// A user, or the name of a token, and its password.
    Password {
        /// The user.
        user: &'a str,
        /// The password or token.
        password: &'a str,
    },
}

/// The steps of a bootstrap, in their order.
pub fn steps(input: Input) -> Vec<Step> {
    let (mut keys, mut credentials) = (Vec::new(), Vec::new());
    for secret in input.secrets {
        let namespace = secret
            .pointer("/metadata/namespace")
            .and_then(Value::as_str);
        if namespace == Some(sealed_secrets::NAMESPACE) {
            keys.push(secret);
        } else {
            credentials.push(secret);
        }
    }
    let mut sealing = vec![sealed_secrets::namespace()];
    sealing.extend(keys);
    let mut controller = input.sealed_secrets_crds;
    controller.extend(sealed_secrets::controller(
        &input.sealed_secrets_version,
        &input.sealing_keys,
    ));
    vec![
        Step {
            name: "sealing-key",
            title: "the fleet's sealing key",
            objects: sealing,
        },
        Step {
            name: "sealed-secrets",
            title: "Sealed Secrets",
            objects: controller,
        },
        Step {
            name: "argo-cd",
            title: "Argo CD",
            objects: argo_cd::objects(input.argocd, &input.argocd_namespace),
        },
        Step {
            name: "repository",
            title: "the deploy repository's credential",
            objects: credentials,
        },
        Step {
            name: "roots",
            title: "the shared project and the root Applications",
            objects: input.roots,
        },
    ]
}

/// The Secret of a sealing key (`kubernetes.io/tls`, with the label by which the controller finds it).
pub fn sealing_secret(name: &str, key: SealingKey<'_>) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {
            "name": name,
            "namespace": sealed_secrets::NAMESPACE,
            "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"},
            "annotations": {SOURCE: key.source},
        },
        "data": {
            "tls.crt": BASE64_STANDARD.encode(key.certificate),
            "tls.key": BASE64_STANDARD.encode(key.private),
        },
    })
}

/// The Secret by which Argo CD reads `url`
/// (<https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#repositories>).
pub fn credential_secret(
    namespace: &str,
    url: &str,
    credential: RepositoryCredential<'_>,
    source: &str,
) -> Value {
    let mut data =
        json!({"type": BASE64_STANDARD.encode("git"), "url": BASE64_STANDARD.encode(url)});
    match credential {
        RepositoryCredential::Ssh { private } => {
            data["sshPrivateKey"] = BASE64_STANDARD.encode(private).into();
        }
        RepositoryCredential::Password { user, password } => {
            data["username"] = BASE64_STANDARD.encode(user).into();
            data["password"] = BASE64_STANDARD.encode(password).into();
        }
    }
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": "repository-deploy",
            "namespace": namespace,
            "labels": {"argocd.argoproj.io/secret-type": "repository"},
            "annotations": {SOURCE: source},
        },
        "data": data,
    })
}

/// Whether a Secret of the cluster was made from `source`.
pub(crate) fn is_from(secret: &Value, source: &str) -> bool {
    secret
        .pointer("/metadata/annotations")
        .and_then(|annotations| annotations.get(SOURCE))
        .and_then(Value::as_str)
        == Some(source)
}
