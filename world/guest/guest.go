package guest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// variable turns a process of the program into a guest; it holds its task.
const variable = "BRINE_GUEST"

// Task is what a guest does.
type Task string

// Burn keeps so many processors busy.
func Burn(threads int) Task { return Task("burn " + strconv.Itoa(threads)) }

// Fill takes memory until it is killed. The kernel, when it has to kill something for want of memory, is to take another
// process; that is for who starts it to see to (containers.Service.OfferToOOM).
const Fill Task = "fill"

// Command is this program as a guest.
func Command(task Task) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"brine-guest", string(task)}
	cmd.Env = []string{variable + "=" + string(task)}
	cmd.Dir = "/"
	return cmd
}

func init() {
	task := os.Getenv(variable)
	if task == "" {
		return
	}
	fmt.Fprintln(os.Stderr, "guest:", do(Task(task)))
	os.Exit(1)
}

// do does a task until it is killed; it returns only what kept it from that.
func do(task Task) error {
	what, number, _ := strings.Cut(string(task), " ")
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return err // not wanted any more
	}
	switch what {
	case "burn":
		n, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		burn(n)
	case "fill":
		return fill()
	}
	return fmt.Errorf("%s: no such task", task)
}

// burn never returns.
func burn(threads int) {
	runtime.GOMAXPROCS(threads)
	for range threads - 1 {
		go spin()
	}
	spin()
}

func spin() {
	for x := uint64(1); x != 0; x = x*2862933555777941757 + 3037000493 { // 0 comes after centuries
		continue
	}
}

// chunk is how much memory is taken at a time, in bytes.
const chunk = 64 << 10

// fill takes memory for ever: in a file in memory, which counts as the group's and not as this process's own, so that the
// kernel does not find it the largest. When the kernel can kill no more, writing fails, and is tried again.
func fill() error {
	fd, err := unix.MemfdCreate("brine-fill", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	full := make([]byte, chunk)
	for {
		_, err := unix.Write(fd, full)
		switch {
		case errors.Is(err, unix.ENOMEM), errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EFBIG), errors.Is(err, unix.EINTR):
			time.Sleep(time.Millisecond)
		case err != nil:
			return err
		}
	}
}
