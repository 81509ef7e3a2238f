//! `grove do`.

use std::{
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
    io::{BufRead as _, IsTerminal as _},
};

use clap_complete::ArgValueCandidates;
use grove_fleet::{Address, Fleet, model::Instance};
use grove_release::{DeployBranch, Id, Record, View};
use grove_render::FILES;
use grove_tutor::{JobScripts, KnownJob};

use crate::{
    cli::Global,
    commands::{candidates, selection::Selection},
    error::{CommandError, Exit, Result},
    instance_job::{self, Running, Step, running_release},
    output::Output,
    pipeline::Pipeline,
    releasing,
    workspace::{Workspace, is_json},
};

/// Jobs of Tutor's that are something else here, and what that is.
const ELSEWHERE: [(&str, &str); 3] = [
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

/// Run a job of Tutor or of a plugin: create a user, import the demo course.
///
/// The job is that of the running release, with the images, the configuration and the secrets that it has.
/// Without a job, those that there are are listed; `grove do SELECTOR JOB --help` shows what one takes.
/// Options of Grove's own stand before the selector.
///
/// Jobs put words into shell scripts as they are, so only plain ones are let through: letters, digits and
/// `@%+=:,./_-`. `grove run` passes any. A password is asked for, or read from standard input, and stands
/// in the Job's Secret alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove do prod/uni\n\
    \x20 grove do prod/uni createuser --staff --superuser ada ada@uni.example\n\
    \x20 grove do 'prod/*' importdemocourse")]
pub(crate) struct Arguments {
    #[command(flatten)]
    running: Running,
    /// Which instances: `cluster/instance` (with `*`), `cluster`, or `@ring`.
    #[arg(add = ArgValueCandidates::new(candidates::selectors))]
    selector: String,
    /// The job and its arguments.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "JOB"
    )]
    job: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    refuse_words(&arguments.job)?;
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let instances = Selection::of(&arguments.selector).select(&fleet)?;
    let jobs = Jobs {
        workspace: &workspace,
        pipeline: Pipeline::new(output, true)?,
        fleets: RefCell::default(),
        answers: RefCell::default(),
        output,
    };
    // `-h` may be an option of the job's own.
    let is_question = arguments.job.iter().any(|word| word == "--help");
    if arguments.job.is_empty() || is_question {
        return jobs.describe(arguments, &fleet, &instances);
    }
    arguments.running.agreement.ask(&instances, output)?;
    instance_job::run(
        &arguments.running,
        &workspace,
        &fleet,
        &instances,
        "do",
        &|view, record, instance| jobs.steps(view, record, instance, &arguments.job),
        output,
    )
}

/// Refuses words that a shell would read, and jobs that are none here.
fn refuse_words(job: &[String]) -> Result<()> {
    let is_plain = |word: &&String| {
        word.chars()
            .all(|c| c.is_ascii_alphanumeric() || PLAIN.contains(c))
    };
    if let Some(word) = job.iter().find(|word| !is_plain(word)) {
        return Err(CommandError::usage(format!(
            "`{}` is not plain, and the job would put it into a shell script",
            word.escape_debug()
        ))
        .hint(format!(
            "letters, digits and `{PLAIN}` are; `grove run` passes any words to a command"
        )));
    }
    let name = job.first().map(String::as_str);
    if let Some(option) = name.filter(|name| name.starts_with('-')) {
        return Err(CommandError::usage(format!("`{option}` is no job"))
            .hint("Grove's own options stand before the selector, a job's own after the job"));
    }
    if let Some((name, instead)) = ELSEWHERE.iter().find(|(known, _)| name == Some(known)) {
        return Err(CommandError::usage(format!("`{name}` is no job here")).hint(*instead));
    }
    if name == Some("createuser") && job.iter().any(|word| is_password(word)) {
        return Err(CommandError::usage("a password is not given as a word").hint(
            "it is asked for, or read from standard input: it would stay in the shell's history",
        ));
    }
    Ok(())
}

fn is_password(word: &str) -> bool {
    let is_short = word.starts_with("-p") && !word.starts_with("--");
    is_short || word == "--password" || word.starts_with("--password=")
}

struct Jobs<'a> {
    workspace: &'a Workspace,
    pipeline: Pipeline<'a>,
    /// The fleet of each source.
    fleets: RefCell<BTreeMap<Id, Fleet>>,
    /// The answer to each question.
    answers: RefCell<BTreeMap<String, String>>,
    output: &'a Output,
}

