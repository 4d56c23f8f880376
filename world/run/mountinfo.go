package run

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// A mount is one line of /proc/self/mountinfo, as far as it matters here.
type mount struct {
	device string // major:minor, the same for each mount of one cgroup hierarchy
	point  string
	fstype string
}

// mounts reads this process's mounts, in the order of mounting.
func mounts() ([]mount, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseMounts(f)
}

// parseMounts reads the format of proc_pid_mountinfo(5):
//
//	36 35 98:0 /root /point rw,noatime shared:1 - ext3 /dev/root rw
func parseMounts(r io.Reader) ([]mount, error) {
	var all []mount
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20) // options of an overlay with many layers are long
	for lines.Scan() {
		left, right, ok := strings.Cut(lines.Text(), " - ")
		before, after := strings.Fields(left), strings.Fields(right)
		if !ok || len(before) < 6 || len(after) < 1 {
			return nil, fmt.Errorf("mountinfo: %q: not a mount", lines.Text())
		}
		all = append(all, mount{device: before[2], point: unescape(before[4]), fstype: after[0]})
	}
	return all, lines.Err()
}

// unescape undoes mountinfo's octal escapes of blank, tab, newline and backslash.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

// detachUnder unmounts all that is mounted under dir, last mounted first, even
// where it is in use or its server is dead (MNT_DETACH).
func detachUnder(dir string) error {
	all, err := mounts()
	if err != nil {
		return err
	}
	var errs []error
	for i := len(all) - 1; i >= 0; i-- {
		point := all[i].point
		if point != dir && !strings.HasPrefix(point, dir+"/") {
			continue
		}
		if err := unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			errs = append(errs, fmt.Errorf("%s: unmount: %w", point, err))
		}
	}
	return errors.Join(errs...)
}
