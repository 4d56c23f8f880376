package image

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// hostPaths splits /PATH+/PATH, unless a file has that very name, and puts in
// place of each * what it stands for here.
func hostPaths(text string) ([]string, error) {
	if _, err := os.Lstat(text); err == nil {
		return []string{filepath.Clean(text)}, nil
	}
	var paths []string
	for i, p := range strings.Split(text, "+/") {
		if i > 0 {
			p = "/" + p
		}
		paths = append(paths, filepath.Clean(p))
	}
	if !strings.Contains(text, "*") {
		return paths, nil
	}
	return newest(paths)
}

// newest chooses what * stands for, the same in all paths: of those for which
// all paths are there the last one, counting numbers as numbers. It is for
// programs that are installed by their version:
//
//	host:/usr/lib/postgresql/*/bin/postgres+/usr/lib/postgresql/*/bin/initdb
func newest(paths []string) ([]string, error) {
	first := paths[slices.IndexFunc(paths, func(p string) bool { return strings.Contains(p, "*") })]
	before, after, _ := strings.Cut(first, "*")
	if strings.Contains(after, "*") {
		return nil, hinted(fmt.Errorf("%s: expected at most one * in a path", first), pathHint(Host))
	}
	found, err := filepath.Glob(escaper.Replace(before) + "*" + escaper.Replace(after))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", first, err)
	}
	var versions []string
	for _, file := range found {
		versions = append(versions, file[len(before):len(file)-len(after)])
	}
	slices.SortFunc(versions, func(a, b string) int { return compareVersions(b, a) })
	missing := first
	for i, v := range versions {
		chosen := make([]string, len(paths))
		lacks := ""
		for k, p := range paths {
			chosen[k] = strings.Replace(p, "*", v, 1)
			if _, err := os.Stat(chosen[k]); err != nil && lacks == "" {
				lacks = chosen[k]
			}
		}
		if lacks == "" {
			return chosen, nil
		}
		if i == 0 {
			missing = lacks
		}
	}
	return nil, hinted(fmt.Errorf("%s: no such program on this machine", missing), "install it; "+pathHint(Host))
}

// escaper takes other patterns for what they are.
var escaper = strings.NewReplacer(`\`, `\\`, `?`, `\?`, `[`, `\[`)

// compareVersions compares texts, with runs of digits as numbers: 9.6 < 10.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x != "" && y != "" {
			a, b = a[len(x):], b[len(y):]
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			if x != y {
				return strings.Compare(x, y)
			}
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func digits(text string) string {
	for i, c := range text {
		if c > unicode.MaxASCII || !unicode.IsDigit(c) {
			return text[:i]
		}
	}
	return text
}
