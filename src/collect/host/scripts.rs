//! The programs of probes that are more than one command. They are constants; what they are about comes as parameters.

/// What there is at `$1`: the path itself, what it leads to, and the path without links.
pub(super) const STAT: &str = r#"
f='%f|%u|%U|%g|%G|%s'
stat -c $f -- "$1" || exit
if m=$(stat -L -c $f -- "$1" 2>&1); then echo "$m"; else case $m in *'ermission denied') echo denied ;; *) echo dead ;; esac; fi
readlink -f -- "$1" 2>/dev/null
exit 0
"#;

/// The same of many paths, each behind a number of its own, in frames as those of `probe.sh` with the token `$1`: so many questions of one
/// kind would cost most of the time of a round.
pub(super) const STATS: &str = r#"
t=$1 f='%f|%u|%U|%g|%G|%s'
shift
exec 9>&1
look() {
    o=$(stat -c $f -- "$1") || return
    echo "$o"
    if [ ! -L "$1" ]; then
        echo "$o"
    elif m=$(stat -L -c $f -- "$1" 2>&1); then
        echo "$m"
    else
        case $m in *'ermission denied') echo denied ;; *) echo dead ;; esac
    fi
    readlink -f -- "$1" 2>/dev/null
    return 0
}
while [ $# -gt 1 ]; do
    printf '%s %s out\n' "$t" "$1"
    said=$(look "$2" 2>&1 >&9 9>&-)
    printf '\n%s %s said\n%s\n%s\n%s %s end\n' "$t" "$1" "$said" "$?" "$t" "$1"
    shift 2
done
"#;

/// The first `$2` bytes of the regular file `$1`.
pub(super) const READ: &str = r#"
m=$(stat -L -c %f -- "$1") || exit
case $m in
8???) exec head -c "$2" -- "$1" ;;
*) echo "$1: not a regular file" >&2; exit 3 ;;
esac
"#;

/// The names in the directory `$1`, each followed by NUL.
pub(super) const LIST: &str = r#"
command -v ls >/dev/null || { echo 'ls: not found' >&2; exit 127; }
ls -A -- "$1/" >/dev/null || { stat -L -- "$1/" >/dev/null && exit 2; exit 1; }
cd -- "$1" || exit 2
for f in * .[!.]* ..?*; do
    if [ -e "$f" ] || [ -L "$f" ]; then printf '%s\000' "$f"; fi
done
"#;

/// Files and links in the directory `$1` and those directly below it: kind, name, target of a link, NUL behind each.
pub(super) const TREE: &str = r#"
command -v ls >/dev/null || { echo 'ls: not found' >&2; exit 127; }
ls -A -- "$1/" >/dev/null || { stat -L -- "$1/" >/dev/null && exit 2; exit 1; }
cd -- "$1" || exit 2
for f in * */*; do
    if [ -L "$f" ]; then
        printf 'l\000%s\000%s\000' "$f" "$(readlink -- "$f")"
    elif [ -f "$f" ]; then
        printf 'f\000%s\000\000' "$f"
    elif [ -d "$f" ] && ! { [ -r "$f" ] && [ -x "$f" ]; }; then
        echo "$1/$f: Permission denied" >&2
        exit 2
    fi
done
"#;

/// The lines of the files `$2...` (patterns, which are constants of ours) that match `$1`: NUL, file, NUL, then `NUMBER:LINE` lines.
pub(super) const GREP: &str = r#"
e=$1
shift
command -v grep >/dev/null || { echo 'grep: not found' >&2; exit 127; }
for g; do
    for d in ${g%/*}; do
        if [ -d "$d" ] && ! { [ -r "$d" ] && [ -x "$d" ]; }; then echo "$d: Permission denied" >&2; fi
    done
    set --
    for f in $g; do if [ -f "$f" ]; then set -- "$@" "$f"; fi; done
    [ $# -gt 0 ] || continue
    # Most have none: one look at all of them before one at each.
    grep -lE -e "$e" -- "$@" | while IFS= read -r f; do
        if o=$(grep -nE -e "$e" -- "$f"); then printf '\000%s\000%s\n' "$f" "$o"; fi
    done
done
exit 0
"#;

/// Number and groups of the user `$1`.
pub(super) const USER: &str = r#"id -u -- "$1" && id -G -- "$1""#;

/// The filesystem of `$1`, or the one that it would lie on.
pub(super) const SPACE: &str = r#"
p=$1
while [ ! -e "$p" ] && [ "$p" != / ]; do
    p=${p%/*}
    p=${p:-/}
    if [ -d "$p" ] && [ ! -x "$p" ]; then echo "$p: Permission denied" >&2; exit 1; fi
done
df -Pk -- "$p" && { echo; stat -f -c %T -- "$p"; exit 0; }
"#;

/// The addresses of the name `$1`, in the order in which libpq tries them. Without an address of IPv6 beside the loopback one `getent`
/// leaves out `::1`, which libpq does not; where it cannot be told that, what it finds for IPv6 comes first, as it does by default.
pub(super) const LOCALHOST: &str = r#"
getent --no-addrconfig ahosts -- "$1" 2>/dev/null && exit 0
getent hosts -- "$1"
getent ahosts -- "$1"
"#;

/// Runs `$1...` as the owner of that program, when we are root and the owner is another one: a program that somebody else can
/// change is not run with root's rights.
pub(super) const AS_OWNER: &str = r#"
u=$(stat -L -c %u -- "$1") || exit 127
g=$(stat -L -c %g -- "$1") || exit 127
if [ "$(id -u)" != 0 ] || [ "$u" = 0 ]; then exec "$@"; fi
command -v setpriv >/dev/null || { echo "$1: not root's, and setpriv is not there: Permission denied" >&2; exit 126; }
exec setpriv --reuid "$u" --regid "$g" --clear-groups -- "$@"
"#;

/// What the user `$1` may do with `$2...`: a line `=rwx` for each.
pub(super) const ACCESS: &str = r#"
u=$1
shift
t='for p; do a=; test -r "$p" && a=r; test -w "$p" && a=${a}w; test -x "$p" && a=${a}x; echo "=$a"; done'
if [ "$(id -un)" = "$u" ]; then exec sh -c "$t" sh "$@"; fi
if [ "$(id -u)" != 0 ]; then echo 'not root: Permission denied' >&2; exit 1; fi
if setpriv --version >/dev/null 2>&1; then
    exec setpriv --reuid "$(id -u -- "$u")" --regid "$(id -g -- "$u")" --init-groups -- sh -c "$t" sh "$@"
fi
exec runuser -u "$u" -- sh -c "$t" sh "$@"
"#;

/// Processes by their names. Every value is in hexadecimal digits.
pub(super) const PROCESSES: &str = r#"
for t in grep od tr sed readlink; do command -v $t >/dev/null || { echo "$t: not found" >&2; exit 127; }; done
cd /proc || exit
[ -d 1 ] || { echo 'processes of others are hidden: Permission denied' >&2; exit 1; }
exec 2>/dev/null
hex() { od -An -v -tx1 | tr -d ' \n'; echo; }
sed -n 's/^btime //p' stat
for f in $(grep -lE '^(postgres|postmaster|edb-postgres|patroni|repmgrd|keepalived|pg_autoctl|stolon-.*|pacemakerd|corosync|vip-manager|python[0-9.]*)$' [0-9]*/comm); do
    p=${f%/comm}
    c= s= a= m=
    read -r c < "$p/comm" || continue
    read -r s < "$p/stat" || continue
    case $c in python*) grep -q patroni "$p/cmdline" || continue ;; esac
    r=${s##*) }
    set -- $r
    case $c in
    postgres|postmaster|edb-postgres) read -r m < "$2/comm"; [ "$m" = "$c" ] && continue ;;
    esac
    echo "pid $p"
    printf 'stat '; hex < "$p/stat"
    printf 'uid '; sed -n 's/^Uid:[[:space:]]*//p' "$p/status" | hex
    printf 'cmdline '; head -c 65536 "$p/cmdline" | hex
    printf 'cgroup '; head -c 65536 "$p/cgroup" | hex
    printf 'cwd '; readlink "$p/cwd" | hex
