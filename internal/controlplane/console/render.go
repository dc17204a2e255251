package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

//go:embed templates
var templateFiles embed.FS

// layout is a page with what is around it.
type layout struct {
	// Title is the page's heading, Name its template and Section the entry of the navigation that it belongs to.
	Title, Name, Section string
	Content              any
	// Live pages load themselves again every few seconds, unless the user turned that off.
	Live bool

	// What follows is filled in for every page. Token is nil for who is not signed in.
	Token       *synapse.Token
	Environment string
	Style, Icon string
	Now         time.Time
	Navigation  []navigationEntry
	// Toggle is the address of the page with the reloading on or off, whichever it is not now.
	Toggle     string
	Reloads    bool
	SignOutURL string
}

type navigationEntry struct {
	Label, URL string
	Current    bool
}

// pages are the parsed templates by name.
type pages struct {
	templates   map[string]*template.Template
	style, icon string
}

// parsePages reads all templates. Each page fills in the content of the layout.
func parsePages(now func() time.Time) (*pages, error) {
	shared, err := template.New("layout").Funcs(functions(now)).ParseFS(templateFiles, "templates/shared/*.html")
	if err != nil {
		return nil, fmt.Errorf("parsing the console's layout: %w", err)
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("listing the console's templates: %w", err)
	}
	p := &pages{templates: map[string]*template.Template{}}
	for _, file := range files {
		clone, err := shared.Clone()
		if err == nil {
			clone, err = clone.ParseFS(templateFiles, file)
		}
		if err != nil {
			return nil, fmt.Errorf("parsing a page of the console: %w", err)
		}
		p.templates[strings.TrimSuffix(path.Base(file), ".html")] = clone
	}
	if p.style, err = staticURL("console.css"); err != nil {
		return nil, err
	}
	p.icon, err = staticURL("icon.svg")
	return p, err
}

func navigation(section string) []navigationEntry {
	entries := []navigationEntry{
		{Label: "Overview", URL: Root}, {Label: "Splits", URL: Root + "splits"}, {Label: "Deployments", URL: Root + "deployments"},
		{Label: "Tenants", URL: Root + "tenants"}, {Label: "Regions", URL: Root + "regions"}, {Label: "SLOs", URL: Root + "slos"},
		{Label: "Failover", URL: Root + "failover-policies"}, {Label: "Drills", URL: Root + "dr-drills"},
	}
	for i := range entries {
		entries[i].Current = entries[i].Label == section
	}
	return entries
}

// render writes a page. It is complete before the first byte goes out, so that no half page does.
func (c *console) render(w http.ResponseWriter, r *http.Request, status int, l layout) {
	l.Style, l.Icon, l.Now, l.SignOutURL = c.pages.style, c.pages.icon, c.Now(), signOutPath
	if l.Token = viewer(r.Context()); l.Token != nil {
		l.Environment = c.Platform(r.Context()).Environment
		l.Navigation = navigation(l.Section)
	}
	if l.Live {
		l.Reloads, l.Toggle = toggle(r)
	}
	var body bytes.Buffer
	if err := c.pages.templates[l.Name].ExecuteTemplate(&body, "layout", l); err != nil {
		c.Log.Error("a page of the console could not be rendered", "page", l.Name, "error", err)
		http.Error(w, "The page could not be made: the log of synapsed says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // a client that went away is no fault of ours
}

const refreshParameter = "refresh"

// toggle reports whether the page reloads itself, and the address with the other choice.
func toggle(r *http.Request) (reloads bool, other string) {
	if r.URL.Query().Get(refreshParameter) == "off" {
		return false, withParameter(r.URL, refreshParameter, "")
	}
	return true, withParameter(r.URL, refreshParameter, "off")
}

// problemView is a page that says what is wrong.
type problemView struct {
	Status  int
	Message string
	Home    string
}

// problem answers with a page that says what is wrong.
func (c *console) problem(w http.ResponseWriter, r *http.Request, status int, message string) {
	c.render(w, r, status, layout{
		Title: http.StatusText(status), Name: "problem",
		Content: problemView{Status: status, Message: message, Home: Root},
	})
}

// fail answers for an error of the store. Only what helps the user is told; the rest goes to the log.
func (c *console) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		c.problem(w, r, http.StatusNotFound, "There is no such object. It may have been deleted.")
	case errors.Is(err, store.ErrBadCursor):
		c.problem(w, r, http.StatusBadRequest, "This page of the list does not exist. Begin again with the first one.")
	case errors.Is(err, context.Canceled):
		c.problem(w, r, http.StatusServiceUnavailable, "The request was given up.")
	default:
		c.Log.Error("a page of the console failed", "path", r.URL.Path, "error", err)
		c.problem(w, r, http.StatusInternalServerError, "The page could not be made: the log of synapsed says why.")
	}
}
