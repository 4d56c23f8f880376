package containers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mostWanted is the highest oom_score_adj: above all that memory in use makes.
const mostWanted = "1000"

// OfferToOOM makes the kernel's OOM killer take the service's processes before
// others that share its limit, until restore, which leaves those alone that have
// ended. Raising a process's oom_score_adj needs no capability, lowering that of
// another would.
func (s *Service) OfferToOOM() (restore func() error, err error) {
	pids, err := s.cgroup.Pids()
	if err != nil {
		return nil, s.wrap(err)
	}
	before := map[int]string{}
	restore = func() error {
		var errs []error
		for pid, was := range before {
			if err := writeScore(pid, was); err != nil && !isGone(err) {
				errs = append(errs, s.errorf("oom_score_adj of process %d: %w", pid, err))
			}
		}
		return errors.Join(errs...)
	}
	for _, pid := range pids {
		was, err := os.ReadFile(scoreFile(pid))
		if err == nil {
			err = writeScore(pid, mostWanted)
		}
		if isGone(err) {
			continue
		}
		if err != nil {
			return nil, errors.Join(s.errorf("oom_score_adj of process %d: %w", pid, err), restore())
		}
		before[pid] = strings.TrimSpace(string(was))
	}
	return restore, nil
}

func scoreFile(pid int) string { return "/proc/" + strconv.Itoa(pid) + "/oom_score_adj" }

func writeScore(pid int, score string) error {
	f, err := os.OpenFile(scoreFile(pid), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(score); err != nil {
		return errors.Join(fmt.Errorf("set to %s: %w", score, err), f.Close())
	}
	return f.Close()
}

// isGone tells that a process has ended.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }
