"""What is said of every kind of resource alike, as templates of `str.format`."""

MISSING = "The {noun} {name} does not exist. Check its id ({id}), project and location."
