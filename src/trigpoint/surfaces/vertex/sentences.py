"""What the Vertex AI API says of requests that lead nowhere, as templates of `str.format`."""

NOT_BUILT = "{method} is not built. docs/api-coverage.md lists the methods that are."
DENIED = "Permission '{permission}' denied on resource '//aiplatform.googleapis.com/{name}' (or it may not exist)."
NO_LOCATION = "Location {location} is not served here. Use one of: {served}."
UNKNOWN_LOCATION = "unknown location {location}"
OTHER_ENDPOINT = (
    "The provided location ID doesn't match the endpoint: {location} was sent to {host}. Use the endpoint {endpoint}."
)
OTHER_LOCATION = "location {location} is not that of the endpoint"
NO_NAME = "It is required: a name that starts with projects/PROJECT/locations/"
NO_METHOD = "No method answers {method} {path}."
CLOSED = "The client closed the connection."
MANY_PARAMETERS = "The query has more than {most:d} parameters."
