"""`python -m uffdviz` is the same as `uffdviz`."""

import sys

from uffdviz.cli import main

sys.exit(main())
