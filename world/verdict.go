package world

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"brine.test/brine/world/record"
)

// bounded is the error of a sentence that looked more than once.
type bounded struct {
	err   error
	text  string // "not within 10s"
	tried time.Duration
	looks int
}

func (b *bounded) Error() string {
	looks := "1 look"
	if b.looks != 1 {
		looks = fmt.Sprintf("%d looks", b.looks)
	}
	return fmt.Sprintf("%s (%s): %v", b.text, looks, b.err)
}
func (b *bounded) Unwrap() error { return b.err }

// failure is a failed sentence with what else a reader must know: which harm
// was on, which services had ended by themselves.
type failure struct {
	err       error
	harms     []string
	surprises []string
	broken    []string // processes that keep harm up and do not
	full      string   // the folder of the state, when it has no room left
}

var _ record.Judged = (*failure)(nil)

// Explain adds to a sentence's error which harm was on and which services had
// ended by themselves since the last sentence, or before and are down still.
func (w *World) Explain(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.EMFILE) && !strings.Contains(err.Error(), "\nhint: ") {
		err = fmt.Errorf("%w\nhint: this shell lets a program open few files at a time; `ulimit -n 65536` before the run lets it open more", err)
	}
	f := &failure{err: err, surprises: w.Surprises(), broken: w.broken(), full: w.full()}
	for _, fell := range w.fallen() {
		if !slices.Contains(f.surprises, fell) {
			f.surprises = append(f.surprises, fell+", and was not started again")
		}
	}
	for _, a := range w.active(func(*active) bool { return true }) {
		f.harms = append(f.harms, a.since())
	}
	return f
}

// noRoom is how much has to be left in the folder of the state, in bytes: below,
// services cannot write even their logs.
const noRoom = 1 << 20

// full says that the folder of the state has no room left: nobody else might, for
// the logs are there too.
func (w *World) full() string {
	var st unix.Statfs_t
	if w.dir == "" || unix.Statfs(w.dir, &st) != nil || st.Bavail*uint64(st.Bsize) >= noRoom {
		return ""
	}
	return fmt.Sprintf("%s, which holds the services' data and logs, is on a file system that is full (BRINE_STATE names another folder)", w.dir)
}

func (f *failure) Unwrap() error { return f.err }

func (f *failure) Error() string {
	text := f.err.Error()
	if len(f.broken) > 0 {
		text += "\nbeside it: " + strings.Join(f.broken, "; ")
	}
	if f.full != "" {
		text += "\nbeside it: " + f.full
	}
	if len(f.harms) > 0 {
		text += "\nharm that was on: " + strings.Join(f.harms, "; ")
	}
	if len(f.surprises) > 0 {
		text += "\nended by itself: " + strings.Join(f.surprises, "; ")
	}
	return text
}

// Verdict sets the failure in parts.
func (f *failure) Verdict() record.Verdict {
	v := record.Verdict{Harms: f.harms, Ended: append(slices.Clone(f.surprises), f.broken...)}
	var b *bounded
	if errors.As(f.err, &b) {
		v.Tried, v.Looks = b.tried, b.looks
	}
	if f.full != "" {
		v.Ended = append(v.Ended, f.full)
	}
	text, hint, _ := strings.Cut(f.err.Error(), "\nhint: ")
	if v.Hint = hint; hint == "" && len(f.broken) > 0 {
		v.Hint = hintBroken
	}
	if before, after, ok := strings.Cut(text, ", got "); ok {
		_, v.Expected, ok = strings.Cut(before, "expected ")
		if ok {
			v.Got = paragraph(after)
		}
	}
	return v
}

// paragraph is the first line of a text and the lines below it that are set in.
func paragraph(text string) string {
	lines := strings.Split(text, "\n")
	n := 1
	for n < len(lines) && strings.HasPrefix(lines[n], " ") {
		n++
	}
	return strings.Join(lines[:n], "\n")
}
