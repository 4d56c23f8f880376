package doctor

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"brine.test/brine/world/catalogue"
)

// packages are those of Debian that hold the programs which services take from the
// machine. .ci/deps installs the same ones.
var packages = map[string]string{
	"redis-server": "redis-server", "redis-cli": "redis-tools", "postgres": "postgresql",
	"sh": "dash", "cp": "coreutils", "timeout": "coreutils", "mv": "coreutils", "rm": "coreutils",
	"sleep": "coreutils", "sync": "coreutils",
}

// programChecks look for the programs of this machine that services run: one check
// for each service whose image is a host: one, the built-in ones and those of the
// features' own.
func programChecks(features string) []Check {
	services, err := catalogue.Builtin()
	if err != nil {
		return []Check{{Name: "services", Status: Missing, Found: oneLine(err), Disables: "the built-in services", Mend: "build brine anew"}}
	}
	texts := featureTexts(features)
	var all []Check
	for _, s := range append(services, ownServices(features)...) {
		if programs := hostPrograms(s.Image.String()); len(programs) > 0 {
			all = append(all, serviceProbe(s.Name, programs, texts).run())
		}
	}
	return all
}

func serviceProbe(service string, programs []string, texts map[string]string) probe {
	var missing, mend []string
	for _, p := range programs {
		if found, _ := filepath.Glob(p); len(found) == 0 {
			missing, mend = append(missing, p), append(mend, packageOf(p))
		}
	}
	mend = slices.Compact(slices.Sorted(slices.Values(mend)))
	return probe{
		name: "service " + service,
		try: func() (string, error) {
			if len(missing) > 0 {
				return "", fmt.Errorf("there is no %s", strings.Join(missing, ", no "))
			}
			return strings.Join(programs, ", "), nil
		},
		disables: "the service " + service + askedBy(service, texts),
		mend:     "install " + strings.Join(mend, ", ") + " (apt-get install, or make deps-test for those of the built-in services)",
	}
}

// packageOf names the package that holds a program.
func packageOf(program string) string {
	if strings.Contains(program, "/postgresql/") {
		return "postgresql"
	}
	if p := packages[filepath.Base(program)]; p != "" {
		return p
	}
	return "the package that holds " + program
}

// hostPrograms are the paths in a host: image; one whose path has a version may be
// there in any.
func hostPrograms(image string) []string {
	text, ok := strings.CutPrefix(image, "host:")
	if !ok {
		return nil
	}
	text, _, _ = strings.Cut(text, "#")
	var out []string
	for p := range strings.SplitSeq(text, "+") {
		out = append(out, versioned.ReplaceAllString(p, "*"))
	}
	return out
}

var versioned = regexp.MustCompile(`{{.*?}}`)

// askedBy names the features that speak of a service.
func askedBy(service string, texts map[string]string) string {
	word := regexp.MustCompile(`(?m)^[^#\n]*\b(running|and|in|service|,|\|)[ "]*` + regexp.QuoteMeta(service) + `([^-\w]|$)`)
	var by []string
	for file, text := range texts {
		if word.MatchString(text) {
			by = append(by, file)
		}
	}
	slices.Sort(by)
	switch {
	case len(by) == 0:
		return ""
	case len(by) > 3:
		by = append(by[:3:3], fmt.Sprintf("%d more", len(by)-3))
	}
	return ", so: " + strings.Join(by, ", ")
}

// featureTexts reads the feature files of a folder.
func featureTexts(folder string) map[string]string {
	texts := map[string]string{}
	for _, path := range files(folder, ".feature") {
		if text, err := os.ReadFile(path); err == nil {
			texts[path] = string(text)
		}
	}
	return texts
}

// ownServices are those of the service files beside the features. What cannot be
// read is for the features' own errors to tell.
func ownServices(folder string) []*catalogue.Service {
	var all []*catalogue.Service
	for _, path := range files(folder, ".yaml") {
		if filepath.Base(filepath.Dir(path)) != "services" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if s, err := catalogue.Parse(catalogue.Origin{File: path}, "", text); err == nil {
			all = append(all, s)
		}
	}
	return all
}

// files lists those with an ending below a folder, if it is there.
func files(folder, ending string) []string {
	var out []string
	_ = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error { // what cannot be read is left out
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ending) {
			out = append(out, path)
		}
		return nil
	})
	return out
}

func oneLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
