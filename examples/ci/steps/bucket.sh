#!/usr/bin/env bash
# Hands plans from one build to another, and says what was applied.
set -euo pipefail
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$steps/lib.sh"

usage() {
    cat <<-END
	Hands plans from one build to another through a bucket, for a CI without artifacts of its own.

	  bucket.sh put     --environment=NAME --bucket=NAME --plan=DIR [--source=ID]  keep a plan
	  bucket.sh get     --environment=NAME --bucket=NAME --plan=DIR [--source=ID]  fetch the newest plan of what is checked out
	  bucket.sh applied --environment=NAME --bucket=NAME [--source=ID]             note that what is checked out was applied
	  bucket.sh require --environment=NAME --bucket=NAME [--source=ID]             fail where it was not

	  --environment  which environment
	  --bucket       its bucket
	  --plan         where the plan is, or goes
	  --source       what the plan is made from; the tree that is checked out, where nothing else is said

	What is there is never overwritten.
	END
}

case ${1:-} in
put | get) names="environment bucket plan source" ;;
applied | require) names="environment bucket source" ;;
-h | --help)
    usage
    exit 0
    ;;
*) fail "say put, get, applied or require; --help says more" ;;
esac
command=$1
shift
environment='' bucket='' plan='' source=''
options "$names" "$@"
need gcloud
plans=gs://$bucket/plans/$environment/$source
receipt=gs://$bucket/applied/$environment/$source

case $command in
put)
    gcloud storage cp --no-clobber "$plan"/* "$plans/$(date --utc +%Y%m%dT%H%M%SZ)/"
    ;;
get)
    plan=$(directory "$plan")
    newest=$({ gcloud storage ls "$plans/" || true; } | sort | tail -n 1)
    [[ -n $newest ]] || fail "there is no plan of $environment for this tree: main has moved on since the pull request was planned, or
the plan is too old. Run the trigger that plans on main, and then this one"
    gcloud storage cp "${newest%/}/*" "$plan/"
    ;;
applied)
    date --utc | gcloud storage cp --no-clobber - "$receipt"
    ;;
require)
    gcloud storage ls "$receipt" >/dev/null || fail "$environment has not applied this yet"
    ;;
esac
