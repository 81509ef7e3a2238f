import pathlib
import sys

from celery.__main__ import main
from celery.signals import heartbeat_sent


def at_work(**_):
    pathlib.Path("/tmp/grove-worker").touch()


heartbeat_sent.connect(at_work, weak=False)
sys.exit(main())
