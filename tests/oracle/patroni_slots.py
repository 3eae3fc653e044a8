"""Answers which slots a release of Patroni wants, one JSON object a line; the first argument is the directory of its source.

{"members": {NAME: TAGS}, "leader": NAME, "name": NAME, "config": {...}, "retained": [NAME...]} -> {"slots": {NAME: TYPE}} or {"error": TEXT}
"""
import json
import logging
import sys

sys.path.insert(0, sys.argv[1])

from patroni.dcs import Cluster, ClusterConfig, Leader, Member  # noqa: E402

logging.disable(logging.CRITICAL)

try:
    from patroni import global_config
    new = hasattr(global_config, 'update')
except ImportError:
    new = False


class Server:
    """What is asked of a server."""

    major_version = 150000
    can_advance_slots = True

    def __init__(self, name, role):
        self.name = name
        self.role = role


def replaced(value, **changes):
    """A tuple with other fields; `_replace` of a tuple that has a length of its own fails."""
    return type(value)(*[changes.get(field, getattr(value, field)) for field in type(value)._fields])


def answer(asked):
    members = [Member.from_node(1, name, None, json.dumps({'conn_url': 'postgres://x/y', 'tags': tags}))
               for name, tags in asked['members'].items()]
    by_name = {m.name: m for m in members}
    config = ClusterConfig.from_node(1, json.dumps(asked['config']), 1)
    cluster = replaced(Cluster.empty(), config=config, members=members,
                       leader=Leader(1, None, by_name[asked['leader']]))
    if asked['retained'] and hasattr(cluster, 'status') and 'retain_slots' in type(cluster.status)._fields:
        cluster = replaced(cluster, status=replaced(cluster.status, retain_slots=asked['retained']))
    own = by_name[asked['name']]
    is_standby_cluster = bool(asked['config'].get('standby_cluster'))
    leads = asked['leader'] == asked['name']
    role = ('standby_leader' if is_standby_cluster else 'primary') if leads else 'replica'
    if new:
        global_config.update(cluster)
        try:
            from patroni.postgresql.misc import PostgresqlRole
            role = PostgresqlRole(role)
        except ImportError:
            pass
        slots = cluster.get_replication_slots(Server(own.name, role), own, role=role)
    else:
        more = {'is_standby_cluster': is_standby_cluster} \
            if 'is_standby_cluster' in Cluster.get_replication_slots.__code__.co_varnames else {}
        slots = cluster.get_replication_slots(own.name, role, own.nofailover, 150000, **more)
    return {'slots': {name: value['type'] for name, value in slots.items()}}


for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except Exception as error:
        said = {'error': repr(error)}
    print(json.dumps(said), flush=True)
