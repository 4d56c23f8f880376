package image

import (
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Kind tells where an image comes from.
type Kind string

// The sources of images.
const (
	Registry Kind = "registry" // nginx:1.27, quay.io/coreos/etcd@sha256:…
	OCI      Kind = "oci"      // oci:DIR, a folder in the OCI image layout
	Archive  Kind = "archive"  // archive:FILE.tar, an OCI or Docker archive
	Go       Kind = "go"       // go:PACKAGE[@VERSION][+PACKAGE…]
	Host     Kind = "host"     // host:/usr/bin/redis-server
)

// Ref is an image reference that was understood. It says nothing yet about
// whether the image is there.
type Ref struct {
	Kind     Kind
	Text     string    // as it was written
	Path     string    // OCI, Archive, Host: the path as written
	Packages []Package // Go: the main packages, the entrypoint first
	Pin      string    // "sha256:…" of the manifest, empty when there is none
	Name     name.Reference
}

// String returns the reference as it was written.
func (r Ref) String() string { return r.Text }

const formsHint = "an image is NAME:TAG of a registry, oci:DIR, archive:FILE.tar, go:PACKAGE@VERSION or host:/PATH/TO/PROGRAM, each with #sha256:… to pin it"

var pinPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// Parse reads an image reference. Its errors tell what was expected at the
// place where the text went wrong.
func Parse(text string) (Ref, error) {
	ref := Ref{Text: text}
	if strings.TrimSpace(text) == "" {
		return ref, hinted(fmt.Errorf("image %q: the reference is empty", text), formsHint)
	}
	if strings.TrimSpace(text) != text || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ref, hinted(fmt.Errorf("image %q: spaces around the reference, or a control character in it", text), formsHint)
	}
	body := text
	if at := strings.LastIndexByte(text, '#'); at >= 0 {
		body, ref.Pin = text[:at], text[at+1:]
		if !pinPattern.MatchString(ref.Pin) {
			return ref, hinted(fmt.Errorf("image %q: pin %q: expected sha256: and 64 lower-case hexadecimal digits", text, ref.Pin),
				"what follows # is the digest of the image's manifest; a path with # in it cannot be written")
		}
	}
	scheme, rest, found := strings.Cut(body, ":")
	if !found {
		return parseRegistry(ref, body)
	}
	switch Kind(scheme) {
	case OCI, Archive:
		ref.Kind, ref.Path = Kind(scheme), rest
		if rest == "" {
			return ref, hinted(fmt.Errorf("image %q: expected a path after %q", text, scheme+":"), pathHint(ref.Kind))
		}
		return ref, nil
	case Host:
		ref.Kind, ref.Path = Host, rest
		if !strings.HasPrefix(rest, "/") {
			return ref, hinted(fmt.Errorf("image %q: expected an absolute path after host:, got %q", text, rest), pathHint(Host))
		}
		return ref, nil
	case Go:
		var err error
		ref.Kind = Go
		if ref.Packages, err = parsePackages(rest); err != nil {
			return ref, fmt.Errorf("image %q: %w", text, err)
		}
		return ref, nil
	}
	return parseRegistry(ref, body)
}

func pathHint(k Kind) string {
	switch k {
	case OCI:
		return "oci:DIR names a folder with an index.json in it, relative to the feature file"
	case Archive:
		return "archive:FILE.tar names what `docker save` or `skopeo copy … oci-archive:` wrote, relative to the feature file"
	default:
		return "host:/usr/bin/redis-server names a program of this machine; `command -v PROGRAM` prints its path; * stands for the newest version there is"
	}
}

func parseRegistry(ref Ref, body string) (Ref, error) {
	ref.Kind = Registry
	parsed, err := name.ParseReference(body, name.WeakValidation)
	if err == nil && strings.HasSuffix(parsed.Context().RegistryStr(), ":") {
		err = fmt.Errorf("registry %q: expected a port after the colon", parsed.Context().RegistryStr())
	}
	if err == nil && loopback(hostOf(parsed)) {
		parsed, err = name.ParseReference(body, name.WeakValidation, name.Insecure)
	}
	if err == nil {
		ref.Name = parsed
		return ref, nil
	}
	hint := formsHint
	scheme, rest, _ := strings.Cut(body, ":")
	switch {
	case strings.HasPrefix(rest, "//"):
		hint = fmt.Sprintf("leave %s:// out: a registry reference begins with the registry or the name", scheme)
	case body != strings.ToLower(body):
		hint = "names of images are lower case; " + formsHint
	default:
		for _, k := range []Kind{OCI, Archive, Go, Host} {
			if scheme != string(k) && near(strings.ToLower(scheme), string(k)) {
				hint = fmt.Sprintf("did you mean %s:%s?", k, rest)
			}
		}
	}
	return ref, hinted(fmt.Errorf("image %q: expected [REGISTRY/]NAME[:TAG][@sha256:…]: %w", ref.Text, firstLine(err)), hint)
}

// hostOf is the registry without its port.
func hostOf(ref name.Reference) string {
	registry := ref.Context().RegistryStr()
	if host, _, err := net.SplitHostPort(registry); err == nil {
		return host
	}
	return strings.Trim(registry, "[]")
}

// near says whether two words differ by one letter left out, added, changed,
// or swapped with its neighbour.
func near(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || len(a) < 2 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) || a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
