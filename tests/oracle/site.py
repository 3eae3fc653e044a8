"""Several hosts with real PostgreSQL, etcd and Patroni, each with its own addresses, files and processes.

Runs as the first process of namespaces of its own (mounts, network, processes); each host has namespaces below these and a link to a
bridge here. All of it is gone when this process ends, and it ends when its input does. One JSON request, one answer:

{"major": 15, "bin": BIN, "template": DATA, "sql": [[DATABASE, [STATEMENT]]], "conf": TEXT, "tools": DIR, "program": PATH, "bridge": ADDRESS,
 "data": DIR, "debian": BOOL, "start": [WORD], "primary": [WORD], "hosts": [HOST]}
HOST: {"name": NAME, "address": ADDRESS, "kind": "member" | "etcd" | "operator", "files": {PATH: TEXT}, "secret": [PATH], "etcd": [WORD]}
  -> {"hosts": {NAME: {"pid": PID, "link": NAME}}, "took": {WHAT: SECONDS}} or {"error": TEXT}

The first member is the primary, the others stream from it. `sql` is run before it starts, `primary` by psql when it runs, and before
its standbys start. After that the operator's `ssh` is served.
"""
import ctypes
import glob
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

import spaces

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
POSTGRES = pwd.getpwnam('postgres')
INSTALLED = '/usr/lib/postgresql'
# What is a host's own besides /etc, /usr/bin and /tmp.
OWN = ['/var/lib/postgresql', '/var/log', '/srv', '/home', '/root', '/dev/shm', '/etc/postgresql']
# Here before there are hosts, and on each of them.
STAGE, SCRATCH = '/run/stage', '/run/scratch'
PREPARED = f'{STAGE}/data'
began = time.monotonic()
took = {}


def done(what):
    took[what] = round(time.monotonic() - began, 2)


def environment(user):
    major = spec['major']
    home = pwd.getpwnam(user).pw_dir
    path = f'/usr/sbin:/usr/bin:/sbin:/bin:{INSTALLED}/{major}/bin'
    return {'PATH': path, 'LC_ALL': 'C.UTF-8', 'HOME': home, 'USER': user, 'LOGNAME': user}


def ran(*command, user=None, stdin=None, **more):
    """Runs a program that must succeed; what it has written."""
    drop = {'user': POSTGRES.pw_uid, 'group': POSTGRES.pw_gid, 'extra_groups': []} if user == 'postgres' else {}
    result = subprocess.run(command, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=60, env=environment(user or 'root'), cwd='/', **drop, **more)
    if result.returncode:
        raise RuntimeError(f'{command}: {result.stdout}')
    return result.stdout


def there(pid, user='root'):
    """The words before those of a program that is to run on a host."""
    return ['nsenter', '-t', str(pid), '-a', '--'] + (['setpriv', '--reuid', user, '--regid', user, '--init-groups', '--'] if user != 'root' else [])


def unshare(flags):
    if spaces.LIBC.unshare(flags):
        raise OSError(ctypes.get_errno(), 'unshare')


def wait_for(what, seconds, holds):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f'{what} does not come')
        time.sleep(0.02)


def directory(path):
    """Makes a directory of postgres, with those above it."""
    if not os.path.isdir(path):
        directory(os.path.dirname(path))
        os.mkdir(path)
        os.chown(path, POSTGRES.pw_uid, POSTGRES.pw_gid)


def write(path, text, mode=0o644):
    directory(os.path.dirname(path))
    with open(path, 'w') as f:
        f.write(text)
    os.chmod(path, mode)
    os.chown(path, POSTGRES.pw_uid, POSTGRES.pw_gid)


