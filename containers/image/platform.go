package image

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// parsePlatform reads OS/ARCH[/VARIANT]; empty is this machine.
func parsePlatform(text string) (v1.Platform, error) {
	if text == "" {
		return v1.Platform{OS: "linux", Architecture: runtime.GOARCH}, nil
	}
	parts := strings.Split(text, "/")
	if len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "") {
		return v1.Platform{}, fmt.Errorf("platform %q: expected OS/ARCH or OS/ARCH/VARIANT, such as linux/amd64", text)
	}
	p := v1.Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return p, nil
}

// runs says whether an image for have runs where want is asked for.
func runs(have, want v1.Platform) bool {
	if have.OS != "" && have.OS != want.OS || have.Architecture != "" && have.Architecture != want.Architecture {
		return false
	}
	return want.Variant == "" || have.Variant == "" || have.Variant == want.Variant
}

// candidate is one image of an index, or of several nested ones.
type candidate struct {
	v1.Descriptor
	via []string // the digests of the indexes that led here
}

func (c candidate) String() string {
	text := c.Digest.String()
	if c.Platform != nil {
		text = c.Platform.String() + " " + text
	}
	if name := c.Annotations["org.opencontainers.image.ref.name"]; name != "" {
		text = name + " " + text
	}
	return text
}

const maxIndexDepth = 4

// candidates lists the images below a descriptor.
func (r *resolver) candidates(ctx context.Context, src source, d v1.Descriptor, via []string) ([]candidate, error) {
	doc, err := r.readDocument(ctx, src, d)
	if err != nil {
		return nil, err
	}
	if doc.image {
		return []candidate{{d, via}}, nil
	}
	if len(via) >= maxIndexDepth {
		return nil, fmt.Errorf("%s: more than %d indexes inside each other", d.Digest, maxIndexDepth)
	}
	via = append(slices.Clone(via), d.Digest.String())
	var all []candidate
	for _, child := range doc.index.Manifests {
		if child.Platform != nil && (child.Platform.OS == "unknown" || child.Annotations["vnd.docker.reference.type"] != "") {
			continue // an attestation about an image, not an image
		}
		if child.Platform != nil {
			// Its document is read only when it is chosen: a pull should not
			// fetch what other machines need.
			if child.MediaType.IsImage() || child.MediaType == "" {
				all = append(all, candidate{child, via})
				continue
			}
		}
		below, err := r.candidates(ctx, src, child, via)
		if err != nil {
			return nil, err
		}
		all = append(all, below...)
	}
	return all, nil
}

// choose picks the image for the platform, or the one that is pinned.
func (r *resolver) choose(ctx context.Context, src source, top v1.Descriptor) (candidate, error) {
	all, err := r.candidates(ctx, src, top, nil)
	if err != nil {
		return candidate{}, err
	}
	if len(all) == 0 {
		return candidate{}, errors.New("expected an image, got an index without one")
	}
	var fit []candidate
	for _, c := range all {
		if c.Digest.String() == r.ref.Pin {
			return c, nil
		}
		if c.Platform == nil || runs(*c.Platform, r.platform) {
			fit = append(fit, c)
		}
	}
	// Without a variant asked for, the newest plain one is wanted: v8 before v7.
	if r.platform.Variant == "" && len(fit) > 1 {
		slices.SortStableFunc(fit, func(a, b candidate) int { return strings.Compare(variant(b), variant(a)) })
		if variant(fit[0]) != variant(fit[1]) {
			fit = fit[:1]
		}
	}
	fit = slices.CompactFunc(fit, func(a, b candidate) bool { return a.Digest == b.Digest })
	switch {
	case len(fit) == 0:
		return candidate{}, hinted(fmt.Errorf("expected an image for %s, got images for %s", r.platform, listed(all)), "take an image that was built for this machine")
	case len(fit) > 1 && r.ref.Kind == Registry:
		return fit[0], nil // as docker does
	case len(fit) > 1:
		return candidate{}, hinted(fmt.Errorf("expected one image, got %d: %s", len(fit), listed(fit)), "choose one by its digest: "+r.ref.Text+"#sha256:…")
	}
	return fit[0], nil
}

func variant(c candidate) string {
	if c.Platform == nil {
		return ""
	}
	return c.Platform.Variant
}

func listed(all []candidate) string {
	var names []string
	for _, c := range all {
		names = append(names, c.String())
	}
	return strings.Join(names, ", ")
}
