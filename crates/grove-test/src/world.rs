//! Directories, clock, locale and Git configuration of a test's own.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use assert_cmd::Command;
use tempfile::TempDir;

use crate::{Filters, Output};

/// The time of a world until a test says otherwise.
const START: &str = "2026-01-02T03:04:05Z";

/// A command that runs longer is ended, and its test fails.
const LIMIT: Duration = Duration::from_mins(10);

/// Variables of the machine that a command sees beside those of its world: where programs are, and
/// how the network is reached. They decide whether something works, never what is written.
const KEPT: [&str; 3] = ["PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// … and those that begin with one of these.
const KEPT_PREFIXES: [&str; 4] = ["PIP_", "UV_", "HTTP", "NO_PROXY"];

/// A place in which commands run without seeing the machine's user.
///
/// It is a temporary directory, gone when the value is dropped, with `home/` (`HOME`, and the XDG
/// directories beneath it), `fleet/` (the current directory of commands) and `cache/`. `PATH` and
/// the settings that reach the network are the machine's, every other variable is the world's own.
#[derive(Debug)]
pub struct World {
    root: TempDir,
    grove: PathBuf,
    cache: PathBuf,
    variables: RefCell<BTreeMap<OsString, OsString>>,
}

impl World {
    /// A new world whose `grove` is `program`: `env!("CARGO_BIN_EXE_grove")` in a test. Its cache
    /// is empty.
    ///
    /// # Panics
    ///
    /// If its directories cannot be made.
    pub fn new(program: impl AsRef<Path>) -> Self {
        let root = tempfile::Builder::new()
            .prefix("grove-world-")
            .tempdir()
            .expect("a temporary directory can be made");
        let cache = path_in(root.path(), "cache");
        Self::at(root, program.as_ref(), cache)
    }

    /// Like [`Self::new`], with a cache that all tests share, so that Tutor's environments are
    /// installed once: `GROVE_TEST_CACHE`, else `grove-test` in the user's cache directory.
    ///
    /// # Panics
    ///
    /// If its directories cannot be made, or there is no place for the cache.
    pub fn with_shared_cache(program: impl AsRef<Path>) -> Self {
        let world = Self::new(program);
        let cache = shared_cache();
        fs_err::create_dir_all(&cache).expect("the shared cache can be made");
        world.set("GROVE_CACHE_DIR", &cache);
        Self { cache, ..world }
    }

    fn at(root: TempDir, program: &Path, cache: PathBuf) -> Self {
        let home = path_in(root.path(), "home");
        for directory in [
            &home,
            &cache,
            &path_in(root.path(), "fleet"),
            &path_in(root.path(), "tmp"),
        ] {
            fs_err::create_dir_all(directory).expect("a directory of the world can be made");
        }
        let world = Self {
            grove: program.to_owned(),
            variables: RefCell::new(kept_variables()),
            cache,
            root,
        };
        world.set("HOME", &home);
        for (name, directory) in [
            ("XDG_CACHE_HOME", ".cache"),
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_DATA_HOME", ".local/share"),
            ("XDG_STATE_HOME", ".local/state"),
        ] {
            world.set(name, home.join(directory));
        }
        world.set("TMPDIR", world.path("tmp"));
        world.set("GROVE_CACHE_DIR", &world.cache);
        world.set("LC_ALL", "C.UTF-8");
        world.set("TZ", "UTC");
        world.set("USER", "operator");
        world.set("GIT_CONFIG_NOSYSTEM", "1");
        world.set("GIT_CONFIG_GLOBAL", home.join(".gitconfig"));
        world.set("GIT_TERMINAL_PROMPT", "0");
        for role in ["AUTHOR", "COMMITTER"] {
            world.set(format!("GIT_{role}_NAME"), "Operator");
            world.set(format!("GIT_{role}_EMAIL"), "operator@acme.example");
        }
        world.set_now(START);
        world
    }

    /// The world's directory.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// A path in the world's directory.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Where commands run: `fleet/`.
    pub fn fleet(&self) -> PathBuf {
        self.path("fleet")
    }

    /// The cache directory of commands.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Sets the time that commands see (RFC 3339): Grove's clock and Git's dates.
    pub fn set_now(&self, time: &str) {
        for name in ["GROVE_TEST_NOW", "GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
            self.set(name, time);
        }
    }

    /// Sets a variable for all later commands.
    pub fn set(&self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        self.variables
            .borrow_mut()
            .insert(name.as_ref().to_owned(), value.as_ref().to_owned());
    }

    /// Takes a variable away from all later commands.
    pub fn unset(&self, name: impl AsRef<OsStr>) {
        self.variables.borrow_mut().remove(name.as_ref());
    }

    /// The environment that commands have.
    pub fn variables(&self) -> Arc<BTreeMap<OsString, OsString>> {
        Arc::new(self.variables.borrow().clone())
    }

    /// Writes a file of the world, and the directories that lead to it.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write(&self, relative: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent).expect("a directory of the world can be made");
        }
        fs_err::write(&path, content).expect("a file of the world can be written");
    }

    /// Writes files of the fleet: (path from the fleet's root, content).
    ///
    /// # Panics
    ///
    /// If one cannot be written.
    pub fn write_fleet<'a>(&self, files: impl IntoIterator<Item = (&'a str, &'a str)>) {
        for (path, content) in files {
            self.write(Path::new("fleet").join(path), content);
        }
    }

    /// Copies a directory, for instance an example fleet, to `relative`. Symbolic links are copied
    /// as links.
    ///
    /// # Panics
    ///
    /// If something cannot be read or written.
    pub fn copy(&self, from: &Path, relative: impl AsRef<Path>) {
        copy_tree(from, &self.path(relative)).expect("a directory can be copied into the world");
    }

    /// Reads a file of the world.
    ///
    /// # Panics
    ///
    /// If it is missing or no UTF-8.
    #[track_caller]
    pub fn read(&self, relative: impl AsRef<Path>) -> String {
        match fs_err::read_to_string(self.path(relative)) {
            Ok(text) => text,
            Err(error) => panic!("{error}"),
        }
    }

    /// The regular files and links under a directory of the world, as sorted paths from it; `.git`
    /// is left out.
    ///
    /// # Panics
    ///
    /// If the directory cannot be read.
    pub fn files(&self, relative: impl AsRef<Path>) -> Vec<String> {
        let directory = self.path(relative);
        let mut files = Vec::new();
        list(&directory, &directory, &mut files).expect("a directory of the world can be read");
        files.sort();
        files
    }

    /// Runs `grove` in the fleet's directory.
    ///
    /// # Panics
    ///
    /// If it cannot be started or runs for ten minutes.
    #[track_caller]
    pub fn grove<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        self.command(arguments).run()
    }

    /// Prepares a run of `grove` that needs more than arguments.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Grove<'_> {
        let mut command = self.program(&self.grove);
        command.args(arguments);
        Grove {
            world: self,
            command,
        }
    }

    /// Prepares a run of `grove` by another program, one that sets limits for instance: `words` are
    /// its name and first arguments; `grove` and its arguments follow them.
    ///
    /// # Panics
    ///
    /// If there are no words.
    pub fn command_under<S: AsRef<OsStr>>(
        &self,
        words: &[&str],
        arguments: impl IntoIterator<Item = S>,
    ) -> Grove<'_> {
        let (program, first) = words.split_first().expect("a program is named");
        let mut command = self.program(program);
        command.args(first).arg(&self.grove).args(arguments);
        Grove {
            world: self,
            command,
        }
    }

    /// A program that sees the world's variables and runs in the fleet's directory.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::from_std(self.process(program));
        command.timeout(LIMIT);
        command
    }

    /// Like [`Self::program`], for a test that does something while the program runs.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test ends the program itself, with a signal of its own"
    )]
    pub fn process(&self, program: impl AsRef<OsStr>) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        command
            .env_clear()
            .envs(&*self.variables.borrow())
            .current_dir(self.fleet());
        command
    }

    /// What makes a text of this world the same on each run.
    pub fn filters(&self) -> Filters {
        // The later path is replaced first, so the outer one comes first here.
        Filters::common()
            .with_path(self.root(), "[WORLD]")
            .with_path(&self.path("home"), "[HOME]")
            .with_path(&self.cache, "[CACHE]")
    }
}

