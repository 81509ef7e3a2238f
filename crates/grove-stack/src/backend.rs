//! Where states are kept, and under which key.

use sha2::{Digest as _, Sha256};

use crate::{hcl::Block, stack::Address};

/// The name of the variable that has the passphrase of an encrypted state.
pub const PASSPHRASE: &str = "grove_state_passphrase";

/// The longest name of a PostgreSQL schema; the server cuts longer ones without a word.
const SCHEMA: usize = 63;

/// Where a cluster's states are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The back end.
    pub backend: Backend,
    /// `encryption.secret`: the secret with the passphrase, where states are encrypted.
    pub encryption: Option<String>,
}

/// A back end (<https://opentofu.org/docs/language/settings/backends/configuration/>). Credentials are
/// never part of it: they are in the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Files below a directory.
    Local {
        /// The directory, from the fleet's own.
        path: String,
    },
    /// Objects of a bucket, with lock files beside them.
    S3 {
        /// The bucket.
        bucket: String,
        /// Its region.
        region: String,
        /// The server, where it is not Amazon's.
        endpoint: Option<String>,
    },
    /// Tables of a PostgreSQL database, a schema a stack; `PG_CONN_STR` says which database.
    Postgres,
    /// States of a GitLab project.
    Gitlab {
        /// The project's address in the API: `https://gitlab.example.org/api/v4/projects/42`.
        project: String,
    },
}

impl Backend {
    /// The word that `cluster.yaml` has for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Local { .. } => "local",
            Self::S3 { .. } => "s3",
            Self::Postgres => "pg",
            Self::Gitlab { .. } => "gitlab",
        }
    }

    /// The key of a stack's state. Two stacks of one fleet never have the same: names have neither `/`
    /// nor `_`.
    pub fn key(&self, fleet: &str, address: &Address) -> String {
        let parts: Vec<&str> = std::iter::once(fleet).chain(address.parts()).collect();
        match self {
            Self::Local { .. } | Self::S3 { .. } => format!("{}.tfstate", parts.join("/")),
            Self::Gitlab { .. } => parts.join("_"),
            Self::Postgres => {
                let name = parts.join("_");
                if name.len() <= SCHEMA {
                    return name;
                }
                let digest = format!("{:x}", Sha256::digest(&name));
                let kept = SCHEMA - 17;
                let kept: String = name.chars().take(kept).collect();
                format!("{kept}_{}", digest.get(..16).unwrap_or_default())
            }
        }
    }

    /// The place of a state in words that two stacks share only if they share the state.
    pub fn place(&self, key: &str) -> String {
        match self {
            Self::Local { path } => format!("local {path}/{key}"),
            Self::S3 {
                bucket, endpoint, ..
            } => format!("s3 {} {bucket}/{key}", endpoint.as_deref().unwrap_or("aws")),
            Self::Postgres => format!("pg {key}"),
            Self::Gitlab { project } => format!("gitlab {project}/{key}"),
        }
    }

    fn block(&self, key: &str, base: &str) -> Block {
        match self {
            Self::Local { path } => {
                let file = [base, path, key].map(|part| part.trim_end_matches('/'));
                let file: Vec<&str> = file.into_iter().filter(|part| !part.is_empty()).collect();
                Block::new("backend \"local\"").text("path", file.join("/"))
            }
            Self::S3 {
                bucket,
                region,
                endpoint,
            } => {
                let block = Block::new("backend \"s3\"")
                    .text("bucket", bucket)
                    .text("key", key)
                    .text("region", region)
                    .yes("use_lockfile");
                // Servers that only speak S3 have none of Amazon's other services.
                match endpoint {
                    None => block.yes("encrypt"),
                    Some(endpoint) => block
                        .yes("use_path_style")
                        .yes("skip_credentials_validation")
                        .yes("skip_metadata_api_check")
                        .yes("skip_region_validation")
                        .yes("skip_requesting_account_id")
                        .yes("skip_s3_checksum")
                        .map("endpoints", "s3", endpoint.clone()),
                }
            }
            Self::Postgres => Block::new("backend \"pg\"").text("schema_name", key),
            Self::Gitlab { project } => {
                let address = format!("{}/terraform/state/{key}", project.trim_end_matches('/'));
                Block::new("backend \"http\"")
                    .text("address", &address)
                    .text("lock_address", format!("{address}/lock"))
                    .text("lock_method", "POST")
                    .text("unlock_address", format!("{address}/lock"))
                    .text("unlock_method", "DELETE")
            }
        }
    }
}

