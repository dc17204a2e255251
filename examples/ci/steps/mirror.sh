#!/usr/bin/env bash
# Checks that one environment mirrors another.
set -euo pipefail
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$steps/lib.sh"

usage() {
    cat <<-END
	Fails where one environment differs from another in anything that mirror.hcl does not allow.

	  mirror.sh --root=DIR --environment=NAME --of=NAME

	  --root         the configuration, with NAME.tfvars and mirror.hcl
	  --environment  the one that must mirror the other
	  --of           the other

	MIRROR says how to run the check, where not from the sources in this repository.
	END
}

root='' environment='' of=''
options "root environment of" "$@"
read -ra check <<<"${MIRROR:-go run ./internal/mirror}"
need "${check[0]}"
"${check[@]}" --rules="$root/mirror.hcl" "$root/$environment.tfvars" "$root/$of.tfvars"
