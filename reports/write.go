package reports

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"brine.test/brine/world/record"
)

// Options is what a report may show besides the run itself.
type Options struct {
	// Before is an earlier run to compare with; nil compares with none.
	Before *record.Run
}

// Write renders all reports of a run into dir, the folder that holds its events.jsonl and artifacts. One format that
// fails does not keep the others from being written. Where GITHUB_STEP_SUMMARY names a file, a summary in Markdown is
// added to it.
func Write(dir string, run *record.Run) error { return WriteWith(dir, run, Options{}) }

// WriteWith is Write with options. The run's files may lie elsewhere than in dir, as those of merged runs do.
func WriteWith(dir string, run *record.Run, o Options) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("%s: make the output folder: %w", dir, err)
	}
	var errs []error
	for _, f := range []struct {
		name   string
		render func() ([]byte, error)
	}{
		{"junit.xml", func() ([]byte, error) { return junit(run) }},
		{"cucumber.json", func() ([]byte, error) { return cucumber(run) }},
		{"messages.ndjson", func() ([]byte, error) { return ndjson(run) }},
		{"report.html", func() ([]byte, error) { return html(dir, run, o) }},
	} {
		data, err := f.render()
		if err == nil {
			err = replace(filepath.Join(dir, f.name), data)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.name, err))
		}
	}
	if path := os.Getenv("GITHUB_STEP_SUMMARY"); path != "" {
		errs = append(errs, appendTo(path, summary(run, o)))
	}
	return errors.Join(errs...)
}

// replace writes a file at one instant, so that a reader never sees half of it.
func replace(path string, data []byte) error {
	tmp := path + ".part"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func appendTo(path string, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("step summary: %w", err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func stamp(wall int64) string { return time.Unix(0, wall).UTC().Format("2006-01-02T15:04:05.000Z") }
