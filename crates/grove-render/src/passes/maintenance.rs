//! A page instead of the site, for a while.

use std::fmt::Write as _;

use grove_fleet::{model::State, network::is_network};

use super::{draft::Draft, isolation, pass::Pass};
use crate::{Error, caddy};

pub(super) const PASS: Pass = Pass {
    name: "maintenance",
    summary: "While `state` is `maintenance`, Caddy answers every host with status 503 and a page, but for \
              the addresses of `maintenance.allow` and for `/heartbeat`, by which monitoring and load \
              balancers ask. Pods run on; jobs by schedule wait.",
    changes: &["ConfigMap /data/Caddyfile", "CronJob /spec/suspend"],
    apply,
};

/// What the page says where the fleet says nothing.
const MESSAGE: &str = "This site is being maintained. Please come back a little later.";

/// How soon a client may ask again, in seconds.
const RETRY: u32 = 300;

/// What is answered all the same.
const HEALTH: &str = "/heartbeat";

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    if draft.instance.state != State::Maintenance {
        return Ok(());
    }
    for job in draft
        .objects
        .iter_mut()
        .filter(|object| object.kind() == "CronJob")
    {
        job.value_mut()["spec"]["suspend"] = true.into();
    }
    let maintenance = &draft.instance.maintenance;
    if let Some(wrong) = maintenance.allow.iter().find(|text| !is_network(text)) {
        return Err(isolation::bad_network("maintenance.allow", wrong));
    }
    let message = maintenance.message.as_deref().unwrap_or(MESSAGE);
    let block = block(message, &maintenance.allow);
    let mut text = caddy::text(&draft.objects)?.to_owned();
    // From the end of the file to its start, so that places found before stay right.
    for site in caddy::sites(&text)?.iter().rev() {
        text.insert_str(site.open, &block);
    }
    // Read again: what was added must be nothing but a part of each site.
    caddy::sites(&text)?;
    caddy::set_text(&mut draft.objects, text);
    Ok(())
}

/// What stands first in a site. `handle` comes before `handle_path` and `reverse_proxy` in Caddy's order
/// of directives (<https://caddyserver.com/docs/caddyfile/directives#directive-order>).
fn block(message: &str, allow: &[String]) -> String {
    let mut matcher = format!("        not path {HEALTH}\n");
    if !allow.is_empty() {
        let _written = writeln!(matcher, "        not client_ip {}", allow.join(" "));
    }
    let page = format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>503</title></head><body><main><p>{}</p></main></body></html>",
        escaped(message)
    );
    format!(
        "\n    @grove_maintenance {{\n{matcher}    }}\n    handle @grove_maintenance {{\n        \
         header Cache-Control no-store\n        header Content-Type \"text/html; charset=utf-8\"\n        \
         header Retry-After {RETRY}\n        respond `{page}` 503\n    }}"
    )
}

/// Text as HTML that means nothing to Caddy: braces would be placeholders, a backquote the end.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '"' | '\'' | '`' | '{' | '}' | '\\' => {
                let _written = write!(out, "&#{};", u32::from(character));
            }
            '\n' => out.push_str("<br>"),
            other if other.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::{Maintenance, State};
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, CADDYFILE, config_map};

    fn run(state: State, message: &str, allow: &[&str]) -> Result<String, crate::Error> {
        let mut world = testing::World::default();
        world.instance.state = state;
        world.instance.maintenance = Maintenance {
            message: Some(message.to_owned()),
            allow: allow.iter().map(|text| (*text).to_owned()).collect(),
        };
        let job = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a"}, "spec": {}});
        let objects = vec![config_map("caddy-config", "Caddyfile", CADDYFILE), job];
        let mut draft = world.draft(&[], objects)?;
        let changes = testing::run(&PASS, &mut draft)?;
        if changes.is_empty() {
            return Ok(changes);
        }
        let text = crate::caddy::text(&draft.objects)?;
        assert_eq!(text.matches("@grove_maintenance {\n").count(), 8);
        Ok(text.lines().skip(8).take(13).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn every_site_answers_with_the_page() {
        insta::assert_snapshot!(run(State::Maintenance, "Back at 9 <b>`{env.X}`", &["203.0.113.7", "2001:db8::/32"]).unwrap(), @r#"
        learn.uni.example{$default_site_port} {
            @grove_maintenance {
                not path /heartbeat
                not client_ip 203.0.113.7 2001:db8::/32
            }
            handle @grove_maintenance {
                header Cache-Control no-store
                header Content-Type "text/html; charset=utf-8"
                header Retry-After 300
                respond `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>503</title></head><body><main><p>Back at 9 &#60;b&#62;&#96;&#123;env.X&#125;&#96;</p></main></body></html>` 503
            }
            import proxy "lms:8000"
        }
        "#);
        assert_eq!(run(State::Active, "x", &[]).unwrap(), "");
    }

    #[test]
    fn an_address_is_an_address() {
        insta::assert_snapshot!(run(State::Maintenance, "x", &["1.2.3.4", "}\nabort"]).unwrap_err(), @r#"`maintenance.allow` has "}\nabort", which is no address and no network"#);
    }
}
