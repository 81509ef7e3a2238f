//! Databases of `MySQL` and their users, on a real `MariaDB`.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{ADDRESS, Server, Site, UNI, directory, edit, python, script};

/// Statements on `MariaDB`: as whom, in which database.
fn sql(
    port: u16,
    user: &str,
    password: &str,
    database: &str,
    text: &str,
) -> Result<String, String> {
    const TEXT: &str = "import sys, MySQLdb\nport, user, password, database, text = sys.argv[1:]\n\
        c = MySQLdb.connect(host='127.0.0.1', port=int(port), user=user, password=password, database=database)\n\
        q = c.cursor()\n\
        for one in text.split(';'):\n    q.execute(one)\n\
        c.commit()\nprint(q.fetchall())";
    script(TEXT, &[&port.to_string(), user, password, database, text])
}

fn mysql_site(server: &Server) -> Site {
    let servers = format!(
        "{{main: {{engine: mysql, host: 127.0.0.1, port: {}, admin: {{user: admin, password: {{secret: DB_ADMIN}}}}}}}}",
        server.port
    );
    // `_` stands for anything where rights are given.
    Site::new(
        &servers,
        "{mysql: {server: main, databases: {openedx: uni_a}, users: {openedx: uni}}}",
    )
}

#[test]
#[ignore = "data-services: needs MariaDB"]
fn a_database_and_its_user_are_made_verified_and_removed() {
    let directory = directory();
    let server = Server::mariadb(directory.path());
    let site = mysql_site(&server);
    let admin = |text: &str| sql(server.port, "admin", "adminpw", "mysql", text);
    // Nothing is there yet, and nothing is made by looking.
    let nothing = site.run("verify");
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.lines[0].contains("Access denied"), "{nothing:?}");

    let first = site.run("apply").done();
    insta::assert_snapshot!(first.join("\n"), @"
    mysql uni_a: database uni_a
    mysql uni_a: user uni, with rights to this database alone
    mysql uni_a: user uni gets in
    ");
    assert_eq!(
        site.run("apply").done(),
        first,
        "the second time nothing differs"
    );
    site.run("verify").done();
    let password = site.secret("OPENEDX_MYSQL_PASSWORD");
    let user = |text: &str, database: &str| sql(server.port, "uni", &password, database, text);
    user(
        "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('it''s 😀')",
        "uni_a",
    )
    .unwrap();

    // A neighbour whose name the pattern `uni_a` would match, and the server itself, are closed.
    admin("CREATE DATABASE unixa; CREATE TABLE unixa.t (a INT)").unwrap();
    for (text, database) in [
        ("SELECT * FROM unixa.t", "uni_a"),
        ("SELECT 1", "mysql"),
        ("CREATE DATABASE x", "uni_a"),
    ] {
        let denied = user(text, database).unwrap_err();
        assert!(denied.contains("denied"), "{text}: {denied}");
    }

    // Somebody changed the password: what the fleet says comes back.
    admin("ALTER USER uni@'%' IDENTIFIED BY 'other'").unwrap();
    assert_eq!(site.run("verify").code, Some(1));
    site.run("apply").done();
    assert_eq!(user("SELECT COUNT(*) FROM t", "uni_a").unwrap(), "((1,),)");

    site.run("remove").done();
    let left = "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'uni_a'";
    assert_eq!(admin(left).unwrap(), "((0,),)");
    assert_eq!(
        admin("SELECT COUNT(*) FROM user WHERE User LIKE 'uni%'").unwrap(),
        "((0,),)"
    );
    let again = site.run("remove").done();
    assert_eq!(
        again.last().unwrap(),
        "mysql uni_a: no user uni, uni_2 gets in",
        "removing what is gone is no error: {again:?}"
    );
    assert_eq!(
        admin("SELECT COUNT(*) FROM unixa.t").unwrap(),
        "((0,),)",
        "the neighbour stays"
    );
}

#[test]
#[ignore = "data-services: needs MariaDB"]
fn a_database_of_somebody_else_is_left_alone_until_it_is_adopted() {
    let directory = directory();
    let server = Server::mariadb(directory.path());
    let site = mysql_site(&server);
    let admin = |text: &str| sql(server.port, "admin", "adminpw", "mysql", text);
    admin("CREATE DATABASE uni_a; CREATE TABLE uni_a.courses (a INT); INSERT INTO uni_a.courses VALUES (7)").unwrap();
    let refused = site.run("apply");
    assert_eq!(refused.code, Some(1));
    insta::assert_snapshot!(refused.lines.join("\n"), @"mysql uni_a: failed: mysql uni_a is there already, with content, and its user is not: it may be somebody else's. If it is this instance's, say `manage: adopt`");
    assert_eq!(
        admin("SELECT COUNT(*) FROM user WHERE User = 'uni'").unwrap(),
        "((0,),)"
    );

    edit(
        &site.world,
        UNI,
        "server: main,",
        "server: main, manage: adopt,",
    );
    site.run("apply").done();
    let password = site.secret("OPENEDX_MYSQL_PASSWORD");
    let courses = sql(
        server.port,
        "uni",
        &password,
        "uni_a",
        "SELECT * FROM courses",
    );
    assert_eq!(courses.unwrap(), "((7,),)");
    // What was adopted outlives the instance.
    site.run("remove").done();
    assert_eq!(admin("SELECT * FROM uni_a.courses").unwrap(), "((7,),)");
    assert_eq!(
        admin("SELECT COUNT(*) FROM user WHERE User = 'uni'").unwrap(),
        "((0,),)"
    );
}

