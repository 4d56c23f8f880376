package reports

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"brine.test/brine/world/record"
)

// detail is all that the page knows of an opened scenario. Times are µs since the scenario began.
type detail struct {
	Slug        string          `json:"slug"`
	Description string          `json:"description,omitempty"`
	Seed        string          `json:"seed"`
	Again       string          `json:"again,omitempty"`
	Began       int64           `json:"began"` // wall, ms
	Span        int64           `json:"span"`
	Steps       []stepView      `json:"steps"`
	Harms       []harmView      `json:"harms,omitempty"`
	Lanes       []lane          `json:"lanes,omitempty"`
	Series      *opSeries       `json:"series,omitempty"`
	Calls       []call          `json:"calls,omitempty"`
	Samples     []sampleSeries  `json:"samples,omitempty"`
	Topologies  []topologyView  `json:"topologies,omitempty"`
	Evidence    []evidence      `json:"evidence,omitempty"`
	Log         logView         `json:"log"`
	Around      []logLine       `json:"around,omitempty"` // what the services logged when it failed
	Files       []fileView      `json:"files,omitempty"`
	Cleanup     *record.Cleanup `json:"cleanup,omitempty"`
	Removed     string          `json:"removed,omitempty"`
	Looked      string          `json:"looked,omitempty"`
}

type stepView struct {
	ID      string        `json:"id,omitempty"`
	Keyword string        `json:"keyword"`
	Text    string        `json:"text"`
	Line    int           `json:"line,omitempty"`
	Status  record.Status `json:"status"`
	Begin   int64         `json:"b"`
	End     int64         `json:"e"`
	Ran     bool          `json:"ran"`
	Error   string        `json:"error,omitempty"`
	Doc     string        `json:"doc,omitempty"`
	Table   [][]string    `json:"table,omitempty"`
	Choices []choiceView  `json:"choices,omitempty"`
}

type choiceView struct {
	Selector string `json:"selector"`
	Stood    string `json:"stood"`
	How      string `json:"how,omitempty"`
}

type harmView struct {
	ID       string        `json:"id"`
	Kind     string        `json:"kind"`
	Effect   record.Effect `json:"effect,omitempty"`
	Asked    string        `json:"asked"`
	Detail   string        `json:"detail,omitempty"`
	Targets  []string      `json:"targets,omitempty"`
	Begin    int64         `json:"b"`
	End      int64         `json:"e"`
	Open     bool          `json:"open,omitempty"` // no end in the record
	Moment   bool          `json:"moment,omitempty"`
	Why      string        `json:"why,omitempty"`
	Receipt  string        `json:"receipt"`
	Proof    string        `json:"proof,omitempty"`
	First    int64         `json:"first,omitempty"`
	Last     int64         `json:"last,omitempty"`
	Nothing  bool          `json:"nothing,omitempty"`
	Error    string        `json:"error,omitempty"`
	Links    [][2]string   `json:"links,omitempty"`
	NLinks   int           `json:"nlinks,omitempty"`
	PerLink  []linkView    `json:"perlink,omitempty"`
	Releases []releaseView `json:"releases,omitempty"`
}

type linkView struct {
	From string `json:"from"`
	To   string `json:"to"`
	What string `json:"what"`
}

type releaseView struct {
	At    int64       `json:"t"`
	Links [][2]string `json:"links"`
}

type fileView struct {
	Name string `json:"name"`
	Href string `json:"href"`
	Size string `json:"size,omitempty"`
	Raw  bool   `json:"raw,omitempty"` // packets as they were: nothing is taken out of them
}

// maxLinks bounds the links of one harm that the page draws, maxPerLink those whose receipts it lists: a split of a
// hundred nodes has thousands.
const (
	maxLinks   = 20_000
	maxPerLink = 200
)

// clock turns the record's times into µs since the scenario began.
type clock struct{ begin int64 }

func (c clock) at(mono int64) int64 { return (mono - c.begin) / 1000 }

func (c clock) exact(mono int64) float64 { return float64(mono-c.begin) / 1000 }

func newDetail(dir string, run *record.Run, s *record.ScenarioRun, budget *logBudget) *detail {
	c := clock{s.Begin.Mono}
	d := &detail{
		Slug: s.Slug, Description: plain(s.Description), Seed: fmt.Sprint(s.Seed), Again: plain(s.Again),
		Began: s.Begin.Wall / 1e6, Span: c.at(s.End.Mono), Cleanup: s.Cleanup, Steps: []stepView{},
	}
	if d.Again == "" {
		d.Again = plain(run.Info.Again)
	}
	for _, st := range s.Steps {
		d.Steps = append(d.Steps, newStep(c, s, st))
	}
	for _, h := range s.Harms {
		d.Harms = append(d.Harms, newHarm(c, s, h))
	}
	d.Lanes = lanes(c, s)
	home := homeOf(dir, s)
	work := worked(home, s)
	d.Series = operations(c, s, work)
	d.Calls = calls(c, s)
	d.Samples = samples(c, s, len(work) > 0)
	d.Topologies = topologies(c, s)
	d.Evidence = gather(c, s, home)
	merged := mergeLogs(home.dir, c, s)
	d.Log = merged.view(budget.share(s), c, s)
	d.Around = merged.around(c, s)
	d.Files = files(home, s)
	if s.Cleanup != nil {
		var parts []string
		for _, r := range s.Cleanup.Removed {
			parts = append(parts, removal(r))
		}
		d.Removed, d.Looked = list(parts), plain(list(s.Cleanup.Looked))
	}
	return d
}

