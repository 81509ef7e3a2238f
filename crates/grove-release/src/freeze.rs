//! A freeze in the files of `apps/`: Argo CD keeps it, and it ends there by itself.
//!
//! The project of an instance gets a window in which nothing is synced but by hand
//! (<https://argo-cd.readthedocs.io/en/stable/user-guide/sync_windows/>). Its schedule names the minute,
//! the day and the month of the beginning, and its duration ends it. A schedule knows no year: what is
//! left of a freeze that is over goes with the next release or `grove unfreeze`. The Application says
//! who froze it, why and until when, for Grove and for people who look at Argo CD.

use grove_core::PREFIX;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::{
    Freeze, Objects, RECORD_VERSION, layout,
    object::{annotate, unannotate},
};

/// The name of our annotation of a frozen Application, without the prefix.
const FROZEN: &str = "frozen";
/// What Argo CD shows above an Application
/// (<https://argo-cd.readthedocs.io/en/stable/user-guide/annotations-and-labels/>).
const NOTICE: &str = "notice.argocd.argoproj.io/content";
const NOTICE_SEVERITY: &str = "notice.argocd.argoproj.io/severity";

impl Freeze {
    /// A freeze from `now` on for at least `seconds`; windows begin and end with a minute. None where it
    /// would last beyond the end of time.
    pub fn new(now: Timestamp, seconds: u32, reason: &str, by: &str) -> Option<Self> {
        let since = now.as_second().div_euclid(60) * 60;
        let end = now.as_second() + i64::from(seconds);
        let until = end.div_euclid(60) * 60 + if end.rem_euclid(60) == 0 { 0 } else { 60 };
        Some(Self {
            version: RECORD_VERSION,
            reason: reason.to_owned(),
            since: Timestamp::from_second(since).ok()?,
            until: Timestamp::from_second(until).ok()?,
            by: by.to_owned(),
        })
    }

    /// Whether it has ended.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now
    }

    /// Argo CD's window: `spec.syncWindows` of the project.
    pub fn windows(&self) -> Value {
        let since = self.since.to_zoned(TimeZone::UTC);
        let minutes = (self.until.as_second() - self.since.as_second()) / 60;
        json!([{
            "kind": "deny",
            "schedule": format!(
                "{} {} {} {} *", since.minute(), since.hour(), since.day(), since.month()
            ),
            "duration": format!("{minutes}m"),
            "timeZone": "UTC",
            "manualSync": true,
            "applications": ["*"],
        }])
    }

    /// The names of the annotations of the Application.
    pub fn keys() -> [String; 3] {
        [
            format!("{PREFIX}/{FROZEN}"),
            NOTICE.to_owned(),
            NOTICE_SEVERITY.to_owned(),
        ]
    }

    /// The annotations of the Application.
    pub fn annotations(&self) -> [(String, String); 3] {
        let said = json!({
            "version": self.version, "reason": self.reason, "since": self.since, "until": self.until,
            "by": self.by,
        });
        let notice = format!("Frozen until {}: {} ({})", self.until, self.reason, self.by);
        let [frozen, content, severity] = Self::keys();
        [
            (frozen, said.to_string()),
            (content, notice),
            (severity, "warning".to_owned()),
        ]
    }
}

/// An instance's files in `apps/` with a freeze.
pub fn freeze(apps: &Objects, instance: &str, freeze: &Freeze) -> Objects {
    let mut apps = apps.clone();
    if let Some(Value::Object(spec)) = spec(&mut apps, instance) {
        spec.insert("syncWindows".to_owned(), freeze.windows());
    }
    if let Some(application) = apps.get_mut(&layout::application(instance)) {
        for (key, value) in freeze.annotations() {
            annotate(application, &key, &value);
        }
    }
    apps
}

/// An instance's files in `apps/` without a freeze.
pub fn thaw(apps: &Objects, instance: &str) -> Objects {
    let mut apps = apps.clone();
    if let Some(Value::Object(spec)) = spec(&mut apps, instance) {
        spec.remove("syncWindows");
    }
    if let Some(application) = apps.get_mut(&layout::application(instance)) {
        for key in Freeze::keys() {
            unannotate(application, &key);
        }
    }
    apps
}

fn spec<'a>(apps: &'a mut Objects, instance: &str) -> Option<&'a mut Value> {
    apps.get_mut(&layout::project(instance))?.get_mut("spec")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn apps() -> Objects {
        Objects::from([
            (
                "uni-application.yaml".to_owned(),
                json!({"metadata": {"name": "prod-uni", "annotations": {"kept": "yes"}}}),
            ),
            (
                "uni-project.yaml".to_owned(),
                json!({"metadata": {"name": "prod-uni"}, "spec": {"sourceRepos": ["r"]}}),
            ),
        ])
    }

    #[test]
    fn a_freeze_lasts_whole_minutes_and_no_shorter() {
        let made = |now, seconds| Freeze::new(time(now), seconds, "r", "b").unwrap();
        let odd = made("2026-01-31T23:59:59Z", 3600);
        assert_eq!(odd.since, time("2026-01-31T23:59:00Z"));
        assert_eq!(odd.until, time("2026-02-01T01:00:00Z"));
        assert!(!odd.is_over(time("2026-02-01T00:59:59Z")) && odd.is_over(odd.until));
        let even = made("2026-01-01T00:00:00Z", 60);
        assert_eq!(even.until, time("2026-01-01T00:01:00Z"));
    }

    #[test]
    fn the_window_begins_in_the_minute_of_the_freeze_and_goes_without_a_trace() {
        let freeze_ = Freeze::new(
            time("2026-03-29T01:02:03Z"),
            7200,
            "by hand: \"a\"\nb",
            "Ada <ada@acme.example>",
        )
        .unwrap();
        let frozen = freeze(&apps(), "uni", &freeze_);
        assert_snapshot!(grove_yaml::emit(&json!(frozen)), @r#"
        uni-application.yaml:
          metadata:
            annotations:
              grove-platform.org/frozen: "{\"by\":\"Ada <ada@acme.example>\",\"reason\":\"by hand: \\\"a\\\"\\nb\",\"since\":\"2026-03-29T01:02:00Z\",\"until\":\"2026-03-29T03:03:00Z\",\"version\":1}"
              kept: "yes"
              notice.argocd.argoproj.io/content: |-
                Frozen until 2026-03-29T03:03:00Z: by hand: "a"
                b (Ada <ada@acme.example>)
              notice.argocd.argoproj.io/severity: warning
            name: prod-uni
        uni-project.yaml:
          metadata:
            name: prod-uni
          spec:
            sourceRepos:
            - r
            syncWindows:
            - applications:
              - "*"
              duration: 121m
              kind: deny
              manualSync: true
              schedule: 2 1 29 3 *
              timeZone: UTC
        "#);
        assert_eq!(thaw(&frozen, "uni"), apps());
        let again = freeze(&frozen, "uni", &freeze_);
        assert_eq!(again, frozen);
    }
}
