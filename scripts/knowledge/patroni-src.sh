#!/bin/sh
# Unpacks the source of every Patroni release line that the knowledge tables speak of, from PyPI, into
# target/tools/patroni-src/<version>/patroni. Needs target/tools/py (`make setup`). What is already there is kept.
#
#   sh scripts/knowledge/patroni-src.sh [VERSION…]
set -eu
cd "$(dirname "$0")/../.."
tools=${PREFLIGHT_TOOLS:-target/tools}
# First and last of each line, and those in between that show where a key begins.
versions=${*:-"3.0.0 3.0.1 3.0.2 3.0.3 3.0.4 3.1.0 3.1.2 3.2.0 3.2.2 3.3.0 3.3.2 3.3.3 3.3.4 3.3.8 3.3.9 3.3.10 3.3.11 4.0.1 4.0.2 4.0.3 4.0.4 4.0.7 4.0.8 4.0.9 4.0.10 4.0.11 4.1.0 4.1.1 4.1.2 4.1.4 4.1.5"}
for version in $versions; do
    into=$tools/patroni-src/$version
    if [ -f "$into/patroni/version.py" ]; then
        continue
    fi
    work=$(mktemp -d)
    "$tools/py/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :none: \
        --dest "$work" "patroni==$version"
    mkdir -p "$into"
    "$tools/py/bin/python" - "$work" "$into" <<'PY'
import pathlib, shutil, sys, tarfile, tempfile, zipfile
work, into = map(pathlib.Path, sys.argv[1:])
for archive in sorted(work.iterdir()):
    with tempfile.TemporaryDirectory() as there:
        if archive.suffix in ('.whl', '.zip'):
            zipfile.ZipFile(archive).extractall(there)
        else:
            tarfile.open(archive).extractall(there, filter='data')
        found = sorted(pathlib.Path(there).glob('**/patroni/version.py'))[0].parent
        shutil.copytree(found, into / 'patroni', dirs_exist_ok=True)
PY
    rm -rf "$work"
done
ls "$tools/patroni-src"
