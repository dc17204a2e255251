package provider

// logVariables are the environment variables that make Terraform show what a provider logs.
var logVariables = [...]string{"TF_LOG", "TF_LOG_PROVIDER"}

// logSources are the environment variables that set what the plugin libraries and the provider write.
var logSources = [...]string{"TF_LOG_SDK", "TF_LOG_SDK_PROTO", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_PROVIDER_SYNAPSE"}

// QuietUnlessAsked turns the logs off that nobody will see. The plugin libraries write everything down to the level
// trace to Terraform, which drops it unless it was asked for: some hundred lines for each object in each plan, which
// take longer to write and to read than the plan itself. It must be called before the provider is served.
func QuietUnlessAsked(getenv func(string) string, setenv func(name, value string) error) error {
	for _, name := range logVariables {
		if getenv(name) != "" {
			return nil
		}
	}
	for _, name := range logSources {
		if getenv(name) != "" {
			continue
		}
		if err := setenv(name, "off"); err != nil {
			return err
		}
	}
	return nil
}
