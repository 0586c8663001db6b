"""What is said of every kind of resource alike, as templates of `str.format`."""

MISSING = "The {noun} {name} does not exist. Check its id ({id}), project and location."

EXISTS = "{noun} {name} already exists."
TOO_LARGE = "The {noun} has {size:d} bytes; at most {most:d} are kept."
OTHER_ETAG = "Specified {noun} `etag`: `{given}` does not match server `etag`: `{current}`"
NOT_CANCELLABLE = "Operation {name} is not cancellable."
NO_OPERATION = "The operation {name} does not exist, or its record has been removed by retention."

NO_ORDER = "{path} can't be ordered by; these can: {fields}."
AT_CHARACTER = "At character {position:d}: {problem}."
NO_FUNCTION = "there is no function {name} for {noun}"
STANDS_ALONE = "{value} stands alone"
NO_FILTER = "{path} is not a field to filter by; these are: {fields}"
LABELS_BY_KEY = "labels are compared by key: labels.KEY = VALUE, or labels:KEY"
NO_OPERATOR = "the operator {operator} is not available here"
