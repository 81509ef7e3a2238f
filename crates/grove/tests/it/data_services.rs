//! Databases, users and buckets on real servers: `MariaDB`, `FerretDB`, Redis, and one that speaks S3.
//!
//! What the Job of `grove data` would run in a cluster runs here as a process, with the same two files.

mod search;
mod worker;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use grove_fleet::{Address, Snapshot, model::Fleet};
use grove_render::{DataJob, data_job, data_secrets, data_services};
use grove_test::World;
use serde_json::Value;

use crate::{
    GROVE, edit, example,
    servers::{Server, free_port},
};

const CLUSTER: &str = "clusters/prod/cluster.yaml";
const UNI: &str = "clusters/prod/instances/uni/instance.yaml";
const ADDRESS: &str = "prod/uni";

/// A production site whose data is on servers of this machine.
struct Site {
    world: World,
}

/// How a Job ended, and what it wrote.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    lines: Vec<String>,
}

impl Ran {
    #[track_caller]
    fn done(self) -> Vec<String> {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.lines
    }
}

impl Site {
    /// A site with these servers and this `data`; its users and passwords are made.
    fn new(servers: &str, data: &str) -> Self {
        let site = Self::before(servers, data);
        site.make_secrets();
        site
    }

    /// The same, before users and passwords are made.
    fn before(servers: &str, data: &str) -> Self {
        let world = World::with_shared_cache(GROVE);
        world.copy(&example("production"), "fleet");
        let site = Self { world };
        site.state(servers, data);
        for name in ["DB_ADMIN", "FILES_ADMIN"] {
            let set = format!("secret set prod {name} --cluster-only");
            let _ = site
                .world
                .command(words(&set))
                .stdin("adminpw")
                .run()
                .success();
        }
        for name in ["OPENEDX_AWS_ACCESS_KEY", "OPENEDX_AWS_SECRET_ACCESS_KEY"] {
            let set = format!("secret set {ADDRESS} {name}");
            let _ = site
                .world
                .command(words(&set))
                .stdin("adminpw")
                .run()
                .success();
        }
        // The example's user has the name that its identity gives it; here `data` states another.
        let user = format!("secret remove {ADDRESS} OPENEDX_MYSQL_USERNAME");
        let _ = site.grove(&user).success();
        site
    }

    fn make_secrets(&self) {
        let _ = self.grove("secret generate prod/uni").success();
    }

    fn state(&self, servers: &str, data: &str) {
        let cluster = self.world.read(format!("fleet/{CLUSTER}"));
        let cluster = format!("{}\nservers: {servers}\n", without(&cluster, "servers:"));
        self.world.write(format!("fleet/{CLUSTER}"), &cluster);
        let uni = self.world.read(format!("fleet/{UNI}"));
        let uni = format!("{}\ndata: {data}\n", without(&uni, "data:"));
        self.world.write(format!("fleet/{UNI}"), &uni);
    }

    fn grove(&self, line: &str) -> grove_test::Output {
        self.world.grove(words(line))
    }

