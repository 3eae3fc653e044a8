#!/usr/bin/env bash
# Runs libFuzzer over the parsers:  scripts/fuzz.sh SECONDS [TARGET]
#
# The instrumentation needs no nightly compiler: it is a pass of LLVM. Naming the target keeps it out of build scripts, and
# the C code of pg_query is built without it. What is found goes to fuzz/artifacts/TARGET, what is learnt to fuzz/corpus/TARGET.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?seconds per target}
wanted=${2:-}

triple=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=target/fuzz
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
cargo build --release --manifest-path fuzz/Cargo.toml --target "$triple"

for file in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$file" .rs)
    [[ -z $wanted || $wanted == "$target" ]] || continue
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    echo "== fuzz $target: $seconds s"
    "target/fuzz/$triple/release/$target" "fuzz/corpus/$target" "fuzz/seeds/$target" \
        -artifact_prefix="fuzz/artifacts/$target/" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 \
        -verbosity=0 -print_final_stats=1
done
