package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// contentPolicy lets pages use the console's own style sheet and icon and nothing else: no script, not even an inline style.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secured sets what protects every answer.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		// What a page shows is for those who are signed in, now.
		header.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

//go:embed static
var staticFiles embed.FS

// static serves the style sheet and the icon, to everybody: the sign-in page needs them.
func (c *console) static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	content, err := fs.ReadFile(staticFiles, path.Join("static", name))
	if err != nil {
		c.unknown(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+digest(content)+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

// staticURL returns the address of a static file, which changes with the file.
func staticURL(name string) (string, error) {
	content, err := fs.ReadFile(staticFiles, path.Join("static", name))
	if err != nil {
		return "", fmt.Errorf("reading a static file of the console: %w", err)
	}
	return Root + "static/" + name + "?v=" + digest(content), nil
}