impl Jobs<'_> {
    /// The jobs of the first instance, or what one takes.
    fn describe(&self, arguments: &Arguments, fleet: &Fleet, instances: &[&Instance]) -> Result {
        let Some(instance) = instances.first() else {
            return Ok(Exit::Done);
        };
        let cluster = &instance.address.cluster;
        self.output
            .progress(&format!("fetching the deploy branch of {cluster}"));
        let remotes = &arguments.running.remotes;
        let branch: DeployBranch = remotes.open(self.workspace, fleet, cluster)?;
        let view = branch.view()?;
        let (record, _) = running_release(&view, &instance.address)?;
        let mut known = self.known(&view, record, &instance.address)?;
        self.output.progress_done();
        known.retain(|job| !ELSEWHERE.iter().any(|(name, _)| *name == job.name));
        if let Some(name) = arguments.job.iter().find(|word| !word.starts_with('-')) {
            known.retain(|job| job.name == *name);
            if known.is_empty() {
                return Err(CommandError::usage(format!("there is no job `{name}`"))
                    .hint("`grove do SELECTOR` lists them"));
            }
        }
        if is_json(self.output) {
            self.output
                .json(&serde_json::json!({"version": 1, "jobs": known}))?;
        } else if let ([only], false) = (known.as_slice(), arguments.job.is_empty()) {
            self.output.print(&format!("{}\n", only.usage))?;
        } else {
            let width = known.iter().map(|job| job.name.len()).max().unwrap_or(0);
            for job in &known {
                self.output
                    .print(&format!("{:width$}  {}\n", job.name, job.help))?;
            }
        }
        Ok(Exit::Done)
    }

    fn known(&self, view: &View<'_>, record: Record, address: &Address) -> Result<Vec<KnownJob>> {
        self.ask(view, record, address, |worker, input| {
            Ok(worker.known_jobs(input)?)
        })
    }

    fn steps(
        &self,
        view: &View<'_>,
        record: &Record,
        instance: &Instance,
        words: &[String],
    ) -> Result<Vec<Step>> {
        let scripts = self.ask(view, record.clone(), &instance.address, |worker, input| {
            Ok(worker.job(input, words)?)
        })?;
        let mut answers = Vec::new();
        for question in &scripts.asked {
            answers.push(self.answer(question)?);
        }
        steps(&scripts, &answers, words)
    }

    /// Asks Tutor as the running release has it.
    fn ask<T>(
        &self,
        view: &View<'_>,
        record: Record,
        address: &Address,
        asked: impl Fn(&grove_tutor::Worker, &grove_render::TutorInput) -> Result<T>,
    ) -> Result<T> {
        let source = releasing::rendered_from(view, address, record)?;
        let mut fleets = self.fleets.borrow_mut();
        let fleet = match fleets.entry(source) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(self.workspace.as_of(source)?.check()?.fleet),
        };
        let gone =
            || CommandError::refused(format!("{} has no instance {address}", source.short()));
        let instance = fleet.instances.get(address).ok_or_else(gone)?;
        let distribution = fleet.distributions.get(&instance.distribution);
        let (distribution, lock) = distribution
            .and_then(|distribution| Some((distribution, distribution.lock.as_ref()?)))
            .ok_or_else(gone)?;
        self.output.progress(&format!("asking Tutor for {address}"));
        let worker = self.pipeline.worker(distribution, lock)?;
        let result = asked(&worker, &grove_render::request(instance)?);
        self.output.progress_done();
        result
    }

    /// The answer to a question, which is asked once.
    fn answer(&self, question: &str) -> Result<String> {
        if let Some(known) = self.answers.borrow().get(question) {
            return Ok(known.clone());
        }
        let answer = if std::io::stdin().is_terminal() {
            rpassword::prompt_password(format!("{question}: "))?
        } else {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        };
        if answer.is_empty() {
            return Err(CommandError::usage(format!("the job asks for: {question}"))
                .hint("give it at a terminal, or as a line of standard input"));
        }
        let mut answers = self.answers.borrow_mut();
        answers.insert(question.to_owned(), answer.clone());
        Ok(answer)
    }
}

/// The steps of a job. An answer is no text of a script: Python reads it from a file.
fn steps(scripts: &JobScripts, answers: &[String], words: &[String]) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for step in &scripts.steps {
        let mut text = step.text.clone();
        let mut files = BTreeMap::new();
        for (index, answer) in answers.iter().enumerate() {
            let (token, file) = (format!("GroveAnswer{index}"), format!("answer-{index}"));
            let asked = format!("set_password('{token}')");
            if text.contains(&asked) {
                let read = format!("set_password(open('{FILES}/{file}').read())");
                text = text.replace(&asked, &read);
                files.insert(file, answer.clone());
            }
            if text.contains(&token) {
                return Err(CommandError::refused(
                    "the job would put a password into a shell script",
                )
                .hint("`grove shell` and `grove run` do the same in steps of your own"));
            }
        }
        steps.push(Step {
            service: step.service.clone(),
            command: ["sh", "-e", "-c", &text].map(str::to_owned).to_vec(),
            has_placeholders: true,
            files,
            recorded: std::iter::once("do".to_owned())
                .chain(words.iter().cloned())
                .collect(),
        });
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use grove_tutor::JobStep;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn words_that_a_shell_would_read_are_refused() {
        let refused = |text: &str| refuse_words(&words(text)).unwrap_err().to_string();
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
        assert!(refuse_words(&words(plain)).is_ok());
        assert!(refuse_words(&words("importdemocourse --repo=https://x.example/a_b.git")).is_ok());
    }

    #[test]
    fn an_answer_is_read_from_a_file_or_refused() {
        let scripts = |text: &str| JobScripts {
            steps: vec![JobStep {
                service: "lms".to_owned(),
                text: text.to_owned(),
            }],
            asked: vec!["Password".to_owned()],
        };
        let answers = ["it's \"$x\"".to_owned()];
        let made = steps(
            &scripts("x -c \"u.set_password('GroveAnswer0')\""),
            &answers,
            &words("createuser ada"),
        )
        .unwrap();
        assert_eq!(
            made[0].command[3],
            "x -c \"u.set_password(open('/grove/files/answer-0').read())\""
        );
        assert_eq!(made[0].files["answer-0"], answers[0]);
        assert_eq!(made[0].recorded, words("do createuser ada"));
        assert!(steps(&scripts("x --password GroveAnswer0"), &answers, &[]).is_err());
    }
}
