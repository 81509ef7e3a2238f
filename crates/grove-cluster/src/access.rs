//! Which entry of the user's kubeconfig a cluster is.

use std::{path::PathBuf, time::Duration};

use kube::config::{Config, KubeConfigOptions, Kubeconfig};

use crate::Error;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// How a cluster is reached: the user's kubeconfig, and what `cluster.yaml` says of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Kubeconfig files that exist, the first one first, as `KUBECONFIG` lists them.
    pub kubeconfigs: Vec<PathBuf>,
    /// The context that the user named.
    pub context: Option<String>,
    /// `kubernetes.server` of `cluster.yaml`.
    pub server: Option<String>,
    /// `kubernetes.uid` of `cluster.yaml`: the uid of the namespace `kube-system`.
    pub uid: Option<String>,
}

impl Access {
    /// Name and settings of the context that is meant by `cluster`: the one that was named, else the one
    /// whose server `cluster.yaml` states, else the one that has the cluster's name.
    pub(crate) async fn config(&self, cluster: &str) -> Result<(String, Config), Error> {
        let kubeconfig = self.kubeconfig()?;
        let context = self.choose(cluster, &kubeconfig)?;
        let invalid = |error: kube::config::KubeconfigError| Error::Kubeconfig {
            message: error.to_string(),
        };
        let options = KubeConfigOptions {
            context: Some(context.clone()),
            ..KubeConfigOptions::default()
        };
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(invalid)?;
        config.connect_timeout = Some(CONNECT);
        Ok((context, config))
    }

    fn kubeconfig(&self) -> Result<Kubeconfig, Error> {
        let mut merged: Option<Kubeconfig> = None;
        for path in &self.kubeconfigs {
            let invalid = |error: kube::config::KubeconfigError| Error::Kubeconfig {
                message: format!("`{}`: {error}", path.display()),
            };
            let next = Kubeconfig::read_from(path).map_err(invalid)?;
            merged = Some(match merged {
                None => next,
                Some(first) => first.merge(next).map_err(invalid)?,
            });
        }
        merged.ok_or(Error::NoKubeconfig)
    }

    fn choose(&self, cluster: &str, kubeconfig: &Kubeconfig) -> Result<String, Error> {
        let has = |name: &str| kubeconfig.contexts.iter().any(|entry| entry.name == name);
        if let Some(name) = &self.context {
            return if has(name) {
                Ok(name.clone())
            } else {
                Err(Error::NoContext {
                    cluster: cluster.to_owned(),
                    wanted: format!("named `{name}`"),
                    contexts: names(kubeconfig),
                })
            };
        }
        let Some(server) = &self.server else {
            return if has(cluster) {
                Ok(cluster.to_owned())
            } else {
                Err(Error::NoContext {
                    cluster: cluster.to_owned(),
                    wanted: format!("named `{cluster}`"),
                    contexts: names(kubeconfig),
                })
            };
        };
        let is_meant = |name: &str| {
            kubeconfig.clusters.iter().any(|entry| {
                entry.name == name
                    && entry.cluster.as_ref().is_some_and(|entry| {
                        entry.server.as_deref().map(normal) == Some(normal(server))
                    })
            })
        };
        let meant: Vec<&str> = kubeconfig
            .contexts
            .iter()
            .filter(|entry| {
                entry
                    .context
                    .as_ref()
                    .is_some_and(|context| is_meant(&context.cluster))
            })
            .map(|entry| entry.name.as_str())
            .collect();
        // Several users of one server: the one that is named after the cluster, or the current one.
        let current = kubeconfig.current_context.as_deref();
        meant
            .iter()
            .find(|name| **name == cluster)
            .or_else(|| meant.iter().find(|name| Some(**name) == current))
            .or_else(|| meant.first())
            .map(|name| (*name).to_owned())
            .ok_or_else(|| Error::NoContext {
                cluster: cluster.to_owned(),
                wanted: format!("for the server {server}"),
                contexts: names(kubeconfig),
            })
    }
}

fn normal(server: &str) -> &str {
    server.trim_end_matches('/')
}

fn names(kubeconfig: &Kubeconfig) -> Vec<String> {
    kubeconfig
        .contexts
        .iter()
        .map(|entry| entry.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
apiVersion: v1
kind: Config
current-context: second
clusters:
- {name: one, cluster: {server: 'https://one.example:6443/'}}
- {name: two, cluster: {server: 'https://two.example'}}
users: []
contexts:
- {name: alpha, context: {cluster: two, user: x}}
- {name: first, context: {cluster: one, user: x}}
- {name: second, context: {cluster: one, user: y}}
";

    fn choose(access: &Access, cluster: &str) -> Result<String, String> {
        access
            .choose(cluster, &Kubeconfig::from_yaml(TEXT).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_named_context_then_the_server_then_the_name() {
        let mut access = Access::default();
        assert_eq!(choose(&access, "alpha").unwrap(), "alpha");
        insta::assert_snapshot!(choose(&access, "beta").unwrap_err(), @"no context for the cluster `beta`: the kubeconfig has none named `beta`");
        access.server = Some("https://one.example:6443".to_owned());
        assert_eq!(choose(&access, "alpha").unwrap(), "second");
        assert_eq!(choose(&access, "first").unwrap(), "first");
        access.server = Some("https://three.example".to_owned());
        insta::assert_snapshot!(choose(&access, "alpha").unwrap_err(), @"no context for the cluster `alpha`: the kubeconfig has none for the server https://three.example");
        access.context = Some("alpha".to_owned());
        assert_eq!(choose(&access, "beta").unwrap(), "alpha");
        access.context = Some("gamma".to_owned());
        insta::assert_snapshot!(choose(&access, "beta").unwrap_err(), @"no context for the cluster `beta`: the kubeconfig has none named `gamma`");
    }
}
