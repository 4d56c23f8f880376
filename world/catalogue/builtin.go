package catalogue

import (
	"embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// builtinFiles are the services that need no file of the user's, one a file, in the form of the user's own.
//
//go:embed builtin/*.yaml
var builtinFiles embed.FS

// builtinFile is what Service.File says of a built-in service.
const builtinFile = "built in"

// readBuiltin reads the built-in services by name.
func readBuiltin() (map[string]*Service, error) {
	entries, err := builtinFiles.ReadDir("builtin")
	if err != nil {
		return nil, fmt.Errorf("built-in services: %w", err)
	}
	all := map[string]*Service{}
	for _, e := range entries {
		text, err := builtinFiles.ReadFile(path.Join("builtin", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("built-in services: %w", err)
		}
		s, err := Parse(Origin{File: builtinFile + " " + e.Name()}, "", text)
		if err != nil {
			return nil, err
		}
		s.File = builtinFile
		all[s.Name] = s
	}
	return all, nil
}

// Builtin gives the built-in services, by name.
func Builtin() ([]*Service, error) {
	all, err := readBuiltin()
	if err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *Service) int { return strings.Compare(a.Name, b.Name) }), nil
}
