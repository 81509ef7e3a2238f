//! How an instance sends mail.

use crate::words::words;

/// What `mail` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// `host`: the relay.
    pub host: String,
    /// `port`.
    pub port: u64,
    /// `encryption`.
    pub encryption: Encryption,
    /// `user`.
    pub user: Option<String>,
    /// `password`: the name of a secret.
    pub password: String,
    /// `from`: the sender.
    pub from: Option<String>,
}

words! {
    /// How a connection to a relay is protected.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Encryption {
        /// The connection becomes TLS before anything is said.
        #[default]
        StartTls = "starttls",
        /// The connection is TLS from its start.
        Tls = "tls",
        /// Passwords and mail go as plain text.
        None = "none",
    }
}

impl Encryption {
    /// The port that relays have for it.
    pub fn port(self) -> u64 {
        match self {
            Self::Tls => 465,
            Self::StartTls | Self::None => 587,
        }
    }
}

/// Whether a text may be a sender: something, an at sign, a domain, and nothing that a header could end with.
pub fn is_sender(text: &str) -> bool {
    let Some((user, domain)) = text.split_once('@') else {
        return false;
    };
    let is_atom =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    !user.is_empty()
        && user.len() <= 64
        && user.bytes().all(is_atom)
        && domain.contains('.')
        && domain.len() <= 253
        && domain.split('.').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}
