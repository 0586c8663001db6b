"""Jobs that lose what they need: their account, their project, somebody who awaits them."""

import pytest
from tests.domains.jobs.world import World, uid_of

from trigpoint.agent.protocol import Outcome
from trigpoint.core.call import Call, Caller
from trigpoint.core.errors import FailedPrecondition
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_service_pb import (
    DeleteCustomJobRequest,
)
from trigpoint.kernel.reconcile import Done, Wait


def test_a_job_whose_account_is_gone_fails_and_gives_its_place_back(world: World) -> None:
    trainer = world.identity.accounts.create(world.call.project, "trainer@demo-project.iam.gserviceaccount.com").email
    first, held, last = world.create(2), world.create(3, service_account=trainer), world.create()
    world.step(first)
    assert isinstance(world.step(held), Wait)
    assert isinstance(world.step(last), Wait)
    world.identity.accounts.delete(trainer)
    world.cancel(first)
    world.step(first)
    world.engine.finish(uid_of(first), "workerpool0-0", Outcome("STOPPED", 1))
    world.engine.finish(uid_of(first), "workerpool1-0", Outcome("STOPPED", 1))
    assert world.step(first) == Done()
    assert world.step(held) == Done()
    error = world.job(held).error
    assert error is not None
    assert (world.job(held).state.name, error.code) == ("FAILED", 7)
    assert trainer in error.message
    world.step(last)
    assert uid_of(last) in world.engine.ensured


def test_a_job_is_cancelled_when_its_project_is_deleted(world: World) -> None:
    number = world.projects.create("second-project", "", {}).number
    world.call = Call(Caller("me@second-project.iam.gserviceaccount.com", number), project=number)
    runs, waits = world.create(4), world.create()
    world.step(runs)
    assert isinstance(world.step(waits), Wait)
    world.projects.delete(number)
    assert world.step(waits) == Done()
    world.step(runs)
    for pool, index in ((0, 0), (1, 0), (1, 1), (1, 2)):
        world.engine.finish(uid_of(runs), f"workerpool{pool}-{index}", Outcome("STOPPED", 1))
    assert world.step(runs) == Done()
    assert [world.job(name).state.name for name in (runs, waits)] == ["CANCELLED", "CANCELLED"]


def test_a_job_that_somebody_awaits_is_not_deleted_before(world: World) -> None:
    parent, pipeline = f"projects/{world.call.project}/locations/us-central1", "projects/1/trainingPipelines/2"
    job = world.job(world.create())
    name = world.jobs.launch(parent, "77", job, {}, ("trainingPipelines", pipeline)).row.name
    world.cancel(name)
    assert world.step(name) == Done()
    delete = world.jobs.handlers()["google.cloud.aiplatform.v1.JobService.DeleteCustomJob"]
    with pytest.raises(FailedPrecondition, match=f"before {pipeline} has ended"):
        delete(world.call, DeleteCustomJobRequest(name=name))
    world.kernel.store.write(lambda tx: world.jobs.let_go(tx, pipeline, name))
    delete(world.call, DeleteCustomJobRequest(name=name))
    assert world.jobs.find(name) is None
