"""Damage to bytes and to text that knows no format."""

from __future__ import annotations

import struct

from tests.fuzz.case import Rng, pick

INTEGERS = (
    0,
    1,
    2,
    3,
    7,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    100_000,
    2**28,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**64 - 1,
)
WORDS = (
    "nan", "-nan", "inf", "1e400", "-1", "0", "-0", "1.5", "65535", "65536", "99999999999999999999", "9" * 5000, "0x10", "1_000",
    "\u0661\u0662", "\u00b2", "", " ", "\x00", "\ufeff", "\u2028", "\r", "null", "true", "[]", "{}", "x" * 100_000, "🔬", "'", '"',
)  # fmt: skip


def damage(rng: Rng, content: bytes) -> bytes:
    """One to three changes anywhere."""
    for _ in range(int(rng.integers(1, 4))):
        content = pick(rng, _DAMAGES)(rng, content)
    return content


def truncate(rng: Rng, content: bytes) -> bytes:
    """Cuts the end off, at least one byte."""
    return content[: int(rng.integers(len(content)))] if content else content


def flip_bits(rng: Rng, content: bytes) -> bytes:
    """Up to eight bits."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9)) if content else 0):
        changed[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def damage_text(rng: Rng, text: str) -> str:
    """Words, lines and characters replaced, repeated, swapped or removed."""
    for _ in range(int(rng.integers(1, 4))):
        separator = pick(rng, ["\n", " ", ":", ","])
        parts = text.split(separator)
        at = int(rng.integers(len(parts)))
        match pick(rng, ["replace", "repeat", "remove", "insert", "swap", "many"]):
            case "replace":
                parts[at] = pick(rng, WORDS)
            case "repeat":
                parts.insert(at, parts[at])
            case "remove":
                del parts[at]
            case "insert":
                parts.insert(at, pick(rng, WORDS))
            case "swap":
                other = int(rng.integers(len(parts)))
                parts[at], parts[other] = parts[other], parts[at]
            case "many":
                parts[at:at] = [parts[at]] * int(rng.integers(2, 2000))
        text = separator.join(parts)
    return text


def damaged_text(rng: Rng, text: str) -> bytes:
    """`damage_text`, or damage to the bytes, or another encoding."""
    way = rng.random()
    if way < 0.7:
        return damage_text(rng, text).encode("utf-8", errors="surrogatepass")
    if way < 0.9:
        return damage(rng, text.encode())
    return text.encode(pick(rng, ["utf-16", "utf-8-sig", "utf-32", "utf-7"]))


def _overwrite_integer(rng: Rng, content: bytes) -> bytes:
    size, order = pick(rng, [1, 2, 4, 8]), pick(rng, ["little", "big"])
    at = int(rng.integers(len(content) + 1))
    value = (pick(rng, INTEGERS) % 2 ** (8 * size)).to_bytes(size, order)  # type: ignore[arg-type]
    return content[:at] + value + content[at + size :]


def _overwrite_float(rng: Rng, content: bytes) -> bytes:
    at = int(rng.integers(len(content) + 1))
    value = struct.pack(
        pick(rng, ["<f", ">f", "<d"]), pick(rng, [float("nan"), float("inf"), -1.0, 1e38, 0.0])
    )
    return content[:at] + value + content[at + len(value) :]


def _range(rng: Rng, content: bytes) -> tuple[int, int]:
    begin = int(rng.integers(len(content) + 1))
    return begin, min(len(content), begin + int(rng.integers(1, 2 + len(content) // 4)))


def _zero(rng: Rng, content: bytes) -> bytes:
    begin, end = _range(rng, content)
    return content[:begin] + bytes(end - begin) + content[end:]


def _remove(rng: Rng, content: bytes) -> bytes:
    begin, end = _range(rng, content)
    return content[:begin] + content[end:]


def _splice(rng: Rng, content: bytes) -> bytes:
    begin, end = _range(rng, content)
    at = int(rng.integers(len(content) + 1))
    return content[:at] + content[begin:end] + content[at + pick(rng, [0, end - begin]) :]


def _noise(rng: Rng, content: bytes) -> bytes:
    begin, end = _range(rng, content)
    return content[:begin] + rng.bytes(end - begin) + content[end:]


_DAMAGES = [
    truncate,
    flip_bits,
    flip_bits,
    _overwrite_integer,
    _overwrite_integer,
    _overwrite_float,
    _zero,
    _remove,
    _splice,
    _noise,
]
