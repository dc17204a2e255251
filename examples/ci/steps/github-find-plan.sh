#!/usr/bin/env bash
# Finds the reviewed plan of what is checked out.
set -euo pipefail
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$steps/lib.sh"

usage() {
    cat <<-END
	Finds the newest plan of an environment that was made from what is checked out, and writes the run that it is an artifact of, and
	its name, to GITHUB_OUTPUT as run= and name=.

	  github-find-plan.sh --environment=NAME [--source=ID]

	  --environment  which environment
	  --source       what the plan is made from; the tree that is checked out, where nothing else is said

	Needs GH_TOKEN with actions: read, and GITHUB_REPOSITORY.
	END
}

environment='' source=''
options "environment source" "$@"
need gh jq
name=plan-$environment-$source
newest='[.artifacts[] | select(.expired | not)] | sort_by(.created_at) | last | .workflow_run.id // empty'
run=$(gh api "repos/${GITHUB_REPOSITORY:?}/actions/artifacts?name=$name&per_page=100" | jq "$newest")
[[ -n $run ]] || fail "there is no plan of $environment for this tree: main has moved on since the pull request was planned, or the plan
is too old. Run the workflow \"plan\" on main, and then \"apply\""
printf 'The plan of %s is from run %s.\n' "$environment" "$run"
printf 'run=%s\nname=%s\n' "$run" "$name" >>"${GITHUB_OUTPUT:-/dev/stdout}"
