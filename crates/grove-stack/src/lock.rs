//! Who holds the lock of a state, as OpenTofu and Terraform say it.

use serde::Serialize;

/// A lock that somebody else holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LockInfo {
    /// Its id, which `unlock` needs.
    pub id: String,
    /// `user@host`.
    pub who: String,
    /// What was being done: `OperationTypeApply`.
    pub operation: String,
    /// When it was taken.
    pub created: String,
    /// The state.
    pub path: String,
}

impl LockInfo {
    /// Finds it in what the program wrote.
    pub fn find(text: &str) -> Option<Self> {
        let (_, after) = text.split_once("Lock Info:")?;
        let mut info = Self::default();
        for line in after.lines() {
            // With colour, errors stand in a box.
            let line = line.trim_start_matches(['│', '|', ' ']);
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = || {
                value
                    .trim()
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(200)
                    .collect()
            };
            match name {
                "ID" => info.id = value(),
                "Who" => info.who = value(),
                "Operation" => info.operation = value(),
                "Created" => info.created = value(),
                "Path" => info.path = value(),
                _ => {}
            }
        }
        (!info.id.is_empty()).then_some(info)
    }

    /// The host of [`Self::who`].
    pub fn host(&self) -> &str {
        self.who.rsplit_once('@').map_or("", |(_, host)| host)
    }

    /// What was being done, in a word: `apply`.
    pub fn doing(&self) -> String {
        let operation = self.operation.strip_prefix("OperationType");
        operation.unwrap_or(&self.operation).to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_found_in_an_error() {
        let text = "Error: Error acquiring the state lock\n\nError message: resource temporarily unavailable\nLock Info:\n  ID:        5c3d\n  Path:      a/b.tfstate\n  Operation: OperationTypeApply\n  Who:       ann@laptop\n  Version:   1.10.10\n  Created:   2026-11-28 01:02:03.4 +0000 UTC\n  Info:      \n\n\nOpenTofu acquires";
        let info = LockInfo::find(text).unwrap();
        assert_eq!(
            (info.id.as_str(), info.host(), info.doing().as_str()),
            ("5c3d", "laptop", "apply")
        );
        assert_eq!(info.created, "2026-11-28 01:02:03.4 +0000 UTC");
        assert_eq!(LockInfo::find("Error: no such bucket"), None);
    }
}
