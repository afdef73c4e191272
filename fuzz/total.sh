#!/usr/bin/env bash
# Sums up the logs of fuzz/run.sh as rows for RUNS.md: `fuzz/total.sh [LOGS]`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

grep -aE '^(stat::number_of_executed_units|seconds|SUMMARY)' "${1:-logs}"/*.log | awk '
    {
        # 20260101T120000-target-sanitizer.log:line
        name = $0; sub(/\.log:.*/, "", name); sub(/.*\//, "", name)
        line = $0; sub(/.*\.log:/, "", line)
        split(name, part, "-")
        key = substr(part[1], 1, 4) "-" substr(part[1], 5, 2) "-" substr(part[1], 7, 2) " | " part[2] " | " part[3]
        if (!seen[key]++) order[++keys] = key
        if (line ~ /^stat/) { sub(/.* /, "", line); runs[key] += line; total += line; }
        else if (line ~ /^seconds/) { sub(/.* /, "", line); time[key] += line; spent += line }
        else { found[key]++; findings++ }
    }
    END {
        print "| date | target | sanitizer | minutes | executions | findings |"
        print "|---|---|---|---|---|---|"
        for (i = 1; i <= keys; i++)
            printf "| %s | %.1f | %d | %d |\n", order[i], time[order[i]] / 60, runs[order[i]], found[order[i]]
        printf "| | all | | %.1f | %d | %d |\n", spent / 60, total, findings
    }'
