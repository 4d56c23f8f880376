package steps

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/cucumber/godog"

	"brine.test/brine/reports"
	"brine.test/brine/world/record"
)

// InitializeTestSuite is what godog calls once: it ends the run after the last
// scenario. Use it as the TestSuiteInitializer.
func InitializeTestSuite(sc *godog.TestSuiteContext) {
	sc.AfterSuite(func() {
		if err := current.close(); err != nil && !underTest {
			fmt.Fprintf(os.Stderr, "brine: %v\n", err)
			os.Exit(1) // godog has no other way to fail here
		}
	})
}

// InitializeScenario declares every sentence and the scenario's life around
// them. Use it as the ScenarioInitializer.
func InitializeScenario(sc *godog.ScenarioContext) {
	hooks(sc, current)
	Register(sc)
}

// underTest tells that Test or Run will judge the end of the run.
var underTest bool

// Test runs the selected features as subtests of t: the whole body of a
// project's TestFeatures.
//
//	func TestFeatures(t *testing.T) { steps.Test(t) }
func Test(t *testing.T) {
	t.Helper()
	sel, err := SelectionFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	if deadline, ok := t.Deadline(); ok {
		current.deadline = deadline
	}
	code, err := runSuite(sel, t)
	if err != nil {
		t.Fatal(err)
	}
	if code != 0 && !t.Failed() {
		t.Errorf("godog ended with status %d", code)
	}
}

// Run runs the selected features without a testing.T and gives the exit code: 0
// when every scenario passed and nothing is left.
func Run(sel Selection) int {
	current.byCommand = true
	code, err := runSuite(sel, nil)
	if err != nil {
		fmt.Fprintf(os.Stderr, "brine: %v\n", err)
		return max(code, 1)
	}
	return code
}

func runSuite(sel Selection, t *testing.T) (int, error) {
	sel.fill()
	paths, see, err := sel.paths()
	if err != nil {
		return 2, err
	}
	underTest = true
	current.sel = sel
	// The machine is checked before the first feature is printed.
	if err := current.open(); err != nil {
		return 1, err
	}
	code := godog.TestSuite{
		Name:                 "brine",
		TestSuiteInitializer: InitializeTestSuite,
		ScenarioInitializer:  InitializeScenario,
		Options: &godog.Options{
			Format: formatName, Paths: paths, FS: see, Concurrency: sel.Concurrency, Strict: true,
			TestingT: t, Output: &byLine{to: os.Stdout}, NoColors: !colour(), DefaultContext: current.ctx,
		},
	}.Run()
	if err := current.close(); err != nil {
		return max(code, 1), err
	}
	return code, nil
}

// colour tells whether standard output is a terminal that wants colours.
func colour() bool {
	if os.Getenv("NO_COLOR") != "" {
		return false
	}
	st, err := os.Stdout.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// writeReports renders the record into its folder and prints the closing line.
func writeReports(out string, to io.Writer) error {
	run, err := record.Read(filepath.Join(out, "events.jsonl"))
	if err != nil {
		return err
	}
	if err := reports.Write(out, run); err != nil {
		return err
	}
	reports.Closing(to, out, run)
	return nil
}

// Under `godog run` the features are chosen before any of our code is asked.
// That program is named godog.test; its arguments are completed here from the
// environment, so that BRINE_FEATURES and its kin select there too.
func init() {
	if filepath.Base(os.Args[0]) != "godog.test" {
		return
	}
	sel, err := SelectionFromEnv()
	if err == nil {
		sel.fill()
		err = completeArgs(sel)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "brine: %v\n", err)
		os.Exit(2)
	}
}

func completeArgs(sel Selection) error {
	if os.Getenv("BRINE_FEATURES")+sel.Tags+sel.Name != "" {
		paths, _, err := sel.paths() // the command shows whole outlines
		if err != nil {
			return err
		}
		os.Args = append(os.Args, paths...)
	}
	if sel.Concurrency > 1 {
		os.Args = append([]string{os.Args[0], fmt.Sprintf("--concurrency=%d", sel.Concurrency)}, os.Args[1:]...)
	}
	current.sel = sel
	return nil
}
