"""What is said of places and choices that a log does not have, as templates of `str.format`."""

NO_SEVERITY = "one of {severities}"
NO_PLACE = "it is no place in this log; begin without one"
