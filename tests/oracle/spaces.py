"""Places of a file system that belong to a namespace alone, so that the machine's own are neither seen nor touched."""
import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)
MS_BIND, MS_REC = 4096, 16384


def mount(source, target, kind=None, options=None, flags=0):
    """mount(2)."""
    raw = [text and os.fsencode(text) for text in (source, target, kind, options)]
    if LIBC.mount(raw[0], raw[1], raw[2], ctypes.c_ulong(flags), raw[3]):
        raise OSError(ctypes.get_errno(), f'mount {kind or "--bind"}: {os.strerror(ctypes.get_errno())}', source, None, target)


def bind(source, target):
    """Shows a file or a directory, and what is mounted in it, at another place too."""
    mount(source, target, flags=MS_BIND | MS_REC)


def empty(path, mode='0755'):
    """Makes a directory empty."""
    mount('tmpfs', path, 'tmpfs', f'mode={mode}')


def overlay(path, scratch):
    """Keeps what is written below a directory elsewhere: below `scratch`, which is in memory."""
    upper, work = (f'{scratch}{path}/{name}' for name in ('upper', 'work'))
    os.makedirs(upper)
    os.makedirs(work)
    mount('overlay', path, 'overlay', f'lowerdir={path},upperdir={upper},workdir={work}')


def own_tmp(scratch, paths):
    """An empty /tmp in which only these paths are still found."""
    os.makedirs(f'{scratch}/tmp')
    bind('/tmp', f'{scratch}/tmp')
    empty('/tmp', '1777')
    for name in {path.split('/')[2] for path in paths if path.startswith('/tmp/')}:
        os.symlink(f'{scratch}/tmp/{name}', f'/tmp/{name}')
