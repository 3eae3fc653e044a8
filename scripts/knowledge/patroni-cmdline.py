"""Checks src/knowledge/patroni/cmdline.tsv: asks the validators of CMDLINE_OPTIONS of every release about many values.

    target/tools/py/bin/python scripts/knowledge/patroni-cmdline.py
"""
import json
import os
import subprocess
import sys

import patroni_versions as pv

VALUES = [True, False, 0, 1, 2, 3, 4, 7, 8, 15, 16, 24, 25, 31, 32, 63, 64, 100, -1, 10 ** 7, 1.5, 25.5, '0', '1', '3', '25',
          '31', '0x20', '040', '1.5', '1e2', '16MB', '15MB', '1GB', '16384kB', '16kB', '1TB', '16 MB', 'on', 'off', 'true',
          'False', 'yes', 'No', 'ON', 'replica', 'REPLICA', 'logical', 'minimal', 'hot_standby', 'archive', '', 'x',
          None, [], {}]

DRIVER = r'''
import json, logging, sys
logging.disable(logging.CRITICAL)
from patroni.postgresql.config import ConfigHandler
values = json.loads(sys.stdin.read())
out = {}
for name, (default, check, server) in ConfigHandler.CMDLINE_OPTIONS.items():
    said = []
    for value in values:
        try:
            said.append(bool(check(value)))
        except Exception as e:
            said.append(type(e).__name__)
    out[name] = [default, server, said]
print(json.dumps(out))
'''


def explained(version, name, rule, value):
    """Differences of early patch releases that the table leaves out; the last release of the line agrees with it."""
    if version in ('3.0.2', '3.0.3') and rule.startswith('int'):
        return 'up to 3.0.2 numbers go through int(), in 3.0.3 they must be a Python int'
    if version in ('3.0.4', '3.1.0') and name == 'max_prepared_transactions' and value in (0, '0'):
        return '3.0.4 and 3.1.0 refuse 0, which is the default that they then take'
    return None


def ask(version):
    env = dict(os.environ, PYTHONPATH=str(pv.SOURCES / version))
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', DRIVER], input=json.dumps(VALUES), capture_output=True,
                          text=True, env=env)
    if done.returncode:
        if 'ModuleNotFoundError' in done.stderr:
            return None
        sys.exit(version + ': ' + done.stderr)
    return json.loads(done.stdout)


def accepts(rule, value, parse_int, parse_bool):
    kind, *rest = rule.split()
    if kind == 'never':
        return False
    if kind == 'true':
        return parse_bool(value) is True
    if kind == 'bool':
        return parse_bool(value) is not None
    if kind == 'words':
        return isinstance(value, str) and value.lower() in rest[0].split('|')
    number = parse_int(value, *rest[1:])
    return number is not None and number >= int(rest[0])


def main():
    from patroni.utils import parse_bool, parse_int
    rows = pv.table('cmdline.tsv')
    problems, asked, skipped, left_out = [], 0, [], {}
    for version in pv.releases():
        real = ask(version)
        if real is None:
            skipped.append(version)
            continue
        held = {row['name']: row for row in rows if pv.reads(row, version)}
        if len(held) != len([row for row in rows if pv.reads(row, version)]) or held.keys() != real.keys():
            problems.append(f'{version}: has {sorted(real)}, the table {sorted(held)}')
            continue
        for name, (default, server, said) in real.items():
            row = held[name]
            if (row['default'], row['server']) != ('-' if default is None else str(default), str(server)):
                problems.append(f'{version}: {name} is {default!r} from {server}')
            for value, answer in zip(VALUES, said):
                asked += 1
                ours = accepts(row['accepts'], value, parse_int, parse_bool)
                # A raised exception is no acceptance; Patroni then keeps the configuration it had.
                reason = explained(version, name, row['accepts'], value)
                if ours != (answer is True) and reason:
                    left_out[reason] = left_out.get(reason, 0) + 1
                elif ours != (answer is True):
                    problems.append(f'{version}: {name}={value!r}: the release says {answer}, the table {ours}')
    for reason, count in left_out.items():
        print(f'explained, {count} times: {reason}')
    pv.end(problems, f'{len(rows)} rows, {asked} values asked; not importable here: {", ".join(skipped) or "none"}')


main()
