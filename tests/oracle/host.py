"""A host of its own for proofs: real PostgreSQL and the real Patroni at the very paths and addresses that files name.

Runs as the first process of namespaces of its own (mounts, network, processes), so all of it is gone when it ends. One JSON request a
line, one answer a line:

{"programs": {MAJOR: BIN}, "templates": {MAJOR: DATA}}   at first
{"files": {PATH: TEXT}, "links": {PATH: TARGET}, "modes": {PATH: OCTAL}, "member": NAME, "major": MAJOR, "conf": DIRECTORY,
 "steps": [STEP...]} -> {"said": TEXT}

The files are those of a case, the ones of the member (in the directory of that name, or outside of all) go to where they belong: its
patroni.yml becomes /run/said/patroni.yml, PostgreSQL's own files go to the directories that it names, files below etc/ or host/etc/ to
/etc. A step is a
word and the rest of the line; `STEPS` has all of them. What programs, servers and Patroni say is the answer.
"""
import json
import logging
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback

import psycopg
import yaml

import spaces

from patroni import global_config
from patroni.config import Config
from patroni.async_executor import CriticalTask
from patroni.dcs import Cluster, ClusterConfig, Leader, Member, Status, SyncState
from patroni.postgresql import Postgresql
from patroni.postgresql.callback_executor import CallbackAction
from patroni.postgresql.mpp import get_mpp
from patroni.postgresql.rewind import Rewind
from patroni.tags import Tags

OWNED = ['/var/lib/postgresql', '/etc/postgresql', '/srv', '/run/postgresql', '/home']
INSTALLED = '/usr/lib/postgresql'
PROGRAMS = '/run/said/programs'
POSTGRES = pwd.getpwnam('postgres')
SAID = '/run/said/log'
SERVER_LOG = '/run/said/server'
# While it exists servers may collect their logs themselves.
COLLECT = '/run/said/collect'
# Command-line options win over files: small and quick and talkative, whatever a file says.
SERVER = '#!/bin/sh\ncase " $*" in *" -D"*) exec "{0}" "$@" -F -c shared_buffers=16MB $([ -e {1} ] || echo -c logging_collector=off);; *) exec "{0}" "$@";; esac\n'
# What the builds of some majors lack, and whose does as well.
BORROWED = {'pg_isready': 16, 'psql': 16, 'pg_basebackup': 18, 'pg_controldata': 15}
HBA = ''.join(f'{kind} {database} all {address} trust\n' for kind, address in (('local', ''), ('host', 'all'))
              for database in ('all', 'replication'))
# For systemd, what Patroni is: a program in the foreground whose server runs beside it, and who takes its time to stop.
SERVICE = f"""#!/bin/sh
trap '' TERM
{PROGRAMS}/17/bin/postgres -D /srv/data -c unix_socket_directories=/run/postgresql >> {SERVER_LOG} 2>&1 &
while :; do sleep 0.1; done
"""
GROUP = f'pf-{os.readlink("/proc/self/ns/pid")[5:-1]}'
CGROUPS = [path for path in ('/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd')
           if os.path.exists(f'{path}/cgroup.procs')]
REWIND = """
cd {bin} || exit
hints=$(./psql -XAtqh {address} -U postgres -c 'SHOW wal_log_hints' postgres)
./pg_basebackup -h {address} -U postgres -c fast -D /srv/old || exit
touch /srv/old/standby.signal
./pg_ctl -s -w -D /srv/old -l /srv/old.log -o "-p 6000 -c config_file={conf} -c wal_log_hints=$hints -c unix_socket_directories=/srv" start || exit
./pg_ctl -s -w -D /srv/old promote
./psql -XAtqh /srv -p 6000 -U postgres -c 'CREATE TABLE lost ()' postgres
./pg_ctl -s -w -D /srv/old stop
./pg_rewind -D /srv/old --source-server 'host={address} user={user} dbname=postgres'
"""
REAL_SLEEP = time.sleep
ETC = set(os.listdir('/etc')) | {'postgresql'}
templates = {}