    fn fleet(&self) -> Fleet {
        let mut snapshot = Snapshot::default();
        let root = self.world.path("fleet");
        let mut open = vec![root.clone()];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                if path.is_dir() {
                    if name != ".git" {
                        open.push(path);
                    }
                } else {
                    snapshot = snapshot.with(&name, &std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        grove_fleet::load::fleet(&grove_fleet::load::documents(&snapshot))
    }

    fn secret(&self, name: &str) -> String {
        let shown = self
            .grove(&format!("secret show {ADDRESS} {name}"))
            .success();
        shown.stdout.trim_end().to_owned()
    }

    /// An object of the instance, rendered.
    fn rendered(&self, file: &str) -> Value {
        let out = ["render", "--out", "../rendered"];
        let _ = self.world.grove(out).success();
        let text = self
            .world
            .read(format!("rendered/prod/instances/uni/{file}"));
        grove_yaml::parse(text.as_bytes(), grove_yaml::Limits::default())
            .root
            .unwrap()
            .to_json()
    }

    /// What the Job is told, and how it would be started.
    fn job(&self, action: &str) -> Command {
        let fleet = self.fleet();
        let instance = &fleet.instances[&Address::new("prod", "uni")];
        let secrets: BTreeMap<String, String> = data_secrets(instance)
            .into_iter()
            .map(|name| (name.clone(), self.secret(&name)))
            .collect();
        let admins = fleet.clusters["prod"]
            .servers
            .iter()
            .filter_map(|(name, server)| {
                let admin = server.admin.as_ref()?;
                Some((name.clone(), (admin.user.clone(), "adminpw".to_owned())))
            });
        let value = |name: &str| secrets.get(name).cloned();
        let mut services = data_services(instance, &admins.collect(), &value).unwrap();
        for service in services
            .iter_mut()
            .filter(|service| service["engine"] == "mongodb")
        {
            // It knows users and no roles.
            service["roles"] = false.into();
        }
        let objects = data_job(&DataJob {
            name: "data",
            image: "x",
            action,
            services: &services,
        });
        for (name, text) in objects[1]["stringData"].as_object().unwrap() {
            self.world
                .write(format!("job/{name}"), text.as_str().unwrap());
        }
        let words = objects[0]
            .pointer("/spec/template/spec/containers/0/command")
            .unwrap();
        let words = words.as_array().unwrap().iter().filter_map(Value::as_str);
        let mut words = words
            .map(|word| word.replace("/grove/data", &self.world.path("job").display().to_string()));
        assert_eq!(words.next().unwrap(), "python");
        let mut command = python();
        command.args(words);
        command
    }

    fn run(&self, action: &str) -> Ran {
        ran(&mut self.job(action))
    }
}

fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(!text.contains("adminpw"), "{text}");
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().map(str::to_owned);
        let what = text("did").unwrap_or_else(|| format!("failed: {}", text("failed").unwrap()));
        format!("{}: {what}", text("service").unwrap())
    });
    Ran {
        code: output.status.code(),
        lines: lines.collect(),
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// A file without one key and what is below it.
fn without(text: &str, key: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        inside = if line.starts_with(key) {
            true
        } else {
            inside && line.starts_with([' ', '#'])
        };
        if !inside {
            let _ = writeln!(kept, "{line}");
        }
    }
    kept
}

/// Python with the drivers that Open edX has.
fn python() -> Command {
    Command::new(PathBuf::from(
        std::env::var_os("GROVE_TEST_DATA_PYTHON").unwrap(),
    ))
}

/// Runs Python with arguments; what it printed, or the last line of its error.
fn script(text: &str, arguments: &[&str]) -> Result<String, String> {
    let output = python()
        .arg("-c")
        .arg(text)
        .args(arguments)
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned());
    }
    let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(error.lines().last().unwrap_or_default().to_owned())
}

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

fn directory() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("grove-data-")
        .tempdir()
        .unwrap()
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

