#!/usr/bin/env python3
"""Writes src/knowledge/guc/<major>.tsv from real servers: every setting each of them knows.

Usage: scripts/knowledge/guc.py [MAJOR...]          (default 13 to 18; servers in target/tools/pg/<major>)

A server is asked in single-user mode, so no client program is needed. Three kinds of facts are hidden from
pg_settings and are probed for instead:
- settings with GUC_NO_SHOW_ALL and former names (map_old_guc_names): every word in the server binary that looks like a
  name is given to current_setting(); what answers and is not in pg_settings is one of the two, and the column that SHOW
  answers with is the name under which the server knows it;
- enum spellings that the server accepts and does not list (`wal_level = archive`): every label of every enum and every
  Boolean word is tried on every enum with ALTER SYSTEM; `postgres -C` then says what the server makes of it.
Labels that exist only in builds with an optional library are added by hand (OPTIONAL), so that a table does not depend
on how its server was built. Run as root (servers then run as the user postgres) or as any other user.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.environ.get("PREFLIGHT_TOOLS") or os.path.join(ROOT, "target/tools")

# Labels behind compile-time options, with the major that brought them (guc_tables.c, under #ifdef).
OPTIONAL = {
    "default_toast_compression": (14, ["lz4"]),
    "io_method": (18, ["io_uring"]),
    "recovery_init_sync_method": (14, ["syncfs"]),
    "wal_compression": (15, ["lz4", "zstd"]),
}
# Settings that pg_settings does not show: type, min, max, context (guc_tables.c, GUC_NO_SHOW_ALL). Found by probing;
# the script stops at one that is not described here.
HIDDEN = {
    "default_with_oids": ("bool", "", "", "user"),
    "is_superuser": ("bool", "", "", "internal"),
    "role": ("string", "", "", "user"),
    "seed": ("real", "-1", "1", "user"),
    "session_authorization": ("string", "", "", "user"),
    "ssl_renegotiation_limit": ("integer", "0", "0", "user"),
}
EXTRA_WORDS = ["true", "false", "yes", "no", "1", "0", "on", "off", "debug", "archive", "hot_standby", "warn", "write"]

COLUMNS = "name vartype unit min_val max_val enumvals synonyms context boot_val category flags".split()


def run_as(args):
    if os.getuid() == 0:
        return ["runuser", "-u", "postgres", "--"] + args
    return args


def pg(major, program):
    path = os.path.join(TOOLS, "pg", str(major), "bin", program)
    if not os.path.exists(path):
        sys.exit(f"{path} is missing: run `make setup`")
    return path


class Server:
    """A data directory of one major version, asked in single-user mode."""

    def __init__(self, major):
        self.major = major
        self.dir = tempfile.mkdtemp(prefix=f"pf-guc-{major}-", dir="/tmp")
        if os.getuid() == 0:
            shutil.chown(self.dir, "postgres", "postgres")
        self.data = os.path.join(self.dir, "data")
        args = [pg(major, "initdb"), "-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D", self.data]
        subprocess.run(run_as(args), check=True, stdout=subprocess.DEVNULL, cwd="/tmp")
        # Only what the server was compiled with: initdb's own choices out of the way.
        self.write("postgresql.conf", "")

    def write(self, name, text):
        with open(os.path.join(self.data, name), "w", encoding="utf-8") as f:
            f.write(text)

    def single(self, statements, stdout=False):
        args = [pg(self.major, "postgres"), "--single", "-F", "-D", self.data, "-c", "log_checkpoints=off", "postgres"]
        text = "\n".join(" ".join(s.split("\n")) for s in statements) + "\n"
        done = subprocess.run(run_as(args), input=text.encode(), capture_output=True, check=True, cwd="/tmp")
        return (done.stdout if stdout else done.stderr).decode("utf-8", "replace")

    def rows(self, query):
        out = os.path.join(self.dir, "out")
        err = self.single([f"COPY ({query}) TO '{out}' (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')"])
        if "ERROR" in err:
            sys.exit(err)
        with open(out, encoding="utf-8") as f:
            rows = [line.rstrip("\n").replace("\x02", "").split("\x01") for line in f]
        os.remove(out)
        return rows

    def value_of(self, name, value):
        args = [pg(self.major, "postgres"), "-D", self.data, "-C", name, "-c", f"{name}={value}"]
        done = subprocess.run(run_as(args), capture_output=True, cwd="/tmp")
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def close(self):
        shutil.rmtree(self.dir)


def words_of_binary(path):
    with open(path, "rb") as f:
        data = f.read()
    found = re.findall(rb"(?<=\x00)[A-Za-z][A-Za-z0-9_]{2,50}(?=\x00)", data)
    return sorted({w.decode() for w in found})


def hidden_names(server, known):
    """{name: None} for settings, {former name: name} for aliases."""
    words = [w for w in words_of_binary(pg(server.major, "postgres")) if w.lower() not in known]
    array = ",".join(f"'{w}'" for w in words)
    names = [r[0] for r in server.rows(f"SELECT n FROM unnest(ARRAY[{array}]) n WHERE current_setting(n, true) IS NOT NULL")]
    found = {}
    for name in sorted({n.lower() for n in names}):
        said = re.search(r"1: (\w+)\s+\(typeid", server.single([f"SHOW {name}"], stdout=True))
        real = said.group(1) if said else sys.exit(f"SHOW {name} says nothing")
        found[name] = None if real.lower() == name else real
    return found


def hidden_labels(server, enums):
    """{setting: {label: what it means}} for accepted labels that pg_settings does not list, or shows as another."""
    words = sorted({label for labels in enums.values() for label in labels} | set(EXTRA_WORDS))
    tried = [(n, w) for n, labels in enums.items() for w in words if w not in labels]
    err = server.single([f"ALTER SYSTEM SET {n} = '{w}'" for n, w in tried])
    refused = set(re.findall(r"STATEMENT:\s+ALTER SYSTEM SET (\S+) = '([^']*)'", err))
    server.write("postgresql.auto.conf", "")
    found = {}
    for name, word in tried:
        if (name, word) not in refused:
            meaning = server.value_of(name, word)
            if meaning is None:
                sys.exit(f"{server.major}: {name} = {word} accepted by ALTER SYSTEM, not by -C")
            found.setdefault(name, {})[word] = meaning
    for name, labels in enums.items():
        for label in labels:
            meaning = server.value_of(name, label)
            if meaning not in (None, label):
                found.setdefault(name, {})[label] = meaning
    return found


def flags_of(server, names):
    """A: ALTER SYSTEM may not set it; the flags of pg_settings_get_flags() where the server has it (15)."""
    boot = {n: b for n, b in names}
    err = server.single([f"ALTER SYSTEM SET \"{n}\" = '{b}'" for n, b in boot.items()])
    server.write("postgresql.auto.conf", "")
    fixed = set(re.findall(r'ERROR:\s+parameter "(\S+)" cannot be changed\n', err))
    flags = {n: (["NO_ALTER_SYSTEM"] if n in fixed else []) for n in boot}
    if server.major >= 15:
        for name, got in server.rows("SELECT name, array_to_string(pg_settings_get_flags(name), ' ') FROM pg_settings"):
            flags[name] += [f for f in got.split() if f in ("RUNTIME_COMPUTED", "NOT_IN_SAMPLE")]
    return flags


def build_of(server):
    configure = server.rows("SELECT setting FROM pg_config WHERE name = 'CONFIGURE'")[0][0]
    return " ".join(sorted(set(re.findall(r"--(?:with|without|enable)-[a-z0-9]+", configure)))) or "defaults"


def table(major):
    server = Server(major)
    version = server.rows("SELECT current_setting('server_version')")[0][0]
    columns = "name, vartype, coalesce(unit, ''), coalesce(min_val, ''), coalesce(max_val, ''), "
    columns += "coalesce(array_to_string(enumvals, ','), ''), context, coalesce(boot_val, ''), "
    columns += "split_part(category, ' / ', 1)"
    rows = server.rows(f"SELECT {columns} FROM pg_settings WHERE name NOT LIKE '%.%' ORDER BY name")
    enums = {r[0]: r[5].split(",") for r in rows if r[1] == "enum"}
    labels = hidden_labels(server, enums)
    flags = flags_of(server, [(r[0], r[7]) for r in rows])
    out = []
    for name, kind, unit, low, high, values, context, boot, category in rows:
        since, more = OPTIONAL.get(name, (99, []))
        # An empty word can be a label, too.
        values = (values.split(",") if kind == "enum" else []) + [m for m in more if major >= since and m not in values.split(",")]
        hidden = ",".join(f"{k}={v}" for k, v in sorted(labels.get(name, {}).items()))
        out.append([name, kind, unit, low, high, ",".join(values), hidden, context, boot, category, " ".join(flags[name])])
    for name, real in hidden_names(server, {r[0].lower() for r in rows}).items():
        if real:
            out.append([name, "alias", "", "", "", real, "", "", "", "", ""])
        elif name in HIDDEN:
            kind, low, high, context = HIDDEN[name]
            out.append([name, kind, "", low, high, "", "", context, "", "", "NO_SHOW_ALL NO_ALTER_SYSTEM"])
        else:
            sys.exit(f"{major}: setting {name} is not in pg_settings; describe it in HIDDEN")
    out.sort(key=lambda r: r[0].lower())
    head = [
        f"# PostgreSQL {version}, build options: {build_of(server)}",
        "# Source: pg_settings, probes and pg_settings_get_flags() of that server; made by scripts/knowledge/guc.py " + str(major),
        "# Defaults of directories and libraries are this build's; labels of optional libraries are listed for all builds.",
        "# " + "\t".join(COLUMNS),
    ]
    path = os.path.join(ROOT, "src/knowledge/guc", f"{major}.tsv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(head + ["\t".join(r) for r in out]) + "\n")
    server.close()
    print(f"{path}: {len(out)} settings of {version}")


for wanted in sys.argv[1:] or ["13", "14", "15", "16", "17", "18"]:
    table(int(wanted))
