package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"strings"

	"brine.test/brine/world/record"
)

//go:embed page/*.html page/*.css page/*.js
var assets embed.FS

// scripts and styles are each joined in this order into one.
var (
	scripts = []string{"dom", "words", "state", "list", "overview", "history", "scenario", "evidence", "rows", "timeline", "series", "moment", "layout", "topology", "logs", "keys", "main"}
	styles  = []string{"base", "frame", "list", "overview", "scenario", "pictures", "history", "logs", "narrow"}
)

// html is the whole report as one file. Everything that comes from the system under test travels as JSON with <, > and &
// escaped, and is put into the page as text nodes only; a content security policy by hash keeps all else from running.
func html(dir string, run *record.Run, o Options) ([]byte, error) {
	tmpl, err := template.ParseFS(assets, "page/page.html")
	if err != nil {
		return nil, err
	}
	style, err := joined(styles, ".css")
	if err != nil {
		return nil, err
	}
	script, err := joined(scripts, ".js")
	if err != nil {
		return nil, err
	}
	script = "(() => {\n'use strict';\n" + script + "})();\n"
	p := newPage(dir, run, o)
	head, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	type blob struct {
		ID   string
		JSON template.JS
	}
	var blobs []blob
	budget := newLogBudget(run)
	for _, s := range run.Scenarios {
		data, err := json.Marshal(newDetail(dir, run, s, budget))
		if err != nil {
			return nil, err
		}
		blobs = append(blobs, blob{s.ID, template.JS(data)}) // JSON with <, > and & escaped
	}
	var out bytes.Buffer
	err = tmpl.Execute(&out, map[string]any{
		"Title":  p.Title,
		"Policy": "default-src 'none'; img-src data:; style-src " + hash(style) + "; script-src " + hash(script),
		"Style":  template.CSS(style), // our own
		"Script": template.JS(script),
		"Head":   template.JS(head), // as above
		"Blobs":  blobs,
		"Page":   p,
	})
	return out.Bytes(), err
}

func joined(names []string, ext string) (string, error) {
	var out strings.Builder
	for _, name := range names {
		part, err := assets.ReadFile("page/" + name + ext)
		if err != nil {
			return "", err
		}
		out.Write(part)
	}
	return out.String(), nil
}

// hash is a source expression of a content security policy for an inline element with this content.
func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
