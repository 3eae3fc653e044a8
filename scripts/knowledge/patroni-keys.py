"""Checks src/knowledge/patroni/keys.tsv against the source of every release.

1. The schema of each release's validator is walked: every key it knows must be in the table, for that release.
2. For 4.1.5 the type, range and need that the schema demands must be what the columns `vtype` and `range` say.
3. Every key that the source asks a configuration for (`config.get('x')`, `config['x']`, `'x' in config`, keys of literal
   tuples in loops) must be in the table, or in the list below of words that are not keys.
4. Every row must have its last word in the source of each release that it claims, and in the module it names; a row that
   begins later must not have its word in the releases before.

    target/tools/py/bin/python scripts/knowledge/patroni-keys.py
"""
import ast
import json
import os
import re
import subprocess
import sys

import patroni_versions as pv

# Words that stand in earlier releases too, with another meaning than the key has, so that absence proves nothing.
OTHER_MEANING_BEFORE = {'type', 'mode', 'username', 'password', 'authentication'}
OTHER_MEANING_AFTER = {'users', 'options', 'password', 'no_leader'}

SCHEMA = r'''
import json, logging
logging.disable(logging.CRITICAL)
from patroni import validator as v
def show(x):
    if x is str: return {'t': 'str'}
    if isinstance(x, str): return {'t': 'str'}
    if isinstance(x, type): return {'t': x.__name__}
    if isinstance(x, v.Or):
        return {'t': 'or', 'of': [show(a) for a in x.args]}
    if isinstance(x, list): return {'t': 'list', 'item': show(x[0]) if x else None}
    if isinstance(x, dict): return {'t': 'dict', 'keys': keys(x)}
    if isinstance(x, v.Directory): return {'t': 'str'}
    name = type(x).__name__ if not hasattr(x, '__name__') else x.__name__
    out = {'t': name}
    for a in ('min', 'max', 'allowed_values', 'case_sensitive'):
        if getattr(x, a, None) is not None:
            value = getattr(x, a)
            out[a] = sorted(value) if not isinstance(value, (int, bool)) else value
    out['expected'] = getattr(getattr(x, 'expected_type', None), '__name__', None)
    return out
def keys(d):
    out = {}
    for k, x in d.items():
        if isinstance(k, v.Optional): out[k.name] = ['', show(x)]
        elif isinstance(k, str): out[k] = ['!', show(x)]
        else:
            need = '?' if isinstance(k, v.Or) else ''
            for name in k.args:
                if isinstance(x, v.Case): out[name] = [need, show(x._schema[name])]
                else: out[name] = [need, show(x)]
    return out
print(json.dumps(keys(v.schema.validator)))
'''


def schema(version):
    env = dict(os.environ, PYTHONPATH=str(pv.SOURCES / version))
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', SCHEMA], capture_output=True, text=True, env=env)
    if done.returncode:
        if 'ModuleNotFoundError' in done.stderr:
            return None
        sys.exit(version + ': ' + done.stderr)
    return json.loads(done.stdout)


def walk(keys, at=''):
    """(path, need, shape) for every key of a schema."""
    for name, (need, shape) in keys.items():
        path = f'{at}.{name}' if at else name
        yield path, need, shape
        if shape['t'] == 'dict':
            yield from walk(shape.get('keys', {}), path)
        if shape['t'] == 'list' and shape['item'] and shape['item']['t'] == 'dict':
            yield from walk(shape['item'].get('keys', {}), path + '[]')


def demand(shape):
    """A schema's shape in the words of the column `vtype`."""
    t = shape['t']
    if t == 'or':
        of = [demand(s) for s in shape['of']]
        return {('hosts1', 'list'): 'hosts', ('int', 'list'): 'int|ints', ('ip', 'ip'): 'ip'}[tuple(of)]
    if t == 'IntValidator' and shape.get('expected') != 'int':
        return 'int-like'
    return {'str': 'str', 'int': 'int', 'bool': 'bool', 'dict': 'dict', 'list': 'list', 'IntValidator': 'int',
            'EnumValidator': 'enum', 'comma_separated_host_port': 'hosts1', 'validate_host_port_list': 'hosts',
            'validate_host_port': 'host_port', 'is_ipv4_address': 'ip', 'is_ipv6_address': 'ip',
            'validate_log_format': 'any', 'validate_watchdog_mode': 'watchdog',
            'validate_synchronous_mode': 'bool|quorum'}.get(t, shape.get('expected'))


def check_schema(version, rows, problems):
    shapes = schema(version)
    if shapes is None:
        return 0
    known = {row['path']: row for row in rows}
    seen = set()
    walked = list(walk(shapes))
    for path, need, shape in walked:
        seen.add(path)
        if path == 'exhibitor.pool_interval' or re.fullmatch(r'bootstrap\.dcs\.postgresql\.parameters\.\w+', path):
            continue  # a slip of the schema before 3.2 for poll_interval; names of PostgreSQL's settings
        row = known.get(path)
        if row is None or not pv.reads(row, version):
            problems.append(f'{version}: the schema has {path}, the table has not')
        elif version == '4.1.5' and row['vtype'] != demand(shape) + need:
            problems.append(f'{path}: the schema demands {demand(shape) + need}, the table says {row["vtype"]}')
        elif version == '4.1.5' and shape['t'] == 'IntValidator' and row['range'] != bounds(shape):
            problems.append(f'{path}: the schema allows {bounds(shape)}, the table says {row["range"]}')
        elif version == '4.1.5' and shape['t'] == 'EnumValidator' \
                and {w.lower() for w in row['range'].split('|')} != {w.lower() for w in shape['allowed_values']}:
            problems.append(f'{path}: the schema allows {shape["allowed_values"]}, the table says {row["range"]}')
    if version == '4.1.5':
        for path, row in known.items():
            if row['vtype'] != '-' and path not in seen:
                problems.append(f'{path}: the table says that the schema looks at it; it does not')
    return len(walked)


