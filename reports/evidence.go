package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"brine.test/brine/world/record"
)

// maxInline bounds text shown in place; what is longer is cut in the middle.
const maxInline = 32 << 10

// maxPicture bounds a picture that the page holds, in bytes; a larger one is linked.
const maxPicture = 512 << 10

// maxEvidence bounds pieces a scenario shows; of sentences that look again and again the last count.
const maxEvidence = 400

// evidence is one thing that a step brought to light.
type evidence struct {
	Step  string  `json:"step,omitempty"`
	At    int64   `json:"t"`
	Kind  string  `json:"kind"` // http, command, operation, attachment, note, check, line
	Title string  `json:"title"`
	Bad   bool    `json:"bad,omitempty"`
	Parts []piece `json:"parts,omitempty"`

	again string // what a look that found the same has in common with this one
	took  time.Duration
}

// piece is a labelled text, picture or link of it.
type piece struct {
	Label string `json:"label,omitempty"`
	Text  string `json:"text,omitempty"`
	Image string `json:"image,omitempty"`
	Href  string `json:"href,omitempty"`
	Diff  bool   `json:"diff,omitempty"` // lines that begin with + or - are set apart

	Drawn []drawnView `json:"drawn,omitempty"` // a history's violation
}

// drawnView is an operation of a drawing; times are µs since the scenario began.
type drawnView struct {
	Who   string   `json:"w"`
	Text  string   `json:"x"`
	Begin float64  `json:"b"`
	End   *float64 `json:"e,omitempty"`
	Proof bool     `json:"p,omitempty"`
	Place int      `json:"n,omitempty"`
}

// maxDrawn bounds the operations of one drawing.
const maxDrawn = 160

func drawnOf(c clock, all []record.Drawn) []drawnView {
	var out []drawnView
	for _, o := range all[:min(len(all), maxDrawn)] {
		v := drawnView{Who: plain(o.Who), Text: shorten(plain(o.Text), 200), Begin: c.exact(o.Start), Proof: o.Proof, Place: o.Place}
		if o.End > 0 {
			end := c.exact(o.End)
			v.End = &end
		}
		out = append(out, v)
	}
	return out
}

func gather(c clock, s *record.ScenarioRun, at home) []evidence {
	var out []evidence
	for _, x := range s.Exchanges {
		out = append(out, exchange(c, x))
	}
	for _, x := range s.Commands {
		e := evidence{Step: x.Step, At: c.at(x.Mono), Kind: "command", Bad: x.Code != 0 || x.Error != "", took: x.Took}
		e.again = plain(fmt.Sprintf("%s: %s → exit code %d", x.Node, strings.Join(x.Args, " "), x.Code))
		e.Title = e.again + ", " + span(x.Took)
		e.Parts = texts("error", x.Error, "output", x.Stdout, "error output", x.Stderr)
		out = append(out, e)
	}
	for _, o := range s.Operations {
		if o.Workload == "" {
			out = append(out, operation(c, o))
		}
	}
	for _, a := range s.Attachments {
		if a.Step == "" && a.File != "" && !picture(mediaType(a.Attachment)) {
			continue // the list of artifacts has it
		}
		out = append(out, attachment(c, a, at))
	}
	for _, n := range s.Notes {
		out = append(out, evidence{Step: n.Step, At: c.at(n.Mono), Kind: "note", Title: plain(n.Text), Bad: n.Level != ""})
	}
	for _, l := range s.Lines {
		e := evidence{Step: l.Step, At: c.at(l.Mono), Kind: "line", Title: plain(l.Node + " " + l.Service + ": " + l.Text)}
		e.Parts = texts("", l.Why)
		out = append(out, e)
	}
	for _, k := range s.Checks {
		e := evidence{Step: k.Step, At: c.at(k.Mono), Kind: "check", Bad: !k.OK, Parts: texts("", k.Detail)}
		e.Title = plain(strings.TrimSpace(k.Kind+" "+k.Phase) + ": " + k.Name + map[bool]string{true: " holds", false: " does not hold"}[k.OK])
		if len(k.Drawn) > 0 {
			e.Parts = append(e.Parts, piece{Drawn: drawnOf(c, k.Drawn)})
		}
		if k.Drawing != "" {
			e.Parts = append(e.Parts, piece{Label: "the checker's own page", Text: "open it", Href: at.href(k.Drawing)})
		}
		out = append(out, e)
	}
	forgive(s, out)
	out = fold(out)
	if len(out) > maxEvidence {
		out = out[len(out)-maxEvidence:]
	}
	return out
}

// forgive takes the alarm from what a sentence brought to light and then passed: a write that must fail did fail.
func forgive(s *record.ScenarioRun, all []evidence) {
	passed := map[string]bool{}
	for _, st := range s.Steps {
		passed[st.ID] = st.Status == record.Passed
	}
	for i := range all {
		if all[i].Kind != "note" && passed[all[i].Step] {
			all[i].Bad = false
		}
	}
}