def run(*command, user=None, timeout=20):
    drop = {'user': POSTGRES.pw_uid, 'group': POSTGRES.pw_gid, 'extra_groups': []} if user else {}
    env = {'PATH': '/usr/bin:/bin:/usr/sbin:/sbin', 'LC_ALL': 'C', 'HOME': POSTGRES.pw_dir}
    with open(SAID, 'ab') as said:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=timeout, env=env, cwd='/',
                              **drop).returncode


def must(*command, **more):
    if run(*command, **more):
        raise RuntimeError(f'{command} failed: {said()}')


def say(*words):
    with open(SAID, 'a') as f:
        print(*words, file=f)


def said():
    with open(SAID, errors='replace') as f:
        return f.read()


def directory(path, mode=0o755):
    """Makes a directory of postgres, with those above it."""
    if not os.path.isdir(path):
        directory(os.path.dirname(path))
        os.mkdir(path, mode)
        os.chown(path, POSTGRES.pw_uid, POSTGRES.pw_gid)


def write(path, text):
    directory(os.path.dirname(path))
    with open(path, 'w', encoding='utf-8', errors='surrogateescape', newline='') as f:
        f.write(text)
    os.chown(path, POSTGRES.pw_uid, POSTGRES.pw_gid)


def prepare(programs):
    """Empty directories where installations have theirs, and the programs of each major at their packaged place."""
    os.makedirs('/run/said', exist_ok=True)
    spaces.empty('/run/said', '0777')
    open(SAID, 'w').close()
    os.chmod(SAID, 0o666)
    real = {int(major): os.path.realpath(path) for major, path in programs.items()}
    packaged = [m for m, path in real.items() if path == f'{INSTALLED}/{m}/bin']
    for major in packaged:
        os.makedirs(f'/run/said/{major}')
        spaces.bind(f'{INSTALLED}/{major}', f'/run/said/{major}')
        real[major] = f'/run/said/{major}/bin'
    for path in OWNED + [INSTALLED]:
        os.makedirs(path, exist_ok=True)
        spaces.empty(path)
        os.chown(path, POSTGRES.pw_uid, POSTGRES.pw_gid)
    shutil.copytree('/etc', '/run/said/etc', symlinks=True)
    spaces.bind('/run/said/etc', '/etc')
    for major, path in real.items():
        there = f'{PROGRAMS}/{major}/bin'
        os.makedirs(there)
        for name in os.listdir(path):
            os.symlink(f'{path}/{name}', f'{there}/{name}')
        for name, other in BORROWED.items():
            if not os.path.exists(f'{there}/{name}') and other in real:
                os.symlink(f'{real[other]}/{name}', f'{there}/{name}')
        os.unlink(f'{there}/postgres')
        with open(f'{there}/postgres', 'w') as f:
            f.write(SERVER.format(f'{path}/postgres', COLLECT))
        os.chmod(f'{there}/postgres', 0o755)
    for path in ('/run/user', '/run/systemd', '/root'):
        os.makedirs(path, exist_ok=True)
        spaces.empty(path)
    os.makedirs('/run/systemd/system')
    spaces.overlay('/usr/bin', '/run/said')
    with open('/usr/bin/patroni', 'w') as f:
        f.write(SERVICE)
    os.chmod('/usr/bin/patroni', 0o755)
    # Sockets go to /tmp where nothing else is said: of each host its own, with what it has to see of the common one.
    spaces.own_tmp('/run/said', [*programs.values(), *templates.values(), *real.values(), __file__])
    must('ip', 'link', 'set', 'lo', 'up')


