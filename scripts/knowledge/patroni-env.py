"""Checks src/knowledge/patroni/env.tsv against the behaviour of every release.

Each variable is set alone, to a value that fits its reading, for the real `Config` class of the release, and the key that
changes is compared with the table; so is every variable name that the source could read and the table does not have.

    target/tools/py/bin/python scripts/knowledge/patroni-env.py
"""
import json
import os
import re
import subprocess
import sys

import patroni_versions as pv

VALUES = {'text': 'x', 'raw': 'x', 'int': '7', 'bool': 'on', 'list': 'a,b', 'dict': 'a: b', 'format': 'a,b',
          'int-or-empty': '7', 'list-or-empty': 'a,b', 'options': 'a,b', 'text-in-section': 'x'}
EXPECTED = {'int': 7, 'int-or-empty': 7, 'bool': True, 'list': ['a', 'b'], 'list-or-empty': ['a', 'b'],
            'options': ['a', 'b'], 'dict': {'a': 'b'}, 'format': ['a', 'b']}
SECTIONS = ['ETCD', 'ETCD3', 'CONSUL', 'ZOOKEEPER', 'EXHIBITOR', 'KUBERNETES', 'RAFT', 'POSTGRESQL', 'LOG', 'WATCHDOG']

DRIVER = r'''
import json, logging, os, sys
logging.disable(logging.CRITICAL)
from patroni.config import Config
def flat(value, at=()):
    if isinstance(value, dict) and (len(at) < 2 or at[-1] in ('authentication', 'bin_name', 'users')
                                    or at[:2] == ('postgresql', 'authentication') and len(at) < 4
                                    or at[:2] == ('bootstrap', 'users') and len(at) < 4):
        for key, inner in value.items():
            yield from flat(inner, at + (key,))
    else:
        yield '.'.join(map(str, at)), value
def ask(env):
    for name in list(os.environ):
        if name.startswith('PATRONI_'):
            del os.environ[name]
    os.environ.update(env)
    return dict(flat(Config._build_environment_configuration()))
for line in sys.stdin:
    print(json.dumps(ask(json.loads(line))), flush=True)
'''


def ask(version, environments):
    """What a release makes of each environment; None when it cannot be imported here."""
    env = {k: v for k, v in os.environ.items() if not k.startswith('PATRONI_')}
    env['PYTHONPATH'] = str(pv.SOURCES / version)
    text = ''.join(json.dumps(e) + '\n' for e in environments)
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', DRIVER], input=text, capture_output=True, text=True, env=env)
    if done.returncode:
        if 'ModuleNotFoundError' in done.stderr:
            return None
        sys.exit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def cases(rows):
    """(row, environment, path) for every variable, with real sections in place of `<SECTION>`."""
    named = {row['variable'] for row in rows}
    for row in rows:
        value = VALUES[row['read']]
        if row['variable'].startswith('<USER>'):
            env = {'PATRONI_joe_PASSWORD': 'x', 'PATRONI_joe_OPTIONS': 'a,b'}
            yield row, env, row['path'].replace('*', 'joe')
        elif row['variable'].startswith('<SECTION>'):
            for section in SECTIONS:
                name = row['variable'].replace('<SECTION>', section)
                if name not in named:
                    yield row, {'PATRONI_' + name: value}, row['path'].replace('<section>', section.lower())
        elif row['read'] == 'text-in-section':
            section = row['variable'].split('_')[0]
            yield row, {'PATRONI_' + row['variable']: value, f'PATRONI_{section}_HOST': 'h'}, row['path']
        else:
            yield row, {'PATRONI_' + row['variable']: value}, row['path']


def unlisted(version, rows):
    """Names the source might read and the table lacks: every word of config.py, alone and behind every section."""
    known = {row['variable'] for row in rows}
    suffixes = {v.split('>_')[1] for v in known if v.startswith('<SECTION>')}
    words = {w.upper() for w, where in pv.words(version).items() if 'config.py' in where and re.fullmatch(r'\w+', w)}
    firsts = {'RESTAPI', 'CTL', 'LOG', 'REPLICATION', 'SUPERUSER', 'REWIND', 'CITUS', 'TAGS', 'BOOTSTRAP', *SECTIONS}
    names = words | {f'{a}_{b}' for a in firsts for b in words} | {f'POSTGRESQL_BIN_{w}' for w in words}
    users = pv.number(version) < (4,)
    for name in sorted(names - known - {'CONFIGURATION'}):
        section, _, rest = name.partition('_')
        if rest in suffixes or users and name.endswith('_PASSWORD'):
            continue
        yield name


def main():
    rows = pv.table('env.tsv')
    problems, asked, skipped = [], 0, []
    for version in pv.releases():
        listed = list(cases(rows))
        guesses = list(unlisted(version, rows))
        answers = ask(version, [env for _, env, _ in listed] + [{'PATRONI_' + n: '7'} for n in guesses])
        if answers is None:
            skipped.append(version)
            continue
        asked += len(answers)
        for (row, env, path), answer in zip(listed, answers):
            claimed = pv.reads(row, version)
            # A variable whose reading changed has a row for each.
            elsewhere = any(r['variable'] == row['variable'] and pv.reads(r, version) for r in rows)
            expected = EXPECTED.get(row['read'], 'x')
            if claimed and answer.get(path) != expected:
                problems.append(f'{version}: {sorted(env)} should set {path}={expected!r}; the release has {answer}')
            if not claimed and not elsewhere and path in answer:
                problems.append(f'{version}: {sorted(env)} sets {path}, the table says it does not')
            if claimed and len(answer) != len(env):
                problems.append(f'{version}: {sorted(env)} sets more than {path}: {answer}')
        for name, answer in zip(guesses, answers[len(listed):]):
            if answer:
                problems.append(f'{version}: PATRONI_{name} sets {sorted(answer)} and is not in the table')
    pv.end(problems, f'{len(rows)} variables, {asked} environments given to real releases; not importable here: '
                     f'{", ".join(skipped) or "none"}')


main()
