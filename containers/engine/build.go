package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Programs are the engine's programs on disk.
type Programs struct {
	Dir                    string
	Containerd, Shim, Runc string // absolute paths
}

func programsIn(dir string) Programs {
	return Programs{
		Dir:        dir,
		Containerd: filepath.Join(dir, "containerd"),
		Shim:       filepath.Join(dir, "containerd-shim-runc-v2"),
		Runc:       filepath.Join(dir, "runc"),
	}
}

// Cached tells where this version's programs are, or would be, in the cache,
// and whether they are there.
func Cached(cacheDir string) (Programs, bool) {
	p := programsIn(filepath.Join(cacheDir, "engine", buildKey()))
	info, err := os.Stat(p.Dir)
	if err != nil || !info.IsDir() {
		return p, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return p, ok && int(st.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}

// Build returns the programs, compiling them first when the cache lacks them:
// about two minutes of CPU, and a download of about 60 MB. Concurrent callers
// build once. What is going on is told to progress, which may be nil.
func Build(ctx context.Context, cacheDir string, progress func(string)) (_ Programs, err error) {
	if progress == nil {
		progress = func(string) {}
	}
	done, ok := Cached(cacheDir)
	if ok {
		return done, nil
	}
	parent := filepath.Dir(done.Dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return Programs{}, fmt.Errorf("engine: %w\nhint: BRINE_CACHE names another cache folder", err)
	}
	guard, err := lock(ctx, filepath.Join(parent, "build.lock"), unix.LOCK_EX)
	if err != nil {
		return Programs{}, fmt.Errorf("engine: wait for another build: %w", err)
	}
	defer guard.Close() //nolint:errcheck // unlocks
	if _, ok := Cached(cacheDir); ok {
		return done, nil
	}
	if err := buildInto(ctx, done.Dir, progress); err != nil {
		return Programs{}, fmt.Errorf("engine: %w", err)
	}
	return done, nil
}

// buildInto compiles in a scratch folder that the builder owns, and copies the
// results into place under one rename.
func buildInto(ctx context.Context, dir string, progress func(string)) error {
	who, err := invoker()
	if err != nil {
		return err
	}
	goTool, err := who.findGo()
	if err != nil {
		return err
	}
	if err := checkCompiler(ctx); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "brine-engine-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // a scratch folder
	for name, text := range map[string]string{"go.mod": pinnedMod, "go.sum": pinnedSum} {
		if err := os.WriteFile(filepath.Join(scratch, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.Chown(scratch, who.uid, who.gid); err != nil {
		return err
	}
	began := time.Now()
	for _, p := range programs {
		progress(fmt.Sprintf("building %s %s (once; about two minutes in all)", p.name, Versions()[p.name]))
		if err := who.goBuild(ctx, goTool, scratch, p, progress); err != nil {
			return err
		}
	}
	if err := install(scratch, dir); err != nil {
		return err
	}
	progress(fmt.Sprintf("engine built in %s, kept in %s", time.Since(began).Round(time.Second), dir))
	return nil
}

// goBuild runs one go build and reports now and then how far it is: with -v
// go names every package it compiled and every module it fetched.
func (b builder) goBuild(ctx context.Context, goTool, dir string, p program, progress func(string)) error {
	cmd := b.command(dir, goTool, p.args(filepath.Join(dir, p.name))...)
	cmd.Env = append(cmd.Env, "CGO_ENABLED="+p.cgo)
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close() //nolint:errcheck // read end
	cmd.Stdout, cmd.Stderr = in, in
	err = cmd.Start()
	_ = in.Close()
	if err != nil {
		return fmt.Errorf("%s: go build: %w", p.name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) })
	defer stop()
	tail := follow(out, p.name, progress)
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("%s: go build: %w\n%s", p.name, err, tail)
	}
	return nil
}

// follow reads go's lines to the end, tells progress every ten seconds, and
// returns the last lines that are neither packages nor downloads.
func follow(r io.Reader, name string, progress func(string)) string {
	var tail []string
	packages, modules, said := 0, 0, time.Now()
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		line := sc.Text()
		switch {
		case strings.HasPrefix(line, "go: downloading "):
			modules++
		case strings.ContainsAny(line, " :"):
			tail = append(tail, line)
			if len(tail) > 20 {
				tail = tail[1:]
			}
		default:
			packages++
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			progress(fmt.Sprintf("building %s: %d modules fetched, %d packages compiled", name, modules, packages))
		}
	}
	return strings.Join(tail, "\n")
}

// install copies the programs from scratch to dir, owned by this process's
// user, and makes them appear at once.
func install(scratch, dir string) error {
	staging, err := os.MkdirTemp(filepath.Dir(dir), ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(staging) //nolint:errcheck // renamed away on success
	for _, p := range programs {
		if err := copyProgram(filepath.Join(scratch, p.name), filepath.Join(staging, p.name)); err != nil {
			return err
		}
	}
	if err := os.Chmod(staging, 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(staging, dir)
}

func copyProgram(from, to string) (err error) {
	in, err := os.OpenFile(from, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // read only
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(0o755), out.Close())
}
