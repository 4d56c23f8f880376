package reports

import (
	"fmt"
	"io"
	"path/filepath"

	"brine.test/brine/world/record"
)

// Combine reads the records of runs, each in its output folder, merges them, compares them with an earlier run where
// before names its folder (those of its shards), writes one report into out, and tells on w how it all came out. Artifacts stay where they
// are; the report links to them. It returns whether all is well.
func Combine(w io.Writer, out string, before []string, dirs ...string) (bool, error) {
	if len(dirs) == 0 {
		return false, fmt.Errorf("no folder of a run was named\nhint: name the output folder of at least one run, such as out")
	}
	run, err := readAll(dirs)
	if err != nil {
		return false, err
	}
	o := Options{}
	if len(before) > 0 {
		if o.Before, err = readAll(before); err != nil {
			return false, fmt.Errorf("the run before: %w", err)
		}
	}
	if err := WriteWith(out, run, o); err != nil {
		return false, err
	}
	if c := compare(o.Before, run); c != nil {
		_, _ = fmt.Fprintln(w, c.words())
		for _, line := range c.lines() {
			_, _ = fmt.Fprintln(w, line)
		}
	}
	tellEnd(w, out, run, "")
	return run.OK(), nil
}

// readAll reads the records of runs in their output folders, as one.
func readAll(dirs []string) (*record.Run, error) {
	runs := make([]*record.Run, len(dirs))
	for i, dir := range dirs {
		run, err := record.Read(filepath.Join(dir, "events.jsonl"))
		if err != nil {
			return nil, fmt.Errorf("%w\nhint: name output folders of runs; the folder of a merged report has no record of its own", err)
		}
		runs[i] = run
	}
	return record.Merge(runs...), nil
}
