"""One piece of work on Vertex AI from a table to a registered model: data, training, model, lineage, logs.

    python walkthrough.py [--report report.json]

It takes project and credentials from where Google's libraries take them, and needs
google-cloud-aiplatform, google-cloud-storage, google-cloud-logging and palmerpenguins.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from google.cloud import aiplatform, logging, storage

HERE = Path(__file__).resolve().parent
LOCATION = "us-central1"
TRAINING_IMAGE = "us-docker.pkg.dev/vertex-ai/training/sklearn-cpu.1-6:latest"
SERVING_IMAGE = "us-docker.pkg.dev/vertex-ai/prediction/sklearn-cpu.1-6:latest"
LABELS = {"example": "penguins"}
SPLIT = {"training_fraction_split": 0.7, "validation_fraction_split": 0.15, "test_fraction_split": 0.15}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, help="also write what happened to this file, as JSON")
    report_to = parser.parse_args().report

    started = time.strftime("%Y%m%d-%H%M%S")
    client = storage.Client()
    bucket = find_or_make_bucket(client, f"{client.project}-penguins")
    aiplatform.init(project=client.project, location=LOCATION, staging_bucket=f"gs://{bucket.name}")

    step("The table: upload it and make a managed dataset of it")
    source = upload(bucket, penguins_csv(), f"data/{started}/penguins.csv")
    dataset = aiplatform.TabularDataset.create(display_name="penguins", gcs_source=[source], labels=LABELS)

    step("The trainer package: build a source distribution and train on two replicas")
    package = upload(bucket, build_package(), f"packages/{started}/penguins-trainer-1.0.tar.gz")
    job, model = train_with_package(dataset, package)

    step("A bare script: train the baseline, a new version of the same model")
    baseline_job, baseline = train_with_script(dataset, model)

    step("The registry: both versions, their labels and their files")
    check_registry(model, baseline)

    step("Lineage: what the model was made of")
    lineage = [query_lineage(one) for one in (model, baseline)]

    step("Logs: what every replica printed")
    runs = [run_facts("package", job, model, bucket), run_facts("script", baseline_job, baseline, bucket)]
    for run in runs:
        run["log_entries"] = read_logs(client.project, run)

    report = {
        "project": client.project,
        "location": LOCATION,
        "bucket": f"gs://{bucket.name}",
        "source": source,
        "package": package,
        "dataset": dataset.resource_name,
        "runs": runs,
        "lineage": lineage,
    }
    if report_to:
        report_to.write_text(json.dumps(report, indent=2))
    step("Done")


def step(title: str) -> None:
    print(f"\n== {title}", flush=True)


def find_or_make_bucket(client: storage.Client, name: str) -> storage.Bucket:
    """The bucket of earlier runs, or a new one; training needs it in the same region."""
    return client.lookup_bucket(name) or client.create_bucket(name, location=LOCATION)


def penguins_csv() -> Path:
    """The Palmer penguins table (CC0) from its package, which need not be imported for it."""
    files = importlib.metadata.files("palmerpenguins") or []
    return Path(str(next(file for file in files if file.name == "penguins.csv").locate()))


def build_package() -> Path:
    """Build package/ in a copy, so that nothing is left behind in the sources."""
    work = Path(tempfile.mkdtemp())
    shutil.copytree(HERE / "package", work / "package", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    subprocess.run(
        [sys.executable, "setup.py", "--quiet", "sdist", "--formats=gztar", f"--dist-dir={work}"],
        cwd=work / "package",
        check=True,
    )
    return next(work.glob("*.tar.gz"))


def upload(bucket: storage.Bucket, source: Path, name: str) -> str:
    bucket.blob(name).upload_from_filename(str(source))
    print(f"gs://{bucket.name}/{name}")
    return f"gs://{bucket.name}/{name}"


def train_with_package(
    dataset: aiplatform.TabularDataset, package: str
) -> tuple[aiplatform.CustomPythonPackageTrainingJob, aiplatform.Model]:
    job = aiplatform.CustomPythonPackageTrainingJob(
        display_name="penguins-forest",
        python_package_gcs_uri=package,
        python_module_name="trainer.task",
        container_uri=TRAINING_IMAGE,
        model_serving_container_image_uri=SERVING_IMAGE,
        labels=LABELS,
    )
    model = job.run(
        dataset=dataset,
        replica_count=2,
        machine_type="n1-standard-4",
        model_display_name="penguins",
        model_labels=LABELS,
        args=["--trees", 60, "--folds", 4],
        **SPLIT,
    )
    return job, model


def train_with_script(
    dataset: aiplatform.TabularDataset, parent: aiplatform.Model
) -> tuple[aiplatform.CustomTrainingJob, aiplatform.Model]:
    job = aiplatform.CustomTrainingJob(
        display_name="penguins-baseline",
        script_path=str(HERE / "baseline.py"),
        container_uri=TRAINING_IMAGE,
        model_serving_container_image_uri=SERVING_IMAGE,
        requirements=["gcsfs"],
        labels=LABELS,
    )
    model = job.run(
        dataset=dataset,
        model_display_name="penguins",
        model_labels=LABELS,
        parent_model=parent.resource_name,
        is_default_version=False,
        model_version_aliases=["baseline"],
        **SPLIT,
    )
    return job, model


def check_registry(model: aiplatform.Model, baseline: aiplatform.Model) -> None:
    """Both versions are listed, found by label and name, and know where their files are."""
    found = aiplatform.Model.list(filter='labels.example="penguins" AND display_name="penguins"')
    assert model.resource_name in {one.resource_name for one in found}
    assert not aiplatform.Model.list(filter='labels.example="puffins"')
    versions = {version.version_id: version for version in model.versioning_registry.list_versions()}
    assert {model.version_id, baseline.version_id} == set(versions)
    assert "default" in versions[model.version_id].version_aliases
    assert "baseline" in versions[baseline.version_id].version_aliases
    for one in (model, baseline):
        print(f"{one.resource_name}@{one.version_id}: {', '.join(one.version_aliases)}: {one.uri}")


def query_lineage(model: aiplatform.Model) -> dict[str, Any]:
    """The graph of artifacts and executions that the model's own artifact is part of."""
    name = model.gca_resource.metadata_artifact
    if not name:
        print("this model has no metadata artifact")
        return {}
    artifact = aiplatform.Artifact(artifact_name=name)
    graph = artifact.api_client.query_artifact_lineage_subgraph(request={"artifact": name, "max_hops": 20})
    print(
        f"{model.display_name}@{model.version_id}: {len(graph.artifacts)} artifacts, {len(graph.executions)} executions"
    )
    nodes = {
        node.name: {"title": node.display_name, "schema": node.schema_title, "metadata": dict(node.metadata or {})}
        for node in (*graph.artifacts, *graph.executions)
    }
    for node in graph.artifacts:
        nodes[node.name]["uri"] = node.uri
    return {
        "model": name,
        "nodes": nodes,
        "events": [[event.execution, event.type_.name, event.artifact] for event in graph.events],
    }


