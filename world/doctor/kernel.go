package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"brine.test/brine/containers/cgroup"
	"brine.test/brine/containers/clock"
)

// kernelProbes need root.
func kernelProbes(ctx context.Context) []probe {
	return []probe{
		{
			name: "kernel", try: tryKernel, mend: "use Linux 5.10 or newer",
			disables: "faults at the links, unless the next lines say otherwise",
		},
		{
			name: "network namespaces", try: tryVeth, essential: true,
			disables: "everything", mend: "modprobe veth",
		},
		{
			name: "BPF at tc", try: tryTC, essential: true,
			disables: "everything: the network's switch is a BPF program",
			mend:     "use Linux 5.10 or newer with CONFIG_NET_CLS_ACT, CONFIG_NET_CLS_BPF; modprobe sch_ingress cls_bpf",
		},
		{
			name: "native XDP", try: tryXDP, mend: "use Linux 5.10 or newer",
			disables: "loss, corruption and duplication of single wire packets; BRINE_HOOK=xdp",
		},
		{
			name: "TAP devices", try: tryTAP, mend: "modprobe tun; mkdir -p /dev/net; mknod /dev/net/tun c 10 200",
			disables: "delays, jitter, bandwidth, reordering; internet access",
		},
		{
			name: "FUSE", try: tryFUSE, mend: "modprobe fuse; mknod /dev/fuse c 10 229",
			disables: "disk faults",
		},
		{
			name: "clocks", try: tryClocks, mend: "use Linux 5.15 or newer on amd64",
			disables: "clocks that jump or drift",
		},
		{
			name: "cgroups", essential: true,
			try:      func() (string, error) { return tryCgroups(ctx) },
			disables: "everything: containers live in cgroups",
			mend:     "mkdir -p /sys/fs/cgroup/unified; mount -t cgroup2 none /sys/fs/cgroup/unified",
		},
		{
			name: "system call filters", try: trySeccomp, mend: "use a kernel with CONFIG_SECCOMP_FILTER",
			disables: "the system call filter of containers",
		},
	}
}

// tryKernel warns about a version below the floor of the default path; whether it
// works is for the probes to say, since distributions carry newer parts back.
func tryKernel() (string, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", fmt.Errorf("uname: %w", err)
	}
	release := unix.ByteSliceToString(u.Release[:])
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return "", fmt.Errorf("release %q: %w", release, err)
	}
	if major < 5 || (major == 5 && minor < 10) {
		return "", warning{fmt.Errorf("%s is older than 5.10", release)}
	}
	return release, nil
}

func tryFUSE() (string, error) {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return "/dev/fuse opens", nil
}

// tryClocks looks at the vDSO that every program has, and for the types that the
// programs which see new processes need.
func tryClocks() (string, error) {
	if err := clock.Supported(); err != nil {
		return "", err
	}
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		return "", err
	}
	if why := clock.Untested(); why != "" {
		return "", warning{errors.New(why)}
	}
	return "the vDSO has room for a correction", nil
}

// trySeccomp asks whether filters can be made (SECCOMP_GET_ACTION_AVAIL, Linux 4.14).
func trySeccomp() (string, error) {
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return "", warning{fmt.Errorf("filters: %w", errno)}
	}
	return "filters can be made", nil
}

// tryCgroups makes a cgroup as containers have it, and uses it as harm does.
func tryCgroups(ctx context.Context) (found string, err error) {
	tree, err := cgroup.Open()
	if err != nil {
		return "", err
	}
	kind := "hybrid: v1 controllers, v2 tree"
	if tree.V2() {
		kind = "v2"
	}
	group, err := tree.Make(fmt.Sprintf("/brine-doctor-%d", os.Getpid()))
	if err != nil {
		return "", fmt.Errorf("%w\nhint: mount -o remount,rw the file systems under /sys/fs/cgroup", err)
	}
	defer func() { err = errors.Join(err, group.Remove(ctx)) }()

	var lacking []string
	const some = 64 << 20
	for _, c := range []struct {
		name string
		err  error
	}{
		{"memory", group.SetMemory(some)},
		{"cpu", group.SetCPU(0.5)},
		{"freezer", errors.Join(group.Freeze(ctx), group.Thaw(ctx))},
	} {
		if c.err != nil {
			lacking = append(lacking, c.name)
		}
	}
	if len(lacking) > 0 {
		return "", warning{fmt.Errorf("%s, without %s: limits and pauses by it fail\nhint: boot with cgroup_enable=memory, or systemd.unified_cgroup_hierarchy=1",
			kind, strings.Join(lacking, ", "))}
	}
	return kind + "; memory, cpu, freezer", nil
}
