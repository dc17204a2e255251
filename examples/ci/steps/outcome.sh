#!/usr/bin/env bash
# Ends a drift check as what it found asks for.
set -euo pipefail
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$steps/lib.sh"

usage() {
    cat <<-END
	Exits with 2 where drift.sh has found something, for a CI that has to keep the plan before it may fail.

	  outcome.sh --plan=DIR

	  --plan  where drift.sh has left the plan
	END
}

plan=''
options "plan" "$@"
need jq
if [[ $(jq .changes "$plan/about.json") == true ]]; then
    cat "$plan/plan.txt"
    exit 2
fi
