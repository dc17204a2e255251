#!/usr/bin/env bash
# Applies a kept plan, and nothing else.
set -euo pipefail
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$steps/lib.sh"

usage() {
    cat <<-END
	Applies exactly the plan that was kept. It never plans: where the plan is of another tree, environment or set of providers, or
	the state has changed since, it fails and changes nothing.

	  apply.sh --root=DIR --environment=NAME --plan=DIR [--source=ID] [--sha256=DIGEST]

	  --root         the configuration, with NAME.tfbackend
	  --environment  the environment that the plan is of
	  --plan         where plan.sh has left the plan
	  --source       what it must be made from; the tree that is checked out, where nothing else is said
	  --sha256       what verify.sh has said, where the plan may be another since

	LOCK_TIMEOUT says how long to wait for the lock (5m), TERRAFORM which CLI to use (terraform).
	END
}

root='' environment='' plan='' source='' sha256=''
options "root environment plan source sha256" "$@"
need "${TERRAFORM:-terraform}" jq
plan=$(directory "$plan")

accept "$plan"
if [[ -n $sha256 && $sha256 != "$(digest "$plan/plan.tfplan")" ]]; then fail "this is not the plan that was verified"; fi
init
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! tf apply -input=false -no-color -lock-timeout="${LOCK_TIMEOUT:-5m}" "$plan/plan.tfplan" 2>&1 | tee "$log"; then
    if grep -q 'Saved plan is stale' "$log"; then
        fail "somebody has applied to $environment since this plan was made. Nothing was changed: plan again, and have that reviewed"
    fi
    fail "the apply of $environment ended early. What was done is in the state: plan again to see the rest"
fi
