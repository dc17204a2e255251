# What the steps have in common. It is sourced, not run.
# shellcheck shell=bash disable=SC2154 # root, environment, source and steps are set by what sources it

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# options "NAMES" "$@" reads --name=value and --name value into variables of these names. All are required but source and
# sha256, and none is empty.
options() {
    local names=$1 name value
    shift
    while (($#)); do
        case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        --*=*)
            name=${1%%=*} value=${1#*=}
            shift
            ;;
        --*)
            (($# > 1)) || fail "$1 needs a value; --help says which"
            name=$1 value=$2
            shift 2
            ;;
        *) fail "what is $1? --help says what there is" ;;
        esac
        name=${name#--}
        [[ " $names " == *" $name "* ]] || fail "what is --$name? --help says what there is"
        [[ -n $value ]] || fail "--$name is empty; --help says what it is"
        printf -v "$name" %s "$value"
    done
    for name in $names; do
        if [[ $name == source && -z $source ]]; then source=$(source_of); fi
        [[ -n ${!name:-} || $name == sha256 ]] || fail "--$name is missing; --help says what it is"
    done
}

# need PROGRAM… fails where a program is missing.
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || fail "$program is not installed"
    done
}

# directory PATH makes a directory that nobody else reads, since plans hold what a state holds, and prints where it is.
directory() {
    (
        umask 077
        mkdir -p "$1"
    )
    (cd "$1" && pwd)
}

# source_of prints what a plan is made from: the tree of files, which stays the same when a pull request becomes a commit of
# main, by merge, by squash or by rebase, and nothing else has come in between.
source_of() {
    git rev-parse --verify 'HEAD^{tree}' 2>/dev/null || fail "no commit is checked out here: give --source"
}

tf() {
    TF_IN_AUTOMATION=1 "${TERRAFORM:-terraform}" -chdir="$root" "$@" </dev/null
}

# init lets Terraform know where the state of the environment is. A lock file is kept to: what it has was reviewed.
init() {
    local -a lock=()
    if [[ -e $root/.terraform.lock.hcl ]]; then lock=(-lockfile=readonly); fi
    tf init -input=false -no-color -reconfigure -backend-config="$environment.tfbackend" "${lock[@]}"
}

# plan OUT [ARGUMENT…] plans into a directory and returns what -detailed-exitcode says: 0 nothing to do, 2 something. It waits
# for whoever holds the lock.
plan() {
    local out=$1 code=0
    shift
    tf plan -input=false -no-color -detailed-exitcode -lock-timeout="${LOCK_TIMEOUT:-5m}" \
        -var-file="$environment.tfvars" -out="$out/plan.tfplan" "$@" || code=$?
    ((code == 0 || code == 2)) || fail "$environment cannot be planned"
    return "$code"
}

# keep OUT CHANGES writes what belongs to a plan beside it: its text, a summary, the lock file, and what it is a plan of.
keep() {
    local out=$1 changes=$2
    tf show -no-color "$out/plan.tfplan" >"$out/plan.txt"
    tf show -json "$out/plan.tfplan" | jq --raw-output --arg environment "$environment" --from-file "$steps/summary.jq" >"$out/summary.md"
    {
        printf '\n<details><summary>The plan</summary>\n\n~~~\n'
        # A comment takes 65536 characters.
        head -c 60000 "$out/plan.txt"
        (($(wc -c <"$out/plan.txt") <= 60000)) || printf '\n… and so on: plan.txt has all of it.'
        printf '\n~~~\n\n</details>\n'
    } >>"$out/summary.md"
    cp "$root/.terraform.lock.hcl" "$out/lock.hcl"
    jq --null-input --arg environment "$environment" --arg source "$source" --arg sha256 "$(digest "$out/plan.tfplan")" \
        --argjson changes "$changes" '$ARGS.named' >"$out/about.json"
    if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then cat "$out/summary.md" >>"$GITHUB_STEP_SUMMARY"; fi
    if [[ -n ${GITHUB_OUTPUT:-} ]]; then printf 'source=%s\nchanges=%s\n' "$source" "$changes" >>"$GITHUB_OUTPUT"; fi
}

digest() { sha256sum "$1" | cut -d' ' -f1; }

# accept PLAN fails where a kept plan is not one of this environment, made from what is checked out, and whole. Then it sees to it
# that the providers are those that it was made with.
accept() {
    local plan=$1 planned
    [[ -e $plan/plan.tfplan && -e $plan/about.json && -e $plan/lock.hcl ]] || fail "$plan holds no plan"
    planned=$(jq --raw-output .environment "$plan/about.json")
    [[ $planned == "$environment" ]] || fail "this is a plan of $planned, not of $environment"
    planned=$(jq --raw-output .source "$plan/about.json")
    [[ $planned == "$source" ]] || fail "the plan was made from $planned, and what is checked out is $source: plan again, and have that reviewed"
    planned=$(jq --raw-output .sha256 "$plan/about.json")
    [[ $planned == "$(digest "$plan/plan.tfplan")" ]] || fail "the plan is not the one that was summarised"
    if [[ ! -e $root/.terraform.lock.hcl ]]; then
        cp "$plan/lock.hcl" "$root/.terraform.lock.hcl"
    elif ! cmp -s "$plan/lock.hcl" "$root/.terraform.lock.hcl"; then
        fail "the plan was made with other providers than .terraform.lock.hcl has: plan again, and have that reviewed"
    fi
}
