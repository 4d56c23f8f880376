package world

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// triggerEvery is how often an armed harm looks at the log; it must act within
// 50 ms of the line.
const triggerEvery = 5 * time.Millisecond

// stream is one log file of one service.
type stream struct {
	s    *Service
	name string // stdout, stderr
	path string
}

// streams lists the log files of the nodes' services, or of the one named.
func streams(nodes []*Node, service string) ([]stream, error) {
	var out []stream
	for _, n := range nodes {
		services := n.services
		if service != "" {
			s, err := n.service(service)
			if err != nil {
				return nil, err
			}
			services = []*Service{s}
		}
		for _, s := range services {
			stdout, stderr := s.box.LogPaths()
			out = append(out, stream{s, "stdout", stdout}, stream{s, "stderr", stderr})
		}
	}
	return out, nil
}

// Log looks at what the services of a node have written since the scenario
// began. Of several nodes each must satisfy the sentence.
func (w *World) Log(ctx context.Context, who sel.Selector, t Text, b Bound) error {
	find, err := t.finder()
	if err != nil {
		return err
	}
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(context.Context) error {
		for _, n := range nodes {
			if err := w.logOf(n, who.Service, t, find); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *World) logOf(n *Node, service string, t Text, find func(string) bool) error {
	files, err := streams([]*Node{n}, service)
	if err != nil {
		return err
	}
	for _, f := range files {
		line, at, err := findLine(f.path, 0, find)
		if err != nil {
			return fmt.Errorf("log of %s: %w", n.Name, err)
		}
		if line == "" {
			continue
		}
		w.rec.LogLine(record.LogLine{Service: f.s.Name, Node: n.Name, Stream: f.name, Text: line, Offset: at, Why: "matched " + t.String()})
		if t.Kind == DoesNotContain {
			return fmt.Errorf("log of %s: expected %s, got the line: %s", n.Name, t, clip(line))
		}
		return nil
	}
	if t.Kind == DoesNotContain {
		return nil
	}
	return fmt.Errorf("log of %s: expected %s; its last lines are:\n%s", n.Name, t, tail(files, 10))
}

// findLine finds the first line at or after an offset, and where it begins. A
// last line without its end counts too.
func findLine(path string, from int64, find func(string) bool) (string, int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return "", 0, err
	}
	r := bufio.NewReaderSize(f, 64<<10)
	for at := from; ; {
		line, err := r.ReadString('\n')
		if line != "" && find(strings.TrimRight(line, "\r\n")) {
			return strings.TrimRight(line, "\r\n"), at, nil
		}
		at += int64(len(line))
		if errors.Is(err, io.EOF) {
			return "", at, nil
		}
		if err != nil {
			return "", at, err
		}
	}
}

// tail gives the last n lines of some log files, each led by its service.
func tail(files []stream, n int) string {
	var out []string
	for _, f := range files {
		lines := lastLines(f.path, n)
		for _, line := range lines {
			out = append(out, fmt.Sprintf("  %s %s: %s", f.s.label(), f.name, clip(line)))
		}
	}
	if len(out) == 0 {
		return "  (nothing was written)"
	}
	return strings.Join(out, "\n")
}

func lastLines(path string, n int) []string {
	const most = 16 << 10
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil
	}
	from := max(0, st.Size()-most)
	data, err := io.ReadAll(io.NewSectionReader(f, from, most))
	if err != nil {
		return nil
	}
	text := strings.TrimRight(string(data), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if from > 0 && len(lines) > 1 {
		lines = lines[1:] // cut in the middle
	}
	return lines[max(0, len(lines)-n):]
}

// OnLog arms a harm that waits for a line: from now on the logs of the nodes
// are watched, and harm is called once, within 50 ms of the first line that
// fits. One that never came fails the scenario at its end.
func (w *World) OnLog(ctx context.Context, who sel.Selector, t Text, what string, harm func(context.Context) error) error {
	find, err := t.finder()
	if err != nil {
		return err
	}
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	files, err := streams(nodes, who.Service)
	if err != nil {
		return err
	}
	offsets := make([]int64, len(files))
	for i, f := range files {
		if st, err := os.Stat(f.path); err == nil {
			offsets[i] = st.Size()
		}
	}
	armed := &trigger{what: what, on: fmt.Sprintf("the log of %s contains %s", names(nodes), t)}
	w.mu.Lock()
	w.triggers = append(w.triggers, armed)
	w.mu.Unlock()
	w.background(func(bg context.Context) error {
		for waitTick(bg, triggerEvery) {
			for i, f := range files {
				line, at, err := findLine(f.path, offsets[i], find)
				if err != nil {
					return fmt.Errorf("log of %s: %w", f.s.label(), err)
				}
				if line == "" {
					offsets[i] = wholeLines(f.path, offsets[i], at)
					continue
				}
				armed.fire()
				w.rec.LogLine(record.LogLine{Service: f.s.Name, Node: f.s.node.Name, Stream: f.name, Text: line, Offset: at, Why: "set off: " + what})
				hctx, done := w.Sentence(bg, what)
				defer done()
				if err := harm(hctx); err != nil {
					return fmt.Errorf("%s, set off by the log of %s: %w", what, f.s.label(), err)
				}
				return nil
			}
		}
		return nil
	})
	return nil
}

// wholeLines gives the offset up to which a file holds whole lines, so that a
// line that is still being written is read again.
func wholeLines(path string, from, to int64) int64 {
	if to <= from {
		return from
	}
	f, err := os.Open(path)
	if err != nil {
		return from
	}
	defer f.Close()
	buf := make([]byte, 1)
	for at := to; at > from; at-- {
		if _, err := f.ReadAt(buf, at-1); err != nil {
			return from
		}
		if buf[0] == '\n' {
			return at
		}
	}
	return from
}
