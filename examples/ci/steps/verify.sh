#!/usr/bin/env bash
# Checks that a kept plan is what the merged configuration means today.
set -euo pipefail
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$steps/lib.sh"

usage() {
    cat <<-END
	Plans again, with the identity that only reads, and fails where a kept plan would do anything else. A plan is a file, and brings
	the configuration along that it is applied with: without this, whoever can leave a file for the apply could do anything.

	  verify.sh --root=DIR --environment=NAME --plan=DIR [--source=ID]

	  --root         the configuration, with NAME.tfvars and NAME.tfbackend
	  --environment  which of them
	  --plan         where plan.sh has left the plan
	  --source       what it must be made from; the tree that is checked out, where nothing else is said

	LOCK_TIMEOUT says how long to wait for the lock (5m), TERRAFORM which CLI to use (terraform).
	END
}

# Of a change it is what changes that counts: a cluster may have got a node more meanwhile.
# shellcheck disable=SC2016
essence='{
  variables,
  outputs: ((.output_changes // {}) | with_entries(select(.value.actions != ["no-op"]) | .value |= {actions, after, after_unknown})),
  changes: [(.resource_changes // [])[] | select(.change.actions != ["no-op"]) | .change.before as $before | {
    address, deposed, actions: .change.actions, replace: .change.replace_paths, imports: .change.importing,
    moved: .previous_address, unknown: .change.after_unknown,
    after: (.change.after | if type == "object" and ($before | type) == "object" then with_entries(select($before[.key] != .value)) else . end)
  }] | sort_by(.address, .deposed)
}'
# What differs is named and not shown: there may be secrets in it.
# shellcheck disable=SC2016
report='(if .[0].variables != .[1].variables then "the variables" else empty end),
  (if .[0].outputs != .[1].outputs then "the outputs" else empty end),
  ((.[0].changes - .[1].changes)[] | "\(.address), which the plan would \(.actions | join(" and "))"),
  ((.[1].changes - .[0].changes)[] | "\(.address), which should be \(.actions | join("d and "))d")'

# JSON leaves out locals, on which what is not known yet may depend. So the files themselves are compared, and their names first: of
# two entries with one name nobody could say which counts.
same_configuration() {
    local which
    for which in "$1" "$2"; do unzip -Z1 "$which" | sort >"$which.names"; done
    cmp -s "$1.names" "$2.names" || return 1
    for which in "$1" "$2"; do unzip -q -o "$which" 'tfconfig/*' -d "$which.files"; done
    diff -r "$1.files" "$2.files" >/dev/null
}

root='' environment='' plan='' source=''
options "root environment plan source" "$@"
need "${TERRAFORM:-terraform}" jq unzip
plan=$(directory "$plan")

accept "$plan"
init
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
changes=false
plan "$fresh" || changes=true
tf show -json "$plan/plan.tfplan" | jq "$essence" >"$fresh/reviewed.json"
tf show -json "$fresh/plan.tfplan" | jq "$essence" >"$fresh/meant.json"
cp "$plan/plan.tfplan" "$fresh/reviewed"
cp "$fresh/plan.tfplan" "$fresh/meant"
differences=$(
    same_configuration "$fresh/reviewed" "$fresh/meant" || echo "the configuration"
    jq --raw-output --slurp "$report" "$fresh/reviewed.json" "$fresh/meant.json"
)
if [[ -n $differences ]]; then
    printf '%s\n' "$differences" >&2
    fail "the reviewed plan is not what the configuration means today; it differs in what is listed above. Plan again, and have that reviewed"
fi
# Who approves is shown what was planned here: a summary can be left by anybody, too.
keep "$fresh" "$changes"
if [[ -n ${GITHUB_OUTPUT:-} ]]; then printf 'sha256=%s\n' "$(digest "$plan/plan.tfplan")" >>"$GITHUB_OUTPUT"; fi
printf 'The reviewed plan of %s is what the configuration means.\n' "$environment"
