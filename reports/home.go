package reports

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"brine.test/brine/world/record"
)

// home is where the files of a scenario lie, and how a page in another folder links to them.
type home struct{ dir, rel string }

func homeOf(page string, s *record.ScenarioRun) home {
	if s.Dir == "" || s.Dir == page {
		return home{dir: page}
	}
	return home{s.Dir, relative(page, s.Dir)}
}

// href is a relative link that no file name can turn into another scheme.
func (h home) href(file string) string {
	path := filepath.ToSlash(filepath.Join(h.rel, file))
	if !strings.HasPrefix(path, "../") && !strings.HasPrefix(path, "/") {
		path = "./" + path
	}
	return (&url.URL{Path: path}).EscapedPath()
}

// small reads a file that is not larger than a limit; nothing of another.
func (h home) small(file string, limit int64) []byte {
	root, err := os.OpenRoot(h.dir)
	if err != nil {
		return nil
	}
	defer root.Close() //nolint:errcheck // read only
	if st, err := root.Stat(file); err != nil || st.Size() > limit || !st.Mode().IsRegular() {
		return nil
	}
	data, err := root.ReadFile(file)
	if err != nil {
		return nil
	}
	return data
}

func relative(from, to string) string {
	a, err := filepath.Abs(from)
	if err != nil {
		return to
	}
	b, err := filepath.Abs(to)
	if err != nil {
		return to
	}
	rel, err := filepath.Rel(a, b)
	if err != nil {
		return to
	}
	return rel
}

// records are the links to what the page was made of.
func records(dir string, run *record.Run) []fileView {
	if run.Dir != "" || len(run.Scenarios) == 0 {
		return []fileView{{Name: "events.jsonl", Href: homeOf(dir, &record.ScenarioRun{Dir: run.Dir}).href("events.jsonl")}}
	}
	var out []fileView
	seen := map[string]bool{}
	for _, s := range run.Scenarios {
		if h := homeOf(dir, s); !seen[h.dir] {
			seen[h.dir] = true
			out = append(out, fileView{Name: filepath.Join(h.rel, "events.jsonl"), Href: h.href("events.jsonl")})
		}
	}
	return out
}
