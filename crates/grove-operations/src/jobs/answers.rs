//! What a job asks for and nobody else may see, and the answers to it.

use std::collections::BTreeMap;

use grove_seal::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Something that a job asks for without showing it. The answer is a secret: it is no part of a request.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What is asked for, in the job's words, such as `Password`.
    pub text: String,
}

impl Question {
    fn unanswered(&self) -> Error {
        Error::usage(format!("the job asks for: {}", self.text))
            .hint("give it at a terminal, or as a line of standard input")
    }
}

/// The answers to questions.
#[derive(Clone, Debug, Default)]
pub struct Answers(BTreeMap<Question, Secret>);

impl Answers {
    /// No answers, which suffices where nothing is asked.
    pub fn none() -> Self {
        Self::default()
    }

    /// Answers a question.
    ///
    /// # Errors
    ///
    /// An empty answer is none.
    pub fn give(&mut self, question: &Question, answer: Secret) -> Result<()> {
        if answer.expose().is_empty() {
            return Err(question.unanswered());
        }
        self.0.insert(question.clone(), answer);
        Ok(())
    }

    /// The answer to a question.
    pub(super) fn to(&self, question: &Question) -> Result<&Secret> {
        self.0.get(question).ok_or_else(|| question.unanswered())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_answer_is_none() {
        let question = Question {
            text: "Password".to_owned(),
        };
        let mut answers = Answers::none();
        assert!(answers.give(&question, Secret::from("")).is_err());
        let error = answers.to(&question).unwrap_err();
        assert_eq!(error.to_string(), "the job asks for: Password");
        answers.give(&question, Secret::from("hush")).unwrap();
        assert_eq!(answers.to(&question).unwrap().expose(), "hush");
        assert!(!format!("{answers:?}").contains("hush"));
    }
}
