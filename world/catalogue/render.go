package catalogue

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Instance is a service filled in for one node: all that its container and its probe need. It is the caller's to change.
type Instance struct {
	Service *Service
	Data    Data // what it was filled in with, for the client's templates
	Version string
	Image   string
	Base    string   // the folder that relative paths in Image start at
	User    string   // USER, UID, USER:GROUP, UID:GID; "" for the image's own
	Command []string // nil: the image's entrypoint
	Args    []string
	Env     map[string]string
	Files   map[string]string // content by absolute path inside the container
	Ports   map[string]int
	Volume  string // absolute path inside the container; "" for none
	Ready   *ReadyProbe
	Start   Start
	Stop    Stop
	Memory  int64   // bytes; 0 for no limit
	CPU     float64 // cores; 0 for no limit
	Timeout time.Duration
	Client  *Client
}

// ReadyProbe is a Probe filled in. Exactly one of HTTP, TCP (not 0), Exec and Log is set.
type ReadyProbe struct {
	HTTP   *HTTPCheck
	TCP    int // port
	Exec   []string
	Log    *regexp.Regexp
	Within time.Duration
}

// HTTPCheck is an HTTPProbe filled in.
type HTTPCheck struct {
	Method  string
	Port    int
	Path    string
	Headers map[string]string
	Status  []int  // nil: any 2xx
	Body    string // "": any
}

// Render fills a service in for the node of data. It fails when the version asked for cannot be had, and when a template
// fails for this cluster although it did not for the made-up one (a second node of a cluster of one).
func Render(s *Service, data Data) (*Instance, error) {
	version, err := s.version(data.Version)
	if err != nil {
		return nil, err
	}
	data.Version, data.ports = version, s.Ports
	if data.Members == nil {
		data.Members = data.Nodes
	}
	f := filler{service: s, data: data}
	i := &Instance{
		Service: s, Data: data, Version: version, Base: s.Base, User: s.User, Ports: s.Ports, Volume: s.Data, Start: s.Start, Stop: s.Stop,
		Memory: s.Memory, CPU: s.CPU, Timeout: s.Timeout, Client: s.Client,
		Image:   f.text("image", s.Image),
		Command: f.texts("command", s.Command),
		Args:    f.texts("args", s.Args),
		Env:     f.textMap("env", s.Env),
		Files:   f.textMap("files", s.Files),
		Ready:   f.probe(s.Ready),
	}
	if f.err != nil {
		return nil, f.err
	}
	return i, nil
}

// OneVersion is the error of asking for a version of a service whose file has no place for one.
func (s *Service) OneVersion(asked string) error {
	only := "it has one version only"
	if s.Version != "" {
		only = "it has version " + s.Version + " only"
	}
	hint := fmt.Sprintf("write `%s`, or {{.Version}} into the image in %s", s.Name, s.File)
	if s.File == builtinFile {
		hint = fmt.Sprintf("write `%s`: it runs the program that this machine has installed", s.Name)
	}
	return fmt.Errorf("%s %s: %s\nhint: %s", s.Name, asked, only, hint)
}

// version decides which version runs: the one asked for, where the service says how to get one, else its default.
func (s *Service) version(asked string) (string, error) {
	if len(asked) > 1 && asked[0] == 'v' && asked[1] >= '0' && asked[1] <= '9' && !strings.HasPrefix(s.Version, "v") {
		asked = asked[1:]
	}
	switch {
	case asked == "" && s.Version == "" && s.usesVersion:
		return "", fmt.Errorf("%s: needs a version\nhint: say \"running %s 1.2.3\", or give version in %s", s.Name, s.Name, s.File)
	case asked == "" || asked == s.Version:
		return s.Version, nil
	case !versionForm.MatchString(asked):
		return "", fmt.Errorf("%s %s: not a version", s.Name, asked)
	case asked != s.Version && !s.usesVersion:
		return "", s.OneVersion(asked)
	}
	return asked, nil
}

// filler fills templates in and keeps the first error.
type filler struct {
	service *Service
	data    Data
	err     error
}

func (f *filler) text(field string, t *Template) string {
	made, err := t.Execute(f.data)
	if err != nil && f.err == nil {
		problem := err.Error()
		if m := templateError.FindStringSubmatch(problem); m != nil {
			problem = strings.TrimPrefix(m[2]+": "+m[3], ": ")
		}
		f.err = fmt.Errorf("%s: %s of %s (%s): %s", f.data.Node.Name, field, f.service.Name, f.service.File, problem)
	}
	return made
}

func (f *filler) texts(field string, all []*Template) []string {
	if all == nil {
		return nil
	}
	made := make([]string, 0, len(all))
	for i, t := range all {
		made = append(made, f.text(at(field, i), t))
	}
	return made
}

func (f *filler) textMap(field string, all map[string]*Template) map[string]string {
	made := make(map[string]string, len(all))
	for _, key := range keys(all) {
		made[key] = f.text(join(field, key), all[key])
	}
	return made
}

func (f *filler) probe(p *Probe) *ReadyProbe {
	if p == nil {
		return nil
	}
	made := &ReadyProbe{Exec: f.texts("ready.exec", p.Exec), Log: p.Log, Within: p.Within}
	if p.TCP != nil {
		made.TCP = p.TCP.Number
	}
	if p.HTTP != nil {
		made.HTTP = &HTTPCheck{
			Method: p.HTTP.Method, Port: p.HTTP.Port.Number, Status: p.HTTP.Status,
			Path:    f.text("ready.http.path", p.HTTP.Path),
			Headers: f.textMap("ready.http.headers", p.HTTP.Headers),
			Body:    f.text("ready.http.body", p.HTTP.Body),
		}
	}
	return made
}

// Kind names how the probe looks: http, tcp, exec or log.
func (p *ReadyProbe) Kind() string {
	switch {
	case p.HTTP != nil:
		return "http"
	case p.TCP != 0:
		return "tcp"
	case p.Exec != nil:
		return "exec"
	}
	return "log"
}
