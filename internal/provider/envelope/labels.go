package envelope

// ownLabels picks, of the labels that an object has, those that are its configuration's own and not the provider's
// defaults. A label is the configuration's when the configuration had it before. Of the others, those that came from
// the defaults before are not, whatever their value is now, and neither are those that equal a default. What is left
// was set by someone else, and shows as drift.
func ownLabels(seen, own, all, defaults map[string]string, imported bool) map[string]string {
	result := map[string]string{}
	for key, value := range seen {
		_, wasOwn := own[key]
		_, wasDefault := all[key]
		fallback, isDefault := defaults[key]
		if wasOwn || !(wasDefault || isDefault && fallback == value) {
			result[key] = value
		}
	}
	if len(result) == 0 && (own == nil || imported) {
		return nil
	}
	return result
}
