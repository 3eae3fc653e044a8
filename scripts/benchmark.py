"""Records what Patroni 4.1.5 itself says of the cases in fixtures/benchmark/cases.yml, into validator.json beside it.

    target/tools/py/bin/python scripts/benchmark.py        (as root)

`patroni --validate-config` looks at the host too, so it gets one where nothing else is wrong: in name spaces of its own the addresses of
the base file are local, every member of the DCS answers, and the place of the data directory is empty unless a case fills it. The
programs are those of PostgreSQL 15.
"""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCHMARK = ROOT / 'fixtures/benchmark'
DATA = '/srv/postgresql/15/data'
ADDRESSES, ANSWERING = '10.20.0.11/24', [('10.20.0.21', 2379), ('10.20.0.22', 2379), ('10.20.0.23', 2379), ('10.20.0.21', 8500)]


def run(*command):
    subprocess.run(command, check=True)


def make_host():
    run('ip', 'link', 'set', 'lo', 'up')
    run('ip', 'address', 'add', ADDRESSES, 'dev', 'lo')
    run('mount', '-t', 'tmpfs', 'none', '/srv')
    for address in ANSWERING:
        listener = socket.socket()
        listener.bind(address)
        listener.listen(64)
        threading.Thread(target=answer, args=(listener,), daemon=True).start()


def answer(listener):
    while True:
        listener.accept()[0].close()


def text_of(case):
    """The configuration of a case, and its other files."""
    text, others = (BENCHMARK / 'base/patroni.yml').read_text(), {}
    for edit in case.get('edits', []):
        if 'file' in edit:
            others[edit['file']] = edit['put']
            continue
        if text.count(edit['find']) != 1:
            sys.exit(f"{case['name']}: {edit['find']!r} stands {text.count(edit['find'])} times in the file")
        text = text.replace(edit['find'], edit['put'])
    return case.get('whole', text), others


def validate(case, directory):
    run('sh', '-c', 'rm -rf /srv/* && mkdir -p "$(dirname "$1")"', 'sh', DATA)
    for command in case.get('setup', []):
        subprocess.run(command, shell=True, check=True, env=dict(os.environ, DATA=DATA))
    path = pathlib.Path(directory) / 'patroni.yml'
    path.write_text(text_of(case)[0])
    done = subprocess.run([sys.executable, '-W', 'ignore', '-m', 'patroni', '--validate-config', path],
                          capture_output=True, text=True, cwd=directory)
    lines = [line.strip().replace(directory + '/', '') for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if any(line.startswith('Traceback') for line in lines):
        named = re.compile(r'[\w.]+(Error|Exception)\b')
        lines = ['Python traceback: ' + next(line for line in lines if named.match(line))]
    return {'exit': done.returncode, 'says': lines}


def generated(text):
    """What `patroni --generate-config` takes over from a pg_hba.conf."""
    from patroni.config_generator import RunningClusterConfigGenerator
    with tempfile.TemporaryDirectory() as directory:
        hba = pathlib.Path(directory) / 'pg_hba.conf'
        hba.write_text(text)
        generator = object.__new__(RunningClusterConfigGenerator)
        generator.pg_major = 150000
        generator.config = {'postgresql': {'data_dir': directory, 'parameters': {'hba_file': str(hba), 'ident_file': ''}}}
        generator._set_conf_files()
        return generator.config['postgresql']['pg_hba']


def main():
    if os.environ.get('BENCHMARK_HOST') != '1':
        os.execvpe('unshare', ['unshare', '--net', '--mount', sys.executable, __file__], dict(os.environ, BENCHMARK_HOST='1'))
    make_host()
    cases = yaml.safe_load((BENCHMARK / 'cases.yml').read_text())
    answers = {}
    with tempfile.TemporaryDirectory() as directory:
        for case in cases:
            answer = answers[f"{case['set']}: {case['name']}"] = validate(case, directory)
            if hba := text_of(case)[1].get('pg_hba.conf'):
                answer['generates'] = generated(hba)
    (BENCHMARK / 'validator.json').write_text(json.dumps(answers, indent=1, ensure_ascii=False) + '\n')
    print(f'{len(answers)} cases, {sum(a["exit"] != 0 for a in answers.values())} rejected')


main()
