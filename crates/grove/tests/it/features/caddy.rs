//! Redirects and the maintenance page, served by the real Caddy.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use grove_test::World;

use super::{UNI, edit, grove_yaml_value, production, rendered};

/// Caddy with the site's configuration, on a port of this machine.
struct Caddy {
    process: Child,
    port: u16,
}

impl Caddy {
    fn start(world: &World) -> Self {
        let map = rendered(world, "configmap-caddy-config.yaml");
        let map: serde_json::Value = grove_yaml_value(&map);
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // Its own interface would be one more port; on the port of HTTP it asks for no certificate.
        let text = map["data"]["Caddyfile"].as_str().unwrap();
        let text = text.replacen(
            "\n{\n",
            &format!("\n{{\n    admin off\n    http_port {port}\n"),
            1,
        );
        assert!(text.contains("admin off"), "{text}");
        world.write("Caddyfile", &text);
        let process = Command::new(PathBuf::from(std::env::var_os("GROVE_TEST_CADDY").unwrap()))
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(world.path("Caddyfile"))
            .env("default_site_port", format!(":{port}"))
            .env("HOME", world.path("caddy"))
            .env("XDG_DATA_HOME", world.path("caddy"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let caddy = Self { process, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "Caddy does not listen"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        caddy
    }

    /// Status, headers and body for a request that came from `client`.
    fn get(&self, host: &str, path: &str, client: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        let _bytes = stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn status(&self, host: &str, path: &str, client: &str) -> String {
        let answer = self.get(host, path, client);
        answer.split(' ').nth(1).unwrap_or(&answer).to_owned()
    }
}

impl Drop for Caddy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What answers where the services are away, which they are here.
const AWAY: &str = "502";

#[test]
#[ignore = "features: needs the package index, kustomize and Caddy"]
fn a_real_caddy_serves_redirects_and_maintenance() {
    let world = production();
    let caddy = Caddy::start(&world);
    let (learner, operator) = ("198.51.100.9", "192.0.2.17");
    assert_eq!(caddy.status("learn.uni.example", "/", learner), AWAY);
    assert_eq!(caddy.status("courses.uni.example", "/", learner), AWAY);
    let redirect = caddy.get("www.learn.uni.example", "/courses/a?b=c", learner);
    assert!(redirect.starts_with("HTTP/1.1 301"), "{redirect}");
    assert!(
        redirect.contains("Location: https://learn.uni.example/courses/a?b=c\r\n"),
        "{redirect}"
    );
    drop(caddy);

    edit(
        &world,
        UNI,
        "environment: staging",
        "environment: staging\nstate: maintenance",
    );
    edit(&world, UNI, "back at 9:00.", "back at <9:00> `{env.HOME}`.");
    let caddy = Caddy::start(&world);
    for host in [
        "learn.uni.example",
        "studio.uni.example",
        "apps.uni.example",
        "courses.uni.example",
    ] {
        let page = caddy.get(host, "/some/page", learner);
        assert!(page.starts_with("HTTP/1.1 503"), "{host}: {page}");
        assert!(page.contains("Retry-After: 300\r\n"), "{page}");
        assert!(
            page.contains("back at &#60;9:00&#62; &#96;&#123;env.HOME&#125;&#96;."),
            "{page}"
        );
        // Who is let through, and who asks for its health, reaches the service.
        assert_eq!(caddy.status(host, "/some/page", operator), AWAY, "{host}");
        assert_eq!(caddy.status(host, "/heartbeat", learner), AWAY, "{host}");
    }
    // Paths that Tutor handles by themselves are closed as well.
    let upload = "/api/profile_images/a/b/upload";
    assert_eq!(caddy.status("learn.uni.example", upload, learner), "503");
}