def run_facts(title: str, job: Any, model: aiplatform.Model, bucket: storage.Bucket) -> dict[str, Any]:
    """State, backing job and metrics of one finished run."""
    job_name = job.gca_resource.training_task_metadata["backingCustomJob"]
    folder = model.uri.removeprefix(f"gs://{bucket.name}/").rstrip("/")
    metrics = json.loads(bucket.blob(f"{folder}/metrics.json").download_as_bytes())
    print(f"{job.display_name}: {job.state.name}, test accuracy {metrics['test']['accuracy']:.4f}")
    return {
        "title": title,
        "display_name": job.display_name,
        "pipeline": job.resource_name,
        "state": job.state.name,
        "job": job_name,
        "model": f"{model.resource_name}@{model.version_id}",
        "artifact_uri": model.uri,
        "files": [f"gs://{bucket.name}/{blob.name}" for blob in bucket.list_blobs(prefix=f"{folder}/")],
        "metrics": metrics,
    }


def read_logs(project: str, run: dict[str, Any], patience: float = 20) -> dict[str, int]:
    """The number of log entries by replica; entries may take a moment to arrive."""
    wanted = {replica["replica"] for replica in run["metrics"]["replicas"]}
    job_id = run["job"].split("/")[-1]
    client = logging.Client(project=project)
    deadline = time.monotonic() + patience
    while True:
        entries = list(
            client.list_entries(filter_=f'resource.type="ml_job" AND resource.labels.job_id="{job_id}"', page_size=500)
        )
        counts: dict[str, int] = {}
        for entry in entries:
            task = entry.resource.labels.get("task_name", "unknown")
            counts[task] = counts.get(task, 0) + 1
        if wanted <= set(counts) or time.monotonic() > deadline:
            break
        time.sleep(1)
    for task, count in sorted(counts.items()):
        print(f"{job_id} {task}: {count} entries")
    assert wanted <= set(counts), f"no logs from {sorted(wanted - set(counts))}"
    return counts


if __name__ == "__main__":
    main()
