"""`python -m uffdviz`."""

import sys

from uffdviz.cli import main

sys.exit(main())
