package image

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Package is one main package of a go: reference.
type Package struct {
	Path    string // import path, or ./folder, ../folder, /folder
	Version string // as written; empty for a local package
	// Inherited says that Version is the first package's, since none was
	// written here; it is given up when the package has no such version.
	Inherited bool
}

// Local says whether the package is built from the source at hand.
func (p Package) Local() bool { return p.Version == "" }

// String is PATH@VERSION, or PATH.
func (p Package) String() string {
	if p.Version == "" {
		return p.Path
	}
	return p.Path + "@" + p.Version
}

func (p Package) isFolder() bool {
	return p.Path == "." || p.Path == ".." || strings.HasPrefix(p.Path, "./") || strings.HasPrefix(p.Path, "../") || strings.HasPrefix(p.Path, "/")
}

const goHint = "go:PACKAGE@VERSION (go:go.etcd.io/etcd/server/v3@v3.6.8), or go:./folder of a main package in your module; +PACKAGE adds another"

var (
	importPath    = regexp.MustCompile(`^[A-Za-z0-9_.~][-A-Za-z0-9_.~+/]*$`)
	folderPath    = regexp.MustCompile(`^[./][^@]*$`)
	versionText   = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9_.~+/]*$`)
	versionElem   = regexp.MustCompile(`^v[0-9]+$`)
	fixedVersion  = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-[-0-9A-Za-z.]+)?(\+incompatible)?$`)
	programName   = regexp.MustCompile(`^[A-Za-z0-9_][-A-Za-z0-9_.~]*$`)
	incompatible  = "incompatible"
	notASelection = map[string]string{"none": "removes a module", "upgrade": "depends on what is there already", "patch": "depends on what is there already"}
)

// parsePackages reads PACKAGE[@VERSION][+PACKAGE[@VERSION]…].
func parsePackages(text string) ([]Package, error) {
	if text == "" {
		return nil, hinted(errors.New("expected a package after \"go:\""), goHint)
	}
	var pkgs []Package
	parts := strings.Split(text, "+")
	for i := 0; i < len(parts); i++ {
		part := parts[i]
		// v2.0.0+incompatible holds a plus of its own.
		if i+1 < len(parts) && parts[i+1] == incompatible && strings.Contains(part, "@") {
			part += "+" + incompatible
			i++
		}
		p, err := parsePackage(part)
		if err != nil {
			return nil, err
		}
		if p.Version == "" && len(pkgs) > 0 && !p.isFolder() {
			p.Version, p.Inherited = pkgs[0].Version, pkgs[0].Version != ""
		}
		pkgs = append(pkgs, p)
	}
	return pkgs, nil
}

func parsePackage(text string) (Package, error) {
	where, version, versioned := strings.Cut(text, "@")
	p := Package{Path: where, Version: version}
	switch {
	case where == "":
		return p, hinted(fmt.Errorf("package %q: expected an import path", text), goHint)
	case strings.Contains(where, "..."):
		return p, hinted(fmt.Errorf("package %q: a pattern names several packages; expected one", text), goHint)
	case strings.HasSuffix(where, ".go"):
		return p, hinted(fmt.Errorf("package %q: a file; expected the folder of a main package", text), goHint)
	case p.isFolder() && versioned:
		return p, hinted(fmt.Errorf("package %q: a local folder has no version", text), "leave @"+version+" out, or write the import path")
	case p.isFolder() && !folderPath.MatchString(where), !p.isFolder() && !importPath.MatchString(where):
		return p, hinted(fmt.Errorf("package %q: expected an import path, or a folder that begins with ./", text), goHint)
	case versioned && !versionText.MatchString(version):
		return p, hinted(fmt.Errorf("package %q: expected a version such as v1.2.3 or latest after @, got %q", text, version), goHint)
	}
	if why, bad := notASelection[version]; bad {
		return p, hinted(fmt.Errorf("package %q: @%s %s; expected a version such as v1.2.3 or latest", text, version, why), goHint)
	}
	return p, nil
}

// programOf gives a program its name: the last element of the import path
// that is not a version, as `go install` would.
func programOf(importPath string) (string, error) {
	for p := path.Clean(importPath); p != "." && p != "/"; p = path.Dir(p) {
		base := path.Base(p)
		if versionElem.MatchString(base) {
			continue
		}
		if !programName.MatchString(base) {
			return "", fmt.Errorf("package %q: %q is no name for a program", importPath, base)
		}
		return base, nil
	}
	return "", fmt.Errorf("package %q: no element of the path can name the program", importPath)
}
