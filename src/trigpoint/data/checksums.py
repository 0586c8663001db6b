"""CRC32C of files, in time that grows with what is in them: the holes of a sparse file are counted, never read."""

import errno
import os
from collections.abc import Iterator
from functools import cache

import google_crc32c

CHUNK = 1 << 20
_ALL = 0xFFFFFFFF
_POLYNOMIAL = 0x82F63B78
"""Castagnoli's, lowest bit first."""

Matrix = tuple[int, ...]
"""32 columns over the field of two elements: what becomes of each bit of a register."""


def of_file(file: int) -> int:
    """Return the CRC32C of a whole file by its descriptor, whose position it moves."""
    crc, offset = 0, 0
    for begin, end in extents(file, os.fstat(file).st_size):
        crc = with_zeros(crc, begin - offset)
        offset = begin
        while offset < end and (chunk := os.pread(file, min(CHUNK, end - offset), offset)):
            crc = google_crc32c.extend(crc, chunk)
            offset += len(chunk)
    return crc


def with_zeros(crc: int, count: int) -> int:
    """Return the CRC32C of some bytes, given as that, followed by so many zeros."""
    register = crc ^ _ALL
    for power in range(count.bit_length()):
        if count >> power & 1:
            register = _applied(_zeros(power), register)
    return register ^ _ALL


def extents(file: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield where data begins and ends, in order, and at last the end of the file, which a hole may lead up to."""
    offset = 0
    while offset < size:
        try:
            begin = os.lseek(file, offset, os.SEEK_DATA)
            offset = min(size, os.lseek(file, begin, os.SEEK_HOLE))
        except OSError as error:
            if error.errno != errno.ENXIO:  # a file system that knows of no holes
                yield offset, size
            break  # there is no data any more
        if begin < size:
            yield begin, offset
    yield size, size


@cache
def _zeros(power: int) -> Matrix:
    """Return what 2**power zero bytes do to a register."""
    if power:
        return _squared(_zeros(power - 1))
    bit = (_POLYNOMIAL, *(1 << column for column in range(31)))
    return _squared(_squared(_squared(bit)))


def _squared(matrix: Matrix) -> Matrix:
    return tuple(_applied(matrix, column) for column in matrix)


def _applied(matrix: Matrix, register: int) -> int:
    found = 0
    for column in matrix:
        if register & 1:
            found ^= column
        register >>= 1
    return found
