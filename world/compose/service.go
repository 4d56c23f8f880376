package compose

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"golang.org/x/sys/unix"

	"brine.test/brine/world/catalogue"
)

// A health check's defaults, of the Compose Specification.
const (
	healthInterval = 30 * time.Second
	healthTimeout  = 30 * time.Second
	healthRetries  = 3
)

// service reads one service. Its errors begin with the attribute's name.
func service(project *types.Project, c types.ServiceConfig, owners map[string]string, file string) (Service, error) {
	if c.Image == "" {
		return Service{}, fmt.Errorf("image: is missing\nhint: %s", hints["build"])
	}
	def := catalogue.FromImage(c.Name, c.Image, "")
	def.File, def.Base = file, project.WorkingDir
	def.Args = catalogue.Literals(c.Command)
	def.Command = catalogue.Literals(c.Entrypoint)
	def.Env = map[string]*catalogue.Template{}
	for name, value := range c.Environment {
		if value != nil { // nil: named without a value, and not set where the test runs
			def.Env[name] = catalogue.Literal(*value)
		}
	}
	def.Memory, def.CPU = limits(c)
	if err := stopping(c, def); err != nil {
		return Service{}, err
	}
	ports(c, def)
	if err := health(c, def); err != nil {
		return Service{}, err
	}
	out := Service{Name: c.Name, Def: def, After: dependencies(c)}
	for _, alias := range []string{c.ContainerName, c.Hostname} {
		if alias != "" && alias != c.Name && !slices.Contains(out.Aliases, alias) {
			out.Aliases = append(out.Aliases, alias)
		}
	}
	out.Binds = volumes(c, def, owners)
	return out, nil
}

// limits are mem_limit and cpus, in both places they may stand.
func limits(c types.ServiceConfig) (memory int64, cpus float64) {
	memory, cpus = int64(c.MemLimit), float64(c.CPUS)
	if c.Deploy != nil && c.Deploy.Resources.Limits != nil {
		l := c.Deploy.Resources.Limits
		if memory == 0 {
			memory = int64(l.MemoryBytes)
		}
		if cpus == 0 {
			cpus = float64(l.NanoCPUs)
		}
	}
	return memory, cpus
}

func stopping(c types.ServiceConfig, def *catalogue.Service) error {
	if c.StopSignal != "" {
		def.Stop.Signal = unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(c.StopSignal), "SIG"))
		if n, err := strconv.Atoi(c.StopSignal); err == nil {
			def.Stop.Signal = unix.Signal(n)
		}
		if def.Stop.Signal == 0 {
			return fmt.Errorf("stop_signal: %q is no signal\nhint: write SIGTERM, or 15", c.StopSignal)
		}
	}
	if c.StopGracePeriod != nil {
		def.Stop.Grace = time.Duration(*c.StopGracePeriod)
	}
	return nil
}

// ports are those that the service listens on, by name (where it has one) and
// by number; nothing is opened on the host.
func ports(c types.ServiceConfig, def *catalogue.Service) {
	def.Ports = map[string]int{}
	for _, p := range c.Ports {
		if p.Name != "" {
			def.Ports[p.Name] = int(p.Target)
		}
	}
}

// health is the service's readiness: its health check, else an answer on the
// first TCP port that it publishes, else none.
func health(c types.ServiceConfig, def *catalogue.Service) error {
	h := c.HealthCheck
	if h == nil {
		for _, p := range c.Ports {
			if p.Protocol == "tcp" || p.Protocol == "" {
				def.Ready = &catalogue.Probe{TCP: &catalogue.Port{Number: int(p.Target)}, Within: catalogue.DefaultReadyWithin}
				return nil
			}
		}
		return nil
	}
	if h.Disable || len(h.Test) == 0 || h.Test[0] == "NONE" {
		return nil
	}
	var command []string
	switch kind := h.Test[0]; {
	case kind == "CMD" && len(h.Test) > 1:
		command = h.Test[1:]
	case kind == "CMD-SHELL" && len(h.Test) == 2:
		command = []string{"/bin/sh", "-c", h.Test[1]}
	default:
		return fmt.Errorf("healthcheck.test: %q: expected CMD and a command, CMD-SHELL and one line, or NONE", []string(h.Test))
	}
	def.Ready = &catalogue.Probe{Exec: catalogue.Literals(command), Within: patience(h)}
	return nil
}

// patience is how long a service may take until Compose calls it unhealthy.
func patience(h *types.HealthCheckConfig) time.Duration {
	interval, timeout, retries := healthInterval, healthTimeout, uint64(healthRetries)
	if h.Interval != nil {
		interval = time.Duration(*h.Interval)
	}
	if h.Timeout != nil {
		timeout = time.Duration(*h.Timeout)
	}
	if h.Retries != nil {
		retries = *h.Retries
	}
	within := time.Duration(retries) * (interval + timeout)
	if h.StartPeriod != nil {
		within += time.Duration(*h.StartPeriod)
	}
	return max(within, catalogue.DefaultReadyWithin)
}

func dependencies(c types.ServiceConfig) []Dependency {
	var out []Dependency
	for _, name := range slices.Sorted(maps.Keys(c.DependsOn)) {
		out = append(out, Dependency{Node: name, Until: conditions[c.DependsOn[name].Condition]})
	}
	return out
}

// volumeOwners tells which volumes belong to one service alone: its name, or
// "" for a volume that several share.
func volumeOwners(project *types.Project) map[string]string {
	owners := map[string]string{}
	for _, name := range project.ServiceNames() {
		for _, v := range project.Services[name].Volumes {
			if v.Type != types.VolumeTypeVolume || v.Source == "" {
				continue
			}
			if owner, taken := owners[v.Source]; taken && owner != name {
				owners[v.Source] = ""
				continue
			}
			owners[v.Source] = name
		}
	}
	return owners
}

// volumes reads the service's volumes. The first one that it alone has, and may
// write to, is the one that disk harm acts on.
func volumes(c types.ServiceConfig, def *catalogue.Service, owners map[string]string) []Bind {
	var out []Bind
	for i, v := range c.Volumes {
		target := path.Clean("/" + v.Target)
		switch {
		case v.Type == types.VolumeTypeBind:
			out = append(out, Bind{Source: v.Source, Target: target, ReadOnly: v.ReadOnly})
		case def.Data == "" && !v.ReadOnly && (v.Source == "" || owners[v.Source] == c.Name):
			def.Data = target
		case v.Source == "":
			out = append(out, Bind{Volume: c.Name + "-" + strconv.Itoa(i), Target: target, ReadOnly: v.ReadOnly})
		default:
			out = append(out, Bind{Volume: v.Source, Target: target, ReadOnly: v.ReadOnly})
		}
	}
	slices.SortFunc(out, func(a, b Bind) int { return strings.Compare(a.Target, b.Target) })
	return out
}
