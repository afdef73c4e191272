#!/usr/bin/env bash
# Copies the test vectors into the fuzzers' corpora: `fuzz/seed.sh`. What the fuzzers find of their own stays beside.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

for target in header npy npz npz_structured roundtrip write; do
    mkdir -p "corpus/$target"
done

# Larger ones only slow the fuzzers down.
find ../tests/data -size -9k \( -name '*.npy' -o -name '*.npz' \) -print0 | while IFS= read -r -d '' file; do
    name=$(basename "$(dirname "$file")")-$(basename "$file")
    case "$file" in
    *.npy)
        cp "$file" "corpus/npy/$name"
        head -c 2000 "$file" >"corpus/header/$name"
        # Version 1: what stands behind magic, version and length.
        { printf '\0'; head -c 2010 "$file" | tail -c +11; } >"corpus/header/text-$name"
        # Values and plans have no form of their own on a disk: any bytes are some.
        cp "$file" "corpus/roundtrip/$name"
        cp "$file" "corpus/write/$name"
        { printf '\0'; cat "$file"; } >"corpus/npz_structured/plan-$name"
        ;;
    *.npz)
        cp "$file" "corpus/npz/$name"
        # The first byte says what is repaired.
        { printf '\377'; cat "$file"; } >"corpus/npz_structured/$name"
        ;;
    esac
done

wc -l < <(find corpus -type f) | xargs printf '%s seeds\n'