def bounds(shape):
    low, high = shape.get('min'), shape.get('max')
    return '-' if low is None and high is None else f'{"" if low is None else low}..{"" if high is None else high}'


def asked(version):
    """(module, receiver, word) for everything that looks like a question to a configuration."""
    for module, tree in pv.modules(version).items():
        if module in ('validator.py', 'config_generator.py', 'psycopg.py') or module.startswith('scripts/'):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args \
                    and node.func.attr in ('get', 'pop', 'setdefault', 'check_mode', 'get_int', '_get_ctl_value'):
                receiver, key = node.func.value, node.args[0]
                if ast.unparse(receiver) == 'self' and node.func.attr == 'get' and module not in (
                        'global_config.py', 'config.py', 'postgresql/config.py'):
                    continue
            elif isinstance(node, ast.Subscript):
                receiver, key = node.value, node.slice
            elif isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
                receiver, key = node.comparators[0], node.left
            else:
                continue
            name = ast.unparse(receiver)
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and len(name) < 60 and re.fullmatch(
                    r'(self\.|cls\.|self\._postgresql\.|self\._?patroni\.|self\.state_handler\.)?_*(config|configuration|'
                    r'pg_config|watchdog_config|method_config|consul_config|ssl_options|global_config)'
                    r"(\[['\"]?\w+['\"]?\])*|self|config\.get\('\w+'.*\)|.*\.config\.get\('\w+'.*\)", name):
                yield module, name, key.value


# Words asked of something called `config` or `self` that is no configuration of a user.
NOT_KEYS = {
    'users',  # since 4.0.0 only to say that it is no longer supported
    'auth',  # made of restapi.authentication; the table has both
    'hot_standby', 'hot_standby_feedback', 'wal_level', 'max_prepared_transactions',
    'shared_preload_libraries', 'max_connections', 'citus.local_hostname',
    # words of the standby's and the server's parameters, which `parameters.*` and `recovery_conf.*` stand for
    'synchronous_standby_names', 'restore_command', 'wal_keep_segments', 'wal_keep_size',
    # answers of programs and stores
    'ModifyIndex', 'Value', 'mod_revision', 'value', 'index', 'current-context', 'slots', 'error', 'optime',
    'patronictl', 'commandsWaitLeader', 'consul', 'connect_timeout', 'heartbeat',
}


def check_asked(version, rows, problems):
    names = {part.rstrip('[]') for row in rows if pv.reads(row, version) for part in row['path'].split('.')}
    count = 0
    for module, receiver, word in sorted(set(asked(version))):
        count += 1
        if word not in names and word not in NOT_KEYS:
            problems.append(f'{version}: {module} asks {receiver} for {word!r}, which no row has')
    return count


def check_rows(version, rows, problems):
    words = pv.words(version)
    count = 0
    for row in rows:
        last = row['path'].split('.')[-1].rstrip('[]')
        if last.startswith(('*', '@')):
            continue
        count += 1
        if pv.reads(row, version):
            # names that are built at run time: request.py asks ctl for name + 'file'
            parts = {last, last.removesuffix('file') if row['path'].startswith('ctl.') else last,
                     last.upper() if 'callbacks' in row['path'] else last}
            module = row['source'].split(':')[0]
            if row['source'].endswith(':get_dcs'):  # sections are named like the modules
                if f'dcs/{last}.py' not in pv.modules(version):
                    problems.append(f'{version}: there is no module for the section {last}')
            elif not parts & words.keys():
                problems.append(f'{version}: {row["path"]} is in the table and {last!r} is nowhere in the source')
            elif version == '4.1.5' and module not in {m for p in parts for m in words.get(p, ())}:
                problems.append(f'{row["path"]}: {last!r} is not in {module} but in {sorted(words[last])}')
        elif 'bin_name.' in row['path']:
            pass  # names of programs, which older releases run by those names
        elif last in words and last not in (OTHER_MEANING_BEFORE | OTHER_MEANING_AFTER):
            problems.append(f'{version}: {row["path"]} is not in the table for it, but {last!r} is in {sorted(words[last])}')
    return count


def main():
    rows = pv.table('keys.tsv')
    problems, walked, asked_for, looked_up = [], 0, 0, 0
    for version in pv.releases():
        walked += check_schema(version, rows, problems)
        asked_for += check_asked(version, rows, problems)
        looked_up += check_rows(version, rows, problems)
    pv.end(problems, f'{len(rows)} keys, {len(pv.releases())} releases: {walked} schema keys walked, {asked_for} questions '
                     f'in the source, {looked_up} rows looked up')


main()
