package engine

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// builder is who compiles: under sudo the user who called it, with that
// user's caches, so that no root-owned file appears among them.
type builder struct {
	uid, gid int
	home     string // "" when it is this process's own user
}

func invoker() (builder, error) {
	sudo := os.Getenv("SUDO_UID")
	if os.Geteuid() != 0 || sudo == "" || sudo == "0" {
		return builder{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	u, err := user.LookupId(sudo)
	if err != nil {
		return builder{}, fmt.Errorf("SUDO_UID=%s: %w", sudo, err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return builder{}, fmt.Errorf("SUDO_UID=%s: %w", sudo, err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return builder{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	return builder{uid: uid, gid: gid, home: u.HomeDir}, nil
}

// findGo finds the go program: sudo's own PATH often lacks its folder.
func (b builder) findGo() (string, error) {
	if path, err := exec.LookPath("go"); err == nil {
		return path, nil
	}
	home := b.home
	if home == "" {
		home = os.Getenv("HOME")
	}
	for _, dir := range []string{"/usr/local/go/bin", "/usr/lib/go/bin", "/snap/bin", filepath.Join(home, "go/bin"), filepath.Join(home, "sdk/go/bin")} {
		if path, err := exec.LookPath(filepath.Join(dir, "go")); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("go: %w\nhint: install Go (https://go.dev/dl) and have it in PATH or /usr/local/go", exec.ErrNotFound)
}

// command prepares a command that runs as the builder, in a process group of
// its own.
func (b builder) command(dir, path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "GOFLAGS", name == "GOWORK", name == "GO111MODULE", name == "CGO_ENABLED", name == "PWD":
		case b.home != "" && (name == "HOME" || name == "USER" || name == "LOGNAME" || name == "XDG_CACHE_HOME" || name == "XDG_CONFIG_HOME"):
		case b.home != "" && strings.HasPrefix(name, "GO") && strings.HasPrefix(value, "/root/"):
			// root's caches, which the builder cannot write
		default:
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "GOFLAGS=-buildvcs=false", "GOWORK=off", "PWD="+dir)
	if b.home != "" {
		cmd.Env = append(cmd.Env, "HOME="+b.home)
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(b.uid), Gid: uint32(b.gid)}
	}
	return cmd
}
