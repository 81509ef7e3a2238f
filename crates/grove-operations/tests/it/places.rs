//! Relative paths begin at [`Around::directory`], wherever the process is.

use std::{fs, path::Path};

use grove_operations::{
    Around, Kind,
    consent::Consent,
    fleet::{new::fleet, selection::Selection},
    render::directory,
    shared::bundle,
};

use grove_example::World;

/// What is around operations of a caller who is in a directory of their own, below the fleet's.
fn elsewhere(world: &World) -> Around {
    let mut around = world.around();
    around.directory = world.directory().join("elsewhere");
    fs::create_dir_all(&around.directory).unwrap();
    around
}

#[test]
fn what_is_rendered_is_written_where_the_caller_is() {
    let world = World::new();
    let around = elsewhere(&world);
    let request = directory::Request {
        selection: Selection::of("alpha/uni"),
        ..directory::Request::default()
    };
    let out = Path::new("../rendered");
    let outcome = directory::write(&around, &request, out).unwrap();
    assert_eq!(outcome.failure, None);
    let objects = world.directory().join("rendered/alpha/instances/uni");
    assert_eq!(
        fs::read_dir(&objects).unwrap().count(),
        outcome.instances[0].objects
    );

    // What is in the way is named as the caller would.
    fs::write(objects.join("own.txt"), "").unwrap();
    let failure = directory::write(&around, &request, out).unwrap().failure;
    assert_eq!(
        failure.unwrap().messages,
        ["`../rendered/alpha/instances/uni/own.txt` was not written by `grove render`"]
    );
}

#[test]
fn a_fleet_is_made_where_the_caller_is() {
    let world = World::new();
    let around = elsewhere(&world);
    fs::create_dir(around.directory.join("acme")).unwrap();
    let mut request: fleet::Request =
        serde_json::from_str(r#"{"deploy_remote": "../{cluster}.git"}"#).unwrap();
    request.recipients =
        vec!["age15wdwhrattpycaa49scszpdana8wkgdwt3e4yfw6tra7ssyr83vhq4z9f88".into()];
    let plan = fleet::plan(&around, &request, Path::new("acme")).unwrap();
    plan.carry_out(&Consent::none()).unwrap();
    assert!(around.directory.join("acme/grove.yaml").is_file());
    let missing = fleet::plan(&around, &request, Path::new("none"))
        .err()
        .unwrap();
    assert!(!missing.to_string().contains("elsewhere"), "{missing}");
}

#[test]
fn a_bundle_is_read_where_the_caller_is() {
    let world = World::new();
    let around = elsewhere(&world);
    let embedded = bundle::list(&around, None).unwrap();
    let lock =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../grove-cluster/src/bundle/bundle.lock");
    fs::copy(lock, around.directory.join("own.lock")).unwrap();
    let own = bundle::list(&around, Some(Path::new("own.lock"))).unwrap();
    assert_eq!(own, embedded);
    let error = bundle::list(&around, Some(Path::new("none.lock"))).unwrap_err();
    assert!(error.messages[0].contains("`none.lock`"), "{error}");

    let file = &embedded.files[0];
    let request = bundle::Request {
        only: vec![format!("{}@{}", file.name, file.version)],
    };
    let error = bundle::pull(&around, &request, None, Some(Path::new("media"))).unwrap_err();
    assert!(error.messages[0].contains("`media/"), "{error}");
    let place = around
        .directory
        .join("media")
        .join(&file.name)
        .join(&file.version);
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join(&file.file), "another file").unwrap();
    let error = bundle::pull(&around, &request, None, Some(Path::new("media"))).unwrap_err();
    assert_ne!(error.kind, Kind::Usage, "{error}");
    assert!(!error.to_string().contains("No such file"), "{error}");
}
