//! Users of `MongoDB`, on a real `FerretDB`.

use std::time::Duration;

use super::{Server, Site, directory, script};

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
