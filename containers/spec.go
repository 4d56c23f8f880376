package containers

import (
	"path/filepath"
	"runtime"
	"strings"

	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	"golang.org/x/sys/unix"

	"brine.test/brine/containers/cgroup"
)

// capabilities of every container: what Docker gives, without NET_RAW (a
// program must not forge packets around the faults of its network). SYS_TIME
// is not among them: clocks are the clock harm's.
var capabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
	"CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
}

var maskedPaths = []string{
	"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
	"/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
}

var readonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Descriptor limits: those of Docker's current packages, with a soft limit
// that a database does not hit first thing.
const (
	openFilesSoft = 65_536
	openFilesHard = 524_288
)

func seccompEnabled(f any) bool {
	known, ok := f.(*features.Features)
	return !ok || known.Linux == nil || known.Linux.Seccomp == nil ||
		known.Linux.Seccomp.Enabled == nil || *known.Linux.Seccomp.Enabled
}

// nativeArch is the machine's own architecture in seccomp's terms.
var nativeArch = map[string]specs.Arch{"amd64": specs.ArchX86_64, "arm64": specs.ArchAARCH64}

// process is what one service's container is to run.
type process struct {
	args []string
	env  []string
	cwd  string
	user specs.User
}

// newProcess joins what the image says and what the service says: Command
// stands for the entrypoint (and drops the image's arguments), Args for the
// image's arguments.
func newProcess(img *Image, spec ServiceSpec, user specs.User) process {
	p := process{cwd: img.WorkingDir, user: user}
	switch {
	case len(spec.Command) > 0:
		p.args = append(p.args, spec.Command...)
		p.args = append(p.args, spec.Args...)
	case len(spec.Args) > 0:
		p.args = append(p.args, img.Entrypoint...)
		p.args = append(p.args, spec.Args...)
	default:
		p.args = append(p.args, img.Entrypoint...)
		p.args = append(p.args, img.Cmd...)
	}
	if p.cwd == "" {
		p.cwd = "/"
	}
	p.env = mergeEnv(img.Env, spec.Env)
	return p
}

// mergeEnv puts extra over base, keeps base's order, and sees to a PATH.
func mergeEnv(base []string, extra map[string]string) []string {
	var out []string
	seen := map[string]bool{}
	for _, kv := range base {
		name, _, _ := strings.Cut(kv, "=")
		if v, ok := extra[name]; ok {
			kv = name + "=" + v
		}
		if !seen[name] {
			out = append(out, kv)
		}
		seen[name] = true
	}
	for _, name := range sortedKeys(extra) {
		if !seen[name] {
			out = append(out, name+"="+extra[name])
		}
		seen[name] = true
	}
	if !seen["PATH"] {
		out = append(out, "PATH="+defaultPath)
	}
	return out
}

// expendable is the oom_score_adj of containers' processes: when the whole machine
// is out of memory the kernel takes one of them, the largest, and not what runs,
// harms or clears away the scenario, nor another's program. Without it they had what
// containerd's shim has, which where containerd may protect itself is next to never.
var expendable = 500

// spec is the container in the terms of the OCI runtime specification.
func (s *Service) ociSpec(p process) *specs.Spec {
	n := s.node
	sp := &specs.Spec{
		Version:  specs.Version,
		Root:     &specs.Root{Path: "rootfs"},
		Hostname: n.spec.Hostname,
		Process: &specs.Process{
			Args: p.args, Env: p.env, Cwd: p.cwd, User: p.user,
			NoNewPrivileges: true,
			Capabilities: &specs.LinuxCapabilities{
				Bounding: capabilities, Permitted: capabilities, Effective: capabilities,
			},
			Rlimits:     []specs.POSIXRlimit{n.group.rt.openFiles()},
			OOMScoreAdj: &expendable,
		},
		Mounts: s.mounts(),
		Linux: &specs.Linux{
			CgroupsPath:   s.cgroup.Path,
			MaskedPaths:   maskedPaths,
			ReadonlyPaths: readonlyPaths,
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace},
				{Type: specs.MountNamespace}, {Type: specs.CgroupNamespace},
				{Type: specs.NetworkNamespace, Path: n.spec.NetNS},
			},
			Resources: &specs.LinuxResources{Devices: deviceRules()},
		},
	}
	if p.user.UID != 0 {
		sp.Process.Capabilities = &specs.LinuxCapabilities{Bounding: capabilities}
	}
	if n.group.rt.seccomp {
		sp.Linux.Seccomp = seccomp.DefaultProfile(sp)
		if own := nativeArch[runtime.GOARCH]; own != "" && !s.wants32 {
			// Each further architecture costs 7 ms of CPU at every start.
			sp.Linux.Seccomp.Architectures = []specs.Arch{own}
		}
	}
	return sp
}

// openFiles is the descriptor limit, as far as containerd itself may go: not
// every root may raise its own.
func (rt *Runtime) openFiles() specs.POSIXRlimit {
	out := specs.POSIXRlimit{Type: "RLIMIT_NOFILE", Soft: openFilesSoft, Hard: openFilesHard}
	var have unix.Rlimit
	if err := unix.Prlimit(rt.daemonPID, unix.RLIMIT_NOFILE, nil, &have); err == nil {
		out.Hard = min(out.Hard, have.Max)
		out.Soft = min(out.Soft, out.Hard)
	}
	return out
}

// mounts are the kernel's file systems, the node's name files, and the volume.
func (s *Service) mounts() []specs.Mount {
	bind := []string{"rbind", "rprivate", "rw"}
	out := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
	}
	if s.node.group.rt.tree.V2() {
		out = append(out, specs.Mount{
			Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup",
			Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"},
		})
	}
	for _, name := range etcFiles {
		out = append(out, specs.Mount{Destination: "/etc/" + name, Type: "bind", Source: filepath.Join(s.node.etcDir(), name), Options: bind})
	}
	if s.spec.Data != "" {
		out = append(out, specs.Mount{Destination: s.spec.Data, Type: "bind", Source: s.dataSource(), Options: bind})
	}
	for _, b := range s.spec.Binds {
		options := bind
		if b.ReadOnly {
			options = []string{"rbind", "rprivate", "ro"}
		}
		out = append(out, specs.Mount{Destination: b.Target, Type: "bind", Source: b.Source, Options: options})
	}
	return out
}

// deviceRules let a container make the usual devices alone (runc adds those
// of its own /dev).
func deviceRules() []specs.LinuxDeviceCgroup {
	return []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}
}

// limit sets a service's own limits on its control group.
func limit(g *cgroup.Group, memory int64, cpus float64) error {
	if memory > 0 {
		if err := g.SetMemory(memory); err != nil {
			return err
		}
	}
	if cpus > 0 {
		return g.SetCPU(cpus)
	}
	return nil
}
