"""Text functions."""

from __future__ import annotations

import re
import uuid as uuids
from typing import Any, AnyStr

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.functions.registry import scalar

# ---------------------------------------------------------------------------------------------- case and blanks

UCASE = scalar("ucase", "STRING", "Returns a text in upper case.")
LCASE = scalar("lcase", "STRING", "Returns a text in lower case.")
TRIM = scalar("trim", "STRING", "Removes blanks and control characters from both ends of a text.")
INITCAP = scalar("initcap", "STRING", "Starts every word with a capital and writes the rest in small letters.")


@UCASE.overload("VARCHAR input", "VARCHAR")
def ucase(source: str) -> str:
    """Returns a text in upper case.

    input: The text to convert.
    """
    return source.upper()


@LCASE.overload("VARCHAR input", "VARCHAR")
def lcase(source: str) -> str:
    """Returns a text in lower case.

    input: The text to convert.
    """
    return source.lower()


_JAVA_BLANKS = "".join(map(chr, range(33)))


@TRIM.overload("VARCHAR input", "VARCHAR")
def trim(source: str) -> str:
    """Removes blanks and control characters from both ends.

    input: The text to trim.
    """
    return source.strip(_JAVA_BLANKS)


@INITCAP.overload("VARCHAR str", "VARCHAR")
def initcap(text: str) -> str:
    """Starts every word with a capital and writes the rest in small letters; words end at blanks.

    str: The text to convert; NULL gives NULL.
    """
    return "".join(
        part[:1].upper() + part[1:] for part in re.findall(r"[^ \t\n\x0b\f\r]+[ \t\n\x0b\f\r]*", text.lower())
    )


# ---------------------------------------------------------------------------------------------- joining

CONCAT = scalar("concat", "STRING", "Joins texts, or bytes, end to end.")
CONCAT_WS = scalar("concat_ws", "STRING", "Joins texts, or bytes, with a separator between them.", author="")


@CONCAT.overload("VARCHAR... inputs", "VARCHAR", null=True)
def concat(*inputs: str | None) -> str:
    """Joins texts; NULL among them is left out.

    inputs: The texts to join.
    """
    return "".join(text for text in inputs if text is not None)


@CONCAT.overload("BYTES... inputs", "BYTES", null=True)
def concat_bytes(*inputs: bytes | None) -> bytes:
    """Joins bytes; NULL among them is left out.

    inputs: The bytes to join.
    """
    return b"".join(part for part in inputs if part is not None)


@CONCAT_WS.overload("VARCHAR... inputs", "VARCHAR", null=True)
def concat_ws(*inputs: str | None) -> str | None:
    """Joins texts with a separator; NULL among them is left out.

    inputs: The separator, then the texts to join.
    """
    _two_or_more(inputs)
    separator, *texts = inputs
    return None if separator is None else separator.join(text for text in texts if text is not None)


@CONCAT_WS.overload("BYTES... inputs", "BYTES", null=True)
def concat_ws_bytes(*inputs: bytes | None) -> bytes | None:
    """Joins bytes with a separator; NULL among them is left out.

    inputs: The separator, then the bytes to join.
    """
    _two_or_more(inputs)
    separator, *parts = inputs
    return None if separator is None else separator.join(part for part in parts if part is not None)


def _two_or_more(inputs: tuple[Any, ...]) -> None:
    if len(inputs) < 2:
        raise FunctionError("Function Concat_WS expects at least two input arguments.")


# ---------------------------------------------------------------------------------------------- parts

SUBSTRING = scalar("substring", "STRING", "Returns the portion of the string or bytes passed in value.")


def _start(length: int, pos: int) -> int:
    """The index from 0 where a part begins; positions count from 1, negative ones from the end."""
    return max(length + pos, 0) if pos < 0 else max(min(pos - 1, length), 0)


def _from(value: AnyStr, pos: int) -> AnyStr:
    return value[_start(len(value), pos) :]


def _slice(value: AnyStr, pos: int, length: int) -> AnyStr:
    start = _start(len(value), pos)
    return value[start : max(start + length, start)]


@SUBSTRING.overload("VARCHAR str, INT pos, INT length", "VARCHAR")
def substring_of_length(value: str, pos: int, length: int) -> str:
    """Returns the portion of str that starts at pos and is of length len

    str: The source string.
    pos: The base-one position to start from.
    length: The length to extract.
    """
    return _slice(value, pos, length)


