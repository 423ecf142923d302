"""`python -m apotheca …`."""

import sys

from apotheca.cli import main

sys.exit(main())
