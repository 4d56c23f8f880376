package probe

import (
	"context"
	"net"
)

// UserAgent is that of HTTP probes.
const UserAgent = "brine-probe"

// Target is the service that is looked at.
type Target struct {
	Name string
	IP   string
	// Dial connects to it; nil connects from the runner's own network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Exec runs a program in its container; for exec probes.
	Exec func(ctx context.Context, argv []string) (stdout, stderr []byte, code int, err error)
	// Logs are the files of its output; for log probes.
	Logs []Log
	// Exited tells that its process has ended, and how; it ends a wait early. nil: that is not known.
	Exited func() (how string, ended bool)
	// Hopeless tells of a look's error that no later look mends, as a program that is not in the image; it ends a wait
	// early. nil: none is.
	Hopeless func(error) bool
}

// Log is a file that a service's output is written to, from where the present start of the service began to write.
type Log struct {
	Path   string
	Offset int64 // bytes
}
