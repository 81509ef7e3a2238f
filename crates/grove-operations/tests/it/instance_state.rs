//! A state goes through the fleet's files to the clusters, and on after an interruption.

use std::{path::PathBuf, sync::Arc};

use grove_operations::{
    Around, Kind,
    consent::Consent,
    deploy::{self, state},
    request::Target,
};

use grove_example::{World, files};

const FILE: &str = "clusters/alpha/instances/uni/instance.yaml";

/// A fleet in a repository, of which everything is deployed.
struct Place {
    git: grove_test::World,
    directory: PathBuf,
    around: Around,
}

impl Place {
    fn new() -> Self {
        let git = grove_test::World::new("/nonexistent");
        let directory = git.path("fleet");
        let world = World::new();
        for (path, text) in files("example", "deploy-{cluster}.git", &world.sites) {
            git.write(directory.join(path), text);
        }
        let repository = git.repository(&directory);
        repository.git(["config", "user.name", "Ada"]);
        repository.git(["config", "user.email", "ada@acme.example"]);
        repository.commit("One");
        let mut around = world.around();
        around.fleet = Some(directory.clone());
        around.instead.files = None;
        // Git is found, and commits as the repository says.
        around.variables = Arc::new(std::env::vars_os().collect());
        let request = deploy::request::Request::new(Target::of("alpha/uni"));
        let plan = deploy::plan::plan(&around, &request).unwrap();
        plan.carry_out(&Consent::none()).unwrap();
        Self {
            git,
            directory,
            around,
        }
    }

    fn plan(&self, change: state::Change) -> state::Plan<'_> {
        let request = state::Request {
            id: None,
            target: Target::of("alpha/uni"),
            change,
            message: None,
            wait: None,
        };
        state::plan(&self.around, &request).unwrap()
    }

    /// Writes a state to the work tree.
    fn write(&self, state: &str) {
        let text = self.git.read(self.directory.join(FILE));
        let lines = text.lines().filter(|line| !line.starts_with("state:"));
        let lines: String = lines.flat_map(|line| [line, "\n"]).collect();
        let text = format!("{lines}state: {state}\n");
        self.git.write(self.directory.join(FILE), text);
    }

    fn run(&self, words: &[&str]) -> String {
        let repository = self.git.open(&self.directory);
        repository.git(words.iter().copied())
    }
}

#[test]
fn what_was_written_and_not_committed_is_committed() {
    let place = Place::new();
    // As whoever was killed after the file was written leaves it.
    place.write("stopped");
    let outcome = place.plan(state::Change::Stop).carry_out(&Consent::none());
    let outcome = outcome.unwrap();
    assert_eq!(outcome.failure, None);
    assert_eq!(place.run(&["status", "--porcelain"]).trim(), "");
    let subject = place.run(&["log", "-1", "--format=%s"]);
    assert_eq!(subject.trim(), "alpha/uni: stopped");
}

#[test]
fn what_others_committed_meanwhile_is_not_committed_again() {
    let place = Place::new();
    place.write("stopped");
    let plan = place.plan(state::Change::Stop);
    place.run(&["commit", "--quiet", "--all", "-m", "Theirs"]);
    let outcome = plan.carry_out(&Consent::none()).unwrap();
    assert_eq!(outcome.failure, None);
    assert_eq!(place.run(&["log", "-1", "--format=%s"]).trim(), "Theirs");
}

#[test]
fn a_state_that_others_changed_meanwhile_is_not_deployed() {
    let place = Place::new();
    place.write("stopped");
    place.run(&["commit", "--quiet", "--all", "-m", "Stop"]);
    // It has the state already, and there is nothing to write.
    let plan = place.plan(state::Change::Stop);
    place.write("active");
    place.run(&["commit", "--quiet", "--all", "-m", "Start"]);
    let error = plan.carry_out(&Consent::none()).unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "{error}");
}

#[test]
fn a_state_that_was_written_again_and_not_committed_is_committed_before_it_is_deployed() {
    let place = Place::new();
    place.write("stopped");
    place.run(&["commit", "--quiet", "--all", "-m", "Stop"]);
    let plan = place.plan(state::Change::Stop);
    place.write("maintenance");
    place.run(&["commit", "--quiet", "--all", "-m", "Maintenance"]);
    // Whoever stops it again is killed after the file was written.
    place.write("stopped");
    let outcome = plan.carry_out(&Consent::none()).unwrap();
    assert_eq!(outcome.failure, None);
    assert_eq!(place.run(&["status", "--porcelain"]).trim(), "");
    let subject = place.run(&["log", "-1", "--format=%s"]);
    assert_eq!(subject.trim(), "alpha/uni: stopped");
}
