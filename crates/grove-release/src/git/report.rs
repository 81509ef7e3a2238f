//! What `git push --porcelain` says.

use grove_exec::Outcome;

/// What became of a push of a branch and its second reference.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The remote has all of it. What it said, a line each.
    Done(Vec<String>),
    /// The remote has the branch and refused the second reference: some look at what they hide before they
    /// look at what belongs together.
    BranchOnly {
        /// What it said, a line each.
        messages: Vec<String>,
        /// Why it refused.
        reason: String,
    },
    /// Nothing was pushed, because the remote refused the second reference. Why.
    MarkRefused(String),
    /// Nothing was pushed, because the remote cannot take two references or none.
    NotAtomic,
    /// A reference was not where it was expected.
    Raced,
    /// The remote did not take the branch.
    Rejected {
        /// Why.
        reason: String,
        /// What it said, a line each.
        messages: Vec<String>,
    },
    /// Something else; what became of it is for the next fetch to tell.
    Failed,
}

/// A remote that somebody else wrote to, in the words of both ends of a connection.
const RACED: [&str; 6] = [
    "stale info",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "atomic transaction failed",
];

/// Said of a reference that only shares the fate of another one.
const SHARED_FATE: [&str; 2] = ["atomic push fail", "transaction fail"];

/// Said of all references, where a hook or a rule looks at the whole push.
const OF_ALL: [&str; 1] = ["pre-receive hook declined"];

impl Report {
    /// Reads it; `mark` is the second reference, empty where there was none.
    pub(super) fn of(outcome: &Outcome, branch: &str, mark: &str) -> Self {
        Self::read(
            outcome.status.success(),
            &String::from_utf8_lossy(&outcome.stdout),
            &String::from_utf8_lossy(&outcome.stderr),
            (branch, mark),
        )
    }

    fn read(is_done: bool, stdout: &str, stderr: &str, (branch, mark): (&str, &str)) -> Self {
        let messages = said(stderr);
        if is_done {
            return Self::Done(messages);
        }
        if stderr.contains("does not support --atomic") {
            return Self::NotAtomic;
        }
        // <flag> TAB <from>:<to> TAB <summary> (<reason>), see git-push(1).
        let line = |name: &str| {
            stdout.lines().find_map(|line| {
                let (flag, rest) = line.split_once('\t')?;
                let (references, reason) = rest.split_once('\t')?;
                let (_, to) = references.split_once(':')?;
                (to == name).then_some((flag, reason))
            })
        };
        let refused = |name| line(name).filter(|(flag, _)| *flag == "!");
        let has = |reason: &str, words: &[&str]| words.iter().any(|word| reason.contains(word));
        let is_shared = |reason: &str| has(reason, &SHARED_FATE);
        match (refused(branch), refused(mark)) {
            (one, other)
                if [one, other]
                    .iter()
                    .flatten()
                    .any(|(_, why)| has(why, &RACED)) =>
            {
                Self::Raced
            }
            (None, Some((_, reason))) if line(branch).is_some() => Self::BranchOnly {
                messages,
                reason: reason.to_owned(),
            },
            (Some((_, one)), Some((_, reason)))
                if !is_shared(reason) && (is_shared(one) || has(one, &OF_ALL)) =>
            {
                Self::MarkRefused(reason.to_owned())
            }
            (Some((_, reason)), _) => Self::Rejected {
                reason: reason.to_owned(),
                messages,
            },
            (None, _) => Self::Failed,
        }
    }
}

/// What the remote said, a line each.
fn said(stderr: &str) -> Vec<String> {
    stderr
        .lines()
        .filter_map(|line| line.strip_prefix("remote:"))
        .map(|line| line.chars().filter(|c| !c.is_control()).collect::<String>())
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .take(50)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_two_references() {
        let both = |branch: &str, mark: &str| {
            let stdout = format!("To r\n{branch}\tX:refs/heads/b\t{mark}");
            let stdout = stdout.replace("MARK", "X:refs/grove/b");
            let report = Report::read(false, &stdout, "", ("refs/heads/b", "refs/grove/b"));
            format!("{report:?}")
        };
        for (branch, mark, expected) in [
            (
                "!",
                "[rejected] (stale info)\n!\tMARK\t[rejected] (atomic push failed)",
                "Raced",
            ),
            (
                "!",
                "[rejected] (atomic push failed)\n!\tMARK\t[rejected] (stale info)",
                "Raced",
            ),
            (
                "!",
                "[remote rejected] (atomic transaction failed)\n!\tMARK\t[remote rejected] (atomic transaction failed)",
                "Raced",
            ),
            (
                "!",
                "[remote rejected] (atomic push failure)\n!\tMARK\t[remote rejected] (hook declined)",
                "MarkRefused",
            ),
            (
                "!",
                "[remote rejected] (pre-receive hook declined)\n!\tMARK\t[remote rejected] (pre-receive hook declined)",
                "MarkRefused",
            ),
            (
                "!",
                "[remote rejected] (hook declined)\n!\tMARK\t[remote rejected] (atomic push failure)",
                "Rejected",
            ),
            (
                "*",
                "[new branch]\n!\tMARK\t[remote rejected] (deny updating a hidden ref)",
                "BranchOnly",
            ),
            ("", "", "Failed"),
        ] {
            assert!(both(branch, mark).starts_with(expected), "{branch}{mark}");
        }
        let report = Report::read(
            false,
            "",
            "fatal: the receiving end does not support --atomic push",
            ("a", "b"),
        );
        assert_eq!(report, Report::NotAtomic);
    }
}
