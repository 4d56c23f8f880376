package reports

import (
	"strings"
	"time"

	"brine.test/brine/world/record"
)

// dial tells when a line was written: when its file had grown that far, as the record says. For a file whose growth is not
// in the record it takes the time that the line itself tells, and where there is none, that of the line before.
type dial struct {
	c         clock
	positions []record.PositionRun
	followed  bool
	begin     record.Time
	last, end int64
}

func newDial(c clock, s *record.ScenarioRun, file string) *dial {
	d := &dial{c: c, positions: s.Positions[file], begin: s.Begin, end: c.at(s.End.Mono)}
	d.followed = len(d.positions) > 0
	if d.followed {
		d.last = d.end
	}
	return d
}

// at is asked with rising offsets.
func (d *dial) at(offset int64, text string) int64 {
	if !d.followed {
		if wall, ok := written(text); ok {
			d.last = min(max((wall-d.begin.Wall)/1000, 0), d.end)
		}
		return d.last
	}
	for len(d.positions) > 0 && d.positions[0].Offset < offset {
		d.last = d.c.at(d.positions[0].Mono)
		d.positions = d.positions[1:]
	}
	if len(d.positions) > 0 {
		d.last = d.c.at(d.positions[0].Mono)
	}
	return d.last
}

// written finds the time that a line tells, as wall nanoseconds: an RFC 3339 time among its first characters, which is
// where zap, slog, logrus, klog's JSON and most others have it. Times without a zone are nobody's.
func written(text string) (int64, bool) {
	head := text[:min(len(text), 120)]
	for {
		i := strings.Index(head, "T")
		if i < 0 {
			return 0, false
		}
		if i >= 10 && len(head) > i+8 && head[i-3] == '-' && head[i-6] == '-' && head[i+3] == ':' {
			word := head[i-10:]
			if j := strings.IndexAny(word, "\" \t]},"); j >= 0 {
				word = word[:j]
			}
			for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
				if t, err := time.Parse(layout, word); err == nil {
					return t.UnixNano(), true
				}
			}
		}
		head = head[i+1:]
		if len(head) < 9 {
			return 0, false
		}
	}
}