#[test]
#[ignore = "data-services: needs MariaDB"]
fn a_run_that_is_killed_is_finished_by_the_next_one() {
    let directory = directory();
    let server = Server::mariadb(directory.path());
    let site = mysql_site(&server);
    let mut moments = 0;
    for wait in (0..260).step_by(20) {
        for action in ["apply", "remove"] {
            let mut child = site.job(action).stdout(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(wait));
            moments += usize::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            child.wait().unwrap();
            site.run(action).done();
        }
    }
    assert!(moments > 4, "some of them were in the middle: {moments}");
}

/// A client that reads and writes in a loop, each time with a connection of its own, until a file is there.
const CLIENT: &str = "import sys, os, time, MySQLdb\n\
port, user, password, database, stop, started = sys.argv[1:]\n\
done = 0\n\
while not os.path.exists(stop):\n\
    \x20   c = MySQLdb.connect(host='127.0.0.1', port=int(port), user=user, password=password, database=database)\n\
    \x20   q = c.cursor()\n\
    \x20   q.execute('INSERT INTO requests (who) VALUES (%s)', (user,))\n\
    \x20   c.commit()\n\
    \x20   q.execute('SELECT COUNT(*) FROM requests WHERE who = %s', (user,))\n\
    \x20   assert q.fetchone()[0] == done + 1\n\
    \x20   c.close()\n\
    \x20   done += 1\n\
    \x20   open(started, 'w').close()\n\
print(done)";

/// Pods of a release: they have the credentials of its time until they end.
struct Pods {
    child: Child,
    stop: PathBuf,
}

