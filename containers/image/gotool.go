package image

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// goTool is the go command, run as the user who called sudo, with that user's
// module and build caches: nothing of root's is left in a home folder.
type goTool struct {
	path string
	user *sudoer
	env  []string
	// print tells toolchains apart that make different programs.
	print string
}

// usualPlaces is where the installers of Go put it.
var usualPlaces = []string{"/usr/local/go/bin/go", "/usr/lib/go/bin/go", "/snap/bin/go"}

// findGo looks where go is usually installed, because sudo's PATH leaves
// /usr/local/go/bin out.
func findGo(ctx context.Context) (*goTool, error) {
	t := &goTool{env: os.Environ()}
	home, _ := os.UserHomeDir()
	if user, ok := invoker(); ok {
		t.user, t.env, home = &user, user.environment(t.env), user.home
	} else if home == "" && os.Geteuid() == 0 {
		t.env = append(t.env, "HOME=/root")
	}
	places := []string{"go"}
	if root := os.Getenv("GOROOT"); root != "" {
		places = append(places, filepath.Join(root, "bin", "go"))
	}
	places = append(append(places, usualPlaces...), filepath.Join(home, "go", "bin", "go"), filepath.Join(home, ".local", "go", "bin", "go"))
	for _, place := range places {
		if path, err := exec.LookPath(place); err == nil {
			t.path = path
			break
		}
	}
	if t.path == "" {
		return nil, hinted(errors.New("go: images need the Go toolchain, and none was found"),
			"install Go (https://go.dev/doc/install) or put its bin folder on PATH; looked for "+strings.Join(places, ", "))
	}
	t.set("PATH", filepath.Dir(t.path)+string(os.PathListSeparator)+os.Getenv("PATH"))
	return t, t.fingerprint(ctx)
}

// set gives the command's environment one more variable.
func (t *goTool) set(name, value string) { t.env = append(t.env, name+"="+value) }

// with is the same tool with more variables.
func (t *goTool) with(vars ...string) *goTool {
	c := *t
	c.env = append(append([]string{}, t.env...), vars...)
	return &c
}

// fingerprints are kept: a suite resolves many images with one toolchain.
var fingerprints sync.Map // map[string]string

func (t *goTool) fingerprint(ctx context.Context) error {
	info, err := os.Stat(t.path)
	if err != nil {
		return err
	}
	id := keyOf(append([]string{t.path, info.ModTime().String()}, t.env...)...)
	if got, ok := fingerprints.Load(id); ok {
		t.print = got.(string)
		return nil
	}
	out, err := t.run(ctx, os.TempDir(), nil, "env", "-json", "GOVERSION", "GOEXPERIMENT", "GOAMD64", "GOARM", "GOARM64", "GOFIPS140")
	if err != nil {
		return err
	}
	var vars map[string]string
	if err := json.Unmarshal(out, &vars); err != nil {
		return fmt.Errorf("%s env: %w", t.path, err)
	}
	sorted, err := json.Marshal(vars)
	if err != nil {
		return err
	}
	t.print = string(sorted)
	fingerprints.Store(id, t.print)
	return nil
}

// goFailure is what the go command said when it failed.
type goFailure struct {
	command string
	said    []string
	cause   error
}

func (e *goFailure) Error() string {
	said := e.said
	if len(said) == 0 {
		return fmt.Sprintf("%s: %v", e.command, e.cause)
	}
	if len(said) > 12 {
		said = append(said[:12:12], fmt.Sprintf("… %d more lines", len(e.said)-12))
	}
	return e.command + ": " + strings.Join(said, "\n  ")
}

func (e *goFailure) Unwrap() error { return e.cause }

// run runs a go command and gives its standard output; onLine gets each line
// of its standard error. When the context ends, the command and all that it
// started are killed.
func (t *goTool) run(ctx context.Context, dir string, onLine func(string), args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Dir, cmd.Env = dir, append(slices.Clip(t.env), "PWD="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if t.user != nil {
		cmd.SysProcAttr = t.user.attributes()
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout = &out
	pr, pw := io.Pipe()
	cmd.Stderr = pw
	failure := &goFailure{command: "go " + args[0]}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(pr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			line := strings.TrimRight(lines.Text(), " \t\r")
			if onLine != nil {
				onLine(line)
			}
			if line != "" && len(failure.said) < 1000 {
				failure.said = append(failure.said, line)
			}
		}
		_, _ = io.Copy(io.Discard, pr)
	}()
	err := cmd.Run()
	_ = pw.Close()
	<-ended
	if ctx.Err() != nil {
		return nil, fmt.Errorf("go %s: %w", args[0], ctx.Err())
	}
	if err != nil {
		failure.cause = err
		return nil, failure
	}
	return out.Bytes(), nil
}

// workDir makes a temporary folder that the tool's user may write.
func (s *store) workDir(t *goTool) (*tempDir, error) {
	parent, prefix := s.path("tmp"), ""
	if t.user != nil {
		// The cache is root's alone.
		parent, prefix = os.TempDir(), "brine-build-"
		sweepTemp(parent, prefix)
	}
	tmp, err := newTemp(parent, prefix)
	if err != nil || t.user == nil {
		return tmp, err
	}
	if err := os.Chown(tmp.dir, int(t.user.uid), int(t.user.gid)); err != nil {
		_ = tmp.Close()
		return nil, err
	}
	return tmp, nil
}
