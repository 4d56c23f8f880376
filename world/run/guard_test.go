package run

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// guardEnv makes the test binary a process under a guard, to be sent signals.
const guardEnv = "BRINE_RUN_TEST_GUARD"

// beGuarded says what its guard tells it, and goes on until it is ended.
func beGuarded() {
	ctx, release := Guard(context.Background(), GuardOptions{
		OnStop: func(reason string) { fmt.Println("on stop:", reason) },
	})
	defer release()
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("context:", context.Cause(ctx))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestFirstSignalStopsSecondEnds(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), guardEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()

	lines := bufio.NewScanner(out)
	next := func() string {
		lines.Scan()
		return lines.Text()
	}
	if got := next(); got != "ready" {
		t.Fatalf("got %q", got)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	said := next() + "\n" + next()
	for _, want := range []string{"on stop: got terminated", "context: stopped: got terminated"} {
		if !strings.Contains(said, want) {
			t.Errorf("after the first signal: got %q, want %q in it", said, want)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("after the second signal: %v, want exit status 130", err)
	}
}

func TestGuardStopsBeforeTheDeadline(t *testing.T) {
	deadline := time.Now().Add(300 * time.Millisecond)
	reasons := make(chan string, 2)
	ctx, release := Guard(t.Context(), GuardOptions{
		Deadline: deadline,
		OnStop:   func(reason string) { reasons <- reason },
	})
	defer release()
	<-ctx.Done()
	if left := time.Until(deadline); left <= 0 {
		t.Errorf("stopped %v after the deadline", -left)
	}
	var stopped *Stopped
	if !errors.As(context.Cause(ctx), &stopped) || !strings.Contains(stopped.Reason, "time limit") {
		t.Errorf("cause: %v", context.Cause(ctx))
	}
	if got := <-reasons; got != stopped.Reason {
		t.Errorf("OnStop: got %q, want %q", got, stopped.Reason)
	}
}

func TestReleasedGuardIsQuiet(t *testing.T) {
	ctx, release := Guard(t.Context(), GuardOptions{
		Deadline: time.Now().Add(time.Minute),
		OnStop:   func(reason string) { t.Errorf("stopped: %s", reason) },
	})
	release()
	release()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		t.Errorf("cause: %v", cause)
	}
}
