package doctor

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// rootProbe is the first thing to mend: nothing else can be tried without it.
func rootProbe() probe {
	return probe{
		name: "root",
		try: func() (string, error) {
			if uid := os.Geteuid(); uid != 0 {
				return "", fmt.Errorf("running as user %d; making network namespaces, BPF programs and containers needs root", uid)
			}
			return "running as root", nil
		},
		disables:  "everything",
		mend:      "sudo make run, or sudo brine …; for go test: go test -exec 'sudo -E' …",
		essential: true,
	}
}

// needed are the capabilities that root may lack in a container.
var needed = []struct {
	bit  uint
	name string
}{
	{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, // namespaces, mounts, cgroups
	{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"}, // links, routes, tc
	{unix.CAP_NET_RAW, "CAP_NET_RAW"},     // probe packets
	{unix.CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
	{unix.CAP_SYS_CHROOT, "CAP_SYS_CHROOT"},
	{unix.CAP_MKNOD, "CAP_MKNOD"},
	{unix.CAP_KILL, "CAP_KILL"},
	{unix.CAP_CHOWN, "CAP_CHOWN"},
	{unix.CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"},
}

func privilegeProbes() []probe {
	return []probe{{
		name:      "capabilities",
		try:       capabilities,
		disables:  "everything",
		mend:      "run on the host, or in a container with --privileged",
		essential: true,
	}}
}

// capabilities reads this process's effective set, proc_pid_status(5).
func capabilities() (string, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "", err
	}
	_, rest, found := strings.Cut(string(text), "\nCapEff:\t")
	line, _, _ := strings.Cut(rest, "\n")
	if !found {
		return "", errors.New("/proc/self/status: no CapEff")
	}
	have, err := strconv.ParseUint(line, 16, 64)
	if err != nil {
		return "", fmt.Errorf("/proc/self/status: CapEff: %w", err)
	}
	var lacking []string
	for _, c := range needed {
		if have&(1<<c.bit) == 0 {
			lacking = append(lacking, c.name)
		}
	}
	if len(lacking) > 0 {
		return "", fmt.Errorf("root without %s", strings.Join(lacking, ", "))
	}
	return "all that is needed", nil
}