done
exit 0
"#;

/// Who holds listening sockets, and the devices `$1...`: `PID TARGET NAME`.
pub(super) const HOLDERS: &str = r#"
command -v awk >/dev/null || { echo 'awk: not found' >&2; exit 127; }
DEVICES=$(printf '%s\n' "$@")
export DEVICES
ls -ln /proc/[0-9]*/fd 2>/dev/null | awk '
BEGIN {
    n = split(ENVIRON["DEVICES"], d, "\n")
    for (i = 1; i <= n; i++) if (d[i] != "") want[d[i]] = 1
    for (i = 0; i < 2; i++) {
        f = i ? "/proc/net/tcp6" : "/proc/net/tcp"
        while ((getline l < f) > 0) { split(l, w); if (w[4] == "0A") want["socket:[" w[10] "]"] = 1 }
    }
    while ((getline l < "/proc/net/unix") > 0) {
        split(l, w)
        if (w[4] == "00010000" && index(l, ".s.PGSQL.")) want["socket:[" w[7] "]"] = 1
    }
}
/^\/proc\/[0-9]+\/fd:$/ { split($0, a, "/"); pid = a[3]; next }
($NF in want) && !((pid, $NF) in seen) {
    seen[pid, $NF] = 1
    c = ""
    f = "/proc/" pid "/comm"
    getline c < f
    close(f)
    print pid, $NF, c
}'
"#;

/// What a Python has, for Patroni.
pub(super) const PYTHON: &str = r"
import sys
print('python', '.'.join(str(n) for n in sys.version_info[:3]))
import importlib.util
for name in ('patroni', 'psycopg', 'psycopg2', 'systemd', 'etcd', 'dns', 'consul', 'kazoo', 'kubernetes', 'pysyncobj', 'pythonjsonlogger',
             'OpenSSL', 'cryptography', 'boto3', 'cdiff', 'ydiff'):
    try:
        if importlib.util.find_spec(name): print('module', name)
    except Exception: pass
try:
    from importlib.metadata import distributions
except ImportError:
    sys.exit()
print('packages')
wanted = ('patroni psycopg psycopg-binary psycopg-c psycopg2 psycopg2-binary systemd-python cysystemd python-etcd dnspython python-consul '
          'py-consul kazoo kubernetes pysyncobj python-json-logger pyopenssl cryptography urllib3 pyyaml python-dateutil click '
          'prettytable psutil setuptools').split()
seen = {}
for d in distributions():
    name = (d.metadata['Name'] or '').lower().replace('_', '-')
    if name in wanted and name not in seen:
        seen[name] = d.version
for name in sorted(seen): print('package', name, seen[name])
";
