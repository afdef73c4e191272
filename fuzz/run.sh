#!/usr/bin/env bash
# Gives each fuzz target its time: `fuzz/run.sh SECONDS [TARGET..]`, all of them unless named.
#
# SANITIZER=none (the default) is the fastest; SANITIZER=address sees what `unsafe` does wrong.
# Every run leaves a log in fuzz/logs (or $FUZZ_LOGS), which fuzz/total.sh sums up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=$1
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(header npy npz npz_structured roundtrip write)
sanitizer=${SANITIZER:-none}
logs=${FUZZ_LOGS:-logs}

toolchain=$(rustup toolchain list | grep -o '^nightly[^ ]*' | head -n 1) || {
    echo 'fuzzing needs a nightly toolchain: rustup toolchain install nightly' >&2
    exit 1
}
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
[ -d corpus ] || ./seed.sh
cargo "+$toolchain" fuzz build -O --sanitizer "$sanitizer"
mkdir -p "$logs"

for target in "${targets[@]}"; do
    # Short inputs reach the same code sooner.
    case $target in header) most=2048 ;; *) most=8192 ;; esac
    log=$logs/$(date -u +%Y%m%dT%H%M%S)-$target-$sanitizer.log
    echo "$target: $seconds s with sanitizer $sanitizer, see $log"
    mkdir -p "artifacts/$target"
    cargo "+$toolchain" fuzz run -O --sanitizer "$sanitizer" "$target" "corpus/$target" -- \
        -dict=npz.dict -max_len="$most" -rss_limit_mb=2048 -timeout=10 -max_total_time="$seconds" \
        -verbosity=0 -print_final_stats=1 >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        echo "$target: a finding, see fuzz/artifacts/$target" >&2
        failed=1
    }
    echo "seconds: $seconds" >>"$log"
    grep -a '^stat::number_of_executed_units' "$log" || true
done
exit "${failed:-0}"