func exchange(c clock, x record.ExchangeRun) evidence {
	answer := "no answer"
	if x.Status > 0 {
		answer = fmt.Sprintf("%d %s", x.Status, http.StatusText(x.Status))
	}
	e := evidence{Step: x.Step, At: c.at(x.Mono), Kind: "http", Bad: x.Status == 0 || x.Status >= 500}
	e.again, e.took = plain(fmt.Sprintf("%s %s → %s", x.Method, x.URL, answer)), x.Took
	e.Title = e.again + ", " + span(x.Took)
	e.Parts = texts(
		"sent from", x.From, "request headers", fields(x.RequestHeaders), "request body", pretty(x.RequestBody),
		"error", x.Error, "response headers", fields(x.ResponseHeaders), "response body", pretty(x.ResponseBody),
		"attempts", attempts(c, x.Attempts),
	)
	return e
}

func operation(c clock, o record.OperationRun) evidence {
	e := evidence{Step: o.Step, At: c.at(o.Mono), Kind: "operation", Bad: o.Outcome != record.OutcomeOK}
	what := strings.ReplaceAll(o.Kind, "_", " ")
	if o.Key != "" {
		what += fmt.Sprintf(" %q", o.Key)
	}
	if o.Value != "" {
		what += fmt.Sprintf(" = %q", o.Value)
	}
	if o.Node != "" {
		what += " on " + o.Node
	}
	result := string(o.Outcome)
	switch {
	case o.Outcome == record.OutcomeOK && o.Nothing:
		result = "nothing"
	case o.Outcome == record.OutcomeOK && o.Returned != "":
		result = fmt.Sprintf("%q", o.Returned)
	}
	e.again, e.took = plain(what+" → "+result), o.Took()
	e.Title = e.again + ", " + span(o.Took())
	e.Parts = texts("error", o.Error, "attempts", attempts(c, o.Attempts))
	return e
}

func attempts(c clock, all []record.Attempt) string {
	var b strings.Builder
	for i, a := range all {
		fmt.Fprintf(&b, "%d  +%.3f s  %s  %s  %s\n", i+1, float64(c.at(a.Start))/1e6, span(record.Operation{Start: a.Start, End: a.End}.Took()), a.Outcome, a.Error)
	}
	return b.String()
}

func attachment(c clock, a record.AttachmentRun, at home) evidence {
	e := evidence{Step: a.Step, At: c.at(a.Mono), Kind: "attachment", Title: plain(a.Name)}
	data, media := inline(a.Attachment), mediaType(a.Attachment)
	if a.File != "" {
		e.Parts = []piece{{Label: "file", Text: plain(a.File), Href: at.href(a.File)}}
		if !picture(media) {
			return e
		}
		data = at.small(a.File, maxPicture)
	}
	switch {
	case picture(media) && len(data) > 0 && len(data) <= maxPicture:
		e.Parts = append(e.Parts, piece{Image: dataURI(media, data)})
	case media == "text/x-diff":
		e.Parts = texts("", string(data))
		for i := range e.Parts {
			e.Parts[i].Diff = true
		}
	case a.File == "" && !picture(media):
		e.Parts = texts("", pretty(string(data)))
	}
	return e
}

// pretty indents JSON that is on one line.
func pretty(text string) string {
	var out bytes.Buffer
	if len(text) > maxInline || strings.Contains(strings.TrimSpace(text), "\n") || !strings.ContainsAny(text, "{[") || json.Indent(&out, []byte(text), "", "  ") != nil {
		return text
	}
	return out.String()
}

// picture tells the types that a page may show as an image; an SVG in an img element runs no script.
func picture(media string) bool {
	switch media {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml":
		return true
	}
	return false
}

func fields(all []record.Field) string {
	var b strings.Builder
	for _, f := range all {
		b.WriteString(f.Name + ": " + f.Value + "\n")
	}
	return b.String()
}

// texts makes pieces of labels and texts in turn, without the empty ones.
func texts(labelled ...string) []piece {
	var out []piece
	for i := 0; i+1 < len(labelled); i += 2 {
		if labelled[i+1] != "" {
			out = append(out, piece{Label: labelled[i], Text: shorten(plain(labelled[i+1]), maxInline)})
		}
	}
	return out
}

// shorten leaves out the middle of a text that is too long.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	head, tail := text[:limit*2/3], text[len(text)-limit/3:]
	return strings.ToValidUTF8(head, "") + fmt.Sprintf("\n… %s left out …\n", size(uint64(len(text)-limit))) + strings.ToValidUTF8(tail, "")
}
