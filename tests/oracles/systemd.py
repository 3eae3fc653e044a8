#!/usr/bin/env python3
"""Asks systemd's own library how it reads texts: one JSON request per line in, one JSON answer per line out.

{"op": "unit", "hex": …}   config_parse:        {"refused": bool, "set": [[section, key, value]…]}
{"op": "env", "hex": …}    load_env_file:       {"refused": bool, "set": [[name, value]…]}, invalid names left out
{"op": "words", "hex": …}  extract_first_word:  {"words": [hex…], "broken": bool}
{"op": "exec", "hex": …}   extract_first_word_and_warn, likewise

Values are hexadecimal: they need not be UTF-8. Written for systemd 252; the functions are not a stable interface, so
another version is refused.
"""
import ctypes
import glob
import json
import sys
import tempfile

VERSION = "252"
found = glob.glob(f"/usr/lib/*/systemd/libsystemd-shared-{VERSION}.so")
if not found:
    sys.exit(f"libsystemd-shared-{VERSION}.so is not installed: run `make setup`")
lib = ctypes.CDLL(found[0])
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.fclose.argtypes = [ctypes.c_void_p]
libc.free.argtypes = [ctypes.c_void_p]
lib.log_set_max_level(0)

SECTIONS = b"Unit\0Service\0Install\0"

CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint, ctypes.c_char_p, ctypes.c_uint,
    ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p)
LOOKUP = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p),
    ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)
assignments = []


@CALLBACK
def take(_unit, _file, _line, section, _section_line, key, _ltype, value, _data, _user):
    assignments.append([section.hex(), key.hex(), value.hex()])
    return 0


@LOOKUP
def lookup(_table, _section, _key, func, ltype, data, _user):
    func[0] = ctypes.cast(take, ctypes.c_void_p).value
    ltype[0] = 0
    data[0] = None
    return 1


def with_file(data, use):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        stream = libc.fopen(f.name.encode(), b"re")
        try:
            return use(stream, f.name.encode())
        finally:
            libc.fclose(stream)


def unit(data):
    assignments.clear()
    lib.config_parse.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_char_p, LOOKUP,
                                 ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    r = with_file(data, lambda f, n: lib.config_parse(b"x.service", n, f, SECTIONS, lookup, None, 0, None, None))
    return {"refused": r < 0, "set": list(assignments)}


def env(data):
    strv = ctypes.POINTER(ctypes.c_char_p)()
    lib.load_env_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    r = with_file(data, lambda f, n: lib.load_env_file(f, n, ctypes.byref(strv)))
    lines = []
    while r >= 0 and strv and strv[len(lines)] is not None:
        lines.append(strv[len(lines)])
    lib.env_assignment_is_valid.argtypes = [ctypes.c_char_p]
    lib.env_assignment_is_valid.restype = ctypes.c_bool
    valid = [line.partition(b"=") for line in lines if lib.env_assignment_is_valid(line)]
    return {"refused": r < 0, "set": [[k.hex(), v.hex()] for k, _, v in valid]}


def words(data, flags, warn=False):
    buffer = ctypes.create_string_buffer(data)
    p, out, broken = ctypes.c_void_p(ctypes.addressof(buffer)), [], False
    while True:
        word = ctypes.c_void_p()
        if warn:
            f = lib.extract_first_word_and_warn
            r = f(ctypes.byref(p), ctypes.byref(word), None, flags, b"x.service", b"x", 1, data)
        else:
            r = lib.extract_first_word(ctypes.byref(p), ctypes.byref(word), None, flags)
        if r <= 0:
            broken = r < 0
            break
        out.append(ctypes.string_at(word.value).hex())
        libc.free(word)
    return {"words": out, "broken": broken}


# EXTRACT_CUNESCAPE | EXTRACT_UNQUOTE of src/basic/extract-word.h: what Environment= and ExecStart= are read with.
FLAGS = 1 << 1 | 1 << 5
assert words(b"'a b'\\x41 \"\"", FLAGS) == {"words": [b"a bA".hex(), ""], "broken": False}
assert words(b"a\\q", FLAGS)["broken"] and words(b"'a", FLAGS)["broken"]


def main():
    ops = {"unit": unit, "env": env, "words": lambda d: words(d, FLAGS), "exec": lambda d: words(d, FLAGS, warn=True)}
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(ops[request["op"]](bytes.fromhex(request["hex"]))), flush=True)


if __name__ == "__main__":
    main()
