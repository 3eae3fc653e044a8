LC_ALL=C PYTHONDONTWRITEBYTECODE=1 SYSTEMD_COLORS=0
PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}"
export LC_ALL PYTHONDONTWRITEBYTECODE SYSTEMD_COLORS PATH
unset CDPATH ENV
cd /
exec 3>&1

has_timeout= has_setsid=
timeout -k 1 5 true 2>/dev/null && has_timeout=1
command -v setsid >/dev/null && has_setsid=1

# limit SECONDS PROGRAM...: runs it for so long at most.
limit() {
    seconds=$1
    shift
    if [ "$has_timeout" ]; then
        timeout -k 1 "$seconds" "$@"
        return
    fi
    # What it starts itself is ended with it, where it can have a group of its own.
    if [ "$has_setsid" ]; then setsid "$@" & else "$@" & fi
    child=$!
    (sleep "$seconds"; kill -9 "${has_setsid:+-}$child") >/dev/null 2>&1 3>&- 4>&- &
    guard=$!
    wait "$child"
    code=$?
    kill "$guard" 2>/dev/null
    return "$code"
}

# p NUMBER BYTES SECONDS PROGRAM...: one probe; its output, what it says on standard error, and its exit code, in a frame.
p() {
    number=$1 bytes=$2 most=$3
    shift 3
    printf '%s %s out\n' "$T" "$number" >&3
    said=$(
        {
            {
                limit "$most" "$@" </dev/null 2>&4 3>&- 4>&-
                printf '\n%s' "$?" >&4
            } | head -c "$bytes" >&3
        } 4>&1 | tail -c 500
    )
    printf '\n%s %s said\n%s\n%s %s end\n' "$T" "$number" "$said" "$T" "$number" >&3
}

# b SECONDS SCRIPT WORD...: many small probes by one program, which makes their frames itself. Those that it does not come to are asked again.
b() {
    most=$1
    shift
    limit "$most" sh -c "$@" </dev/null >&3 2>/dev/null
}

printf '%s hello %s\n' "$T" "$(date '+%s %N')" >&3
