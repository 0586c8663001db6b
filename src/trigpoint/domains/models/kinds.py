"""The rows behind a model: one that lists show, which is its default version, and one per version."""

from trigpoint.core.names import pattern
from trigpoint.core.pb.google.cloud.aiplatform.v1.model_pb import Model
from trigpoint.domains.models import rules
from trigpoint.kernel.resource import Kind

MODEL = Kind(
    "Model",
    Model,
    rules.MODEL,
    mutable=rules.MODEL_FIELDS,
    filters={"version_id": "versionId", "description": "description"},
)
VERSION = Kind(
    "Model",
    Model,
    pattern(rules.MODEL.template + "/modelVersions/{version}"),
    mutable=rules.VERSION_FIELDS,
    newest_first=False,
    filters={"version_id": "versionId", "version_description": "versionDescription"},
)

DEPLOYED = "deployedModel"
"""The kind of the reference that an endpoint keeps on `models/M@V` while it serves that version."""

UPLOADED = "upload"
"""The kind of the reference from what registered a version, such as a training pipeline, to `models/M@V`."""