#[test]
#[ignore = "data-services: needs FerretDB"]
fn users_of_mongodb_take_turns() {
    const COUNT: &str = "import sys, pymongo\nport, user, password, database = sys.argv[1:]\n\
        c = pymongo.MongoClient('127.0.0.1', int(port), username=user, password=password, authSource='admin', serverSelectionTimeoutMS=5000)\n\
        c[database].courses.insert_one({'a': 1})\nprint(c[database].courses.count_documents({}))";
    let directory = directory();
    let server = Server::ferretdb(directory.path());
    let servers = format!(
        "{{main: {{engine: mongodb, host: 127.0.0.1, port: {}, admin: {{user: root, password: {{secret: DB_ADMIN}}}}}}}}",
        server.port
    );
    let site = Site::new(
        &servers,
        "{mongodb: {server: main, databases: {openedx: uni_a, forum: uni_f}, users: {openedx: uni}}}",
    );
    let port = server.port.to_string();
    let count = |user: &str, password: &str| script(COUNT, &[&port, user, password, "uni_a"]);
    // It listens before its administrator is made.
    for _ in 0..40 {
        if script(COUNT, &[&port, "root", "adminpw", "ready"]).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(site.run("verify").code, Some(1));
    let first = site.run("apply").done();
    assert_eq!(site.run("apply").done(), first);
    insta::assert_snapshot!(first.join("\n"), @"
    mongodb uni_a: user uni
    mongodb uni_a: user uni gets in
    ");
    let before = site.secret("MONGODB_PASSWORD");
    assert_eq!(count("uni", &before).unwrap(), "1");
    let _ = site
        .grove("secret rotate prod/uni --secret MONGODB_PASSWORD")
        .success();
    site.run("apply").done();
    let after = site.secret("MONGODB_PASSWORD");
    assert_eq!(count("uni", &before).unwrap(), "2");
    assert_eq!(count("uni_2", &after).unwrap(), "3");
    let _ = site
        .grove("secret rotate prod/uni --finish --accept")
        .success();
    site.run("apply").done();
    assert!(count("uni", &before).is_err());
    assert_eq!(count("uni_2", &after).unwrap(), "4");
    let removed = site.run("remove").done();
    assert!(
        removed
            .iter()
            .any(|line| line.contains("no database uni_a, uni_f")),
        "{removed:?}"
    );
    assert!(count("uni_2", &after).is_err());
}

#[test]
#[ignore = "data-services: needs Redis"]
fn users_of_redis_take_turns_and_give_no_orders() {
    const ASK: &str = "import sys, redis\nport, user, password, number, *words = sys.argv[1:]\n\
        c = redis.Redis(port=int(port), username=user, password=password, db=int(number), decode_responses=True)\n\
        print(c.execute_command(*words))";
    let directory = directory();
    let server = Server::redis(directory.path());
    let servers = format!(
        "{{cache: {{engine: redis, host: 127.0.0.1, port: {}, admin: {{user: admin, password: {{secret: DB_ADMIN}}}}}}}}",
        server.port
    );
    let site = Site::new(
        &servers,
        "{redis: {server: cache, databases: {celery: 4, cache: 5}, users: {openedx: uni}}}",
    );
    let port = server.port.to_string();
    let ask = |user: &str, password: &str, words: &[&str]| {
        script(
            ASK,
            &[&[port.as_str(), user, password, "4"], words].concat(),
        )
    };
    assert_eq!(site.run("verify").code, Some(1));
    let first = site.run("apply").done();
    assert_eq!(site.run("apply").done(), first);
    let before = site.secret("REDIS_PASSWORD");
    assert_eq!(ask("uni", &before, &["SET", "a", "1"]).unwrap(), "True");
    for order in [
        &["CONFIG", "GET", "*"][..],
        &["ACL", "LIST"],
        &["SHUTDOWN"],
        &["FLUSHALL"],
    ] {
        assert!(
            ask("uni", &before, order)
                .unwrap_err()
                .contains("permission"),
            "{order:?}"
        );
    }
    let _ = site
        .grove("secret rotate prod/uni --secret REDIS_PASSWORD")
        .success();
    site.run("apply").done();
    let after = site.secret("REDIS_PASSWORD");
    assert_eq!(ask("uni", &before, &["GET", "a"]).unwrap(), "1");
    assert_eq!(ask("uni_2", &after, &["GET", "a"]).unwrap(), "1");
    let _ = site
        .grove("secret rotate prod/uni --finish --accept")
        .success();
    site.run("apply").done();
    assert!(ask("uni", &before, &["GET", "a"]).is_err());
    // Users are kept where a restart finds them.
    let kept = std::fs::read_to_string(directory.path().join("users.acl")).unwrap();
    assert!(
        kept.contains("user uni_2 on") && !kept.contains("user uni on"),
        "{kept}"
    );
    site.run("remove").done();
    assert!(ask("uni_2", &after, &["GET", "a"]).is_err());
    site.run("remove").done();
}

#[test]
#[ignore = "data-services: needs a server that speaks S3"]
fn a_bucket_is_made_verified_and_emptied() {
    let server = Server::s3(free_port());
    let servers = format!(
        "{{files: {{engine: s3, endpoint: 'http://127.0.0.1:{}', region: eu-central-1, admin: {{user: admin, password: {{secret: FILES_ADMIN}}}}}}}}",
        server.port
    );
    let site = Site::new(&servers, "{bucket: {server: files, name: uni-media}}");
    assert_eq!(site.run("verify").code, Some(1));
    let first = site.run("apply").done();
    insta::assert_snapshot!(first.join("\n"), @"
    s3 uni-media: bucket uni-media
    s3 uni-media: the instance's key reads and writes
    ");
    assert_eq!(site.run("apply").done(), first);
    let fill = "import sys, boto3\n\
        c = boto3.client('s3', endpoint_url=sys.argv[1], aws_access_key_id='a', aws_secret_access_key='b', region_name='eu-central-1')\n\
        c.put_bucket_versioning(Bucket='uni-media', VersioningConfiguration={'Status': 'Enabled'})\n\
        for n in range(12): c.put_object(Bucket='uni-media', Key='a/%d' % (n % 7), Body=b'x')\n\
        c.delete_object(Bucket='uni-media', Key='a/1')\n\
        print(len(c.list_objects_v2(Bucket='uni-media')['Contents']))";
    let endpoint = format!("http://127.0.0.1:{}", server.port);
    assert_eq!(script(fill, &[&endpoint]).unwrap(), "6");
    let removed = site.run("remove").done();
    assert_eq!(removed, ["s3 uni-media: no bucket uni-media"]);
    site.run("remove").done();
    assert_eq!(site.run("verify").code, Some(1));
}

/// Django with the settings that stand in the rendered file, beside what Open edX has there before.
const FILES: &str = r#"
import datetime, sys, django
from django.conf import settings
text, endpoint, word = open(sys.argv[1]).read(), *sys.argv[2:]
start, end = text.index("AWS_STORAGE_BUCKET_NAME = "), text.rindex("_grove_bucket()\n")
told = {
    "MEDIA_ROOT": "/openedx/media/",
    "STORAGES": {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
                 "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
    "VIDEO_IMAGE_SETTINGS": {"DIRECTORY_PREFIX": "video-images/", "STORAGE_KWARGS": {"location": "/openedx/media/", "base_url": "/media/"}},
    "VIDEO_TRANSCRIPTS_SETTINGS": {"STORAGE_KWARGS": {"location": "/openedx/media/"}},
    "GRADES_DOWNLOAD": {"STORAGE_TYPE": "", "ROOT_PATH": "/tmp/x", "STORAGE_KWARGS": {"base_url": "/media/grades/", "location": "/openedx/media/grades"}},
    "PROFILE_IMAGE_BACKEND": {"class": "x", "options": {"location": "/openedx/media/profile-images/"}},
    "OPENEDX_LEARNING": {"MEDIA": {"BACKEND": "x", "OPTIONS": {"location": "/openedx/media-private"}}},
    "AWS_ACCESS_KEY_ID": "adminpw", "AWS_SECRET_ACCESS_KEY": "adminpw",
}
exec(text[start:end] + "_grove_bucket()\n", told)
assert told["AWS_S3_ENDPOINT_URL"] == endpoint, told["AWS_S3_ENDPOINT_URL"]
settings.configure(**{key: value for key, value in told.items() if key.isupper()})
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.module_loading import import_string
grades, profile, learning = told["GRADES_DOWNLOAD"], told["PROFILE_IMAGE_BACKEND"], told["OPENEDX_LEARNING"]["MEDIA"]
storages = [
    default_storage,
    default_storage.__class__(**told["VIDEO_IMAGE_SETTINGS"]["STORAGE_KWARGS"]),
    default_storage.__class__(**told["VIDEO_TRANSCRIPTS_SETTINGS"]["STORAGE_KWARGS"]),
    import_string(grades["STORAGE_CLASS"])(**grades["STORAGE_KWARGS"]),
    import_string(profile["class"])(**profile["options"]),
    import_string(learning["BACKEND"])(**learning["OPTIONS"]),
    import_string(told["COURSE_IMPORT_EXPORT_STORAGE"])(),
]
for number, storage in enumerate(storages):
    name = storage.save("%s's %d é.txt" % (word, number), ContentFile(b"text"))
    assert storage.open(name).read() == b"text"
    kind = "signed" if "Signature" in storage.url(name) else storage.url(name).split("?")[0]
    print(storage.bucket.name, storage._normalize_name(name), kind)
assert told["ORA2_FILEUPLOAD_BACKEND"] == "s3" and told["FILE_UPLOAD_STORAGE_BUCKET_NAME"] == "uni-media"
"#;

#[test]
#[ignore = "data-services: needs a server that speaks S3"]
fn what_open_edx_stores_is_in_the_bucket() {
    let server = Server::s3(free_port());
    let endpoint = format!("http://127.0.0.1:{}", server.port);
    let servers = format!(
        "{{files: {{engine: s3, endpoint: '{endpoint}', region: eu-central-1, admin: {{user: admin, password: {{secret: FILES_ADMIN}}}}}}}}"
    );
    let site = Site::new(&servers, "{bucket: {server: files, name: uni-media}}");
    site.run("apply").done();
    let stored = |site: &Site, word: &str| {
        let map = site.rendered("configmap-openedx-settings-lms.yaml");
        site.world.write(
            "production.py",
            map["data"]["production.py"].as_str().unwrap(),
        );
        let path = site.world.path("production.py").display().to_string();
        script(FILES, &[&path, &endpoint, word]).unwrap()
    };
    insta::assert_snapshot!(stored(&site, "it"), @"
    uni-media it's 0 é.txt signed
    uni-media media/it's 1 é.txt signed
    uni-media media/it's 2 é.txt signed
    uni-media grades/it's 3 é.txt signed
    uni-media profile-images/it's 4 é.txt signed
    uni-media openedx-learning/it's 5 é.txt signed
    uni-media it's 6 é.txt signed
    ");
    // A name that serves the bucket to anybody serves what anybody may see, and no more.
    edit(
        &site.world,
        UNI,
        "name: uni-media",
        "name: uni-media, domain: cdn.uni.example",
    );
    insta::assert_snapshot!(stored(&site, "cdn"), @"
    uni-media cdn's 0 é.txt https://cdn.uni.example/cdn's%200%20%C3%A9.txt
    uni-media media/cdn's 1 é.txt https://cdn.uni.example/media/cdn's%201%20%C3%A9.txt
    uni-media media/cdn's 2 é.txt https://cdn.uni.example/media/cdn's%202%20%C3%A9.txt
    uni-media grades/cdn's 3 é.txt signed
    uni-media profile-images/cdn's 4 é.txt https://cdn.uni.example/profile-images/cdn's%204%20%C3%A9.txt
    uni-media openedx-learning/cdn's 5 é.txt signed
    uni-media cdn's 6 é.txt https://cdn.uni.example/cdn's%206%20%C3%A9.txt
    ");
}

#[test]
#[ignore = "data-services: needs Redis"]
fn one_service_that_fails_stops_no_other_and_tells_no_password() {
    let directory = directory();
    let server = Server::redis(directory.path());
    let nobody = free_port();
    let servers = format!(
        "{{main: {{engine: mysql, host: 127.0.0.1, port: {nobody}, admin: {{user: admin, password: {{secret: DB_ADMIN}}}}}}, \
         cache: {{engine: redis, host: 127.0.0.1, port: {}, admin: {{user: admin, password: {{secret: DB_ADMIN}}}}}}}}",
        server.port
    );
    let site = Site::new(
        &servers,
        "{mysql: {server: main}, redis: {server: cache, databases: {celery: 4, cache: 5}}}",
    );
    let ran = site.run("apply");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.lines
            .iter()
            .any(|line| line.contains("failed") && line.contains("connect")),
        "{ran:?}"
    );
    assert!(
        ran.lines
            .iter()
            .any(|line| line.ends_with("gets in") && line.starts_with("redis")),
        "{ran:?}"
    );
}
