//! A rollback after a rollback: the same one again, or one further.

use grove_release::Hold;

use super::rollback::before;
use crate::{Error, Result};

/// A rollback that was made, and is what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Brought {
    /// The release that it left.
    pub left: u32,
    /// The release that came back.
    pub of: u32,
    /// The release that brought it.
    pub release: u32,
}

/// What another rollback is, seen from what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// One of its own.
    Not,
    /// The same as the one that runs.
    Same(Brought),
    /// One to the release that the one that runs brought back: the same, where nothing would change.
    Wanted(Brought),
    /// It names neither what it leaves nor where it goes, while the hold of the one that runs stands.
    Unclear {
        /// The one that runs.
        brought: Brought,
        /// Where it would go.
        next: Option<u32>,
    },
}

impl Again {
    /// Looks at releases, the newest first: each with the one of which it was a rollback.
    pub(crate) fn of(
        history: &[(u32, Option<u32>)],
        hold: Option<&Hold>,
        from: Option<u32>,
        to: Option<u32>,
    ) -> Self {
        let (Some(hold), Some((running, Some(of)))) = (hold, history.first().copied()) else {
            return Self::Not;
        };
        // What was released since the rollback without leaving it is not another one.
        let release = history
            .iter()
            .map_while(|(release, origin)| (*origin == Some(of)).then_some(*release))
            .last()
            .unwrap_or(running);
        let brought = Brought {
            left: release.saturating_sub(1),
            of,
            release,
        };
        let is_there = to.is_none_or(|to| to == of);
        match from {
            Some(from) if from == running => Self::Not,
            Some(from) if is_there && (from == brought.left || hold.left.contains(&from)) => {
                Self::Same(brought)
            }
            Some(_) => Self::Not,
            None if to == Some(of) => Self::Wanted(brought),
            None if to.is_some() => Self::Not,
            None => Self::Unclear {
                brought,
                next: before(history),
            },
        }
    }

    /// The rollback that was made, where this one is the same, whatever would change. An error where that is not clear.
    pub(crate) fn is_it(self, what: &str) -> Result<Option<Brought>> {
        match self {
            Self::Not | Self::Wanted(_) => Ok(None),
            Self::Same(brought) => Ok(Some(brought)),
            Self::Unclear { brought, next } => {
                let Brought { left, of, release } = brought;
                let error = Error::refused(format!(
                    "{what} was rolled back from {left:04} to {of:04} as release {release:04}, and the hold of that stands"
                ));
                let further = match next {
                    Some(next) => format!("`--to {next}` goes further back, to {next:04}"),
                    None => "`--to N` goes to another release".to_owned(),
                };
                Err(error.hint(format!(
                    "{further}; `--from {left}` makes a repeat of that rollback a success"
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(history: &[(u32, Option<u32>)], from: Option<u32>, to: Option<u32>) -> String {
        let hold = Hold {
            version: 1,
            reason: String::new(),
            since: jiff::Timestamp::UNIX_EPOCH,
            by: String::new(),
            release: 4,
            left: vec![3],
        };
        match Again::of(history, Some(&hold), from, to) {
            Again::Not => "not".to_owned(),
            Again::Same(brought) => format!("{} as {}", brought.of, brought.release),
            Again::Wanted(brought) => format!("{} is wanted", brought.of),
            Again::Unclear { next, .. } => format!("unclear: {next:?}"),
        }
    }

    #[test]
    fn a_rollback_is_the_same_again_or_one_further() {
        let back = [(4, Some(2)), (3, None), (2, None), (1, None)];
        let later = [(5, Some(2)), (4, Some(2)), (3, None), (2, None), (1, None)];
        let deployed = [(5, None), (4, Some(2)), (3, None), (2, None), (1, None)];
        for (history, from, to, expected) in [
            (&back[..], None, None, "unclear: Some(1)"),
            (&back, Some(3), None, "2 as 4"),
            (&back, Some(3), Some(2), "2 as 4"),
            (&back, None, Some(2), "2 is wanted"),
            // Another one is meant.
            (&back, Some(3), Some(1), "not"),
            (&back, Some(4), None, "not"),
            (&back, Some(4), Some(2), "not"),
            (&back, None, Some(1), "not"),
            (&back, Some(2), None, "not"),
            // How it is operated changed since.
            (&later, None, None, "unclear: Some(1)"),
            (&later, Some(3), None, "2 as 4"),
            (&later, Some(5), None, "not"),
            (&deployed, None, None, "not"),
            (&deployed, Some(3), None, "not"),
        ] {
            assert_eq!(again(history, from, to), expected, "{from:?} {to:?}");
        }
        assert_eq!(Again::of(&back, None, None, None), Again::Not);
        assert_eq!(Again::of(&[], None, Some(1), None), Again::Not);
    }

    #[test]
    fn both_releases_and_the_way_are_named() {
        let back = [(3, Some(1)), (2, None), (1, None)];
        let hold = Hold {
            version: 1,
            reason: String::new(),
            since: jiff::Timestamp::UNIX_EPOCH,
            by: String::new(),
            release: 3,
            left: vec![2],
        };
        let error = Again::of(&back, Some(&hold), None, None)
            .is_it("prod/uni")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "prod/uni was rolled back from 0002 to 0001 as release 0003, and the hold of that stands"
        );
        assert_eq!(
            error.hints,
            [
                "`--to N` goes to another release; `--from 2` makes a repeat of that rollback a success"
            ]
        );
    }
}
