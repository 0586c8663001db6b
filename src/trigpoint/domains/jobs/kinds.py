"""The resources of this slice, declared."""

from trigpoint.core.names import pattern
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob
from trigpoint.kernel.resource import Kind

CUSTOM_JOB = Kind(
    noun="CustomJob",
    message=CustomJob,
    pattern=pattern("projects/{project}/locations/{location}/customJobs/{custom_job}"),
)
LONE_JOB = "loneJobs"
"""Kind of the work item, under a job's name, that is woken when a job has ended that no other resource launched."""
AWAITED = "awaited"
"""How a resource that launched a job uses it until it has taken up what the job left."""
