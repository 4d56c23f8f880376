package steps

import (
	"bytes"
	"io/fs"
	"os"
)

// rows shows godog feature files without the rows of examples that are not
// selected: it can choose an outline by its line, but not a row of it. The
// lines that stay keep their numbers.
type rows struct {
	hidden map[string]map[int64]bool // by file: the lines that are left blank
}

// Open implements fs.FS on the paths of the operating system.
func (r rows) Open(name string) (fs.File, error) {
	data, err := readFeature(name)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	for i := range lines {
		if r.hidden[name][int64(i)+1] {
			lines[i] = []byte("\n")
		}
	}
	return &shown{bytes.NewReader(bytes.Join(lines, nil)), info}, nil
}

// shown is a file of which some lines are hidden.
type shown struct {
	*bytes.Reader
	info fs.FileInfo
}

func (s *shown) Stat() (fs.FileInfo, error) { return s.info, nil }
func (s *shown) Close() error               { return nil }
