//! The one place that says of each library's error whose fault it is.

use grove_cluster::one_off;
use grove_tutor::{FailureKind, WorkerError};

use super::{Error, Kind};

/// How many of the last lines of a traceback are shown.
const TRACEBACK: usize = 12;

/// Says whose fault an error of a library is, and carries its hint along.
macro_rules! from {
    ($error:ty, $kind:expr) => {
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                let choose: fn(&$error) -> Kind = $kind;
                let hint = error.hint();
                let mut made = Self::keeping(choose(&error), error);
                made.hints.extend(hint);
                made
            }
        }
    };
}

from!(grove_exec::ExecError, |_| Kind::Tool);
from!(grove_cluster::Error, |error| match error {
    grove_cluster::Error::NoKubeconfig | grove_cluster::Error::NoContext { .. } => Kind::Usage,
    grove_cluster::Error::AnotherCluster { .. }
    | grove_cluster::Error::Conflict { .. }
    | grove_cluster::Error::Locked { .. } => Kind::Refused,
    _ => Kind::Tool,
});
from!(grove_cluster::bundle::Error, |error| match error {
    grove_cluster::bundle::Error::Io(_) => Kind::Tool,
    _ => Kind::No,
});
from!(grove_fleet::layer::ExplainError, |error| match error {
    grove_fleet::layer::ExplainError::NoInstance { .. } => Kind::Usage,
    grove_fleet::layer::ExplainError::NoValue { .. } => Kind::No,
});
from!(grove_release::Error, |error| match error {
    grove_release::Error::UnknownRevision(_)
    | grove_release::Error::NotARepository(_)
    | grove_release::Error::NoRelease { .. } => Kind::Usage,
    grove_release::Error::BranchGone { .. }
    | grove_release::Error::BranchMissing { .. }
    | grove_release::Error::BranchReplaced { .. }
    | grove_release::Error::Conflict(_)
    | grove_release::Error::CacheBusy { .. }
    | grove_release::Error::Contended { .. }
    | grove_release::Error::Newer { .. } => Kind::Refused,
    _ => Kind::Tool,
});
from!(grove_render::Error, |_| Kind::No);
from!(grove_seal::ciphertexts::Error, |_| Kind::Refused);
from!(grove_seal::derive::Error, |_| Kind::No);
from!(grove_seal::keys::Error, |_| Kind::No);
from!(grove_seal::seal::Error, |_| Kind::No);
from!(grove_seal::source::Error, |_| Kind::No);
from!(grove_state::Error, |_| Kind::No);
from!(grove_tutor::environment::Error, |_| Kind::Tool);
from!(grove_tutor::KustomizeError, |error| if error.is_fleet() {
    Kind::No
} else {
    Kind::Tool
});

impl From<WorkerError> for Error {
    fn from(error: WorkerError) -> Self {
        let kind = match &error {
            WorkerError::Failed(failure) if failure.kind == FailureKind::Usage => Kind::Usage,
            error if error.is_fleet() => Kind::No,
            _ => Kind::Tool,
        };
        let mut wrote = None;
        // Where code failed, its author needs the place; of templates and values the message says it.
        if let WorkerError::Failed(failure) = &error
            && matches!(
                failure.kind,
                FailureKind::Plugin | FailureKind::Crash | FailureKind::Limit
            )
            && let Some(text) = &failure.traceback
        {
            let lines: Vec<&str> = text.lines().collect();
            let shown = lines.get(lines.len().saturating_sub(TRACEBACK)..);
            wrote = Some(format!(
                "it wrote\n{}",
                shown.unwrap_or_default().join("\n")
            ));
        }
        let hint = error.hint();
        let mut made = Self::keeping(kind, error);
        made.messages.extend(wrote);
        made.hints.extend(hint);
        made
    }
}

impl From<one_off::Error> for Error {
    fn from(error: one_off::Error) -> Self {
        match error {
            one_off::Error::Cluster(error) => error.into(),
            one_off::Error::EndedAtOnce { .. } => Self::keeping(Kind::Unhealthy, error),
            one_off::Error::NotBegun { .. } | one_off::Error::NotEnded { .. } => {
                Self::keeping(Kind::OutOfTime, error)
            }
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::keeping(Kind::Tool, error)
    }
}
