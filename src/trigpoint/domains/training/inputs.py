"""The free-form `trainingTaskInputs` of the custom task, read tolerantly and written back canonically. Pure.

Google's SDK sends snake_case keys, numbers as doubles and explicit nulls; its system tests read camelCase back
(vertex-training.md sections 0 and 2.2, sdk-contract.md section 3).
"""

from typing import Any

from trigpoint.core import messages
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJobSpec
from trigpoint.domains.training import sentences

FIELD = "training_pipeline.training_task_inputs"
SCHEMA = "gs://google-cloud-aiplatform/schema/trainingjob/definition/"
CUSTOM_TASK = SCHEMA + "custom_task_1.0.0.yaml"
_TEXT_LISTS = frozenset({"args", "command"})


def custom_job_spec(inputs: Any) -> CustomJobSpec:
    """Return the job specification that a Value message holds; InvalidArgument naming the field otherwise."""
    plain = messages.plain(inputs) if inputs is not None else None
    if not isinstance(plain, dict):
        raise InvalidArgument(violations=[Violation(FIELD, sentences.NO_INPUTS)])
    try:
        return messages.from_dict(CustomJobSpec, _tidy(plain), ignore_unknown=True)
    except InvalidArgument as error:
        raise InvalidArgument(violations=[Violation(FIELD, error.message)]) from error


def canonical(spec: CustomJobSpec) -> Any:
    """Return the Value that is stored and answered: camelCase, defaults left out."""
    return messages.value(messages.to_dict(spec))


def _tidy(value: Any, key: str = "") -> Any:
    """Return a copy with nulls dropped, whole doubles as integers, and everything in argument lists as text."""
    if isinstance(value, dict):
        return {k: _tidy(v, k) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_text(v) for v in value] if key in _TEXT_LISTS else [_tidy(v) for v in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _text(value: Any) -> Any:
    """Return an argument as the program gets it: whole numbers without a fraction (`10`, not `10.0`)."""
    tidy = _tidy(value)
    if isinstance(tidy, bool):
        return "true" if tidy else "false"
    return str(tidy) if isinstance(tidy, int | float) else tidy
