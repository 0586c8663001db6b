"""Writes src/trigpoint/core/pb from the descriptor set: typed message classes, and tables of names and methods.

Needs protobuf-py and protoc-gen-py, no protoc. Running it again does nothing while its inputs are unchanged; the
folder is replaced as a whole, so that an interrupted run leaves the old one. What is left out of the classes
(services, options, comments) keeps their import fast; the tables carry what the server needs of it.
"""

import compileall
import gzip
import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from protobuf.wkt.google.protobuf.compiler.plugin_pb import CodeGeneratorRequest, CodeGeneratorResponse
from protobuf.wkt.google.protobuf.descriptor_pb import (
    DescriptorProto,
    EnumDescriptorProto,
    EnumOptions,
    FieldOptions,
    FileDescriptorProto,
    FileDescriptorSet,
    MessageOptions,
)

sys.path.insert(0, str(Path(__file__).parent))
from generate_contract import ANNOTATIONS, Annotations, tables  # tools are no package

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src/trigpoint/core/descriptors/api.binpb.gz"
TARGET = ROOT / "src/trigpoint/core/pb"
PACKAGE = "trigpoint.core.pb"
WELL_KNOWN = "google/protobuf/"
"""These files have ready classes in the library (protobuf.wkt)."""

_MEMBER = re.compile(r'Oneof\[Literal\["\w+"\], ([^\]]+)\]')
_ONEOF = re.compile(r"^( +)(\w+): (Oneof\[Literal\[.*\] \| None)( = None,)?$")


def main() -> None:
    """Generate when anything changed since the last time; `--compile` also writes the bytecode."""
    generate(compiled="--compile" in sys.argv[1:])


def generate(*, compiled: bool = False) -> bool:
    """Bring core/pb up to date; return whether anything had to be written."""
    stamp = _stamp()
    fresh = _read(TARGET / "stamp") != stamp
    if fresh:
        _replace(stamp)
    if compiled:
        compileall.compile_dir(TARGET, quiet=2)
    return fresh


def _replace(stamp: str) -> None:
    """Write the folder anew, and put it in the place of the old one only when it is complete."""
    files = FileDescriptorSet.from_binary(gzip.decompress(SOURCE.read_bytes())).file
    with tempfile.TemporaryDirectory(dir=TARGET.parent, prefix=".pb-") as scratch:
        fresh = Path(scratch, "pb")
        _write(fresh, _classes(files))
        _write(fresh, _tables(files, Path(scratch)) | {"stamp": stamp})
        if TARGET.exists():
            shutil.move(TARGET, Path(scratch, "old"))
        shutil.move(fresh, TARGET)


def _stamp() -> str:
    """Return what the output depends on."""
    parts = [
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (SOURCE, *sorted(Path(__file__).parent.glob("generate*.py")))
    ]
    versions = [importlib.metadata.version(name) for name in ("protobuf-py", "protoc-gen-py")]
    return " ".join([*parts, *versions])


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _write(folder: Path, contents: dict[str, str]) -> None:
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _classes(files: list[FileDescriptorProto]) -> dict[str, str]:
    """Return the generated modules by path."""
    homes = _homes(files)
    pruned = [slim for file in files if (slim := _slim(file, homes))]
    names = [file.name for file in pruned if not file.name.startswith(WELL_KNOWN)]
    modules = _run_plugin(names, pruned)
    return {path: _with_settable_oneofs(_without_docstrings(text)) for path, text in modules.items()}


def _tables(files: list[FileDescriptorProto], scratch: Path) -> dict[str, str]:
    """Return the content of the tables by path."""
    _write(scratch / "annotations", _run_plugin(list(ANNOTATIONS), files))
    found = tables(files, Annotations(scratch / "annotations")) | {"index.json": _index(files)}
    return {name: json.dumps(content, separators=(",", ":")) for name, content in found.items()}


def _run_plugin(names: list[str], files: list[FileDescriptorProto]) -> dict[str, str]:
    """Return what protoc-gen-py makes of the named files, by path."""
    request = CodeGeneratorRequest(file_to_generate=names, proto_file=files)
    plugin = [sys.executable, "-c", "from protoc_gen_py import main; main()"]
    done = subprocess.run(plugin, input=request.to_binary(), stdout=subprocess.PIPE, check=True)
    response = CodeGeneratorResponse.from_binary(done.stdout)
    if response.error:
        raise SystemExit(response.error)
    return {file.name: file.content for file in response.file}


