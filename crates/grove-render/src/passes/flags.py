import json
import os

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from waffle import get_waffle_flag_model, get_waffle_sample_model, get_waffle_switch_model

MARK = "Managed by Grove"
assert get_user_model()
wanted = json.loads(os.environ["GROVE_FLAGS"])
models = {
    "flags": get_waffle_flag_model(),
    "switches": get_waffle_switch_model(),
    "samples": get_waffle_sample_model(),
}
for kind, model in models.items():
    for name, fields in wanted[kind].items():
        one, is_new = model.objects.get_or_create(name=name, defaults={"percent": 0} if kind == "samples" else {})
        groups = fields.pop("groups", None)
        for field, value in fields.items():
            setattr(one, field, value)
        if is_new:
            one.note = MARK
        one.save()
        if groups is not None:
            known = {group.name: group for group in Group.objects.filter(name__in=groups)}
            missing = sorted(set(groups) - set(known))
            assert not missing, f"flag {name}: there is no group {missing}"
            one.groups.set(known.values())
            one.flush()
        print(f"{kind}: {name} is set")
    for one in model.objects.filter(note=MARK).exclude(name__in=wanted[kind]):
        print(f"{kind}: {one.name} is gone")
        one.delete()
