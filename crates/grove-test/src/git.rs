//! Git repositories of a world.

use std::path::{Path, PathBuf};

use crate::World;

/// A Git repository of a [`World`], with a work tree or bare.
#[derive(Clone, Copy, Debug)]
pub struct Repository<'a> {
    world: &'a World,
    path: &'a Path,
}

impl World {
    /// Makes `directory` a repository whose branch is `main`, where it is none yet.
    pub fn repository<'a>(&'a self, directory: &'a Path) -> Repository<'a> {
        let repository = Repository {
            world: self,
            path: directory,
        };
        if !directory.join(".git").exists() {
            fs_err::create_dir_all(directory).expect("a directory of the world can be made");
            repository.git(["init", "--quiet", "--initial-branch=main"]);
        }
        repository
    }

    /// Makes an empty bare repository, as a remote is one, and says where it is.
    pub fn bare_repository(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs_err::create_dir_all(&path).expect("a directory of the world can be made");
        Repository {
            world: self,
            path: &path,
        }
        .git(["init", "--quiet", "--bare", "--initial-branch=main"]);
        path
    }

    /// A repository that is there, bare or not, to run Git in.
    pub fn open<'a>(&'a self, directory: &'a Path) -> Repository<'a> {
        Repository {
            world: self,
            path: directory,
        }
    }
}

impl Repository<'_> {
    /// Runs Git in the repository and gives its stdout without the newline at the end.
    ///
    /// # Panics
    ///
    /// If Git fails.
    #[track_caller]
    pub fn git<'b>(&self, arguments: impl IntoIterator<Item = &'b str>) -> String {
        let arguments: Vec<&str> = arguments.into_iter().collect();
        let output = self
            .world
            .program("git")
            .arg("-C")
            .arg(self.path)
            .args(&arguments)
            .output()
            .expect("git can be started");
        assert!(
            output.status.success(),
            "git {} failed:\n{}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end_matches('\n')
            .to_owned()
    }

    /// Commits everything in the work tree and gives the commit's id.
    ///
    /// # Panics
    ///
    /// If Git fails.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.git(["add", "--all"]);
        self.git(["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(["rev-parse", "HEAD"])
    }
}
