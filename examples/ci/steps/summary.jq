# What a plan, as `terraform show -json` has it, would do, in a few lines of Markdown. It shows names, never values.

def count(f): map(select(.change.actions | f)) | length;
def lines(title): if length == 0 then empty else "", title, "", (.[:50][] | "- `\(.address)`\(.note // "")"), (if length > 50 then "- … and \(length - 50) more" else empty end) end;
def changed: [(.change.before // {}) as $before | (.change.after // {}) | to_entries[] | select($before[.key] != .value) | .key];

(.resource_changes // []) as $all
| ($all | map(select(.change.actions != ["no-op"] and .change.actions != ["read"]))) as $changes
| ((.resource_drift // []) | map(select(.change.actions != ["no-op"]))
    | map(. + {note: (if .change.actions == ["delete"] then " is gone" else ": \(changed | join(", "))" end)})) as $drift
| if ($changes | length) == 0 and ([.output_changes // {} | .[] | select(.actions != ["no-op"])] | length) == 0 then
    "### \($environment): nothing to do"
  else
    "### \($environment): \($changes | count(index("create") != null)) to create, \($changes | count(. == ["update"])) to change, \($changes | count(index("delete") != null)) to destroy"
  end,
  ($changes | map(select(.change.actions | index("delete"))) | map(. + {note: (if (.change.actions | length) > 1 then ", to be replaced" else "" end)}) | lines("**Destroys:**")),
  ($changes | map(select(.change.actions == ["update"])) | map(. + {note: ": \(changed | join(", "))"}) | lines("Changes:")),
  ($drift | lines("Changed outside of Terraform:"))
