"""`python -m trigpoint.cli` is `trig`."""

from trigpoint.cli.app import main

main()