/// A run of `grove`, prepared by [`World::command`].
#[derive(Debug)]
pub struct Grove<'a> {
    world: &'a World,
    command: Command,
}

impl Grove<'_> {
    /// Runs in this directory of the world.
    #[must_use]
    pub fn in_directory(mut self, relative: impl AsRef<Path>) -> Self {
        self.command.current_dir(self.world.path(relative));
        self
    }

    /// Sets a variable for this run.
    #[must_use]
    pub fn set(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Gives the run this on stdin; without it stdin is empty.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.command.write_stdin(text);
        self
    }

    /// Runs it.
    ///
    /// # Panics
    ///
    /// If it cannot be started or runs for ten minutes.
    #[track_caller]
    pub fn run(mut self) -> Output {
        let output = match self.command.output() {
            Ok(output) => output,
            Err(error) => panic!("grove did not run to its end: {error}"),
        };
        Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            filters: self.world.filters(),
        }
    }
}

fn path_in(root: &Path, name: &str) -> PathBuf {
    root.join(name)
}

#[expect(
    clippy::disallowed_methods,
    reason = "decides what of the machine a test sees"
)]
fn kept_variables() -> BTreeMap<OsString, OsString> {
    std::env::vars_os()
        .filter(|(name, _)| {
            name.to_str().is_some_and(|name| {
                let upper = name.to_uppercase();
                KEPT.contains(&name) || KEPT_PREFIXES.iter().any(|prefix| upper.starts_with(prefix))
            })
        })
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the shared cache is the machine's"
)]
fn shared_cache() -> PathBuf {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("GROVE_TEST_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("grove-test")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/grove-test")))
        .expect("GROVE_TEST_CACHE, XDG_CACHE_HOME or HOME says where the shared cache is")
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else if kind.is_symlink() {
            fs_err::os::unix::fs::symlink(fs_err::read_link(&source)?, &target)?;
        } else {
            fs_err::copy(&source, &target)?;
        }
    }
    Ok(())
}

fn list(root: &Path, directory: &Path, files: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if !entry.file_type()?.is_dir() {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            files.push(relative.to_string_lossy().into_owned());
        } else if entry.file_name() != ".git" {
            list(root, &path, files)?;
        }
    }
    Ok(())
}
