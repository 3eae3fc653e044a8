"""Writes src/knowledge/patroni/gucs.tsv, or with --check compares it with the release: what Patroni 4.1.5 lets through of PostgreSQL's
settings (postgresql/available_parameters/*.yml).

    target/tools/py/bin/python scripts/knowledge/patroni-gucs.py [--check]
"""
import sys

import yaml

import patroni_versions as pv

VERSION = '4.1.5'
HEAD = f'''# How Patroni {VERSION} checks values of PostgreSQL's settings before it writes them (postgresql/available_parameters/*.yml).
# Written by scripts/knowledge/patroni-gucs.py. The first row whose versions hold decides: a number outside its bounds becomes the
# nearest bound, another value that does not fit is dropped; so is a setting without a row that `postgres --describe-config` does not
# know either. A name with a dot is let through; a recovery setting among `parameters` is dropped.
#
# group    parameters, or recovery_parameters: those of `recovery_conf`
# name     the setting    type  Bool, Integer, Real, Enum, EnumBool or String
# from, till   server versions as server_version_num; `-` no end, and it is the first that the row does not hold for
# min, max, unit   of numbers    words   of enumerations
group	name	type	from	till	min	max	unit	words
'''


def rows():
    seen = {}
    folder = pv.SOURCES / VERSION / 'patroni/postgresql/available_parameters'
    for path in sorted(folder.glob('*.yml')):
        for group, settings in yaml.safe_load(path.read_text()).items():
            for name, entries in settings.items():
                for e in entries:
                    row = [group, name, e['type'], e['version_from'], e.get('version_till', '-'), e.get('min_val', '-'),
                           e.get('max_val', '-'), e.get('unit', '-'), '|'.join(map(str, e.get('possible_values', []))) or '-']
                    seen['\t'.join(map(str, row))] = row
    return sorted(seen, key=lambda line: (seen[line][0], seen[line][1], seen[line][3]))


def main():
    text = HEAD + ''.join(line + '\n' for line in rows())
    path = pv.TABLES / 'gucs.tsv'
    if '--check' in sys.argv:
        same = path.read_text() == text
        pv.end([] if same else [f'{path.name} is not what {VERSION} has'], f'{len(rows())} rows compared')
    path.write_text(text)
    print(f'{len(rows())} rows')


main()