@SUBSTRING.overload("BYTES bytes, INT pos, INT length", "BYTES")
def subbytes_of_length(value: bytes, pos: int, length: int) -> bytes:
    """Returns the portion of the bytes value that starts at pos and is of length len

    bytes: The source bytes.
    pos: The base-one position to start from.
    length: The length to extract.
    """
    return _slice(value, pos, length)


@SUBSTRING.overload("BYTES bytes, INT pos", "BYTES")
def subbytes(value: bytes, pos: int) -> bytes:
    """Returns the portion of the bytes value from pos to the end of the bytes value

    bytes: The source bytes.
    pos: The base-one position to start from.
    """
    return _from(value, pos)


@SUBSTRING.overload("VARCHAR str, INT pos", "VARCHAR")
def substring(value: str, pos: int) -> str:
    """Returns the portion of str from pos to the end of str

    str: The source string.
    pos: The base-one position to start from.
    """
    return _from(value, pos)


LEN = scalar("len", "STRING", "The number of characters of a text, or of bytes.")


@LEN.overload("VARCHAR input", "INT")
def length(value: str) -> int:
    """The number of characters (UTF-16 units, as Java counts).

    input: The text to measure.
    """
    return utf16_length(value)


@LEN.overload("BYTES input", "INT")
def length_bytes(value: bytes) -> int:
    """The number of bytes.

    input: The bytes to measure.
    """
    return len(value)


