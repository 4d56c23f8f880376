package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"brine.test/brine/containers/cgroup"
)

// Finding is one thing that the engine needs, and whether this machine has it.
type Finding struct {
	Name   string // what is needed: "gcc"
	OK     bool
	Detail string // what was found: a version, a path, or the error
	Fix    string // the command that mends it, when not OK
}

// Check looks at what building and running the engine needs. Build tools are
// asked for only while the programs are not in the cache.
func Check(ctx context.Context, cacheDir string) []Finding {
	var out []Finding
	add := func(name string, err error, detail, fix string) {
		f := Finding{Name: name, OK: err == nil, Detail: detail}
		if err != nil {
			f.Detail, f.Fix = strings.SplitN(err.Error(), "\n", 2)[0], fix
		}
		out = append(out, f)
	}
	cached, ok := Cached(cacheDir)
	if ok {
		v := Versions()
		add("engine", nil, fmt.Sprintf("containerd %s, runc %s in %s", v["containerd"], v["runc"], cached.Dir), "")
		add("seccomp", checkSeccomp(ctx, cached), "in runc", "remove "+cached.Dir+" and start again")
	} else {
		goVersion, err := checkGo(ctx)
		add("go", err, goVersion, "install Go from https://go.dev/dl")
		add("gcc and libseccomp", checkCompiler(ctx), "a static program links", "apt-get install gcc libc6-dev libseccomp-dev")
		add("engine", nil, "not built yet; the first start builds it into "+cached.Dir, "")
	}
	_, err := cgroup.Open()
	add("cgroup2", err, "mounted", "mount -t cgroup2 none /sys/fs/cgroup/unified")
	add("overlay file system", checkOverlay(), "known to the kernel", "modprobe overlay")
	return out
}

func checkGo(ctx context.Context) (string, error) {
	who, err := invoker()
	if err != nil {
		return "", err
	}
	path, err := who.findGo()
	if err != nil {
		return "", err
	}
	text, err := exec.CommandContext(ctx, path, "version").Output()
	return strings.TrimSpace(string(text)), err
}

// checkCompiler links a static program against libseccomp, as runc's build
// does.
func checkCompiler(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "gcc", "-x", "c", "-", "-static", "-lseccomp", "-o", os.DevNull)
	cmd.Stdin = strings.NewReader("#include <seccomp.h>\nint main(void) { return seccomp_api_get() == 0; }\n")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("gcc: %w\nhint: apt-get install gcc libc6-dev libseccomp-dev", err)
	}
	if err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		return fmt.Errorf("gcc: link with libseccomp: %w: %s\nhint: apt-get install gcc libc6-dev libseccomp-dev", err, first)
	}
	return nil
}

func checkSeccomp(ctx context.Context, p Programs) error {
	text, err := exec.CommandContext(ctx, p.Runc, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", p.Runc, err, bytes.TrimSpace(text))
	}
	if !bytes.Contains(text, []byte("libseccomp")) {
		return fmt.Errorf("%s: built without seccomp", p.Runc)
	}
	return nil
}

func checkOverlay() error {
	text, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return err
	}
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasSuffix(line, "\toverlay") {
			return nil
		}
	}
	return errors.New("not known to the kernel (images are copied instead)")
}
