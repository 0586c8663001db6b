# /// script
# requires-python = ">=3.11"
# dependencies = ["grpcio-tools==1.85.1", "googleapis-common-protos==1.76.0", "grpc-google-iam-v1==0.14.6"]
# ///
"""Maintainers' tool: compiles Google's public .proto files into the one descriptor set the repository carries.

Run it after changing a version below: `uv run tools/build_descriptors.py [FOLDER WITH NPM TARBALLS]`. It needs npm
only for tarballs that are not in the folder. What is made of the descriptor set is left to tools/generate.py.
"""

import gzip
import hashlib
import importlib.metadata
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).resolve().parents[1] / "src/trigpoint/core/descriptors"
SET = TARGET / "api.binpb.gz"
SOURCES = TARGET / "SOURCES.md"


class Npm(NamedTuple):
    """A public npm package and the folders of .proto files taken from it."""

    name: str
    version: str
    folders: tuple[str, ...]


NPM = (
    Npm("@google-cloud/aiplatform", "7.4.0", ("google/cloud/aiplatform/v1", "google/cloud/aiplatform/v1beta1")),
    Npm("@google-cloud/resource-manager", "6.3.0", ("google/cloud/resourcemanager/v3",)),
    Npm("@google-cloud/logging-api", "0.2.0", ("google/logging/type", "google/logging/v2")),
    Npm("@google-cloud/monitoring", "5.4.0", ("google/monitoring/v3",)),
    Npm("@google-cloud/notebooks", "4.2.1", ("google/cloud/notebooks/v2",)),
    Npm("@google-cloud/bigquery-storage", "5.1.2", ("google/cloud/bigquery/storage/v1",)),
    Npm("@google-cloud/storage-control", "0.8.2", ("google/storage/control/v2", "google/storage/v2")),
)
"""What no npm package carries (google/api, iam, longrunning, rpc, type, location) comes from these Python packages."""
PYTHON = ("googleapis-common-protos", "grpc-google-iam-v1", "grpcio-tools")
ALWAYS = (
    "google/cloud/location/locations.proto",
    "google/iam/v1/iam_policy.proto",
    "google/iam/v1/policy.proto",
    "google/longrunning/operations.proto",
    "google/rpc/code.proto",
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
)
"""Compiled even where no package above imports them: mixins and errors."""


def main() -> None:
    """Fetch, unpack, compile and write the set and its SOURCES.md."""
    given = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as scratch:
        protos = Path(scratch, "protos")
        licences = [_unpack(package, _tarball(package, given, Path(scratch)), protos) for package in NPM]
        include = _common(protos)
        compiled = _compile(protos, include, Path(scratch, "set.binpb"))
    TARGET.mkdir(exist_ok=True)
    # No time stamp and no name in the header: the same sources give the same bytes.
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=9, mtime=0) as stream:
        stream.write(compiled)
    SET.write_bytes(packed.getvalue())
    SOURCES.write_text(_account(licences, compiled))
    print(f"{SET.name}: {len(compiled)} bytes, {SET.stat().st_size} compressed")


def _tarball(package: Npm, given: Path | None, scratch: Path) -> Path:
    name = f"{package.name.removeprefix('@').replace('/', '-')}-{package.version}.tgz"
    if given is not None and (given / name).exists():
        return given / name
    subprocess.run(["npm", "pack", "--silent", f"{package.name}@{package.version}"], cwd=scratch, check=True)
    return scratch / name


def _unpack(package: Npm, tarball: Path, protos: Path) -> tuple[str, str, str, str]:
    """Copy the wanted .proto files; return name, version, licence and digest as the package itself states them."""
    prefix = "package/build/protos/"
    with tarfile.open(tarball) as archive:
        about = json.load(archive.extractfile("package/package.json"))
        for member in archive.getmembers():
            path = member.name.removeprefix(prefix)
            wanted = path.endswith(".proto") and any(path.startswith(folder + "/") for folder in package.folders)
            if member.isfile() and wanted:
                target = protos / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.extractfile(member).read())
    assert (about["name"], about["version"]) == (package.name, package.version), about["version"]
    return about["name"], about["version"], about["license"], hashlib.sha256(tarball.read_bytes()).hexdigest()


def _common(protos: Path) -> Path:
    """Return the folder that holds Google's shared protos, and give operations.proto its usual name."""
    operations = next(
        path
        for path in importlib.metadata.files("googleapis-common-protos") or ()
        if path.name == "operations_proto.proto"
    )
    source = Path(str(operations.locate()))
    target = protos / "google/longrunning/operations.proto"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    return source.parents[2]


def _compile(protos: Path, include: Path, out: Path) -> bytes:
    import grpc_tools
    from grpc_tools import protoc

    wellknown = Path(grpc_tools.__file__).parent / "_proto"
    files = sorted({str(path.relative_to(protos)) for path in protos.rglob("*.proto")} | set(ALWAYS))
    arguments = ["protoc", f"-I{protos}", f"-I{include}", f"-I{wellknown}", "--include_imports"]
    if protoc.main([*arguments, f"--descriptor_set_out={out}", *files]) != 0:
        raise SystemExit("protoc refused the sources")
    return out.read_bytes()


def _account(licences: list[tuple[str, str, str, str]], compiled: bytes) -> str:
    rows = [f"| npm `{name}` | {version} | {licence} | {digest} |" for name, version, licence, digest in licences]
    for name in PYTHON:
        about = importlib.metadata.metadata(name)
        licence = about.get("License-Expression") or about.get("License") or "see package"
        rows.append(f"| Python `{name}` | {about['Version']} | {licence.replace(' ', '-')} | |")
    return "\n".join(
        [
            "# Where the API descriptions come from",
            "",
            "`api.binpb.gz` is a serialized `google.protobuf.FileDescriptorSet`, compiled without comments by",
            "`tools/build_descriptors.py` from the `.proto` files inside these public packages, unchanged:",
            "",
            "| package | version | licence | sha256 of the package |",
            "|---|---|---|---|",
            *rows,
            "",
            "The files are Copyright Google LLC and contributors, licensed under the Apache License, Version 2.0.",
            f"sha256 of the set before compression: {hashlib.sha256(compiled).hexdigest()}",
            "",
        ]
    )


if __name__ == "__main__":
    main()
