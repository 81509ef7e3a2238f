//! Jobs of Tutor and of plugins, as the running release has them.

use std::collections::{BTreeMap, btree_map::Entry};

use grove_fleet::{Address, Fleet};
use grove_release::{Id, Record, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Around, Error, Result, fleet::workspace::Workspace, release::records::rendered_from,
    render::pipeline::Pipeline,
};

/// Jobs of Tutor's that are something else here, and what that is.
pub(super) const ELSEWHERE: [(&str, &str); 3] = [
    (
        "init",
        "a deploy runs init tasks; `grove init retry` runs one again",
    ),
    (
        "sqlshell",
        "it needs a terminal: `grove shell INSTANCE lms -- ./manage.py lms dbshell`",
    ),
    ("tests", "it starts and stops a site of its own"),
];

/// What a word may have besides letters and digits, so that it means nothing to a shell.
const PLAIN: &str = "@%+=:,./_-";

/// A job and its arguments. Jobs put words into shell scripts as they are, so only plain ones are let through:
/// letters, digits and `@%+=:,./_-`. A password is none of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Words(Vec<String>);

impl Words {
    /// Takes words that are plain.
    ///
    /// # Errors
    ///
    /// Words that a shell would read, jobs that are something else here, and passwords.
    pub fn new(words: Vec<String>) -> Result<Self> {
        refuse_words(&words)?;
        Ok(Self(words))
    }

    /// Each of them, the job's name first.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for Words {
    type Error = Error;

    fn try_from(words: Vec<String>) -> Result<Self> {
        Self::new(words)
    }
}

impl From<Words> for Vec<String> {
    fn from(words: Words) -> Self {
        words.0
    }
}

/// Refuses words that a shell would read, and jobs that are none here.
fn refuse_words(job: &[String]) -> Result<()> {
    let is_plain = |word: &&String| {
        word.chars()
            .all(|c| c.is_ascii_alphanumeric() || PLAIN.contains(c))
    };
    if let Some(word) = job.iter().find(|word| !is_plain(word)) {
        return Err(Error::usage(format!(
            "`{}` is not plain, and the job would put it into a shell script",
            word.escape_debug()
        ))
        .hint(format!(
            "letters, digits and `{PLAIN}` are; `grove run` passes any words to a command"
        )));
    }
    let name = job.first().map(String::as_str);
    if let Some(option) = name.filter(|name| name.starts_with('-')) {
        return Err(Error::usage(format!("`{option}` is no job"))
            .hint("Grove's own options stand before the selector, a job's own after the job"));
    }
    if let Some((name, instead)) = ELSEWHERE.iter().find(|(known, _)| name == Some(known)) {
        return Err(Error::usage(format!("`{name}` is no job here")).hint(*instead));
    }
    if name == Some("createuser") && job.iter().any(|word| is_password(word)) {
        return Err(Error::usage("a password is not given as a word").hint(
            "it is asked for, or read from standard input: it would stay in the shell's history",
        ));
    }
    Ok(())
}

fn is_password(word: &str) -> bool {
    let is_short = word.starts_with("-p") && !word.starts_with("--");
    is_short || word == "--password" || word.starts_with("--password=")
}

/// Tutor, as running releases have it.
pub(super) struct Tutor<'a> {
    around: &'a Around,
    pipeline: Pipeline<'a>,
    /// The fleet of each source.
    fleets: BTreeMap<Id, Fleet>,
}

impl<'a> Tutor<'a> {
    pub(super) fn new(around: &'a Around) -> Result<Self> {
        Ok(Self {
            around,
            pipeline: Pipeline::new(around, true)?,
            fleets: BTreeMap::new(),
        })
    }

    /// Asks Tutor as the running release has it.
    pub(super) fn ask<T>(
        &mut self,
        workspace: &Workspace<'_>,
        view: &View<'_>,
        record: Record,
        address: &Address,
        asked: impl Fn(&grove_tutor::Worker, &grove_render::TutorInput) -> Result<T>,
    ) -> Result<T> {
        let source = rendered_from(view, address, record)?;
        let fleet = match self.fleets.entry(source) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(workspace.as_of(source)?.check().fleet),
        };
        let gone = || Error::refused(format!("{} has no instance {address}", source.short()));
        let instance = fleet.instances.get(address).ok_or_else(gone)?;
        let distribution = fleet.distributions.get(&instance.distribution);
        let (distribution, lock) = distribution
            .and_then(|distribution| Some((distribution, distribution.lock.as_ref()?)))
            .ok_or_else(gone)?;
        self.around.progress(&format!("asking Tutor for {address}"));
        let worker = self.pipeline.worker(distribution, lock)?;
        let result = asked(&worker, &grove_render::request(instance)?);
        self.around.progress_done();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn words_that_a_shell_would_read_are_refused() {
        let refused = |text: &str| Words::new(words(text)).unwrap_err().to_string();
        for word in [
            "a;b", "$(x)", "`x`", "a'b", "{{X}}", "a\nb", "*", "~", "é", "&", ">x",
        ] {
            assert!(
                refused(&format!("settheme {word}")).contains("not plain"),
                "{word}"
            );
        }
        assert!(refused("createuser -psecret a b").contains("password"));
        assert!(refused("createuser --password=x a b").contains("password"));
        assert!(refused("--format json").contains("no job"));
        assert!(refused("init").contains("no job here"));
        let plain = "createuser --staff ada ada+1@uni.example";
        assert!(Words::new(words(plain)).is_ok());
        assert!(Words::new(words("importdemocourse --repo=https://x.example/a_b.git")).is_ok());
    }

    #[test]
    fn words_of_a_request_are_looked_at() {
        let read = |text: &str| serde_json::from_str::<Words>(text);
        assert!(read(r#"["createuser", "ada"]"#).is_ok());
        assert!(read(r#"["createuser", "$(x)"]"#).is_err());
    }
}
