//! The commit of a cluster's releases.

use grove_release::{Changes, DeployBranch, Origin};

use super::{
    outcome::{Action, Row},
    prepare::{Change, Item},
    request::Request,
};
use crate::{
    Around, Doing, Result,
    fleet::find::address,
    release::publish::{Subject, publish},
};

/// Commits what was prepared for one cluster, and says what became of each instance.
pub(super) fn release(
    around: &Around,
    request: &Request,
    origin: &Origin,
    branch: &mut DeployBranch,
    items: Vec<Item>,
) -> Result<Vec<Row>> {
    let time = around.now();
    let mut changes = Changes::default();
    let mut releases = Vec::new();
    let mut rows = Vec::new();
    for Item { row, change } in items {
        rows.push(row);
        match change {
            Change::Release {
                mut release,
                ends_hold,
            } => {
                let name = release.record.instance.clone();
                releases.push((name.clone(), release.record.release));
                release.record.time = time;
                changes.release(*release)?;
                if ends_hold {
                    changes.unhold(&name);
                }
            }
            Change::Note {
                instance,
                thawed,
                sealed,
            } => {
                if let Some(apps) = thawed {
                    changes.unfreeze(&instance, &apps);
                }
                if let Some(sealed) = sealed {
                    changes.write(
                        &format!("releases/{instance}/sealed.yaml"),
                        grove_yaml::emit(&sealed),
                    );
                }
            }
        }
    }
    if changes.is_empty() {
        return Ok(rows);
    }
    around.doing(Doing::Pushing {
        remote: &branch.remote().to_string(),
    });
    let subject = Subject {
        line: subject(request.message.as_deref(), &releases),
        request: request.id.clone(),
        source: origin.clone(),
        releases,
    };
    let outcome = publish(around, branch, changes, subject)?;
    around.progress_done();
    if let Some(landed) = &outcome.landed {
        // Someone else carried it out since it was planned: what became of it then is what counts.
        for row in &mut rows {
            let address = address(&row.instance)?;
            *row = super::landed::item(around, branch, landed, &address)?.row;
        }
        return Ok(rows);
    }
    for row in rows.iter_mut().filter(|row| row.action == Action::Released) {
        row.commit = outcome.commit;
    }
    Ok(rows)
}

fn subject(message: Option<&str>, releases: &[(String, u32)]) -> String {
    if releases.is_empty() {
        return "Note that secrets were encrypted anew, or that freezes are over".to_owned();
    }
    let names: Vec<String> = releases
        .iter()
        .take(3)
        .map(|(name, number)| format!("{name} {number:04}"))
        .collect();
    let more = releases.len().saturating_sub(names.len());
    let list = match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    };
    match message.and_then(|message| message.lines().next()) {
        Some(message) => format!("Release {list}: {message}"),
        None => format!("Release {list}"),
    }
}
