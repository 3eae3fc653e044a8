"""Makes one PostgreSQL connection per line of standard input and says how far it came: `port outcome`.

Each line is JSON: host (address or socket directory), port, source, tls, user, database, replication, uid.
"""

import base64
import json
import os
import socket
import ssl
import struct
import sys

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE


def connect(ask):
    if ask["host"].startswith("/"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        os.seteuid(ask["uid"])
        try:
            s.connect("%s/.s.PGSQL.%d" % (ask["host"], ask["port"]))
        finally:
            os.seteuid(0)
        return s, 0
    family = socket.AF_INET6 if ":" in ask["host"] else socket.AF_INET
    s = socket.socket(family)
    s.settimeout(20)
    s.bind((ask["source"], 0))
    s.connect((ask["host"], ask["port"]))
    port = s.getsockname()[1]
    if ask["tls"]:
        s.sendall(struct.pack("!ii", 8, 80877103))
        assert s.recv(1) == b"S", "the server has no TLS"
        s = CONTEXT.wrap_socket(s)
    return s, port


def read(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def message(s):
    kind, size = struct.unpack("!ci", read(s, 5))
    return kind, read(s, size - 4)


def send(s, body):
    s.sendall(b"p" + struct.pack("!i", len(body) + 4) + body)


def answer(s, kind, body):
    """A password that is certainly wrong, in the form that is asked for."""
    if kind == 3:
        send(s, b"wrong\0")
    elif kind == 5:
        send(s, b"md5" + b"0" * 32 + b"\0")
    elif kind == 10:
        first = b"n,,n=,r=nonce"
        send(s, b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first)
    elif kind == 11:
        nonce = body.split(b",")[0][2:]
        send(s, b"c=biws,r=" + nonce + b",p=" + base64.b64encode(bytes(32)))
    else:
        raise ValueError("authentication request %d" % kind)


def attempt(ask):
    s, port = connect(ask)
    with s:
        pairs = {"user": ask["user"], "database": ask["database"]}
        if ask["replication"]:
            pairs["replication"] = ask["replication"]
        body = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in pairs.items()) + b"\0"
        s.sendall(struct.pack("!ii", len(body) + 8, 196608) + body)
        while True:
            kind, body = message(s)
            if kind == b"E":
                return port, "refused"
            if kind == b"R":
                (number,) = struct.unpack("!i", body[:4])
                if number == 0:
                    return port, "accepted"
                answer(s, number, body[4:])


for line in sys.stdin:
    try:
        port, outcome = attempt(json.loads(line))
    except Exception as e:
        port, outcome = 0, "error: %r" % e
    print(port, outcome, flush=True)
