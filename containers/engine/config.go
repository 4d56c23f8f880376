package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Config says where the engine lives.
type Config struct {
	StateDir string // sockets, logs and locks; default $BRINE_STATE, else /run/brine
	CacheDir string // the programs; default $BRINE_CACHE, else /var/cache/brine
	Progress func(string)

	// Linger is how long the daemon stays after its last user ended. 0 takes
	// $BRINE_ENGINE_LINGER (a duration), else a minute; below 0 is not at all.
	// The user who starts the daemon decides.
	Linger time.Duration
	// Size bounds the tmpfs of images' and containers' file systems, all together, in
	// bytes; half as much is for what is kept about them. 0 takes half of the
	// machine's memory.
	Size int64
}

// Default folders.
const (
	DefaultStateDir = "/run/brine"
	DefaultCacheDir = "/var/cache/brine"
	defaultLinger   = time.Minute
)

func (c Config) withDefaults() (Config, error) {
	c.StateDir = firstOf(c.StateDir, os.Getenv("BRINE_STATE"), DefaultStateDir)
	c.CacheDir = firstOf(c.CacheDir, os.Getenv("BRINE_CACHE"), DefaultCacheDir)
	if text := os.Getenv("BRINE_ENGINE_LINGER"); c.Linger == 0 && text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			return c, fmt.Errorf("BRINE_ENGINE_LINGER=%s: %w", text, err)
		}
		if c.Linger = d; d == 0 {
			c.Linger = -1
		}
	}
	if c.Linger == 0 {
		c.Linger = defaultLinger
	}
	if c.Size == 0 {
		var info unix.Sysinfo_t
		if err := unix.Sysinfo(&info); err != nil {
			return c, fmt.Errorf("size of memory: %w", err)
		}
		c.Size = int64(info.Totalram) * int64(info.Unit) / 2
	}
	return c, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// layout is where the files of one daemon are. All but fs is seen by everyone
// who may enter the state folder (root); fs is a tmpfs in the daemon's own
// mount namespace.
type layout struct {
	Key string // names version and configuration
	Dir string
}

func newLayout(c Config, p Programs) layout {
	h := sha256.New()
	fmt.Fprintln(h, p.Dir, c.Size, containerdConfig(layout{Dir: c.StateDir}))
	key := hex.EncodeToString(h.Sum(nil))[:10]
	return layout{Key: key, Dir: filepath.Join(c.StateDir, "engine", key)}
}

func (l layout) address() string { return filepath.Join(l.Dir, "containerd.sock") }
func (l layout) users() string   { return filepath.Join(l.Dir, "users.lock") }
func (l layout) start() string   { return filepath.Join(l.Dir, "start.lock") }
func (l layout) daemon() string  { return filepath.Join(l.Dir, "daemon.lock") }
func (l layout) ready() string   { return filepath.Join(l.Dir, "ready.json") }
func (l layout) fs() string      { return filepath.Join(l.Dir, "fs") }

// snapshots is where the images' and containers' file systems are, a tmpfs of its own.
func (l layout) snapshots() string {
	return filepath.Join(l.fs(), "root", "io.containerd.snapshotter.v1.overlayfs", "snapshots")
}

// sockets is where shims listen, in the daemon's mount namespace. containerd
// takes at most 42 bytes; under a state folder with a longer path, the tmpfs
// also appears in a short place.
func (l layout) sockets() string {
	if dir := filepath.Join(l.fs(), "s"); len(dir) <= 42 {
		return dir
	}
	return "/run/brine-" + l.Key
}

func (l layout) cgroup() string { return "/brine-engine-" + l.Key + "/daemon" }

// containerdConfig is the daemon's configuration: only the plugins that
// clusters need, and every folder our own.
func containerdConfig(l layout) string {
	q := strconv.Quote
	var off []string
	for _, id := range disabledPlugins {
		off = append(off, q(id))
	}
	return fmt.Sprintf(`version = 4
root = %s
state = %s
temp = %s
imports = []
oom_score = -999
disabled_plugins = [%s]

[plugins."io.containerd.server.v1.grpc"]
address = %s

[plugins."io.containerd.server.v1.ttrpc"]
address = %s

[plugins."io.containerd.shim.v1.manager"]
socket_dir = %s

# All of it is gone with the daemon: nothing to sync.
[plugins."io.containerd.metadata.v1.bolt"]
no_sync = true

[plugins."io.containerd.snapshotter.v1.overlayfs"]
sync_remove = false
`, q(filepath.Join(l.fs(), "root")), q(filepath.Join(l.fs(), "state")), q(filepath.Join(l.fs(), "tmp")),
		strings.Join(off, ", "), q(l.address()), q(l.address()+".ttrpc"), q(l.sockets()))
}

// disabledPlugins would write to the host's default folders, open ports, or
// slow every task down.
var disabledPlugins = []string{
	"io.containerd.internal.v1.opt",
	"io.containerd.nri.v1.nri",
	"io.containerd.image-verifier.v1.bindir",
	"io.containerd.monitor.container.v1.restart",
	"io.containerd.monitor.task.v1.cgroups",
	"io.containerd.snapshotter.v1.blockfile",
	"io.containerd.snapshotter.v1.erofs",
	"io.containerd.differ.v1.erofs",
	"io.containerd.mount-handler.v1.erofs",
	"io.containerd.transfer.v1.local",
	"io.containerd.grpc.v1.transfer",
	"io.containerd.metrics.v1.grpc-prometheus",
	"io.containerd.metrics.v1.grpc-otel",
	"io.containerd.http.v1.pprof",
	"io.containerd.server.v1.grpc-tcp",
	"io.containerd.server.v1.metrics",
	"io.containerd.server.v1.debug",
	"io.containerd.streaming.v1.manager",
	"io.containerd.grpc.v1.streaming",
	"io.containerd.ttrpc.v1.streaming",
}
