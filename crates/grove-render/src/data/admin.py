"""Users, databases and buckets on servers that instances share.

Run in a Job of its own namespace. The one argument is a file of JSON:

    {"action": "apply" | "verify" | "remove", "services": [SERVICE, ...]}

where a SERVICE has `engine`, `host`, `port`, `tls`, `database`, `user`, `password`, `retired` (a user of before,
to be taken away), `manage` (`create`, `adopt`, `external`) and `admin` (`user`, `password`); a bucket has
`endpoint` and `region` in place of host and port, and an access key and its secret as user and password. A
search engine has an `endpoint`, a prefix of indexes as `database`, and a key's identifier and the key as user
and password.

Each step can be done again: what is there already stays, so a run that was cut off is finished by the next
one. What was done stands in a line of JSON each. Passwords stand in none.
"""

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
import urllib.error
import urllib.request

# Seconds to wait for a server.
PATIENCE = 15


class Refusal(Exception):
    """What a person has to decide; nothing was changed."""


class Service:
    """One engine. What it is told is the same for all; how it is done differs."""

    def __init__(self, told):
        self.told = told
        self.name = "%s %s" % (told["engine"], told["database"])

    def say(self, what):
        print(json.dumps({"service": self.name, "did": what}), flush=True)

    @property
    def may_make(self):
        return self.told["manage"] == "create"

    def refuse_foreign(self, is_there):
        """A database that has content, and to which the instance's user has no right, is somebody's."""
        if is_there and self.may_make:
            raise Refusal(
                "%s is there already, with content, and its user is not: it may be somebody else's. "
                "If it is this instance's, say `manage: adopt`" % self.name
            )


class MySQL(Service):
    def __init__(self, told):
        super().__init__(told)
        import MySQLdb

        self.driver = MySQLdb

    def connect(self, user, password, database=None):
        options = {
            "host": self.told["host"],
            "port": self.told["port"],
            "user": user,
            "password": password,
            "connect_timeout": PATIENCE,
            "charset": "utf8mb4",
        }
        if database is not None:
            options["database"] = database
        if self.told["tls"]:
            options["ssl_mode"] = "REQUIRED"
        connection = self.driver.connect(**options)
        if self.told["tls"]:
            # Some client libraries take the option and connect without.
            cursor = connection.cursor()
            cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
            if not cursor.fetchone()[1]:
                connection.close()
                raise RuntimeError("the connection is not TLS")
        return connection

    def admin(self):
        admin = self.told["admin"]
        connection = self.connect(admin["user"], admin["password"])
        connection.autocommit(True)
        return connection

    @staticmethod
    def identifier(name):
        return "`%s`" % name.replace("`", "``")

    @classmethod
    def pattern(cls, name):
        """A database as GRANT reads it, where `_` and `%` stand for anything."""
        escaped = name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
        return cls.identifier(escaped)

    def has_rights(self, cursor, user):
        cursor.execute(
            "SELECT COUNT(*) FROM mysql.db WHERE User = %s AND Db IN (%s, %s)",
            (user, self.told["database"], self.pattern(self.told["database"])[1:-1]),
        )
        return cursor.fetchone()[0] > 0

    def apply(self):
        database, user = self.told["database"], self.told["user"]
        with self.admin() as connection:
            cursor = connection.cursor()
            cursor.execute(
                "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s", (database,)
            )
            has_tables = cursor.fetchone()[0] > 0
            users = [user, self.told.get("retired"), alternate(user)]
            if not any(self.has_rights(cursor, one) for one in users if one):
                self.refuse_foreign(has_tables)
            if self.may_make:
                cursor.execute(
                    "CREATE DATABASE IF NOT EXISTS %s CHARACTER SET utf8mb4" % self.identifier(database)
                )
                self.say("database %s" % database)
            cursor.execute("CREATE USER IF NOT EXISTS %s@'%%'", (user,))
            cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s", (user, self.told["password"]))
            grant = "GRANT ALL ON %s.* TO %%s@'%%%%'" % self.pattern(database).replace("%", "%%")
            cursor.execute(grant, (user,))
            self.say("user %s, with rights to this database alone" % user)
            self.retire(cursor)
        self.verify()

    def retire(self, cursor):
        retired = self.told.get("retired")
        if retired and retired != self.told["user"]:
            self.take_away(cursor, retired)

    def take_away(self, cursor, user):
        """A user by whom something is defined, a view for instance, has to stay: what it defined runs as it."""
        cursor.execute("SELECT COUNT(*) FROM mysql.user WHERE User = %s", (user,))
        if not cursor.fetchone()[0]:
            return
        defined = 0
        for table in ("views", "routines", "triggers", "events"):
            query = "SELECT COUNT(*) FROM information_schema.%s WHERE definer = %%s" % table
            cursor.execute(query, (user + "@%",))
            defined += cursor.fetchone()[0]
        if defined:
            cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s", (user, secrets.token_urlsafe(32)))
            self.say("user %s gets in no more; it stays, since things are defined by it: %d" % (user, defined))
        else:
            cursor.execute("DROP USER IF EXISTS %s@'%%'", (user,))
            self.say("user %s is gone" % user)

    def verify(self):
        connection = self.connect(self.told["user"], self.told["password"], self.told["database"])
        with connection:
            cursor = connection.cursor()
            cursor.execute("SELECT DATABASE()")
            if cursor.fetchone()[0] != self.told["database"]:
                raise RuntimeError("another database answered")
        self.say("user %s gets in" % self.told["user"])

    def remove(self):
        database, users = self.told["database"], users_of(self.told)
        with self.admin() as connection:
            cursor = connection.cursor()
            if self.may_make:
                cursor.execute("DROP DATABASE IF EXISTS %s" % self.identifier(database))
                cursor.execute(
                    "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = %s", (database,)
                )
                if cursor.fetchone()[0]:
                    raise RuntimeError("the database is still there")
                self.say("no database %s" % database)
            for user in users:
                self.take_away(cursor, user)
            cursor.execute("SELECT COUNT(*) FROM mysql.db WHERE User IN %s", (tuple(users),))
            if self.may_make and cursor.fetchone()[0]:
                raise RuntimeError("a user still has rights")
            self.say("no user %s gets in" % ", ".join(users))


