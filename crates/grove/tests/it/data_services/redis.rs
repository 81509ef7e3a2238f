//! Users of a real Redis.

use super::{Server, Site, directory, script};

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
