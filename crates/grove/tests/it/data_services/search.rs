//! Keys of a Meilisearch that instances share: of the real one where `GROVE_TEST_MEILISEARCH` names its program
//! (no package index has it), else of a server that answers as it does.

use super::{ADDRESS, Ran, Server, Site, UNI, edit, free_port, python, script};
use grove_test::Output;

const KEY: &str = "MEILISEARCH_API_KEY";
const UID: &str = "MEILISEARCH_API_KEY_UID";

/// What a client of the search engine gets: with which key, and Python that uses `client`.
fn ask(port: u16, key: &str, text: &str) -> Result<String, String> {
    let text = format!(
        "import sys, meilisearch\n\
         url, key = sys.argv[1:]\n\
         client = meilisearch.Client(url, key)\n\
         def done(task):\n    \
             task = client.wait_for_task(task.task_uid)\n    \
             assert task.status == 'succeeded', task.error\n\
         {text}"
    );
    script(&text, &[&format!("http://127.0.0.1:{port}"), key])
}

/// A server whose master key is `adminpw`.
fn server(directory: &std::path::Path) -> Server {
    let port = free_port();
    let mut command = python();
    command.args(["-c", include_str!("search_server.py")]);
    command.args([&port.to_string(), "adminpw"]);
    if let Some(program) = std::env::var_os("GROVE_TEST_MEILISEARCH") {
        command = std::process::Command::new(program);
        command
            .args([
                "--no-analytics",
                "--env=development",
                "--master-key=adminpw",
            ])
            .arg(format!("--http-addr=127.0.0.1:{port}"))
            .arg("--db-path=search")
            .current_dir(directory);
    }
    Server::start(&mut command, port)
}

fn site(server: &Server) -> Site {
    let site = Site::before(
        &format!(
            "{{find: {{engine: meilisearch, url: 'http://127.0.0.1:{}', public_url: 'https://find.example.org', admin: {{password: {{secret: DB_ADMIN}}}}}}}}",
            server.port
        ),
        "{search: {server: find, prefix: uni_}}",
    );
    // What the site's own server had.
    for name in [KEY, UID, "MEILISEARCH_MASTER_KEY"] {
        let _ = site
            .grove(&format!("secret remove {ADDRESS} {name}"))
            .success();
    }
    site.make_secrets();
    site
}

fn refusal(ran: &Ran) -> &str {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    ran.lines[0].as_str()
}

