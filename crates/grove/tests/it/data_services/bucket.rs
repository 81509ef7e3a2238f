//! Buckets, on a server that speaks S3, and what Open edX stores in them.

use super::{Server, Site, UNI, edit, free_port, script};

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
