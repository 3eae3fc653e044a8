"""Starts real Patroni daemons in forks of one interpreter, one JSON object a line.

{"start": ID, "args": [ARG, ...], "env": {NAME: VALUE}, "dir": DIR, "memory": BYTES}
                                            -> {"pid": PID}    what it writes goes to DIR/ID.log; `memory` is what it may take
                                                               beyond what this process has
{"wait": ID, "until": REGEX, "seconds": N}  -> {"log": TEXT, "ended": EXIT CODE or null, "met": bool}
{"stop": ID, "kill": bool}                  -> {"log": TEXT, "ended": EXIT CODE}
{"eval": EXPRESSION, "file": FILE, "env": …, "dir": …}  -> {"is": VALUE} or {"raises": TEXT}
                                         with `config`, which is made of that file, and what `names` adds; in a fork too

`args` are those of the program `patroni`. At the end of input everything that was started is stopped.
"""
import json
import os
import re
import resource
import signal
import sys
import time

running = {}


def place(request):
    os.setpgid(0, 0)
    os.chdir(request['dir'])
    for name in [n for n in os.environ if n.startswith('PATRONI_')]:
        del os.environ[name]
    os.environ.update(request.get('env') or {})
    if request.get('memory'):
        with open('/proc/self/statm') as f:
            most = int(f.read().split()[0]) * resource.getpagesize() + request['memory']
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def start(request):
    log = os.path.join(request['dir'], request['start'] + '.log')
    if os.path.exists(log):
        os.unlink(log)
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            place(request)
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for fd in (1, 2):
                os.dup2(out, fd)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            sys.argv = ['patroni'] + request['args']
            from patroni.__main__ import main
            try:
                main()
                code = 0
            except SystemExit as e:
                if isinstance(e.code, str):
                    print(e.code, file=sys.stderr)
                code = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
            except BaseException:
                sys.excepthook(*sys.exc_info())
                code = 1
        finally:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except Exception:
                    pass
            os._exit(code)
    os.setpgid(pid, pid)
    running[request['start']] = {'pid': pid, 'log': log, 'ended': None}
    return {'pid': pid}


def is_over(process):
    if process['ended'] is None:
        pid, status = os.waitpid(process['pid'], os.WNOHANG)
        if pid:
            process['ended'] = os.waitstatus_to_exitcode(status)
    return process['ended'] is not None


def text_of(process):
    try:
        with open(process['log'], encoding='utf-8', errors='replace') as f:
            return f.read()
    except FileNotFoundError:
        return ''


def wait(request):
    process, end = running[request['wait']], time.monotonic() + request['seconds']
    until = re.compile(request['until'], re.S)
    while True:
        over = is_over(process)
        log = text_of(process)
        met = until.search(log) is not None
        if over or met or time.monotonic() > end:
            return {'log': log, 'ended': process['ended'], 'met': met}
        time.sleep(0.03)


def stop(process, kill=False):
    """With its group: a daemon that is killed leaves initdb or pg_basebackup behind."""
    for sig, seconds in ((signal.SIGTERM, 0 if kill else 15), (signal.SIGKILL, 5)):
        end = time.monotonic() + seconds
        if not is_over(process) and seconds:
            os.killpg(process['pid'], sig)
        while not is_over(process) and time.monotonic() < end:
            time.sleep(0.03)
    return {'log': text_of(process), 'ended': process['ended']}


def names(config):
    """What Patroni makes of its configuration."""
    import urllib3

    from patroni.dcs import get_dcs
    from patroni.postgresql import Postgresql
    from patroni.postgresql.mpp import get_mpp
    from patroni.request import PatroniRequest
    from patroni.tags import Tags

    def login():
        connection = Postgresql(config['postgresql'], get_mpp(config)).connection_pool.get('proof').get()
        return [connection.info.user, 'TLS' if connection.pgconn.ssl_in_use else 'clear']

    def effective():
        """As at the first start of a cluster."""
        config.set_dynamic_configuration(config['bootstrap']['dcs'])
        return config

    class Member(Tags):
        tags = property(lambda self: self._filter_tags(config.get('tags', {})))

    def ask_member(url, method='GET', body=None):
        """As members ask each other."""
        return PatroniRequest(config, True).request(method, url, body, timeout=5).status

    def ask(method, url, body=None):
        """As anybody asks who has no credentials; the status and what is answered, or what is wrong."""
        try:
            answer = urllib3.PoolManager(retries=False).request(method, url, body=body, timeout=5)
            return [answer.status, answer.data.decode()]
        except urllib3.exceptions.HTTPError as e:
            return str(e)

    def query(sql):
        """What its own server answers."""
        return [list(row) for row in Postgresql(config['postgresql'], get_mpp(config)).query(sql)]

    def stored():
        """The dynamic configuration in the store, which the leader writes in the round after it got the lock."""
        dcs, end = get_dcs(config), time.monotonic() + 10
        while time.monotonic() < end:
            there = dcs.get_cluster().config
            if there:
                return there.data
            time.sleep(0.05)
        return None

    def published():
        """What a member tells the others: how to reach PostgreSQL and the REST API."""
        return {m.name: [m.conn_url, m.api_url] for m in get_dcs(config).get_cluster().members}

    def kept():
        """What lies in etcd below the scope, key by key as Patroni's client reads it, and what Patroni makes of that."""
        dcs = get_dcs({**config.copy(), 'patronictl': True})
        path = dcs.client_path('')
        cluster = dcs.get_cluster()
        return {'path': path[:-1], 'keys': {n['key'][len(path):]: n['value'] for n in dcs._client.get_cluster(path)},
                'initialize': cluster.initialize, 'leader': cluster.leader and cluster.leader.name,
                'members': sorted(m.name for m in cluster.members), 'config': cluster.config and cluster.config.data}

    return {'config': config, 'login': login, 'effective': effective, 'member': Member(),
            'published': published, 'ask_member': ask_member, 'ask': ask, 'stored': stored, 'query': query, 'kept': kept}


def evaluate(request):
    """In a fork, so that no module keeps what one configuration has left in it."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            place(request)
            os.close(read)
            os.dup2(2, 1)  # programs that Patroni runs write there, and answers go that way
            try:
                from patroni.config import Config
                answer = {'is': eval(request['eval'], names(Config(request['file'])))}
            except SystemExit as e:
                answer = {'raises': f'SystemExit: {e.code}'}
            except BaseException as e:
                answer = {'raises': f'{type(e).__name__}: {e}'}
            with os.fdopen(write, 'w') as pipe:
                json.dump(answer, pipe, default=str)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(answer)


def main():
    # Whatever is imported here, no fork has to import again.
    import patroni.__main__, patroni.api, patroni.config, patroni.ha, patroni.postgresql, patroni.validator  # noqa: E401,F401
    import patroni.dcs.consul, patroni.dcs.etcd, patroni.dcs.etcd3, patroni.dcs.kubernetes, patroni.psycopg  # noqa: E401,F401
    for line in sys.stdin:
        request = json.loads(line)
        if 'start' in request:
            answer = start(request)
        elif 'wait' in request:
            answer = wait(request)
        elif 'stop' in request:
            answer = stop(running.pop(request['stop']), request.get('kill', False))
        else:
            answer = evaluate(request)
        print(json.dumps(answer), flush=True)
    for process in running.values():
        stop(process)


if __name__ == '__main__':
    main()
