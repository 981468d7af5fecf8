"""`python -m sluicegate` is `sluice`."""

from sluicegate.cli import main

raise SystemExit(main())
