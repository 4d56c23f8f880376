package steps

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	gherkin "github.com/cucumber/gherkin/go/v26"
	messages "github.com/cucumber/messages/go/v21"
)

// Selection is what a run runs, and how. The zero value runs all features under
// features/ but those tagged @slow.
type Selection struct {
	Features    []string // files, folders, file.feature:line
	Tags        string   // a tag expression
	Name        string   // a regular expression that a scenario's name matches
	Concurrency int      // scenarios at the same time; 0 is 1
	Seed        uint64   // 0: drawn
	Out         string   // folder of the report; "" is out
	Schedule    string   // a file of random faults to replay instead of drawing them
}

// SelectionFromEnv reads BRINE_FEATURES (comma-separated), BRINE_TAGS,
// BRINE_NAME, BRINE_CONCURRENCY, BRINE_SEED, BRINE_OUT and BRINE_SCHEDULE, and
// refuses a BRINE_STEP_TIMEOUT that is none.
func SelectionFromEnv() (Selection, error) {
	s := Selection{Tags: os.Getenv("BRINE_TAGS"), Name: os.Getenv("BRINE_NAME"), Out: os.Getenv("BRINE_OUT"), Schedule: os.Getenv("BRINE_SCHEDULE")}
	for _, f := range strings.Split(os.Getenv("BRINE_FEATURES"), ",") {
		if f = strings.TrimSpace(f); f != "" {
			s.Features = append(s.Features, f)
		}
	}
	if v := os.Getenv("BRINE_CONCURRENCY"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return s, fmt.Errorf("BRINE_CONCURRENCY=%s: expected a number from 1 on: how many scenarios run at the same time", v)
		}
		s.Concurrency = n
	}
	if v := os.Getenv("BRINE_STEP_TIMEOUT"); v != "" {
		if d, err := time.ParseDuration(v); err != nil || d <= 0 {
			return s, fmt.Errorf("BRINE_STEP_TIMEOUT=%s: expected a time above nothing, such as 90s or 30m: how long one sentence may take", v)
		}
	}
	if v := os.Getenv("BRINE_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil || n == 0 {
			return s, fmt.Errorf("BRINE_SEED=%s: expected a whole number from 1 on, as a report shows it", v)
		}
		s.Seed = n
	}
	return s, nil
}

// quick are the tags of a run that nobody selected anything for: scenarios that
// take minutes run when their tag or their file is named.
const quick = "not @slow"

// fill gives what was left out its default.
func (s *Selection) fill() {
	if len(s.Features) == 0 {
		s.Features = []string{"features"}
		if s.Tags == "" {
			s.Tags = quick
		}
	}
	if s.Concurrency == 0 {
		s.Concurrency = 1
	}
	if s.Seed == 0 {
		s.Seed = uint64(rand.Uint32()) + 1
	}
	if s.Out == "" {
		s.Out = "out"
	}
}

// paths gives godog the scenarios that are selected: a file as a whole, or the
// lines of its scenarios, and the files as it is to see them. That nothing is
// selected is an error.
func (s Selection) paths() ([]string, rows, error) {
	tags, err := parseTags(s.Tags)
	if err != nil {
		return nil, rows{}, err
	}
	name, err := regexp.Compile(s.Name)
	if err != nil {
		return nil, rows{}, fmt.Errorf("BRINE_NAME=%s: expected a regular expression: %w", s.Name, err)
	}
	var order []string
	chosen := map[string]*choice{}
	for _, f := range s.Features {
		file, line := splitLine(f)
		files, err := featureFiles(file)
		if err != nil {
			return nil, rows{}, err
		}
		for _, file := range files {
			if chosen[file] == nil {
				f, err := parseFeature(file)
				if err != nil {
					return nil, rows{}, err
				}
				order, chosen[file] = append(order, file), &choice{feature: f, picked: map[int]bool{}}
			}
			if err := chosen[file].add(line, tags, name); err != nil {
				return nil, rows{}, err
			}
		}
	}
	var out []string
	see := rows{hidden: map[string]map[int64]bool{}}
	for _, file := range order {
		out = append(out, chosen[file].paths()...)
		see.hidden[file] = chosen[file].hidden()
	}
	if len(out) == 0 {
		return nil, rows{}, fmt.Errorf("no scenario is selected by features %s, tags %q, name %q\nhint: `brine steps` and the feature files show what there is", strings.Join(s.Features, ","), s.Tags, s.Name)
	}
	return out, see, nil
}

// choice is what is selected of one file.
type choice struct {
	*feature
	picked map[int]bool // by the place in pickles
}

// add selects what stands at a line (0: everywhere), has the tags and the name.
// A line of a row selects that row, any other line of an outline all its rows.
func (c *choice) add(line int64, tags tagExpr, name *regexp.Regexp) error {
	lineOf, row := line, false
	if line > 0 {
		if line > c.lines {
			return fmt.Errorf("%s:%d: the file has %d lines only", c.file, line, c.lines)
		}
		if lineOf = c.scenarioAt(line); lineOf == 0 {
			return fmt.Errorf("%s:%d: no scenario stands there", c.file, line)
		}
		for _, p := range c.pickles {
			row = row || c.rowLine(p) == line
		}
	}
	for i, p := range c.pickles {
		here := line == 0 || c.scenarioLine(p) == lineOf && (!row || c.rowLine(p) == line)
		if here && tags(tagSet(p)) && name.MatchString(p.Name) {
			c.picked[i] = true
		}
	}
	return nil
}