class MongoDB(Service):
    def __init__(self, told):
        super().__init__(told)
        import pymongo

        self.driver = pymongo

    def connect(self, user, password):
        options = {"tls": True} if self.told["tls"] else {}
        return self.driver.MongoClient(
            self.told["host"],
            self.told["port"],
            username=user,
            password=password,
            authSource="admin",
            serverSelectionTimeoutMS=PATIENCE * 1000,
            connectTimeoutMS=PATIENCE * 1000,
            **options,
        )

    def admin(self):
        admin = self.told["admin"]
        return self.connect(admin["user"], admin["password"])

    def databases(self):
        """The database of courses, and further ones: that of the forum."""
        return [self.told["database"], *self.told.get("also", [])]

    @staticmethod
    def has(client, user):
        return bool(client.admin.command("usersInfo", {"user": user, "db": "admin"})["users"])

    def apply(self):
        user = self.told["user"]
        with self.admin() as client:
            known = {one for one in users_of(self.told) if self.has(client, one)}
            if not known:
                self.refuse_foreign(any(client[name].list_collection_names() for name in self.databases()))
            what = "updateUser" if user in known else "createUser"
            client.admin.command(
                what,
                user,
                pwd=self.told["password"],
                roles=[{"role": "readWrite", "db": name} for name in self.databases()]
                # FerretDB knows users and no roles.
                if self.told.get("roles", True)
                else [],
            )
            self.say("user %s" % user)
            retired = self.told.get("retired")
            if retired and retired != user and retired in known:
                client.admin.command("dropUser", retired)
                self.say("user %s is gone" % retired)
        self.verify()

    def verify(self):
        with self.connect(self.told["user"], self.told["password"]) as client:
            for name in self.databases():
                client[name].list_collection_names()
        self.say("user %s gets in" % self.told["user"])

    def remove(self):
        with self.admin() as client:
            for user in users_of(self.told):
                if self.has(client, user):
                    client.admin.command("dropUser", user)
            if self.may_make:
                for name in self.databases():
                    client.drop_database(name)
                if set(self.databases()) & set(client.list_database_names()):
                    raise RuntimeError("a database is still there")
                self.say("no database %s" % ", ".join(self.databases()))
            if any(self.has(client, user) for user in users_of(self.told)):
                raise RuntimeError("a user is still there")
            self.say("no user %s" % ", ".join(users_of(self.told)))