#[test]
#[ignore = "data-services: needs Meilisearch's client"]
fn a_key_of_a_search_engine_opens_the_indexes_of_one_instance() {
    let directory = super::directory();
    let server = server(directory.path());
    let site = site(&server);
    let port = server.port;
    assert_eq!(site.run("verify").code, Some(1));
    let (key, uid) = (site.secret(KEY), site.secret(UID));
    let without = |ran: Ran, uid: &str| ran.done().join("\n").replace(uid, "UID");
    let first = without(site.run("apply"), &uid);
    insta::assert_snapshot!(first, @"
    meilisearch uni_: key UID, for indexes uni_* alone
    meilisearch uni_: the key gets in
    ");
    assert_eq!(without(site.run("apply"), &uid), first);
    site.run("verify").done();

    // What Open edX does with its own indexes.
    let fill = "done(client.create_index('uni_courses'))\n\
        done(client.index('uni_courses').add_documents([{'id': 1, 'name': 'physics'}]))\n\
        print([hit['name'] for hit in client.index('uni_courses').search('physics')['hits']])";
    assert_eq!(ask(port, &key, fill).unwrap(), "['physics']");
    // And not with those of others, nor with keys.
    let other = "done(client.index('other_courses').add_documents([{'id': 1, 'name': 'secret'}]))";
    ask(port, "adminpw", other).unwrap();
    for text in [
        "client.index('other_courses').search('secret')",
        "client.create_index('other_new')",
        "client.delete_index('other_courses')",
        "client.get_keys()",
        "client.get_key(key)",
        "client.create_key({'actions': ['*'], 'indexes': ['*'], 'expiresAt': None})",
    ] {
        let said = ask(port, &key, text).unwrap_err();
        assert!(said.contains("invalid_api_key"), "{text}: {said}");
    }
    let list = "print([index.uid for index in client.get_indexes()['results']])";
    assert_eq!(ask(port, &key, list).unwrap(), "['uni_courses']");

    // A rotation: both keys open it until the first is taken away.
    let rotate = format!("secret rotate {ADDRESS} --secret {KEY}");
    let _ = site.grove(&rotate).success();
    site.run("apply").done();
    let (second, second_uid) = (site.secret(KEY), site.secret(UID));
    assert_ne!(second, key);
    assert_ne!(second_uid, uid);
    let find = "print(len(client.index('uni_courses').search('physics')['hits']))";
    assert_eq!(ask(port, &key, find).unwrap(), "1");
    assert_eq!(ask(port, &second, find).unwrap(), "1");
    let _ = site
        .grove(&format!("secret rotate {ADDRESS} --finish --accept"))
        .success();
    let finished = site.run("apply").done().join("\n");
    assert!(
        finished.contains(&format!("key {uid} is gone")),
        "{finished}"
    );
    assert!(ask(port, &key, find).is_err());
    assert_eq!(ask(port, &second, find).unwrap(), "1");

    // What another instance's key opens more narrowly is not removed with this one's.
    let narrow = "client.create_key({'name': 'grove uni_next_', 'actions': ['search'], 'indexes': ['uni_next_*'], 'expiresAt': None})";
    ask(port, "adminpw", narrow).unwrap();
    let refused = site.run("remove");
    assert!(
        refusal(&refused).contains("uni_next_* are of another"),
        "{refused:?}"
    );
    let forget = "[client.delete_key(key.uid) for key in client.get_keys().results if key.name == 'grove uni_next_']";
    ask(port, "adminpw", forget).unwrap();
    insta::assert_snapshot!(site.run("remove").done().join("\n"), @"
    meilisearch uni_: no index uni_*
    meilisearch uni_: no key for indexes uni_*
    ");
    assert!(ask(port, &second, find).is_err());
    assert_eq!(ask(port, "adminpw", list).unwrap(), "['other_courses']");
    site.run("remove").done();
    assert_eq!(site.run("verify").code, Some(1));
}

#[test]
#[ignore = "data-services: needs Meilisearch's client"]
fn indexes_of_somebody_else_are_left_alone_until_they_are_adopted() {
    let directory = super::directory();
    let server = server(directory.path());
    let site = site(&server);
    let fill = "done(client.index('uni_courses').add_documents([{'id': 1, 'name': 'physics'}]))";
    ask(server.port, "adminpw", fill).unwrap();
    let refused = site.run("apply");
    assert!(
        refusal(&refused).contains("say `manage: adopt`"),
        "{refused:?}"
    );
    edit(
        &site.world,
        UNI,
        "prefix: uni_",
        "prefix: uni_, manage: adopt",
    );
    site.run("apply").done();
    // Adopted, they outlive the instance.
    site.run("remove").done();
    // Secrets that were copied with another instance's.
    let copied = format!(
        "client.create_key({{'name': 'grove other_', 'uid': '{}', 'actions': ['search'], 'indexes': ['other_*'], 'expiresAt': None}})",
        site.secret(UID)
    );
    ask(server.port, "adminpw", &copied).unwrap();
    let refused = site.run("apply");
    assert!(
        refusal(&refused).contains("is of another instance, grove other_"),
        "{refused:?}"
    );
    site.run("remove").done();
    let keys = "print('grove other_' in [key.name for key in client.get_keys().results])";
    assert_eq!(ask(server.port, "adminpw", keys).unwrap(), "True");
    let list = "print([index.uid for index in client.get_indexes()['results']])";
    assert_eq!(
        ask(server.port, "adminpw", list).unwrap(),
        "['uni_courses']"
    );
}

#[test]
#[ignore = "data-services: needs Meilisearch's client"]
fn a_key_of_somebody_elses_engine_is_verified_with_its_identifier() {
    let directory = super::directory();
    let server = server(directory.path());
    let make = "key = client.create_key({'name': 'x', 'actions': ['search', 'documents.*', 'indexes.*', 'stats.*'], 'indexes': ['uni_*'], 'expiresAt': None})\n\
        print(key.key, key.uid)";
    let made = ask(server.port, "adminpw", make).unwrap();
    let (key, uid) = made.split_once(' ').unwrap();
    let url = format!("http://127.0.0.1:{}", server.port);
    let search = format!(
        "{{search: {{url: '{url}', public_url: 'https://find.example.org', prefix: uni_}}}}"
    );
    let site = Site::before("{}", &search);
    let set = |name: &str, value: &str| {
        let line = format!("secret set {ADDRESS} {name}");
        let _ = site
            .world
            .command(super::words(&line))
            .stdin(value)
            .run()
            .success();
    };
    for name in ["MEILISEARCH_MASTER_KEY", UID] {
        let _ = site
            .grove(&format!("secret remove {ADDRESS} {name}"))
            .success();
    }
    set(KEY, key);
    site.make_secrets();
    let _ = site.grove("check").success();
    // A key alone, then with what Studio asks for.
    assert_eq!(
        site.run("verify").done(),
        ["meilisearch uni_: the key gets in"]
    );
    set(UID, uid);
    assert_eq!(
        site.run("verify").done(),
        ["meilisearch uni_: the key gets in"]
    );
    set(UID, "6062abda-a5aa-4414-ac91-ecd7944c0f8d");
    let refused = site.run("verify");
    assert!(
        refusal(&refused).contains("is not the identifier of the key"),
        "{refused:?}"
    );
    // Of a server of their own, the key may open all of it.
    set(UID, uid);
    let wide = "key = client.create_key({'name': 'y', 'actions': ['*'], 'indexes': ['*'], 'expiresAt': None})\nprint(key.key, key.uid)";
    let made = ask(server.port, "adminpw", wide).unwrap();
    let (key, uid) = made.split_once(' ').unwrap();
    set(KEY, key);
    set(UID, uid);
    let told = site.run("verify").done();
    assert!(
        told[0].contains("opens more than the indexes of its prefix: /keys"),
        "{told:?}"
    );
}

#[test]
#[ignore = "data-services: needs Meilisearch's client"]
fn a_master_key_that_changed_is_named_and_mended() {
    let directory = super::directory();
    let server = server(directory.path());
    let site = site(&server);
    site.run("apply").done();
    let remove = format!("secret remove {ADDRESS} {UID}");
    let _ = site.grove(&remove).success();
    let lost: Output = site.grove("secret generate prod/uni").exits(4);
    assert!(lost.stderr.contains("nobody knows without"), "{lost}");
    let set = format!("secret set {ADDRESS} {UID}");
    let uid = "6062abda-a5aa-4414-ac91-ecd7944c0f8d";
    let _ = site
        .world
        .command(super::words(&set))
        .stdin(uid)
        .run()
        .success();
    let refused = site.run("apply");
    assert!(refusal(&refused).contains("does not follow"), "{refused:?}");
    let _ = site
        .grove(&format!("secret remove {ADDRESS} {KEY}"))
        .success();
    let _ = site.grove("secret generate prod/uni").success();
    assert_eq!(site.secret(UID), uid);
    site.run("apply").done();
}

/// Settings as they stand in the rendered file, and what Studio asks the client.
const STUDIO: &str = r#"
import datetime, sys, meilisearch
text, url, key, uid = open(sys.argv[1]).read(), *sys.argv[2:]
start, end = text.index("def _grove_search("), text.index("_grove_search(\"@@") 
end = text.index("\n", end)
text = text[start:end].replace("@@MEILISEARCH_API_KEY@@", key).replace("@@MEILISEARCH_API_KEY_UID@@", uid)
exec(text, {})
client = meilisearch.Client(url, key)
found = client.get_key(key).uid
token = client.generate_tenant_token(
    api_key_uid=found,
    search_rules={"uni_courses": {}},
    expires_at=datetime.datetime.now(tz=datetime.timezone.utc) + datetime.timedelta(days=7),
)
browser = meilisearch.Client(url, token)
print(found == uid, [hit["name"] for hit in browser.index("uni_courses").search("physics")["hits"]])
try:
    client.get_key("another")
except meilisearch.errors.MeilisearchApiError as error:
    print(error.code)
"#;

#[test]
#[ignore = "data-services: needs Meilisearch's client"]
fn studio_searches_with_a_key_that_reads_no_keys() {
    let directory = super::directory();
    let server = server(directory.path());
    let site = site(&server);
    site.run("apply").done();
    let (key, uid) = (site.secret(KEY), site.secret(UID));
    let fill = "done(client.index('uni_courses').add_documents([{'id': 1, 'name': 'physics'}]))";
    ask(server.port, &key, fill).unwrap();
    let map = site.rendered("configmap-openedx-settings-cms.yaml");
    let settings = map["data"]["production.py"].as_str().unwrap();
    assert!(settings.contains("MEILISEARCH_MASTER_KEY = \"\""));
    site.world.write("production.py", settings);
    let path = site.world.path("production.py").display().to_string();
    let url = format!("http://127.0.0.1:{}", server.port);
    let said = script(STUDIO, &[&path, &url, &key, &uid]).unwrap();
    insta::assert_snapshot!(said, @"
    True ['physics']
    invalid_api_key
    ");
}
