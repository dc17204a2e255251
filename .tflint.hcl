# The rule set for the language itself is built into tflint: nothing is downloaded.
plugin "terraform" {
  enabled = true
  preset  = "all"
}

# Files are split by concern, as a reader looks for them, not always into main, variables and outputs.
rule "terraform_standard_module_structure" {
  enabled = false
}

# A configuration in the repository uses the provider of the same commit.
rule "terraform_required_providers" {
  enabled = true
  version = false
}
