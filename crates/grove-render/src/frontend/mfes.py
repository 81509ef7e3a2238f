import json

from tutor.exceptions import TutorError
from tutor.hooks import priorities
from tutormfe import hooks

WANTED = json.loads(@WANTED@)


@hooks.MFE_APPS.add(priority=priorities.LOW)
def _mfes(apps):
    for name, wanted in WANTED.items():
        if not wanted["enabled"]:
            apps.pop(name, None)
        elif name in apps or wanted["fields"]:
            apps[name] = {**apps.get(name, {}), **wanted["fields"]}
            missing = [key for key in ("repository", "port") if key not in apps[name]]
            if missing:
                raise TutorError(f"mfes.{name}: Tutor knows no such micro-frontend; it needs {' and '.join(missing)}")
    return apps


# Tutor 22 has micro-frontends that are parts of one site, too.
if hasattr(hooks, "FRONTEND_APPS"):

    @hooks.FRONTEND_APPS.add(priority=priorities.LOW)
    def _apps(apps):
        for name, wanted in WANTED.items():
            if name in apps and (not wanted["enabled"] or wanted["fields"]):
                # One that is built from a repository of its own takes its place.
                apps[name] = {**apps[name], "enabled": False}
        return apps
