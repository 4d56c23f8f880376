package engine

import (
	"crypto/sha256"
	_ "embed" // the pinned module
	"encoding/hex"
	"fmt"
	"runtime"
	"strings"
)

// The module that the programs are built from. It is not called go.mod, since
// a nested module is left out of the zip that users of the main module get.
//
//	cp build/engine.mod /tmp/e/go.mod; cp build/engine.sum /tmp/e/go.sum; cd /tmp/e
//	go get tool@version; go mod tidy
//
// brings it up to date.
var (
	//go:embed build/engine.mod
	pinnedMod string
	//go:embed build/engine.sum
	pinnedSum string
)

// program is one program of the engine and how it is built. The flags are
// constant: with others, everything would be compiled again.
type program struct {
	name, pkg, module string
	cgo               string
	tags, ldflags     string
}

var programs = []program{
	{
		name: "containerd", module: "github.com/containerd/containerd/v2", cgo: "0",
		pkg:  "github.com/containerd/containerd/v2/cmd/containerd",
		tags: "no_cri no_btrfs no_devmapper no_zfs no_tracing", ldflags: "-s -w",
	},
	{
		name: "containerd-shim-runc-v2", module: "github.com/containerd/containerd/v2", cgo: "0",
		pkg:  "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
		tags: "no_grpc", ldflags: "-s -w",
	},
	{
		// Static: each run of it starts 2 ms faster, and a container takes four.
		name: "runc", module: "github.com/opencontainers/runc", cgo: "1",
		pkg:  "github.com/opencontainers/runc",
		tags: "seccomp netgo osusergo", ldflags: "-s -w -extldflags -static",
	},
}

func (p program) args(out string) []string {
	return []string{"build", "-v", "-o", out, "-tags", p.tags, "-ldflags", p.ldflags, p.pkg}
}

// Versions maps each program to the version that is pinned for it.
func Versions() map[string]string {
	out := map[string]string{}
	for _, p := range programs {
		for _, line := range strings.Split(pinnedMod, "\n") {
			if f := strings.Fields(line); len(f) >= 2 && f[0] == p.module {
				out[p.name] = f[1]
			}
		}
	}
	return out
}

// buildKey names a build by all that it depends on.
func buildKey() string {
	h := sha256.New()
	fmt.Fprintln(h, pinnedMod, pinnedSum, programs, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return hex.EncodeToString(h.Sum(nil))[:12]
}