impl Pods {
    fn start(site: &Site, port: u16, name: &str) -> Self {
        let user = site.secret("OPENEDX_MYSQL_USERNAME");
        let password = site.secret("OPENEDX_MYSQL_PASSWORD");
        let (stop, started) = (
            site.world.path(format!("{name}.stop")),
            site.world.path(format!("{name}.started")),
        );
        let child = python()
            .args(["-c", CLIENT, &port.to_string(), &user, &password, "uni_a"])
            .args([&stop, &started])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        for _ in 0..600 {
            if started.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(started.exists(), "{name} answers");
        Self { child, stop }
    }

    /// How many requests they answered; every one of them.
    #[track_caller]
    fn end(self) -> u32 {
        std::fs::write(&self.stop, "").unwrap();
        let output = self.child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "a request failed: {error}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }
}

#[test]
#[ignore = "data-services: needs MariaDB"]
fn a_rotation_fails_no_request() {
    let directory = directory();
    let server = Server::mariadb(directory.path());
    let site = mysql_site(&server);
    site.run("apply").done();
    let admin = |text: &str| sql(server.port, "admin", "adminpw", "mysql", text);
    admin("CREATE TABLE uni_a.requests (id INT AUTO_INCREMENT PRIMARY KEY, who TEXT)").unwrap();
    let password = |site: &Site| site.secret("OPENEDX_MYSQL_PASSWORD");
    let gets_in =
        |user: &str, password: &str| sql(server.port, user, password, "uni_a", "SELECT 1").is_ok();

    let first = password(&site);
    let old = Pods::start(&site, server.port, "old");
    let rotate = "secret rotate prod/uni --secret OPENEDX_MYSQL_PASSWORD";
    insta::assert_snapshot!(site.grove(rotate).success(), @"
    exit code: 0
    ----- stdout -----
    prod/uni: wrote OPENEDX_MYSQL_PASSWORD, OPENEDX_MYSQL_PREVIOUS_USERNAME, OPENEDX_MYSQL_USERNAME to clusters/prod/instances/uni/secrets.sops.yaml
    ----- stderr -----
    now `grove data apply prod/uni`, then `grove deploy prod/uni --wait`
    when that runs, `grove secret rotate prod/uni --finish`
    ");
    // A rotation that stands between its steps is seen, and not begun again.
    let plan = site
        .grove("secret rotate prod/uni --plan --secret OPENEDX_MYSQL_PASSWORD")
        .success();
    assert!(plan.stdout.contains("between its two steps"), "{plan}");
    assert_eq!(site.grove(rotate).code, Some(4));
    site.run("apply").done();
    let second = password(&site);
    assert!(
        gets_in("uni", &first) && gets_in("uni_2", &second),
        "both get in"
    );
    // The pods of the next release come while those of the old one still answer.
    let new = Pods::start(&site, server.port, "new");
    assert!(old.end() > 3);
    // The second step, with nothing released, is refused; here the pods were no pods.
    let finish = "secret rotate prod/uni --finish";
    assert_ne!(site.grove(finish).code, Some(0));
    let _ = site.grove(&format!("{finish} --accept")).success();
    let applied = site.run("apply").done();
    assert!(
        applied.contains(&"mysql uni_a: user uni is gone".to_owned()),
        "{applied:?}"
    );
    std::thread::sleep(Duration::from_millis(300));
    assert!(!gets_in("uni", &first));
    assert!(new.end() > 3);

    // The next rotation takes the turn back; the user whom a view names cannot go, and gets in no more.
    sql(
        server.port,
        "uni_2",
        &second,
        "uni_a",
        "CREATE VIEW v AS SELECT who FROM requests",
    )
    .unwrap();
    let _ = site.grove(rotate).success();
    site.run("apply").done();
    assert!(gets_in("uni", &password(&site)) && gets_in("uni_2", &second));
    let _ = site.grove(&format!("{finish} --accept")).success();
    let applied = site.run("apply").done();
    assert!(
        applied
            .iter()
            .any(|line| line.contains("uni_2 gets in no more")),
        "{applied:?}"
    );
    assert!(!gets_in("uni_2", &second));
    let view = sql(
        server.port,
        "uni",
        &password(&site),
        "uni_a",
        "SELECT COUNT(*) > 0 FROM v",
    );
    assert_eq!(view.unwrap(), "((1,),)");
}

/// Runs Tutor's tasks of the service `mysql` as they are rendered, with today's secrets.
fn init_tasks(site: &Site, port: u16) -> Vec<String> {
    let _ = site
        .world
        .grove(["render", "--out", "../rendered"])
        .success();
    let directory = "rendered/prod/instances/uni";
    let mut names = Vec::new();
    for file in site.world.files(directory) {
        if !file.starts_with("job-mysql-") {
            continue;
        }
        let text = site.world.read(format!("{directory}/{file}"));
        let job = grove_yaml::parse(text.as_bytes(), grove_yaml::Limits::default());
        let job = job.root.unwrap().to_json();
        let task = job
            .pointer("/spec/template/spec/containers/0/args/3")
            .unwrap();
        let mut task = task.as_str().unwrap().to_owned();
        while let Some((before, rest)) = task.split_once("@@") {
            let (name, after) = rest.split_once("@@").unwrap();
            task = format!("{before}{}{after}", site.secret(name));
        }
        let task = task
            .replace("-u root", "-u admin")
            .replace("--host mysql", "--protocol tcp --host 127.0.0.1")
            .replace("--host \"mysql\"", "--protocol tcp --host 127.0.0.1")
            .replace("--port 3306", &format!("--port {port}"));
        let ran = Command::new("sh")
            .args(["-e", "-c", &task])
            .output()
            .unwrap();
        assert!(
            ran.status.success(),
            "{file}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
        names.push(file);
    }
    names
}

#[test]
#[ignore = "data-services: needs MariaDB"]
fn tutors_own_tasks_rotate_a_user_in_the_namespace() {
    let directory = directory();
    let server = Server::mariadb(directory.path());
    let site = Site::new("{}", "{}");
    let root = ["secret", "set", ADDRESS, "MYSQL_ROOT_PASSWORD"];
    let _ = site.world.command(root).stdin("adminpw").run().success();
    let gets_in = |user: &str, password: &str| {
        sql(server.port, user, password, "openedx", "SELECT 1").is_ok()
    };
    // This site begins with a user that stands in plain text.
    assert_eq!(init_tasks(&site, server.port), ["job-mysql-setup.yaml"]);
    let first = site.secret("OPENEDX_MYSQL_PASSWORD");
    assert!(gets_in("openedx", &first));

    let rotate = "secret rotate prod/uni --secret OPENEDX_MYSQL_PASSWORD";
    let named = site.grove(rotate).success();
    assert!(
        named
            .stderr
            .contains("so that a rollback finds whoever gets in"),
        "{named}"
    );
    assert_eq!(site.secret("OPENEDX_MYSQL_PASSWORD"), first);
    let _ = site.grove(rotate).success();
    let second = site.secret("OPENEDX_MYSQL_PASSWORD");
    init_tasks(&site, server.port);
    assert!(gets_in("openedx", &first) && gets_in("openedx_2", &second));
    let _ = site
        .grove("secret rotate prod/uni --finish --accept")
        .success();
    let ran = init_tasks(&site, server.port);
    assert_eq!(ran, ["job-mysql-retire-setup.yaml", "job-mysql-setup.yaml"]);
    assert!(!gets_in("openedx", &first) && gets_in("openedx_2", &second));
    // And back again: the task that takes a user away is gone while that user is needed.
    let _ = site.grove(rotate).success();
    assert_eq!(init_tasks(&site, server.port), ["job-mysql-setup.yaml"]);
    assert!(gets_in("openedx", &site.secret("OPENEDX_MYSQL_PASSWORD")));
}
