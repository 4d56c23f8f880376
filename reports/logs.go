package reports

import (
	"bufio"
	"errors"
	"os"
	"sort"
	"strings"

	"brine.test/brine/world/record"
)

// maxLogLine bounds a shown line, maxRead what is read of one file (its end counts most).
const (
	maxLogLine = 4 << 10
	maxRead    = 16 << 20
)

// logLine is a line of a service's output on the scenario's clock.
type logLine struct {
	At     int64  `json:"t"` // µs since the scenario began
	Source int    `json:"s"`
	Level  string `json:"l,omitempty"` // e, w, i, d
	Text   string `json:"x"`
}

// logView is the merged log of the page.
type logView struct {
	Sources []string  `json:"sources,omitempty"` // "node1 etcd stderr"
	Lines   []logLine `json:"lines,omitempty"`
	Left    int       `json:"left,omitempty"` // lines left out for their number
}

// merged is all output of a scenario in the order of time.
type merged struct {
	sources []string
	lines   []logLine
	skipped int
}

func mergeLogs(dir string, c clock, s *record.ScenarioRun) *merged {
	m := &merged{}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return m // no folder, no logs; the links say where they would be
	}
	defer root.Close() //nolint:errcheck // read only
	for _, l := range s.Logs {
		source := len(m.sources)
		m.sources = append(m.sources, strings.TrimSpace(l.Node+" "+l.Service+" "+l.Stream))
		m.readFile(root, l.File, source, newDial(c, s, l.File))
	}
	sort.SliceStable(m.lines, func(i, j int) bool { return m.lines[i].At < m.lines[j].At })
	return m
}

func (m *merged) readFile(root *os.Root, file string, source int, d *dial) {
	f, err := root.Open(file)
	if err != nil {
		return
	}
	defer f.Close() //nolint:errcheck // read only
	offset := int64(0)
	if st, err := f.Stat(); err == nil && st.Size() > maxRead {
		offset = st.Size() - maxRead
		if _, err := f.Seek(offset, 0); err != nil {
			return
		}
		m.skipped++
	}
	br := bufio.NewReaderSize(f, 64<<10)
	for {
		line, err := br.ReadSlice('\n')
		text := string(line[:min(len(line), maxLogLine)])
		offset += int64(len(line))
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = br.ReadSlice('\n')
			offset += int64(len(line))
		}
		text = plain(strings.ToValidUTF8(strings.TrimRight(text, "\r\n"), "\uFFFD"))
		if strings.TrimSpace(text) != "" {
			m.lines = append(m.lines, logLine{At: d.at(offset, text), Source: source, Level: level(text), Text: text})
		}
		if err != nil {
			return
		}
	}
}

// level finds how bad a line says it is, in the forms that servers use: JSON's "level", klog's letter, words.
func level(text string) string {
	head := text[:min(len(text), 200)]
	if _, rest, ok := strings.Cut(head, `"level":"`); ok {
		return levelOf(rest)
	}
	if len(head) > 5 && strings.IndexByte("IWEF", head[0]) >= 0 && digit(head[1]) && digit(head[2]) && digit(head[3]) && digit(head[4]) {
		return levelOf(map[byte]string{'I': "info", 'W': "warn", 'E': "error", 'F': "fatal"}[head[0]])
	}
	for word := range strings.FieldsFuncSeq(head, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }) {
		if len(word) < 3 || word != strings.ToUpper(word) && word != strings.ToLower(word) {
			continue
		}
		switch strings.ToUpper(word) {
		case "ERROR", "ERR", "FATAL", "PANIC", "CRITICAL", "CRIT", "WARN", "WARNING", "INFO", "DEBUG", "TRACE", "LOG", "NOTICE":
			return levelOf(word)
		}
	}
	return ""
}

func levelOf(word string) string {
	switch word = strings.ToLower(word); {
	case strings.HasPrefix(word, "err"), strings.HasPrefix(word, "fatal"), strings.HasPrefix(word, "panic"), strings.HasPrefix(word, "crit"), strings.HasPrefix(word, "dpanic"):
		return "e"
	case strings.HasPrefix(word, "warn"):
		return "w"
	case strings.HasPrefix(word, "debug"), strings.HasPrefix(word, "trace"):
		return "d"
	}
	return "i"
}

func fileSize(dir, file string) int64 {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0
	}
	defer root.Close() //nolint:errcheck // read only
	st, err := root.Stat(file)
	if err != nil {
		return 0
	}
	return st.Size()
}
