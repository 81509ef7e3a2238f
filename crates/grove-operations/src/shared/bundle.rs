//! Where the files of bundles are kept.

use grove_cluster::bundle::Store;

use crate::{Around, Result};

/// Where the files are kept.
pub fn store(around: &Around) -> Result<Store> {
    Ok(Store::new(&around.cache_directory()?.join("bundle-v1")))
}
