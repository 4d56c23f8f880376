package record

import (
	"bytes"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// fill completes what is empty with what this machine says about itself.
func (m *Machine) fill() {
	if m.Kernel == "" {
		var u unix.Utsname
		if unix.Uname(&u) == nil {
			m.Kernel = cString(u.Release[:])
			if m.Host == "" {
				m.Host = cString(u.Nodename[:])
			}
		}
	}
	if m.OS == "" {
		m.OS = prettyOS()
	}
	if m.Arch == "" {
		m.Arch = runtime.GOARCH
	}
	if m.Go == "" {
		m.Go = runtime.Version()
	}
	if m.CPUs == 0 {
		m.CPUs = runtime.NumCPU()
	}
	if m.Memory == 0 {
		var si unix.Sysinfo_t
		if unix.Sysinfo(&si) == nil {
			m.Memory = int64(si.Totalram) * int64(si.Unit)
		}
	}
}

func cString(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

// prettyOS reads PRETTY_NAME of os-release(5).
func prettyOS() string {
	data, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if v, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return ""
}
