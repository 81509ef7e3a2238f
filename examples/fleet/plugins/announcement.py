"""A plugin of the fleet's own: a line of text on every page of the LMS."""

from tutor import hooks

hooks.Filters.CONFIG_DEFAULTS.add_items(
    [
        ("ANNOUNCEMENT_TEXT", "Welcome to {{ PLATFORM_NAME }}"),
    ]
)

hooks.Filters.ENV_PATCHES.add_item(
    (
        "openedx-lms-common-settings",
        "ANNOUNCEMENT_TEXT = {{ ANNOUNCEMENT_TEXT | tojson }}",
    )
)

hooks.Filters.CLI_DO_INIT_TASKS.add_item(
    (
        "lms",
        "./manage.py lms waffle_switch --create announcement.enabled on",
    )
)
