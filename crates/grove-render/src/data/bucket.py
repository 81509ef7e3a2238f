# Uploaded files are in a bucket. Each part of Open edX that stores files says so by itself.
AWS_DEFAULT_ACL = None
AWS_S3_FILE_OVERWRITE = False
AWS_S3_SIGNATURE_VERSION = "s3v4"
AWS_QUERYSTRING_EXPIRE = 604800


def _grove_bucket():
    storage = "storages.backends.s3boto3.S3Boto3Storage"
    private = {"custom_domain": None, "querystring_auth": True}
    settings = globals()
    if "STORAGES" in settings:
        STORAGES["default"] = {"BACKEND": storage}
    else:
        settings["DEFAULT_FILE_STORAGE"] = storage
    for name in ("VIDEO_IMAGE_SETTINGS", "VIDEO_TRANSCRIPTS_SETTINGS"):
        told = settings.get(name)
        if told:
            arguments = told.setdefault("STORAGE_KWARGS", {})
            # A path of the container's disk means nothing in a bucket.
            arguments["location"] = "media/"
            arguments.pop("base_url", None)
    for name, location in (
        ("GRADES_DOWNLOAD", "grades"),
        ("FINANCIAL_REPORTS", "financial-reports"),
    ):
        if name in settings:
            settings[name] = {
                **settings[name],
                "STORAGE_TYPE": "",
                "STORAGE_CLASS": storage,
                "STORAGE_KWARGS": {"location": location, **private},
            }
    settings["ORA2_FILEUPLOAD_BACKEND"] = "s3"
    settings["FILE_UPLOAD_STORAGE_BUCKET_NAME"] = AWS_STORAGE_BUCKET_NAME
    settings["FILE_UPLOAD_STORAGE_PREFIX"] = "submissions_attachments"
    settings["COURSE_IMPORT_EXPORT_STORAGE"] = storage
    settings["USER_TASKS_ARTIFACT_STORAGE"] = storage
    settings["PROFILE_IMAGE_BACKEND"] = {"class": storage, "options": {"location": "profile-images/"}}
    for name in ("OPENEDX_LEARNING", "OPENEDX_CONTENT"):
        if name in settings:
            settings[name]["MEDIA"] = {
                "BACKEND": storage,
                "OPTIONS": {"location": "openedx-learning", **private},
            }


_grove_bucket()
