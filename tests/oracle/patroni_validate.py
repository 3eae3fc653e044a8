"""Asks `patroni --validate-config` about single values, one JSON object a line.

{"path": [KEY, ...], "value": VALUE, "absent": bool} -> {"says": [MESSAGE, ...]}

The value is set at the path of the configuration in the first line, or the key is taken away. Everything that the validator asks of
the host is answered: every address resolves and answers, no port is taken, every directory and program is there.
"""
import copy
import json
import logging
import sys

from patroni import validator
from patroni.utils import patch_config

logging.disable(logging.CRITICAL)


def host_port(value, listen=False, multiple_hosts=False):
    """`validate_host_port` without the sockets."""
    try:
        hosts, _ = validator.split_host_port(value, 1)
    except (ValueError, TypeError):
        raise validator.ConfigParseError('contains a wrong value')
    hosts = hosts.split(',') if multiple_hosts else [hosts]
    if '*' in hosts and len(hosts) != 1:
        raise validator.ConfigParseError("expecting '*' alone")
    return True


def no_complaint(self, data):
    yield validator.Result(True, data=data)


def answer_for_the_host():
    # The schema holds the function itself, in lists and dictionaries; its callers look it up by name.
    validator.validate_host_port.__code__ = host_port.__code__
    validator.validate_host_port.__globals__.setdefault('split_host_port', validator.split_host_port)
    validator.shutil.which = lambda name, path=None: f'/{name}'
    validator.Directory.validate = no_complaint
    validator.BinDirectory.validate = no_complaint
    validator.data_directory_empty = lambda data_dir: True
    validator.os.path.exists = lambda path: False


def changed(base, path, value, absent):
    config = copy.deepcopy(base)
    section = config
    for key in path[:-1]:
        if not isinstance(section.get(key), dict):
            section[key] = {}
        section = section[key]
    if absent:
        section.pop(path[-1], None)
    else:
        section[path[-1]] = value
    return config


def main():
    globals()['validator'] = validator
    validator.validator = validator
    answer_for_the_host()
    base = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        request = json.loads(line)
        config = changed(base, request['path'], request.get('value'), request.get('absent', False))
        # As Config._load_config_file merges a file: a null at the top goes.
        merged = {}
        patch_config(merged, copy.deepcopy(config))
        try:
            says = validator.schema(merged)
        except Exception as e:
            says = [f'{type(e).__name__}: {e}']
        print(json.dumps({'says': says, 'config': config}), flush=True)


main()