// removal counts a kind of things; a name that is no plural is one thing.
func removal(r record.Removal) string {
	what := plain(r.What)
	if one, many := strings.CutSuffix(what, "s"); many && (r.N != 1 || !strings.Contains(what, " of ")) {
		return plural(uint64(max(r.N, 0)), one)
	}
	return what
}

func newStep(c clock, s *record.ScenarioRun, st *record.StepRun) stepView {
	v := stepView{
		ID: st.ID, Keyword: st.Keyword, Text: plain(st.Text), Line: st.Line, Status: st.Status, Error: plain(st.Error), Ran: !st.Begin.IsZero() && st.Status != record.Skipped,
	}
	if v.Ran {
		v.Begin, v.End = c.at(st.Begin.Mono), c.at(st.End.Mono)
	}
	if st.DocString != nil {
		v.Doc = plain(st.DocString.Content)
	}
	for _, row := range st.Table {
		cells := make([]string, len(row))
		for i := range row {
			cells[i] = plain(row[i])
		}
		v.Table = append(v.Table, cells)
	}
	for _, ch := range s.Choices {
		if ch.Step != "" && ch.Step == st.ID {
			v.Choices = append(v.Choices, choiceView{plain(ch.Selector), plain(list(ch.Stood)), plain(ch.How)})
		}
	}
	return v
}

func newHarm(c clock, s *record.ScenarioRun, h *record.HarmRun) harmView {
	v := harmView{
		ID: h.ID, Kind: h.Kind, Effect: h.Effect, Asked: plain(asked(h)), Detail: plain(h.Detail), Targets: h.Targets,
		Begin: c.at(h.Begin.Mono), Moment: instant(h), Why: h.Why, Receipt: plain(receipt(h)), Proof: plain(h.Receipt.Proof),
		Nothing: h.TouchedNothing, Error: plain(h.Error), NLinks: len(h.Links),
	}
	if len(h.Links) <= maxLinks {
		v.Links = pairs(h.Links)
	}
	v.End, v.Open = c.at(s.End.Mono), h.End.IsZero()
	if !v.Open {
		v.End = c.at(h.End.Mono)
	}
	if h.Receipt.FirstTouched > 0 {
		v.First, v.Last = c.at(h.Receipt.FirstTouched), c.at(h.Receipt.LastTouched)
	}
	for _, l := range h.Receipt.Links[:min(len(h.Receipt.Links), maxPerLink)] {
		one := record.HarmRun{Receipt: l.Receipt(), TouchedNothing: true, End: h.End}
		v.PerLink = append(v.PerLink, linkView{l.From, l.To, receipt(&one)})
	}
	for _, r := range h.Releases {
		v.Releases = append(v.Releases, releaseView{c.at(r.At.Mono), pairs(r.Links)})
	}
	return v
}

func pairs(links []record.Link) [][2]string {
	var out [][2]string
	for _, l := range links {
		out = append(out, [2]string{l.From, l.To})
	}
	return out
}

// files are the links to the artifacts, in the order of the record.
func files(at home, s *record.ScenarioRun) []fileView {
	var out []fileView
	seen := map[string]bool{}
	add := func(name, file string, n int64) {
		if file == "" || seen[file] || !filepath.IsLocal(file) {
			return
		}
		seen[file] = true
		if n == 0 {
			n = fileSize(at.dir, file)
		}
		v := fileView{Name: plain(name), Href: at.href(file), Raw: strings.HasSuffix(file, ".pcapng") || strings.HasSuffix(file, ".pcap")}
		if n > 0 {
			v.Size = size(uint64(n))
		}
		out = append(out, v)
	}
	for _, a := range s.Attachments {
		add(a.Name, a.File, a.Size)
	}
	for _, ch := range s.Checks {
		add(ch.Name, ch.Drawing, 0)
	}
	logs := slices.Clone(s.Logs)
	slices.SortStableFunc(logs, func(a, b record.LogFile) int {
		switch {
		case natural(a.Node, b.Node):
			return -1
		case natural(b.Node, a.Node):
			return 1
		}
		return strings.Compare(a.Service+a.Stream, b.Service+b.Stream)
	})
	for _, l := range logs {
		add(l.Node+" "+l.Service+" "+l.Stream, l.File, 0)
	}
	return out
}

func dataURI(media string, data []byte) string {
	return "data:" + media + ";base64," + base64.StdEncoding.EncodeToString(data)
}
