package reports

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"brine.test/brine/world/record"
)

// every is how often a stage that goes on is told again where lines cannot be rewritten.
const every = 10 * time.Second

// Console shows long things while they go on: builds, pulls, a cluster's start, a sentence that waits. It listens to the
// recorder and writes beside godog's own output, so it belongs on standard error. On a terminal it keeps one line, that
// goes away when the thing is over; elsewhere it writes a line a stage.
//
//	rec.Listen(reports.NewConsole(os.Stderr).Event)
type Console struct {
	mu     sync.Mutex
	w      io.Writer
	tty    bool
	colour bool
	width  int
	live   bool // a line that must be wiped is on the screen
	last   map[string]record.Time
	began  map[string]record.Time
	asked  map[string]string // by harm
}

// NewConsole writes to w, as to a terminal if it is one; NO_COLOR keeps colours away.
func NewConsole(w io.Writer) *Console {
	c := &Console{w: w, width: 80, last: map[string]record.Time{}, began: map[string]record.Time{}, asked: map[string]string{}}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.tty, c.colour = os.Getenv("TERM") != "dumb", os.Getenv("NO_COLOR") == ""
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 20 {
			c.width = width
		}
	}
	return c
}

// Event takes one event of the record. It is quick and never fails: what cannot be shown is not.
func (c *Console) Event(e record.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e.Type {
	case record.StageChanged:
		c.stage(e)
	case record.HarmBegin:
		c.asked[e.Harm.ID] = e.Harm.Asked
	case record.HarmEnd:
		if e.Healed.TouchedNothing {
			c.wipe()
			_, _ = fmt.Fprintln(c.w, "! "+plain(c.asked[e.Healed.ID])+" touched nothing: the fault never happened")
		}
		delete(c.asked, e.Healed.ID)
	case record.Noted:
		if e.Note.Level == record.LevelWarning {
			c.wipe()
			_, _ = fmt.Fprintln(c.w, "! "+plain(e.Note.Text))
		}
	case record.StepEnd, record.ScenarioBegin, record.ScenarioEnd, record.RunEnd:
		c.wipe()
	}
}

func (c *Console) stage(e record.Event) {
	s := e.Stage
	key := e.Scenario + "\x00" + s.Name
	first := c.began[key].IsZero()
	if first {
		c.began[key] = e.Time
	}
	if s.Over {
		took := s.Took
		if took == 0 {
			took = e.Sub(c.began[key])
		}
		delete(c.began, key)
		delete(c.last, key)
		c.over(s, took)
		return
	}
	text := plain(s.Name) + progress(s)
	if c.tty {
		c.wipe()
		c.live = true
		_, _ = fmt.Fprint(c.w, c.dim(clip("… "+text, c.width-1)))
		return
	}
	if last := c.last[key]; first && s.Unit != "ns" || !first && e.Sub(last) >= every {
		c.last[key] = e.Time
		_, _ = fmt.Fprintln(c.w, "… "+text)
	} else if first {
		c.last[key] = e.Time
	}
}

// over says how a stage ended: one that failed, or took long enough to wonder about, stays on the screen.
func (c *Console) over(s *record.Stage, took time.Duration) {
	c.wipe()
	text := plain(s.Name) + ": " + span(took)
	if s.Error != "" {
		text = plain(s.Name) + ": failed after " + span(took) + ": " + plain(firstLine(s.Error))
	}
	if s.Unit != "ns" && (s.Error != "" || !c.tty || took > 2*time.Second) {
		_, _ = fmt.Fprintln(c.w, c.dim(text))
	}
}

// progress words what a stage has done of what it has to do; a wait says what time is left.
func progress(s *record.Stage) string {
	text := ""
	if s.Text != "" {
		text = ": " + plain(s.Text)
	}
	done, total := uint64(max(s.Done, 0)), uint64(max(s.Total, 0))
	switch {
	case s.Done == 0 && s.Total == 0:
		return text
	case s.Unit == "ns":
		return text + ", " + span(time.Duration(max(s.Total-s.Done, 0))) + " left"
	case s.Unit == "bytes" && total > 0:
		return text + ", " + size(done) + " of " + size(total)
	case s.Unit == "bytes":
		return text + ", " + size(done)
	case total > 0:
		return text + ", " + strings.TrimSpace(number(done)+" of "+number(total)+" "+s.Unit)
	}
	return text + ", " + strings.TrimSpace(number(done)+" "+s.Unit)
}

// wipe takes the live line away.
func (c *Console) wipe() {
	if c.live {
		_, _ = fmt.Fprint(c.w, "\r\x1b[K")
		c.live = false
	}
}

func (c *Console) dim(text string) string {
	if !c.colour {
		return text
	}
	return "\x1b[2m" + text + "\x1b[0m"
}

// clip cuts a line to a number of characters.
func clip(text string, n int) string {
	text = strings.ReplaceAll(text, "\n", " ")
	if r := []rune(text); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return text
}
