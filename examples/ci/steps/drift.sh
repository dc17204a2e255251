#!/usr/bin/env bash
# Says whether an environment is what its configuration says.
set -euo pipefail
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$steps/lib.sh"

usage() {
    cat <<-END
	Says whether an environment is still what its configuration says. The plan that would make it so is kept, and can be applied like
	any other once it was reviewed.

	  drift.sh --root=DIR --environment=NAME --out=DIR [--source=ID]

	  --root         the configuration, with NAME.tfvars and NAME.tfbackend
	  --environment  which of them
	  --out          where the plan goes: plan.tfplan, plan.txt, summary.md, about.json, lock.hcl
	  --source       what the plan is made from; the tree that is checked out, where nothing else is said

	Exits with 0 where nothing differs, with 2 where something does, and with 1 where that cannot be said.
	LOCK_TIMEOUT says how long to wait for the lock (5m), TERRAFORM which CLI to use (terraform).
	END
}

root='' environment='' out='' source=''
options "root environment out source" "$@"
need "${TERRAFORM:-terraform}" jq
out=$(directory "$out")

init
if plan "$out"; then
    keep "$out" false
    printf 'No drift: %s is what its configuration says.\n' "$environment"
    exit 0
fi
keep "$out" true
# The details are in the plan above.
sed '/^<details>/,$d' "$out/summary.md"
printf 'Drift: %s is not what its configuration says.\n' "$environment" >&2
exit 2
