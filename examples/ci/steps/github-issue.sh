#!/usr/bin/env bash
# Keeps an issue about the drift of an environment.
set -euo pipefail
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$steps/lib.sh"

usage() {
    cat <<-END
	Keeps one issue about the drift of an environment: opens it, says in a comment when something else has drifted, and closes it when
	nothing differs any more.

	  github-issue.sh --environment=NAME --plan=DIR

	  --environment  which environment
	  --plan         where drift.sh has left the plan

	Needs GH_TOKEN with issues: write, and GITHUB_REPOSITORY. RUN_URL is linked to, where it is set.
	END
}

environment='' plan=''
options "environment plan" "$@"
need gh jq
title="$environment has drifted"
drifted=$(jq .changes "$plan/about.json")
body=$(mktemp)
trap 'rm -f "$body"' EXIT
{
    cat "$plan/summary.md"
    printf '\nEither make the configuration say so, or apply this plan with the workflow "apply". %s\n' "${RUN_URL:-}"
} >"$body"

# shellcheck disable=SC2016
same='[.[] | select(.title == $title)][0] // empty'
issue=$(gh issue list --repo "${GITHUB_REPOSITORY:?}" --state open --search "in:title \"$title\"" --json number,title,body |
    jq --compact-output --arg title "$title" "$same")
number=$(jq .number <<<"${issue:-"{}"}")
# Another link is no news.
said() { sed '/^Either make the configuration/d'; }
if [[ $drifted == true && -z $issue ]]; then
    gh issue create --repo "$GITHUB_REPOSITORY" --title "$title" --body-file "$body"
elif [[ $drifted == true ]] && [[ $(jq --raw-output .body <<<"$issue" | tr -d '\r' | said) != "$(said <"$body")" ]]; then
    gh issue edit "$number" --repo "$GITHUB_REPOSITORY" --body-file "$body"
    gh issue comment "$number" --repo "$GITHUB_REPOSITORY" --body "It is something else now: see above. ${RUN_URL:-}"
elif [[ $drifted == false && -n $issue ]]; then
    gh issue close "$number" --repo "$GITHUB_REPOSITORY" --comment "Nothing differs any more. ${RUN_URL:-}"
fi