def end_everything():
    """Ends all processes but this one and the first."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass
    others = True
    while others:
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pass
        others = [p for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())]
        time.sleep(0.002)
    for path in CGROUPS:
        for below, _, _ in os.walk(f'{path}/{GROUP}', topdown=False):
            os.rmdir(below)


class Host:
    """What one case makes of the host."""

    def __init__(self, request):
        self.files = {p.removeprefix('host/'): t for p, t in request['files'].items()}
        self.files = {p: t if isinstance(t, str) else bytes(t).decode('utf-8', 'surrogateescape') for p, t in self.files.items()}
        self.modes = {p.removeprefix('host/'): int(m, 8) for p, m in (request.get('modes') or {}).items()}
        self.links = request.get('links') or {}
        self.member = request.get('member') or ''
        configs = {p: yaml.safe_load(t) for p, t in self.files.items() if os.path.basename(p) == 'patroni.yml'}
        self.all = list(configs.values())
        mine = [c for p, c in configs.items() if os.path.dirname(p) in (self.member, 'etc', 'etc/patroni')]
        self.config = mine[0] if mine else {}
        postgresql = self.config.get('postgresql') or {}
        found = re.search(r'/(\d\d)/bin', str(postgresql.get('bin_dir')))
        named = int(found.group(1) if found else 17)
        self.major = request.get('major') or named
        self.bin = f'{PROGRAMS}/{self.major}/bin'
        self.data = str(postgresql.get('data_dir') or '/srv/data').rstrip('/')
        below = sorted('/' + os.path.dirname(p) for p in self.files if p.startswith('etc/postgresql/'))
        self.conf = request.get('conf') or str(below[0] if below else postgresql.get('config_dir') or self.data).rstrip('/')
        self.address = re.split('[,:]', str(postgresql.get('listen')))[0]
        old = [f'{path}/{name}' for path in OWNED for name in os.listdir(path)]
        for one in old + [f'/etc/{name}' for name in set(os.listdir('/etc')) - ETC]:
            shutil.rmtree(one) if os.path.isdir(one) and not os.path.islink(one) else os.unlink(one)
        for major in templates:
            link = f'{INSTALLED}/{major}'
            if os.path.islink(link):
                os.unlink(link)
            os.symlink(f'{PROGRAMS}/{self.major if major == named else major}', link)
        open(SAID, 'w').close()
        open(SERVER_LOG, 'w').close()
        if os.path.exists(COLLECT):
            os.unlink(COLLECT)
        os.chmod(SERVER_LOG, 0o666)
        self.fill(any(s.split()[0] in WITH_DATA for s in request['steps']))

    def fill(self, needs_data):
        for path in ('/run/postgresql', self.conf, self.data):
            directory(path)
        os.chmod(self.data, 0o700)
        if needs_data:
            must('cp', '-aT', templates[self.major], self.data)
            os.unlink(f'{self.data}/postgresql.conf')
        others = [os.path.dirname(p) for p in self.files if os.path.basename(p) == 'patroni.yml' and not p.startswith('etc/')]
        places, modes = {}, {}
        for path, text in self.files.items():
            head, _, rest = path.partition('/')
            rest = rest if rest and head == self.member else path
            if head in others and head != self.member:
                continue
            elif rest.startswith('patroni') and rest.endswith('.yml'):
                place = f'/run/said/{rest}'
            elif rest.endswith('postgresql.auto.conf'):
                place = f'{self.data}/postgresql.auto.conf'
            elif head == 'etc':
                place = f'/{path}'
                if os.path.basename(path) == 'patroni.yml':
                    places['/run/said/patroni.yml'] = text
            else:
                place = f'{self.conf}/{rest}'
            places[place] = text
            modes[place] = self.modes.get(path, 0o644)
        main = [p for p in places if re.fullmatch(r'postgresql\S*\.conf', os.path.basename(p)) and not p.endswith('.auto.conf')]
        self.main = min(main, key=len, default=f'{self.conf}/postgresql.conf')
        places.setdefault(self.main, '')
        for name in ('pg_hba.conf', 'pg_ident.conf'):
            places.setdefault(f'{os.path.dirname(self.main)}/{name}', HBA if name == 'pg_hba.conf' else '')
            places.setdefault(f'{self.conf}/{name}', HBA if name == 'pg_hba.conf' else '')
        for path, text in places.items():
            write(path, text)
            os.chmod(path, modes.get(path, 0o644))
        texts = ' '.join(t for p, t in self.files.items() if p.endswith('patroni.yml'))
        for address in sorted(set(re.findall(r'\b(\d+\.\d+\.\d+\.\d+)\b(?!/)', texts)) - {'0.0.0.0', '127.0.0.1'}):
            subprocess.run(['ip', 'addr', 'add', f'{address}/32', 'dev', 'lo'], stderr=subprocess.DEVNULL)

    def cluster(self):
        members = [Member(0, str(c['name']), 0, {'conn_url': f"postgres://{c['postgresql']['connect_address']}/postgres",
                                                 'state': 'running', 'tags': c.get('tags') or {}}) for c in self.all]
        mine = next(m for m in members if m.name == str(self.config['name']))
        dynamic = (self.config.get('bootstrap') or {}).get('dcs') or {}
        return Cluster('1', ClusterConfig(1, dynamic, 1), Leader(0, 0, mine), Status(0, None, []), members, None,
                       SyncState.empty(), None, None)

    def roles(self, rest):
        """Makes the roles that Patroni's file names, before any server runs."""
        users = (self.config.get('postgresql') or {}).get('authentication') or {}
        statements = [f"CREATE ROLE {user['username']} {kind} LOGIN PASSWORD '{user['password']}'\n"
                      for section, kind in (('superuser', 'SUPERUSER'), ('replication', 'REPLICATION'), ('rewind', 'SUPERUSER'))
                      for user in [users.get(section)] if user and user['username'] != 'postgres']
        with open(SAID, 'a') as errors:
            subprocess.run([f'{self.bin}/postgres', '--single', '-c', 'config_file=/dev/null', '-c', 'synchronous_standby_names=',
                            '-c', 'log_min_messages=fatal', '-D', self.data, 'postgres'],
                           input=''.join(statements).encode(), user=POSTGRES.pw_uid, group=POSTGRES.pw_gid, cwd='/', check=True,
                           stdout=subprocess.DEVNULL, stderr=errors)

    def today(self, rest):
        """Starts the server as it runs without Patroni; `rest` are further options."""
        with open(self.main, errors='replace') as f:
            text = f.read()
        own = [f'-c {name}_file={os.path.dirname(self.main)}/pg_{name}.conf' for name in ('hba', 'ident') if f'{name}_file' not in text]
        own += [] if 'unix_socket_directories' in text else ['-c unix_socket_directories=/run/postgresql']
        code = run(f'{self.bin}/pg_ctl', '-s', '-w', '-t', '15', '-D', self.data, '-l', SERVER_LOG, '-o',
                   ' '.join([f'-c config_file={self.main}', *own, rest]), 'start', user=True)
        with open(SERVER_LOG, errors='replace') as f:
            say(f.read())
        say('it runs' if code == 0 else 'it does not start')

    def majors(self, rest):
        """Another major's data in the directory that Patroni's file names."""
        shutil.rmtree(self.data)
        must('cp', '-a', templates[int(rest)], self.data)

    def stop(self, rest):
        must(f'{self.bin}/pg_ctl', '-s', '-w', '-m', rest or 'fast', '-D', self.data, 'stop', user=True)

    def show(self, rest):
        """What a server would run with, or why it would not start."""
        run(f'{self.bin}/postgres', '-D', self.data, '-c', f'config_file={self.main}', '-C', rest, user=True)

    def sql(self, rest):
        """`CONNINFO; STATEMENTS`"""
        conninfo, statements = rest.split(';', 1)
        try:
            with psycopg.connect(conninfo, autocommit=True, connect_timeout=10) as db:
                cursor = db.execute(statements.encode())
                while True:
                    if cursor.description:
                        for row in cursor.fetchall():
                            say(*row)
                    if not cursor.nextset():
                        break
        except psycopg.Error as e:
            say(type(e).__name__, str(e))

    def source(self, rest):
        """From then on connections to an address come from another one."""
        to, of = rest.split()
        run('ip', 'addr', 'add', f'{of}/32', 'dev', 'lo')
        must('ip', 'route', 'replace', 'local', to, 'dev', 'lo', 'src', of, 'table', 'local')

    def program(self, rest):
        run('sh', '-c', rest.replace('BIN', self.bin).replace('DATA', self.data).replace('MAIN', self.main).replace('CONF', self.conf)
            .replace('DAEMON', f'{sys.executable} -m patroni'), user=True)

    def root(self, rest):
        """A command that root runs."""
        for path, text in self.files.items():
            write(f'/srv/case/{path}', text)
        run('sh', '-c', rest.replace('CASE', '/srv/case'))

    def rewind(self, rest):
        """Rewinds a copy of the running server that has gone its own way, as an old primary has; `as ROLE`."""
        run('sh', '-c', REWIND.format(user=rest.split()[-1] if rest else 'postgres', bin=self.bin, address=self.address, conf=f'{self.conf}/postgresql.conf'), user=True, timeout=40)

    def units(self, rest):
        """Starts a real systemd, an instance for a user, with the units of the case and those that are named."""
        shutil.rmtree('/run/user/0', ignore_errors=True)
        there = '/run/user/0/systemd/user'
        os.makedirs(there)
        for name in rest.split():
            with open(f'{there}/{name}', 'w') as f:
                f.write('[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n')
        for path, text in self.files.items():
            if re.search(r'\.service(\.d/[^/]+)?$', path):
                write(f'{there}/{path.split("/system/")[-1]}', text)
        for path, target in self.links.items():
            directory(os.path.dirname(f'{there}/{path.split("/system/")[-1]}'))
            os.symlink(target, f'{there}/{path.split("/system/")[-1]}')

        def enter():
            for path in CGROUPS:
                os.makedirs(f'{path}/{GROUP}', exist_ok=True)
                with open(f'{path}/{GROUP}/cgroup.procs', 'w') as f:
                    f.write('0')

        log = open(SAID, 'a')
        subprocess.Popen(['/lib/systemd/systemd', '--user', '--log-target=console'], preexec_fn=enter, stdin=subprocess.DEVNULL,
                         env={'XDG_RUNTIME_DIR': '/run/user/0', 'HOME': '/root', 'PATH': '/usr/bin:/bin'}, stdout=log, stderr=log)
        while not os.path.exists('/run/user/0/systemd/private'):
            time.sleep(0.02)

    def systemctl(self, rest):
        """A command to that systemd."""
        self.root(f'XDG_RUNTIME_DIR=/run/user/0 timeout 10 systemctl --user --no-pager {rest}')

    def receive(self, rest):
        """Streams under a name, as a standby of that name does; with further options."""
        name, *options = rest.split()
        directory(f'/srv/{name}')
        subprocess.Popen([f'{PROGRAMS}/18/bin/pg_receivewal', '-nD', f'/srv/{name}', '--synchronous', *options,
                          '-d', f'host=127.0.0.1 user=postgres application_name={name}'],
                         user=POSTGRES.pw_uid, group=POSTGRES.pw_gid, cwd='/', stderr=open(SAID, 'a'))

    def clone(self, rest):
        """Makes a copy of the running server while others read from these slots."""
        for slot in rest.split()[1:]:
            self.receive(f'{slot} -S {slot}')
        while run(f'{self.bin}/psql', '-XAtqh', self.address, '-U', 'postgres', '-c',
                  f'SELECT 1 / (count(*) / {len(rest.split()) - 1}) FROM pg_stat_replication', user=True):
            time.sleep(0.05)
        if run(f'{self.bin}/pg_basebackup', '-h', self.address, '-U', 'postgres', '-c', 'fast', '-D', '/srv/clone', user=True) == 0:
            say('cloned')

    def patroni(self, rest):
        """Patroni's own objects, made as Patroni makes them at its start, in a process of their own; words: a file, when it is not patroni.yml, start, stop, slots, sync,
        follow, append, copy, replica, rewind, local and replication (its own connections)."""
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            sleep = REAL_SLEEP
            time.sleep = lambda seconds: sleep(min(seconds, 0.02))  # Patroni waits in whole seconds
            log = os.open(SAID, os.O_WRONLY | os.O_APPEND)
            for fd in (1, 2):
                os.dup2(log, fd)
            os.setgroups([])
            os.setgid(POSTGRES.pw_gid)
            os.setuid(POSTGRES.pw_uid)
            os.environ.update(HOME=POSTGRES.pw_dir, PATH='/usr/bin:/bin')
            logging.basicConfig(stream=sys.stderr, level=logging.INFO, format='%(levelname)s: %(message)s', force=True)
            try:
                words = rest.split()
                file = words.pop(0) if words and words[0].endswith('.yml') else 'patroni.yml'
                self.take_over(Config(f'/run/said/{file}'), words)
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)

    def take_over(self, config, words):
        config.set_dynamic_configuration(config['bootstrap']['dcs'] if 'bootstrap' in config else {})
        global_config.update(None, config.dynamic_configuration)
        postgresql = Postgresql(config['postgresql'], get_mpp(config))
        print('state', postgresql.state, 'role', postgresql.role)
        for word in words:
            if word == 'start':
                print('start:', postgresql.start(timeout=10))
            elif word == 'slots':
                global_config.update(self.cluster())
                tags = type('Own', (Tags,), {'tags': property(lambda _: config.get('tags') or {})})()
                postgresql.slots_handler.sync_replication_slots(self.cluster(), tags)
            elif word == 'follow':
                postgresql.follow(Member(0, 'another', 0, {'conn_url': 'postgres://192.0.2.99:5432/postgres'}), timeout=3)
            elif word == 'sync':
                postgresql.config.set_synchronous_standby_names('"another"')
            elif word == 'local':
                user, address = postgresql.query('SELECT current_user, inet_server_addr()')[0]
                print('local:', user, 'by', address or 'socket')
            elif word == 'replication':
                with postgresql.get_replication_connection_cursor(**postgresql.config.local_replication_address) as cursor:
                    cursor.execute('IDENTIFY_SYSTEM')
                    print('replication:', cursor.fetchone()[2])
            elif word == 'permanent':
                print(self.cluster().has_permanent_slots(postgresql, type('Own', (Tags,), {'tags': {}})()))
            elif word == 'pgpass':
                postgresql.config.write_pgpass({'host': '192.0.2.99', 'port': 5432, 'user': 'replicator', 'password': 'fixture'})
            elif word == 'copy':
                print('copied:', postgresql.bootstrap.basebackup(
                    f'postgres://{self.address}:5432/postgres', os.environ, postgresql.config.get('basebackup') or {}))
            elif word == 'callback':
                postgresql.call_nowait(CallbackAction.ON_ROLE_CHANGE)
                REAL_SLEEP(0.3)
            elif word == 'replica':
                member = Member(0, 'another', 0, {'conn_url': f'postgres://{self.address}:5432/postgres', 'state': 'running'})
                print('replica:', postgresql.bootstrap.create_replica(member))
            elif word == 'rewind':
                Rewind(postgresql).pg_rewind({'host': self.address, 'port': 5432, 'user': 'postgres', 'dbname': 'postgres'})
            elif word == 'promote':
                print('promote:', postgresql.promote(10, CriticalTask()))
            elif word == 'append':
                postgresql.config.append_pg_hba(config['bootstrap']['pg_hba'])
                print('appended')
            elif word == 'stop':
                postgresql.stop(block_callbacks=True)


STEPS = {name: getattr(Host, name) for name in ('roles', 'root', 'rewind', 'clone', 'receive', 'units', 'systemctl', 'majors', 'today', 'stop', 'show', 'sql', 'source', 'program', 'patroni')}


# What needs a data directory; the others are content with an empty one.
WITH_DATA = ('roles', 'today', 'patroni', 'units')


def answer(request):
    end_everything()
    host = Host(request)
    for step in request['steps']:
        word, _, rest = step.partition(' ')
        if word not in STEPS:
            raise ValueError(f'no step {word}')
        say(f'--- {step}')
        STEPS[word](host, rest)
    return {'said': said()}


def main():
    worker = os.fork()
    if worker:  # the first process of the namespace: whoever has lost its parent is ours
        while os.wait()[0] != worker:
            pass
        return
    os.umask(0o022)
    first = json.loads(sys.stdin.readline())
    templates.update({int(major): path for major, path in first['templates'].items()})
    prepare(first['programs'])
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception:
            reply = {'said': said(), 'error': traceback.format_exc()}
        print(json.dumps(reply), flush=True)


if __name__ == '__main__':  # Patroni starts the server from a fresh interpreter that reads this file too
    main()
