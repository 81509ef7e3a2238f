//! A wheel that Grove built, in the cache.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::cache::{Cache, write_whole};
use crate::error::Error;

/// A wheel in the cache.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    /// The file.
    pub(crate) path: PathBuf,
    /// Its SHA-256 digest.
    pub(crate) sha256: String,
}

impl Local {
    /// Its `file:` URL.
    pub(crate) fn url(&self) -> String {
        let mut url = String::from("file://");
        for byte in self.path.as_os_str().as_bytes() {
            if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
                url.push(char::from(*byte));
            } else {
                let _ = write!(url, "%{byte:02X}");
            }
        }
        url
    }
}

/// Puts a wheel that was just built into the cache.
pub(crate) fn keep(cache: &Cache, file: &str, content: &[u8]) -> Result<Local, Error> {
    let sha256 = format!("{:x}", Sha256::digest(content));
    let path = cache.directory("wheels/v1")?.join(&sha256);
    fs::create_dir_all(&path)?;
    let path = path.join(file);
    write_whole(&path, content)?;
    Ok(Local { path, sha256 })
}

/// Whether `text` is the name of a wheel that fits every machine, and nothing else.
pub(crate) fn is_file_name(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"._+!-".contains(&c);
    text.ends_with("-none-any.whl") && !text.starts_with('.') && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_no_character_that_means_something_else() {
        let local = Local {
            path: "/a b/#é/x-1+y.whl".into(),
            sha256: String::new(),
        };
        assert_eq!(local.url(), "file:///a%20b/%23%C3%A9/x-1%2By.whl");
    }

    #[test]
    fn a_file_name_is_no_path() {
        assert!(is_file_name("tutor_mfe-22.1.0-py3-none-any.whl"));
        for name in [
            "../x-none-any.whl",
            "/x-none-any.whl",
            "x.whl",
            "..-none-any.whl",
            "",
        ] {
            assert!(!is_file_name(name), "{name}");
        }
    }
}
