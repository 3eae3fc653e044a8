"""Answers questions with the real Patroni, one JSON object a line.

{"op": "config", "files": {NAME: TEXT} or null, "directory": bool, "env": {NAME: VALUE}, "dynamic": YAML or null}
    -> {"local": VALUE, "effective": VALUE, "with_dynamic": VALUE} or {"error": CLASS} in place of a value
{"op": "slot_name" | "split_host_port" | "parse_int" | "parse_bool" | "int", "args": [...]} -> {"value": ...} or {"error": CLASS}

A VALUE is null, a bool, a string, ["i", digits], ["f", repr], ["o", text], ["l", [VALUE...]] or ["d", [[KEY, VALUE]...]], sorted.
"""
import collections.abc
import datetime
import json
import logging
import os
import sys
import tempfile

import yaml

from patroni.config import Config
from patroni.dcs import slot_name_from_member_name
from patroni.utils import parse_bool, parse_int, split_host_port

logging.disable(logging.CRITICAL)


def key(value):
    if value is None:
        return 'n'
    if isinstance(value, (bool, int, float)) and value == value and abs(value) < 9e15 and value == int(value):
        return f'i{int(value)}'
    if isinstance(value, (int, float)):
        return f'#{value!r}'
    if isinstance(value, str):
        return f's{value}'
    if isinstance(value, (datetime.date, datetime.datetime)):
        return f'o{value.isoformat()}'
    return f'o{value!r}'


def canonical(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return ['i', str(value)]
    if isinstance(value, float):
        return ['f', repr(value)]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return ['o', value.isoformat()]
    if isinstance(value, (list, tuple)):
        flat = []
        for item in value:
            flat.extend(item if isinstance(item, tuple) else [item])
        return ['l', [canonical(item) for item in flat]]
    if isinstance(value, set):
        return ['o', '{' + ', '.join(sorted(map(repr, value))) + '}']
    if isinstance(value, collections.abc.Mapping):
        return ['d', sorted(([key(k), canonical(v)] for k, v in value.items()), key=lambda pair: pair[0].encode())]
    return ['o', repr(value)]


def attempt(function):
    try:
        return canonical(function())
    except RecursionError:
        return {'error': 'RecursionError'}
    except yaml.YAMLError:
        return {'error': 'YAMLError'}
    except Exception as e:
        return {'error': type(e).__name__}


def config(request):
    for name in list(os.environ):
        if name.startswith('PATRONI_'):
            del os.environ[name]
    os.environ.update(request['env'])
    with tempfile.TemporaryDirectory() as there:
        path = os.path.join(there, 'no such file')
        for name, text in (request['files'] or {}).items():
            path = os.path.join(there, name)
            with open(path, 'w', encoding='utf-8', newline='') as f:
                f.write(text)
        try:
            real = Config(there if request['directory'] else path)
            local = real.local_configuration
        except RecursionError:
            return {'error': 'RecursionError'}
        except yaml.YAMLError:
            return {'error': 'YAMLError'}
        except Exception as e:
            return {'error': type(e).__name__, 'message': str(e)}
        try:
            answer = {'local': canonical(local), 'effective': canonical(real.copy())}
        except RecursionError:
            return {'error': 'RecursionError'}
        if request['dynamic'] is not None:
            dynamic = yaml.safe_load(request['dynamic'])
            answer['with_dynamic'] = attempt(lambda: real._build_effective_configuration(dynamic, real._local_configuration))
        return answer


CALLS = {'slot_name': slot_name_from_member_name, 'split_host_port': split_host_port, 'parse_int': parse_int,
         'parse_bool': parse_bool, 'int': int}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        if request['op'] == 'config':
            answer = config(request)
        else:
            answer = {'value': attempt(lambda: CALLS[request['op']](*request['args']))}
        print(json.dumps(answer), flush=True)


main()
