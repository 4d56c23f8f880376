package guest

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestBurn(t *testing.T) {
	cmd := Command(Burn(2))
	cmd.Stdin = strings.NewReader("\n")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }() // it is killed
	defer func() { _ = cmd.Process.Kill() }()
	time.Sleep(300 * time.Millisecond) // that it goes on burning is what is tested
	if err := cmd.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("it has ended: %v", err)
	}
}

func TestNotWanted(t *testing.T) {
	cmd := Command(Fill)
	cmd.Stdin = strings.NewReader("")
	if err := cmd.Run(); err == nil {
		t.Error("it worked without having been told to begin")
	}
}
