//! A relay that could send nothing.

use grove_fleet::model::is_sender;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-mail",
    severity: Severity::Error,
    summary: "`mail` names no relay, no secret or no sender that there is",
    documentation: "\
`mail` has no `host`, names a user without a secret for the password, has a sender that is no
address, or says what `config` says as well.

Mail that is not sent is seen late: by learners who never get the link that activates their account.

Set the password with `grove secret set <cluster>/<instance> SMTP_PASSWORD`, and leave Tutor's keys
`SMTP_*` and `RUN_SMTP` to `mail`.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "mail: {host: smtp.uni.example, from: The University}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        let Some(mail) = &instance.mail else { continue };
        let at = |key| [view.stated(instance, &["mail", key])];
        if mail.host.is_empty() {
            findings.add(
                "`mail` has no `host`",
                [view.stated_key(instance, &["mail"])],
            );
        }
        if mail.user.is_some() && !instance.secrets.contains_key(&mail.password) {
            findings.add_with_hint(
                format!(
                    "there is no secret {} with the relay's password",
                    quote(&mail.password)
                ),
                at("user"),
                format!("`grove secret set {} {}`", instance.address, mail.password),
            );
        }
        if let Some(from) = mail.from.as_ref().filter(|from| !is_sender(from)) {
            findings.add(format!("{} is no address", quote(from)), at("from"));
        }
        let doubled = instance
            .config
            .keys()
            .filter(|key| key.starts_with("SMTP_") || *key == "RUN_SMTP");
        for key in doubled {
            findings.add_with_hint(
                format!("{} is for `mail` to say", quote(key)),
                [view.stated_key(instance, &["config", key])],
                "take one of the two out",
            );
        }
    }
}