// paths are what godog is told: the file, or the lines of its scenarios.
func (c *choice) paths() []string {
	var lines []int64
	all := map[int64]bool{}
	for i, p := range c.pickles {
		at := c.scenarioLine(p)
		all[at] = true
		if c.picked[i] && !slices.Contains(lines, at) {
			lines = append(lines, at)
		}
	}
	if len(lines) == len(all) && len(all) > 0 {
		return []string{c.file}
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = fmt.Sprintf("%s:%d", c.file, l)
	}
	return out
}

// hidden are the lines of the rows that are not selected.
func (c *choice) hidden() map[int64]bool {
	out := map[int64]bool{}
	for i, p := range c.pickles {
		if at := c.rowLine(p); at > 0 && !c.picked[i] {
			out[at] = true
		}
	}
	return out
}

var lineSuffix = regexp.MustCompile(`^(.*\.feature):([0-9]+)$`)

// splitLine parts file.feature:12.
func splitLine(f string) (string, int64) {
	if m := lineSuffix.FindStringSubmatch(f); m != nil {
		if n, err := strconv.ParseInt(m[2], 10, 64); err == nil {
			return m[1], n
		}
	}
	return f, 0
}

// featureFiles lists a feature file, or those under a folder.
func featureFiles(path string) ([]string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("feature %s: no such file or folder\nhint: BRINE_FEATURES takes files, folders and file.feature:line, separated by commas", path)
	}
	if !st.IsDir() {
		return []string{path}, nil
	}
	var out []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(p, ".feature") {
			out = append(out, p)
		}
		return err
	})
	return out, err
}

func tagSet(p *messages.Pickle) map[string]bool {
	out := map[string]bool{}
	for _, t := range p.Tags {
		out[t.Name] = true
	}
	return out
}

// feature is one parsed feature file.
type feature struct {
	file    string
	doc     *messages.GherkinDocument
	lines   int64
	pickles []*messages.Pickle
	nodes   map[string]astNode
}

// astNode is what a pickle refers to in the file.
type astNode struct {
	line     int64
	doc      int64 // the line of a step's doc string
	keyword  string
	scenario *messages.Scenario
	rule     string
}

// readFeature reads a file without the byte order mark that some editors put at its front, which Gherkin does not know.
func readFeature(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	return bytes.TrimPrefix(data, []byte("\ufeff")), err
}

func parseFeature(file string) (*feature, error) {
	data, err := readFeature(file)
	if err != nil {
		return nil, err
	}
	ids := (&messages.Incrementing{}).NewId
	doc, err := gherkin.ParseGherkinDocument(bytes.NewReader(data), ids)
	if err != nil {
		return nil, fmt.Errorf("%s: %w\nhint: a sentence begins with Given, When, Then, And, But or *", file, err)
	}
	f := &feature{file: file, doc: doc, lines: int64(bytes.Count(data, []byte("\n"))) + 1, nodes: map[string]astNode{}}
	f.pickles = gherkin.Pickles(*doc, file, ids)
	if doc.Feature != nil {
		for _, child := range doc.Feature.Children {
			f.index(child.Background, child.Scenario, "")
			if child.Rule != nil {
				for _, c := range child.Rule.Children {
					f.index(c.Background, c.Scenario, child.Rule.Name)
				}
			}
		}
	}
	return f, nil
}

func (f *feature) index(b *messages.Background, s *messages.Scenario, rule string) {
	if b != nil {
		f.steps(b.Steps)
	}
	if s == nil {
		return
	}
	f.nodes[s.Id] = astNode{line: s.Location.Line, scenario: s, rule: rule}
	f.steps(s.Steps)
	for _, e := range s.Examples {
		for _, row := range e.TableBody {
			f.nodes[row.Id] = astNode{line: row.Location.Line}
		}
	}
}

func (f *feature) steps(steps []*messages.Step) {
	for _, st := range steps {
		n := astNode{line: st.Location.Line, keyword: st.Keyword}
		if st.DocString != nil {
			n.doc = st.DocString.Location.Line
		}
		f.nodes[st.Id] = n
	}
}

// scenarioLine is the line of the scenario that a pickle was made of.
func (f *feature) scenarioLine(p *messages.Pickle) int64 { return f.nodes[p.AstNodeIds[0]].line }

// rowLine is the line of the row of examples that a pickle was made of, or 0.
func (f *feature) rowLine(p *messages.Pickle) int64 {
	if len(p.AstNodeIds) < 2 {
		return 0
	}
	return f.nodes[p.AstNodeIds[1]].line
}

// scenarioAt is the line of the scenario that the given line belongs to, or 0.
func (f *feature) scenarioAt(line int64) int64 {
	var best int64
	for _, n := range f.nodes {
		if n.scenario == nil {
			continue
		}
		for _, t := range n.scenario.Tags {
			if t.Location.Line == line {
				return n.line // the one that follows
			}
		}
		if n.line <= line && n.line > best {
			best = n.line
		}
	}
	return best
}
