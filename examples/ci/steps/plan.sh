#!/usr/bin/env bash
# Plans an environment and keeps the plan.
set -euo pipefail
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$steps/lib.sh"

usage() {
    cat <<-END
	Plans an environment and keeps the plan, with a summary, so that exactly this plan can be reviewed and applied.

	  plan.sh --root=DIR --environment=NAME --out=DIR [--source=ID]

	  --root         the configuration, with NAME.tfvars and NAME.tfbackend
	  --environment  which of them
	  --out          where the plan goes: plan.tfplan, plan.txt, summary.md, about.json, lock.hcl
	  --source       what the plan is made from; the tree that is checked out, where nothing else is said

	LOCK_TIMEOUT says how long to wait for the lock (5m), TERRAFORM which CLI to use (terraform).
	END
}

root='' environment='' out='' source=''
options "root environment out source" "$@"
need "${TERRAFORM:-terraform}" jq
out=$(directory "$out")

init
changes=false
plan "$out" || changes=true
keep "$out" "$changes"
