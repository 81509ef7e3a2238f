//! On whose behalf a thread starts programs.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    marker::PhantomData,
    sync::Arc,
};

use crate::{Token, variables};

thread_local! {
    static CURRENT: RefCell<Option<Caller>> = const { RefCell::new(None) };
}

/// On whose behalf a thread starts programs: a [`Token`] that ends them, and an environment, on whose `PATH`
/// they are found and of which they see what is let through.
///
/// A thread has the one that it [entered](Self::enter); threads that it starts have none until they enter it,
/// too. Without one, programs are found and started with the environment of this process.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Ends the programs.
    pub token: Token,
    /// The environment.
    pub variables: Arc<BTreeMap<OsString, OsString>>,
}

impl Caller {
    /// The one that this thread entered last and has not left.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Starts programs of this thread on its behalf until what this gives is dropped.
    #[must_use = "it is left when this is dropped"]
    pub fn enter(&self) -> Entered {
        Entered {
            before: CURRENT.replace(Some(self.clone())),
            here: PhantomData,
        }
    }

    /// Whether the work that this thread is at was ended.
    pub fn is_ended() -> bool {
        CURRENT.with_borrow(|current| {
            let current = current.as_ref();
            current.is_some_and(|caller| caller.token.is_ended())
        })
    }
}

/// Leaves a [`Caller`] when it is dropped.
#[derive(Debug)]
pub struct Entered {
    before: Option<Caller>,
    /// It belongs to its thread.
    here: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

/// One variable of the environment that this thread's programs see.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    CURRENT.with_borrow(|current| match current {
        Some(caller) => caller.variables.get(OsStr::new(name)).cloned(),
        None => variables::own(name),
    })
}

/// Every variable of the environment that this thread's programs see.
pub(crate) fn variables() -> Vec<(OsString, OsString)> {
    CURRENT.with_borrow(|current| match current {
        Some(caller) => {
            let variables = caller.variables.iter();
            variables
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        }
        None => variables::all().collect(),
    })
}