class Redis(Service):
    # Keys of one number cannot be told from those of another; orders to the server can.
    RIGHTS = ("~*", "&*", "+@all", "-@admin", "-@dangerous", "+info", "+keys")

    def __init__(self, told):
        super().__init__(told)
        import redis

        self.driver = redis

    def connect(self, user, password):
        return self.driver.Redis(
            host=self.told["host"],
            port=self.told["port"],
            username=user,
            password=password,
            ssl=self.told["tls"],
            socket_connect_timeout=PATIENCE,
            decode_responses=True,
        )

    def admin(self):
        admin = self.told["admin"]
        return self.connect(admin["user"], admin["password"])

    def keep(self, client):
        """Users live in memory until they are written."""
        try:
            client.execute_command("ACL", "SAVE")
        except self.driver.ResponseError:
            try:
                client.execute_command("CONFIG", "REWRITE")
            except self.driver.ResponseError as error:
                raise RuntimeError(
                    "the server has no file for users, and would forget them when it starts again: %s" % error
                ) from None

    def apply(self):
        user = self.told["user"]
        with self.admin() as client:
            client.execute_command(
                "ACL", "SETUSER", user, "reset", "on", ">" + self.told["password"], *self.RIGHTS
            )
            self.say("user %s" % user)
            retired = self.told.get("retired")
            if retired and retired != user and client.execute_command("ACL", "DELUSER", retired):
                self.say("user %s is gone" % retired)
            self.keep(client)
        self.verify()

    def verify(self):
        with self.connect(self.told["user"], self.told["password"]) as client:
            client.ping()
        self.say("user %s gets in" % self.told["user"])

    def remove(self):
        with self.admin() as client:
            client.execute_command("ACL", "DELUSER", *users_of(self.told))
            left = set(client.execute_command("ACL", "USERS")) & set(users_of(self.told))
            if left:
                raise RuntimeError("a user is still there")
            self.keep(client)
            self.say("no user %s" % ", ".join(users_of(self.told)))


