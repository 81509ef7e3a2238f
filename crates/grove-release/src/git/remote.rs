//! Where a deploy branch lives, and what `git` means when it fails there.

use std::{
    fmt,
    path::{Component, Path, PathBuf},
};

use crate::Error;

/// The address of a repository: an absolute path, or a URL that `git` understands. It holds no
/// password, since arguments of programs can be read by other users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote(String);

impl Remote {
    /// Reads a remote as `git` does: `scheme://…`, `host:path` (ssh), else a path. A relative path
    /// begins at `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::RemoteInvalid("it is empty"));
        }
        if text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(Error::RemoteInvalid("it is neither a path nor a URL"));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            if !matches!(scheme, "file" | "http" | "https" | "ssh") {
                return Err(Error::RemoteInvalid(
                    "only file, http, https and ssh URLs are used",
                ));
            }
            let authority = rest.split('/').next().unwrap_or_default();
            if let Some((user, host)) = authority.rsplit_once('@')
                && (user.contains(':') || host.starts_with('-'))
            {
                return Err(Error::RemoteInvalid("it holds a password"));
            }
            // Tokens stand in the place of the user for http; ssh users are no secret.
            if scheme.starts_with("http") && authority.contains('@') {
                return Err(Error::RemoteInvalid("it holds a user or token"));
            }
            return Ok(Self(text.to_owned()));
        }
        // `transport::address` runs the program git-remote-<transport>.
        if text.contains("::") {
            return Err(Error::RemoteInvalid(
                "only file, http, https and ssh are used",
            ));
        }
        let is_ssh = text
            .split('/')
            .next()
            .is_some_and(|start| start.contains(':'));
        if is_ssh {
            return Ok(Self(text.to_owned()));
        }
        plain(&base.join(text))
            .to_str()
            .map(|path| Self(path.to_owned()))
            .ok_or(Error::RemoteInvalid("its path is not UTF-8"))
    }

    /// What stands for a remote that lives in this process, in messages.
    pub(crate) fn in_memory(name: &str) -> Self {
        Self(format!("memory:{name}"))
    }

    /// The path, where this is one (a `file://` URL too).
    pub fn path(&self) -> Option<PathBuf> {
        let text = self.0.strip_prefix("file://").unwrap_or(&self.0);
        text.starts_with('/').then(|| PathBuf::from(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What a failed fetch or push means; nothing where the words are not known.
    pub(crate) fn failure(&self, stderr: &str) -> Option<Error> {
        let text = stderr.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let remote = self.to_string();
        let message = gist(stderr);
        let redirected = ["301", "302", "307", "308"]
            .map(|code| format!("requested url returned error: {code}"));
        if has(&redirected.each_ref().map(String::as_str))
            || has(&[
                "unable to update url base from redirection",
                "repository moved",
            ])
        {
            return Some(Error::RemoteMoved { remote, to: None });
        }
        if has(&[
            "permission denied",
            "authentication failed",
            "could not read username",
            "could not read password",
            "terminal prompts disabled",
            "host key verification failed",
            "dubious ownership",
            "access denied",
            "not authorized",
            "requested url returned error: 401",
            "requested url returned error: 403",
            "insufficient permission",
        ]) {
            return Some(Error::RemoteRefused { remote, message });
        }
        if has(&[
            "does not appear to be a git repository",
            "repository not found",
            "no such repository",
            "project you were looking for could not be found",
            "not a git repository",
        ]) || (text.contains("repository '") && text.contains("' not found"))
            || (text.contains("repository '") && text.contains("' does not exist"))
        {
            return Some(Error::RemoteMissing { remote, message });
        }
        if has(&[
            "could not resolve host",
            "connection refused",
            "connection timed out",
            "connection reset",
            "connection closed",
            "operation timed out",
            "network is unreachable",
            "no route to host",
            "failed to connect",
            "couldn't connect to server",
            "requested url returned error: 5",
            "remote end hung up",
        ]) {
            return Some(Error::RemoteUnreachable { remote, message });
        }
        None
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The lines of `git`'s standard error that say what went wrong, joined; never more than 500
/// characters.
pub(super) fn gist(stderr: &str) -> String {
    let lines: Vec<&str> = stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("hint:"))
        .collect();
    let telling: Vec<&str> = lines
        .iter()
        .filter_map(|line| {
            ["fatal: ", "error: ", "ERROR: ", "remote: "]
                .iter()
                .find_map(|prefix| line.strip_prefix(prefix))
        })
        .collect();
    let chosen = if telling.is_empty() { lines } else { telling };
    chosen
        .join("; ")
        .chars()
        .filter(|character| !character.is_control())
        .take(500)
        .collect()
}

/// A path without `.` and `..`, as people write it. Links on the way are not looked at.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
        plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, String> {
        Remote::parse(text, Path::new("/base"))
            .map(|remote| remote.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn paths_begin_at_the_base_and_urls_stay() {
        for (text, remote) in [
            ("deploy.git", "/base/deploy.git"),
            ("/srv/deploy.git", "/srv/deploy.git"),
            ("./a:b/deploy.git", "/base/a:b/deploy.git"),
            (
                "git@git.example.org:acme/deploy-prod.git",
                "git@git.example.org:acme/deploy-prod.git",
            ),
            (
                "ssh://git@git.example.org/acme/deploy.git",
                "ssh://git@git.example.org/acme/deploy.git",
            ),
            (
                "https://git.example.org/acme/deploy.git",
                "https://git.example.org/acme/deploy.git",
            ),
            ("file:///srv/deploy.git", "file:///srv/deploy.git"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(remote), "{text}");
        }
    }

    #[test]
    fn programs_options_and_passwords_are_refused() {
        for text in [
            "",
            "--upload-pack=touch /tmp/x",
            "ext::sh -c id",
            "ext::ssh://x",
            "ftp://example.org/x",
            "https://user:secret@example.org/x",
            "https://token@example.org/x",
            "ssh://git@-oProxyCommand=id/x",
            "a\nb",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn failures_have_names() {
        let remote = Remote::parse("/srv/deploy.git", Path::new("/")).unwrap();
        let name = |stderr: &str| match remote.failure(stderr) {
            Some(Error::RemoteMissing { .. }) => "missing",
            Some(Error::RemoteRefused { .. }) => "refused",
            Some(Error::RemoteMoved { .. }) => "moved",
            Some(Error::RemoteUnreachable { .. }) => "unreachable",
            _ => "?",
        };
        for (stderr, expected) in [
            (
                "ERROR: Repository not found.\nfatal: Could not read from remote repository.",
                "missing",
            ),
            (
                "git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.",
                "refused",
            ),
            (
                "fatal: unable to access 'https://x/': The requested URL returned error: 403",
                "refused",
            ),
            (
                "fatal: unable to access 'https://x/': The requested URL returned error: 301",
                "moved",
            ),
            (
                "fatal: unable to access 'https://x/': Could not resolve host: x",
                "unreachable",
            ),
            (
                "fatal: unable to access 'https://x/': The requested URL returned error: 503",
                "unreachable",
            ),
            ("fatal: repository 'https://x/' not found", "missing"),
            ("fatal: something new", "?"),
        ] {
            assert_eq!(name(stderr), expected, "{stderr}");
        }
    }
}
