"""What the checks of the Patroni tables share: where the sources lie, how a row says which releases it speaks of."""
import ast
import functools
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = pathlib.Path(os.environ.get('PREFLIGHT_TOOLS') or ROOT / 'target/tools')
SOURCES = TOOLS / 'patroni-src'
TABLES = ROOT / 'src/knowledge/patroni'


def number(version):
    return tuple(int(part) for part in version.split('.'))


def releases():
    """Every unpacked release, oldest first."""
    found = sorted((p.name for p in SOURCES.glob('*') if (p / 'patroni/version.py').exists()), key=number)
    if not found:
        sys.exit('no sources: run scripts/knowledge/patroni-src.sh')
    return found


def reads(row, version):
    """Whether a row of a table claims to hold for a release (columns `since` and `removed`)."""
    this = number(version)
    since = [number(s) for s in row['since'].split(',')]
    same_line = [s for s in since if s[:2] == this[:2]]
    begun = this >= same_line[0] if same_line else any(s[:2] < this[:2] for s in since)
    ended = row.get('removed', '-') != '-' and this >= number(row['removed'])
    return begun and not ended


def table(name):
    """The rows of a table as dicts; `{a,b}` in the first column gives a row each."""
    lines = [line for line in (TABLES / name).read_text().split('\n') if line and not line.startswith('#')]
    head = lines[0].split('\t')
    rows = []
    for line in lines[1:]:
        cells = line.split('\t')
        assert len(cells) == len(head), line
        for path in braces(cells[0]):
            rows.append(dict(zip(head, [path] + cells[1:])))
    return rows


def braces(text):
    match = re.search(r'\{([^}]*)\}', text)
    if not match:
        return [text]
    return [done for word in match[1].split(',') for done in braces(text[:match.start()] + word + text[match.end():])]


@functools.lru_cache(None)
def modules(version):
    """The parsed modules of a release, by their path inside the package."""
    package = SOURCES / version / 'patroni'
    return {str(f.relative_to(package)): ast.parse(f.read_text()) for f in sorted(package.rglob('*.py'))}


@functools.lru_cache(None)
def words(version):
    """Every string constant of a release that is no docstring, with the modules it stands in."""
    found = {}
    for name, tree in modules(version).items():
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                found.setdefault(node.value, set()).add(name)
    return found


def end(problems, looked_at):
    for line in problems:
        print(line)
    print(f'{looked_at}; {len(problems)} problems')
    sys.exit(1 if problems else 0)
