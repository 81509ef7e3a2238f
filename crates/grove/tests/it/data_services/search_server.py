"""A server that answers as Meilisearch does, as far as the tests ask: keys, and what a key may do where.

Arguments: a port, and the master key. https://www.meilisearch.com/docs/reference/api/keys
"""

import base64
import fnmatch
import hashlib
import hmac
import http.server
import json
import sys
import urllib.parse
import uuid

PORT, MASTER = int(sys.argv[1]), sys.argv[2]
KEYS, INDEXES, TASKS = {}, {}, []
WHEN = "2032-04-01T00:00:00.000000Z"
MADE = {"createdAt": WHEN, "updatedAt": WHEN}
TASK = {"indexUid": None, "type": "x", "details": None, "canceledBy": None, "enqueuedAt": WHEN}


class Refused(Exception):
    pass


def value(uid):
    return hmac.new(MASTER.encode(), uid.encode(), hashlib.sha256).hexdigest()


def shown(key):
    return {**key, "key": value(key["uid"]), **MADE}


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key_of(token, action):
    """The key that a token is, or was made of."""
    for key in KEYS.values():
        if hmac.compare_digest(value(key["uid"]), token):
            return key
    if token.count(".") == 2 and action == "search":
        head, body, sign = token.split(".")
        key = KEYS.get(json.loads(unpadded(body))["apiKeyUid"])
        made = key and hmac.new(value(key["uid"]).encode(), (head + "." + body).encode(), hashlib.sha256).digest()
        if made and hmac.compare_digest(made, unpadded(sign)):
            return key
    raise Refused


def opens(key, index):
    return any(fnmatch.fnmatchcase(index, pattern) for pattern in key["indexes"])


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def may(self, action, index=None):
        """The key that asks, or none for the master key."""
        token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        if hmac.compare_digest(token, MASTER):
            return None
        key = key_of(token, action)
        group = action.split(".")[0] + ".*"
        if not {action, group, "*"} & set(key["actions"]) or (index is not None and not opens(key, index)):
            raise Refused
        if action.startswith("keys.") and "*" not in key["indexes"]:
            raise Refused
        return key

    def task(self, error=None):
        TASKS.append({"status": "failed" if error else "succeeded", "error": error})
        return 202, {**TASK, "taskUid": len(TASKS) - 1, "status": "enqueued"}

    def page(self, found):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        start, limit = int(query.get("offset", 0)), int(query.get("limit", 20))
        return 200, {"results": found[start : start + limit], "offset": start, "limit": limit, "total": len(found)}

    def answer(self, method, path, body):
        match [method, *path]:
            case ["GET", "health"]:
                return 200, {"status": "available"}
            case ["GET", "keys"]:
                self.may("keys.get")
                return self.page([shown(key) for key in KEYS.values()])
            case ["POST", "keys"]:
                self.may("keys.create")
                key = {"description": None, **body, "uid": body.get("uid") or str(uuid.uuid4())}
                if key["uid"] in KEYS:
                    return 409, {"message": "there already", "code": "api_key_already_exists"}
                KEYS[key["uid"]] = key
                return 201, shown(key)
            case [_, "keys", uid]:
                self.may("keys.delete" if method == "DELETE" else "keys.get")
                if uid not in KEYS:
                    return 404, {"message": "no such key", "code": "api_key_not_found"}
                key = KEYS.pop(uid) if method == "DELETE" else KEYS[uid]
                return (204, None) if method == "DELETE" else (200, shown(key))
            case ["GET", "indexes"]:
                key = self.may("indexes.get")
                names = [name for name in sorted(INDEXES) if key is None or opens(key, name)]
                return self.page([{"uid": name, "primaryKey": None, **MADE} for name in names])
            case ["POST", "indexes"]:
                self.may("indexes.create", body["uid"])
                INDEXES.setdefault(body["uid"], [])
                return self.task()
            case ["DELETE", "indexes", name]:
                self.may("indexes.delete", name)
                gone = INDEXES.pop(name, None) is None
                return self.task({"code": "index_not_found"} if gone else None)
            case ["GET", "indexes", name, "stats"]:
                self.may("stats.get", name)
                if name not in INDEXES:
                    return 404, {"message": "no such index", "code": "index_not_found"}
                return 200, {"numberOfDocuments": len(INDEXES[name])}
            case ["POST", "indexes", name, "documents"]:
                self.may("documents.add", name)
                INDEXES.setdefault(name, []).extend(body)
                return self.task()
            case ["POST", "indexes", name, "search"]:
                self.may("search", name)
                hits = [one for one in INDEXES.get(name, []) if body["q"] in json.dumps(one)]
                return 200, {"hits": hits}
            case ["GET", "tasks", number]:
                self.may("tasks.get")
                return 200, {**TASK, "uid": int(number), **TASKS[int(number)]}
        return 404, {"message": "no such path", "code": "not_found"}

    def handle_any(self):
        length = int(self.headers["Content-Length"] or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path = urllib.parse.urlsplit(self.path).path.strip("/").split("/")
        try:
            status, answer = self.answer(self.command, path, body)
        except Refused:
            status, answer = 403, {"message": "no such key", "code": "invalid_api_key", "type": "auth", "link": "x"}
        text = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = handle_any


# One that somebody made by hand, as a new server has two.
KEYS["8f11d71d-391d-4850-8229-1db2cb69e8e2"] = {
    "uid": "8f11d71d-391d-4850-8229-1db2cb69e8e2",
    "name": None,
    "description": None,
    "actions": ["*"],
    "indexes": ["*"],
    "expiresAt": None,
}
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Server).serve_forever()
