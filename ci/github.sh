#!/usr/bin/env bash
# What the GitHub action runs: one lint with all its reports. The exit code goes to $GITHUB_OUTPUT, so that SARIF is
# uploaded before the job fails.
#
# INPUT_PATHS, one a line · INPUT_ARGS, one a line · INPUT_SARIF_FILE, may be empty · INPUT_SUMMARY, true or false
set -euo pipefail

paths=() args=()
while IFS= read -r line; do [[ -z $line ]] || paths+=("$line"); done <<<"${INPUT_PATHS:-}"
while IFS= read -r line; do [[ -z $line ]] || args+=("$line"); done <<<"${INPUT_ARGS:-}"
[[ -z ${INPUT_SARIF_FILE:-} ]] || args+=(--output "sarif=$INPUT_SARIF_FILE")
summary=
if [[ ${INPUT_SUMMARY:-} == true && -n ${GITHUB_STEP_SUMMARY:-} ]]; then
    summary=$(mktemp)
    args+=(--output "markdown=$summary")
fi

code=0
patroni-preflight lint --format github ${args[@]+"${args[@]}"} -- ${paths[@]+"${paths[@]}"} || code=$?
if [[ -n $summary ]]; then
    cat "$summary" >>"$GITHUB_STEP_SUMMARY"
    rm -f "$summary"
fi
printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"
