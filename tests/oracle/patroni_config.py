"""Answers questions with the real Patroni, one JSON object a line.

{"op": "config", "files": {NAME: TEXT} or null, "directory": bool, "env": {NAME: VALUE}, "dynamic": YAML or null}
    -> {"local": VALUE, "effective": VALUE, "with_dynamic": VALUE} or {"error": CLASS} in place of a value
{"op": "counts", "text": TEXT, "path": PATH}
    -> {"value": whether what Patroni works with is another thing without the key}
{"op": "slot_name" | "split_host_port" | "parse_int" | "parse_bool" | "int", "args": [...]} -> {"value": ...} or {"error": CLASS}

A VALUE is null, a bool, a string, ["i", digits], ["f", repr], ["o", text], ["l", [VALUE...]] or ["d", [[KEY, VALUE]...]], sorted.
"""
import collections.abc
import datetime
import importlib
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
            local = dict(real._local_configuration)
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
            answer['with_dynamic'] = attempt(lambda: real._build_effective_configuration(
                yaml.safe_load(request['dynamic']), real._local_configuration))
        return answer


def etcd_srv(section):
    """What becomes of the names of the record, as `AbstractEtcd.get_etcd_client` hands it to its client."""
    from patroni.dcs.etcd import AbstractEtcd
    asked = []

    class Client:
        def __init__(self, config, _resolver):
            asked.append(config.get('srv'))

    AbstractEtcd.get_etcd_client(None, section, Client)
    return asked


def worked_with(text, without):
    """What Patroni works with; `without` is the path of a key that is taken out first."""
    def take_out(tree, path):
        for name in path[:-1]:
            tree = tree.get(name) or {}
        tree.pop(path[-1], None)

    path = without.split('.')
    results = []
    for take in (False, True):
        document = yaml.safe_load(text)
        if take:
            take_out(document, path)
        with tempfile.NamedTemporaryFile('w', suffix='.yml') as file:
            yaml.safe_dump(document, file)
            file.flush()
            effective = Config(file.name).copy()
        dynamic = (document.get('bootstrap') or {}).get('dcs') or {}
        known = importlib.import_module('patroni.global_config')
        known._GlobalConfig__config = dynamic
        made = {
            'slots': known.permanent_slots,
            'start': known.primary_start_timeout,
            'stop': known.primary_stop_timeout,
            'methods': effective['postgresql'].get('create_replica_methods', [])
            or effective['postgresql'].get('create_replica_method', []),
        }
        made.update({name: (effective.get(name) or {}).get('auth') for name in ('ctl', 'restapi')})
        if 'etcd3' in effective:
            made['srv'] = etcd_srv(effective['etcd3'])
        # The copy of what was written, under its own name.
        if path[0] not in ('bootstrap', 'etcd3'):
            take_out(effective, path)
        for name in ('bootstrap', 'etcd3'):
            effective.pop(name, None)
        if 'create_replica_method' in path[-1]:
            effective['postgresql'].pop('create_replica_methods', None)
        results.append([canonical(effective), canonical(made)])
    return results


def counts(request):
    with_it, without_it = worked_with(request['text'], request['path'])
    return with_it != without_it


CALLS = {'slot_name': slot_name_from_member_name, 'split_host_port': split_host_port, 'parse_int': parse_int,
         'parse_bool': parse_bool, 'int': int}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        if request['op'] == 'config':
            answer = config(request)
        elif request['op'] == 'counts':
            answer = {'value': attempt(lambda: counts(request))}
        else:
            answer = {'value': attempt(lambda: CALLS[request['op']](*request['args']))}
        print(json.dumps(answer), flush=True)


main()
