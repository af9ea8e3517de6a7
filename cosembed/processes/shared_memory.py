"""Memory that several processes see, which vanishes with the last of them, whatever ends them.

It is that of files without a name: other processes of the same user open them by the process that holds them
and the number of its descriptor. Nothing is ever in /dev/shm or in a folder, so nothing can be left there.
This module knows nothing of what is kept.
"""

from __future__ import annotations

import mmap
import os
import pickle
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Arrays begin at multiples of so many bytes.
ALIGNMENT = 64


@dataclass(frozen=True)
class FileHandle:
    """Names a file without a name to other processes.

    Attributes:
        process: The id of the process that made it and holds it open.
        descriptor: The number of its descriptor there.
        inode: What tells it from another file of that number.
    """

    process: int
    descriptor: int
    inode: int

    def open(self) -> int:
        """Opens the file; gives a descriptor of this process.

        Raises:
            OSError: It is closed already, or its process has ended.
        """
        descriptor = os.open(f"/proc/{self.process}/fd/{self.descriptor}", os.O_RDWR | os.O_CLOEXEC)
        if os.fstat(descriptor).st_ino != self.inode:
            os.close(descriptor)
            raise FileNotFoundError(f"descriptor {self.descriptor} of process {self.process} was closed")
        return descriptor


def create_file() -> FileHandle:
    """Makes an empty file without a name: in memory, or on the disk where the system keeps none in memory."""
    try:
        descriptor = os.memfd_create("cosembed")
    except OSError:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    return FileHandle(os.getpid(), descriptor, os.fstat(descriptor).st_ino)


@dataclass(frozen=True)
class _Place:
    """Says where something lies in a file, in bytes."""

    begin: int
    size: int


@dataclass(frozen=True)
class SharedObject:
    """An object whose arrays lie in memory once, however many processes read it.

    Make it with `share`; it is small when it is pickled.
    """

    file: FileHandle
    pickled: _Place
    buffers: tuple[_Place, ...]

    def load(self) -> Any:
        """Gives the object; its arrays cannot be written. A process that asks again gets the same one."""
        return _load(self)

    def close(self) -> None:
        """Closes the file in the process that made it; those that loaded the object keep it."""
        os.close(self.file.descriptor)


def share(value: Any) -> SharedObject:
    """Writes an object into shared memory.

    Raises:
        OSError: There is too little memory.
        Exception: The object cannot be pickled.
    """
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(pickled), *(buffer.raw() for buffer in buffers)]
    places, begin = [], 0
    for part in parts:
        places.append(_Place(begin, part.nbytes))
        begin = -(-(begin + part.nbytes) // ALIGNMENT) * ALIGNMENT
    file = create_file()
    try:
        for part, place in zip(parts, places, strict=True):
            _write(file.descriptor, part, place.begin)
        os.ftruncate(file.descriptor, begin)
    except OSError:
        os.close(file.descriptor)
        raise
    return SharedObject(file, places[0], tuple(places[1:]))


@lru_cache(maxsize=1)
def _load(shared: SharedObject) -> Any:
    descriptor = shared.file.open()
    try:
        memory = memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))
    finally:
        os.close(descriptor)

    def part(place: _Place) -> memoryview:
        return memory[place.begin : place.begin + place.size]

    return pickle.loads(part(shared.pickled), buffers=map(part, shared.buffers))


@dataclass(frozen=True)
class ArrayForm:
    """Says what an array in a slot is called, and its dtype and shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class Slot:
    """Memory through which one process hands arrays to another, again and again."""

    def __init__(self) -> None:
        """Belongs to the process that reads."""
        self.file = create_file()

    def read(self, forms: Sequence[ArrayForm]) -> dict[str, NDArray]:
        """Copies out what `write_arrays` wrote."""
        arrays, begin = {}, 0
        for form in forms:
            array = np.empty(form.shape, form.dtype)
            _read(self.file.descriptor, _bytes_of(array), begin)
            arrays[form.name], begin = array, begin + array.nbytes
        return arrays

    def close(self) -> None:
        """Gives the memory back."""
        os.close(self.file.descriptor)


def write_arrays(file: FileHandle, arrays: Mapping[str, NDArray]) -> list[ArrayForm]:
    """Writes arrays into a slot of another process, which grows as needed.

    Raises:
        OSError: There is too little memory, or the slot is closed.
    """
    descriptor, begin = file.open(), 0
    try:
        for array in arrays.values():
            _write(descriptor, _bytes_of(np.ascontiguousarray(array)), begin)
            begin += array.nbytes
    finally:
        os.close(descriptor)
    return [ArrayForm(name, array.dtype.str, array.shape) for name, array in arrays.items()]


def _bytes_of(array: NDArray) -> memoryview:
    """Gives the memory of a contiguous array."""
    return array.reshape(-1).view(np.uint8).data


def _write(descriptor: int, data: memoryview, begin: int) -> None:
    while data.nbytes:
        written = os.pwrite(descriptor, data, begin)
        data, begin = data[written:], begin + written


def _read(descriptor: int, data: memoryview, begin: int) -> None:
    while data.nbytes:
        count = os.preadv(descriptor, [data], begin)
        if not count:
            raise EOFError("a slot holds less than was written to it")
        data, begin = data[count:], begin + count