def prepare_data():
    """The data directory that the primary and its standbys begin with, cleanly stopped."""
    ran('cp', '-a', spec['template'], PREPARED)
    # With the settings of the primary: its standbys compare theirs with what pg_control says.
    write(f'{STAGE}/conf', spec['conf'])
    for database, sql in spec['sql']:
        said = ran(f'{spec["bin"]}/postgres', '--single', '-F', '-j', '-c', f'config_file={STAGE}/conf', '-c', 'log_min_messages=error',
                   '-D', PREPARED, database, user='postgres', stdin=''.join(f'{s}\n\n' for s in sql))
        if 'ERROR' in said:
            raise RuntimeError(said)


class Host:
    """One host; `pid` is its first process."""

    def __init__(self, spec, number):
        self.spec, self.name, self.kind = spec, spec['name'], spec['kind']
        self.link = f'host{number}'

    def fork(self):
        """Makes its namespaces, and lets its first process prepare the host."""
        self.ready, ready = os.pipe()
        self.go = os.pipe()
        pids, report = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(self.go[1])
                unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)
                ran('ip', '-batch', '-', stdin=f'link set lo up\nlink add eth0 type veth peer name {self.link} netns 1\n'
                    f'addr add {self.spec["address"]}/24 dev eth0\nlink set eth0 up\n')
                unshare(CLONE_NEWPID)
                first = os.fork()
                if first == 0:
                    self.be_first(ready)
                os.write(report, str(first).encode())
            except BaseException:
                os.write(ready, traceback.format_exc().encode())
            os._exit(0)
        for fd in (ready, report, self.go[0]):
            os.close(fd)
        os.waitpid(child, 0)
        self.pid = int(os.read(pids, 20) or 0)
        os.close(pids)

    def be_first(self, ready):
        """The first process of the host: prepares it and then takes over what has lost its parent."""
        try:
            os.setsid()
            # Requests and answers are the site's, not the host's.
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            self.prepare()
            os.write(ready, b'ready')
        except BaseException:
            os.write(ready, traceback.format_exc().encode())
            os._exit(1)
        os.close(ready)
        os.chdir('/')
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        while True:
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                pass
            signal.sigtimedwait([signal.SIGCHLD], 1)

    def prepare(self):
        socket.sethostname(self.name)
        spaces.mount('proc', '/proc', 'proc')
        packaged = os.path.realpath(spec['bin']) == f'{INSTALLED}/{spec["major"]}/bin'
        real = os.path.dirname(os.path.realpath(spec['bin']))
        stage = os.open(STAGE, os.O_PATH)
        spaces.empty('/run')
        os.makedirs(SCRATCH)
        os.makedirs(STAGE)
        spaces.bind(f'/proc/self/fd/{stage}', STAGE)
        os.close(stage)
        for path in ('/etc', '/usr/bin') if packaged else ('/etc', '/usr/bin', '/usr/lib'):
            spaces.overlay(path, SCRATCH)
        programs = f'{SCRATCH}/postgresql'
        os.makedirs(programs)
        if packaged:
            spaces.bind(INSTALLED, programs)
        else:
            # Programs of a wheel have libraries that they look for in a directory beside the package.
            for path in glob.glob(f'{real}/../../*.libs'):
                os.symlink(os.path.realpath(path), f'/usr/lib/{os.path.basename(path)}')
        spaces.empty(INSTALLED)
        os.makedirs(f'{INSTALLED}/{spec["major"]}')
        spaces.bind(f'{programs}/{spec["major"]}' if packaged else real, f'{INSTALLED}/{spec["major"]}')
        open('/usr/bin/patroni-preflight', 'w').close()
        spaces.bind(spec['program'], '/usr/bin/patroni-preflight')
        os.makedirs('/etc/postgresql', exist_ok=True)
        for path in OWN:
            spaces.empty(path, '1777' if path == '/dev/shm' else '0700' if path == '/root' else '0755')
        spaces.own_tmp(SCRATCH, [spec['tools'], real])
        for path in ('/var/lib/postgresql', '/etc/postgresql', '/etc/patroni', '/var/log/postgresql', '/var/log/patroni', '/run/postgresql', '/run/patroni'):
            os.makedirs(path, exist_ok=True)
            os.chown(path, POSTGRES.pw_uid, POSTGRES.pw_gid)
        os.chmod('/run/postgresql', 0o2775)
        self.programs()
        hosts = ''.join(f'{h["address"]} {h["name"]}\n' for h in spec['hosts'])
        for path, text in (('/etc/hostname', f'{self.name}\n'), ('/etc/hosts', f'127.0.0.1 localhost\n::1 localhost\n{hosts}'), ('/etc/resolv.conf', '')):
            if os.path.lexists(path):
                os.unlink(path)
            with open(path, 'w') as f:
                f.write(text)
        if self.kind == 'member':
            self.prepare_member()
        for path, text in self.spec['files'].items():
            write(path, text, 0o600 if path in self.spec['secret'] else 0o644)
        # Nothing of the site is left to be seen.
        spaces.LIBC.umount2(STAGE.encode(), 2)
        os.rmdir(STAGE)

    def programs(self):
        """Patroni, and of the others who is the host of what."""
        python = os.path.realpath(f'{spec["tools"]}/py/bin')
        links = {name: f'{python}/{name}' for name in ('patroni', 'patronictl')} if self.kind != 'etcd' else {}
        if self.kind == 'etcd':
            links['etcd'] = os.path.realpath(f'{spec["tools"]}/etcd/etcd')
        if self.kind == 'operator':
            shutil.copy(f'{STAGE}/ssh', '/usr/bin/own-ssh')
            links['ssh'] = '/usr/bin/own-ssh'
        for name, target in links.items():
            if os.path.lexists(f'/usr/bin/{name}'):
                os.unlink(f'/usr/bin/{name}')
            os.symlink(target, f'/usr/bin/{name}')

    def prepare_member(self):
        data = spec['data']
        directory(os.path.dirname(data))
        os.read(self.go[0], 1)
        ran('cp', '-a', PREPARED, data)
        if spec['debian']:
            # As on any Debian: its program makes the files below /etc from those that initdb has left in the data directory.
            ran('pg_createcluster', '-p', '5432', '--start-conf', 'auto', str(spec['major']), 'main')

    def inside(self, *command, user='root', stdin=None):
        try:
            return ran(*there(self.pid, user), *command, stdin=stdin)
        except RuntimeError as e:
            raise RuntimeError(f'{self.name}: {e}\n{self.logs()}') from None

    def logs(self):
        """The ends of what its programs have logged."""
        files = [f'/proc/{self.pid}/root/var/log/{d}/{f}' for d in ('postgresql', 'patroni', 'etcd') if os.path.isdir(f'/proc/{self.pid}/root/var/log/{d}')
                 for f in os.listdir(f'/proc/{self.pid}/root/var/log/{d}')]
        return ''.join(open(f, errors='replace').read()[-3000:] for f in files)

    def start_etcd(self):
        os.makedirs(f'/proc/{self.pid}/root/var/log/etcd', exist_ok=True)
        # Its parent ends, so it becomes one of the host.
        self.inside('sh', '-c', 'setsid "$@" >> /var/log/etcd/etcd.log 2>&1 < /dev/null & echo $! > /run/etcd.pid', 'sh', *self.spec['etcd'])

    def start_postgres(self):
        self.inside(*spec['start'], user='postgres')

    def sql(self, text):
        # Whatever the server's `client_min_messages` is: nothing but the answer.
        database = "dbname=postgres options='-c client_min_messages=warning'"
        return self.inside('psql', '-h', '/var/run/postgresql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', database, '-f', '-', user='postgres', stdin=text)


