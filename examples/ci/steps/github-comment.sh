#!/usr/bin/env bash
# Shows a plan in its pull request.
set -euo pipefail
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$steps/lib.sh"

usage() {
    cat <<-END
	Writes the summary of a plan into its pull request: one comment for each environment, which is rewritten for each plan.

	  github-comment.sh --environment=NAME --plan=DIR --number=NUMBER

	  --environment  the environment that the plan is of
	  --plan         where plan.sh has left the plan
	  --number       the pull request

	Needs GH_TOKEN with pull-requests: write, and GITHUB_REPOSITORY.
	END
}

environment='' plan='' number=''
options "environment plan number" "$@"
need gh jq
comments=repos/${GITHUB_REPOSITORY:?}/issues
body=$(mktemp)
trap 'rm -f "$body"' EXIT
marker="<!-- terraform plan of $environment -->"
{ printf '%s\n' "$marker" && cat "$plan/summary.md"; } | jq --raw-input --slurp '{body: .}' >"$body"

# shellcheck disable=SC2016
own='.[] | select(.user.type == "Bot" and (.body | startswith($marker))) | .id'
old=$(gh api --paginate "$comments/$number/comments" | jq --arg marker "$marker" "$own" | head -n 1)
if [[ -n $old ]]; then
    gh api --silent --method PATCH "$comments/comments/$old" --input "$body"
else
    gh api --silent --method POST "$comments/$number/comments" --input "$body"
fi