impl Storage {
    /// The file that names back end and encryption; `base` is the directory from which a local path
    /// begins.
    pub(crate) fn text(&self, key: &str, base: &str) -> String {
        let mut terraform = Block::new("terraform").text("required_version", ">= 1.10.0");
        terraform = terraform.block(self.backend.block(key, base));
        let mut text = String::from("# Where the state of this stack is kept.\n");
        if self.encryption.is_none() {
            terraform.write(&mut text, 0);
            return text;
        }
        let encrypted = |what: &str| {
            Block::new(what)
                .raw("method", "method.aes_gcm.grove")
                .yes("enforced")
        };
        let encryption = Block::new("encryption")
            .block(
                Block::new("key_provider \"pbkdf2\" \"grove\"")
                    .raw("passphrase", "var.grove_state_passphrase"),
            )
            .block(
                Block::new("method \"aes_gcm\" \"grove\"").raw("keys", "key_provider.pbkdf2.grove"),
            )
            .block(encrypted("state"))
            .block(encrypted("plan"));
        terraform.block(encryption).write(&mut text, 0);
        text.push('\n');
        Block::new(format!("variable {PASSPHRASE:?}"))
            .raw("type", "string")
            .yes("sensitive")
            .write(&mut text, 0);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stack_has_a_key_of_its_own() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let local = Backend::Local {
            path: "../states".to_owned(),
        };
        assert_eq!(
            local.key("acme", &address("prod/uni:bucket")),
            "acme/prod/uni/bucket.tfstate"
        );
        let pg = Backend::Postgres;
        assert_eq!(pg.key("acme", &address("a-b:c")), "acme_a-b_c");
        assert_eq!(pg.key("acme", &address("a/b:c")), "acme_a_b_c");
        // PostgreSQL would cut both to the same.
        let long = |end: &str| {
            let key = pg.key("acme", &address(&format!("{}:{end}", "x".repeat(70))));
            assert_eq!(key.len(), 63);
            key
        };
        assert_ne!(long("network"), long("cluster"));
    }

    #[test]
    fn back_ends_are_plain_hcl_without_credentials() {
        let text = |backend, encryption: Option<&str>| {
            let storage = Storage {
                backend,
                encryption: encryption.map(str::to_owned),
            };
            let address = Address::of_cluster("prod", "network");
            storage.text(&storage.backend.key("acme", &address), "")
        };
        let s3 = Backend::S3 {
            bucket: "states".to_owned(),
            region: "fra1".to_owned(),
            endpoint: Some("https://fra1.example.com".to_owned()),
        };
        insta::assert_snapshot!(text(s3, None), @r#"
        # Where the state of this stack is kept.
        terraform {
          required_version = ">= 1.10.0"

          backend "s3" {
            bucket                      = "states"
            key                         = "acme/prod/network.tfstate"
            region                      = "fra1"
            use_lockfile                = true
            use_path_style              = true
            skip_credentials_validation = true
            skip_metadata_api_check     = true
            skip_region_validation      = true
            skip_requesting_account_id  = true
            skip_s3_checksum            = true
            endpoints = {
              s3 = "https://fra1.example.com"
            }
          }
        }
        "#);
        insta::assert_snapshot!(text(Backend::Postgres, Some("STATE_KEY")), @r#"
        # Where the state of this stack is kept.
        terraform {
          required_version = ">= 1.10.0"

          backend "pg" {
            schema_name = "acme_prod_network"
          }

          encryption {
            key_provider "pbkdf2" "grove" {
              passphrase = var.grove_state_passphrase
            }

            method "aes_gcm" "grove" {
              keys = key_provider.pbkdf2.grove
            }

            state {
              method   = method.aes_gcm.grove
              enforced = true
            }

            plan {
              method   = method.aes_gcm.grove
              enforced = true
            }
          }
        }

        variable "grove_state_passphrase" {
          type      = string
          sensitive = true
        }
        "#);
    }
}
