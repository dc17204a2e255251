package measure

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/prometheus/prometheus/model/rulefmt"
	"gopkg.in/yaml.v3"
)

// document is rules as YAML. The values of labels and annotations are put in afterwards, those with control characters in quotes:
// in a block, as the library writes texts of several lines, line ends and leading blanks are read in another way than they were written.
func document(groups rulefmt.RuleGroups) (*yaml.Node, error) {
	var texts placeholders
	for _, group := range groups.Groups {
		for i := range group.Rules {
			group.Rules[i].Labels = texts.keep(group.Rules[i].Labels)
			group.Rules[i].Annotations = texts.keep(group.Rules[i].Annotations)
		}
	}
	var root yaml.Node
	if err := root.Encode(groups); err != nil {
		return nil, err
	}
	texts.restore(&root)
	return &root, nil
}

// placeholders are texts that stand in a document by their number.
type placeholders []string

func (p *placeholders) keep(values map[string]string) map[string]string {
	kept := make(map[string]string, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		kept[name] = fmt.Sprintf("text %d", len(*p))
		*p = append(*p, values[name])
	}
	return kept
}

func (p *placeholders) restore(node *yaml.Node) {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		name, values := node.Content[i].Value, node.Content[i+1]
		if values.Kind != yaml.MappingNode || name != "labels" && name != "annotations" {
			continue
		}
		for j := 1; j < len(values.Content); j += 2 {
			var number int
			if _, err := fmt.Sscanf(values.Content[j].Value, "text %d", &number); err == nil {
				setText(values.Content[j], (*p)[number])
			}
		}
	}
	for _, child := range node.Content {
		p.restore(child)
	}
}

func setText(node *yaml.Node, text string) {
	node.SetString(text)
	if strings.ContainsFunc(text, unicode.IsControl) {
		node.Style = yaml.DoubleQuotedStyle
	}
}
