package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"brine.test/brine/world/random"
)

// showing keeps lines of runs at the same time whole.
var showing sync.Mutex

// faults counts them: "1 fault", "3 faults".
func faults(n int) string {
	if n == 1 {
		return "1 fault"
	}
	return fmt.Sprintf("%d faults", n)
}

// candidate names a schedule by what is in it.
func candidate(f random.File) string {
	var all []string
	for _, s := range f.Schedules {
		for _, k := range s.Strikes {
			all = append(all, k.String())
		}
	}
	switch {
	case len(all) == 0:
		return "no fault"
	case len(all) <= 2:
		return strings.Join(all, ", ")
	}
	return faults(len(all)) + ": " + strings.Join(all[:2], ", ") + ", …"
}

// showRun prints how one run came out: "run 5: 2 faults: … failed the same way (9.2s)".
func showRun(w io.Writer, r ran, what string, want failure) {
	showing.Lock()
	defer showing.Unlock()
	p := colours(os.Stdout)
	how := p.green("passed")
	switch {
	case r.failed.any && (r.failed == want || !want.any):
		how = p.red("failed")
	case r.failed.any:
		how = p.yellow("failed of something else") + ": " + r.failed.step
	}
	fmt.Fprintf(w, "run %d, %s: %s (%.1f s)\n", r.number, what, how, r.took.Seconds())
}

// tellCandidates prints what is tried next.
func tellCandidates(what string, candidates []random.File) {
	showing.Lock()
	defer showing.Unlock()
	if len(candidates) == 1 {
		fmt.Printf("trying %s\n", what)
		return
	}
	fmt.Printf("trying %s: %d candidates\n", what, len(candidates))
}

// showFull prints the schedule that is to shrink.
func showFull(w io.Writer, full random.File, want failure) {
	fmt.Fprintf(w, "fails of: %s\n", want.step)
	showSchedule(w, fmt.Sprintf("to shrink: %s", faults(full.Strikes())), full)
}

func showSchedule(w io.Writer, title string, f random.File) {
	fmt.Fprintln(w, title)
	for _, s := range f.Schedules {
		fmt.Fprint(w, random.Table(s.Rows(), "  "))
	}
}

// found is what a search found.
type found struct {
	full, small          random.File
	want                 failure
	text, file, schedule string
	sure                 bool // the feature failed in the same way
	runs                 int
	took                 time.Duration
	again                string
}

// showFound prints the feature, and where it is.
func showFound(w io.Writer, f found) {
	p := colours(os.Stdout)
	verb := "matter"
	if f.small.Strikes() == 1 {
		verb = "matters"
	}
	fmt.Fprintf(w, "\n%s of %d %s, found in %d runs and %s; it fails of: %s\n\n", p.bold(faults(f.small.Strikes())), f.full.Strikes(), verb, f.runs, f.took.Round(100*time.Millisecond), f.want.step)
	fmt.Fprint(w, f.text)
	if !f.sure {
		fmt.Fprintln(w, "\n"+p.yellow("the feature itself passed when it was run: its faults come at slightly other moments")+"; the schedule below failed")
	}
	fmt.Fprintf(w, "\nfeature:  %s\nschedule: %s (BRINE_SCHEDULE replays it in the scenario it is of)\nagain:    %s\n", f.file, f.schedule, f.again)
}
