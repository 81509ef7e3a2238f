//! Jobs that are followed, and what is told of them.

use grove_cluster::{
    Connection,
    one_off::{self, Ended, OneOff, Told},
};

use crate::{Around, Event, Result};

/// How a Job is told of.
pub(super) struct Telling<'a> {
    /// Who is told.
    pub(super) around: &'a Around,
    /// Which instance it is of, where several run at once.
    pub(super) from: Option<String>,
    /// What is told once it is made.
    pub(super) begun: String,
    /// What is told of a line that it writes.
    pub(super) shown: fn(&str) -> String,
    /// How its log is read later.
    pub(super) later: String,
}

/// Makes a Job and follows it to its end.
pub(super) async fn run(
    connection: &Connection,
    task: &OneOff<'_>,
    telling: &Telling<'_>,
) -> Result<Ended> {
    let around = telling.around;
    let tell = |told: Told<'_>| match told {
        Told::Made => around.note(&telling.begun),
        Told::Waits(why) => waits(around, task.name, why),
        Told::Line(line) => around.tell(&Event::Line {
            from: telling.from.as_deref(),
            text: &(telling.shown)(line),
        }),
    };
    let ran = one_off::run(connection, task, &tell).await;
    ran.map_err(|error| late(error, &telling.later))
}

/// Makes a Job whose pod stays, and gives the name of the pod once it runs.
pub(super) async fn begin(
    connection: &Connection,
    task: &OneOff<'_>,
    around: &Around,
) -> Result<String> {
    let tell = |told: Told<'_>| {
        if let Told::Waits(why) = told {
            waits(around, task.name, why);
        }
    };
    Ok(one_off::begin(connection, task, &tell).await?)
}

fn waits(around: &Around, name: &str, why: &str) {
    around.note(&format!("{name} waits: {why}"));
}

/// What goes on is read later.
fn late(error: one_off::Error, later: &str) -> crate::Error {
    let goes_on = matches!(error, one_off::Error::NotEnded { .. });
    let error = crate::Error::from(error);
    if goes_on {
        error.hint(format!("it goes on: {later}"))
    } else {
        error
    }
}
