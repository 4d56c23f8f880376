package run

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// bootID is the kernel's name for the time since it was booted: start times of
// processes mean something within it only.
var bootID = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
})

// birth is what tells a process from another that has its pid later: the boot and
// the start time in clock ticks, field 22 of proc_pid_stat(5).
func birth(pid int) (string, error) {
	boot, err := bootID()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// The name, field 2, is in brackets and may hold blanks and brackets.
	rest := string(text[strings.LastIndexByte(string(text), ')')+1:])
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return "", fmt.Errorf("/proc/%d/stat: %q: too few fields", pid, text)
	}
	return boot + "/" + fields[19], nil
}

// killWhere kills a process if holds says, of the very process that will get the
// signal, that it is the one meant: the pidfd (Linux 5.3) is opened before, and a
// pid that goes to another process between makes the kill fail.
func killWhere(pid int, holds func() bool) (killed bool) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if !holds() {
		return false
	}
	return unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil
}

// killIn kills a process that is in a cgroup at or under path, in any hierarchy.
func killIn(pid int, path string) {
	killWhere(pid, func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		return err == nil && inCgroup(string(text), path)
	})
}

// inCgroup reads proc_pid_cgroup(5), lines of "number:controllers:/path".
func inCgroup(text, path string) bool {
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) == 3 && (parts[2] == path || strings.HasPrefix(parts[2], path+"/")) {
			return true
		}
	}
	return false
}

// killBorn kills a process born then, with the group that it leads. The group
// goes first, while its leader still keeps the number from being used again.
func killBorn(pid int, born string) (killed bool) {
	return killWhere(pid, func() bool {
		now, err := birth(pid)
		if err != nil || now != born {
			return false
		}
		if group, err := unix.Getpgid(pid); err == nil && group == pid && pid != unix.Getpgrp() {
			_ = unix.Kill(-pid, unix.SIGKILL)
		}
		return true
	})
}

// alive tells whether a process born then still runs; a zombie does not.
func aliveBorn(pid int, born string) bool {
	now, err := birth(pid)
	if err != nil || now != born {
		return false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	at := strings.LastIndexByte(string(text), ')')
	return at < 0 || len(text) < at+3 || (text[at+2] != 'Z' && text[at+2] != 'X')
}
