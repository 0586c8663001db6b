"""What is said of buckets and objects that are not there, as templates of `str.format`."""

_ABSENT = (
    "bucket {bucket} does not exist in this project. Create it "
    "(gcloud storage buckets create {address}) or correct the URI {uri}."
)
NO_BUCKET = "{field}: the " + _ABSENT
NO_SUCH_BUCKET = "The " + _ABSENT
NO_OBJECT = "{field}: there is no object {uri}. Upload it, or correct the URI."
