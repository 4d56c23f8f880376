// Package clock makes the wall clock of one node wrong: it jumps, it runs fast
// or slow, it is right again. Neither the host's clock nor another node's moves.
//
// Programs read the clock through the vDSO, code that the kernel maps into
// every process, static Go programs too. In the node's processes its clock
// functions begin with a jump to a small blob of machine code, written into the
// zero padding at the vDSO's end. The page is private to the process from then
// on:
//
//	          vDSO of a process                                one node
//	┌────────────────────────────────────────┐     Set ──► every process in its control
//	│ __vdso_clock_gettime: jmp ──────────┐  │             group: stop its threads (once,
//	│ __vdso_gettimeofday:  jmp ────────┐ │  │             ptrace), write blob and jumps;
//	│ __vdso_time:          jmp ──────┐ │ │  │             later changes are two plain
//	│ …                               ▼ ▼ ▼  │             writes, nothing stops
//	│ blob: real time + offset + drift       │     exec ─► raw tracepoint: SIGSTOP, patch,
//	└────────────────────────────────────────┘             SIGCONT, before its first instruction
//
// Threads share the patch, forked children have a copy of it. A fork that was
// under way during Set is told about by a second tracepoint and mended.
//
// Example:
//
//	c, err := clock.New(ctx, clock.Config{Name: "node2", Cgroup: "/brine/k3x9a2pq/k3x9a2pq-1/node2"})
//	defer c.Close()
//	err = c.Set(ctx, clock.Skew{Offset: 5 * time.Minute}) // jumps ahead
//	err = c.Set(ctx, clock.Skew{Rate: 1.1})               // and runs 10% fast from now on
//	err = c.Restore(ctx)                                  // is right again
//
// # What is moved
//
// CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM and CLOCK_TAI,
// gettimeofday and time, when called through the vDSO, as the C libraries and
// Go's runtime do. All other clocks are passed through and stay right. The blob
// asks the vDSO's own clock_gettime, whose first instructions it holds a copy
// of: a call costs a quarter more. Where these cannot be moved it makes the
// system call: ten times. See bench/.
//
// # What is not
//
// System calls made without the vDSO (time() of a static glibc program is one;
// strace and seccomp see the others), the vsyscall page, 32-bit programs,
// timers and timeouts that the kernel keeps against CLOCK_REALTIME (timerfd,
// pthread_cond_timedwait), the times of files, of packets and of processes.
// Drift is counted along CLOCK_REALTIME: a step of the host's clock by one
// second moves a clock that is 10% fast by 1.1 s.
//
// # What a program can notice
//
// A program that is started while the clock is wrong is stopped for well under
// a millisecond before it runs. Its parent gets the SIGCHLD of that stop, unless it asked
// for SA_NOCLDSTOP, and a parent that waits with WUNTRACED sees it: of the usual
// programs, shells with job control (set -m). wait, waitpid without that flag,
// posix_spawn, Go's os/exec and container runtimes do not. A debugger that
// traces a process keeps it from being patched, and Set says so. Processes of
// the node must not be children that this very program waits for: a parent that
// is the tracer too gets the one wait's answer for the other.
//
// A paused node or process is patched as it stands. When it was paused inside the
// blob, which only programs that do little else are, Restore sets its clock right,
// leaves the blob there, unused, and returns a LeftoverError; the next Restore or
// Close takes it away. When it was paused inside the first five bytes of a clock
// function, Set fails for it.
//
// # When this program dies
//
// ptrace is used without PTRACE_O_EXITKILL: the kernel lets stopped threads go.
// Every single write leaves a working vDSO, so that processes run on with the
// clock that they had. The tracepoints' programs end with this process, as
// nothing is pinned. A new program that was stopped and not patched yet is let
// go by a watchdog: this very program started again in a session of its own,
// holding a pipe from us and the map of stopped processes. At the pipe's end it
// empties the map of watched nodes, so that nobody is stopped any more, sends
// SIGCONT to all that are held, and ends. If it is killed too, in the
// same moment, the reaper that kills a dead run's control groups is left.
//
// Owns: two raw tracepoint links, three maps, one watchdog process for all
// Clocks of a process, and the patches. Needs root, the host's pid namespace,
// cgroup2, and kernel 5.15 with BTF. amd64 is tested; of arm64 the blob runs
// under qemu's user emulation, and putting it into a process is not tested.
//
// Sources: arch/x86/entry/vdso, kernel/bpf/bpf_trace.c (bpf_send_signal),
// ptrace(2), vdso(7).
package clock
