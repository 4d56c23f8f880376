package catalogue

import (
	"regexp"
	"syscall"
	"time"
)

// Defaults of what a service file leaves out.
const (
	DefaultReadyWithin = 30 * time.Second // ready.within
	DefaultGrace       = 10 * time.Second // stop.grace
	DefaultTimeout     = 5 * time.Second  // timeout: of one client operation
)

// AnyVersion is the default version of a program of the host that is there in one version or another: a host: image takes
// the newest of those that its path fits.
const AnyVersion = "*"

// Service is one service file, checked. It is never changed after Parse returned it.
type Service struct {
	Name    string
	Version string // the default; "" when the file names none; AnyVersion for the newest that is there
	Image   *Template
	User    string      // whom it runs as: USER[:GROUP]; "" for the image's own
	Command []*Template // nil: the image's entrypoint
	Args    []*Template
	Env     map[string]*Template
	Files   map[string]*Template // by absolute path inside the container
	Ports   map[string]int
	Data    string // absolute path of the volume inside the container; "" for none
	Ready   *Probe // nil: ready as soon as it runs
	Start   Start
	Needs   []string // services that some node of its cluster must run; where none is asked to, its own nodes do
	Stop    Stop
	Memory  int64         // bytes; 0 for no limit
	CPU     float64       // cores; 0 for no limit
	Timeout time.Duration // of one client operation
	Client  *Client       // nil: it cannot be written to or read from by sentences
	File    string        // where it was read: a path, or "built in"
	Line    int           // the line of File on which it begins
	Base    string        // the folder that relative paths in Image start at; "" for the working folder

	usesVersion bool
}

// Start says when a service's process starts, relative to others.
type Start struct {
	Stagger time.Duration // between one node's start and the next's
	After   []string      // other services of the same node that are ready first
}

// Stop says how a service is asked to end.
type Stop struct {
	Signal syscall.Signal
	Grace  time.Duration // until it is killed
}

// Probe tells when a service is ready. Exactly one of HTTP, TCP, Exec and Log is set.
type Probe struct {
	HTTP   *HTTPProbe
	TCP    *Port
	Exec   []*Template
	Log    *regexp.Regexp // a line of the service's output, of this start
	Within time.Duration
}

// HTTPProbe holds when the answer has the status, the body (where one is set, somewhere in it), or both.
type HTTPProbe struct {
	Method  string
	Port    Port
	Path    *Template
	Headers map[string]*Template
	Status  []int     // nil: any 2xx
	Body    *Template // nil: any
}

// Port is a port as a service file names it: a number, or a name of ports.
type Port struct {
	Name   string // "" where the file has a number
	Number int
}

// TakesVersion tells whether a feature may ask for another version than the file's: some template uses {{.Version}}.
func (s *Service) TakesVersion() bool { return s.usesVersion }

// FromImage makes a service out of an image alone, as `a node "client" running the image "nginx:1.27"` does: the
// image's own entrypoint, no probe, no client. Relative paths in the image start at base. Image is taken as it is.
func FromImage(name, image, base string) *Service {
	return &Service{
		Name: name, Image: Literal(image), Base: base, File: "the feature",
		Stop: Stop{Signal: syscall.SIGTERM, Grace: DefaultGrace}, Timeout: DefaultTimeout,
	}
}

// Literals makes a literal template of each text; nil stays nil.
func Literals(texts []string) []*Template {
	var out []*Template
	for _, t := range texts {
		out = append(out, Literal(t))
	}
	return out
}
