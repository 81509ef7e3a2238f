//! Jobs of Tutor or of a plugin that are run in instances: create a user, import the demo course.
//!
//! [`plan`] asks Tutor, as the running release has it, what the job does, and says which answers it needs;
//! carried out with those, it runs in all instances at once and is recorded.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{
//!     consent::Consent,
//!     jobs::{answers::Answers, do_job, tutor::Words},
//!     request::Target,
//! };
//!
//! let words = ["createuser", "--staff", "ada", "ada@uni.example"].map(str::to_owned);
//! let request = do_job::Request {
//!     id: None,
//!     target: Target::of("prod/uni"),
//!     job: Words::new(words.to_vec())?,
//!     running: Default::default(),
//! };
//! let plan = do_job::plan(around, &request)?;
//! let mut answers = Answers::none();
//! for question in plan.questions() {
//!     answers.give(&question, "a password that nobody guesses".into())?;
//! }
//! plan.carry_out(&Consent::none(), &answers)?;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use grove_render::FILES;
use grove_tutor::JobScripts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    answers::{Answers, Question},
    instance::{Content, Outcome, Prepared, Running, Step},
    tutor::{Tutor, Words},
};
use crate::{
    Around, Error, Result,
    consent::{Consent, Needs},
    fleet::workspace::Workspace,
    request::{RequestId, Target},
    requests::Once,
};

/// Runs a job of Tutor or of a plugin, with the images, the configuration and the secrets that the running
/// release has.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Which instances.
    pub target: Target,
    /// The job and its arguments.
    pub job: Words,
    /// How it is run and watched.
    #[serde(default)]
    pub running: Running,
}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    needs: Needs,
    tasks: Prepared<'a>,
}

/// Reads the fleet and the deploy branches, asks Tutor, and makes the Jobs.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "jobs/do_job", id, request, |_| {
        work(around, request)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request) -> Result<Work<'a>> {
    let workspace = Workspace::open(around, request.target.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let instances = request.target.choose(&fleet)?;
    let mut tutor = Tutor::new(around)?;
    let words = request.job.as_slice();
    Ok(Work {
        needs: request.target.needs(&instances),
        tasks: Prepared::new(
            request.id.as_ref(),
            &request.running,
            &workspace,
            &fleet,
            &instances,
            "do",
            &mut |view, record, instance| {
                let address = &instance.address;
                let scripts = tutor.ask(
                    &workspace,
                    view,
                    record.clone(),
                    address,
                    |worker, input| Ok(worker.job(input, words)?),
                )?;
                steps(&scripts, words)
            },
        )?,
    })
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// What must be answered, each once.
    pub fn questions(&self) -> Vec<Question> {
        let work = self.0.open();
        work.map(|work| work.tasks.questions()).unwrap_or_default()
    }

    /// Runs the job in all instances at once and records it. A job that failed is no error.
    ///
    /// # Errors
    ///
    /// A question without an answer, before anything runs.
    pub fn carry_out(self, consent: &Consent, answers: &Answers) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent, answers))
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent, answers: &Answers) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        self.tasks.run(answers)
    }
}

/// The steps of a job. An answer is no text of a script: Python reads it from a file.
fn steps(scripts: &JobScripts, words: &[String]) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for step in &scripts.steps {
        let mut text = step.text.clone();
        let mut files = BTreeMap::new();
        for (index, question) in scripts.asked.iter().enumerate() {
            let (token, file) = (format!("GroveAnswer{index}"), format!("answer-{index}"));
            let asked = format!("set_password('{token}')");
            if text.contains(&asked) {
                let read = format!("set_password(open('{FILES}/{file}').read())");
                text = text.replace(&asked, &read);
                let text = question.clone();
                files.insert(file, Content::Answer(Question { text }));
            }
            if text.contains(&token) {
                return Err(
                    Error::refused("the job would put a password into a shell script")
                        .hint("`grove shell` and `grove run` do the same in steps of your own"),
                );
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
    fn an_answer_is_read_from_a_file_or_refused() {
        let scripts = |text: &str| JobScripts {
            steps: vec![JobStep {
                service: "lms".to_owned(),
                text: text.to_owned(),
            }],
            asked: vec!["Password".to_owned()],
        };
        let made = steps(
            &scripts("x -c \"u.set_password('GroveAnswer0')\""),
            &words("createuser ada"),
        )
        .unwrap();
        assert_eq!(
            made[0].command[3],
            "x -c \"u.set_password(open('/grove/files/answer-0').read())\""
        );
        let asked = Question {
            text: "Password".to_owned(),
        };
        assert_eq!(made[0].files["answer-0"], Content::Answer(asked));
        assert_eq!(made[0].recorded, words("do createuser ada"));
        assert!(steps(&scripts("x --password GroveAnswer0"), &[]).is_err());
    }
}