def at_once(function, hosts):
    """Does something on several hosts at the same time."""
    errors = []

    def one(host):
        try:
            function(host)
        except BaseException:
            errors.append(traceback.format_exc())

    threads = [threading.Thread(target=one, args=(host,)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise RuntimeError('\n'.join(errors))


def is_agreed(address):
    """Whether the members of etcd work by the version of this one."""
    try:
        connection = http.client.HTTPConnection(address, 2379, timeout=5)
        connection.request('GET', '/version')
        versions = json.load(connection.getresponse())
        return versions['etcdserver'].split('.')[:2] == versions['etcdcluster'].split('.')[:2]
    except (OSError, ValueError):
        return False


def boot():
    os.makedirs('/run', exist_ok=True)
    spaces.empty('/run')
    os.makedirs(STAGE)
    shutil.copy(f'{os.path.dirname(os.path.abspath(__file__))}/site_ssh.py', f'{STAGE}/ssh')
    os.chmod(f'{STAGE}/ssh', 0o755)
    ran('ip', '-batch', '-', stdin=f'link set lo up\nlink add site type bridge\naddr add {spec["bridge"]}/24 dev site\nlink set site up\n')
    hosts = [Host(h, number) for number, h in enumerate(spec['hosts'])]
    for host in hosts:
        host.fork()
    # Whoever waits for the start may go away at any time.
    threading.Thread(target=end_with_input, daemon=True).start()
    ran('ip', '-batch', '-', stdin=''.join(f'link set {h.link} master site up\n' for h in hosts))
    done('hosts')
    members, etcds = ([h for h in hosts if h.kind == kind] for kind in ('member', 'etcd'))

    def ready(host):
        with os.fdopen(host.ready) as pipe:
            said = pipe.read()
        if said != 'ready':
            raise RuntimeError(f'{host.name}: {said}')

    def etcd():
        at_once(ready, etcds)
        at_once(Host.start_etcd, etcds)

    with_etcd = threading.Thread(target=etcd)
    with_etcd.start()
    if members:
        prepare_data()
        done('data')
        for host in members:
            os.write(host.go[1], b'.')
    at_once(ready, [h for h in hosts if h not in etcds])
    done('files')
    if members:
        primary, *standbys = members
        primary.start_postgres()
        primary.sql('\n'.join(spec['primary']))
        done('primary')
        at_once(Host.start_postgres, standbys)
        wait_for('streaming', 20, lambda: primary.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'").strip() == str(len(standbys)))
        done('standbys')
    with_etcd.join()
    # It listens before its members agree on a version, and Patroni cannot read what it answers until then.
    for host in etcds:
        wait_for(f'etcd on {host.name}', 20, lambda: is_agreed(host.spec['address']))
    done('etcd')
    return {host.name: host for host in hosts}


def serve(hosts):
    """Runs on hosts what the operator's ssh asks for, with that program's own input and output."""
    operator = next(h for h in hosts.values() if h.kind == 'operator')
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f'/proc/{operator.pid}/root/run/ssh')
    listener.listen(64)

    def answer(connection):
        with connection:
            text, fds, _, _ = socket.recv_fds(connection, 1 << 18, 3)
            try:
                asked = json.loads(text)
                command = asked['command'] or '/bin/sh'
                words = there(hosts[asked['host']].pid, asked['user']) + ['/bin/sh', '-c', 'cd && exec /bin/sh -c "$1"', 'sh', command]
                env = environment(asked['user'])
                # As sshd: a session of its own, in the user's home.
                words = ['env', '-i', *(f'{k}={v}' for k, v in env.items()), *words]
                code = subprocess.Popen(words, stdin=fds[0], stdout=fds[1], stderr=fds[2], start_new_session=True, cwd='/').wait()
            finally:
                for fd in fds:
                    os.close(fd)
            try:
                connection.send(str(code if code >= 0 else 255).encode())
            except OSError:
                pass  # whoever asked is gone

    def accept():
        while True:
            threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def main():
    global spec
    os.umask(0o022)
    spec = json.loads(sys.stdin.readline())
    try:
        hosts = boot()
        serve(hosts)
        answer = {'hosts': {name: {'pid': host.pid, 'link': host.link} for name, host in hosts.items()}, 'took': took}
    except Exception:
        answer = {'error': traceback.format_exc()}
    print(json.dumps(answer), flush=True)
    while True:
        time.sleep(60)


def end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == '__main__':
    main()
