package readmetest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnlike(t *testing.T) {
	t.Parallel()
	output := "==> Starting\nacme  POST /x  200  r0123abcd  17\ndone in 3s\n"
	tests := map[string]struct {
		shown []string
		want  string
	}{
		"lines in order are there":                 {[]string{"==> Starting", "done in 3s"}, ""},
		"numbers, revisions and spaces may differ": {[]string{"acme POST /x 200 rffffffff 2"}, ""},
		"so may the digits of fractions":           {[]string{"done in 2.75s"}, ""},
		"an ellipsis is anything":                  {[]string{"acme … 17", "…"}, ""},
		"another word is found":                    {[]string{"globex POST"}, "globex POST"},
		"lines in another order are found":         {[]string{"done in 3s", "==> Starting"}, "==> Starting"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, Unlike(output, test.shown))
		})
	}
}
