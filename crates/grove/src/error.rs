//! How a command ends.

pub(crate) use grove_operations::{Error, Kind};

/// Exit codes. They are part of the interface: scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// It ended as an error of this kind does.
    Kind(Kind),
    /// A command that was run in an instance ended with this code.
    Command(u8),
}

impl Exit {
    /// The code that the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Kind(Kind::No) => 1,
            Self::Kind(Kind::Usage) => 2,
            Self::Kind(Kind::Tool) => 3,
            Self::Kind(Kind::Refused) => 4,
            Self::Kind(Kind::Unhealthy) => 5,
            Self::Kind(Kind::OutOfTime) => 6,
            Self::Kind(Kind::Bug) => 70,
            Self::Kind(Kind::Ended) => 130,
            Self::Command(code) => code,
        }
    }
}

impl From<Option<Kind>> for Exit {
    fn from(kind: Option<Kind>) -> Self {
        kind.map_or(Self::Done, Self::Kind)
    }
}

/// What a command gives.
pub(crate) type Result<T = Exit> = std::result::Result<T, Error>;