def utf16_length(text: str) -> int:
    """A text's length as Java has it: characters beyond the basic plane count twice."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


SPLIT = scalar("split", "STRING", "Cuts a text, or bytes, at every separator.")


def _split(value: AnyStr, separator: AnyStr, single: list[AnyStr]) -> list[AnyStr]:
    if len(separator) == 0:
        return single if len(value) else [value]
    return value.split(separator)


@SPLIT.overload("VARCHAR string, VARCHAR delimiter", "ARRAY<VARCHAR>")
def split(value: str, separator: str) -> list[str]:
    """Cuts a text at every separator; an empty separator gives single characters.

    string: The text to cut; NULL gives NULL.
    delimiter: The separator; NULL gives NULL.
    """
    return _split(value, separator, list(value))


@SPLIT.overload("BYTES bytes, BYTES delimiter", "ARRAY<BYTES>")
def split_bytes(value: bytes, separator: bytes) -> list[bytes]:
    """Cuts bytes at every separator; an empty separator gives single bytes.

    bytes: The bytes to cut; NULL gives NULL.
    delimiter: The separator; NULL gives NULL.
    """
    return _split(value, separator, [value[i : i + 1] for i in range(len(value))])


SPLIT_TO_MAP = scalar("split_to_map", "STRING", "Cuts a text into pairs and makes a map of them.", author="")


@SPLIT_TO_MAP.overload("VARCHAR input, VARCHAR entryDelimiter, VARCHAR kvDelimiter", "MAP<VARCHAR, VARCHAR>")
def split_to_map(text: str, entry_separator: str, pair_separator: str) -> dict[str, str] | None:
    """Cuts a text into pairs of key and value; of equal keys the last one counts, pairs without a separator do not.

    input: The text to cut.
    entryDelimiter: What stands between pairs.
    kvDelimiter: What stands between a key and its value.
    """
    if not entry_separator or not pair_separator or entry_separator == pair_separator:
        return None
    pairs = (entry.split(pair_separator) for entry in text.split(entry_separator) if pair_separator in entry)
    return {pair[0]: pair[1] for pair in pairs}


# ---------------------------------------------------------------------------------------------- search

INSTR = scalar("instr", "STRING", "The position of a text in another, 0 where it does not occur.")


def _found(text: str | None, part: str | None, position: int | None, occurrence: int | None) -> int:
    if position is None or occurrence is None:
        raise FunctionError("Can't coerce argument from null to a primitive type")
    if text is None or part is None or abs(position) > len(text):
        return 0
    if position >= 0:
        at = _ordinal(text[max(position - 1, 0) :], part, occurrence)
        return at + position if at >= 0 else 0
    at = _ordinal(text[::-1][-position - 1 :], part[::-1], occurrence)
    return len(text) + position - at - len(part) + 2 if at >= 0 else 0


def _ordinal(text: str, part: str, occurrence: int) -> int:
    """The index of the n-th occurrence (they may overlap), -1 without one."""
    at = -1
    for _ in range(max(occurrence, 0)):
        at = text.find(part, at + 1)
        if at < 0:
            return -1
    return at


@INSTR.overload("VARCHAR str, VARCHAR substring", "INT", null=True)
def instr(text: str | None, part: str | None) -> int:
    """The position, from 1, of the first occurrence.

    str: The text to search.
    substring: The text to find.
    """
    return _found(text, part, 1, 1)


@INSTR.overload("VARCHAR str, VARCHAR substring, INT position", "INT", null=True)
def instr_from(text: str | None, part: str | None, position: int | None) -> int:
    """The position, from 1, of the first occurrence from a position on; a negative one searches backwards.

    str: The text to search.
    substring: The text to find.
    position: Where to begin.
    """
    return _found(text, part, position, 1)


@INSTR.overload("VARCHAR str, VARCHAR substring, INT position, INT occurrence", "INT", null=True)
def instr_nth(text: str | None, part: str | None, position: int | None, occurrence: int | None) -> int:
    """The position, from 1, of the n-th occurrence from a position on; a negative one searches backwards.

    str: The text to search.
    substring: The text to find.
    position: Where to begin.
    occurrence: Which occurrence to find.
    """
    return _found(text, part, position, occurrence)


# ---------------------------------------------------------------------------------------------- replacing

REPLACE = scalar("replace", "STRING", "Replaces every occurrence of a text in another.")


@REPLACE.overload("VARCHAR str, VARCHAR oldStr, VARCHAR newStr", "VARCHAR")
def replace(text: str, old: str, new: str) -> str:
    """Replaces every occurrence of a text.

    str: The text to change; NULL gives NULL.
    oldStr: The text to replace; NULL gives NULL.
    newStr: What to put in its place; NULL gives NULL.
    """
    return text.replace(old, new)


# ---------------------------------------------------------------------------------------------- choosing and making

ELT = scalar("elt", "STRING", "The n-th of several texts.", author="")
FIELD = scalar("field", "STRING", "Which of several texts equals the first one, 0 where none does.", author="")
CHR = scalar("Chr", "STRING", "The character of a code.", author="")
UUID = scalar("UUID", "STRING", "A new random UUID, or the UUID of 16 bytes.", author="")


@ELT.overload("INT pos, VARCHAR... args", "VARCHAR", null=True)
def elt(position: int | None, *texts: str | None) -> str | None:
    """The n-th text, counted from 1; NULL where there is none.

    pos: Which text to take.
    args: The texts.
    """
    if position is None:
        raise FunctionError("Can't coerce argument from null to a primitive type")
    return texts[position - 1] if 1 <= position <= len(texts) else None


@FIELD.overload("VARCHAR str, VARCHAR... args", "INT", null=True)
def field_(text: str | None, *texts: str | None) -> int:
    """The position, from 1, of the first text that equals ``str``; 0 where none does, or ``str`` is NULL.

    str: The text to find.
    args: The texts to search.
    """
    return 0 if text is None or text not in texts else texts.index(text) + 1


@CHR.overload("INT decimalCode", "VARCHAR")
def chr_of_code(code: int) -> str | None:
    """The character of a Unicode code point; NULL where there is none.

    decimalCode: The code point as a number.
    """
    return chr(code) if 0 <= code <= 0x10FFFF else None


@CHR.overload("VARCHAR utf16Code", "VARCHAR")
def chr_of_text(text: str) -> str | None:
    """The character of an escape such as \\u004b (surrogate pairs too); NULL where the text is none.

    utf16Code: The escape.
    """
    if len(text) < 6 or not text.startswith("\\u"):
        return None
    units = re.sub(r"\\u+([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@UUID.overload("", "VARCHAR")
def uuid() -> str:
    """A new random UUID (version 4)."""
    return str(uuids.uuid4())


@UUID.overload("BYTES bytes", "VARCHAR")
def uuid_of_bytes(value: bytes) -> str | None:
    """The UUID that 16 bytes stand for; NULL for any other number of bytes.

    bytes: The bytes.
    """
    return str(uuids.UUID(bytes=value)) if len(value) == 16 else None
