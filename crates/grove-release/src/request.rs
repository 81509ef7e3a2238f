//! Names of requests.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most characters of an id.
const LENGTH: usize = 64;

/// The id of a request to change something: 1 to 64 of `a` to `z`, `0` to `9` and `-`.
///
/// Whoever asks chooses it, and asks again with the same one after a lost answer: a deploy branch takes
/// a commit of one request once, see [`crate::DeployBranch::commit`].
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[schemars(extend("pattern" = "^[a-z0-9-]{1,64}$"))]
#[serde(try_from = "String", into = "String")]
pub struct RequestId(String);

/// A text that is no [`RequestId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the id of a request: 1 to 64 of `a` to `z`, `0` to `9` and `-`")]
pub struct NotARequestId(String);

impl RequestId {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RequestId {
    type Error = NotARequestId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if (1..=LENGTH).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text))
        } else {
            Err(NotARequestId(text.chars().take(80).collect()))
        }
    }
}

impl FromStr for RequestId {
    type Err = NotARequestId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_plain() {
        let longest = "a".repeat(64);
        for text in ["a", "0-z", "-", &longest] {
            assert_eq!(text.parse::<RequestId>().unwrap().as_str(), text);
        }
        let too_long = "a".repeat(65);
        for text in ["", "A", "a b", "a\n", "ä", "a_b", "a/b", &too_long] {
            let error = text.parse::<RequestId>().unwrap_err();
            assert!(error.to_string().contains("is not the id"), "{text}");
        }
    }

    #[test]
    fn it_is_text_wherever_it_is_written() {
        let id: RequestId = "deploy-7".parse().unwrap();
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(text, r#""deploy-7""#);
        assert_eq!(serde_json::from_str::<RequestId>(&text).unwrap(), id);
        let error = serde_json::from_str::<RequestId>(r#""Not One""#).unwrap_err();
        assert!(error.to_string().contains("`Not One`"), "{error}");
    }
}
