package compose

import (
	"errors"
	"fmt"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/compose-spec/compose-go/v2/tree"
)

// honoured are the attributes of the file that are done as they say, and those
// that change nothing for a test; with all that is below them.
var honoured = []string{
	"name", "version", "include",
	"volumes.*.name", "volumes.*.labels", "volumes.*.driver",
	"networks.default",
	"services.*.image", "services.*.command", "services.*.entrypoint",
	"services.*.environment", "services.*.env_file",
	"services.*.volumes.[].type", "services.*.volumes.[].source", "services.*.volumes.[].target", "services.*.volumes.[].read_only",
	"services.*.volumes.[].bind", "services.*.volumes.[].volume", "services.*.volumes.[].consistency",
	"services.*.healthcheck", "services.*.depends_on", "services.*.ports", "services.*.expose",
	"services.*.mem_limit", "services.*.cpus",
	"services.*.deploy.resources.limits.cpus", "services.*.deploy.resources.limits.memory",
	"services.*.stop_signal", "services.*.stop_grace_period",
	"services.*.container_name", "services.*.hostname", "services.*.networks.default",
	"services.*.labels", "services.*.annotations", "services.*.logging", "services.*.attach", "services.*.pull_policy",
	"services.*.profiles", "services.*.extends", "services.*.restart",
}

// refused are values of honoured attributes that are not.
var refused = []loader.UnsupportedAttributePattern{
	{Path: "services.*.restart", Detect: func(v any) bool { return v != "no" }},
	{Path: "volumes.*.driver", Detect: func(v any) bool { return v != "local" && v != "" }},
	{Path: "services.*.volumes.[].volume.subpath"},
	{Path: "services.*.volumes.[].type", Detect: func(v any) bool { return v != "bind" && v != "volume" }},
}

// hints say what to do instead, by the attribute's last name.
var hints = map[string]string{
	"build":        "build the image before, and give `image`: a registry's, oci:DIR, archive:FILE.tar, go:PACKAGE, or host:PROGRAM",
	"restart":      "leave it out: a service that ends stays down until the feature says `node is started again`",
	"networks":     "leave it out: all nodes share one network; the feature's sentences say who cannot reach whom",
	"network_mode": "leave it out: each node has a network of its own",
	"privileged":   "leave it out: containers run with the usual restrictions",
	"cap_add":      "leave it out: containers run with the usual restrictions",
	"scale":        "name each copy as a service of its own",
	"replicas":     "name each copy as a service of its own",
	"secrets":      "give the value by `environment`, as ${NAME} of the environment",
	"tmpfs":        "leave it out: the container's own file system is in memory",
}

// supported gives the specification's attributes that are honoured.
func supported() []tree.Path {
	var out []tree.Path
	for _, p := range schema.AttributePaths() {
		for _, h := range honoured {
			if string(p) == h || strings.HasPrefix(string(p), h+".") {
				out = append(out, p)
				break
			}
		}
	}
	return out
}

// notHonoured is the error that names each strange attribute, once.
func notHonoured(found []loader.UnsupportedAttribute) error {
	var errs []error
	seen := map[tree.Path]bool{}
	for _, a := range found {
		if seen[a.Path] {
			continue
		}
		seen[a.Path] = true
		text := fmt.Sprintf("%s: not honoured", a.Path)
		if value, ok := a.Value.(string); ok {
			text = fmt.Sprintf("%s: %q is not honoured", a.Path, value)
		}
		if hint := hints[a.Path.Last()]; hint != "" {
			text += "\nhint: " + hint
		}
		errs = append(errs, errors.New(text))
	}
	return errors.Join(errs...)
}
