package world

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// lookPath finds a program of this machine.
func lookPath(program string) (string, error) {
	if rest, ok := strings.CutPrefix(program, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			program = filepath.Join(home, rest)
		}
	}
	return exec.LookPath(program)
}

// intoNetwork mounts the clients' own name server and hosts over the machine's, in a mount namespace of its own, and
// becomes the program.
const intoNetwork = `mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/hosts && shift 2 && exec "$@"`

// runOutside runs a program of this machine in the clients' network, where names mean what they mean in the cluster. It
// gives the exit code of a program that ended by itself.
func (w *World) runOutside(ctx context.Context, path string, args []string) (code int, stdout, stderr string, err error) {
	clients := w.net.Clients()
	files := map[string]string{"resolv.conf": clients.ResolvConf(), "hosts": clients.Hosts()}
	dir, err := os.MkdirTemp(w.dir, "outside")
	if err != nil {
		return 0, "", "", err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return 0, "", "", err
		}
	}
	sh := []string{"-c", intoNetwork, "sh", filepath.Join(dir, "resolv.conf"), filepath.Join(dir, "hosts"), path}
	cmd := exec.CommandContext(ctx, "/bin/sh", append(sh, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &errs, w.baseDir
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	// A process is in the network namespace of the thread that starts it.
	if err := clients.NS().Do(cmd.Start); err != nil {
		return 0, "", "", fmt.Errorf("%s: %w", path, err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return exit.ExitCode(), out.String(), errs.String(), nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return 0, out.String(), errs.String(), err
}

// standInForDdosify does what `ddosify -t URL -n COUNT -d SECONDS -m METHOD -T SECONDS -o stdout-json` does, with our own
// load generator, and prints a report of the same form.
func (w *World) standInForDdosify(ctx context.Context, args []string) (string, error) {
	flags := pflag.NewFlagSet("ddosify", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	target := flags.StringP("target", "t", "", "")
	count := flags.IntP("count", "n", 100, "")
	duration := flags.IntP("duration", "d", 10, "")
	method := flags.StringP("method", "m", "GET", "")
	timeout := flags.IntP("timeout", "T", 5, "")
	output := flags.StringP("output", "o", "stdout", "")
	body := flags.StringP("body", "b", "", "")
	load := flags.StringP("load_type", "l", "linear", "")
	if err := flags.Parse(args); err != nil {
		return "", fmt.Errorf("ddosify: %w\nhint: its stand-in takes -t -n -d -m -T -b -o stdout-json; install ddosify for all of it", err)
	}
	if *load != "linear" || !strings.HasPrefix(*output, "stdout") || *count < 1 || *duration < 1 || *target == "" {
		return "", fmt.Errorf("ddosify %s: its stand-in takes -t URL, -l linear and -o stdout or stdout-json only\nhint: install ddosify", strings.Join(args, " "))
	}
	url := *target
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	spec := LoadSpec{Rate: float64(*count) / float64(*duration), Method: *method, URL: url, Body: *body, Timeout: time.Duration(*timeout) * time.Second}
	one, err := w.startLoad(ctx, spec, Length{Kind: ForWait, D: time.Duration(*duration) * time.Second})
	if err != nil {
		return "", err
	}
	if err := w.awaitLoad(ctx, one); err != nil {
		return "", err
	}
	r := one.run.Report()
	whole := max(r.Sent, 1)
	b, err := json.Marshal(map[string]any{
		"success_perc": 100 * r.OK / whole, "fail_perc": 100 * (r.Failed + r.Errors) / whole,
		"success_count": r.OK, "server_fail_count": r.Failed + r.Errors, "assertion_fail_count": 0,
		"avg_duration": r.Mean.Seconds(),
	})
	return string(b), err
}
