"""What is said of lineage that cannot be recorded or asked for, as templates of `str.format`."""

RESOURCE_FUNCTION = '{name} takes a resource name or "*", and optionally a filter'
KINSHIP = 'write {field}:"CONTEXT"'
INPUT = "write input=true or input=false"
EVENT_TIME = "event_time is compared with = != < <= > >="
EVENT_TYPE = "must be INPUT or OUTPUT"
TOO_MUCH = "The lineage subgraph has more than {most:d} {what}. {hint}"
LIST_THEM = "List them page by page with the filter in_context() instead."
FEWER_STEPS = "Ask for fewer steps with max_hops."
ARTIFACTS = "artifacts"
EXECUTIONS = "executions"
EVENTS = "events"

NO_FILTER = "is required; to purge everything: create_time > 1970-01-01T00:00:00Z"
SHORT_ID = "{value} must have 4 to 128 characters of a-z, 0-9 and hyphen"
BAD_ID = "{value} must have 1 to 128 characters of a-z, A-Z, 0-9, underscore and hyphen"
LARGE_METADATA = "must not be larger than {most:d} bytes as JSON"
OTHER_STORE = "{name} must name one of the {collection} of the same store, {prefix}ID"
CIRCLE = "{child} is {parent} itself or above it; contexts must not form a circle"
MANY_PARENTS = "{child} already has {most:d} parents, the most allowed; remove it from one first"
NEGATIVE_HOPS = "must not be negative, as {asked:d} is"
