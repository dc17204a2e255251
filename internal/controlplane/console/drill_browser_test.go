package console_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// screenshotsEnv names a directory in which the test leaves pictures of the page, for people to look at.
const screenshotsEnv = "SYNAPSE_TEST_SCREENSHOTS"

// prefer makes pages look as they do for somebody who prefers light or dark.
func (b *browser) prefer(scheme string) {
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
}

func TestTheReportOfADrillIsSeenInABrowser(t *testing.T) {
	f := newFixture(t)
	f.populate()
	server := httptest.NewServer(f.handler)
	t.Cleanup(server.Close)
	b := openBrowser(t)
	b.setScripts(false)
	b.do(chromedp.EmulateViewport(1280, 900))
	const page = "/console/dr-drill-runs/lose-eu-20260304"
	b.do(chromedp.Navigate(server.URL+page), chromedp.WaitVisible("#token"), chromedp.SendKeys("#token", viewerSecret), chromedp.Click(".sign-in button"),
		chromedp.WaitVisible("#verdict"))

	backgrounds := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		for _, width := range []int64{1280, 375} {
			b.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(server.URL+page), chromedp.WaitVisible("#verdict"), chromedp.WaitVisible("#picture svg"))
			for selector, want := range map[string]string{".decision .phase": "passed", "#rto": "3.412s", "#rpo": "148ms", "#lost": "3 of 1090"} {
				require.Equal(t, want, get(b, chromedp.Text(selector)), "%s at %d", scheme, width)
				require.True(t, b.isSeen(selector), "%s is seen in %s at %d", selector, scheme, width)
			}
			for _, selector := range []string{"#picture .bars.good", "#picture .bars.bad", "#picture .bars.lost", "#picture .shade", "#picture .block.good rect", "#picture .block.undo rect", "#picture .marker text"} {
				require.True(t, b.isSeen(selector), "%s is seen in %s at %d", selector, scheme, width)
			}
			overflow := get(b, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
			require.LessOrEqual(t, overflow, 0, "the page is wider than %d pixels", width)
			backgrounds[scheme] = get(b, chromedp.Evaluate[string](`getComputedStyle(document.body).backgroundColor`))
			b.leaveScreenshot(fmt.Sprintf("drill-run-%s-%d.png", scheme, width))
		}
	}
	require.NotEqual(t, backgrounds["light"], backgrounds["dark"])
	require.Empty(t, b.heard())
}

// isSeen reports whether an element takes up room and has another colour than what is behind it.
func (b *browser) isSeen(selector string) bool {
	b.t.Helper()
	return get(b, chromedp.Evaluate[bool](fmt.Sprintf(`(() => {
		const element = document.querySelector(%q), box = element.getBoundingClientRect(), style = getComputedStyle(element);
		const shape = element.namespaceURI.endsWith("svg");
		const colour = shape && style.fill !== "none" ? style.fill : style.color;
		return box.width > 0 && box.height > 0 && style.visibility === "visible" && colour !== getComputedStyle(document.body).backgroundColor })()`, selector)))
}

func (b *browser) leaveScreenshot(name string) {
	dir := os.Getenv(screenshotsEnv)
	if dir == "" {
		return
	}
	require.NoError(b.t, os.WriteFile(filepath.Join(dir, name), get(b, chromedp.FullScreenshot(100)), 0o644))
}
