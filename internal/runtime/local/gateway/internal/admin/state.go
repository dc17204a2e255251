package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
)

// readState decodes a file; found is false when there is none. Unknown fields are ignored: they are of a newer version,
// and an older process that starts with most of a configuration serves better than one that starts with nothing.
func readState(file string, value any) (found bool, err error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the configuration: %w", err)
	}
	if err := json.Unmarshal(content, value); err != nil {
		return false, fmt.Errorf("decode the configuration in %s: %w", file, err)
	}
	return true, nil
}

// WriteState replaces a file so that a crash at any moment leaves either the old or the new content.
func WriteState(file string, value any) error {
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode the configuration: %w", err)
	}
	if err := atomicfile.Write(file, content); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}
