package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// browserWait is for a machine that is busy with much else.
const browserWait = 4 * time.Minute

// findChromium returns the browser's program. Without one the test is skipped, but not where tests must be complete.
func findChromium(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	t.Skip("there is no Chromium on PATH: install chromium to test the console in a browser")
	return ""
}

// browser is a page of a browser that ends with the test.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

func openBrowser(t *testing.T) *browser {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(findChromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(browserWait))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(t.Context(), browserWait)
	t.Cleanup(cancel)
	ctx, cancelBrowser := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancelBrowser)
	ctx, cancelPage := chromedp.NewContext(ctx)
	t.Cleanup(cancelPage)
	b := &browser{t: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, b.hear))
	return b
}

// hear notes what a browser complains of, violations of the content security policy and answers that are errors among it.
func (b *browser) hear(event any) {
	var complaint string
	switch e := event.(type) {
	case *log.EventEntryAdded:
		complaint = fmt.Sprintf("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL)
	case *runtime.EventExceptionThrown:
		complaint = "exception: " + e.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		complaint = fmt.Sprintf("the page wrote to the console: %v", e.Type)
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, complaint)
}

func (b *browser) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.complaints)
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, actions...))
}

// get returns what an action finds.
func get[T any](b *browser, action chromedp.Action[T]) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, action)
	require.NoError(b.t, err)
	return value
}

func (b *browser) setScripts(on bool) {
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

func TestTheConsoleWorksInABrowser(t *testing.T) {
	for name, scripts := range map[string]bool{"with JavaScript": true, "without JavaScript": false} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.populate()
			server := httptest.NewServer(f.handler)
			t.Cleanup(server.Close)
			b := openBrowser(t)
			b.setScripts(scripts)
			b.do(chromedp.EmulateViewport(1280, 900))

			b.signInAndWalk(server.URL)
			b.checkSplitPage(server.URL)
			for _, width := range []int64{375, 1280} {
				b.do(chromedp.EmulateViewport(width, 800))
				for _, path := range pagePaths() {
					b.do(chromedp.Navigate(server.URL+path), chromedp.WaitVisible("h1"))
					overflow := get(b, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
					require.LessOrEqual(t, overflow, 0, "%s is wider than %d pixels", path, width)
				}
			}
			b.do(chromedp.Click(".who button"), chromedp.WaitVisible("#token"))
			require.Empty(t, b.heard())
		})
	}
}

// The test above relies on the browser to complain.
func TestTheBrowserComplainsOfWhatThePolicyForbids(t *testing.T) {
	f := newFixture(t)
	policy := f.do(http.MethodGet, "/console/sign-in", "", nil).Header().Get("Content-Security-Policy")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<h1>Hello</h1><script>document.querySelector("h1").remove()</script>`)
	}))
	t.Cleanup(server.Close)
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL))
	isViolation := func(complaint string) bool { return strings.Contains(complaint, "Content Security Policy") }
	require.Eventually(t, func() bool { return slices.ContainsFunc(b.heard(), isViolation) }, browserWait, 10*time.Millisecond)
	require.Equal(t, 1, get(b, chromedp.Evaluate[int](`document.querySelectorAll("h1").length`)), "the script did not run")
}

// signInAndWalk signs in on the way to a page and visits the others by their links.
func (b *browser) signInAndWalk(base string) {
	b.do(chromedp.Navigate(base+"/console/tenants"), chromedp.WaitVisible("#token"), chromedp.SendKeys("#token", viewerSecret),
		chromedp.Click(".sign-in button"), chromedp.WaitVisible(`main a[href="/console/tenants/acme"]`))
	require.Equal(b.t, base+"/console/tenants", get(b, chromedp.Location()))
	for _, step := range []struct{ entry, object, heading string }{
		{"/console/regions", "/console/regions/eu", "eu"},
		{"/console/tenants", "/console/tenants/acme", "acme"},
		{"/console/deployments", "/console/deployments/auth/v2", "auth/v2"},
		{"/console/slos", "/console/slos/auth-availability", "auth-availability"},
		{"/console/splits", "/console/splits/auth", "auth"},
		{"/console/failover-policies", "/console/failover-policies/shop", "shop"},
		{"/console/dr-drills", "/console/dr-drills/lose-eu", "lose-eu"},
		{"/console/dr-drills", "/console/dr-drill-runs/lose-eu-20260304", "lose-eu-20260304"},
	} {
		b.do(chromedp.Click(fmt.Sprintf(`nav a[href=%q]`, step.entry)),
			chromedp.WaitVisible(fmt.Sprintf(`main a[href=%q]`, step.object)),
			chromedp.Click(fmt.Sprintf(`main a[href=%q]`, step.object)),
			chromedp.WaitVisible(".head .kind"))
		require.Equal(b.t, step.heading, get(b, chromedp.Text("h1")))
	}
}

// checkSplitPage looks at the page of a split as it is drawn.
func (b *browser) checkSplitPage(base string) {
	b.do(chromedp.Navigate(base+"/console/splits/auth?refresh=off&range=15m0s"), chromedp.WaitVisible("#chart-latency svg"))
	weights := get(b, chromedp.Text(".weights-table"))
	require.Contains(b.t, weights, "monolith 75 %")
	require.Contains(b.t, weights, "service 25 %")
	require.Contains(b.t, get(b, chromedp.Text(".decision")), "candidate 0.2 % errors over 1,312 requests")
	share := get(b, chromedp.Evaluate[float64](`(() => {
		const bar = document.querySelector(".weights-table svg");
		return bar.querySelector(".slot-1").getBoundingClientRect().width / bar.getBoundingClientRect().width })()`))
	require.InDelta(b.t, 0.25, share, 0.02)
	for _, chart := range []string{"requests", "errors", "latency"} {
		width := get(b, chromedp.Evaluate[float64](fmt.Sprintf(
			`document.querySelector("#chart-%s .line polyline").getBoundingClientRect().width / document.querySelector("#chart-%[1]s svg").getBoundingClientRect().width`, chart)))
		require.Greater(b.t, width, 0.8, "the line of the stable backend in the chart of %s spans the time shown", chart)
		colour := get(b, chromedp.Evaluate[string](fmt.Sprintf(`getComputedStyle(document.querySelector("#chart-%s .line polyline")).stroke`, chart)))
		require.Contains(b.t, colour, "rgb(", "the style sheet colours the lines")
		require.Equal(b.t, 4, get(b, chromedp.Evaluate[int](fmt.Sprintf(`document.querySelectorAll("#chart-%s .marker").length`, chart))))
	}
}
