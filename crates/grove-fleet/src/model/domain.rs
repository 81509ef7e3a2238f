//! Further names of an instance, and what is said of a site by its name.

use serde_json::{Map, Value};

/// A further name of an instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Domain {
    /// The service that answers, a key of `hosts`.
    pub service: String,
    /// Whether it only leads to the service's own name.
    pub redirect: bool,
    /// `site`: the site configuration of this name, in Open edX's own terms.
    pub site: Option<Map<String, Value>>,
    /// `tenant`: the tenant of eox-tenant, by its external key, that has the configuration instead.
    pub tenant: Option<String>,
    /// `certificate`: a certificate that somebody else issued.
    pub certificate: Option<OwnCertificate>,
}

/// A certificate that the operator brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCertificate {
    /// The certificate and those that signed it, as PEM.
    pub chain: String,
    /// The secret that holds the private key, as PEM.
    pub key: String,
}
