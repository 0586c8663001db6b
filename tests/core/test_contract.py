"""The tables agree with the descriptor set they were made of, and with what the SDK is known to rely on."""

import gzip
import hashlib
from pathlib import Path

import pytest

from trigpoint.core import contract, messages
from trigpoint.core.names import pattern

JOBS = "google.cloud.aiplatform.v1.JobService"
DESCRIPTORS = Path(contract.__file__).parent / "descriptors"


def test_every_method_has_its_messages() -> None:
    for method in contract.methods().values():
        for name in (method.input, method.output, *(method.lro or ())):
            assert messages.full_name(messages.message_class(name)) == name


def test_vertex_is_complete() -> None:
    vertex = [m for m in contract.methods().values() if m.service.startswith(contract.VERTEX)]
    assert len(vertex) == 769  # sdk-contract.md section 2.1
    assert len({m.service for m in vertex}) == 74
    assert sum(len(m.http) for m in vertex) == 846
    assert sum(m.lro is not None for m in vertex) == 265
    assert all((m.lro is not None) == (m.output == "google.longrunning.Operation") for m in vertex)


def test_a_method_says_all_of_itself() -> None:
    method = contract.methods()[f"{JOBS}.DeleteCustomJob"]
    assert method.http == (contract.Binding("DELETE", "/v1/{name=projects/*/locations/*/customJobs/*}", "", ""),)
    assert method.lro == ("google.protobuf.Empty", "google.cloud.aiplatform.v1.DeleteOperationMetadata")
    assert (method.version, method.client_streaming, method.server_streaming) == ("v1", False, False)
    predict = contract.methods()["google.cloud.aiplatform.v1.PredictionService.StreamRawPredict"]
    assert predict.server_streaming
    assert len(predict.http) == 2


def test_twins() -> None:
    method = contract.methods()[f"{JOBS}.CreateCustomJob"]
    beta = contract.twin(method, "v1beta1")
    assert beta is not None
    assert beta.full == "google.cloud.aiplatform.v1beta1.JobService.CreateCustomJob"
    assert contract.twin(beta, "v1") is method
    mixin = contract.methods()["google.longrunning.Operations.GetOperation"]
    assert mixin.version == ""
    assert contract.twin(mixin, "v1beta1") is mixin
    assert contract.methods()["google.cloud.resourcemanager.v3.Projects.GetProject"].version == "v3"


@pytest.mark.parametrize(
    "path",
    [
        "/ui/{name=projects/*/locations/*/operations/*}",
        "/v1/{name=projects/*/locations/*/*/*/operations/*}",
        "/v1beta1/{name=projects/*/locations/*/*/*/*/*/*/*/*/*/operations/*}",
        "/v1/{name=projects/*/locations/*/*/operations/*}",
        "/v3/{name=operations/**}",
    ],
)
def test_operations_are_served_wherever_they_hang(path: str) -> None:
    method = contract.methods()["google.longrunning.Operations.GetOperation"]
    assert path in {binding.template for binding in method.http}


def test_bindings_stand_in_the_form_of_the_rules() -> None:
    for method in contract.methods().values():
        for verb, template, body, _ in method.http:
            assert verb in {"GET", "POST", "PUT", "PATCH", "DELETE"}
            assert template.startswith("/")
            assert body != "*" or verb not in {"GET", "DELETE"}
            assert "**" not in template.partition("**")[2]


def test_resource_patterns_build_names() -> None:
    assert contract.resources()["aiplatform.googleapis.com/CustomJob"] == (
        "projects/{project}/locations/{location}/customJobs/{custom_job}",
    )
    vertex = {kind: found for kind, found in contract.resources().items() if kind.startswith("aiplatform.")}
    assert len(vertex) >= 55
    for patterns in vertex.values():
        for template in patterns:
            keys = pattern(template).keys
            assert pattern(template).match(template.format(**dict.fromkeys(keys, "x"))) is not None


def test_rules_of_fields() -> None:
    job = contract.rules("google.cloud.aiplatform.v1.CustomJob")
    assert job["name"].output_only
    assert job["job_spec"].required
    assert "labels" not in job
    request = contract.rules("google.cloud.aiplatform.v1.CreateCustomJobRequest")
    assert request["parent"] == contract.Rules(True, False, False, "locations.googleapis.com/Location", "")
    assert contract.rules("no.Such") == {}


def test_the_sources_are_those_stated() -> None:
    held = hashlib.sha256(gzip.decompress((DESCRIPTORS / "api.binpb.gz").read_bytes())).hexdigest()
    assert held in (DESCRIPTORS / "SOURCES.md").read_text()
