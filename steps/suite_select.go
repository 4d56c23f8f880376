package steps

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	gherkin "github.com/cucumber/gherkin/go/v26"
	messages "github.com/cucumber/messages/go/v21"
)

// Selection is what a run runs, and how. The zero value runs all features under
// features/.
type Selection struct {
	Features    []string // files, folders, file.feature:line
	Tags        string   // a tag expression
	Name        string   // a regular expression that a scenario's name matches
	Concurrency int      // scenarios at the same time; 0 is 1
	Seed        uint64   // 0: drawn
	Out         string   // folder of the report; "" is out
}

// SelectionFromEnv reads BRINE_FEATURES (comma-separated), BRINE_TAGS,
// BRINE_NAME, BRINE_CONCURRENCY, BRINE_SEED and BRINE_OUT.
func SelectionFromEnv() (Selection, error) {
	s := Selection{Tags: os.Getenv("BRINE_TAGS"), Name: os.Getenv("BRINE_NAME"), Out: os.Getenv("BRINE_OUT")}
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
	if v := os.Getenv("BRINE_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil || n == 0 {
			return s, fmt.Errorf("BRINE_SEED=%s: expected a whole number from 1 on, as a report shows it", v)
		}
		s.Seed = n
	}
	return s, nil
}

// fill gives what was left out its default.
func (s *Selection) fill() {
	if len(s.Features) == 0 {
		s.Features = []string{"features"}
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
// lines of its scenarios. That nothing is selected is an error.
func (s Selection) paths() ([]string, error) {
	tags, err := parseTags(s.Tags)
	if err != nil {
		return nil, err
	}
	name, err := regexp.Compile(s.Name)
	if err != nil {
		return nil, fmt.Errorf("BRINE_NAME=%s: expected a regular expression: %w", s.Name, err)
	}
	var out []string
	for _, f := range s.Features {
		file, line := splitLine(f)
		files, err := featureFiles(file)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			lines, whole, err := selectIn(file, line, tags, name)
			if err != nil {
				return nil, err
			}
			if whole {
				out = append(out, file)
				continue
			}
			for _, l := range lines {
				out = append(out, fmt.Sprintf("%s:%d", file, l))
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no scenario is selected by features %s, tags %q, name %q\nhint: `brine steps` and the feature files show what there is", strings.Join(s.Features, ","), s.Tags, s.Name)
	}
	return out, nil
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

// selectIn gives the lines of the scenarios of one file that are selected, and
// whether these are all.
func selectIn(file string, line int64, tags tagExpr, name *regexp.Regexp) (lines []int64, whole bool, err error) {
	f, err := parseFeature(file)
	if err != nil {
		return nil, false, err
	}
	lineOf := line
	if line > 0 {
		lineOf = f.scenarioAt(line)
		if lineOf == 0 {
			return nil, false, fmt.Errorf("%s:%d: no scenario stands there", file, line)
		}
	}
	seen, all := map[int64]bool{}, map[int64]bool{}
	for _, p := range f.pickles {
		at := f.scenarioLine(p)
		all[at] = true
		if (lineOf > 0 && at != lineOf) || seen[at] || !tags(tagSet(p)) || !name.MatchString(p.Name) {
			continue
		}
		seen[at] = true
		lines = append(lines, at)
	}
	return lines, len(lines) == len(all) && len(all) > 0, nil
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
	pickles []*messages.Pickle
	nodes   map[string]astNode
}

// astNode is what a pickle refers to in the file.
type astNode struct {
	line     int64
	keyword  string
	scenario *messages.Scenario
	rule     string
}

func parseFeature(file string) (*feature, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	ids := (&messages.Incrementing{}).NewId
	doc, err := gherkin.ParseGherkinDocument(bytes.NewReader(data), ids)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	f := &feature{file: file, doc: doc, nodes: map[string]astNode{}}
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
		f.nodes[st.Id] = astNode{line: st.Location.Line, keyword: st.Keyword}
	}
}

// scenarioLine is the line of the scenario that a pickle was made of.
func (f *feature) scenarioLine(p *messages.Pickle) int64 { return f.nodes[p.AstNodeIds[0]].line }

// scenarioAt is the line of the scenario that the given line belongs to, or 0.
func (f *feature) scenarioAt(line int64) int64 {
	var best int64
	for _, n := range f.nodes {
		if n.scenario != nil && n.line <= line && n.line > best {
			best = n.line
		}
	}
	if best == 0 && line > 0 {
		// A tag line, or a line above the first scenario: the one that follows.
		for _, n := range f.nodes {
			if n.scenario == nil {
				continue
			}
			for _, t := range n.scenario.Tags {
				if t.Location.Line == line {
					return n.line
				}
			}
		}
	}
	return best
}
