//! What became of releases that were followed.

use grove_cluster::argo::Ended;
use grove_operations::release::follow::Waited;

use crate::{error::Result, output::Output};

/// Says what became of each release, with the reason where one does not run.
pub(crate) fn print(rows: &[Waited], output: &Output) -> Result<()> {
    for row in rows {
        let Some(follow) = &row.follow else { continue };
        let ended = match follow.ended {
            Ended::Healthy => "runs: synced and healthy",
            Ended::Failed => "did not become healthy",
            Ended::Superseded => "a newer release took its place",
            Ended::Frozen => "is frozen in the cluster; `grove unfreeze` ends that",
            Ended::OutOfTime => "is not healthy yet, and time is up",
        };
        output.print(&format!(
            "{}: {ended} ({:.1} s)\n",
            row.instance, follow.seconds
        ))?;
        if follow.ended == Ended::Healthy {
            continue;
        }
        output.note(&format!("  Argo CD says: {}", follow.state));
        for trouble in &follow.troubles {
            output.note(&format!("  {}: {}", trouble.object, trouble.reason));
            for line in &trouble.log {
                output.note(&format!("    | {line}"));
            }
        }
        if follow
            .troubles
            .iter()
            .any(|trouble| trouble.object.starts_with("SealedSecret/"))
        {
            output.note(
                "  sealed to a key that the cluster lacks, or for another namespace: `grove cluster bootstrap` brings the fleet's keys, `grove deploy` seals anew what was changed by hand",
            );
        }
        if follow.troubles.iter().any(|trouble| trouble.is_final) {
            output.note(
                "  the pods of the release before go on serving; `grove rollback` goes back to it",
            );
        }
    }
    Ok(())
}
