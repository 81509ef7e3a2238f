//! A job that is never due.

use grove_fleet::schedule;

use crate::{
    Severity,
    findings::Findings,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-schedule",
    severity: Severity::Error,
    summary: "a job of `cron` could never run",
    documentation: "\
`cron.<name>` lacks its schedule, service or command, or has a schedule that Kubernetes does not
read or that is never due, such as the 31st of February.

A schedule is five fields: minute, hour, day of the month, month, day of the week. `17 3 * * *` is
each day at 03:17, in UTC unless `timezone` says where; `@hourly`, `@daily`, `@weekly`, `@monthly`
and `@yearly` stand for whole schedules.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "cron:\n  clear: {schedule: 0 0 31 2 *, service: lms, command: [./manage.py, lms, clearsessions]}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for (name, cron) in &instance.cron {
            let lacks = [
                ("schedule", cron.schedule.is_empty()),
                ("service", cron.service.is_empty()),
                ("command", cron.command.is_empty()),
            ];
            for (key, _) in lacks.iter().filter(|(_, lacks)| *lacks) {
                findings.add(
                    format!("`cron.{name}` has no `{key}`"),
                    [view.stated_key(instance, &["cron", name])],
                );
            }
            if cron.schedule.is_empty() {
                continue;
            }
            if let Err(error) = schedule::check(&cron.schedule) {
                findings.add(
                    format!("the schedule of `cron.{name}` cannot be used: {error}"),
                    [view.stated(instance, &["cron", name, "schedule"])],
                );
            }
        }
    }
}
