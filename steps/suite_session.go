package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"brine.test/brine/reports"
	"brine.test/brine/world"
	"brine.test/brine/world/doctor"
	"brine.test/brine/world/random"
	"brine.test/brine/world/record"
	"brine.test/brine/world/run"
)

// stopGrace is how long the hooks have for the teardown after a signal, before
// the session tears down by itself.
const stopGrace = 12 * time.Second

// stopLimit is how long the session's own teardown may take after that.
const stopLimit = 30 * time.Second

// session is the one suite of this process. It is opened by the first scenario,
// for `godog run` offers no earlier moment that may fail.
type session struct {
	sel       Selection
	deadline  time.Time
	byCommand bool // the suite was begun by Run

	schedule *random.File // that is replayed, or nil

	once    sync.Once
	openErr error
	lock    *os.File // of the folder of the report, held until the process ends
	suite   *world.Suite
	ctx     context.Context // ends when the process is asked to end
	release func()

	closeOnce sync.Once
	closeErr  error
	closed    chan struct{}
	counts    tally
	remarks   remarks
	twins     twins
}

// tally counts how the scenarios came out.
type tally struct {
	mu             sync.Mutex
	passed, failed int
}

func (t *tally) add(ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ok {
		t.passed++
	} else {
		t.failed++
	}
}

var current = &session{closed: make(chan struct{})}

// open checks the machine, starts the run and begins to watch for signals.
func (s *session) open() error {
	s.once.Do(func() { s.openErr = s.start() })
	return s.openErr
}

func (s *session) start() error {
	if s.sel.Out == "" {
		sel, err := SelectionFromEnv()
		if err != nil {
			return err
		}
		s.sel = sel
	}
	s.sel.fill()
	if err := doctor.Essential(context.Background()); err != nil {
		return err
	}
	if s.sel.Schedule != "" {
		schedule, err := ReadSchedule(s.sel.Schedule)
		if err != nil {
			return err
		}
		s.schedule = &schedule
	}
	out, lock, err := outFolder(s.sel.Out)
	s.lock = lock
	if err != nil {
		return err
	}
	s.ctx, s.release = run.Guard(context.Background(), run.GuardOptions{Deadline: s.deadline, OnStop: s.stopped})
	s.suite, err = world.OpenSuite(s.ctx, world.SuiteOptions{
		Out: out, Seed: s.sel.Seed, Again: s.again(), Schedule: s.schedule,
		Selection: record.Selection{Features: s.sel.Features, Tags: s.sel.Tags, Name: s.sel.Name, Concurrency: s.sel.Concurrency},
	})
	if err != nil {
		s.release()
		return err
	}
	s.suite.Record().Listen(reports.NewConsole(os.Stderr).Event)
	s.suite.Record().Listen(s.remarks.listen)
	return nil
}

// again is the command that runs the same selection with the same seed.
func (s *session) again() string {
	words := []string{fmt.Sprintf("BRINE_SEED=%d", s.sel.Seed)}
	add := func(name, value string) {
		if value != "" {
			words = append(words, fmt.Sprintf("%s='%s'", name, strings.ReplaceAll(value, "'", `'\''`)))
		}
	}
	add("BRINE_FEATURES", strings.Join(s.sel.Features, ","))
	add("BRINE_TAGS", s.sel.Tags)
	add("BRINE_NAME", s.sel.Name)
	add("BRINE_SCHEDULE", s.sel.Schedule)
	return strings.Join(append(words, s.program()), " ")
}

// program is what ran this suite, as one types it.
func (s *session) program() string {
	if s.byCommand {
		return "brine run"
	}
	return "go test -count=1 -run TestFeatures ."
}

// outFolder makes the folder of the report and locks it, so that two suites at
// the same time do not write into one: the second gets a folder inside.
func outFolder(want string) (dir string, lock *os.File, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("the folder of the report cannot be used: %w\nhint: BRINE_OUT=FOLDER, or --out=FOLDER, names another", err)
		}
	}()
	abs, err := filepath.Abs(want)
	if err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(abs, 0o755); err != nil {
		return "", nil, err
	}
	lock, err = os.OpenFile(filepath.Join(abs, ".lock"), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return "", nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
		return abs, lock, nil
	}
	_ = lock.Close()
	second, err := os.MkdirTemp(abs, "run-")
	if err != nil {
		return "", nil, err
	}
	fmt.Fprintf(os.Stderr, "brine: %s is in use by another suite; this one writes into %s\n", abs, second)
	return second, nil, os.Chmod(second, 0o755)
}

// stopped is called when the process is asked to end: the steps' contexts are
// cancelled already, and the hooks tear down. If they do not, it does.
func (s *session) stopped(reason string) {
	fmt.Fprintf(os.Stderr, "\nbrine: %s: healing and tearing down\n", reason)
	if s.suite != nil {
		s.suite.Record().Interrupted(reason)
	}
	select {
	case <-s.closed:
		return
	case <-time.After(stopGrace):
	}
	ended := make(chan error, 1)
	go func() { ended <- s.close() }()
	select {
	case err := <-ended:
		if err != nil {
			fmt.Fprintf(os.Stderr, "brine: %s\n", s.redact(err.Error()))
		}
	case <-time.After(stopLimit):
		fmt.Fprintf(os.Stderr, "brine: the teardown did not end within %s: the reaper kills what runs, and the next run removes the rest\n", stopGrace+stopLimit)
	}
	os.Exit(1)
}

// close tears down what is open, ends the run and writes the reports.
func (s *session) close() error {
	s.closeOnce.Do(func() {
		defer close(s.closed)
		if s.suite == nil {
			return
		}
		s.closeErr = s.suite.Close(context.WithoutCancel(s.ctx))
		s.closeErr = errors.Join(s.closeErr, writeReports(s.suite.Out(), os.Stdout), run.GiveBack(s.suite.Out()))
		if s.ctx.Err() != nil {
			s.closeErr = errors.Join(s.closeErr, context.Cause(s.ctx))
		}
		s.release()
	})
	return s.closeErr
}
