"""Reads documents from standard input and says what yaml.safe_load makes of them.

Both ways a message is its length in four bytes, little end first, and then so many bytes. A document is read as Patroni
reads a file: as UTF-8 text with universal newlines, by the loader written in Python. The answer is JSON:
["ok", VALUE], ["cyclic"], ["huge"] or ["error", CLASS, CONTEXT, LINE, COLUMN, PROBLEM, LINE, COLUMN].
"""

import datetime
import io
import json
import struct
import sys

import yaml

LIMIT = 300000


class Cyclic(Exception):
    pass


class Huge(Exception):
    pass


def text(value):
    value = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value)
    return json.dumps(value, ensure_ascii=False)


def number(value):
    try:
        return str(value)
    except ValueError:
        return hex(value)


def canonical(value, path, count):
    count[0] += 1
    if count[0] > LIMIT:
        raise Huge
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return "i" + number(value)
    if isinstance(value, float):
        return "nan" if value != value else "f" + struct.pack(">d", value).hex()
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bytes):
        return "b" + value.hex()
    if isinstance(value, (datetime.date, datetime.datetime)):
        return "t" + value.isoformat()
    if id(value) in path:
        raise Cyclic
    path = path | {id(value)}
    if isinstance(value, list):
        return "[" + ",".join(canonical(v, path, count) for v in value) + "]"
    if isinstance(value, tuple):
        return "(" + ",".join(canonical(v, path, count) for v in value) + ")"
    if isinstance(value, (set, frozenset)):
        return "s{" + ",".join(sorted(canonical(v, path, count) for v in value)) + "}"
    if isinstance(value, dict):
        pairs = (canonical(k, path, count) + ":" + canonical(v, path, count) for k, v in value.items())
        return "{" + ",".join(pairs) + "}"
    raise AssertionError(type(value))


def mark(m):
    return (m.line, m.column) if m is not None else (None, None)


def answer(document):
    try:
        value = yaml.safe_load(io.TextIOWrapper(io.BytesIO(document), encoding="utf-8"))
    except yaml.MarkedYAMLError as e:
        return ["error", type(e).__name__, e.context, *mark(e.context_mark), e.problem, *mark(e.problem_mark)]
    except yaml.reader.ReaderError as e:
        problem = "unacceptable character #x%04x: %s" % (e.character, e.reason)
        return ["error", "ReaderError", None, None, None, problem, None, e.position]
    except RecursionError:
        return ["error", "RecursionError", None, None, None, "maximum recursion depth exceeded", None, None]
    except Exception as e:
        return ["error", type(e).__name__, None, None, None, str(e), None, None]
    try:
        return ["ok", canonical(value, frozenset(), [0])]
    except Cyclic:
        return ["cyclic"]
    except Huge:
        return ["huge"]


def main():
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while True:
        head = source.read(4)
        if len(head) < 4:
            return
        document = source.read(struct.unpack("<I", head)[0])
        reply = json.dumps(answer(document)).encode()
        sink.write(struct.pack("<I", len(reply)) + reply)
        sink.flush()


main()