class Bucket(Service):
    def __init__(self, told):
        super().__init__(told)
        import boto3
        import botocore

        self.driver, self.errors = boto3, botocore.exceptions
        self.bucket = told["database"]

    def connect(self, user, password):
        from botocore.config import Config

        return self.driver.client(
            "s3",
            aws_access_key_id=user,
            aws_secret_access_key=password,
            endpoint_url=self.told.get("endpoint"),
            region_name=self.told.get("region"),
            config=Config(
                connect_timeout=PATIENCE,
                retries={"max_attempts": 3},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def admin(self):
        admin = self.told["admin"]
        return self.connect(admin["user"], admin["password"])

    def is_there(self, client):
        try:
            client.head_bucket(Bucket=self.bucket)
        except self.errors.ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 404:
                return False
            if status == 403:
                raise Refusal("the bucket %s belongs to somebody else" % self.bucket) from None
            raise
        return True

    def apply(self):
        client = self.admin()
        if not self.is_there(client):
            if not self.may_make:
                raise Refusal("there is no bucket %s to take over" % self.bucket)
            region = self.told.get("region")
            where = {}
            # The one region that must not be named.
            if region and region != "us-east-1":
                where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
            client.create_bucket(Bucket=self.bucket, **where)
        self.say("bucket %s" % self.bucket)
        self.verify()

    def verify(self):
        client = self.connect(self.told["user"], self.told["password"])
        key = "grove-probe"
        client.put_object(Bucket=self.bucket, Key=key, Body=b"grove")
        read = client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        client.delete_object(Bucket=self.bucket, Key=key)
        if read != b"grove":
            raise RuntimeError("the bucket gave back something else than was put there")
        self.say("the instance's key reads and writes")

    def remove(self):
        client = self.admin()
        if self.may_make and self.is_there(client):
            for kind in ("list_object_versions", "list_objects_v2"):
                for page in client.get_paginator(kind).paginate(Bucket=self.bucket):
                    for part in ("Versions", "DeleteMarkers", "Contents"):
                        for one in page.get(part, []):
                            version = {"VersionId": one["VersionId"]} if "VersionId" in one else {}
                            client.delete_object(Bucket=self.bucket, Key=one["Key"], **version)
            client.delete_bucket(Bucket=self.bucket)
            if self.is_there(client):
                raise RuntimeError("the bucket is still there")
        self.say("no bucket %s" % self.bucket if self.may_make else "the bucket stays")


class Search(Service):
    """A key of Meilisearch, whose identifier is the user. It opens the indexes of the prefix and reads no keys:
    who reads keys has those of every instance.
    """

    ACTIONS = ["search", "documents.*", "indexes.*", "settings.*", "stats.*", "tasks.*"]

    def __init__(self, told):
        super().__init__(told)
        self.prefix = told["database"]
        # What marks a key as made here, for this instance.
        self.mark = "grove %s" % self.prefix
        self.indexes = self.prefix + "*"

    def ask(self, key, method, path, body=None, absent=None):
        """The answer; `absent` where there is no such thing."""
        request = urllib.request.Request(
            self.told["endpoint"].rstrip("/") + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + key, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            if error.code == 404 and absent is not None:
                return absent
            try:
                said = json.loads(error.read())["message"]
            except (ValueError, KeyError, TypeError):
                # A proxy before the server, for instance.
                said = error.reason
            raise Denied(error.code, "%s %s: %s" % (method, path, said)) from None
        return json.loads(text) if text else {}

    def admin(self, *arguments, **options):
        return self.ask(self.told["admin"]["password"], *arguments, **options)

    def every(self, path):
        """All results, which come in pages."""
        found = []
        while True:
            page = self.admin("GET", "%s?limit=100&offset=%d" % (path, len(found)))
            found += page["results"]
            if not page["results"] or len(found) >= page["total"]:
                return found

    def is_anothers(self, key):
        return (key["name"] or "").startswith("grove ") and key["name"] != self.mark

    def ours(self, keys):
        known = [self.told["user"], self.told.get("retired")]
        ours = [key for key in keys if key["uid"] in known or key["name"] == self.mark]
        return [key for key in ours if not self.is_anothers(key)]

    def names(self):
        """Indexes of the prefix. One that another instance's key opens more narrowly is that instance's."""
        names = [index["uid"] for index in self.every("/indexes") if index["uid"].startswith(self.prefix)]
        for key in filter(self.is_anothers, self.every("/keys")):
            for pattern in key["indexes"]:
                if pattern.startswith(self.prefix):
                    raise Refusal("indexes %s are of another instance: %s" % (pattern, key["name"]))
        return names

    def follows(self):
        """Whether the key follows from the server's master key and the identifier."""
        master = self.told["admin"]["password"].encode()
        key = hmac.new(master, self.told["user"].encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(key, self.told["password"])

    def apply(self):
        user = self.told["user"]
        if not self.follows():
            raise Refusal(
                "the instance's key does not follow from the server's master key, which may have changed: "
                "`grove secret remove` the instance's MEILISEARCH_API_KEY, then `grove secret generate`"
            )
        keys = self.every("/keys")
        there = [key for key in keys if key["uid"] == user]
        if any(map(self.is_anothers, there)):
            raise Refusal(
                "the key %s is of another instance, %s: `grove secret remove` this one's MEILISEARCH_API_KEY and "
                "MEILISEARCH_API_KEY_UID, then `grove secret generate`" % (user, there[0]["name"])
            )
        if not self.ours(keys):
            self.refuse_foreign(bool(self.names()))
        wanted = {"name": self.mark, "actions": sorted(self.ACTIONS), "indexes": [self.indexes], "expiresAt": None}
        if not any({**key, "actions": sorted(key["actions"])}.items() >= wanted.items() for key in there):
            # What a key may do cannot be changed.
            self.admin("DELETE", "/keys/" + user, absent={})
            self.admin("POST", "/keys", {**wanted, "uid": user})
        self.say("key %s, for indexes %s alone" % (user, self.indexes))
        retired = self.told.get("retired")
        if retired and retired != user and any(key["uid"] == retired for key in keys):
            self.admin("DELETE", "/keys/" + retired, absent={})
            self.say("key %s is gone" % retired)
        self.verify()

    def verify(self):
        key = self.told["password"]
        self.ask(key, "GET", "/indexes?limit=1")
        # Who may look at an index that nobody has may look at every one.
        name = next(name for name in ("grove-nobody", "nobody-grove") if not name.startswith(self.prefix))
        for path in ("/keys", "/indexes/%s/stats" % name):
            try:
                self.ask(key, "GET", path)
            except Denied as denied:
                if denied.status == 403:
                    continue
            if self.told["manage"] != "external":
                raise RuntimeError("the key opens more than the indexes of its prefix: %s" % path)
            self.say("the key opens more than the indexes of its prefix: %s" % path)
        if self.told["user"]:
            try:
                self.ask(self.token(), "POST", "/indexes/%snobody/search" % self.prefix, {"q": ""}, absent={})
            except Denied as denied:
                raise RuntimeError("%s is not the identifier of the key: %s" % (self.told["user"], denied)) from None
        self.say("the key gets in")

    def token(self):
        """What Studio hands to a browser, for the indexes of the prefix: made of the key and its identifier."""
        parts = [{"alg": "HS256", "typ": "JWT"}, {"apiKeyUid": self.told["user"], "searchRules": {self.indexes: {}}}]
        encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        text = ".".join(encode(json.dumps(part).encode()) for part in parts)
        sign = hmac.new(self.told["password"].encode(), text.encode(), hashlib.sha256).digest()
        return text + "." + encode(sign)

    def remove(self):
        if self.may_make:
            tasks = [self.admin("DELETE", "/indexes/" + name, absent={}).get("taskUid") for name in self.names()]
            for task in tasks:
                if task is not None:
                    self.wait(task)
            if self.names():
                raise RuntimeError("an index is still there")
            self.say("no index %s" % self.indexes)
        for key in self.ours(self.every("/keys")):
            self.admin("DELETE", "/keys/" + key["uid"], absent={})
        if self.ours(self.every("/keys")):
            raise RuntimeError("a key is still there")
        self.say("no key for indexes %s" % self.indexes)

    def wait(self, task):
        for _ in range(4 * 600):
            state = self.admin("GET", "/tasks/%d" % task)
            if state["status"] in ("succeeded", "failed", "canceled"):
                break
            time.sleep(0.25)
        gone = (state.get("error") or {}).get("code") == "index_not_found"
        if state["status"] != "succeeded" and not gone:
            raise RuntimeError("an index does not go: %s" % (state.get("error") or state["status"]))


class Denied(Exception):
    """What a server answers that it does not do."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


ENGINES = {"mysql": MySQL, "mongodb": MongoDB, "redis": Redis, "s3": Bucket, "meilisearch": Search}


def alternate(user):
    """The name with which a user takes turns."""
    return user[:-2] if user.endswith("_2") else user + "_2"


def users_of(told):
    """Every user that an instance may have: the one of now, the one that it takes turns with."""
    names = [told["user"], alternate(told["user"]), told.get("retired")]
    return sorted({name for name in names if name})


def hidden(text, services):
    """A message without any password."""
    for told in services:
        for secret in (told.get("password"), told.get("admin", {}).get("password")):
            if secret:
                text = text.replace(secret, "***")
    return text


def main(path):
    with open(path, encoding="utf-8") as file:
        asked = json.load(file)
    action, services = asked["action"], asked["services"]
    failed = False
    for told in services:
        if action != "verify" and told["manage"] == "external":
            continue
        name = "%s %s" % (told["engine"], told["database"])
        try:
            getattr(ENGINES[told["engine"]](told), action)()
        except Exception as error:  # Each engine has its own; the next service is tried all the same.
            failed = True
            text = "%s" % error
            if not isinstance(error, Refusal):
                text = "%s: %s" % (type(error).__name__, text)
            text = hidden(text, services)
            print(json.dumps({"service": name, "failed": text}), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
