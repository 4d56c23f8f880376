package netfab

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// spareDescriptors is what the rest of a run (clients, logs, programs and
// maps) may need beside one descriptor per namespace.
const spareDescriptors = 4096

// needDescriptors raises this process's limit of open files where nodes more
// namespaces would come near to it. prlimit is called directly, not through
// package syscall, so that programs started by os/exec still get the limit
// that the process was started with.
func needDescriptors(nodes int) error {
	var lim unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &lim); err != nil {
		return fmt.Errorf("RLIMIT_NOFILE: read: %w", err)
	}
	want := uint64(nodes + spareDescriptors)
	if lim.Cur >= want {
		return nil
	}
	raised := lim
	raised.Cur, raised.Max = want, max(lim.Max, want)
	if unix.Prlimit(0, unix.RLIMIT_NOFILE, &raised, nil) == nil {
		return nil
	}
	raised.Cur, raised.Max = lim.Max, lim.Max // without CAP_SYS_RESOURCE the hard limit is the end
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, &raised, nil); err != nil {
		return fmt.Errorf("RLIMIT_NOFILE: raise to %d: %w", lim.Max, err)
	}
	if lim.Max <= uint64(nodes) {
		return fmt.Errorf("%d nodes need as many open files, the limit is %d\nhint: ulimit -Hn %d", nodes, lim.Max, want)
	}
	return nil
}

// descriptorHint explains a failure for want of descriptors.
func descriptorHint(err error) string {
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
		return "\nhint: raise the limit of open files (ulimit -Hn), each node takes one"
	}
	return ""
}
