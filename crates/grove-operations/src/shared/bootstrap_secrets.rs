//! Secrets that a cluster has before it deploys by itself.

use grove_cluster::{
    Connection,
    bootstrap::{
        RepositoryCredential, SEALED_SECRETS_NAMESPACE, SealingKey, credential_secret,
        sealing_secret,
    },
};
use grove_fleet::{
    Fleet,
    model::{Cluster, SecretReference},
};
use grove_seal::keys::KeyPair;
use serde_json::Value;

use crate::{
    Error, Kind, Result,
    secrets::{
        names::{RETIRED_KEY, SEALING_KEY, short_digest},
        open::Secrets,
    },
};

/// What they are made of.
pub(super) struct BootstrapSecrets<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) cluster: &'a Cluster,
    pub(super) secrets: &'a Secrets<'a>,
}

/// Those that the cluster lacks, opened.
pub(super) struct Missing {
    /// The names of all sealing keys, those that it has too.
    pub(super) sealing_keys: Vec<String>,
    /// Secrets as they are applied.
    pub(super) secrets: Vec<Value>,
}

impl BootstrapSecrets<'_> {
    /// Looks which ones the cluster has. These are neither opened nor written.
    pub(super) async fn missing(&self, connection: &Connection) -> Result<Missing> {
        let mut secrets = Vec::new();
        let mut sealing_keys = Vec::new();
        for key in self.sealing_keys()? {
            if !connection
                .has_secret(SEALED_SECRETS_NAMESPACE, &key.name, &key.private.digest)
                .await?
            {
                secrets.push(self.sealing_secret(&key)?);
            }
            sealing_keys.push(key.name);
        }
        secrets.extend(self.credential(connection).await?);
        Ok(Missing {
            sealing_keys,
            secrets,
        })
    }

    fn sealing_keys(&self) -> Result<Vec<Key<'_>>> {
        let cluster = self.cluster;
        let lacks = |what: &str| {
            Error::new(Kind::No, format!("the cluster `{}` has no {what}", cluster.name))
                .hint("`grove new cluster` makes both halves of its sealing key; restore them from Git's history")
        };
        let certificate = cluster
            .sealing
            .as_ref()
            .ok_or_else(|| lacks("`sealing.pem`"))?;
        let private = cluster
            .secrets
            .get(SEALING_KEY)
            .ok_or_else(|| lacks(&format!("`cluster.{SEALING_KEY}` among its secrets")))?;
        let mut keys = vec![Key {
            name: format!("sealing-{}", short_digest(&certificate.pem)?),
            certificate: Some(&certificate.pem),
            private,
        }];
        // Those that were rotated away open what was sealed to them.
        for (name, private) in &cluster.secrets {
            if let Some(short) = name.strip_prefix(RETIRED_KEY) {
                keys.push(Key {
                    name: format!("sealing-{}", short.to_ascii_lowercase()),
                    certificate: None,
                    private,
                });
            }
        }
        Ok(keys)
    }

    fn sealing_secret(&self, key: &Key<'_>) -> Result<Value> {
        let (private, own) = KeyPair::split(&self.secrets.value(key.private)?);
        let certificate = match (key.certificate, own) {
            // The pair of a rotation that was interrupted would open nothing.
            (Some(certificate), Some(own)) if own.trim() != certificate.trim() => {
                return Err(Error::refused(format!(
                    "`sealing.pem` of {} does not belong to `cluster.{SEALING_KEY}`",
                    self.cluster.name
                ))
                .hint("a rotation was interrupted: run `grove seal rotate` again"));
            }
            (Some(certificate), _) => certificate.to_owned(),
            (None, Some(own)) => own,
            (None, None) => {
                return Err(Error::new(
                    Kind::No,
                    format!("{} has no certificate beside its private key", key.name),
                )
                .hint("restore it from Git's history, as `grove seal rotate` wrote it"));
            }
        };
        Ok(sealing_secret(
            &key.name,
            SealingKey {
                certificate: &certificate,
                private: private.expose(),
                source: &key.private.digest,
            },
        ))
    }

    /// The credential by which Argo CD reads the deploy repository, where the fleet has one and the
    /// cluster does not have it yet.
    async fn credential(&self, connection: &Connection) -> Result<Option<Value>> {
        let cluster = self.cluster;
        let secret = |name: &str| cluster.secrets.get(name);
        let url = self.fleet.deploy_remote.replace("{cluster}", &cluster.name);
        let namespace = &cluster.argocd_namespace;
        let source = match (
            secret("DEPLOY_SSH_PRIVATE_KEY"),
            secret("DEPLOY_USERNAME"),
            secret("DEPLOY_PASSWORD"),
        ) {
            (Some(key), ..) => key.digest.clone(),
            (None, Some(user), Some(password)) => format!("{}+{}", user.digest, password.digest),
            _ => return Ok(None),
        };
        if connection
            .has_secret(namespace, "repository-deploy", &source)
            .await?
        {
            return Ok(None);
        }
        let open = |reference: Option<&SecretReference>| match reference {
            Some(reference) => self.secrets.value(reference).map(Some),
            None => Ok(None),
        };
        let key = open(secret("DEPLOY_SSH_PRIVATE_KEY"))?;
        let (user, password) = (
            open(secret("DEPLOY_USERNAME"))?,
            open(secret("DEPLOY_PASSWORD"))?,
        );
        let credential = match (&key, &user, &password) {
            (Some(key), ..) => RepositoryCredential::Ssh {
                private: key.expose(),
            },
            (None, Some(user), Some(password)) => RepositoryCredential::Password {
                user: user.expose(),
                password: password.expose(),
            },
            _ => return Ok(None),
        };
        Ok(Some(credential_secret(
            namespace, &url, credential, &source,
        )))
    }
}

/// A sealing key of the fleet.
struct Key<'a> {
    /// The name of its Secret.
    name: String,
    /// Its certificate, where it does not stand beside the private key.
    certificate: Option<&'a str>,
    private: &'a SecretReference,
}
