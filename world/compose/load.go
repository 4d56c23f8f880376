package compose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"brine.test/brine/world/catalogue"
	"brine.test/brine/world/source"
)

// Project is a Compose file, checked.
type Project struct {
	Services []Service         // in the order of their names
	Used     map[string]string // the variables that the file took from outside
}

// Service is one service of the file, as the node that it becomes.
type Service struct {
	Name    string             // of the service and of its node
	Aliases []string           // further names of the node: container_name and hostname
	Def     *catalogue.Service // what the node runs
	Binds   []Bind             // besides the volume that Def.Data names
	After   []Dependency       // what its start waits for
}

// Bind is a folder or file that a service sees at Target: one of the host
// (Source), or a volume of the file (Volume) that is not the service's own.
type Bind struct {
	Source, Volume, Target string
	ReadOnly               bool
}

// Dependency is one line of depends_on.
type Dependency struct {
	Node  string
	Until Until
}

// Until says what a service waits for.
type Until int

// What a service may wait for, of another one.
const (
	Started   Until = iota // it runs
	Ready                  // its health check passes
	Completed              // it has ended, with code 0
)

var conditions = map[string]Until{
	"":                            Started,
	types.ServiceConditionStarted: Started,
	types.ServiceConditionHealthy: Ready,
	types.ServiceConditionCompletedSuccessfully: Completed,
}

// Load reads the Compose file at path. Variables in it are those of env
// ("NAME=value"), and beneath them those of a .env file in the file's folder;
// COMPOSE_PROFILES chooses profiles. The error names every attribute of the
// file that is not honoured.
func Load(ctx context.Context, path string, env []string) (*Project, error) {
	text, err := source.Read("Compose file", path)
	if err != nil {
		return nil, err
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("compose file: %w", err)
	}
	dir := filepath.Dir(path)
	vars, err := variables(dir, env)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	details := types.ConfigDetails{
		WorkingDir: dir, Environment: vars,
		ConfigFiles: []types.ConfigFile{{Filename: path, Content: text}},
	}
	used := map[string]string{}
	var strange []loader.UnsupportedAttribute
	project, err := loader.LoadWithContext(ctx, details, func(o *loader.Options) {
		o.SetProjectName("brine", false)
		o.Interpolate.LookupValue = func(name string) (string, bool) {
			value, ok := vars[name]
			if ok {
				used[name] = value
			}
			return value, ok
		}
		o.Profiles = profiles(vars["COMPOSE_PROFILES"])
		loader.WithSupportedAttributes(supported(), func(found []loader.UnsupportedAttribute) { strange = found })(o)
		loader.WithUnsupportedAttributesCheck(refused, o.UnsupportedAttributesCheck.Report)(o)
	})
	switch {
	case len(strange) > 0:
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), notHonoured(strange))
	case err != nil:
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), plain(err, path))
	}
	return read(project, used, filepath.Base(path))
}

// variables are the environment's, above those of .env.
func variables(dir string, env []string) (types.Mapping, error) {
	vars := types.NewMapping(env)
	file := filepath.Join(dir, ".env")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return vars, nil
	}
	more, err := dotenv.GetEnvFromFile(vars, []string{file})
	if err != nil {
		return nil, err
	}
	return vars.Merge(more), nil
}

func profiles(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(p string) bool { return p == "" })
}

var pathIn = regexp.MustCompile(`^(?:validating|failed to parse) [^:]*: `)

// plain is the library's error without the file's path: ours begins with its
// name.
func plain(err error, path string) error {
	text := pathIn.ReplaceAllString(err.Error(), "")
	return errors.New(strings.ReplaceAll(text, path, filepath.Base(path)))
}

// read turns the library's project into ours.
func read(project *types.Project, used map[string]string, file string) (*Project, error) {
	if len(project.Services) == 0 {
		return nil, fmt.Errorf("%s: holds no service\nhint: a service with `profiles` takes part when COMPOSE_PROFILES names one of them", file)
	}
	owners := volumeOwners(project)
	out := &Project{Used: used}
	var errs []error
	for _, name := range project.ServiceNames() {
		s, err := service(project, project.Services[name], owners, file)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: services.%s.%w", file, name, err))
			continue
		}
		out.Services = append(out.Services, s)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return out, nil
}
