//! What is around the operations of a command: the process's surroundings, and what options say of places.

use std::sync::Arc;

use grove_operations::{Around, Instead};
use grove_release::Turn;

use crate::{error::Result, global::Global, options::Places, output::Output, surroundings};

/// What is around the operations of a command, with what its options say of places.
pub(crate) fn of(global: &Global, output: &Output, places: &[&dyn Places]) -> Result<Around> {
    let mut around = Around {
        fleet: surroundings::fleet_directory(global.fleet.as_deref())?,
        instead: Instead::default(),
        directory: std::env::current_dir()?,
        cache: surroundings::cache_directory(),
        launcher: std::env::current_exe()?,
        clock: surroundings::clock()?,
        author: None,
        user: surroundings::user(),
        host: Some(surroundings::host()),
        home: surroundings::home(),
        variables: Arc::new(surroundings::variables()),
        deploy_remote: None,
        turn: Turn::LIMIT,
        kubeconfigs: surroundings::kubeconfigs(),
        context: None,
        tofu: None,
        runtime: None,
        listener: output.listener(),
        token: grove_exec::Token::new(),
    };
    for place in places {
        place.place(&mut around);
    }
    Ok(around)
}
