"""Starts the worker: `python -s -B <this directory> [options]`."""

import sys

from grove_worker.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
