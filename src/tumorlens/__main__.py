"""``python -m tumorlens`` is the command ``tumorlens``."""

import sys

from tumorlens.cli.main import main

sys.exit(main())