def _without_docstrings(text: str) -> str:
    """Return a generated module without its multi-line docstrings: they only repeat the declarations."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        quotes = line.strip() == '"""'
        if not quotes and not inside:
            kept.append(line)
        inside ^= quotes
    return "".join(kept)


def _with_settable_oneofs(text: str) -> str:
    """Return a generated module whose oneofs type checkers let us set with `Oneof(field="a", value=a)`.

    mypy infers `Oneof[str, A]` there, which is no member of a union of literals. Reading keeps the exact union, so
    that a match narrows; setting takes any field name with a value of one of the types, and the codec checks the rest.
    """
    return "\n".join(_ONEOF.sub(_settable, line) for line in text.split("\n"))


def _settable(found: re.Match[str]) -> str:
    indent, name, exact, end = found.groups()
    settable = f"Oneof[str, {' | '.join(dict.fromkeys(_MEMBER.findall(exact)))}] | None"
    if end:
        return f"{indent}{name}: {settable}{end}"
    lines = (
        "@property",
        f"def {name}(self) -> {exact}: ...",
        f"@{name}.setter",
        f"def {name}(self, v: {settable}): ...",
    )
    return "\n".join(indent + line for line in lines)


def _homes(files: list[FileDescriptorProto]) -> dict[str, str]:
    """Return for each message and enum the file that declares it."""
    return {name: file.name for file in files for name in _types(file.package, file.message_type, file.enum_type)}


def _types(prefix: str, messages: list[DescriptorProto], enums: list[EnumDescriptorProto]) -> Iterator[str]:
    for enum in enums:
        yield f"{prefix}.{enum.name}"
    for message in messages:
        name = f"{prefix}.{message.name}"
        yield name
        yield from _types(name, message.nested_type, message.enum_type)


def _slim(file: FileDescriptorProto, homes: dict[str, str]) -> FileDescriptorProto | None:
    """Return the file without services, options and extensions, or None when nothing is left of it."""
    if file.name.startswith(WELL_KNOWN):
        return file
    if not file.message_type and not file.enum_type:
        return None
    slim = FileDescriptorProto.from_binary(file.to_binary())
    slim.service, slim.extension, slim.options = [], [], None
    for message in slim.message_type:
        _slim_message(message)
    for enum in slim.enum_type:
        _slim_enum(enum)
    used = {homes[name] for message in slim.message_type for name in _used(message)}
    slim.dependency = [path for path in slim.dependency if path in used]
    return slim


def _slim_message(message: DescriptorProto) -> None:
    """Keep the options that change the wire or the JSON form."""
    is_entry = message.options is not None and message.options.map_entry
    message.options = MessageOptions(map_entry=True) if is_entry else None
    message.extension = []
    for field in message.field:
        packed = field.options.packed if field.options is not None and field.options.has_field("packed") else None
        field.options = None if packed is None else FieldOptions(packed=packed)
    for oneof in message.oneof_decl:
        oneof.options = None
    for nested in message.nested_type:
        _slim_message(nested)
    for enum in message.enum_type:
        _slim_enum(enum)


def _slim_enum(enum: EnumDescriptorProto) -> None:
    alias = enum.options is not None and enum.options.allow_alias
    enum.options = EnumOptions(allow_alias=True) if alias else None
    for value in enum.value:
        value.options = None


def _used(message: DescriptorProto) -> Iterator[str]:
    """Yield the full names of the types that the fields refer to."""
    for field in message.field:
        if field.type_name:
            yield field.type_name.removeprefix(".")
    for nested in message.nested_type:
        yield from _used(nested)


def _index(files: list[FileDescriptorProto]) -> dict[str, list[str]]:
    """Return for each module the full names of the messages and enums whose classes it holds."""
    found: dict[str, list[str]] = {}
    for name, path in _homes(files).items():
        found.setdefault(_module(path), []).append(name)
    return found


def _module(path: str) -> str:
    package = "protobuf.wkt" if path.startswith(WELL_KNOWN) else PACKAGE
    return f"{package}.{path.removesuffix('.proto').replace('/', '.')}_pb"


if __name__ == "__main__":
    main()
