package guest

import (
	"bufio"
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

// Fill takes memory until it is killed by who started it: the kernel, when it has to kill something for want of memory,
// takes another process.
const Fill Task = "fill"

// Tell answers each byte with the wall clock: a line of nanoseconds since 1970.
const Tell Task = "tell"

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
	if err := do(Task(task)); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func do(task Task) error {
	in := bufio.NewReader(os.Stdin)
	what, number, _ := strings.Cut(string(task), " ")
	if _, err := in.ReadByte(); err != nil {
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
	case "tell":
		return tell(in)
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
const chunk = 1 << 20

// fill takes memory for ever. When nobody is left to be killed the kernel lets it hang in a page fault.
func fill() error {
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("-1000"), 0); err != nil {
		return err
	}
	for {
		p, err := unix.Mmap(-1, 0, chunk, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if errors.Is(err, unix.ENOMEM) {
			time.Sleep(time.Millisecond) // the whole machine's limit, not the group's
			continue
		}
		if err != nil {
			return err
		}
		for i := 0; i < len(p); i += 4096 {
			p[i] = 1
		}
	}
}

// tell answers until nobody asks.
func tell(in *bufio.Reader) error {
	for {
		if _, err := fmt.Println(time.Now().UnixNano()); err != nil {
			return err
		}
		if _, err := in.ReadByte(); err != nil {
			return nil
		}
	}
}
