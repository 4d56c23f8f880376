package reports

import (
	"fmt"
	"io"
	"path/filepath"

	"brine.test/brine/world/record"
)

// Combine reads the records of runs, each in its output folder, merges them, compares them with an earlier run where
// before names its folder, writes one report into out, and tells on w how it all came out. Artifacts stay where they
// are; the report links to them. It returns whether all is well.
func Combine(w io.Writer, out, before string, dirs ...string) (bool, error) {
	if len(dirs) == 0 {
		return false, fmt.Errorf("no folder of a run was named\nhint: name the output folder of at least one run, such as out")
	}
	var runs []*record.Run
	for _, dir := range dirs {
		run, err := record.Read(filepath.Join(dir, "events.jsonl"))
		if err != nil {
			return false, err
		}
		runs = append(runs, run)
	}
	o := Options{}
	if before != "" {
		run, err := record.Read(filepath.Join(before, "events.jsonl"))
		if err != nil {
			return false, fmt.Errorf("the run before: %w", err)
		}
		o.Before = run
	}
	run := record.Merge(runs...)
	if err := WriteWith(out, run, o); err != nil {
		return false, err
	}
	if c := compare(o.Before, run); c != nil {
		_, _ = fmt.Fprintln(w, c.words())
		for _, line := range c.lines() {
			_, _ = fmt.Fprintln(w, line)
		}
	}
	Closing(w, out, run)
	return run.OK(), nil
}
